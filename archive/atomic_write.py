"""Files that are there whole or not at all: temporary name in the same folder → fsync → rename."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_whole(target: Path, suffix: str = "") -> Iterator[Path]:
    """A temporary path to fill; renamed to `target` at the end of the block, removed if anything is raised.

    `suffix` is the temporary name's ending, for programs that go by it. OSError if the folder can't be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=f".partial{suffix}")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.rename(target)
        sync_path(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes_whole(target: Path, content: bytes) -> None:
    """Write `content` to `target`, whole or not at all."""
    with written_whole(target) as temporary:
        temporary.write_bytes(content)


def write_private(place: Path, content: bytes) -> None:
    """Write a file that its owner alone may read, whole or not at all, in place of what was there."""
    _write_private(place, content, os.replace)


def write_private_once(place: Path, content: bytes) -> None:
    """As `write_private`, but a file that is there already stays, whoever made it meanwhile."""
    with suppress(FileExistsError):
        # A link, unlike a rename, never replaces what another process made meanwhile.
        _write_private(place, content, os.link)


def sync_path(path: Path) -> None:
    """Make what was written to a file durable, or a rename or removal in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_private(place: Path, content: bytes, put: Callable[[str, Path], None]) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as made:
            made.write(content)
            made.flush()
            os.fsync(handle)
        put(name, place)
        sync_path(place.parent)
    finally:
        Path(name).unlink(missing_ok=True)
