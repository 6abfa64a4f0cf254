"""Papers and calls of a case: taken in, read or heard, and taken back."""

from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api import operations
from api.operations import Progress, ignore_progress
from api.processing import process_or_index
from api.record_reading import read_or_index
from api.workplace import Workplace
from archive.case import Attachment
from archive.case_attachments import CALL, attach_call, attach_file
from archive.errors import AlreadyHeld, InvalidCase, LiveProofError
from archive.jobs import Jobs
from archive.timeline import WallTime
from ingest.admission import IngestRequest

log = structlog.get_logger(__name__)


def attach_paper(
    workplace: Workplace,
    case_id: str,
    path: Path,
    kind: str,
    actor: str,
    *,
    title: str = "",
    purpose: str = "",
    withheld: bool = False,
    started_at: WallTime | None = None,
    progress: Progress = ignore_progress,
) -> Attachment:
    """Attach a file to a case. A call is admitted as a recording through the gate, whatever its size; all else is kept as a paper.

    `started_at` is when a call began. Errors: those of `archive.case_attachments.attach`, and for a call those of the gate.
    """
    if kind == CALL:
        return _attach_call(workplace, case_id, path, actor, title, purpose, withheld, started_at, progress)
    if started_at is not None:
        raise InvalidCase("only a call has a time at which it began")
    return attach_file(workplace.archive, case_id, path, kind, actor, title=title, purpose=purpose, withheld=withheld)


def _attach_call(
    workplace: Workplace,
    case_id: str,
    path: Path,
    actor: str,
    title: str,
    purpose: str,
    withheld: bool,
    started_at: WallTime | None,
    progress: Progress,
) -> Attachment:
    workplace.archive.cases.case(case_id)
    request = IngestRequest(media=(path,), kind=CALL, started_at=started_at, title=title or None)
    admitted = operations.ingest(workplace, request, actor, progress)
    if admitted.recording.kind != CALL:
        raise AlreadyHeld(
            f"{path.name} is held as the live session {admitted.recording.id}: rest the case on a moment of it with liveproof case add"
        )
    return attach_call(workplace.archive, case_id, admitted.recording, actor, title=title, purpose=purpose, withheld=withheld)


def withdraw_paper(workplace: Workplace, case_id: str, number: int, reason: str, actor: str) -> Attachment:
    """Take an attachment back: it stays held, and is searched no longer."""
    gone = workplace.archive.cases.withdraw_attachment(case_id, number, reason, actor)
    workplace.index.remove_record(case_id, number)
    return gone


def start_reading(jobs: Jobs, case_id: str, paper: Attachment) -> str:
    """Start what makes an attachment searchable: a call is heard, a paper is read. The job's id."""
    if paper.recording_id is not None:
        return process_or_index(jobs, paper.recording_id)
    return read_or_index(jobs, case_id, paper.number)


def started_or_left(jobs: Jobs | None, case_id: str, paper: Attachment) -> dict[str, str | None]:
    """The same where this process runs jobs, as `serve` does; what can't be started is left to `liveproof work`."""
    if jobs is not None:
        try:
            return {"job": start_reading(jobs, case_id, paper), "left_to": None}
        except (LiveProofError, SQLAlchemyError) as error:
            log.error("job_not_started", case=case_id, attachment=paper.number, error=str(error).splitlines()[0])
    return {"job": None, "left_to": "liveproof work"}
