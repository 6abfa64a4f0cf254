"""An empty archive, and small recordings to bring to it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive.opening import Archive
from tests.archive.generated_media import make_media
from tests.archive.held import open_test_archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened = open_test_archive(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three different FLV recordings of 4, 3 and 5 seconds."""
    folder = tmp_path_factory.mktemp("originals")
    return [make_media(folder / f"part-{n}.flv", seconds, seed=n) for n, seconds in enumerate((4, 3, 5))]


@pytest.fixture
def flv(originals: list[Path], tmp_path: Path) -> Callable[..., Path]:
    """A copy of one of the recordings under a name of the test's choosing."""

    def copy(name: str = "session.flv", which: int = 0) -> Path:
        target = tmp_path / name
        shutil.copyfile(originals[which], target)
        return target

    return copy


@pytest.fixture
def unchanged(archive: Archive) -> Iterator[None]:
    """Holds a test to it: whatever it tried, nothing may have been admitted, stored or logged."""
    yield
    assert archive.catalog.recordings() == []
    assert archive.custody.head() is None
    assert list(archive.store.digests()) == []
