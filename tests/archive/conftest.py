"""Media generated once a run, and an archive that holds it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.opening import Archive
from tests.archive.generated_media import make_media, remux
from tests.archive.held import open_test_archive

BEEPS_MS = (1000, 3500, 5200, 9000)


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same twelve seconds as flv, mp4, mkv and ts, and another session's as `other`."""
    folder = tmp_path_factory.mktemp("media")
    flv = make_media(folder / "session.flv", 12, BEEPS_MS)
    made = {ending: remux(flv, folder / f"session.{ending}") for ending in ("mp4", "mkv", "ts")}
    return {"flv": flv, **made, "other": make_media(folder / "other.flv", 12, BEEPS_MS, seed=1, first_frame=400)}


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened = open_test_archive(tmp_path / "home")
    yield opened
    opened.close()
