"""What any process can see and say of durable jobs, without running any: which there are, what is noted of them, stop, go on.

A job's id is `kind:subject:attempt`. Notes are small JSON values by name, one row a job, so that reading them never loads what steps found.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import structlog

from archive.digest import Json
from archive.errors import LiveProofError, NotFound
from archive.settings import ArchiveSettings
from archive.timeline import WallTime

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]
STATES: Final[Mapping[str, State]] = {
    "ENQUEUED": "waiting",
    "DELAYED": "waiting",
    "PENDING": "running",
    "SUCCESS": "done",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
    "CANCELLED": "cancelled",
}
UNDER_WAY: Final = ("waiting", "running")
LIST_MAX = 1000

log = structlog.get_logger(__name__)


class JobStateConflict(LiveProofError):
    """A job is not in a state in which it can be cancelled, put first or retried."""

    exit_code = 78
    status = 409


class JobCancelled(LiveProofError):
    """A job was cancelled before its end; what its finished steps found is kept for when it is retried."""

    exit_code = 79
    status = 409


@dataclass(frozen=True, slots=True)
class Job:
    """One durable job. `failure`: what it ended with; `worker`: who ran it last; `notes`: see `JobBoard.note`."""

    id: str
    state: State
    created_at: WallTime
    updated_at: WallTime
    ended_at: WallTime | None = None
    failure: BaseException | None = None
    worker: str | None = None
    notes: Mapping[str, Json] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.id.split(":", 1)[0]

    @property
    def subject(self) -> str:
        """The recording, or the case and paper as `case:number`."""
        return self.id.split(":", 1)[-1].rpartition(":")[0]

    @property
    def attempt(self) -> int:
        """The how manieth run of this kind about this subject."""
        number = self.id.rpartition(":")[2]
        return int(number) if number.isdecimal() else 1

    @property
    def error(self) -> str | None:
        return str(self.failure) if self.failure else None

    @property
    def under_way(self) -> bool:
        return self.state in UNDER_WAY


class JobBoard:
    """The jobs of one archive. Safe for threads; opened when first asked, and empty while no process ever ran a job."""

    def __init__(self, settings: ArchiveSettings, home: Path) -> None:
        self._settings = settings
        self._file = home / "jobs.db"
        self._lock = threading.Lock()
        self._opened: DBOSClient | None = None

    def job(self, job_id: str) -> Job:
        """NotFound if there is none of this id."""
        client = self._client()
        found = client.list_workflows(workflow_ids=[job_id], load_input=False) if client else []
        if not found:
            raise NotFound(f"there is no job {job_id[:300]}: liveproof jobs --all lists those there are")
        return job_of(found[0])

    def jobs(
        self,
        *,
        kinds: Sequence[str] = (),
        subject: str | None = None,
        states: Sequence[State] = (),
        limit: int = 100,
        offset: int = 0,
    ) -> list[Job]:
        """The newest first; of these kinds (a subject is looked for within them), about this subject, in these states; empty: any."""
        client = self._client()
        if client is None:
            return []
        wanted = [name for name, state in STATES.items() if state in states] if states else None
        prefixes = [f"{kind}:{subject}:" if subject is not None else f"{kind}:" for kind in kinds] or None
        found = client.list_workflows(
            status=wanted,
            workflow_id_prefix=prefixes,
            sort_desc=True,
            limit=min(limit, LIST_MAX),
            offset=offset,
            load_input=False,
        )
        return [job for job in map(job_of, found) if subject is None or job.subject == subject]

    def newest(self, kind: str, subject: str) -> Job | None:
        """The last run of a kind about a subject."""
        return max(self.jobs(kinds=(kind,), subject=subject), key=lambda job: job.attempt, default=None)

    def note(self, job_id: str, notes: Mapping[str, Json]) -> None:
        """Put notes on a job in place of those of the same names; the others stay. Nothing happens where there is no such job."""
        client = self._client()
        if client:
            client.update_workflow_attributes(job_id, dict(notes), merge=True)

    def cancel(self, job_id: str, notes: Mapping[str, Json]) -> Job:
        """Stop a job at the end of the step it is in, and say so in a note. NotFound; JobStateConflict if it is over already."""
        job = self.job(job_id)
        if job.state == "cancelled":
            return job
        if not job.under_way:
            raise JobStateConflict(f"job {job_id} is {job.state} already: there is nothing to cancel")
        # Said first, so that nobody meets a cancelled job of which it isn't known what it had seen.
        self.note(job_id, {"cancelled": dict(notes)})
        self._held().cancel_workflow(job_id)
        job = self.job(job_id)
        if job.state != "cancelled":
            raise JobStateConflict(f"job {job_id} ended as {job.state} before it could be cancelled")
        return job

    def retry(self, job_id: str) -> Job:
        """Let a failed or cancelled job go on after its last finished step, in whichever process runs jobs.

        NotFound; JobStateConflict if it is under way or done, or if a further run about the same subject came after it.
        """
        from dbos import error as dbos_error

        job = self.job(job_id)
        if job.state not in ("failed", "cancelled"):
            raise JobStateConflict(f"job {job_id} is {job.state}: only a failed or cancelled one can be retried")
        newest = self.newest(job.kind, job.subject)
        if newest and newest.attempt > job.attempt:
            raise JobStateConflict(f"job {job_id} was followed by {newest.id}, which is {newest.state}: look at that one")
        client = self._held()
        self.note(job.id, {"cancelled": None})
        try:
            if job.state == "cancelled":
                client.resume_workflow(job.id)
            else:
                # The step that failed is the last one kept, with its error: that one is run anew.
                steps = client.list_workflow_steps(job.id, load_output=False)
                client.rewind_workflow(job.id, start_step=max((step["function_id"] for step in steps), default=1))
        except dbos_error.DBOSException:
            if not self.job(job.id).under_way:
                raise
            # Another process was quicker.
        log.info("job_goes_on", job=job.id, was=job.state)
        return self.job(job_id)

    def close(self) -> None:
        with self._lock:
            if self._opened:
                self._opened.destroy()
            self._opened = None

    def _held(self) -> "DBOSClient":
        client = self._client()
        if client is None:
            raise NotFound("no process ever ran a job here")
        return client

    def _client(self) -> "DBOSClient | None":
        from sqlalchemy.exc import DBAPIError

        with self._lock:
            if self._opened is None and (self._settings.jobs_url is not None or self._file.exists()):
                from dbos import DBOSClient

                client = DBOSClient(system_database_url=self._settings.jobs_database_url)
                try:
                    client.list_workflows(limit=1, load_input=False, load_output=False)
                except DBAPIError:
                    client.destroy()  # its tables are not there yet: no process ever ran a job
                    return None
                self._opened = client
            return self._opened


def job_of(status: "WorkflowStatus") -> Job:
    """A job as `dbos` has it."""
    return Job(
        status.workflow_id,
        STATES[status.status],
        WallTime(status.created_at or 0),
        WallTime(status.updated_at or 0),
        WallTime(status.completed_at) if status.completed_at else None,
        status.error,
        status.executor_id,
        status.attributes or {},
    )
