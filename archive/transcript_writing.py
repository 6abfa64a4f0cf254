"""A transcript version written while its segments come: rows in chunks, digest and Merkle root on the way, in the caller's transaction.

However long the session, a chunk of its words is in memory and no more; rows, digest, root and claims are those of the whole.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sqlalchemy import Connection, insert, update

from archive.custody import CustodyLog
from archive.digest import Json
from archive.row_claims import claim
from archive.schema import segments, transcripts
from archive.transcript import Segment, Transcript
from archive.transcript_hashing import PassingSegments, segment_json

SALT_BYTES = 32
_SEGMENTS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A version that was written. `segments` counts all that it reads as, `added` those that it brought."""

    version: int
    digest: str
    segments: int
    added: int


@dataclass(frozen=True, slots=True)
class Base:
    """The version that one goes on from: the spans of its whole, and its segments as they are read, one after the other."""

    version: int
    speech: Sequence[tuple[int, int]]
    skipped: Sequence[tuple[int, int]]
    said: Iterable[Segment]


def write_version(
    connection: Connection,
    custody: CustodyLog,
    frame: Transcript,
    added: Iterable[Segment],
    actor: str,
    action: str,
    logged: Mapping[str, Json],
    base: Base | None = None,
) -> StoredVersion:
    """Write a version and its entry; of one that goes on from `base` only what it adds.

    `frame` is the version without its segments, its spans those of the whole. `added` come numbered, behind the base's.
    """
    frame = replace(frame, salt=secrets.token_hex(SALT_BYTES), segments=())
    passing = PassingSegments(frame)
    for chunk in _chunks(base.said if base else ()):
        passing.add(chunk)
    before = passing.count
    key = _begin(connection, frame, base)
    for chunk in _chunks(added):
        passing.add(chunk)
        connection.execute(insert(segments), [_row(key, segment) for segment in chunk])
    digest = passing.digest()
    connection.execute(update(transcripts).where(transcripts.c.id == key).values(digest=digest))
    provenance = frame.provenance
    detail: dict[str, Json] = {
        "version": frame.version,
        "digest": digest,
        "engine": provenance.engine,
        "model": provenance.model,
        "model_digest": provenance.model_digest,
        "segments": passing.count,
        "segments_root": passing.root(),
        "rows": [claim(connection, transcripts, id=key), claim(connection, segments, transcript_id=key)],
    }
    if base:
        detail |= {"continues": base.version, "added": passing.count - before}
    custody.append(connection, actor, action, frame.recording_id, {**detail, **logged})
    return StoredVersion(frame.version, digest, passing.count, passing.count - before)


def _begin(connection: Connection, frame: Transcript, base: Base | None) -> int:
    """The version's own row; its digest is put in once all segments have come by, before anybody can see it."""
    provenance = frame.provenance
    key: int = connection.execute(
        insert(transcripts)
        .values(
            recording_id=frame.recording_id,
            version=frame.version,
            engine=provenance.engine,
            engine_version=provenance.engine_version,
            model=provenance.model,
            model_digest=provenance.model_digest,
            parameters=provenance.parameters,
            created_at_ms=provenance.created_at.epoch_ms,
            speech=_added(frame.speech, base.speech if base else ()),
            skipped=_added(frame.skipped, base.skipped if base else ()),
            digest="",
            salt=frame.salt,
            continues=frame.continues,
        )
        .returning(transcripts.c.id)
    ).scalar_one()
    return key


def _chunks(said: Iterable[Segment]) -> Iterator[list[Segment]]:
    coming = iter(said)
    while chunk := list(islice(coming, _SEGMENTS_AT_ONCE)):
        yield chunk


def _added(whole: Sequence[tuple[int, int]], before: Sequence[tuple[int, int]]) -> list[Json]:
    """The spans of `whole` that are not among those `before`."""
    left = Counter(before)
    added: list[Json] = []
    for span in whole:
        if left[span] > 0:
            left[span] -= 1
        else:
            added.append(list(span))
    return added


def _row(transcript_key: int, segment: Segment) -> dict[str, Json]:
    nothing: dict[str, Json] = {"speaker": None, "heard_otherwise": None}
    return {"transcript_id": transcript_key, **nothing, **segment_json(segment)}
