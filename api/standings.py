"""How soon a recording is heard: live ones first, then those a case in dispute rests on, then those put first by hand, then the older."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from dbos import DBOS

from api.job_progress import FIRST, WAITS
from api.recogniser_turns import RecogniserTurns, Standing
from api.workplace import Workplace
from archive.errors import NotFound
from archive.job_board import Job, JobCancelled

LIVE, DISPUTED, PUT_FIRST, ORDINARY = range(4)
RECOGNISER: Final = "recogniser"

_turns = RecogniserTurns()  # engines use every core already: one batch at a time in a process


def rank_of(workplace: Workplace, recording_id: str, job: Job | None = None) -> int:
    """LIVE, DISPUTED, PUT_FIRST or ORDINARY; the last also for what is not held any more."""
    try:
        if workplace.archive.catalog.recording(recording_id).live:
            return LIVE
    except NotFound:
        return ORDINARY
    if workplace.archive.cases.in_dispute(recording_id):
        return DISPUTED
    return PUT_FIRST if job and job.notes.get(FIRST) else ORDINARY


@contextmanager
def recogniser_turn(workplace: Workplace, recording_id: str) -> Iterator[None]:
    """Have the recogniser of this process for one batch, within a step of a job. JobCancelled if the job is cancelled while it waits.

    A wait that is worth a word is noted on the job.
    """
    job_id = DBOS.workflow_id or ""

    def standing() -> Standing:
        job = workplace.job_board.job(job_id) if job_id else None
        if job and job.state == "cancelled":
            raise JobCancelled(f"job {job_id} was cancelled while it waited for the recogniser")
        return Standing(rank_of(workplace, recording_id, job), job.created_at.epoch_ms if job else 0)

    def waits(waiting: bool) -> None:
        workplace.job_board.note(job_id, {WAITS: RECOGNISER if waiting else None})

    with _turns.turn(job_id, standing, waits):
        yield
