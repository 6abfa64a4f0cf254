"""Objects on an S3 server with versioning and object lock, named by digest, each read by the version that was hashed.

A PUT over a key makes another version and a DELETE only a marker, so neither makes evidence disappear: this store remembers which version
it wrote or has hashed (`pins/` in its cache folder), and where it has no memory and finds several, reads them until one's SHA-256 is the
name. Local copies for programs that need a path are hashed while they are fetched.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import structlog

from archive.atomic_write import write_bytes_whole
from archive.errors import LiveProofError, Locked, LockNotEnforced, NotFound, StoreUnavailable, VerificationFailed
from archive.object_store import LockReport, ObjectLock, assert_enforced
from archive.object_store.folder import Folder, Received, hex_of
from archive.object_store.s3_bucket import Bucket, Stat, Version, open_bucket
from archive.object_store.s3_canary import clear_expired, try_lock
from archive.object_store.s3_reader import RangeReader, buffered
from archive.settings import ArchiveSettings
from archive.timeline import WallTime

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

CANARY_AGE_MS = 24 * 3600_000
URL_MAX_S = 7 * 24 * 3600  # what signature version 4 allows
IN_USE_S = 600  # a local copy asked for so lately may be about to be opened
_STRIPES = 64

log = structlog.get_logger(__name__)


class S3Store:
    """An object store in one bucket, with a bounded cache of local copies in `cache`."""

    def __init__(self, bucket: Bucket, prefix: str, cache: Folder, cache_bytes: int) -> None:
        self._bucket = bucket
        self._objects = prefix + "objects/"
        self._canaries = prefix + "canary/"
        self._cache = cache
        self._cache_bytes = cache_bytes
        self._pins = cache.root / "pins"
        self._tried: LockReport | None = None
        self._writing = [threading.Lock() for _ in range(_STRIPES)]

    @classmethod
    def from_settings(cls, settings: ArchiveSettings) -> "S3Store":
        """StoreUnavailable names the setting that is wrong or missing; the server is not asked yet."""
        bucket, prefix = open_bucket(settings)
        advice = "Free some space for LIVEPROOF_HOME, where a copy is made before it goes to S3"
        return cls(bucket, prefix, Folder(settings.objects_folder, settings.free_space_margin_bytes, advice), settings.s3_cache_bytes)

    def put(self, source: BinaryIO, retain_until: WallTime | None = None) -> tuple[str, int]:
        self._check_lock()
        with self._cache.receive(source) as received, self._writing[int(hex_of(received.digest)[:4], 16) % _STRIPES]:
            if not self._is_held(received, retain_until):
                self._upload(received, retain_until)
            self._cache.keep(received)
        self._evict()
        return received.digest, received.size

    def put_file(self, path: Path, retain_until: WallTime | None = None) -> tuple[str, int]:
        self._cache.check_room(path.stat().st_size)
        with path.open("rb") as source:
            return self.put(source, retain_until)

    def open(self, digest: str) -> BinaryIO:
        stat = self._stat(digest)
        return buffered(RangeReader(self._asker(digest, stat.version), stat.size))

    def path(self, digest: str) -> Path:
        cached = self._cache.find(digest)
        if cached is None or self._pin(digest) is None:
            cached = self._fetch(digest, self._stat(digest).version)
            if cached is None:
                raise VerificationFailed(f"object {digest} on {self._bucket.address} has other bytes than its name says: restore it")
            self._evict()
        try:
            os.utime(cached, ns=(time.time_ns(), cached.stat().st_mtime_ns))
        except FileNotFoundError:  # another process evicted it in this moment
            return self.path(digest)
        return cached

    def size(self, digest: str) -> int:
        return self._stat(digest).size

    def has(self, digest: str) -> bool:
        return bool(self._versions(digest))

    def digests(self) -> Iterator[str]:
        last = None
        for version in self._bucket.versions(self._objects):
            name = version.key.rpartition("/")[2]
            # The listing goes by key, so that a key's versions follow each other.
            if not version.is_delete_marker and name != last and version.key == self._key_of_hex(name):
                last = name
                yield "sha256:" + name

    def retain(self, digest: str, until: WallTime) -> WallTime:
        return self._retain(digest, self._stat(digest), until)

    def hold(self, digest: str, on: bool) -> None:
        stat = self._stat(digest)
        if stat.lock.held != on:
            self._bucket.hold(self._key(digest), stat.version, on)

    def retention(self, digest: str) -> ObjectLock:
        return self._stat(digest).lock

    def remove(self, digest: str) -> None:
        key = self._key(digest)
        found = [version for version in self._bucket.versions(key) if version.key == key]
        for version in found:
            if not version.is_delete_marker:
                stat = self._bucket.stat(key, version.id)
                if stat.lock.binds(stat.at):
                    why = "under a legal hold" if stat.lock.held else f"locked until {stat.lock.until and stat.lock.until.iso()}"
                    raise Locked(f"object {digest} is {why} on {self._bucket.address}: nobody may remove it before")
        for version in found:
            self._bucket.delete(key, version.id)
        self._cache.remove(digest)
        self._pin_file(digest).unlink(missing_ok=True)

    def url(self, digest: str, valid_s: int) -> str | None:
        return self._bucket.url(self._key(digest), self._stat(digest).version, max(1, min(valid_s, URL_MAX_S)))

    def canary(self) -> LockReport:
        # The server judges a retention by its own clock, so it is asked for in real time, whatever the archive's clock says.
        now = WallTime.now()
        clear_expired(self._bucket, self._canaries, now)
        self._tried = try_lock(self._bucket, self._canaries, now)
        return self._tried

    def _check_lock(self) -> None:
        """Let nothing in that would not be locked: a process tries the server's lock before its first write, and every day."""
        if self._tried is None or not self._tried.enforced or WallTime.now().epoch_ms - self._tried.at.epoch_ms > CANARY_AGE_MS:
            report = self.canary()
            log.log(20 if report.enforced else 40, "store.canary", **report.as_json())
        assert_enforced(self._tried)

    def _is_held(self, received: Received, retain_until: WallTime | None) -> bool:
        """Whether the server has these very bytes already, now retained as asked."""
        try:
            stat = self._stat(received.digest)
            if stat.size != received.size:
                raise VerificationFailed(f"{received.digest} is there with {stat.size} bytes")
            if self._pin(received.digest) is None and self._fetch(received.digest, stat.version) is None:
                raise VerificationFailed(f"{received.digest} is there with other bytes")
            if retain_until is not None:
                self._retain(received.digest, stat, retain_until)
            return True
        except NotFound:
            return False
        except (VerificationFailed, StoreUnavailable) as error:
            # Other bytes, or a version that this user may not read, are somebody else's; a server that is away says so at the upload.
            log.warning("store.foreign_version", object=received.digest, found=str(error))
            return False

    def _upload(self, received: Received, retain_until: WallTime | None) -> None:
        key = self._key(received.digest)
        ahead = retain_until is not None and retain_until > WallTime.now().plus_ms(60_000)
        with received.path.open("rb") as source:
            version = self._bucket.put(key, source, received.size, retain_until if ahead else None)
        stat = self._bucket.stat(key, version)
        if stat.size != received.size:
            raise VerificationFailed(f"{self._bucket.address} kept {stat.size} of {received.size} bytes of {received.digest}")
        if retain_until is not None:
            # Ceph drops the retention of a multipart upload, so what holds is looked at, not believed.
            self._retain(received.digest, stat, retain_until)
        self._remember(received.digest, version)

    def _retain(self, digest: str, stat: Stat, until: WallTime) -> WallTime:
        if stat.lock.until is not None and stat.lock.until >= until:
            return stat.lock.until
        if until <= stat.at:
            return stat.lock.until or until  # over already: no server takes a retention in the past
        self._bucket.retain(self._key(digest), stat.version, until)
        now_holds = self._bucket.stat(self._key(digest), stat.version).lock.until
        if now_holds is None or now_holds < until:
            raise LockNotEnforced(
                f"{self._bucket.address} agreed to lock {digest} until {until.iso()} but says {now_holds and now_holds.iso()}"
            )
        return now_holds

    def _stat(self, digest: str) -> Stat:
        """The version that stands for the digest: the remembered one, the only one, or the one whose bytes are right."""
        pinned = self._pin(digest)
        if pinned is not None:
            try:
                return self._bucket.stat(self._key(digest), pinned)
            except NotFound:
                log.warning("store.version_gone", object=digest, version=pinned)
        found = self._versions(digest)
        if not found:
            raise NotFound(f"object {digest} is not in bucket {self._bucket.name}: restore it, then run liveproof verify --archive")
        if len(found) == 1:
            return self._bucket.stat(self._key(digest), found[0].id)
        return self._right_one(digest, found)

    def _right_one(self, digest: str, found: Sequence[Version]) -> Stat:
        """Of several versions the one whose bytes are right. A version that another user wrote may not even be readable."""
        stats: list[Stat] = []
        hindrance: LiveProofError | None = None
        for version in found:
            try:
                stats.append(self._bucket.stat(self._key(digest), version.id))
            except (StoreUnavailable, NotFound) as error:
                log.warning("store.unreadable_version", object=digest, version=version.id, error=str(error))
                hindrance = error
        # Locked ones first: what was locked early is likeliest the original.
        for stat in sorted(stats, key=lambda stat: stat.lock.until is None and not stat.lock.held):
            try:
                if self._fetch(digest, stat.version) is not None:
                    return stat
            except (StoreUnavailable, NotFound) as error:
                log.warning("store.unreadable_version", object=digest, version=stat.version, error=str(error))
                hindrance = error
        if hindrance is not None:
            raise hindrance
        raise VerificationFailed(f"none of the {len(found)} versions of {digest} on {self._bucket.address} has the bytes of its name")

    def _versions(self, digest: str) -> list[Version]:
        """Versions with bytes, oldest first."""
        key = self._key(digest)
        found = [version for version in self._bucket.versions(key) if version.key == key and not version.is_delete_marker]
        found.reverse()  # the server lists newest first, which decides between those of one instant
        return sorted(found, key=lambda version: version.last_modified)

    def _fetch(self, digest: str, version: str) -> Path | None:
        """A local copy of a version, remembered as the right one; None where its bytes are others."""
        stat = self._bucket.stat(self._key(digest), version)
        self._cache.check_room(stat.size)
        with buffered(RangeReader(self._asker(digest, version), stat.size)) as source, self._cache.receive(source) as received:
            if received.digest != digest:
                log.warning("store.wrong_bytes", object=digest, version=version, found=received.digest)
                return None
            kept = self._cache.keep(received)
        self._remember(digest, version)
        return kept

    def _asker(self, digest: str, version: str) -> "Callable[[int], BaseHTTPResponse]":
        key = self._key(digest)
        return lambda offset: self._bucket.read(key, version, offset)

    def _evict(self) -> None:
        """Remove the local copies used longest ago until the rest fit, but none that somebody may just be opening."""
        copies = []
        for digest in self._cache.digests():
            place = self._cache.place(digest)
            try:
                copies.append((place.stat().st_atime, place.stat().st_size, digest))
            except FileNotFoundError:
                continue  # another process evicted it
        total = sum(size for _, size, _ in copies)
        for used, size, digest in sorted(copies):
            if total <= self._cache_bytes or time.time() - used < IN_USE_S:
                break
            self._cache.remove(digest)
            total -= size

    def _pin(self, digest: str) -> str | None:
        try:
            return self._pin_file(digest).read_text("ascii") or None
        except FileNotFoundError:
            return None

    def _remember(self, digest: str, version: str) -> None:
        if self._pin(digest) != version:
            write_bytes_whole(self._pin_file(digest), version.encode("ascii"))

    def _pin_file(self, digest: str) -> Path:
        name = hex_of(digest)
        return self._pins / name[:2] / name

    def _key(self, digest: str) -> str:
        return self._key_of_hex(hex_of(digest))

    def _key_of_hex(self, name: str) -> str:
        return f"{self._objects}{name[:2]}/{name}"
