"""Examples in the OpenAPI description, shaped as real answers are."""

from collections.abc import Mapping
from typing import TypeAlias

from fastapi.openapi.models import Example

from archive.digest import Json

# FastAPI's own type for `responses`.
Responses: TypeAlias = dict[int | str, dict[str, object]]

_DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_PROBLEM: Mapping[str, Json] = {
    "type": "urn:liveproof:problem:NotFound",
    "title": "Not found",
    "status": 404,
    "detail": "no recording nuanlan-0 is held: liveproof status lists those that are",
    "mend": "Check the id: /v1/recordings and /v1/cases list what is held.",
    "instance": "/v1/recordings/nuanlan-0",
}
_PART: Mapping[str, Json] = {
    "number": 1,
    "file": "录制-7734200-20261118-200000-000.flv",
    "digest": _DIGEST,
    "bytes": 8123456,
    "container": "flv",
    "start_ms": 0,
    "end_ms": 193600,
    "duration_ms": 193600,
    "wall_start": "2026-11-18T12:00:00.000Z",
    "uncertainty_ms": 1000,
    "clock": "file_name",
    "damage": ["tail_missing header_ms=200000 held_ms=193600"],
    "check": {
        "version": 1,
        "method": "key_pictures, libavcodec 62.28.102",
        "made_at": "2026-11-18T14:05:00.000Z",
        "unheard_ms": 3000,
        "findings": [{"what": "unheard", "from_ms": 61000, "to_ms": 64000, "count": 129}],
    },
}
_TRANSCRIPT: Mapping[str, Json] = {
    "version": 1,
    "engine": "faster-whisper",
    "engine_version": "1.2.0",
    "model": "small",
    "model_digest": _DIGEST,
    "parameters": {"beam_size": 5},
    "created_at": "2026-11-18T14:00:00.000Z",
    "digest": _DIGEST,
}
_RECORDING: Mapping[str, Json] = {
    "recording": "nuanlan-1118",
    "parts": 1,
    "duration_ms": 193600,
    "messages": 214,
    "products": 6,
    "segments": 71,
    "gaps": [],
    "media_held": True,
    "held_ms": 193600,
    "live": False,
    "host": "小岚",
    "title": "暖岚优选冬日好物专场",
    "platform": "bilibili",
    "room": "7734200",
    "started_at": "2026-11-18T12:00:00.000Z",
    "started_uncertainty_ms": 1000,
    "admitted_at": "2026-11-18T13:00:00.000Z",
    "indexed": True,
    "part_list": [_PART],
    "transcript": _TRANSCRIPT,
    "job": None,
}
_SEGMENT: Mapping[str, Json] = {
    "number": 12,
    "start_ms": 73500,
    "end_ms": 76100,
    "text": "支持鉴定假一赔十",
    "words": [[73500, 74200, "支持", 0.98]],
    "risk": [],
    "speaker": "1",
    "heard_otherwise": None,
    "confidence": 0.94,
    "wall_start": "2026-11-18T12:01:13.500Z",
    "uncertainty_ms": 1000,
    "part": 1,
    "part_ms": 73500,
}
_MESSAGE: Mapping[str, Json] = {
    "at_ms": 70100,
    "uncertainty_ms": 0,
    "author": "观众-7f3a",
    "kind": "chat",
    "text": "保真吗",
    "recalled": False,
}
_MOMENT: Mapping[str, Json] = {
    "recording": "nuanlan-1118",
    "part": 1,
    "start_ms": 73500,
    "end_ms": 76100,
    "wall_start": "2026-11-18T12:01:13.500Z",
    "uncertainty_ms": 1000,
    "answers": True,
    "doubtful": False,
    "quote": "支持鉴定假一赔十",
    "product": {
        "product_id": "p4",
        "title": "和田玉手串",
        "how": "on_air",
        "confidence": None,
        "shelf_no": "4",
        "price_minor": 39900,
        "currency": "CNY",
        "listing_text": "",
    },
    "promise": {
        "category": "compensation",
        "polarity": "affirmed",
        "quantity": "10 ×",
        "condition": None,
        "is_correction": False,
        "doubtful": False,
    },
    "risk": [],
    "score": 0.82,
    "confidence": "high",
    "why": [{"kind": "word", "detail": "假一赔十"}],
    "context_before": "",
    "context_after": "",
    "chat": [],
    "segments": [12],
    "corrects_ms": None,
    "screen": [{"start_ms": 36000, "end_ms": 84000, "text": "1号链接 山羊绒围巾", "box": [0.48, 0.26, 0.29, 0.09], "confidence": 0.9914}],
}
_COVERAGE: Mapping[str, Json] = {
    "recordings": 1,
    "captions_only": 0,
    "duration_ms": 193600,
    "held_ms": 193600,
    "transcribed_ms": 190000,
    "risky_ms": 0,
    "missing_ms": 0,
    "unheard_ms": 3000,
    "messages": 214,
    "unsearched": [],
    "live": [],
}
_CASE_MOMENT: Mapping[str, Json] = {
    "number": 1,
    "recording": "nuanlan-1118",
    "start_ms": 73500,
    "end_ms": 76100,
    "quote": "支持鉴定假一赔十",
    "purpose": "承诺假一赔十",
}
_ATTACHMENT: Mapping[str, Json] = {
    "number": 1,
    "kind": "im_log",
    "title": "客服聊天记录",
    "purpose": "证明已向客服提出",
    "digest": _DIGEST,
    "bytes": 20480,
    "file": "chat.csv",
    "media_type": "text/csv",
    "given_as": "masked",
    "added_at": "2026-11-20T02:01:00.000Z",
    "added_by": "operator (web)",
    "withdrawn_at": None,
    "withdrawn_by": None,
    "withdrawn_reason": None,
    "recording": None,
}
_READING: Mapping[str, Json] = {
    "version": 1,
    "format": "pdf",
    "read": {"pages": 3, "ocr_pages": [2], "pieces": 41, "characters": 1204},
    "notes": [],
    "engine": "pypdfium2",
    "engine_version": "5.15.2",
    "model": "PP-OCRv6_det_small + PP-OCRv6_rec_small",
    "model_digest": _DIGEST,
    "created_at": "2026-11-20T02:01:20.000Z",
    "digest": _DIGEST,
}
_CASE: Mapping[str, Json] = {
    "case": "case-0001",
    "title": "手串鉴定为假,只给退款",
    "complaint": "说好假一赔十,鉴定出来是假的只给退款",
    "problem_class": "承诺未兑现",
    "demand": "十倍赔偿",
    "order": {"order_id": "D20261118001"},
    "product": "p4",
    "status": "verification",
    "opened_at": "2026-11-20T02:00:00.000Z",
    "moments": [_CASE_MOMENT],
    "attachments": [_ATTACHMENT],
    "steps": [
        {
            "number": 1,
            "stage": "verification",
            "at": "2026-11-20T02:01:00.000Z",
            "actor": "operator (web)",
            "text": "录像已核对",
            "detail": {"finding": "confirmed"},
        }
    ],
}
_BUILT: Mapping[str, Json] = {
    "package": "case-0001-1",
    "case": "case-0001",
    "digest": _DIGEST,
    "bytes": 4183022,
    "built_at": "2026-11-20T02:05:00.000Z",
    "download": "/v1/cases/case-0001/packages/case-0001-1",
    "verification": "/v1/cases/case-0001/packages/case-0001-1/verification",
}


def answers_with(example: Json, status: int = 200) -> Responses:
    """The example under its status, and what goes wrong in general."""
    return {
        status: {"content": {"application/json": {"example": example}}},
        "4XX": {"description": "What is wrong and how to mend it", "content": {"application/problem+json": {"example": _PROBLEM}}},
    }


def asked_with(summary: str, value: Json) -> dict[str, Example]:
    return {"example": Example(summary=summary, value=value)}


RECORDINGS = answers_with({"recordings": [_RECORDING]})
RECORDING = answers_with(_RECORDING)
TRANSCRIPT = answers_with({"recording": "nuanlan-1118", "transcript": _TRANSCRIPT, "segments": [_SEGMENT], "more": False})
CHAT = answers_with({"recording": "nuanlan-1118", "messages": [_MESSAGE], "more": False})
PRODUCTS = answers_with({"recording": "nuanlan-1118", "products": [_MOMENT["product"]], "events": []})
COVERAGE = answers_with(
    {"recording": "nuanlan-1118", "duration_ms": 193600, "recorded": [[0, 193600]], "gaps": [], "speech": [[6000, 61000]]}
)
_UNDERSTOOD: Json = {
    "looked_for": ["假一赔十"],
    "quantities": ["10 ×"],
    "concepts": [{"name": "fake_compensation", "led_by": None}, {"name": "authentic", "led_by": "fake_compensation"}],
    "categories": ["compensation", "authenticity"],
    "products": [{"product_id": "p4", "title": "小叶紫檀手串", "how": "alias", "weight": 1.0}],
    "host": None,
    "time": {
        "role": "order",
        "words": "11月18号晚上九点下的单",
        "windows": [{"since": "2026-11-18T12:30:00.000Z", "until": "2026-11-18T14:00:00.000Z"}],
        "sessions": ["nuanlan-1118"],
        "applied": True,
        "given": False,
    },
    "read_as": [],
    "negative": False,
    "wants_correction": False,
    "asks_condition": False,
}
SEARCH = answers_with(
    {"found": True, "coverage": _COVERAGE, "moments": [_MOMENT], "not_heard": [], "doubtful": [], "understood": _UNDERSTOOD}
)
READING = answers_with(_READING)
CASES = answers_with({"cases": [_CASE]})
CASE = answers_with({**_CASE, "attachments": [{**_ATTACHMENT, "reading": _READING}], "packages": [_BUILT]})
ATTACHED_NOW = answers_with({**_ATTACHMENT, "processing": {"job": "read:case-0001:1:1", "left_to": None}}, 201)
CASE_OPENED = answers_with(_CASE, 201)
MOMENT_ADDED = answers_with(_CASE_MOMENT, 201)
ATTACHED = answers_with(_ATTACHMENT, 201)
PACKAGE = answers_with(_BUILT, 201)
REPORT = answers_with(
    {"passed": True, "checks": [{"number": 1, "name": "files", "passed": True, "detail": "23 files as listed", "file": None}]}
)
CLIP = answers_with(
    {
        "clip": "0123456789abcdef",
        "recording": "nuanlan-1118",
        "from_ms": 73500,
        "to_ms": 76100,
        "media_root": _DIGEST,
        "files": {"view": {"name": "nuanlan-1118_73500-76100.mp4", "bytes": 412345, "download": "/v1/clips/0123456789abcdef/view"}},
    },
    201,
)
ZIP: Responses = {200: {"content": {"application/zip": {}}}, 404: {"content": {"application/problem+json": {"example": _PROBLEM}}}}

NEW_CASE = asked_with(
    "A dispute", {"title": "手串鉴定为假,只给退款", "complaint": "说好假一赔十", "order": {"order_id": "D20261118001"}, "product": "p4"}
)
NEW_MOMENT = asked_with("A moment", {"recording": "nuanlan-1118", "start_ms": 73500, "end_ms": 76100, "purpose": "承诺假一赔十"})
NEW_STEP = asked_with("A step", {"stage": "verification", "text": "录像已核对", "detail": {"finding": "confirmed"}})
NEW_CLIP = asked_with("Three seconds", {"recording": "nuanlan-1118", "from_ms": 73500, "to_ms": 76500})

_CHECKPOINT: Mapping[str, Json] = {
    "size": 42,
    "root": _DIGEST,
    "at": "2026-11-20T01:30:00.123Z",
    "key_id": "3889cc2d",
    "note": "liveproof.log/0011223344556677\n42\nn4bQgYhMfWWaL…=\nat 2026-11-20T01:30:00.123Z\n\n— liveproof.log/0011223344556677 OInM…=\n",
}
_ENTRY: Mapping[str, Json] = {
    "seq": 7,
    "at": "2026-11-20T01:29:58.001Z",
    "actor": "小王",
    "action": "admit",
    "subject": "nuanlan-1118",
    "detail": "{}",
    "previous": _DIGEST,
    "digest": _DIGEST,
}
_PATH: Json = ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
CUSTODY = answers_with(
    {
        "entries": 44,
        "unsigned_entries": 2,
        "checkpoint": _CHECKPOINT,
        "witnesses": [
            {"witness": "s3://witness/liveproof", "size": 42, "owed": 0, "written_at": "2026-11-20T01:30:02.000Z", "last_error": None}
        ],
        "stamps": {"granted": 12, "pending": 1, "failing": 0, "last_error": None, "authority_set": True},
    }
)
CUSTODY_ENTRIES = answers_with({"entries": [_ENTRY], "more": True})
CHECKPOINTS = answers_with({"checkpoints": [_CHECKPOINT], "more": False})
INCLUSION = answers_with({"entry": _ENTRY, "leaf_index": 6, "checkpoint": _CHECKPOINT, "path": _PATH})
CONSISTENCY = answers_with({"old": _CHECKPOINT, "new": _CHECKPOINT, "path": _PATH})
CUSTODY_KEYS = answers_with(
    {
        "keys": [
            {
                "key_id": "3889cc2d",
                "public_key": "MCowBQYDK2VwAyEA…=",
                "verifier_key": "liveproof.log/0011223344556677+3889cc2d+AU…=",
                "origin": "liveproof.log/0011223344556677",
                "entry": 1,
                "endorsed": True,
            }
        ]
    }
)
STAMPS = answers_with(
    {
        "stamps": [
            {
                "id": 3,
                "kind": "admission",
                "subject": "nuanlan-1118",
                "digest": _DIGEST,
                "renews": None,
                "state": "granted",
                "requested_at": "2026-11-20T01:29:58.001Z",
                "attempts": 1,
                "tried_at": "2026-11-20T01:30:01.000Z",
                "last_error": None,
                "authority": "https://tsa.example.com/tsr",
                "gen_time": "2026-11-20T01:30:01.000Z",
                "expires_at": "2034-01-01T00:00:00.000Z",
                "algorithm": "rsa-3072 sha256",
            }
        ],
        "more": False,
    }
)
