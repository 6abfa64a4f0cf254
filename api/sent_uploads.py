"""What `liveproof upload` remembers of files under way, so that it goes on after a kill: one small file each, read by their owner alone.

    <state folder>/uploads/<key>.json   server, file, upload id; the SHA-256 once the file is there whole; the recording it became

The key is made of the server, the role and the file as it stands (place, size, time of writing, inode): a file that changed is another one.
No password is kept. Whatever is remembered wrongly costs a new upload and nothing else: the server compares the whole file's digest.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from api.errors import UploadBusy
from archive.atomic_write import write_private
from archive.digest import digest_json
from ingest.input_file import InputFile

FORGOTTEN_AFTER_S = 30 * 24 * 3600


@dataclass(slots=True)
class Remembered:
    """An upload of a file. `sha256` in hex is there once all its bytes are, with the time in ns of the inode's last change by then;
    `recording` once it was admitted."""

    server: str
    file: str
    upload_id: str = ""
    sha256: str = ""
    changed_ns: int = 0
    recording: str = ""


class SentUploads:
    """The memory in one folder, for one server."""

    def __init__(self, folder: Path, server: str) -> None:
        self._folder, self._server = folder / "uploads", server

    @contextmanager
    def held(self, file: InputFile, role: str) -> Iterator[Remembered]:
        """What is known of the file, with no other process sending it meanwhile. UploadBusy if one does."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._place(file, role).with_suffix(".lock").open("a", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UploadBusy(f"{file.path} is being sent to {self._server} by another process already") from error
            yield self.known(file, role)

    def known(self, file: InputFile, role: str) -> Remembered:
        """What is known of the file; an empty note where nothing is, or it can't be read."""
        with suppress(OSError, ValueError, TypeError):
            return Remembered(**json.loads(self._place(file, role).read_bytes()))
        return Remembered(self._server, str(file.path))

    def keep(self, file: InputFile, role: str, note: Remembered) -> None:
        write_private(self._place(file, role), json.dumps(asdict(note), ensure_ascii=False).encode("utf-8", "surrogatepass"))

    def forget(self, file: InputFile, role: str) -> None:
        self._place(file, role).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Drop notes and locks that no server can know any more."""
        for found in self._folder.iterdir() if self._folder.is_dir() else ():
            with suppress(OSError):
                if time.time() - found.stat().st_mtime > FORGOTTEN_AFTER_S:
                    found.unlink()

    def _place(self, file: InputFile, role: str) -> Path:
        where = os.fsencode(file.path.absolute()).hex()
        key = digest_json([self._server, role, where, file.size_bytes, file.modified_ns, file.device, file.inode])
        return self._folder / f"{key.removeprefix('sha256:')[:32]}.json"
