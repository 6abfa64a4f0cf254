"""The command line as people of either language use it, in this process and on a home of a test's own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.settings import api_settings
from archive.settings import archive_settings


@contextmanager
def commands_at(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Runs a command in a language; what it printed."""
    monkeypatch.setenv("LIVEPROOF_HOME", str(home))
    monkeypatch.setenv("LIVEPROOF_EMBEDDING_MODEL", "none")

    def run(language: str, *arguments: str) -> str:
        monkeypatch.setenv("LIVEPROOF_INTERFACE_LANGUAGE", language)
        archive_settings.cache_clear()
        api_settings.cache_clear()
        ran = CliRunner().invoke(app, arguments)
        assert ran.exit_code == 0, ran.output
        return ran.output

    yield run
    archive_settings.cache_clear()
    api_settings.cache_clear()
