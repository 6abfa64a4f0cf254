"""Examples of clocks in the OpenAPI description, shaped as real answers are."""

from collections.abc import Mapping

from fastapi.openapi.models import Example

from api.examples import Responses
from archive.digest import Json

_BASIS: Mapping[str, Json] = {
    "anchors": [{"part": 1, "media_ms": 10000, "wall": "2026-11-18T12:00:10.000Z", "uncertainty_ms": 1000}],
    "by": "admin (web)",
    "reason": "墙上的钟，开场时可见",
}
_VERSION: Mapping[str, Json] = {
    "part": 1,
    "version": 2,
    "method": "anchors",
    "wall_start": "2026-11-18T12:00:00.000Z",
    "uncertainty_ms": 1020,
    "pieces": 1,
    "made_at": "2026-11-20T02:00:00.000Z",
    "basis": _BASIS,
}
_SHIFT: Mapping[str, Json] = {
    "source": 1,
    "version": 1,
    "shift_ms": -41900,
    "uncertainty_ms": 8900,
    "method": "chat_answers",
    "made_at": "2026-11-18T14:00:00.000Z",
    "basis": {"answers": {"lag_ms": -34900, "error_ms": 900, "questions": 10, "answers": 5.9, "by_chance": 3.0, "rival": 0.06}},
}
_CLOCK: Mapping[str, Json] = {
    "recording": "nuanlan-1118",
    "parts": [
        {
            "number": 1,
            "file": "录制-7734200-20261118-200000-000.flv",
            "start_ms": 0,
            "end_ms": 193600,
            "wall_start": "2026-11-18T12:00:00.000Z",
            "wall_end": "2026-11-18T12:03:13.600Z",
            "uncertainty_ms": 1020,
            "method": "anchors",
            "version": 2,
            "made_at": "2026-11-20T02:00:00.000Z",
            "pieces": [
                {
                    "media_from_ms": 0,
                    "wall": "2026-11-18T12:00:00.000Z",
                    "rate_ppm": 0,
                    "uncertainty_ms": 1020,
                    "residual_ms": 0,
                    "method": "anchors",
                }
            ],
            "basis": _BASIS,
        }
    ],
    "gaps": [],
    "overlaps": [],
    "duration_ms": 193600,
    "held_ms": 193600,
    "chat": [{"source": 1, "file": "录制-7734200-20261118-200000-000.xml", "shift": _SHIFT}],
    "history": [_VERSION],
    "shift_history": [_SHIFT],
}
CLOCK: Responses = {200: {"content": {"application/json": {"example": _CLOCK}}}}
CLOCK_SET: Responses = {200: {"content": {"application/json": {"example": {**_CLOCK, "estimate": None}}}}}
NEW_CLOCK: dict[str, Example] = {
    "anchors": {
        "summary": "Somebody saw a clock",
        "value": {
            "anchors": [{"part": 1, "at_ms": 10000, "wall": "2026-11-18T20:00:10+08:00", "uncertainty_ms": 1000}],
            "reason": "墙上的钟",
        },
    },
    "estimate": {"summary": "Hold the chat against the speech again", "value": {"estimate": True}},
}
