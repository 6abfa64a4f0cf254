"""What a watcher remembers of a folder between rounds and runs: each file as it stood and what came of it, in one small file in the home.

It only saves work and repeated messages: what is held is told by the catalog, so a lost or damaged memory costs a reading of the folder.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from pydantic import BaseModel, Field, ValidationError

from archive.digest import digest_bytes
from ingest.errors import AlreadyWatched
from ingest.watching import Stamp

log = structlog.get_logger(__name__)


class Remembered(BaseModel):
    """A file since it has been as it is. `recording` holds it, or took it in beside its media; `refused` says why none does.

    `beside`: chat, captions or clock, once it was looked at. `stamp` is size in bytes, the times of last writing and of the inode's last
    change in ns, and the inode.
    """

    stamp: tuple[int, int, int, int]
    seen_ms: int
    digest: str = ""
    duration_ms: int | None = None
    recording: str | None = None
    refused: str | None = None
    beside: str = ""

    @property
    def settled(self) -> bool:
        """Whether the file was read as it is now."""
        return bool(self.digest or self.recording or self.refused)


class WatchMemory(BaseModel):
    """`files` by path below the folder; `refused` are sessions by fingerprint; `told` what was said, by the path it is about and a word."""

    folder: str
    files: dict[str, Remembered] = Field(default_factory=dict)
    refused: dict[str, str] = Field(default_factory=dict)
    told: dict[str, set[str]] = Field(default_factory=dict)

    def see(self, path: str, stamp: Stamp, now_ms: int) -> Remembered:
        """What is known of the file; nothing of it if it has changed."""
        known = self.files.get(path)
        current = (stamp.size_bytes, stamp.modified_ns, stamp.changed_ns, stamp.inode)
        if known is None or known.stamp != current:
            known = self.files[path] = Remembered(stamp=current, seen_ms=now_ms)
            self.told.pop(path, None)
        return known

    def first_telling(self, path: str, word: str) -> bool:
        """Whether this has not been said of the path before; from now on it has."""
        said = self.told.setdefault(path, set())
        if word in said:
            return False
        said.add(word)
        return True


def memory_file(home: Path, root: Path) -> Path:
    """Where the memory of a folder lies."""
    return home / "watch" / f"{digest_bytes(os.fsencode(root)).removeprefix('sha256:')[:24]}.json"


def read_memory(file: Path, root: Path) -> WatchMemory:
    """The memory of earlier runs; an empty one where there is none or it can't be read."""
    try:
        known = WatchMemory.model_validate_json(file.read_bytes())
        if known.folder == str(root):
            return known
    except FileNotFoundError:
        pass
    except (OSError, ValidationError) as error:
        log.warning("watch.memory_lost", file=str(file), error=str(error).splitlines()[0])
    return WatchMemory(folder=str(root))


@contextmanager
def only_watcher(home: Path, root: Path) -> Iterator[None]:
    """Hold the folder for this process. AlreadyWatched if another one does; a killed one holds nothing."""
    lock = memory_file(home, root).with_suffix(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyWatched(f"{root} is watched already by another process of this archive: leave it to that one") from error
        yield
