"""Stopping jobs, letting them go on, putting them first. Each says who did it in the log; nothing of it changes evidence."""

import structlog

from api.job_progress import FIRST
from api.job_reports import RECORDING_KINDS, JobReport, find_job, report_of
from api.workplace import Workplace
from archive.digest import Json
from archive.errors import NotFound
from archive.job_board import JobStateConflict

log = structlog.get_logger(__name__)


def cancel(workplace: Workplace, job_id: str, actor: str) -> JobReport:
    """Stop a job at the end of its batch; nothing takes it up by itself until something new comes. NotFound, JobStateConflict."""
    job, now = find_job(workplace.job_board, job_id), workplace.archive.clock()
    as_of = 0
    if job.kind in RECORDING_KINDS:
        try:
            as_of = workplace.archive.catalog.as_of(job.subject)
        except NotFound:
            log.info("job_of_nothing_held", job=job.id)
    said: dict[str, Json] = {"by": actor, "at": now.iso(), "as_of": as_of}
    cancelled = workplace.job_board.cancel(job.id, said)
    log.warning("job_cancelled", job=job.id, actor=actor)
    return report_of(cancelled, now)


def retry(workplace: Workplace, job_id: str, actor: str) -> JobReport:
    """Let a failed or cancelled job go on after its last finished step, where a process runs jobs. NotFound, JobStateConflict."""
    job = find_job(workplace.job_board, job_id)
    if job.kind in RECORDING_KINDS:
        about = workplace.job_board.jobs(kinds=RECORDING_KINDS, subject=job.subject, states=("running", "waiting"))
        if about:
            # It had its turn among the recording's jobs already and would not wait for them again.
            raise JobStateConflict(f"job {about[0].id} works on {job.subject}: wait until it ends, or cancel it first")
    queued = workplace.job_board.retry(job.id)
    log.warning("job_retried", job=job.id, actor=actor)
    return report_of(queued, workplace.archive.clock())


def put_first(workplace: Workplace, job_id: str, actor: str) -> JobReport:
    """Have a recording heard before all others but those that are live or in dispute. NotFound, JobStateConflict."""
    job, now = find_job(workplace.job_board, job_id), workplace.archive.clock()
    if not job.under_way or job.kind not in RECORDING_KINDS:
        raise JobStateConflict(f"job {job.id} is {job.state}: only one that is under way and hears a recording can be put first")
    workplace.job_board.note(job.id, {FIRST: {"by": actor, "at": now.iso()}})
    log.warning("job_put_first", job=job.id, actor=actor)
    return report_of(workplace.job_board.job(job.id), now)
