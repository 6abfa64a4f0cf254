"""Objects as files: `ab/cd/abcd…`, read-only, written to a temporary name, synced, then renamed. For the disk store and S3's cache."""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from archive.atomic_write import sync_path
from archive.digest import CHUNK_BYTES
from archive.errors import NotFound, StorageFull

ABANDONED_AFTER_S = 24 * 3600

_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Received:
    """A whole, synced, unnamed copy, hashed while it was written."""

    path: Path
    digest: str
    size: int


class Folder:
    """Files by the digest of their bytes. `margin_bytes` must stay free on the disk; `advice` says what to do when it is full."""

    def __init__(self, root: Path, margin_bytes: int, advice: str) -> None:
        self.root = root
        self._margin = margin_bytes
        self._advice = advice
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._clear_abandoned()

    @contextmanager
    def receive(self, source: BinaryIO) -> Iterator[Received]:
        """Copy what is left in `source` to a temporary file, which goes at the end of the block unless `keep` named it. StorageFull."""
        hasher, size = hashlib.sha256(), 0
        self.check_room(0)
        handle, name = tempfile.mkstemp(dir=self._incoming)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as target:
                try:
                    while chunk := source.read(CHUNK_BYTES):
                        hasher.update(chunk)
                        target.write(chunk)
                        size += len(chunk)
                    target.flush()
                    os.fsync(target.fileno())
                except OSError as error:
                    if error.errno in (errno.ENOSPC, errno.EDQUOT):
                        raise self._full(size) from error
                    raise
            yield Received(temporary, "sha256:" + hasher.hexdigest(), size)
        finally:
            temporary.unlink(missing_ok=True)

    def keep(self, received: Received) -> Path:
        """Give a received copy its name, durably; nothing happens if it is there already."""
        place = self.place(received.digest)
        if not place.exists():
            received.path.chmod(0o444)
            place.parent.mkdir(parents=True, exist_ok=True)
            received.path.rename(place)
            sync_path(place.parent)
        return place

    def find(self, digest: str) -> Path | None:
        """Where the object is, None if it isn't. NotFound for what is no digest at all."""
        place = self.place(digest)
        return place if place.is_file() else None

    def place(self, digest: str) -> Path:
        """Where the object is or would be. NotFound for what is no digest."""
        name = hex_of(digest)
        return self.root / name[:2] / name[2:4] / name

    def remove(self, digest: str) -> None:
        """Remove the file if it is there, durably."""
        place = self.place(digest)
        if place.exists():
            place.unlink(missing_ok=True)
            sync_path(place.parent)

    def digests(self) -> Iterator[str]:
        """Every object in the folder."""
        for file in self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            if _HEX.fullmatch(file.name):
                yield "sha256:" + file.name

    def check_room(self, size: int) -> None:
        """StorageFull unless `size` bytes and the margin are free."""
        if shutil.disk_usage(self.root).free < size + self._margin:
            raise self._full(size)

    def _full(self, size: int) -> StorageFull:
        free = shutil.disk_usage(self.root).free
        return StorageFull(
            f"no room in {self.root}: {size >> 20} MiB to write with {self._margin >> 20} MiB to spare, {free >> 20} MiB free. "
            f"{self._advice}; nothing was admitted"
        )

    def _clear_abandoned(self) -> None:
        """A killed process leaves its unfinished copy; one that nobody has written to for a day has no writer any more."""
        for file in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process may clear it at the same time
                if time.time() - file.stat().st_mtime > ABANDONED_AFTER_S:
                    file.unlink()


def hex_of(digest: str) -> str:
    """The 64 hexadecimal digits of a digest. NotFound for what is no digest."""
    name = digest.removeprefix("sha256:")
    if not _HEX.fullmatch(name):
        raise NotFound(f"“{digest}” is no digest: it must be sha256: and 64 hexadecimal digits")
    return name
