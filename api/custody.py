"""`/v1/custody`: the log's entries, its signed checkpoints, proofs, time-stamps, public keys and how well it is anchored."""

import base64
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import PlainTextResponse, Response

from api import examples
from api.fields import ID_MAX_CHARS, At, Reply, Storable
from archive.checkpoints import Checkpoint, LoggedKey
from archive.custody_proofs import prove_consistency, prove_inclusion
from archive.digest import Json
from archive.errors import NotFound
from archive.opening import Archive
from archive.signing import verifier_key
from archive.timestamping import StampCounts
from archive.witnesses import WitnessState

router = APIRouter(prefix="/v1/custody", tags=["custody"])

LATEST_SEQ = 10**15
PAGE_MAX = 1000
Number = Annotated[int, Query(ge=1, le=LATEST_SEQ)]
After = Annotated[int, Query(ge=0, le=LATEST_SEQ, description="Only what comes behind this number.")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="At most so many.")]
Subject = Annotated[str | None, Query(min_length=1, max_length=ID_MAX_CHARS, description="Only entries about this."), Storable]


@dataclass(frozen=True, slots=True)
class Anchoring:
    """How well the log is anchored outside itself. `entries`: how many it has; `latest`: its newest checkpoint."""

    entries: int
    latest: Checkpoint | None
    witnesses: tuple[WitnessState, ...]
    stamps: StampCounts
    has_authority: bool

    def as_json(self) -> dict[str, Json]:
        return {
            "entries": self.entries,
            "unsigned_entries": self.entries - (self.latest.size if self.latest else 0),
            "checkpoint": self.latest.as_json() if self.latest else None,
            "witnesses": [state.as_json() for state in self.witnesses],
            "stamps": {
                "granted": self.stamps.granted,
                "pending": self.stamps.pending,
                "failing": self.stamps.failing,
                "last_error": self.stamps.last_error,
                "authority_set": self.has_authority,
            },
        }


def anchoring(archive: Archive) -> Anchoring:
    """The answer of `liveproof custody status`."""
    head = archive.custody.head()
    return Anchoring(
        head.seq if head else 0,
        archive.checkpoints.latest(),
        tuple(archive.witnesses.states()),
        archive.stamps.counts(),
        bool(archive.settings.tsa_urls.get_secret_value().strip()),
    )


def key_json(key: LoggedKey) -> dict[str, Json]:
    return {
        "key_id": key.key_id,
        "public_key": base64.b64encode(key.public_key).decode(),
        "verifier_key": verifier_key(key.origin, key.public_key),
        "origin": key.origin,
        "entry": key.seq,
        "endorsed": key.endorsed,
    }


@router.get("", summary="How well the log is anchored", responses=examples.CUSTODY)
def status(workplace: At) -> Reply:
    """Last checkpoint, witnesses that are behind, time-stamps that are pending."""
    return anchoring(workplace.archive).as_json()


@router.get("/entries", summary="Who did what to which evidence, when", responses=examples.CUSTODY_ENTRIES)
def entries(workplace: At, after: After = 0, limit: Limit = 100, subject: Subject = None) -> Reply:
    """`more` is true where entries follow: ask on with `after` the last one's `seq`."""
    found = workplace.archive.custody.page(after, limit + 1, subject)
    return {"entries": [entry.as_json() for entry in found[:limit]], "more": len(found) > limit}


@router.get("/checkpoints", summary="Signed heads of the log", responses=examples.CHECKPOINTS)
def checkpoints(workplace: At, after: After = 0, limit: Limit = 100) -> Reply:
    found = [each for each in workplace.archive.checkpoints.all() if each.size > after]
    return {"checkpoints": [each.as_json() for each in found[:limit]], "more": len(found) > limit}


@router.get("/checkpoints/latest", summary="The newest signed note, as text", response_class=PlainTextResponse)
def latest(workplace: At) -> Response:
    """In the form of C2SP's tlog-checkpoint, for who keeps copies of it."""
    found = workplace.archive.checkpoints.latest()
    if found is None:
        raise NotFound("no checkpoint was made yet")
    return PlainTextResponse(found.note, headers={"Cache-Control": "no-store"})


@router.get("/proofs/inclusion", summary="Proof that an entry is under a checkpoint", responses=examples.INCLUSION)
def inclusion(workplace: At, seq: Number, size: Number | None = None) -> Reply:
    """RFC 6962 path of leaf `seq`-1. Without `size`, to the first checkpoint that covers the entry."""
    return prove_inclusion(workplace.archive, seq, size).as_json()


@router.get("/proofs/consistency", summary="Proof that a checkpoint continues an earlier one", responses=examples.CONSISTENCY)
def consistency(workplace: At, old: Number, new: Number | None = None) -> Reply:
    """RFC 6962 path between two checkpoints, given by their sizes; `new` defaults to the latest."""
    return prove_consistency(workplace.archive, old, new).as_json()


@router.get("/keys", summary="Public keys that checkpoints were signed with", responses=examples.CUSTODY_KEYS)
def keys(workplace: At) -> Reply:
    """Oldest first; the last one signs now. `endorsed`: the key before it signed for it."""
    return {"keys": [key_json(key) for key in workplace.archive.checkpoints.logged_keys()]}


@router.get("/stamps", summary="Time-stamps, held and owed", responses=examples.STAMPS)
def stamps(workplace: At, after: After = 0, limit: Limit = 100) -> Reply:
    found = workplace.archive.stamps.all(after, limit + 1)
    return {"stamps": [stamp.as_json() for stamp in found[:limit]], "more": len(found) > limit}


@router.get("/stamps/{number}/response", summary="One time-stamp, as the authority gave it", response_class=Response)
def stamp_response(workplace: At, number: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> Response:
    """DER TimeStampResp, for `openssl ts -verify -digest HEX -in FILE`."""
    held = workplace.archive.stamps.stamp(number)
    if held.response is None:
        raise NotFound(f"time-stamp {number} is still pending: no authority has answered for it yet")
    named = {"Content-Disposition": f'attachment; filename="stamp-{number}.tsr"'}
    return Response(held.response, media_type="application/timestamp-reply", headers=named)


@router.get("/stamps/{number}/certificates", summary="The certificates that a time-stamp rests on", response_class=PlainTextResponse)
def stamp_certificates(workplace: At, number: Annotated[int, Path(ge=1, le=2**31 - 1)]) -> Response:
    """PEM, the authority's own first."""
    found = workplace.archive.stamps.certificates(workplace.archive.stamps.stamp(number))
    if found is None:
        raise NotFound(f"time-stamp {number} is still pending: no authority has answered for it yet")
    return PlainTextResponse(found.decode(), media_type="application/x-pem-file")
