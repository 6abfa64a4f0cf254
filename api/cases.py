"""`/v1/cases`: disputes, the moments they rest on, and the evidence packages built from them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Body, File, Form, Request, UploadFile
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import answers, case_answers, case_papers, examples, intake, operations, record_words
from api.fields import At, Id, IdInPath, Line, LongText, Milliseconds, Reply, actor
from api.media import file_response
from api.workplace import Workplace
from archive.case import BuiltPackage
from archive.case_attachments import CALL, NAME_MAX_CHARS, attach
from archive.case_stages import Stage
from archive.digest import CHUNK_BYTES, Json
from archive.errors import NotFound
from archive.jobs import Jobs
from archive.verification import verify_package

router = APIRouter(prefix="/v1/cases", tags=["cases"])

ORDER_FIELDS_MAX = 50
PaperKind: TypeAlias = Literal[
    "im_log", "outbound", "inspection", "logistics", "sign_off", "photo", "document", "assistant", "call", "other"
]


class NewCase(BaseModel):
    """A dispute as it comes in. Without an id it gets the next number."""

    model_config = ConfigDict(extra="forbid")

    id: Id | None = Field(None, pattern=r"^[\w.-]+$")
    title: Line = Field(min_length=1)
    complaint: LongText = ""
    problem_class: Line | None = None
    demand: Line | None = None
    order: dict[Line, Line | int | None] = Field(default_factory=dict, max_length=ORDER_FIELDS_MAX)
    product: Id | None = None


class NewMoment(BaseModel):
    """A span of a recording that the case is to rest on, and what it is to prove."""

    model_config = ConfigDict(extra="forbid")

    recording: Id
    start_ms: Milliseconds
    end_ms: Milliseconds
    purpose: Line = ""


class NewStep(BaseModel):
    """A step of a case. Which fields `detail` may have depends on the stage: class, finding, decision, amount_minor, currency, …"""

    model_config = ConfigDict(extra="forbid")

    stage: Stage
    text: LongText = ""
    detail: dict[Line, Line | int | None] = Field(default_factory=dict, max_length=10)


class Withdrawal(BaseModel):
    """Why an attachment is taken back."""

    model_config = ConfigDict(extra="forbid")

    reason: Line = Field(min_length=1)


@router.get("", summary="All cases, newest first", responses=examples.CASES)
def list_cases(workplace: At) -> Reply:
    return {"cases": [case_answers.case_json(case) for case in operations.cases(workplace)]}


@router.post("", status_code=201, summary="Open a case", responses=examples.CASE_OPENED)
def open_case(workplace: At, new: Annotated[NewCase, Body(openapi_examples=examples.NEW_CASE)]) -> Reply:
    case = workplace.archive.cases.open(
        new.id,
        new.title,
        new.complaint,
        actor(workplace),
        problem_class=new.problem_class,
        demand=new.demand,
        order=dict(new.order),
        product_id=new.product,
    )
    return case_answers.case_json(case)


@router.get("/{case_id}", summary="One case with its moments and packages", responses=examples.CASE)
def show_case(workplace: At, case_id: IdInPath) -> Reply:
    case = workplace.archive.cases.case(case_id)
    built = workplace.archive.cases.packages(case_id)
    shown = record_words.read_case_json(case, workplace.archive.records.overview(case_id))
    return {**shown, "packages": [_with_links(package) for package in built]}


@router.post("/{case_id}/moments", status_code=201, summary="Rest the case on a moment", responses=examples.MOMENT_ADDED)
def add_moment(workplace: At, case_id: IdInPath, new: Annotated[NewMoment, Body(openapi_examples=examples.NEW_MOMENT)]) -> Reply:
    """The quote is what the transcript has there. Adding the same span again gives the one that stands."""
    moment = operations.add_moment(workplace, case_id, new.recording, new.start_ms, new.end_ms, new.purpose, actor(workplace))
    return case_answers.case_moment_json(moment)


@router.post("/{case_id}/attachments", status_code=201, summary="Attach a paper to the case", responses=examples.ATTACHED_NOW)
def attach_paper(
    request: Request,
    workplace: At,
    case_id: IdInPath,
    file: Annotated[UploadFile, File(description="The paper as it is: IM log, record, photo, document.")],
    kind: Annotated[PaperKind, Form()],
    title: Annotated[Line, Form()] = "",
    purpose: Annotated[Line, Form()] = "",
    withheld: Annotated[bool, Form()] = False,
) -> Reply:
    """Kept unchanged and hashed, then read, so that the case can be searched. In packages, texts and IM logs appear without their people,
    calls and `withheld` ones by their digest alone. A call becomes a recording of its own, and is heard."""
    who = actor(workplace)
    if kind == CALL:
        with _laid_down(workplace, file) as path:
            paper = case_papers.attach_paper(workplace, case_id, path, kind, who, title=title, purpose=purpose, withheld=withheld)
    else:
        name = _name_of(file)
        paper = attach(workplace.archive, case_id, file.file, name, kind, who, title=title, purpose=purpose, withheld=withheld)
    jobs: Jobs | None = getattr(request.app.state, "jobs", None)
    return {**case_answers.attachment_json(paper), "processing": case_papers.started_or_left(jobs, case_id, paper)}


@router.get("/{case_id}/attachments/{number}/reading", summary="What was read of an attachment", responses=examples.READING)
def show_reading(workplace: At, case_id: IdInPath, number: Annotated[int, InPath(ge=1, le=10_000)]) -> Reply:
    """The newest reading: by what, how much, and what was left out. Its text is found with `/v1/search?case=`."""
    workplace.archive.cases.case(case_id)
    reading = workplace.archive.records.overview(case_id).get(number)
    if reading is None:
        raise NotFound(f"attachment {number} of case {case_id} was not read yet: liveproof work does it")
    return record_words.reading_json(reading)


@router.get("/{case_id}/attachments/{number}", summary="Download an attachment as it was taken in", response_class=Response)
def download_attachment(request: Request, workplace: At, case_id: IdInPath, number: Annotated[int, InPath(ge=1, le=10_000)]) -> Response:
    """With everything in it: each download is an entry of the custody log (G4)."""
    paper = next((paper for paper in workplace.archive.cases.case(case_id).attachments if paper.number == number), None)
    if paper is None:
        raise NotFound(f"case {case_id} has no attachment {number}")
    path = workplace.archive.store.path(paper.digest)
    if "range" not in request.headers:
        detail: dict[str, Json] = {"number": number, "digest": paper.digest}
        workplace.archive.custody.record(actor(workplace), "case.attachment.download", case_id, detail)
    return file_response(request, path, "application/octet-stream", paper.digest.removeprefix("sha256:"), paper.file_name)


@router.post("/{case_id}/attachments/{number}/withdrawal", summary="Withdraw an attachment", responses=examples.ATTACHED)
def withdraw(workplace: At, case_id: IdInPath, number: Annotated[int, InPath(ge=1, le=10_000)], why: Withdrawal) -> Reply:
    """It stays held, and its digest in every package."""
    return case_answers.attachment_json(case_papers.withdraw_paper(workplace, case_id, number, why.reason, actor(workplace)))


@router.post("/{case_id}/steps", status_code=201, summary="Take the case a step further", responses=examples.CASE_OPENED)
def take_step(workplace: At, case_id: IdInPath, new: Annotated[NewStep, Body(openapi_examples=examples.NEW_STEP)]) -> Reply:
    """Stages: intake, verification, proposal, execution, review, closed; one at a time, or back with a reason."""
    return case_answers.case_json(intake.take_step(workplace, case_id, new.stage, new.text, new.detail, actor(workplace)))


@router.post("/{case_id}/packages", status_code=201, summary="Build the case's evidence package", responses=examples.PACKAGE)
def build_package(workplace: At, case_id: IdInPath) -> Reply:
    """Clips with proofs, transcript, chat, custody extract and verifier in one ZIP. It takes seconds for each moment."""
    return _with_links(operations.package(workplace, case_id, None, actor(workplace)))


@router.get("/{case_id}/packages/{package_id}", summary="Download a package", response_class=Response, responses=examples.ZIP)
def download_package(request: Request, workplace: At, case_id: IdInPath, package_id: IdInPath) -> Response:
    """Each download is an entry of the custody log (G4)."""
    built = _package(workplace, case_id, package_id)
    path = workplace.archive.store.path(built.digest)
    if "range" not in request.headers:
        workplace.archive.custody.record(actor(workplace), "package.download", case_id, {"package": built.id, "digest": built.digest})
    return file_response(request, path, "application/zip", built.digest.removeprefix("sha256:"), f"{built.id}.zip")


@router.get("/{case_id}/packages/{package_id}/verification", summary="Check a package as a third party would", responses=examples.REPORT)
def verify_built(workplace: At, case_id: IdInPath, package_id: IdInPath) -> Reply:
    """The same offline checks that the verifier inside the package makes."""
    built = _package(workplace, case_id, package_id)
    return {**answers.report_json(verify_package(workplace.archive.store.path(built.digest))), "subject": built.id}


def _name_of(file: UploadFile) -> str:
    return Path((file.filename or "").replace("\\", "/")).name[-NAME_MAX_CHARS:].replace("\x00", "") or "unnamed"


@contextmanager
def _laid_down(workplace: Workplace, file: UploadFile) -> Iterator[Path]:
    """An uploaded file under its own name, for the gate to read; gone afterwards."""
    scratch = workplace.archive.home / "scratch"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="call-", dir=scratch) as folder:
        path = Path(folder) / _name_of(file).encode()[-NAME_MAX_CHARS:].decode("utf-8", "ignore")
        with path.open("wb") as target:
            shutil.copyfileobj(file.file, target, CHUNK_BYTES)
        yield path


def _package(workplace: Workplace, case_id: str, package_id: str) -> BuiltPackage:
    workplace.archive.cases.case(case_id)
    for built in workplace.archive.cases.packages(case_id):
        if built.id == package_id:
            return built
    raise NotFound(f"case {case_id} has no package {package_id}: build one first")


def _with_links(built: BuiltPackage) -> dict[str, Json]:
    address = f"/v1/cases/{built.case_id}/packages/{built.id}"
    return {**case_answers.package_json(built), "download": address, "verification": f"{address}/verification"}
