"""Objects as files: `ab/cd/abcd…`, read-only, written to a temporary name, synced, then renamed."""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from archive.digest import CHUNK_BYTES
from archive.errors import NotFound, StorageFull

ABANDONED_AFTER_S = 24 * 3600

_HEX = re.compile(r"[0-9a-f]{64}")


class DiskStore:
    """An object store in one folder of one disk."""

    def __init__(self, folder: Path, free_space_margin_bytes: int) -> None:
        self._folder = folder
        self._margin = free_space_margin_bytes
        self._incoming = folder / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._clear_abandoned()

    def put(self, source: BinaryIO) -> tuple[str, int]:
        hasher, size = hashlib.sha256(), 0
        self._check_room(0)
        handle, name = tempfile.mkstemp(dir=self._incoming)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as target:
                while chunk := source.read(CHUNK_BYTES):
                    hasher.update(chunk)
                    target.write(chunk)
                    size += len(chunk)
                target.flush()
                os.fsync(target.fileno())
            digest = "sha256:" + hasher.hexdigest()
            place = self._place(digest)
            if place.exists():
                temporary.unlink()
            else:
                temporary.chmod(0o444)
                place.parent.mkdir(parents=True, exist_ok=True)
                temporary.rename(place)
                _sync_folder(place.parent)
            return digest, size
        except OSError as error:
            temporary.unlink(missing_ok=True)
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._full(size) from error
            raise
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def put_file(self, path: Path) -> tuple[str, int]:
        self._check_room(path.stat().st_size)
        with path.open("rb") as source:
            return self.put(source)

    def open(self, digest: str) -> BinaryIO:
        return self.path(digest).open("rb")

    def path(self, digest: str) -> Path:
        place = self._place(digest)
        if not place.is_file():
            raise NotFound(f"object {digest} is not in {self._folder}: restore it from a backup, then run liveproof verify --archive")
        return place

    def size(self, digest: str) -> int:
        return self.path(digest).stat().st_size

    def has(self, digest: str) -> bool:
        return self._place(digest).is_file()

    def digests(self) -> Iterator[str]:
        for file in self._folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            if _HEX.fullmatch(file.name):
                yield "sha256:" + file.name

    def _clear_abandoned(self) -> None:
        """A killed process leaves its unfinished copy; one that nobody has written to for a day has no writer any more."""
        for file in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process may clear it at the same time
                if time.time() - file.stat().st_mtime > ABANDONED_AFTER_S:
                    file.unlink()

    def _place(self, digest: str) -> Path:
        name = digest.removeprefix("sha256:")
        if not _HEX.fullmatch(name):
            raise NotFound(f"“{digest}” is no digest: it must be sha256: and 64 hexadecimal digits")
        return self._folder / name[:2] / name[2:4] / name

    def _check_room(self, size: int) -> None:
        if shutil.disk_usage(self._folder).free < size + self._margin:
            raise self._full(size)

    def _full(self, size: int) -> StorageFull:
        free = shutil.disk_usage(self._folder).free
        return StorageFull(
            f"no room in {self._folder}: {size >> 20} MiB to write with {self._margin >> 20} MiB to spare, {free >> 20} MiB free. "
            "Free some space or set LIVEPROOF_OBJECT_STORE to another disk; nothing was admitted"
        )


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
