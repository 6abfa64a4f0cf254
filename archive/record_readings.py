"""Readings of a case's papers as they are stored: versions with provenance and digest, never overwritten, each with its custody entry."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, func, insert, select

from archive.case_record import RecordPiece, RecordReading
from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json, digest_json
from archive.errors import InvalidCase, NotFound
from archive.row_claims import claim
from archive.schema import case_attachments, record_readings, record_texts
from archive.timeline import WallTime
from archive.transcript import Provenance


class RecordReadings:
    """Reads and writes of what was read out of attachments."""

    def __init__(self, database: Database, custody: CustodyLog) -> None:
        self._database = database
        self._custody = custody

    def add(
        self,
        case_id: str,
        attachment: int,
        provenance: Provenance,
        pieces: Sequence[RecordPiece],
        notes: Sequence[Mapping[str, Json]],
        actor: str,
    ) -> RecordReading:
        """Store the next version. NotFound for an unknown attachment, InvalidCase for a withdrawn one."""
        with self._database.writing() as connection:
            self._custody.queue(connection)
            _check_standing(connection, case_id, attachment)
            version = _newest(connection, case_id, attachment) + 1
            draft = RecordReading(case_id, attachment, version, provenance, tuple(notes), tuple(pieces))
            digest = reading_digest(draft)
            key = connection.execute(
                insert(record_readings)
                .values(
                    case_id=case_id,
                    attachment=attachment,
                    version=version,
                    engine=provenance.engine,
                    engine_version=provenance.engine_version,
                    model=provenance.model,
                    model_digest=provenance.model_digest,
                    parameters=provenance.parameters,
                    created_at_ms=provenance.created_at.epoch_ms,
                    notes=[dict(note) for note in notes],
                    digest=digest,
                )
                .returning(record_readings.c.id)
            ).scalar_one()
            if pieces:
                rows = [
                    {"reading_id": key, "number": number, "place": dict(piece.place), "text": piece.text, "confidence": piece.confidence}
                    for number, piece in enumerate(pieces, 1)
                ]
                connection.execute(insert(record_texts), rows)
            detail: dict[str, Json] = {
                "attachment": attachment,
                "version": version,
                "digest": digest,
                "engine": provenance.engine,
                "model": provenance.model,
                "model_digest": provenance.model_digest,
                "pieces": len(draft.pieces),
                "rows": [claim(connection, record_readings, id=key), claim(connection, record_texts, reading_id=key)],
            }
            self._custody.append(connection, actor, "record.read", case_id, detail)
        return replace(draft, id=key, digest=digest)

    def newest_version(self, case_id: str, attachment: int) -> int:
        """Number of the newest version, 0 if nothing has been read yet."""
        with self._database.reading() as connection:
            return _newest(connection, case_id, attachment)

    def latest(self, case_id: str, attachment: int) -> RecordReading | None:
        """The newest version with its pieces, None if nothing has been read yet."""
        return self._read(case_id, attachment, None)

    def version(self, case_id: str, attachment: int, version: int) -> RecordReading:
        """One version with its pieces. NotFound if there is none."""
        found = self._read(case_id, attachment, version)
        if found is None:
            raise NotFound(f"attachment {attachment} of case {case_id} has no reading {version}")
        return found

    def overview(self, case_id: str) -> dict[int, RecordReading]:
        """The newest version of every attachment that was read, by its number, without pieces."""
        query = select(record_readings).where(record_readings.c.case_id == case_id).order_by(record_readings.c.version)
        with self._database.reading() as connection:
            return {row["attachment"]: _reading(row, ()) for row in connection.execute(query).mappings()}

    def newest_versions(self) -> dict[tuple[str, int], int]:
        """(case, attachment) → newest version, 0 where nothing was read yet, of every paper that was not withdrawn; calls are heard."""
        papers = case_attachments
        held = select(papers.c.case_id, papers.c.number).where(papers.c.withdrawn_at_ms.is_(None), papers.c.recording_id.is_(None))
        of = (record_readings.c.case_id, record_readings.c.attachment)
        with self._database.reading() as connection:
            found = {(row.case_id, row.number): 0 for row in connection.execute(held)}
            for case_id, number, version in connection.execute(select(*of, func.max(record_readings.c.version)).group_by(*of)):
                if (case_id, number) in found:
                    found[case_id, number] = version
        return found

    def _read(self, case_id: str, attachment: int, version: int | None) -> RecordReading | None:
        query = select(record_readings).where(record_readings.c.case_id == case_id, record_readings.c.attachment == attachment)
        if version is not None:
            query = query.where(record_readings.c.version == version)
        with self._database.reading() as connection:
            row = connection.execute(query.order_by(record_readings.c.version.desc()).limit(1)).mappings().first()
            if row is None:
                return None
            texts = select(record_texts).where(record_texts.c.reading_id == row["id"]).order_by(record_texts.c.number)
            pieces = tuple(RecordPiece(t["place"], t["text"], t["confidence"]) for t in connection.execute(texts).mappings())
        return _reading(row, pieces)


def reading_digest(reading: RecordReading) -> str:
    """Digest over provenance, notes and every piece: what the custody log holds a reading to (G2)."""
    p = reading.provenance
    pieces: list[Json] = [[dict(piece.place), piece.text, piece.confidence] for piece in reading.pieces]
    return digest_json(
        {
            "case": reading.case_id,
            "attachment": reading.attachment,
            "version": reading.version,
            "engine": [p.engine, p.engine_version, p.model, p.model_digest],
            "parameters": p.parameters,
            "created_at": p.created_at.iso(),
            "notes": [dict(note) for note in reading.notes],
            "pieces": pieces,
        }
    )


def _check_standing(connection: Connection, case_id: str, attachment: int) -> None:
    of_it = (case_attachments.c.case_id == case_id, case_attachments.c.number == attachment)
    row = connection.execute(select(case_attachments.c.withdrawn_at_ms).where(*of_it)).first()
    if row is None:
        raise NotFound(f"case {case_id} has no attachment {attachment}")
    if row.withdrawn_at_ms is not None:
        raise InvalidCase(f"attachment {attachment} of case {case_id} was withdrawn: it is no longer read")


def _newest(connection: Connection, case_id: str, attachment: int) -> int:
    of_it = (record_readings.c.case_id == case_id, record_readings.c.attachment == attachment)
    return connection.execute(select(func.max(record_readings.c.version)).where(*of_it)).scalar() or 0


def _reading(row: RowMapping, pieces: tuple[RecordPiece, ...]) -> RecordReading:
    made = Provenance(
        row["engine"], row["engine_version"], row["model"], row["model_digest"], row["parameters"], WallTime(row["created_at_ms"])
    )
    return RecordReading(row["case_id"], row["attachment"], row["version"], made, tuple(row["notes"]), pieces, row["id"], row["digest"])
