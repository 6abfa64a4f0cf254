"""Stored transcripts: each a version with its provenance and a digest over all of it; none is ever overwritten (G7)."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, func, insert, select

from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json, canonical_json, digest_json
from archive.errors import InvalidEdit, NotFound
from archive.merkle import leaf_hash, tree_hash
from archive.row_claims import claim
from archive.schema import segments, transcripts
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment, Transcript, Word

HUMAN = "human"
EDITED = "edited_by_hand"
TEXT_MAX_CHARS, REASON_MAX_CHARS = 2_000, 500
SALT_BYTES = 32


class TranscriptCatalog:
    """Reads and adds transcript versions."""

    def __init__(self, database: Database, custody: CustodyLog) -> None:
        self._database = database
        self._custody = custody

    def add(
        self,
        recording_id: str,
        provenance: Provenance,
        said: Sequence[Segment],
        speech: Sequence[tuple[int, int]],
        skipped: Sequence[tuple[int, int]],
        actor: str,
    ) -> Transcript:
        """Store a further version. Segments are renumbered from 1 in time order."""
        ordered = sorted(said, key=lambda segment: (segment.start_ms, segment.end_ms))
        numbered = tuple(replace(segment, number=n) for n, segment in enumerate(ordered, 1))
        with self._database.writing() as connection:
            self._custody.queue(connection)
            draft = Transcript(
                recording_id, _newest_version(connection, recording_id) + 1, provenance, numbered, tuple(speech), tuple(skipped)
            )
            return self._store(connection, draft, actor, "transcribe", {})

    def edit(
        self,
        recording_id: str,
        segment_number: int,
        new_text: str,
        reason: str,
        actor: str,
        at: WallTime,
        expected_version: int | None = None,
    ) -> Transcript:
        """Put other words into one segment: a further version by engine `human`, on top of the newest one, which stays as it is (G7).

        Its parameters name the machine's version and every edit since, with before, after, who, when and why. The segment keeps its span,
        but loses its words' times and its confidence, because nobody measured those of the new words. NotFound without a transcript;
        InvalidEdit for an unknown segment, an empty or unchanged text, no reason, or where `expected_version` is no longer the newest.
        """
        text, why = new_text.strip(), reason.strip()
        if not text or len(text) > TEXT_MAX_CHARS:
            raise InvalidEdit(f"the new text must have 1 to {TEXT_MAX_CHARS} characters; for words nobody can make out write 〔听不清〕")
        if not why or len(why) > REASON_MAX_CHARS:
            raise InvalidEdit(f"an edit needs a reason of at most {REASON_MAX_CHARS} characters")
        with self._database.writing() as connection:
            self._custody.queue(connection)
            base = self._read(connection, recording_id, None)
            if base is None:
                raise NotFound(f"recording {recording_id} has no transcript to edit")
            if expected_version is not None and expected_version != base.version:
                raise InvalidEdit(f"version {base.version} of the transcript came meanwhile: look at it and make the edit again")
            before = next((s for s in base.segments if s.number == segment_number), None)
            if before is None:
                raise InvalidEdit(f"version {base.version} has no segment {segment_number}: it has 1 to {len(base.segments)}")
            if before.text == text:
                raise InvalidEdit(f"segment {segment_number} says just that already")
            made: dict[str, Json] = {
                "version": base.version + 1,
                "segment": segment_number,
                "before": before.text,
                "after": text,
                "by": actor,
                "at": at.iso(),
                "reason": why,
            }
            machine = machine_version(base)
            parameters: dict[str, Json] = {
                "base_version": machine,
                "base_digest": base.digest if machine == base.version else base.provenance.parameters["base_digest"],
                "edits": [*edits_of(base), made],
            }
            after = replace(before, text=text, words=(), risk=(EDITED,), confidence=None)
            said = tuple(after if s.number == segment_number else s for s in base.segments)
            provenance = Provenance(HUMAN, "", actor, None, parameters, at)
            draft = Transcript(recording_id, base.version + 1, provenance, said, base.speech, base.skipped)
            logged: dict[str, Json] = {"base_version": base.version, "machine_version": machine, "segment": segment_number}
            return self._store(connection, draft, actor, "transcript.edit", logged)

    def _store(self, connection: Connection, draft: Transcript, actor: str, action: str, logged: Mapping[str, Json]) -> Transcript:
        """Write a version and its entry, in the caller's transaction."""
        draft = replace(draft, salt=secrets.token_hex(SALT_BYTES))
        provenance, digest = draft.provenance, transcript_digest(draft)
        key = connection.execute(
            insert(transcripts)
            .values(
                recording_id=draft.recording_id,
                version=draft.version,
                engine=provenance.engine,
                engine_version=provenance.engine_version,
                model=provenance.model,
                model_digest=provenance.model_digest,
                parameters=provenance.parameters,
                created_at_ms=provenance.created_at.epoch_ms,
                speech=[list(span) for span in draft.speech],
                skipped=[list(span) for span in draft.skipped],
                digest=digest,
                salt=draft.salt,
            )
            .returning(transcripts.c.id)
        ).scalar_one()
        if draft.segments:
            connection.execute(insert(segments), [{"transcript_id": key, **segment_json(segment)} for segment in draft.segments])
        detail: dict[str, Json] = {
            "version": draft.version,
            "digest": digest,
            "engine": provenance.engine,
            "model": provenance.model,
            "model_digest": provenance.model_digest,
            "segments": len(draft.segments),
            "segments_root": segments_root(draft),
            "rows": [claim(connection, transcripts, id=key), claim(connection, segments, transcript_id=key)],
        }
        self._custody.append(connection, actor, action, draft.recording_id, {**detail, **logged})
        return replace(draft, id=key, digest=digest)

    def newest_version(self, recording_id: str) -> int:
        """Number of the newest version, 0 if nothing has been transcribed yet; reads no segment."""
        with self._database.reading() as connection:
            return _newest_version(connection, recording_id)

    def latest(self, recording_id: str) -> Transcript | None:
        """The newest version, None if nothing has been transcribed yet."""
        with self._database.reading() as connection:
            return self._read(connection, recording_id, None)

    def version(self, recording_id: str, version: int) -> Transcript:
        """One version. NotFound if there is none."""
        with self._database.reading() as connection:
            found = self._read(connection, recording_id, version)
        if found is None:
            raise NotFound(f"recording {recording_id} has no transcript version {version}")
        return found

    def _read(self, connection: Connection, recording_id: str, version: int | None) -> Transcript | None:
        query = select(transcripts).where(transcripts.c.recording_id == recording_id).order_by(transcripts.c.version.desc()).limit(1)
        if version is not None:
            query = query.where(transcripts.c.version == version)
        row = connection.execute(query).mappings().first()
        if row is None:
            return None
        rows = connection.execute(select(segments).where(segments.c.transcript_id == row["id"]).order_by(segments.c.number)).mappings()
        created_at = WallTime(row["created_at_ms"])
        return Transcript(
            recording_id,
            row["version"],
            Provenance(row["engine"], row["engine_version"], row["model"], row["model_digest"], row["parameters"], created_at),
            tuple(_segment(r) for r in rows),
            tuple((start, end) for start, end in row["speech"]),
            tuple((start, end) for start, end in row["skipped"]),
            row["id"],
            row["digest"],
            row["salt"],
        )


def machine_version(transcript: Transcript) -> int:
    """Number of the version that a machine wrote and that this one's edits were made on: its own where nobody edited it."""
    base = transcript.provenance.parameters.get("base_version")
    return base if transcript.provenance.engine == HUMAN and isinstance(base, int) else transcript.version


def edits_of(transcript: Transcript) -> list[Mapping[str, Json]]:
    """The edits that lead from the machine's version to this one, oldest first: version, segment, before, after, by, at, reason."""
    edits = transcript.provenance.parameters.get("edits") if transcript.provenance.engine == HUMAN else None
    return [edit for edit in edits if isinstance(edit, Mapping)] if isinstance(edits, list) else []


def _newest_version(connection: Connection, recording_id: str) -> int:
    newest = connection.execute(select(func.max(transcripts.c.version)).where(transcripts.c.recording_id == recording_id)).scalar()
    return newest or 0


def transcript_digest(transcript: Transcript) -> str:
    """Digest over provenance, regions and every segment: what the custody log holds a transcript to (G2)."""
    p = transcript.provenance
    said: list[Json] = [segment_json(segment) for segment in transcript.segments]
    salted: dict[str, Json] = {"salt": transcript.salt} if transcript.salt else {}
    return digest_json(
        {
            **salted,
            "recording": transcript.recording_id,
            "version": transcript.version,
            "engine": [p.engine, p.engine_version, p.model, p.model_digest],
            "parameters": p.parameters,
            "created_at": p.created_at.iso(),
            "speech": [list(span) for span in transcript.speech],
            "skipped": [list(span) for span in transcript.skipped],
            "segments": said,
        }
    )


def segment_leaves(transcript: Transcript) -> list[bytes]:
    """Merkle leaves of a transcript's segments, so that a few of them can be shown to be in it without the others (G3 for words)."""
    return [leaf_hash(canonical_json(hashed_segment(transcript, segment))) for segment in transcript.segments]


def segments_root(transcript: Transcript) -> str:
    """RFC 6962 root over the segments, which the custody entry of a transcript holds."""
    return "sha256:" + tree_hash(segment_leaves(transcript)).hex()


def hashed_segment(transcript: Transcript, segment: Segment) -> dict[str, Json]:
    """What a segment's leaf is over: the segment, and a salt of its own that is shown with it and says nothing of any other's.

    salt = the first 16 bytes of HMAC-SHA256(the transcript's salt, the segment's number in decimal), in hex. Versions written before
    transcripts had a salt have none.
    """
    if not transcript.salt:
        return segment_json(segment)
    own = hmac.new(bytes.fromhex(transcript.salt), str(segment.number).encode(), hashlib.sha256).hexdigest()[:32]
    return {**segment_json(segment), "salt": own}


def segment_json(segment: Segment) -> dict[str, Json]:
    """A segment as it is stored and hashed."""
    return {
        "number": segment.number,
        "part": segment.part,
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
        "text": segment.text,
        "words": [[w.start_ms, w.end_ms, w.text, w.probability] for w in segment.words],
        "risk": list(segment.risk),
        "confidence": segment.confidence,
    }


def _segment(row: RowMapping) -> Segment:
    return Segment(
        row["number"],
        row["part"],
        row["start_ms"],
        row["end_ms"],
        row["text"],
        tuple(Word(start, end, text, probability) for start, end, text, probability in row["words"]),
        tuple(row["risk"]),
        row["confidence"],
    )
