"""One bucket of an S3 server through the `minio` client: versions, locks and what the server says, in LiveProof's words."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from archive.errors import Locked, LockNotEnforced, NotFound, StoreUnavailable
from archive.object_store import ObjectLock
from archive.settings import ArchiveSettings
from archive.timeline import WallTime

if TYPE_CHECKING:
    from minio import Minio
    from urllib3 import BaseHTTPResponse

CONNECT_TIMEOUT_S = 5
RETRIES = 3
_GONE = {"NoSuchKey", "NoSuchVersion"}
_MISSING_BUCKET = {"NoSuchBucket", "ResourceNotFound"}
_DENIED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "InvalidTokenId", "UserSuspended"}


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a key. `size` in bytes; a delete marker has none."""

    key: str
    id: str
    size: int
    is_delete_marker: bool
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class Stat:
    """What a HEAD request tells of one version. `at` is the server's own time, which is what it judges locks by."""

    version: str
    size: int
    lock: ObjectLock
    at: WallTime


class Bucket:
    """Requests to one bucket. Every one ends within `s3_timeout_s` of silence; StoreUnavailable where there is no answer."""

    def __init__(self, client: "Minio", name: str, address: str, part_bytes: int) -> None:
        self._client = client
        self.name = name
        self.address = address
        self._part_bytes = part_bytes

    def put(self, key: str, data: BinaryIO, size: int, retain_until: WallTime | None) -> str:
        """Write a version, in pieces where it is large; its id. The server refuses bytes that were damaged on the way.

        The retention is asked for in the same request. LockNotEnforced where the bucket has no versions to lock.
        """
        from minio.commonconfig import COMPLIANCE
        from minio.retention import Retention

        retention = Retention(COMPLIANCE, _datetime(retain_until)) if retain_until else None
        with self._asking(f"writing {key}", unlockable=retention is not None):
            written = self._client.put_object(self.name, key, data, size, part_size=self._part_bytes, retention=retention)
        if not written.version_id or written.version_id == "null":
            raise LockNotEnforced(
                f"bucket {self.name} at {self.address} keeps no versions, so what is in it can be overwritten: {MAKE_BUCKET}"
            )
        return written.version_id

    def versions(self, prefix: str) -> Iterator[Version]:
        """All versions and delete markers of the keys that start with `prefix`, in the server's order."""
        with self._asking(f"listing {prefix}"):
            for found in self._client.list_objects(self.name, prefix=prefix, recursive=True, include_version=True):
                if found.object_name and found.version_id and not found.is_dir:
                    at = found.last_modified or datetime.fromtimestamp(0, UTC)
                    yield Version(found.object_name, found.version_id, found.size or 0, found.is_delete_marker, at)

    def stat(self, key: str, version: str) -> Stat:
        """Size and lock of one version. NotFound if it isn't there."""
        with self._asking(f"reading {key}"):
            found = self._client.stat_object(self.name, key, version_id=version)
        headers = {name.lower(): value for name, value in (found.metadata or {}).items()}
        mode, until = headers.get("x-amz-object-lock-mode"), headers.get("x-amz-object-lock-retain-until-date")
        # GOVERNANCE can be lifted by whoever has the right to, so it keeps nothing.
        locked = parse_retain_until(until) if until and mode == "COMPLIANCE" else None
        held = headers.get("x-amz-object-lock-legal-hold", "").upper() == "ON"
        return Stat(version, found.size or 0, ObjectLock(locked, held), _server_time(headers.get("date")))

    def read(self, key: str, version: str, offset: int) -> "BaseHTTPResponse":
        """A version's bytes from `offset` on, to be closed by the caller. NotFound if it isn't there."""
        with self._asking(f"reading {key}"):
            return self._client.get_object(self.name, key, offset=offset, version_id=version)

    def retain(self, key: str, version: str, until: WallTime) -> None:
        """Ask for COMPLIANCE retention. Locked where the server refuses, e.g. to shorten one."""
        from minio.commonconfig import COMPLIANCE
        from minio.retention import Retention

        with self._asking(f"locking {key}", denied=Locked):
            self._client.set_object_retention(self.name, key, Retention(COMPLIANCE, _datetime(until)), version_id=version)

    def hold(self, key: str, version: str, on: bool) -> None:
        """Set or lift a version's legal hold."""
        with self._asking(f"holding {key}"):
            if on:
                self._client.enable_object_legal_hold(self.name, key, version_id=version)
            else:
                self._client.disable_object_legal_hold(self.name, key, version_id=version)

    def delete(self, key: str, version: str | None) -> None:
        """Delete a version, or put a delete marker over the key. Locked where the server refuses."""
        with self._asking(f"deleting {key}", denied=Locked):
            self._client.remove_object(self.name, key, version_id=version)

    def url(self, key: str, version: str, valid_s: int) -> str:
        """A presigned address of one version."""
        with self._asking(f"signing an address of {key}"):
            return self._client.presigned_get_object(self.name, key, expires=timedelta(seconds=valid_s), version_id=version)

    def keeps_versions(self) -> bool:
        """Whether the bucket's versioning is on."""
        with self._asking("asking for the bucket's versioning"):
            return self._client.get_bucket_versioning(self.name).status == "Enabled"

    def write_small(self, key: str, content: bytes, retain_until: WallTime | None = None) -> str:
        """`put` of bytes."""
        return self.put(key, io.BytesIO(content), len(content), retain_until)

    @contextmanager
    def _asking(self, what: str, denied: type[Locked] | None = None, unlockable: bool = False) -> Iterator[None]:
        """Turn what the client and the network raise into LiveProof's errors."""
        from minio.error import MinioException, S3Error
        from urllib3.exceptions import HTTPError

        try:
            yield
        except S3Error as error:
            said = f"{error.code}: {error.message}" if error.message else str(error.code)
            if error.code in _GONE:
                raise NotFound(f"{self.address}/{self.name} does not hold what was asked for ({what})") from error
            if denied and error.code in ("AccessDenied", "InvalidRequest", "InvalidArgument", "ObjectLocked"):
                raise denied(f"{self.address} refused ({what}): {said}") from error
            if error.code in _MISSING_BUCKET:
                raise StoreUnavailable(f"there is no bucket {self.name} at {self.address}: {MAKE_BUCKET}") from error
            if error.code in _DENIED:
                raise StoreUnavailable(
                    f"{self.address} refuses access to bucket {self.name} ({what}: {said}): check LIVEPROOF_S3_ACCESS_KEY, "
                    "LIVEPROOF_S3_SECRET_KEY, what that user may do, and this machine's clock"
                ) from error
            if unlockable and error.code == "InvalidRequest":
                raise LockNotEnforced(f"bucket {self.name} at {self.address} does not lock ({said}): {MAKE_BUCKET}") from error
            raise StoreUnavailable(f"{self.address}, bucket {self.name}, {what}: {said}") from error
        except (MinioException, HTTPError) as error:
            raise StoreUnavailable(
                f"the S3 server {self.address} did not answer ({what}): {_short(error)}. Check LIVEPROOF_S3_ENDPOINT and that it runs"
            ) from error


MAKE_BUCKET = "make a bucket with object lock, which turns versioning on, e.g. mc mb --with-lock, and name it in LIVEPROOF_OBJECT_STORE"


def open_bucket(settings: ArchiveSettings) -> tuple[Bucket, str]:
    """The bucket that the settings name, and the prefix inside it (empty, or ending in `/`). StoreUnavailable names the wrong setting."""
    import certifi
    import urllib3
    from minio import Minio

    named = urlsplit(settings.object_store or "")
    endpoint = urlsplit(settings.s3_endpoint or "")
    if endpoint.scheme not in ("http", "https") or not endpoint.netloc or endpoint.path.strip("/"):
        raise StoreUnavailable("LIVEPROOF_S3_ENDPOINT must be an address like https://s3.example.com:9000, with nothing behind the port")
    if not settings.s3_access_key or not settings.s3_secret_key:
        raise StoreUnavailable("an s3:// object store needs LIVEPROOF_S3_ACCESS_KEY and LIVEPROOF_S3_SECRET_KEY")
    pool = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=settings.s3_timeout_s),
        maxsize=16,
        cert_reqs="CERT_REQUIRED",
        ca_certs=certifi.where(),
        retries=urllib3.Retry(total=RETRIES, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504], raise_on_status=False),
    )
    try:
        client = Minio(
            endpoint.netloc,
            settings.s3_access_key.get_secret_value(),
            settings.s3_secret_key.get_secret_value(),
            secure=endpoint.scheme == "https",
            region=settings.s3_region,
            http_client=pool,
        )
        prefix = named.path.strip("/")
        bucket = Bucket(client, named.netloc, f"{endpoint.scheme}://{endpoint.netloc}", settings.s3_part_bytes)
    except ValueError as error:
        raise StoreUnavailable(f"LIVEPROOF_OBJECT_STORE or LIVEPROOF_S3_ENDPOINT can't be used: {error}") from error
    if not named.netloc:
        raise StoreUnavailable("LIVEPROOF_OBJECT_STORE must name a bucket: s3://bucket or s3://bucket/prefix")
    return bucket, f"{prefix}/" if prefix else ""


def parse_retain_until(text: str) -> WallTime:
    """The header's date. Ceph writes nanoseconds, which `datetime` and the client's own parser don't take; what is below a ms is cut."""
    whole, _, rest = text.strip().rstrip("Z").partition(".")
    milliseconds = int((rest[:3] or "0").ljust(3, "0"))
    return WallTime.of(datetime.fromisoformat(whole).replace(tzinfo=UTC)).plus_ms(milliseconds)


def _datetime(at: WallTime) -> datetime:
    """The next whole second: some servers keep no fractions, and what they keep must not be earlier than what was asked."""
    return datetime.fromtimestamp(-(-at.epoch_ms // 1000), UTC)


def _server_time(header: str | None) -> WallTime:
    from email.utils import parsedate_to_datetime

    return WallTime.of(parsedate_to_datetime(header)) if header else WallTime.now()


def _short(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error).splitlines()[0][:300]
