"""Objects in one folder of one disk. Retentions and holds are files beside them (`locks/ab/abcd….json`), which this program obeys.

That is a lock against mistakes and against every user of LiveProof; whoever may write the folder as the operating system's user can
remove files and locks alike. Where that matters, keep originals on S3 with object lock.
"""

import fcntl
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from archive.atomic_write import write_bytes_whole
from archive.digest import canonical_json
from archive.errors import Locked, NotFound, VerificationFailed
from archive.object_store import LockReport, LockTrial, ObjectLock
from archive.object_store.folder import Folder, hex_of
from archive.timeline import Clock, WallTime

ADVICE = "Free some space or set LIVEPROOF_OBJECT_STORE to another disk"
CANARY_LOCK_MS = 3600_000


class DiskStore:
    """An object store in one folder of one disk."""

    def __init__(self, folder: Path, free_space_margin_bytes: int, clock: Clock = WallTime.now) -> None:
        self._files = Folder(folder, free_space_margin_bytes, ADVICE)
        self._locks = folder / "locks"
        self._clock = clock

    def put(self, source: BinaryIO, retain_until: WallTime | None = None) -> tuple[str, int]:
        with self._files.receive(source) as received:
            if retain_until is None:
                self._files.keep(received)
            else:
                # Under the lock that `remove` takes, so that an object found to be there can't go before it is retained.
                with self._locking():
                    self._files.keep(received)
                    self._extend(received.digest, retain_until)
            return received.digest, received.size

    def put_file(self, path: Path, retain_until: WallTime | None = None) -> tuple[str, int]:
        self._files.check_room(path.stat().st_size)
        with path.open("rb") as source:
            return self.put(source, retain_until)

    def open(self, digest: str) -> BinaryIO:
        return self.path(digest).open("rb")

    def path(self, digest: str) -> Path:
        place = self._files.find(digest)
        if place is None:
            raise NotFound(f"object {digest} is not in {self._files.root}: restore it from a backup, then run liveproof verify --archive")
        return place

    def size(self, digest: str) -> int:
        return self.path(digest).stat().st_size

    def has(self, digest: str) -> bool:
        return self._files.find(digest) is not None

    def digests(self) -> Iterator[str]:
        return self._files.digests()

    def retain(self, digest: str, until: WallTime) -> WallTime:
        with self._locking():
            self.path(digest)
            return self._extend(digest, until)

    def hold(self, digest: str, on: bool) -> None:
        with self._locking():
            self.path(digest)
            lock = self._read(digest)
            if lock.held != on:
                self._write(digest, ObjectLock(lock.until, on))

    def retention(self, digest: str) -> ObjectLock:
        self.path(digest)
        return self._read(digest)

    def remove(self, digest: str) -> None:
        with self._locking():
            if self._files.find(digest) is None:
                return
            lock = self._read(digest)
            if lock.binds(self._clock()):
                raise Locked(_why(digest, lock))
            self._files.remove(digest)
            self._lock_file(digest).unlink(missing_ok=True)

    def url(self, digest: str, valid_s: int) -> str | None:
        return None

    def canary(self) -> LockReport:
        content = b"LiveProof lock canary " + secrets.token_bytes(16)
        until = self._clock().plus_ms(CANARY_LOCK_MS)
        digest, _ = self.put(BytesIO(content), until)
        trials = []
        for name, attempt in (
            ("delete", lambda: self.remove(digest)),
            ("shorten", lambda: self.retain(digest, self._clock())),
            ("overwrite", lambda: self.put(BytesIO(content))),
        ):
            try:
                attempt()
                answer = "did nothing"
            except Locked as error:
                answer = f"refused: {error}"
            stands = self.has(digest) and self.path(digest).read_bytes() == content and self._read(digest).until == until
            trials.append(LockTrial(name, stands, answer))
        with self._locking():
            self._files.remove(digest)
            self._lock_file(digest).unlink(missing_ok=True)
        return LockReport(str(self._files.root), "program", self._clock(), tuple(trials))

    @contextmanager
    def _locking(self) -> Iterator[None]:
        """One writer of locks at a time, over threads and processes."""
        self._locks.mkdir(exist_ok=True)
        with (self._locks / "writer").open("ab") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _extend(self, digest: str, until: WallTime) -> WallTime:
        lock = self._read(digest)
        if lock.until is not None and lock.until >= until:
            return lock.until
        self._write(digest, ObjectLock(until, lock.held))
        return until

    def _read(self, digest: str) -> ObjectLock:
        try:
            kept = json.loads(self._lock_file(digest).read_bytes())
            until = kept["until_ms"]
            return ObjectLock(None if until is None else WallTime(int(until)), bool(kept["held"]))
        except FileNotFoundError:
            return ObjectLock(None, False)
        except (ValueError, KeyError, TypeError) as error:
            raise VerificationFailed(f"{self._lock_file(digest)} is no lock that LiveProof wrote: restore it from a backup") from error

    def _write(self, digest: str, lock: ObjectLock) -> None:
        kept = {"until_ms": lock.until.epoch_ms if lock.until else None, "held": lock.held}
        write_bytes_whole(self._lock_file(digest), canonical_json(kept))

    def _lock_file(self, digest: str) -> Path:
        name = hex_of(digest)
        return self._locks / name[:2] / f"{name}.json"


def _why(digest: str, lock: ObjectLock) -> str:
    if lock.held:
        return f"object {digest} is under a legal hold: release the hold first"
    return f"object {digest} is locked until {lock.until.iso() if lock.until else '?'}: nobody may remove it before"
