"""Durable jobs on `dbos`: a workflow's finished steps are kept, so that after kill -9 it goes on where it was (G5).

Every process that runs jobs holds one worker slot: a lock file in the home and an executor id that outlives the process. A later
process takes the first free slot and so resumes what that slot left pending; slots whose lock is free belong to dead workers, and
their pending jobs are taken over too.
"""

import fcntl
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

import structlog

from archive.errors import LiveProofError
from archive.job_board import STATES, Job, JobCancelled, job_of
from archive.settings import ArchiveSettings

MAX_SLOTS = 64
APPLICATION = "liveproof"
WORKERS = "workers"
# Jobs that wait for their turn hold a thread each.
THREADS = 64
TURN_MAX_S, TURN_POLL_S, ADOPTING_S = 24 * 3600, 0.2, 5
# A job begun by one release is finished by the next: steps are named and their results are plain JSON.
JOB_FORMAT = "1"

log = structlog.get_logger(__name__)


class JobFailed(LiveProofError):
    """A job ended in an error; its message says which and why."""

    exit_code = 11
    status = 500


_UNDER_WAY = ["PENDING", "ENQUEUED", "DELAYED"]


class Jobs:
    """A running job engine of this process. Workflows must be registered, that is their modules imported, before it is opened."""

    def __init__(self, settings: ArchiveSettings, home: Path) -> None:
        from dbos import DBOS, DBOSConfig

        self._slots = home / WORKERS
        self._slots.mkdir(parents=True, exist_ok=True)
        self._lock, self.worker = self._take_slot()
        config = DBOSConfig(
            name=APPLICATION,
            system_database_url=settings.jobs_database_url,
            executor_id=self.worker,
            application_version=JOB_FORMAT,
            log_level="CRITICAL",
            notification_listener_polling_interval_sec=0.2,
            max_executor_threads=THREADS,
        )
        DBOS(config=config)
        DBOS.launch()
        _adopt_from_dead_workers(self._slots, self.worker)

    def start(
        self,
        workflow: Callable[[str], str] | Callable[[str, str], str],
        subject: str,
        kind: str,
        again: bool = False,
        is_late: Callable[[str], bool] = lambda job_id: False,
        wanted: str | None = None,
    ) -> str:
        """Start `workflow(subject)` once: while its last run stands, done or under way, that run is the answer.

        A failed or cancelled run is followed by a further one, a done one only if `again`, one under way only if `is_late` says
        of its id that it began too early for what it is wanted for now, or if it was told something else. `wanted`: what the workflow is
        told beside its subject (JSON), kept with the job, so that whoever resumes it does the same. Returns the job's id.
        """
        from dbos import DBOS, SetWorkflowID

        attempt, told = 1, () if wanted is None else (wanted,)
        while (status := DBOS.get_workflow_status(f"{kind}:{subject}:{attempt}")) is not None:
            last = job_of(status)
            otherwise = bool(told) and status.input is not None and tuple(status.input["args"][1:]) != told
            if (last.under_way and not otherwise and not is_late(last.id)) or (last.state == "done" and not again):
                return last.id
            attempt += 1
        job_id = f"{kind}:{subject}:{attempt}"
        with SetWorkflowID(job_id):
            DBOS.start_workflow(workflow, subject, *told)
        return job_id

    def wait(self, job_id: str, watch: Callable[[], None] | None = None, poll_s: float = 0.2) -> str:
        """Wait until the job ends, calling `watch` in between; its result. JobFailed, JobCancelled, or the error it ended with."""
        from dbos import DBOS

        while True:
            if watch:
                watch()
            status = DBOS.get_workflow_status(job_id)
            if status is None:
                raise JobFailed(f"there is no job {job_id}")
            state = STATES[status.status]
            if state == "done":
                return str(status.output)
            if state == "failed":
                if isinstance(status.error, LiveProofError):
                    raise status.error
                raise JobFailed(f"job {job_id} failed: {status.error}. Mend the cause and run liveproof work") from status.error
            if state == "cancelled":
                raise JobCancelled(f"job {job_id} was cancelled: liveproof jobs retry {job_id} lets it go on where it stopped")
            time.sleep(poll_s)

    def ended(self, job_id: str) -> bool:
        """Whether a job is over, however it ended. JobFailed if there is none of this id."""
        from dbos import DBOS

        status = DBOS.get_workflow_status(job_id)
        if status is None:
            raise JobFailed(f"there is no job {job_id}")
        return STATES[status.status] not in ("waiting", "running")

    def list(self, limit: int = 200) -> list[Job]:
        """The newest jobs first."""
        from dbos import DBOS

        return [job_of(workflow) for workflow in DBOS.list_workflows(sort_desc=True, limit=limit, load_input=False)]

    def close(self) -> None:
        """Stop this process's engine; unfinished jobs stay pending for the next one."""
        from dbos import DBOS

        DBOS.destroy(workflow_completion_timeout_sec=0)
        # dbos would write to today's standard error for ever, also when that has been closed since.
        logger = logging.getLogger("dbos")
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        self._lock.close()

    def _take_slot(self) -> tuple[IO[str], str]:
        for number in range(MAX_SLOTS):
            lock = _try_lock(self._slots / f"{number}.lock")
            if lock:
                lock.truncate(0)
                lock.write(str(os.getpid()))
                lock.flush()
                return lock, _executor_id(number)
        raise JobFailed(f"{MAX_SLOTS} workers run in {self._slots.parent} already: stop some")


def wait_for_turn(home: Path, job_id: str, kinds: Iterable[str], subject: str) -> None:
    """Wait until every job of these kinds about the subject that was started before this one has ended, in whichever process.

    Jobs of workers that died meanwhile are taken over. JobFailed after a day.
    """
    from dbos import DBOS

    def under_way() -> list[tuple[int, int, str]]:
        found = []
        for kind in kinds:
            prefix = f"{kind}:{subject}:"
            found += DBOS.list_workflows(status=_UNDER_WAY, workflow_id_prefix=prefix, load_input=False, load_output=False)
        return [(each.created_at or 0, len(each.workflow_id), each.workflow_id) for each in found]

    began = looked = time.monotonic()
    while True:
        jobs = under_way()
        mine = next((job for job in jobs if job[2] == job_id), None)
        if mine is None or min(jobs) == mine:
            return
        if time.monotonic() - began > TURN_MAX_S:
            raise JobFailed(f"job {job_id} waited a day for {min(jobs)[2]}, which neither ends nor fails")
        if time.monotonic() - looked > ADOPTING_S:
            _adopt_from_dead_workers(home / WORKERS, f"the one that waits with {job_id}")
            looked = time.monotonic()
        time.sleep(TURN_POLL_S)


def _adopt_from_dead_workers(slots: Path, worker: str) -> None:
    """Take over what is pending of slots whose lock is free. One's own is not: another handle on it can't be had. `worker`: for the log."""
    from dbos import DBOS

    for workflow in DBOS.list_workflows(status=["PENDING"], load_input=False, load_output=False):
        slot = next((n for n in range(MAX_SLOTS) if _executor_id(n) == workflow.executor_id), None)
        lock = _try_lock(slots / f"{slot}.lock") if slot is not None else None
        if lock:
            log.info("job_adopted", job=workflow.workflow_id, dead_worker=workflow.executor_id, worker=worker)
            DBOS.resume_workflow(workflow.workflow_id)
            lock.close()


def forget_jobs(settings: ArchiveSettings, home: Path, kinds: Iterable[str], subject: str) -> int:
    """Delete the records of all jobs about a subject, with what their steps had found; how many. For what was purged."""
    from dbos import DBOSClient

    if settings.jobs_url is None and not (home / "jobs.db").exists():
        return 0
    client = DBOSClient(system_database_url=settings.jobs_database_url)
    try:
        found = [
            workflow.workflow_id
            for kind in kinds
            for workflow in client.list_workflows(workflow_id_prefix=f"{kind}:{subject}:", load_input=False, load_output=False)
        ]
        if found:
            client.delete_workflows(found, delete_children=True)
        return len(found)
    finally:
        client.destroy()


def _executor_id(slot: int) -> str:
    return f"{socket.gethostname()}-{slot}"


def _try_lock(path: Path) -> IO[str] | None:
    handle = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle
