"""What the SQLite file holds of recordings beside their passages: the rows that filters, coverage and answers are read from."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from archive.recording import Message, Product, Recording
from search.indexes import Filter, RecordingEntry, Summary, Totals
from search.indexes.documents import (
    read_claim,
    read_message,
    read_product,
    read_recording,
    read_unit,
    write_product,
    write_recording,
)
from search.indexes.staging import Staged
from search.passages import IndexedUnit, LinkedClaim
from search.promises import Claim
from search.seams import NO_SEAMS, Seam, Seams, read_seams, write_seams

PRODUCTS_KEPT = 16_384
# (the column that names a row of a recording, the others)
_COLUMNS = {
    "units": ("number", "body"),
    "claims": ("number", "body"),
    "products": ("product_id", "body"),
    "messages": ("number", "at_ms", "text", "kind", "uncertainty_ms"),
}
_ENTRY = "SELECT b.body, r.transcribed_ms, r.risky_ms, r.segments, r.messages, r.units, r.transcript, r.as_of, r.embedder"
_FROM = " FROM recordings r JOIN bodies b USING (recording)"
_TOTALS = (
    "SELECT count(*), total(NOT has_media), total(duration_ms), total(held_ms), total(transcribed_ms), total(risky_ms), total(missing_ms), "
    "total(messages) FROM recordings r"
)
_CONDITIONS = {
    "recording": "r.id = :recording",
    "product": "(r.shelf = 0 OR r.recording IN (SELECT recording FROM products WHERE product_id = :product))",
    "host": "r.host = :host",
    "platform": "r.platform = :platform",
    "room": "r.room = :room",
    "since": "r.ended_ms >= :since",
    "until": "r.started_ms < :until",
    "calls": "(r.kind IS 'call') = :calls",
    "among": "r.id IN (SELECT value FROM json_each(:among))",
}
_UNITS = "SELECT CAST(body AS BLOB) FROM units WHERE recording = ? AND number BETWEEN ? AND ? ORDER BY number"


_EARLIER_CLAIMS = (
    "SELECT number, body FROM claims WHERE recording = ? AND number < ? AND (json_extract(body, '$[2]') >= ? "
    "OR EXISTS (SELECT 1 FROM json_each(body, '$[4]') own JOIN json_each(?) asked ON own.value = asked.value)) ORDER BY number DESC"
)


def limits_recordings(wanted: Filter) -> bool:
    """Whether the filter asks anything of recordings."""
    return any(getattr(wanted, name) is not None for name in _CONDITIONS)


def _where(wanted: Filter) -> tuple[str, dict[str, object]]:
    values: dict[str, object] = {}
    for name in _CONDITIONS:
        value = getattr(wanted, name)
        if value is not None:
            values[name] = value
    if wanted.since:
        values["since"] = wanted.since.epoch_ms
    if wanted.until:
        values["until"] = wanted.until.epoch_ms
    if wanted.among is not None:
        values["among"] = json.dumps(wanted.among)
    return (" WHERE " + " AND ".join(_CONDITIONS[name] for name in values)) if values else "", values


def entries(db: sqlite3.Connection, wanted: Filter) -> list[RecordingEntry]:
    where, values = _where(wanted)
    rows = db.execute(_ENTRY + _FROM + where + " ORDER BY r.started_ms, r.id", values)
    return [RecordingEntry(_recording(body), *counts) for body, *counts in rows]


@lru_cache(maxsize=1024)
def _recording(body: str) -> Recording:
    return read_recording(body)


def ids(db: sqlite3.Connection, wanted: Filter) -> frozenset[str]:
    where, values = _where(wanted)
    return frozenset(row[0] for row in db.execute("SELECT r.id FROM recordings r" + where, values))  # noqa: S608 - our own conditions


def numbers(db: sqlite3.Connection, wanted: Filter) -> tuple[frozenset[int], int]:
    """Numbers of the recordings that pass, and how many passages they have."""
    where, values = _where(wanted)
    rows = db.execute("SELECT r.recording, r.passages FROM recordings r" + where, values).fetchall()  # noqa: S608
    return frozenset(row[0] for row in rows), sum(row[1] for row in rows)


def totals(db: sqlite3.Connection, wanted: Filter) -> Totals:
    where, values = _where(wanted)
    sums = db.execute(_TOTALS + where, values).fetchone()
    live = f"SELECT r.id FROM recordings r{where}{' AND' if where else ' WHERE'} r.live ORDER BY r.started_ms, r.id"  # noqa: S608
    names = ("recordings", "captions_only", "duration_ms", "held_ms", "transcribed_ms", "risky_ms", "missing_ms", "messages")
    summed = dict(zip(names, map(int, sums), strict=True))
    return Totals(**summed, live=tuple(row[0] for row in db.execute(live, values)))


def number_of(db: sqlite3.Connection, recording_id: str) -> int | None:
    row = db.execute("SELECT recording FROM recordings WHERE id = ?", (recording_id,)).fetchone()
    return int(row[0]) if row else None


def units(db: sqlite3.Connection, recording_id: str, first: int, last: int) -> list[IndexedUnit]:
    number = number_of(db, recording_id)
    return [read_unit(body) for (body,) in db.execute(_UNITS, (number, first, last))]


def runs(db: sqlite3.Connection, wanted: Sequence[tuple[str, int, int]]) -> list[list[IndexedUnit]]:
    """The units of each (recording, first, last)."""
    by_id = {recording_id: number_of(db, recording_id) for recording_id in {run[0] for run in wanted}}
    return [[read_unit(body) for (body,) in db.execute(_UNITS, (by_id[each], first, last))] for each, first, last in wanted]


def claims(db: sqlite3.Connection, recording_id: str) -> list[LinkedClaim]:
    rows = db.execute("SELECT body FROM claims WHERE recording = ? ORDER BY number", (number_of(db, recording_id),))
    return [read_claim(body) for (body,) in rows]


def products(db: sqlite3.Connection, recording_id: str) -> list[Product]:
    rows = db.execute("SELECT body FROM products WHERE recording = ? ORDER BY product_id", (number_of(db, recording_id),))
    return [_product(body) for (body,) in rows]


@lru_cache(maxsize=PRODUCTS_KEPT)
def _product(body: str) -> Product:
    """Shelves are asked for again and again, and change seldom."""
    return read_product(body)


def messages(db: sqlite3.Connection, recording_id: str, from_ms: int, to_ms: int) -> list[Message]:
    rows = db.execute(
        "SELECT at_ms, text, kind, uncertainty_ms FROM messages WHERE recording = ? AND at_ms BETWEEN ? AND ? ORDER BY at_ms, number",
        (number_of(db, recording_id), from_ms, to_ms),
    )
    return [read_message(*row) for row in rows]


def seams(db: sqlite3.Connection, recording_id: str) -> tuple[Seams, str]:
    """Read, and as they are written; none where none are."""
    row = db.execute("SELECT s.body FROM seams s JOIN recordings r USING (recording) WHERE r.id = ?", (recording_id,)).fetchone()
    return (read_seams(row[0]), row[0]) if row else (NO_SEAMS, "")


def earlier_claims(
    db: sqlite3.Connection, recording_id: str, before: int, products: frozenset[str], since_ms: int
) -> Iterator[tuple[int, Claim]]:
    wanted = (number_of(db, recording_id), before, since_ms, json.dumps(sorted(products)))
    for number, body in db.execute(_EARLIER_CLAIMS, wanted):
        yield number, read_claim(body).claim


def store(db: sqlite3.Connection, number: int, seam: Seam, staged: Staged, summary: Summary) -> None:
    """Makes a recording's rows from a seam on these, but for its passages; what is there already is left alone."""
    recording = summary.recording
    started, _ = recording.wall_at(0)
    db.execute(
        "INSERT OR REPLACE INTO recordings VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            number,
            recording.id,
            recording.platform,
            recording.room,
            recording.host,
            recording.kind,
            started.epoch_ms if started else None,
            started.epoch_ms + recording.duration_ms if started else None,
            recording.live,
            recording.has_media,
            len(summary.products),
            recording.duration_ms,
            recording.held_ms,
            sum(gap.end_ms - gap.start_ms for gap in recording.gaps),
            summary.transcribed_ms,
            summary.risky_ms,
            summary.segments,
            seam.messages + len(summary.messages),
            summary.units,
            summary.passages,
            summary.transcript_version,
            summary.as_of,
            summary.embedder,
        ),
    )
    db.execute("INSERT OR REPLACE INTO bodies VALUES (?, ?)", (number, write_recording(recording)))
    db.execute("INSERT OR REPLACE INTO seams VALUES (?, ?)", (number, write_seams(summary.seams)))
    _bring(db, "units", number, staged.units(), seam.unit)
    _bring(db, "claims", number, staged.claims(seam.claims), seam.claims)
    said = enumerate(summary.messages, seam.messages)
    _bring(db, "messages", number, ((n, m.at_ms, m.text, m.kind.value, m.uncertainty_ms) for n, m in said), seam.messages)
    shelf = {product.product_id: write_product(product) for product in summary.products}
    gone = "DELETE FROM products WHERE recording = ? AND product_id NOT IN (SELECT value FROM json_each(?))"
    db.execute(gone, (number, json.dumps(list(shelf))))
    _put(db, "products", number, shelf.items())


def forget(db: sqlite3.Connection, number: int) -> None:
    """Takes a recording's rows away, but for its passages."""
    for table in ("recordings", "bodies", "seams", *_COLUMNS):
        db.execute(f"DELETE FROM {table} WHERE recording = ?", (number,))  # noqa: S608 - names of our own tables


def _bring(db: sqlite3.Connection, table: str, number: int, rows: Iterable[tuple[int, *tuple[object, ...]]], first: int) -> None:
    """Make the recording's rows of a table these from the `first` on, which they are numbered from."""
    count = _put(db, table, number, rows)
    db.execute(f"DELETE FROM {table} WHERE recording = ? AND number >= ?", (number, first + count))  # noqa: S608 - names of our own tables


def _put(db: sqlite3.Connection, table: str, number: int, rows: Iterable[tuple[object, ...]]) -> int:
    """Put rows, in the order of `_COLUMNS`, in place of those of the same name; what is there already is left alone. How many they are."""
    key, *others = columns = _COLUMNS[table]
    changes = ", ".join(f"{name} = excluded.{name}" for name in others)
    differs = " OR ".join(f"{table}.{name} IS NOT excluded.{name}" for name in others)
    marks = ",".join("?" * (len(columns) + 1))
    put = (
        f"INSERT INTO {table} (recording, {', '.join(columns)}) VALUES ({marks}) "  # noqa: S608
        f"ON CONFLICT (recording, {key}) DO UPDATE SET {changes} WHERE {differs}"
    )
    count = 0
    for row in rows:
        db.execute(put, (number, *row))
        count += 1
    return count
