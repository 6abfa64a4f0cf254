"""`POST /v1/recordings`: admit what was uploaded, through the same gate as `liveproof ingest`, and start what makes it searchable.

Repeating a request changes nothing: under its Idempotency-Key, or without one under its own content, it is answered with what stands;
files that are held already, uploaded anew, are found by their digests.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import structlog
from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from api import answers, examples, operations
from api.errors import UploadConflict
from api.fields import At, Line, actor
from api.processing import process_or_index
from api.upload_store import Upload, Uploads
from api.uploads import uploads_of
from api.workplace import Workplace
from archive.digest import Json, digest_file, digest_json
from archive.errors import LiveProofError, VerificationFailed
from archive.jobs import Jobs
from archive.timeline import WallTime
from ingest.admission import IngestRequest
from ingest.errors import InvalidRequest

router = APIRouter(prefix="/v1/recordings", tags=["uploads"])

log = structlog.get_logger(__name__)

FILES_MAX = 2000
PathOf: TypeAlias = Callable[[str], Path]
Take: TypeAlias = Callable[[PathOf], tuple[str, bool, tuple[str, ...]]]
UploadId: TypeAlias = Annotated[
    str, Field(pattern=r"^[0-9a-f]{32}$", description="The last step of the Location that the upload was given.")
]
Sha256: TypeAlias = Annotated[str, Field(pattern=r"^(sha256:)?[0-9a-fA-F]{64}$")]
Key: TypeAlias = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[!-~]+$")]


class UploadedFiles(BaseModel):
    """Files by their uploads. `parts` are in their order; `sha256`: what uploads must be, beside what their metadata said."""

    model_config = ConfigDict(extra="forbid")

    parts: list[UploadId] = Field(default_factory=list, max_length=FILES_MAX)
    chat: list[UploadId] = Field(default_factory=list, max_length=FILES_MAX)
    captions: UploadId | None = None
    products: UploadId | None = None
    events: UploadId | None = None
    sha256: dict[UploadId, Sha256] = Field(default_factory=dict, max_length=2 * FILES_MAX + 3)

    def uploads(self) -> list[tuple[str, str]]:
        """(role, upload id) of everything named."""
        single = (("captions", self.captions), ("products", self.products), ("events", self.events))
        named = [("media", part) for part in self.parts] + [("chat", log) for log in self.chat]
        return named + [(role, upload) for role, upload in single if upload is not None]


class NewRecording(UploadedFiles):
    """A session, by its uploads, and what is known of it."""

    id: Line | None = None
    started_at: Annotated[str, Field(max_length=64)] | None = None
    platform: Line | None = None
    room: Line | None = None
    host: Line | None = None
    title: Line | None = None


@router.post("", status_code=201, summary="Admit a session from its uploads", responses=examples.RECORDING)
def admit_uploads(request: Request, workplace: At, new: NewRecording, key: Key = None) -> JSONResponse:
    """201 with the recording; 200 where it was held already. The uploads are removed then. `processing` says who makes it searchable.

    It takes as long as reading the files does. Should the connection break off meanwhile, send the same request again.
    """

    def admit(path: PathOf) -> tuple[str, bool, tuple[str, ...]]:
        admitted = operations.ingest(workplace, _request(path, new), actor(workplace))
        return admitted.recording.id, admitted.already_held, admitted.notes

    asked = digest_json(new.model_dump(mode="json"))
    recording_id, already_held, notes = taken_in(workplace, new, asked, f"key {key}" if key else f"request {asked}", admit)
    return answer(request, workplace, recording_id, already_held, notes)


def taken_in(workplace: Workplace, new: UploadedFiles, asked: str, name: str, take: Take) -> tuple[str, bool, tuple[str, ...]]:
    """Let `take` bring the uploads in, once under the name of the request: (recording, whether nothing was new, notes)."""
    uploads = uploads_of(workplace)
    with uploads.admitting(name):
        receipt = uploads.receipt(name)
        if receipt and receipt["request"] != asked:
            raise UploadConflict("this Idempotency-Key was used for another request: take a new one for each session")
        if receipt:
            return receipt["recording"], True, ()
        with _held(uploads, new) as held:
            _check_expected(uploads, held, new)
            try:
                recording_id, already_held, notes = take(lambda upload_id: uploads.path(held[upload_id]))
            except LiveProofError as error:
                error.args = (_without_places(str(error), uploads, workplace),)
                raise
            uploads.note_receipt(name, {"request": asked, "recording": recording_id})
            for upload in held.values():
                uploads.remove(upload.id)
    return recording_id, already_held, notes


@contextmanager
def _held(uploads: Uploads, new: UploadedFiles) -> Iterator[Mapping[str, Upload]]:
    """Every upload that is named, by its id, complete, of the role it is named in, and not to be changed meanwhile."""
    named = new.uploads()
    if len({upload_id for _, upload_id in named}) < len(named):
        raise InvalidRequest("an upload is named twice: each is one file of the session")
    unnamed = sorted(set(new.sha256) - {upload_id for _, upload_id in named})
    if unnamed:
        raise InvalidRequest(f"sha256 speaks of upload {unnamed[0]}, which is not among the session's files")
    with ExitStack() as stack:
        held = {}
        # In one order, so that of two requests for the same files one goes through.
        for role, upload_id in sorted(named, key=lambda entry: entry[1]):
            upload = stack.enter_context(uploads.held(upload_id))
            if not upload.complete:
                raise UploadConflict(
                    f"upload {upload_id} ({upload.file_name}) has {upload.offset} of its {upload.length} bytes: finish it first"
                )
            if upload.role not in (None, role):
                raise InvalidRequest(f"upload {upload_id} ({upload.file_name}) was announced as {upload.role} and is named as {role}")
            held[upload_id] = upload
        yield held


def _check_expected(uploads: Uploads, held: Mapping[str, Upload], new: UploadedFiles) -> None:
    """VerificationFailed for the first file that isn't what the client says it is; nothing was admitted then."""
    for upload in held.values():
        expected = {digest.lower() for digest in (upload.sha256, new.sha256.get(upload.id, "").lower().removeprefix("sha256:")) if digest}
        if not expected:
            continue
        found = digest_file(uploads.path(upload)).removeprefix("sha256:")
        if expected != {found}:
            raise VerificationFailed(
                f"{upload.file_name} (upload {upload.id}) has sha256 {found}, not {min(expected - {found})}: upload it again"
            )


def _request(path: PathOf, new: NewRecording) -> IngestRequest:
    return IngestRequest(
        media=tuple(path(part) for part in new.parts),
        recording_id=new.id,
        chat=tuple(path(chat) for chat in new.chat),
        captions=path(new.captions) if new.captions else None,
        products=path(new.products) if new.products else None,
        events=path(new.events) if new.events else None,
        started_at=WallTime.parse(new.started_at) if new.started_at else None,
        platform=new.platform,
        room=new.room,
        host=new.host,
        title=new.title,
    )


def _without_places(said: str, uploads: Uploads, workplace: Workplace) -> str:
    """The gate's message with files by the client's own names: where they lie here is nobody's business."""
    for upload_id in {step for step in said.replace("/", " ").split() if len(step) == 32}:
        said = said.replace(f"{uploads.folder / upload_id / 'bytes'}/", "")
    return said.replace(str(workplace.archive.home), "LIVEPROOF_HOME")


def answer(request: Request, workplace: Workplace, recording_id: str, already_held: bool, notes: tuple[str, ...]) -> JSONResponse:
    """What is held now, and who makes it searchable."""
    held = answers.holding_json(operations.holding(workplace, recording_id))
    content: dict[str, Json] = {**held, "already_held": already_held, "notes": list(notes), "processing": _process(request, recording_id)}
    return JSONResponse(content, 200 if already_held else 201, {"location": f"/v1/recordings/{recording_id}"})


def _process(request: Request, recording_id: str) -> dict[str, Json]:
    """Start the job where this process runs jobs, as `serve` does. What can't be started is left to `liveproof work`."""
    jobs: Jobs | None = getattr(request.app.state, "jobs", None)
    if jobs is not None:
        try:
            return {"job": process_or_index(jobs, recording_id), "left_to": None}
        except (LiveProofError, SQLAlchemyError) as error:
            log.error("job_not_started", recording=recording_id, error=str(error).splitlines()[0])
    return {"job": None, "left_to": "liveproof work"}
