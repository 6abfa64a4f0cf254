"""What is said of a job: how it stands, what it does, how far it is, how fast, and when its sound will be heard, where that is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from api.exits import explain
from api.job_progress import FIRST, PROGRESS, WAITS
from api.pace import percent
from archive.digest import Json
from archive.errors import NotFound
from archive.job_board import Job, JobBoard
from archive.timeline import WallTime

# Jobs whose subject is a recording: what makes it searchable, hearing it anew, and a second opinion on its transcript.
RECORDING_KINDS: Final = ("process", "transcribe", "second-opinion")
PAPER_KINDS: Final = ("read", "read-again")
INTERRUPTED: Final = "interrupted"
# A worker gives a sign of life every ten seconds; one that gave none for so long is gone or stuck.
SILENT_MS = 45_000


@dataclass(frozen=True, slots=True)
class JobReport:
    """`state`: as `Job.state`, or interrupted where the worker gives no sign of life.

    `done` of `total` is of the step under way: ms of sound while it hears (`in_ms`), else steps. `speed`: times real time. `left_ms`: until
    all its sound is heard, or until the step is over; None where nothing can be said. `waits`: job or recogniser.
    """

    job: Job
    state: str
    step: str | None = None
    part: int | None = None
    done: int | None = None
    total: int | None = None
    in_ms: bool = False
    speed: float | None = None
    left_ms: int | None = None
    waits: str | None = None
    first: bool = False

    @property
    def percent(self) -> int | None:
        if self.job.state == "done":
            return 100
        return percent(self.done, self.total) if self.done is not None and self.total else None


def report_of(job: Job, now: WallTime) -> JobReport:
    """A job's notes, read at `now`."""
    told = job.notes.get(PROGRESS)
    noted: Mapping[str, Json] = told if isinstance(told, Mapping) else {}
    state: str = job.state
    if state == "running" and now.epoch_ms - job.updated_at.epoch_ms > SILENT_MS:
        state = INTERRUPTED
    speed, left_ms, at_ms = _whole(noted, "speed_milli"), _whole(noted, "left_ms"), _whole(noted, "at_ms")
    waits = job.notes.get(WAITS)
    goes_on = state == "running" and waits is None
    step = noted.get("step")
    return JobReport(
        job,
        state,
        step if isinstance(step, str) and step else None,
        _whole(noted, "part"),
        _whole(noted, "done"),
        _whole(noted, "total"),
        noted.get("in_ms") is True,
        speed / 1000 if goes_on and speed is not None else None,
        max(0, left_ms - max(0, now.epoch_ms - (at_ms or 0))) if goes_on and left_ms is not None else None,
        waits if isinstance(waits, str) and job.under_way else None,
        bool(job.notes.get(FIRST)),
    )


def under_way_of(board: JobBoard, recording_id: str, now: WallTime) -> JobReport | None:
    """The job that works on a recording, the one that runs before those that wait behind it."""
    found = board.jobs(kinds=RECORDING_KINDS, subject=recording_id, states=("running", "waiting"))
    reports = [report_of(job, now) for job in found]
    return min(reports, key=lambda report: (report.waits == "job", report.state == "waiting", report.job.created_at), default=None)


def find_job(board: JobBoard, wanted: str) -> Job:
    """By its id, or by that of a recording: the newest job about it. NotFound."""
    try:
        return board.job(wanted)
    except NotFound:
        about = board.jobs(kinds=RECORDING_KINDS, subject=wanted)
        if not about:
            raise
        return max(about, key=lambda job: (job.under_way, job.created_at))


def report_json(report: JobReport) -> dict[str, Json]:
    """The shape that `liveproof jobs --json` and `/v1/jobs` keep."""
    job = report.job
    case, _, paper = job.subject.rpartition(":")
    cancelled = job.notes.get("cancelled")
    return {
        "kind": job.kind,
        "recording": job.subject if job.kind in RECORDING_KINDS else None,
        "case": case if job.kind in PAPER_KINDS else None,
        "attachment": int(paper) if job.kind in PAPER_KINDS and paper.isdecimal() else None,
        "attempt": job.attempt,
        **brief_json(report),
        "first": report.first,
        "worker": job.worker,
        "created_at": job.created_at.iso(),
        "updated_at": job.updated_at.iso(),
        "ended_at": job.ended_at.iso() if job.ended_at else None,
        "error": explain(job.failure) if job.failure else None,
        "cancelled": {"by": cancelled.get("by"), "at": cancelled.get("at")} if isinstance(cancelled, Mapping) else None,
    }


def brief_json(report: JobReport) -> dict[str, Json]:
    """How far a job is."""
    return {
        "job": report.job.id,
        "state": report.state,
        "step": report.step,
        "part": report.part,
        "done_ms": report.done if report.in_ms else None,
        "total_ms": report.total if report.in_ms else None,
        "percent": report.percent,
        "speed": round(report.speed, 2) if report.speed is not None else None,
        "left_ms": report.left_ms,
        "waits_for": report.waits,
    }


def _whole(noted: Mapping[str, Json], name: str) -> int | None:
    value = noted.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
