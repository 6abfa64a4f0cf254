"""`/v1/clips` and `/v1/verify`: cutting a span out with its proof, and checking a package that somebody was handed."""

import re
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Body, File, Form, Request, UploadFile
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api import answers, examples, operations
from api.fields import At, Id, Milliseconds, Reply, actor
from api.media import file_response
from archive.clip import Blur, Burn
from archive.digest import Json
from archive.errors import NotFound
from archive.verification import verify_package
from archive.view_edits import MAX_EDITS

router = APIRouter(prefix="/v1", tags=["evidence"])

KEPT_S = 24 * 3600
MEDIA_TYPES = {".mp4": "video/mp4", ".mkv": "video/x-matroska", ".ts": "video/mp2t", ".json": "application/json"}
PIXELS_MAX = 16_384
Pixels = Annotated[int, Field(ge=0, le=PIXELS_MAX)]
ClipFile = Literal["view", "proof_clip", "proof"]


class Span(BaseModel):
    """A stretch of the recording's time."""

    model_config = ConfigDict(extra="forbid")

    from_ms: Milliseconds
    to_ms: Milliseconds


class Region(BaseModel):
    """A rectangle of the picture as it is shown, in pixels from its upper left corner; over the whole clip unless a stretch is given."""

    model_config = ConfigDict(extra="forbid")

    x: Pixels
    y: Pixels
    width: Annotated[int, Field(ge=1, le=PIXELS_MAX)]
    height: Annotated[int, Field(ge=1, le=PIXELS_MAX)]
    within: Span | None = None


class NewClip(BaseModel):
    """A span of a recording to cut out, and what to do to the view clip. A bleep or blur leaves the proof clip out unless asked for."""

    model_config = ConfigDict(extra="forbid")

    recording: Id
    from_ms: Milliseconds
    to_ms: Milliseconds
    captions: bool = False
    clock: bool = False
    lang: Literal["zh", "en"] = "zh"
    bleep: list[Span] = Field(default_factory=list, max_length=MAX_EDITS)
    bleep_spoken: bool = Field(False, description="Bleep phone numbers, addresses and the like where the transcript has them.")
    blur: list[Region] = Field(default_factory=list, max_length=MAX_EDITS)
    with_proof: bool | None = None

    def burn(self) -> Burn | None:
        return Burn(self.captions, self.clock, self.lang) if self.captions or self.clock else None

    def regions(self) -> list[Blur]:
        return [
            Blur(r.x, r.y, r.width, r.height, r.within.from_ms if r.within else None, r.within.to_ms if r.within else None)
            for r in self.blur
        ]


@router.post("/clips", status_code=201, summary="Cut a clip, with its proof", responses=examples.CLIP)
def cut(workplace: At, new: Annotated[NewClip, Body(openapi_examples=examples.NEW_CLIP)]) -> Reply:
    """A frame-exact clip to watch, and a stream-copied one that is provably part of the original (G3). Files are kept for a day.

    With `bleep` or `blur` only the clip to watch is made (`proof_withheld`): the other would hold what was taken out.
    """
    exports = workplace.archive.home / "exports"
    _forget_old(exports, workplace.archive.clock().epoch_ms / 1000)
    clip_id = secrets.token_hex(8)
    folder = exports / clip_id
    folder.mkdir(parents=True)
    name = re.sub(r"[^\w.-]", "_", new.recording)[:80]
    try:
        made = operations.clip(
            workplace,
            new.recording,
            new.from_ms,
            new.to_ms,
            folder / f"{name}_{new.from_ms}-{new.to_ms}.mp4",
            actor(workplace),
            burn=new.burn(),
            bleep=[(span.from_ms, span.to_ms) for span in new.bleep],
            blur=new.regions(),
            with_proof=new.with_proof,
            bleep_spoken=new.bleep_spoken,
        )
    except BaseException:
        shutil.rmtree(folder)
        raise
    files: dict[str, Json] = {
        kind: {"name": path.name, "bytes": path.stat().st_size, "download": f"/v1/clips/{clip_id}/{kind}"}
        for kind, path in (("view", made.view), ("proof_clip", made.proof_clip), ("proof", made.proof))
        if path is not None
    }
    said = answers.clip_json(made)
    return {"clip": clip_id, **{key: value for key, value in said.items() if key not in files}, "files": files}


@router.get("/clips/{clip_id}/{kind}", summary="Download a file of a clip", response_class=Response)
def download(request: Request, workplace: At, clip_id: Annotated[str, InPath(pattern=r"^[0-9a-f]{16}$")], kind: ClipFile) -> Response:
    folder = workplace.archive.home / "exports" / clip_id
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if _kind(file) == kind:
            return file_response(request, file, MEDIA_TYPES.get(file.suffix, "application/octet-stream"), f"{clip_id}-{kind}", file.name)
    raise NotFound(f"clip {clip_id} is not here any more: clips to download are kept for a day, cut it again")


@router.post("/verify", summary="Check an evidence package", responses=examples.REPORT)
def verify(
    file: Annotated[UploadFile, File(description="The ZIP as it was handed over.")],
    key: Annotated[str | None, Form(max_length=200, description="The archive's signing key or its id, where it is known.")] = None,
) -> Reply:
    """Needs no archive: only the package is looked at. `passed` is false where any check fails, and that check names the file."""
    with tempfile.TemporaryDirectory(prefix="liveproof-verify-") as folder:
        copy = Path(folder) / "package.zip"
        with copy.open("wb") as target:
            shutil.copyfileobj(file.file, target, 1 << 20)
        return {**answers.report_json(verify_package(copy, key)), "subject": (file.filename or copy.name)[-200:]}


def _kind(file: Path) -> ClipFile:
    if file.name.endswith(".proof.json"):
        return "proof"
    return "proof_clip" if ".proof." in file.name else "view"


def _forget_old(exports: Path, now_s: float) -> None:
    for folder in exports.iterdir() if exports.is_dir() else ():
        if now_s - folder.stat().st_mtime > KEPT_S:
            shutil.rmtree(folder, ignore_errors=True)
