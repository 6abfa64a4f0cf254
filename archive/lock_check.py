"""Whether the store's locks hold, tried at start and on a schedule, and logged (G4): one that only pretends to lock gets no evidence."""

import json
from typing import TYPE_CHECKING

import structlog

from archive.atomic_write import write_bytes_whole
from archive.digest import canonical_json
from archive.errors import LockNotEnforced, StoreUnavailable
from archive.object_store import LockReport, assert_enforced

if TYPE_CHECKING:
    from archive.opening import Archive

EVERY_MS = 24 * 3600_000
AGAIN_MS = 10 * 60_000
REMEMBERED_IN = "store-canary.json"

log = structlog.get_logger(__name__)


def check_lock(archive: "Archive", actor: str | None = None, refuse: bool = True) -> LockReport:
    """Attack a locked canary, log the outcome (action `store.canary`) and remember it.

    LockNotEnforced where an attack worked, if it is to `refuse`; StoreUnavailable where the server doesn't answer.
    """
    report = archive.store.canary()
    (log.info if report.enforced else log.error)("store.canary", **report.as_json())
    archive.custody.record(actor or archive.settings.actor, "store.canary", report.store, report.as_json())
    write_bytes_whole(archive.home / REMEMBERED_IN, canonical_json(report.as_json() | {"checked_at_ms": archive.clock().epoch_ms}))
    if refuse:
        assert_enforced(report)
    return report


def check_lock_if_due(archive: "Archive") -> LockReport | None:
    """Check a server's lock if the last check is a day old, was of another store, or failed; None where it needn't be.

    Never in the way of reading: what goes wrong is logged, and the store itself refuses to take evidence until its lock holds.
    """
    if not archive.settings.on_s3 or not _is_due(archive):
        return None
    try:
        return check_lock(archive)
    except LockNotEnforced as error:
        log.error("store.lock_not_enforced", error=str(error))
    except StoreUnavailable as error:
        log.warning("store.canary_impossible", error=str(error))
        write_bytes_whole(archive.home / REMEMBERED_IN, canonical_json({"unreachable_at_ms": archive.clock().epoch_ms}))
    return None


def _is_due(archive: "Archive") -> bool:
    try:
        last = json.loads((archive.home / REMEMBERED_IN).read_bytes())
        if 0 <= archive.clock().epoch_ms - int(last.get("unreachable_at_ms", 0)) < AGAIN_MS:
            return False  # asking a dead server takes seconds, which not every command is to wait
        named = (archive.settings.s3_endpoint or "").rstrip("/") + "/" + (archive.settings.object_store or "").removeprefix("s3://")
        same = named == last["store"] or named.startswith(last["store"] + "/")
        age = archive.clock().epoch_ms - int(last["checked_at_ms"])
        return not (same and last["enforced"] is True and 0 <= age < EVERY_MS)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return True
