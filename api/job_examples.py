"""Examples of jobs in the OpenAPI description, shaped as real answers are."""

from api.examples import answers_with
from archive.digest import Json

_JOB: dict[str, Json] = {
    "job": "process:nuanlan-1118:1",
    "kind": "process",
    "recording": "nuanlan-1118",
    "case": None,
    "attachment": None,
    "attempt": 1,
    "state": "running",
    "step": "transcribe",
    "part": 3,
    "done_ms": 15_480_000,
    "total_ms": 36_000_000,
    "percent": 43,
    "speed": 6.1,
    "left_ms": 3_364_000,
    "waits_for": None,
    "first": False,
    "worker": "studio-2-0",
    "created_at": "2026-11-18T14:05:00.000Z",
    "updated_at": "2026-11-18T14:47:31.120Z",
    "ended_at": None,
    "error": None,
    "cancelled": None,
}

JOB = answers_with(_JOB)
JOBS = answers_with({"jobs": [_JOB], "more": False})
