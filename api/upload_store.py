"""Files on their way in, under `incoming-uploads/` in the home until they are admitted: one folder an upload.

    incoming-uploads/<id>/upload.json   what was announced, and the durable offset; replaced whole
                         /lock          held by the one request that writes, admits or removes
                         /bytes/<name>  what arrived, under the client's own name, by which recorders' clocks are told
    incoming-uploads/receipts/*.json    which recording a request was answered with, so that repeating it changes nothing

The offset in `upload.json` is told only after the bytes before it were fsynced; what lies behind it after a crash is cut off.
"""

import errno
import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import structlog

from api.errors import ChecksumMismatch, InvalidUpload, UploadBusy, UploadConflict, UploadGone
from api.settings import ApiSettings
from api.upload_headers import Checksum, Described
from archive.atomic_write import sync_path, write_bytes_whole
from archive.errors import NotFound, StorageFull, TooLarge
from archive.timeline import Clock, WallTime

FOLDER = "incoming-uploads"
# A kill costs at most so many bytes of a request that brings gigabytes.
DURABLE_EVERY_BYTES = 16 << 20
HOUR_MS = 3_600_000
_ID = re.compile(r"[0-9a-f]{32}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. `length` and `offset` in bytes, `sha256` in hex where the client named it, `metadata` as it was sent."""

    id: str
    length: int
    offset: int
    file_name: str
    role: str | None
    sha256: str | None
    metadata: str
    expires_ms: int

    @property
    def complete(self) -> bool:
        return self.offset == self.length

    @property
    def expires_at(self) -> WallTime:
        return WallTime(self.expires_ms)


class Uploads:
    """The uploads of one home. `margin_bytes` must stay free on the disk."""

    def __init__(self, home: Path, settings: ApiSettings, margin_bytes: int, clock: Clock) -> None:
        self.folder = home / FOLDER
        self._settings, self._margin, self._clock = settings, margin_bytes, clock
        self._receipts = self.folder / "receipts"

    def create(self, length: int, described: Described) -> Upload:
        """A further upload, empty. TooLarge over the limit; StorageFull if the disk hasn't room for it and all that is still to come."""
        if length > self._settings.upload_max_bytes:
            raise TooLarge(f"an upload of {length} bytes is longer than the {self._settings.upload_max_bytes} that are taken here")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.sweep()
        self._check_room(length)
        upload_id = secrets.token_hex(16)
        folder = self.folder / upload_id
        (folder / "bytes").mkdir(parents=True)
        (folder / "lock").touch()
        upload = Upload(
            upload_id, length, 0, described.file_name, described.role, described.sha256, described.as_sent, self._expiry().epoch_ms
        )
        self.path(upload).touch()
        sync_path(folder / "bytes")
        self._save(upload)
        sync_path(self.folder)
        return upload

    def find(self, upload_id: str) -> Upload:
        """NotFound if there is none, UploadGone if its time is over."""
        upload = self._load(upload_id)
        if upload is None:
            raise NotFound(f"there is no upload {upload_id[:40]!r}: it was admitted, removed, or never begun")
        if upload.expires_at <= self._clock():
            raise UploadGone(f"upload {upload_id} expired at {upload.expires_at.iso()}: begin a new one")
        return upload

    def path(self, upload: Upload) -> Path:
        """The file with the bytes that arrived."""
        return self.folder / upload.id / "bytes" / upload.file_name

    @contextmanager
    def held(self, upload_id: str) -> Iterator[Upload]:
        """The upload as it stands, with nobody else writing, admitting or removing it meanwhile. UploadBusy if somebody does."""
        self.find(upload_id)
        handle = self._lock(upload_id)
        try:
            yield self.find(upload_id)
        finally:
            os.close(handle)

    def writer(self, upload_id: str, offset: int, checksum: Checksum | None) -> "Writer":
        """To go on at `offset`; the caller closes it. UploadConflict if the upload stands elsewhere, UploadBusy if another one writes."""
        self.find(upload_id)
        handle = self._lock(upload_id)
        try:
            upload = self.find(upload_id)
            if offset != upload.offset:
                raise UploadConflict(f"upload {upload_id} stands at byte {upload.offset}, not at {offset}")
            return Writer(self, upload, handle, checksum)
        except BaseException:
            os.close(handle)
            raise

    def moved_on(self, upload: Upload, offset: int) -> Upload:
        """Note that everything before `offset` is durable; it has the whole time before it again."""
        upload = replace(upload, offset=offset, expires_ms=self._expiry().epoch_ms)
        self._save(upload)
        return upload

    def remove(self, upload_id: str) -> None:
        """Remove an upload that the caller holds. The note goes first: bytes without one are swept."""
        (self.folder / upload_id / "upload.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder / upload_id, ignore_errors=True)

    def terminate(self, upload_id: str) -> None:
        """NotFound, UploadGone or UploadBusy as `held`."""
        with self.held(upload_id):
            self.remove(upload_id)

    def sweep(self) -> int:
        """Remove what expired, what a crash left without a note, and old receipts; how many uploads went. Those in use stay."""
        gone, now = 0, self._clock()
        for folder in self._folders():
            with suppress(UploadBusy, NotFound, OSError):
                if not self._is_over(folder, now):
                    continue
                # Without a lock file its creation broke off at once: nobody was told of it.
                handle = self._lock(folder.name) if (folder / "lock").exists() else None
                try:
                    if self._is_over(folder, now):  # it may have been gone on with until the lock was had
                        self.remove(folder.name)
                        gone += 1
                finally:
                    if handle is not None:
                        os.close(handle)
        for receipt in self._receipts.iterdir() if self._receipts.is_dir() else ():
            with suppress(OSError):
                if _age_ms(receipt, now) > self._settings.upload_keep_hours * HOUR_MS:
                    receipt.unlink()
        if gone:
            log.info("uploads_swept", count=gone)
        return gone

    def receipt(self, name: str) -> dict[str, str]:
        """What was noted under `name`; empty if nothing."""
        try:
            found: dict[str, str] = json.loads(self._receipt_file(name).read_bytes())
        except FileNotFoundError:
            return {}
        return found

    def note_receipt(self, name: str, content: dict[str, str]) -> None:
        write_bytes_whole(self._receipt_file(name), json.dumps(content).encode())

    @contextmanager
    def admitting(self, name: str) -> Iterator[None]:
        """One request under this name at a time. UploadBusy while another one is at work."""
        self._receipts.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._receipt_file(name).with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _take(handle, "this admission is being worked on by another request")
            yield
        finally:
            os.close(handle)

    def _receipt_file(self, name: str) -> Path:
        return self._receipts / f"{hashlib.sha256(name.encode()).hexdigest()}.json"

    def _is_over(self, folder: Path, now: WallTime) -> bool:
        upload = self._load(folder.name)
        # One without a note is perhaps being created.
        return _age_ms(folder, now) >= HOUR_MS if upload is None else upload.expires_at <= now

    def _folders(self) -> list[Path]:
        return [found for found in self.folder.iterdir() if _ID.fullmatch(found.name)] if self.folder.is_dir() else []

    def _check_room(self, length: int) -> None:
        coming, count = 0, 0
        for folder in self._folders():
            upload = self._load(folder.name)
            if upload is not None:
                coming, count = coming + upload.length - upload.offset, count + 1
        if count >= self._settings.upload_open_max:
            raise StorageFull(f"{count} uploads wait already: finish, admit or remove some of them first")
        free = shutil.disk_usage(self.folder).free
        if free < length + coming + self._margin:
            raise StorageFull(
                f"no room for an upload of {length >> 20} MiB: {free >> 20} MiB are free, {coming >> 20} MiB are announced already, "
                f"and {self._margin >> 20} MiB must stay free"
            )

    def _expiry(self) -> WallTime:
        return self._clock().plus_ms(self._settings.upload_keep_hours * HOUR_MS)

    def _save(self, upload: Upload) -> None:
        write_bytes_whole(self.folder / upload.id / "upload.json", json.dumps(asdict(upload)).encode())

    def _load(self, upload_id: str) -> Upload | None:
        if not _ID.fullmatch(upload_id):
            return None
        try:
            return Upload(**json.loads((self.folder / upload_id / "upload.json").read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            # Somebody's editor, or another release: it can't be gone on with, and must not stop the others.
            log.warning("upload_unreadable", upload=upload_id)
            return None

    def _lock(self, upload_id: str) -> int:
        try:
            handle = os.open(self.folder / upload_id / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise NotFound(f"there is no upload {upload_id}: it was admitted or removed") from error
        try:
            _take(handle, f"upload {upload_id} is being written to, admitted or removed by another request")
        except BaseException:
            os.close(handle)
            raise
        return handle


class Writer:
    """One request's bytes, appended at the durable offset. Not for two threads at once."""

    def __init__(self, uploads: Uploads, upload: Upload, lock: int, checksum: Checksum | None) -> None:
        self.upload = upload
        self._uploads, self._lock, self._checksum = uploads, lock, checksum
        self._hasher = hashlib.new(checksum.algorithm, usedforsecurity=False) if checksum else None
        self._file = os.open(uploads.path(upload), os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            if os.fstat(self._file).st_size < upload.offset:
                raise InvalidUpload(f"the bytes of upload {upload.id} were cut short on this server: remove it and begin a new one")
            self._cut_back()
        except BaseException:
            os.close(self._file)
            raise
        self._at = upload.offset
        self._spoilt = False

    def add(self, block: bytes) -> None:
        """TooLarge past the announced length, StorageFull if the disk is; what wasn't durable by then is dropped."""
        if self._at + len(block) > self.upload.length:
            self._spoilt = True
            raise TooLarge(f"upload {self.upload.id} was announced with {self.upload.length} bytes, and more arrived")
        with self._to_disk():
            view = memoryview(block)
            while view:
                view = view[os.write(self._file, view) :]
        self._at += len(block)
        if self._hasher:
            self._hasher.update(block)
        elif self._at - self.upload.offset >= DURABLE_EVERY_BYTES:
            self._keep()

    def finish(self) -> Upload:
        """Everything arrived: it is durable now. ChecksumMismatch, and nothing of it kept, if it isn't what was sent."""
        if self._hasher and self._checksum and self._hasher.digest() != self._checksum.digest:
            self._spoilt = True
            raise ChecksumMismatch(
                f"the {self._checksum.algorithm} of the {self._at - self.upload.offset} bytes that arrived is another one"
            )
        self._keep()
        return self.upload

    def close(self) -> None:
        """Let go of the upload. What arrived of a request that broke off is kept, unless its checksum can no longer be made."""
        try:
            if self._at > self.upload.offset:
                if self._spoilt or self._hasher:
                    self._cut_back()
                else:
                    self._keep()
        finally:
            os.close(self._file)
            os.close(self._lock)

    def _keep(self) -> None:
        with self._to_disk():
            os.fsync(self._file)
            self.upload = self._uploads.moved_on(self.upload, self._at)

    @contextmanager
    def _to_disk(self) -> Iterator[None]:
        """What the disk refused once is dropped: a second fsync may say that all is well though the pages are gone."""
        try:
            yield
        except OSError as error:
            self._spoilt = True
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull("the disk for uploads is full: free some space and go on with this upload") from error
            raise

    def _cut_back(self) -> None:
        os.ftruncate(self._file, self.upload.offset)
        os.lseek(self._file, self.upload.offset, os.SEEK_SET)


def _take(handle: int, busy: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UploadBusy(busy) from error


def _age_ms(path: Path, now: WallTime) -> int:
    return now.epoch_ms - path.stat().st_mtime_ns // 1_000_000
