"""Keeping the custody log anchored while a process runs: checkpoints when it grew, copies to witnesses, time-stamps; and the store locked.

Nothing here stops or fails what people do: what can't be done now is logged and tried again.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from archive.errors import LiveProofError
from archive.lock_check import check_lock_if_due
from archive.opening import Archive

ROUND_S = 15
ACTOR = "liveproof"

log = structlog.get_logger(__name__)


def checkpoint_now(archive: Archive, actor: str) -> None:
    """Sign the log as it stands; what hinders it is logged, so that an admission that was committed is never reported as failed."""
    _unhindered("checkpoint", lambda: archive.checkpoints.make(actor))


def keep_custody(archive: Archive) -> None:
    """One round: a checkpoint if the log grew and the last is old, then the witnesses and stamps that are owed. Bounded in time."""
    _unhindered("checkpoint", lambda: _checkpoint_if_due(archive))
    _unhindered("witnesses", archive.witnesses.tick)
    _unhindered("stamps", archive.stamps.tick)


def keep_store(archive: Archive) -> None:
    """Once a day: try whether the store's locks hold, and lock what retentions ask for and a crash or an outage left unlocked."""
    _unhindered("store lock", lambda: check_lock_if_due(archive))
    _unhindered("retention", lambda: archive.retention.refresh_if_due(ACTOR))


@contextmanager
def keeping_custody(archive: Archive, besides: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Rounds beside the block, every ROUND_S seconds, from now on; at its end one that is under way is let finish.

    `besides` is done in each round as well.
    """
    stopped = threading.Event()

    def rounds() -> None:
        while True:
            keep_custody(archive)
            keep_store(archive)
            _unhindered("besides", besides)
            if stopped.wait(ROUND_S):
                return

    keeper = threading.Thread(target=rounds, name="custody", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopped.set()
        keeper.join(3 * archive.settings.custody_budget_s)


def _checkpoint_if_due(archive: Archive) -> None:
    head, latest = archive.custody.head(), archive.checkpoints.latest()
    if head is None or (latest is not None and head.seq <= latest.size):
        return
    if latest is None or latest.at.plus_ms(archive.settings.checkpoint_every_s * 1000) <= archive.clock():
        archive.checkpoints.make(ACTOR)


def _unhindered(what: str, act: Callable[[], object]) -> None:
    try:
        act()
    except (LiveProofError, SQLAlchemyError, OSError) as error:
        log.error("custody_not_kept", what=what, error=str(error).splitlines()[0])
