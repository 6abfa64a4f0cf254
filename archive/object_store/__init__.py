"""Where originals and everything derived are kept, by the digest of their bytes.

The contract, held by one suite over every variant: an object is hashed while its first copy is written (G1); it is there whole or not
at all; writing the same bytes again changes nothing; a read gives what was written or says that it doesn't.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from archive.settings import ArchiveSettings


class ObjectStore(Protocol):
    """Content-addressed storage. Digests are `sha256:…`; sizes in bytes."""

    def put(self, source: BinaryIO) -> tuple[str, int]:
        """Keep what is left in `source`; its digest and size. StorageFull if the disk hasn't the room."""
        ...

    def put_file(self, path: Path) -> tuple[str, int]:
        """Keep a file's bytes; its digest and size."""
        ...

    def open(self, digest: str) -> BinaryIO:
        """The object's bytes, seekable. NotFound if it isn't held."""
        ...

    def path(self, digest: str) -> Path:
        """A local path to read it from, for programs that need one. NotFound if it isn't held."""
        ...

    def size(self, digest: str) -> int:
        """Bytes held. NotFound if it isn't."""
        ...

    def has(self, digest: str) -> bool: ...

    def digests(self) -> Iterator[str]:
        """Every object held, in no order."""
        ...


def open_store(settings: ArchiveSettings) -> ObjectStore:
    """The store that the settings name."""
    from archive.object_store.disk import DiskStore

    return DiskStore(settings.objects_folder, settings.free_space_margin_bytes)
