"""Purging as people do it: the archive's rows and objects, and what was derived of them for search."""

from api import record_reading
from api.heard_spool import HeardSpool
from api.job_reports import RECORDING_KINDS
from api.workplace import Workplace
from archive.errors import PlanChanged
from archive.jobs import forget_jobs
from archive.purging import Purged

# Another process may be at the index's upkeep: it takes minutes where millions of passages are held.
ERASED_WITHIN_S = 600.0


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
    """Take what was purged out of the search index, its files too, and out of what jobs kept and noted; how many recordings it held.

    IndexUnavailable if the index's files may still hold some of it: the next purge tries again.
    """
    archive = workplace.archive
    closed = {stone.subject for stone in archive.retention.tombstones() if stone.kind == "case"}
    closed -= {case.id for case in archive.cases.cases()}
    for case_id in sorted(closed):
        forget_jobs(archive.settings, archive.home, record_reading.KINDS, case_id)
        workplace.index.remove_record(case_id)
    gone = {stone.subject for stone in archive.retention.tombstones() if stone.kind == "recording"} - set(archive.catalog.ids())
    for recording_id in sorted(gone):
        forget_jobs(archive.settings, archive.home, RECORDING_KINDS, recording_id)
        HeardSpool.of(archive.home, recording_id).discard()
    forgotten = sum(workplace.index.remove(recording_id) for recording_id in sorted(gone))
    workplace.index.maintain(wait_s=ERASED_WITHIN_S)
    return forgotten
