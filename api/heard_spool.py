"""What a job has heard so far, kept in files until it is stored: memory doesn't grow with a recording, and kill -9 costs nothing kept.

A file is there whole or not at all, and begins with the digest of what follows, so that a damaged one is known and its batch heard again.
Files are named after all that decides their content; so whatever job asks, of whichever attempt, may use what it finds.
"""

import errno
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from archive.atomic_write import write_bytes_whole
from archive.digest import Json, canonical_json, digest_bytes
from archive.errors import StorageFull

_FOLDER, _WHOSE = "heard", "recording"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HeardSpool:
    """The files of one recording, in a folder of their own below the home's `scratch`."""

    folder: Path

    @classmethod
    def of(cls, home: Path, recording_id: str) -> "HeardSpool":
        return cls(home / "scratch" / _FOLDER / hashlib.sha256(recording_id.encode()).hexdigest()[:32])

    @property
    def recording_id(self) -> str | None:
        """Whose it is; None where it doesn't say."""
        try:
            return (self.folder / _WHOSE).read_text("utf-8")
        except OSError:
            return None

    def begin(self, recording_id: str) -> None:
        """Make the folder, which says whose it is. StorageFull."""
        if self.recording_id != recording_id:
            self._write(_WHOSE, recording_id.encode())

    def keep(self, name: str, content: Json) -> str:
        """Keep something durably under a file name, in place of what was there; its digest. StorageFull."""
        written = canonical_json(content)
        digest = digest_bytes(written)
        self._write(name, digest.encode() + b"\n" + written)
        return digest

    def read(self, name: str) -> Json:
        """What was kept; None where nothing was, or where it is damaged."""
        try:
            digest, _, written = (self.folder / name).read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("heard_unreadable", file=str(self.folder / name), why=str(error))
            return None
        if digest.decode("ascii", "replace") != digest_bytes(written):
            log.warning("heard_damaged", file=str(self.folder / name), bytes=len(written))
            return None
        kept: Json = json.loads(written)
        return kept

    def discard(self) -> None:
        """Remove all of it, and the folders above that it leaves empty."""
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.folder.parent.rmdir()
        except OSError:
            return  # those of other recordings are in it, or it was never there

    def _write(self, name: str, content: bytes) -> None:
        try:
            write_bytes_whole(self.folder / name, content)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise StorageFull(f"no room in {self.folder} for what was heard: some 20 MB an hour of speech are needed") from error
            raise


def spools(home: Path) -> Iterator[HeardSpool]:
    """Those that are there, whoever left them."""
    folder = home / "scratch" / _FOLDER
    yield from (HeardSpool(each) for each in sorted(folder.glob("*")) if each.is_dir())
