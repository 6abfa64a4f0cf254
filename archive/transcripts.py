"""Stored transcripts: each a version with its provenance and a digest over all of it; none is ever overwritten (G7)."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, func, insert, select

from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json, canonical_json, digest_json
from archive.errors import NotFound
from archive.merkle import leaf_hash, tree_hash
from archive.row_claims import claim
from archive.schema import segments, transcripts
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment, Transcript, Word


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
        numbered = tuple(Segment(n, s.part, s.start_ms, s.end_ms, s.text, s.words, s.risk, s.confidence) for n, s in enumerate(ordered, 1))
        with self._database.writing() as connection:
            self._custody.queue(connection)
            draft = Transcript(
                recording_id, _newest_version(connection, recording_id) + 1, provenance, numbered, tuple(speech), tuple(skipped)
            )
            digest = transcript_digest(draft)
            key = connection.execute(
                insert(transcripts)
                .values(
                    recording_id=recording_id,
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
                )
                .returning(transcripts.c.id)
            ).scalar_one()
            if numbered:
                connection.execute(insert(segments), [{"transcript_id": key, **segment_json(segment)} for segment in numbered])
            self._custody.append(
                connection,
                actor,
                "transcribe",
                recording_id,
                {
                    "version": draft.version,
                    "digest": digest,
                    "engine": provenance.engine,
                    "model": provenance.model,
                    "model_digest": provenance.model_digest,
                    "segments": len(numbered),
                    "segments_root": segments_root(numbered),
                    "rows": [claim(connection, transcripts, id=key), claim(connection, segments, transcript_id=key)],
                },
            )
        return Transcript(recording_id, draft.version, provenance, numbered, draft.speech, draft.skipped, key, digest)

    def newest_version(self, recording_id: str) -> int:
        """Number of the newest version, 0 if nothing has been transcribed yet; reads no segment."""
        with self._database.reading() as connection:
            return _newest_version(connection, recording_id)

    def latest(self, recording_id: str) -> Transcript | None:
        """The newest version, None if nothing has been transcribed yet."""
        return self._read(recording_id, None)

    def version(self, recording_id: str, version: int) -> Transcript:
        """One version. NotFound if there is none."""
        found = self._read(recording_id, version)
        if found is None:
            raise NotFound(f"recording {recording_id} has no transcript version {version}")
        return found

    def _read(self, recording_id: str, version: int | None) -> Transcript | None:
        query = select(transcripts).where(transcripts.c.recording_id == recording_id).order_by(transcripts.c.version.desc()).limit(1)
        if version is not None:
            query = query.where(transcripts.c.version == version)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
            if row is None:
                return None
            rows = connection.execute(select(segments).where(segments.c.transcript_id == row["id"]).order_by(segments.c.number)).mappings()
            return Transcript(
                recording_id,
                row["version"],
                Provenance(
                    row["engine"],
                    row["engine_version"],
                    row["model"],
                    row["model_digest"],
                    row["parameters"],
                    WallTime(row["created_at_ms"]),
                ),
                tuple(_segment(r) for r in rows),
                tuple((start, end) for start, end in row["speech"]),
                tuple((start, end) for start, end in row["skipped"]),
                row["id"],
                row["digest"],
            )


def _newest_version(connection: Connection, recording_id: str) -> int:
    newest = connection.execute(select(func.max(transcripts.c.version)).where(transcripts.c.recording_id == recording_id)).scalar()
    return newest or 0


def transcript_digest(transcript: Transcript) -> str:
    """Digest over provenance, regions and every segment: what the custody log holds a transcript to (G2)."""
    p = transcript.provenance
    said: list[Json] = [segment_json(segment) for segment in transcript.segments]
    return digest_json(
        {
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


def segment_leaves(said: Sequence[Segment]) -> list[bytes]:
    """Merkle leaves of a transcript's segments, so that a few of them can be shown to be in it without the others (G3 for words)."""
    return [leaf_hash(canonical_json(segment_json(segment))) for segment in said]


def segments_root(said: Sequence[Segment]) -> str:
    """RFC 6962 root over the segments, which the custody entry of a transcript holds."""
    return "sha256:" + tree_hash(segment_leaves(said)).hex()


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
