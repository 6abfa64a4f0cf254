"""`/v1/recordings/{id}/screen-text`: what stood on the screen, when and where."""

from typing import Annotated

from fastapi import APIRouter, Query

from api import answers
from api.examples import Responses
from api.fields import At, FromMs, IdInPath, Reply, ToMs
from api.workplace import Workplace
from archive.digest import Json
from archive.recording import Recording
from archive.screen_readings import ScreenReading, ScreenText

router = APIRouter(prefix="/v1/recordings", tags=["recordings"])

LINES_MAX = 5000
_EXAMPLE: Json = {
    "recording": "nuanlan-1118",
    "readings": [
        {
            "part": 1,
            "version": 1,
            "engine": "rapidocr",
            "engine_version": "3.10.0",
            "model": "PP-OCRv6_det_small + ch_ppocr_mobile_v2.0_cls_mobile + PP-OCRv6_rec_small",
            "model_digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "parameters": {"step_ms": 2000, "notes": {"left_out": {"passing": 21}, "readings": 138, "pictures_read": 11.35}},
            "created_at": "2026-11-18T14:10:00.000Z",
            "digest": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
            "frames": 97,
            "lines": 37,
        }
    ],
    "texts": [
        {
            "start_ms": 36000,
            "end_ms": 84000,
            "text": "1号链接",
            "box": [0.4946, 0.1694, 0.0844, 0.0542],
            "confidence": 0.9999,
            "part": 1,
            "part_ms": 36000,
        }
    ],
    "more": False,
}
EXAMPLE: Responses = {200: {"content": {"application/json": {"example": _EXAMPLE}}}}


@router.get("/{recording_id}/screen-text", summary="What stood on the screen, when and where", responses=EXAMPLE)
def read_screen_text(
    workplace: At,
    recording_id: IdInPath,
    from_ms: FromMs = None,
    to_ms: ToMs = None,
    limit: Annotated[int, Query(ge=1, le=LINES_MAX, description="At most so many lines.")] = 1000,
) -> Reply:
    """Lines that stood there at some moment of the span. `readings` is empty until somebody read it; `frames` 0 says: no pictures."""
    return screen_text_json(workplace, recording_id, from_ms, to_ms, limit)


def screen_text_json(
    workplace: Workplace, recording_id: str, from_ms: int | None, to_ms: int | None, limit: int = LINES_MAX
) -> dict[str, Json]:
    """The same from the command line. A line's start and end are each at most a sampling step (`step_ms`) late. NotFound."""
    recording = workplace.archive.catalog.recording(recording_id)
    lines = workplace.archive.screens.texts(recording_id, from_ms or 0, to_ms)
    return {
        "recording": recording_id,
        "readings": [_reading_json(reading) for reading in workplace.archive.screens.newest(recording_id)],
        "texts": [_line_json(recording, line) for line in lines[:limit]],
        "more": len(lines) > limit,
    }


def _reading_json(reading: ScreenReading) -> dict[str, Json]:
    provenance = reading.provenance
    return {
        "part": reading.part,
        "version": reading.version,
        "engine": provenance.engine,
        "engine_version": provenance.engine_version,
        "model": provenance.model,
        "model_digest": provenance.model_digest,
        "parameters": provenance.parameters,
        "created_at": provenance.created_at.iso(),
        "digest": reading.digest,
        "frames": reading.frames,
        "lines": len(reading.texts),
    }


def _line_json(recording: Recording, line: ScreenText) -> dict[str, Json]:
    return {**answers.screen_text_json(line), **answers.place_json(recording, line.start_ms)}
