"""One file on its way to a LiveProof server: block by block from where the server has it, hashed as it leaves, however often it breaks."""

import hashlib
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from typing import TypeVar

import structlog

from api.errors import UploadRefused, UploadServerUnavailable
from api.sent_uploads import Remembered, SentUploads
from api.upload_server import BlockTooLarge, InterruptedExchange, Offer, UploadLost, UploadServer
from archive.errors import LiveProofError
from ingest.errors import FileChanged
from ingest.input_file import InputFile

LEAST_BLOCK_BYTES = 64 << 10
LONGEST_WAIT_S = 10.0

log = structlog.get_logger(__name__)

_T = TypeVar("_T")
Sending = Callable[[str, int, int], None]
"""Told a file's name, how many of its bytes the server has or is being sent, and how many there are."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file as the server has it. `found_bytes` were there already; `sha256` in hex is of the bytes that were sent."""

    role: str
    file: str
    size_bytes: int
    sha256: str
    found_bytes: int
    upload_id: str


@dataclass(frozen=True, slots=True)
class ToSend:
    """A file that was looked at, and what it is to be: media, chat, captions, products or events."""

    role: str
    file: InputFile


class Patience:
    """Tries again, ever more slowly, until nothing has got through for `seconds`."""

    def __init__(self, seconds: int, server: UploadServer, waiting: Callable[[str, float], None]) -> None:
        self._seconds, self._server, self._waiting = seconds, server, waiting
        self.progressed()

    def progressed(self) -> None:
        self._since, self._failures = time.monotonic(), 0

    def failed(self, why: InterruptedExchange) -> None:
        """Wait, or UploadServerUnavailable if it has lasted too long."""
        wait_s = max(min(LONGEST_WAIT_S, 0.25 * 2**self._failures) * random.uniform(0.5, 1), why.wait_s)  # noqa: S311 - only spreads tries
        left_s = self._since + self._seconds - time.monotonic()
        if left_s <= 0:
            raise UploadServerUnavailable(
                f"{self._server.shown} can't be reached ({why}); nothing got through for {self._seconds} s. Run the same command again: "
                "it goes on where it stopped"
            ) from why
        self._failures += 1
        log.info("upload.waiting", server=self._server.shown, why=str(why), wait_s=round(wait_s, 1))
        self._waiting(str(why), wait_s)
        time.sleep(min(wait_s, left_s))

    def until(self, ask: Callable[[], _T]) -> _T:
        """Ask until it is answered."""
        while True:
            try:
                answer = ask()
            except InterruptedExchange as why:
                self.failed(why)
            else:
                self.progressed()
                return answer


class Sender:
    """Brings files to one server, one after the other."""

    def __init__(
        self, server: UploadServer, offer: Offer, memory: SentUploads, patience: Patience, chunk_bytes: int, sending: Sending
    ) -> None:
        self._server, self._offer, self._memory, self._patience = server, offer, memory, patience
        self._chunk_bytes, self._sending = chunk_bytes, sending
        self._block_bytes = chunk_bytes

    def send(self, each: ToSend) -> SentFile:
        """Every byte of the file, from where the server has it."""
        size = each.file.size_bytes
        with self._memory.held(each.file, each.role) as note, _reading(each.file) as source:
            if note.sha256 and not note.recording and _is_of(note, each.file, source):
                # The admission finds out whether it is still there: it may have gone through when this process was killed.
                self._sending(each.file.name, size, size)
                return SentFile(each.role, each.file.name, size, note.sha256, size, note.upload_id)
            if note.sha256:
                note.upload_id = note.sha256 = note.recording = ""
            try:
                found = self._send_all(each, note, source)
                note.sha256 = source.sha256()
            except FileChanged:
                self._give_up(each, note)
                raise
            note.changed_ns = each.file.changed_ns
            self._memory.keep(each.file, each.role, note)
        return SentFile(each.role, each.file.name, size, note.sha256, found, note.upload_id)

    def forget_lost(self, files: Sequence[ToSend]) -> None:
        """Forget those uploads that the server no longer has."""
        for each in files:
            note = self._memory.known(each.file, each.role)
            if not self._is_whole(note.upload_id, each.file.size_bytes):
                self._memory.forget(each.file, each.role)

    def _is_whole(self, upload_id: str, size: int) -> bool:
        try:
            return self._patience.until(lambda: self._server.offset(upload_id, size)) == size
        except UploadLost:
            return False

    def _send_all(self, each: ToSend, note: Remembered, source: "_Source") -> int:
        """Bytes that were there before; the rest is there now."""
        size = each.file.size_bytes
        offset = found = self._begin(each, note)
        self._sending(each.file.name, offset, size)
        while offset < size:
            block = source.block(offset, min(self._block_bytes, size - offset))
            try:
                offset = self._server.send(note.upload_id, offset, block, self._offer.compares_sha256, self._counted(each, offset))
                self._patience.progressed()
                self._block_bytes = min(self._chunk_bytes, self._block_bytes * 2)
            except BlockTooLarge as error:
                if len(block) <= LEAST_BLOCK_BYTES:
                    raise UploadRefused(f"{self._server.shown} takes no request of even {len(block)} bytes") from error
                self._smaller()
            except UploadLost:
                note.upload_id = ""
                offset = found = self._begin(each, note)
            except InterruptedExchange as why:
                self._smaller()
                self._patience.failed(why)
                offset = self._standing(each, note, offset)
            self._sending(each.file.name, offset, size)
        return found

    def _begin(self, each: ToSend, note: Remembered) -> int:
        """The offset of the upload that is known, else of a new one."""
        if note.upload_id:
            with suppress(UploadLost):
                return self._patience.until(lambda: self._server.offset(note.upload_id, each.file.size_bytes))
        note.upload_id = self._patience.until(lambda: self._server.begin(each.file.size_bytes, each.file.name, each.role))
        self._memory.keep(each.file, each.role, note)
        return 0

    def _standing(self, each: ToSend, note: Remembered, before: int) -> int:
        """Where the upload stands after a break. That it moved is progress, too."""

        def ask() -> int:
            return self._server.offset(note.upload_id, each.file.size_bytes)

        while True:
            try:
                offset = ask()
            except InterruptedExchange as why:
                self._patience.failed(why)
            except UploadLost:
                note.upload_id = ""
                return self._begin(each, note)
            else:
                if offset > before:
                    self._patience.progressed()
                return offset

    def _smaller(self) -> None:
        """On a line that breaks often, a smaller block gets through between two breaks."""
        self._block_bytes = max(LEAST_BLOCK_BYTES, self._block_bytes // 2)

    def _counted(self, each: ToSend, offset: int) -> Callable[[int], None]:
        left = offset

        def sent(count: int) -> None:
            nonlocal left
            left += count
            self._sending(each.file.name, left, each.file.size_bytes)

        return sent

    def _give_up(self, each: ToSend, note: Remembered) -> None:
        self._memory.forget(each.file, each.role)
        with suppress(InterruptedExchange, LiveProofError):
            self._server.give_up(note.upload_id)


class _Source:
    """A file's bytes by block, hashed in their order however often some of them are sent."""

    def __init__(self, file: InputFile, stream: FileIO) -> None:
        self._file, self._stream = file, stream
        self._hasher, self._hashed = hashlib.sha256(), 0

    def block(self, offset: int, size: int) -> bytes:
        """FileChanged if it isn't the file any more that was looked at."""
        self._file.check_unchanged()
        self._hash_until(offset)
        block = self._read(offset, size)
        self._hash(offset, block)
        return block

    def sha256(self) -> str:
        """Of the whole file, in hex."""
        self._hash_until(self._file.size_bytes)
        self._file.check_unchanged()
        return self._hasher.hexdigest()

    def _hash_until(self, offset: int) -> None:
        """What a run before this one has sent is only read."""
        while self._hashed < offset:
            self._hash(self._hashed, self._read(self._hashed, min(1 << 20, offset - self._hashed)))

    def _hash(self, offset: int, block: bytes) -> None:
        if offset <= self._hashed < offset + len(block):
            self._hasher.update(block[self._hashed - offset :])
            self._hashed = offset + len(block)

    def _read(self, offset: int, size: int) -> bytes:
        pieces, at = [], offset
        while at < offset + size:
            piece = os.pread(self._stream.fileno(), offset + size - at, at)
            if not piece:
                raise FileChanged(f"{self._file.path} became shorter while it was sent: wait until it is closed, then upload again")
            pieces.append(piece)
            at += len(piece)
        return b"".join(pieces)


@contextmanager
def _reading(file: InputFile) -> Iterator[_Source]:
    with file.open() as stream:
        yield _Source(file, stream)


def _is_of(note: Remembered, file: InputFile, source: "_Source") -> bool:
    """Whether the note's digest is of the file as it is: it is read again where its inode changed since."""
    return note.changed_ns == file.changed_ns or note.sha256 == source.sha256()


def digest_of(file: InputFile) -> str:
    """Of a file as it is now."""
    with _reading(file) as source:
        return "sha256:" + source.sha256()
