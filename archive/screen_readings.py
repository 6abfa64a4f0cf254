"""Stored readings of the screen: each a version of one part with its provenance and a digest over all of it; none is overwritten (G7)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, Select, func, insert, select

from archive.custody import CustodyEntry, CustodyLog
from archive.database import Database
from archive.digest import Json, digest_json
from archive.errors import NotFound
from archive.row_claims import claim
from archive.schema import screen_readings, screen_texts
from archive.timeline import WallTime
from archive.transcript import Provenance

ACTION = "screen.read"


@dataclass(frozen=True, slots=True)
class ScreenText:
    """A line of text for as long as it stood on the screen, in ms of the recording's time line.

    `box`: (left, top, width, height) as shares of the picture; `confidence` 0…1.
    """

    start_ms: int
    end_ms: int
    text: str
    box: tuple[float, float, float, float]
    confidence: float | None


@dataclass(frozen=True, slots=True)
class ScreenReading:
    """One version of what a part's pictures showed. `frames`: how many pictures were looked at; 0 where the part has none.

    The provenance's parameters hold, beside the settings, what was left out and why (`notes`).
    """

    recording_id: str
    part: int
    version: int
    provenance: Provenance
    frames: int
    texts: tuple[ScreenText, ...]
    id: int | None = None
    digest: str | None = None


class ScreenCatalog:
    """Reads and adds readings of the screen."""

    def __init__(self, database: Database, custody: CustodyLog) -> None:
        self._database = database
        self._custody = custody

    def add(
        self, recording_id: str, part: int, provenance: Provenance, frames: int, texts: Sequence[ScreenText], actor: str
    ) -> ScreenReading:
        """Store a further version of a part's reading, its lines in order of time. NotFound if the part isn't held."""
        ordered = tuple(sorted(texts, key=lambda text: (text.start_ms, text.end_ms, text.box[1], text.box[0])))
        with self._database.writing() as connection:
            self._custody.queue(connection)
            newest = select(func.max(screen_readings.c.version)).where(
                screen_readings.c.recording_id == recording_id, screen_readings.c.part == part
            )
            draft = ScreenReading(recording_id, part, (connection.execute(newest).scalar() or 0) + 1, provenance, frames, ordered)
            digest = reading_digest(draft)
            key = connection.execute(
                insert(screen_readings)
                .values(
                    recording_id=recording_id,
                    part=part,
                    version=draft.version,
                    engine=provenance.engine,
                    engine_version=provenance.engine_version,
                    model=provenance.model,
                    model_digest=provenance.model_digest,
                    parameters=provenance.parameters,
                    created_at_ms=provenance.created_at.epoch_ms,
                    frames=frames,
                    digest=digest,
                )
                .returning(screen_readings.c.id)
            ).scalar_one()
            if ordered:
                rows = [{"reading_id": key, "number": number, **_text_json(text)} for number, text in enumerate(ordered, 1)]
                connection.execute(insert(screen_texts), rows)
            detail: dict[str, Json] = {
                "part": part,
                "version": draft.version,
                "digest": digest,
                "engine": provenance.engine,
                "model": provenance.model,
                "model_digest": provenance.model_digest,
                "frames": frames,
                "texts": len(ordered),
                "rows": [claim(connection, screen_readings, id=key), claim(connection, screen_texts, reading_id=key)],
            }
            self._custody.append(connection, actor, ACTION, recording_id, detail)
        return replace(draft, id=key, digest=digest)

    def newest(self, recording_id: str) -> list[ScreenReading]:
        """The newest version of every part that was read, in order of parts."""
        with self._database.reading() as connection:
            return [_reading(connection, row) for row in connection.execute(_newest_of(recording_id)).mappings()]

    def versions(self, recording_id: str) -> dict[int, int]:
        """Number of the newest version by part; reads no line."""
        with self._database.reading() as connection:
            return {row["part"]: row["version"] for row in connection.execute(_newest_of(recording_id)).mappings()}

    def version(self, recording_id: str, part: int, version: int) -> ScreenReading:
        """One version of a part. NotFound if there is none."""
        chosen = select(screen_readings).where(
            screen_readings.c.recording_id == recording_id, screen_readings.c.part == part, screen_readings.c.version == version
        )
        with self._database.reading() as connection:
            row = connection.execute(chosen).mappings().first()
            if row is None:
                raise NotFound(f"recording {recording_id} has no reading {version} of the screen in part {part}")
            return _reading(connection, row)

    def all_versions(self) -> list[tuple[str, int, int]]:
        """(recording, part, version) of every reading held."""
        columns = (screen_readings.c.recording_id, screen_readings.c.part, screen_readings.c.version)
        with self._database.reading() as connection:
            return [(recording_id, part, version) for recording_id, part, version in connection.execute(select(*columns))]

    def texts(self, recording_id: str, from_ms: int = 0, to_ms: int | None = None) -> list[ScreenText]:
        """Lines of the newest readings that stood at some moment in [from_ms, to_ms), in order of time."""
        newest = _newest_of(recording_id).subquery()
        query = (
            select(screen_texts)
            .join(newest, newest.c.id == screen_texts.c.reading_id)
            .where(screen_texts.c.end_ms > from_ms)
            .order_by(screen_texts.c.start_ms, screen_texts.c.end_ms, screen_texts.c.reading_id, screen_texts.c.number)
        )
        if to_ms is not None:
            query = query.where(screen_texts.c.start_ms < to_ms)
        with self._database.reading() as connection:
            return [_text(row) for row in connection.execute(query).mappings()]


def check_readings(screens: ScreenCatalog, entries: Iterable[CustodyEntry]) -> tuple[int, list[tuple[str, str]]]:
    """How many readings `entries` log, and every one that was changed, removed or slipped in, with what is wrong (G2)."""
    logged: dict[tuple[str, int, int], str] = {}
    for entry in entries:
        if entry.action == ACTION:
            detail = json.loads(entry.detail)
            logged[entry.subject, detail["part"], detail["version"]] = detail["digest"]
    problems = []
    held = set(screens.all_versions())
    for (recording_id, part, version), digest in logged.items():
        name = _name(recording_id, part, version)
        if (recording_id, part, version) not in held:
            problems.append((name, "is logged but no longer held"))
            continue
        found = screens.version(recording_id, part, version)
        if reading_digest(found) != digest or found.digest != digest:
            problems.append((name, "was changed after it was logged"))
    problems += [(_name(*key), "is held but was never logged") for key in sorted(held - set(logged))]
    return len(logged), problems


def _name(recording_id: str, part: int, version: int) -> str:
    return f"reading {version} of the screen in part {part} of recording {recording_id}"


def reading_digest(reading: ScreenReading) -> str:
    """Digest over provenance and every line: what the custody log holds a reading to (G2)."""
    p = reading.provenance
    lines: list[Json] = [_text_json(text) for text in reading.texts]
    return digest_json(
        {
            "recording": reading.recording_id,
            "part": reading.part,
            "version": reading.version,
            "engine": [p.engine, p.engine_version, p.model, p.model_digest],
            "parameters": p.parameters,
            "created_at": p.created_at.iso(),
            "frames": reading.frames,
            "texts": lines,
        }
    )


def _newest_of(recording_id: str) -> Select[tuple[object, ...]]:
    newest = (
        select(screen_readings.c.part, func.max(screen_readings.c.version).label("version"))
        .where(screen_readings.c.recording_id == recording_id)
        .group_by(screen_readings.c.part)
        .subquery()
    )
    return (
        select(screen_readings)
        .join(newest, (newest.c.part == screen_readings.c.part) & (newest.c.version == screen_readings.c.version))
        .where(screen_readings.c.recording_id == recording_id)
        .order_by(screen_readings.c.part)
    )


def _reading(connection: Connection, row: RowMapping) -> ScreenReading:
    lines = select(screen_texts).where(screen_texts.c.reading_id == row["id"]).order_by(screen_texts.c.number)
    created_at = WallTime(row["created_at_ms"])
    return ScreenReading(
        row["recording_id"],
        row["part"],
        row["version"],
        Provenance(row["engine"], row["engine_version"], row["model"], row["model_digest"], row["parameters"], created_at),
        row["frames"],
        tuple(_text(line) for line in connection.execute(lines).mappings()),
        row["id"],
        row["digest"],
    )


def _text(row: RowMapping) -> ScreenText:
    left, top, width, height = row["box"]
    return ScreenText(row["start_ms"], row["end_ms"], row["text"], (left, top, width, height), row["confidence"])


def _text_json(text: ScreenText) -> dict[str, Json]:
    return {
        "start_ms": text.start_ms,
        "end_ms": text.end_ms,
        "text": text.text,
        "box": list(text.box),
        "confidence": text.confidence,
    }
