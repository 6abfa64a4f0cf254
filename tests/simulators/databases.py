"""The catalog's two databases, for suites that must hold on both."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.simulators.postgres import fresh_database

KINDS = ("sqlite", "postgresql")


@contextlib.contextmanager
def database_url(kind: str, folder: Path) -> Iterator[str]:
    """URL of an empty database of the kind."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'catalog.db'}"
    else:
        with fresh_database() as url:
            yield url
