"""Putting a session's files into the store: each is hashed while its first copy is written (G1)."""

import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archive.digest import digest_bytes, digest_file
from archive.errors import StorageFull
from archive.opening import Archive
from archive.timeline import WallTime
from ingest.errors import InvalidRequest
from ingest.input_file import InputFile

Progress = Callable[[str, int, int], None]
"""Told a step (`probe` or `store`), how many bytes of it are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class ToKeep:
    """A file to keep. `content` are its bytes where they were read whole: what was checked is what is kept."""

    role: str
    file: InputFile
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that the store holds, by its digest."""

    role: str
    digest: str
    size_bytes: int
    file_name: str


def keep(archive: Archive, files: Sequence[ToKeep], progress: Progress, locked_until: WallTime | None = None) -> list[Kept]:
    """Copy the files into the store. StorageFull before anything is written if there isn't room for all of them.

    `locked_until`: how long what they belong to must be kept, where that is known and later than the first lock.
    """
    total = sum(item.file.size_bytes for item in files)
    _check_room(archive, total)
    # Locked from the first instant: the full retention follows once it is known what they belong to.
    first_lock = archive.retention.first_lock()
    locked_until = max(first_lock, locked_until or first_lock)
    done = 0
    kept: list[Kept] = []
    for item in files:
        if item.content is not None:
            digest, size = archive.store.put(io.BytesIO(item.content), locked_until)
        else:
            with _Counted(item.file, within(progress, "store", done, total)) as stream:
                digest, size = archive.store.put(stream, locked_until)
            item.file.check_unchanged()
        kept.append(Kept(item.role, digest, size, item.file.name))
        done += size
        progress("store", done, total)
    _check_distinct(kept)
    return kept


def digests_only(files: Sequence[ToKeep]) -> list[Kept]:
    """As `keep`, without keeping anything."""
    kept = [
        Kept(
            item.role,
            digest_file(item.file.path) if item.content is None else digest_bytes(item.content),
            item.file.size_bytes,
            item.file.name,
        )
        for item in files
    ]
    _check_distinct(kept)
    return kept


def digests_of(kept: Sequence[Kept], role: str) -> list[str]:
    return [item.digest for item in kept if item.role == role]


def within(progress: Progress, step: str, before: int, total: int) -> Callable[[int], None]:
    """Progress of one file, told as progress of all."""

    def tell(passed: int) -> None:
        progress(step, before + passed, total)

    return tell


def silent(_step: str, _done: int, _total: int) -> None:
    """Tells nobody."""


class _Counted(io.BufferedReader):
    """A file that tells how many bytes were read of it."""

    def __init__(self, file: InputFile, tell: Callable[[int], None]) -> None:
        super().__init__(file.open())
        self._told = tell
        self._passed = 0

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(size)
        self._passed += len(chunk)
        self._told(self._passed)
        return chunk


def _check_room(archive: Archive, needed: int) -> None:
    """Say that the disk is too small before hours are copied onto it, where the store is a folder."""
    folder = archive.settings.objects_folder
    margin = archive.settings.free_space_margin_bytes
    if not folder.is_dir():
        return
    free = shutil.disk_usage(folder).free
    if free < needed + margin:
        raise StorageFull(
            f"no room in {folder}: this session has {needed >> 20} MiB and {margin >> 20} MiB must stay free, {free >> 20} MiB are free. "
            "Free some space or set LIVEPROOF_OBJECT_STORE to another disk; nothing was admitted"
        )


def _check_distinct(kept: Sequence[Kept]) -> None:
    names: dict[str, str] = {}
    for item in kept:
        if item.role != "media":
            continue
        if item.digest in names:
            raise InvalidRequest(f"{item.file_name} holds the same bytes as {names[item.digest]}: a part can't be there twice")
        names[item.digest] = item.file_name
