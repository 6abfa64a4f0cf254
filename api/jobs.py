"""`/v1/jobs`: what is being done, how far it is, and stopping it, retrying it, putting it first."""

from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Path, Query

from api import job_examples, job_steering
from api.fields import ID_MAX_CHARS, At, Reply, Storable, actor
from api.job_reports import RECORDING_KINDS, report_json, report_of

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

# A kind, a recording or a case with a paper, a number.
JobId: TypeAlias = Annotated[str, Path(min_length=1, max_length=ID_MAX_CHARS + 60), Storable]
About: TypeAlias = Annotated[
    str | None, Query(min_length=1, max_length=ID_MAX_CHARS, description="Only jobs about this recording."), Storable
]
Wanted: TypeAlias = Annotated[
    Literal["waiting", "running", "done", "failed", "cancelled"] | None,
    Query(description="Only jobs in this state; running ones include those that were interrupted."),
]


@router.get("", summary="Jobs, newest first", responses=job_examples.JOBS)
def list_jobs(
    workplace: At,
    recording: About = None,
    state: Wanted = None,
    limit: Annotated[int, Query(ge=1, le=500, description="At most so many.")] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="Leave out so many of the newest.")] = 0,
) -> Reply:
    """`more` is true where there are others behind these: ask on with a larger `offset`."""
    found = workplace.job_board.jobs(
        kinds=RECORDING_KINDS if recording else (), subject=recording, states=(state,) if state else (), limit=limit + 1, offset=offset
    )
    now = workplace.archive.clock()
    return {"jobs": [report_json(report_of(job, now)) for job in found[:limit]], "more": len(found) > limit}


@router.get("/{job_id}", summary="One job: what it does, how far it is, when it will be done", responses=job_examples.JOB)
def show_job(workplace: At, job_id: JobId) -> Reply:
    return report_json(report_of(workplace.job_board.job(job_id), workplace.archive.clock()))


@router.post("/{job_id}/cancel", summary="Stop a job at the end of its batch", responses=job_examples.JOB)
def cancel_job(workplace: At, job_id: JobId) -> Reply:
    """What it heard is kept for when it is retried; until then, or until something new comes, nothing takes it up. No words are stored."""
    return report_json(job_steering.cancel(workplace, job_id, actor(workplace)))


@router.post("/{job_id}/retry", summary="Let a failed or cancelled job go on", responses=job_examples.JOB)
def retry_job(workplace: At, job_id: JobId) -> Reply:
    """It goes on after its last finished step, in whichever process runs jobs."""
    return report_json(job_steering.retry(workplace, job_id, actor(workplace)))


@router.post("/{job_id}/first", summary="Have a recording heard before the others", responses=job_examples.JOB)
def put_job_first(workplace: At, job_id: JobId) -> Reply:
    """Live recordings, and those that a case in dispute rests on, still go before it."""
    return report_json(job_steering.put_first(workplace, job_id, actor(workplace)))
