"""Whether an S3 server really locks: a small locked object is attacked in every way that a key allows, and looked at afterwards.

What counts is what the canary is afterwards, not what the server answered.
"""

import contextlib
import secrets
from collections.abc import Callable

import structlog

from archive.errors import LiveProofError, Locked, LockNotEnforced
from archive.object_store import LockReport, LockTrial
from archive.object_store.s3_bucket import Bucket
from archive.timeline import WallTime

LOCK_MS = 3600_000

log = structlog.get_logger(__name__)


def try_lock(bucket: Bucket, prefix: str, now: WallTime) -> LockReport:
    """Put a canary locked for an hour under `prefix`, and try to delete, shorten, weaken, overwrite and hide it. StoreUnavailable."""
    store = f"{bucket.address}/{bucket.name}"
    key, content = f"{prefix}{now.epoch_ms}-{secrets.token_hex(8)}", b"LiveProof lock canary " + secrets.token_hex(16).encode()
    until = now.plus_ms(LOCK_MS)
    try:
        versioned = bucket.keeps_versions()
        version = bucket.write_small(key, content, until)
        locked = bucket.stat(key, version).lock
    except LockNotEnforced as error:
        return LockReport(store, "server", now, (LockTrial("lock", False, str(error)),))
    trials = [
        LockTrial("versioning", versioned, "versioning is " + ("on" if versioned else "off")),
        LockTrial("lock", locked.until is not None and locked.until >= until, f"locked until {locked.until and locked.until.iso()}"),
    ]

    def stands() -> bool:
        """Whether the version has its bytes and its lock."""
        with contextlib.suppress(LiveProofError):
            lock = bucket.stat(key, version).lock
            with bucket.read(key, version, 0) as response:
                return response.read() == content and lock.until is not None and lock.until >= until
        return False

    attacks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("shorten", lambda: bucket.retain(key, version, now.plus_ms(LOCK_MS // 4))),
        ("overwrite", lambda: bucket.write_small(key, b"something else")),
        ("hide", lambda: bucket.delete(key, None)),
        ("delete", lambda: bucket.delete(key, version)),
    )
    for name, attack in attacks:
        try:
            attack()
            answer = "the server agreed"
        except Locked as error:
            answer = str(error)
        trials.append(LockTrial(name, stands(), answer))
    return LockReport(store, "server", now, tuple(trials))


def clear_expired(bucket: Bucket, prefix: str, now: WallTime) -> None:
    """Delete what canaries of earlier hours left behind; what is still locked stays."""
    for left in list(bucket.versions(prefix)):
        if now.epoch_ms - left.last_modified.timestamp() * 1000 > LOCK_MS:
            try:
                bucket.delete(left.key, left.id)
            except Locked as error:
                log.info("store.canary_left", key=left.key, reason=str(error))
