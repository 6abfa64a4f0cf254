"""Files that are there whole or not at all: temporary name in the same folder → fsync → rename."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes_whole(target: Path, content: bytes) -> None:
    """Write `content` to `target`, whole or not at all."""
    with written_whole(target) as temporary:
        temporary.write_bytes(content)
