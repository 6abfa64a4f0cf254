"""Papers and calls of a case: taken in, read or heard, and taken back."""

import errno
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
from archive.errors import AlreadyHeld, InvalidCase, LiveProofError, StorageFull
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
    with _nameless(workplace, path) as file:
        admitted = operations.ingest(workplace, IngestRequest(media=(file,), kind=CALL, started_at=started_at), actor, progress)
    if admitted.recording.kind != CALL:
        raise AlreadyHeld(
            f"{path.name} is held as the live session {admitted.recording.id}: rest the case on a moment of it with liveproof case add"
        )
    return attach_call(workplace.archive, case_id, admitted.recording, path.name, actor, title=title, purpose=purpose, withheld=withheld)


@contextmanager
def _nameless(workplace: Workplace, path: Path) -> Iterator[Path]:
    """The file as `call.…`: parts are named in the log and in packages, and people name calls after whom they talked to (G9)."""
    scratch = workplace.archive.home / "scratch"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="call-", dir=scratch) as folder:
        ending = path.suffix.lower() if re.fullmatch(r"\.[a-z0-9]{1,5}", path.suffix.lower()) else ""
        named = Path(folder) / f"call{ending}"
        if path.is_file():
            try:
                named.hardlink_to(path.resolve())
            except OSError:
                _copied(path, named)
        yield named if named.exists() else path


def _copied(path: Path, named: Path) -> None:
    """Where the file lies on another disk. StorageFull if there is no room for it here."""
    try:
        shutil.copyfile(path, named)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageFull(f"there is no room for {path.name} while it is admitted: free {path.stat().st_size} bytes") from error
        raise InvalidCase(f"{path} can't be read: {error.strerror}") from error


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
