"""Purging as people do it: the archive's rows and objects, and what was derived of them for search."""

from api.workplace import Workplace
from archive.errors import PlanChanged
from archive.purging import Purged


def purge(workplace: Workplace, plan_digest: str, actor: str, reason: str) -> Purged:
    """Carry out the plan with this digest. PlanChanged where the present plan is another.

    What a killed purge left in the index goes first, so that running it again ends well.
    """
    retention = workplace.archive.retention
    forget_purged(workplace)
    plan = retention.plan_purge()
    if plan.digest != plan_digest:
        raise PlanChanged(f"the plan is now {plan.digest}, not {plan_digest}: run liveproof purge, look at it, and give its digest")
    purged = retention.purge(plan, actor, reason)
    forget_purged(workplace)
    return purged


def forget_purged(workplace: Workplace) -> int:
    """Take recordings out of the search index that were purged; how many."""
    held = set(workplace.archive.catalog.ids())
    gone = {stone.subject for stone in workplace.archive.retention.tombstones() if stone.kind == "recording"} - held
    return sum(workplace.index.remove(recording_id) for recording_id in sorted(gone))
