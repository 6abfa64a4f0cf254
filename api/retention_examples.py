"""Examples of retention, holds and purges in the OpenAPI description, shaped as real answers are."""

from api.examples import answers_with, asked_with
from archive.digest import Json

_DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_BASIS: Json = {
    "rule": "commerce-video",
    "law": "网络交易监督管理办法",
    "article": "20",
    "effective_from": "2021-05-01",
    "from": "stream_end",
    "how": "stream end",
    "at": "2026-11-18T15:00:00.000Z",
    "until": "2029-11-18T15:00:00.000Z",
}
_HOLD: dict[str, Json] = {
    "id": "hold-0001",
    "kind": "case",
    "subject": "case-0001",
    "reason": "法院调查令 (2026)沪0192民初1号",
    "placed_by": "小王",
    "placed_at": "2026-11-20T01:30:00.000Z",
    "released_by": None,
    "released_at": None,
    "release_reason": None,
}
_ITEM: Json = {
    "kind": "recording",
    "subject": "nuanlan-1118",
    "until": "2029-11-18T15:00:00.000Z",
    "digests": [_DIGEST],
    "shared": [],
    "bytes": 8123456,
}
_KEPT: Json = {"kind": "case", "subject": "case-0001", "why": "hold", "by": "hold-0001", "until": None}

RETENTION = answers_with(
    {
        "recording": "nuanlan-1118",
        "until": "2029-11-18T15:00:00.000Z",
        "basis": [_BASIS],
        "recorded": [{"version": 1, "until": "2029-11-18T15:00:00.000Z", "set_at": "2026-11-20T01:29:58.001Z"}],
    }
)
RETENTION_RULES = answers_with(
    {
        "rules": [
            {
                "rule": "commerce-video",
                "from": ["stream_end"],
                "platforms": ["*"],
                "years": 3,
                "days": 0,
                "law": "网络交易监督管理办法",
                "article": "20",
                "effective_from": "2021-05-01",
                "policy": None,
            }
        ]
    }
)
PURGE_PLAN = answers_with({"at": "2029-11-19T00:00:00.000Z", "digest": _DIGEST, "items": [_ITEM], "kept": [_KEPT], "unfinished": []})
TOMBSTONES = answers_with(
    {
        "tombstones": [
            {
                "kind": "recording",
                "subject": "nuanlan-1118",
                "purged_at": "2029-11-19T00:00:00.000Z",
                "actor": "dpo",
                "reason": "retention ended",
                "basis": {"until": "2029-11-18T15:00:00.000Z", "shared": []},
                "digests": [_DIGEST],
                "objects_gone_at": "2029-11-19T00:00:01.000Z",
            }
        ]
    }
)
HOLDS = answers_with({"holds": [_HOLD]})
HOLD = answers_with(_HOLD, 201)
HOLD_RELEASED = answers_with({**_HOLD, "released_by": "小王", "released_at": "2027-03-01T01:30:00.000Z", "release_reason": "判决已生效"})
NEW_HOLD = asked_with("A court asks for a case", {"kind": "case", "subject": "case-0001", "reason": "法院调查令 (2026)沪0192民初1号"})
