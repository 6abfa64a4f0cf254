"""The embedded index: one SQLite file (FTS5 over every channel's terms) and FAISS files beside it.

SQLite holds everything, vectors too; a FAISS file is a copy of one generation's vectors for speed and is remade when it is missing.
A recording is replaced in one transaction, so readers of other processes see the old or the new, and a killed writer leaves the old.
"""

import json
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import structlog

from archive.recording import Message, Product
from search.errors import IndexUnavailable
from search.indexes import CHANNELS, Candidate, Filter, RecordCandidate, RecordingEntry, Terms, Totals, record_tables
from search.indexes.documents import (
    read_claim,
    read_marks,
    read_message,
    read_product,
    read_recording,
    read_unit,
    write_claim,
    write_product,
    write_recording,
    write_unit,
)
from search.indexes.vectors import Vectors
from search.passages import IndexedRecording, IndexedUnit, LinkedClaim, joined_text
from search.records import IndexedRecord, RecordUnit

_log = structlog.get_logger(__name__)

# 4: passages know how their products are called and what the screen showed.
FORMAT_VERSION = 4
CHANNEL_WEIGHTS = {"words": 1.0, "grams": 0.6, "sounds": 0.35, "concepts": 1.2, "quantities": 1.2, "names": 0.5, "chat": 0.6, "screen": 0.2}
_KEYED = "PRIMARY KEY (recording_id, number)) WITHOUT ROWID"
_SCHEMA = (
    "CREATE TABLE meta (version INTEGER NOT NULL, generation INTEGER NOT NULL)",
    "CREATE TABLE recordings (id TEXT PRIMARY KEY, host TEXT, started_ms INTEGER, ended_ms INTEGER, transcript INTEGER NOT NULL, "
    "body TEXT NOT NULL, transcribed_ms INTEGER NOT NULL, risky_ms INTEGER NOT NULL, segments INTEGER NOT NULL, "
    "messages INTEGER NOT NULL, units INTEGER NOT NULL)",
    f"CREATE TABLE units (recording_id TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, {_KEYED}",
    f"CREATE TABLE claims (recording_id TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, {_KEYED}",
    "CREATE TABLE products (recording_id TEXT NOT NULL, product_id TEXT NOT NULL, body TEXT NOT NULL, "
    "PRIMARY KEY (recording_id, product_id)) WITHOUT ROWID",
    "CREATE INDEX products_by_id ON products (product_id)",
    "CREATE TABLE messages (recording_id TEXT NOT NULL, at_ms INTEGER NOT NULL, number INTEGER NOT NULL, text TEXT NOT NULL, "
    f"kind TEXT NOT NULL, uncertainty_ms INTEGER NOT NULL, {_KEYED}",
    "CREATE INDEX messages_by_time ON messages (recording_id, at_ms)",
    "CREATE TABLE passages (id INTEGER PRIMARY KEY AUTOINCREMENT, recording_id TEXT NOT NULL, first INTEGER NOT NULL, "
    "last INTEGER NOT NULL, vector BLOB, words TEXT NOT NULL, grams TEXT NOT NULL, sounds TEXT NOT NULL, concepts TEXT NOT NULL, "
    "quantities TEXT NOT NULL, names TEXT NOT NULL, chat TEXT NOT NULL, screen TEXT NOT NULL, categories TEXT NOT NULL, "
    "doubtful INTEGER NOT NULL)",
    "CREATE INDEX passages_by_recording ON passages (recording_id)",
    "CREATE VIRTUAL TABLE passages_fts USING fts5(words, grams, sounds, concepts, quantities, names, chat, screen, content='passages', "
    "content_rowid='id', tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\")",
    "CREATE VIRTUAL TABLE terms USING fts5vocab('passages_fts', 'col')",
)
_ADD_PASSAGE = (
    "INSERT INTO passages (recording_id, first, last, vector, words, grams, sounds, concepts, quantities, names, chat, screen, categories, "
    "doubtful) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
_ADD_TERMS = "INSERT INTO passages_fts (rowid, words, grams, sounds, concepts, quantities, names, chat, screen) VALUES (?,?,?,?,?,?,?,?,?)"
_DROP_TERMS = (
    "INSERT INTO passages_fts (passages_fts, rowid, words, grams, sounds, concepts, quantities, names, chat, screen) "
    "SELECT 'delete', id, words, grams, sounds, concepts, quantities, names, chat, screen FROM passages WHERE recording_id = ?"
)
_DROP_TERMS_OF_ONE = _DROP_TERMS.replace("recording_id = ?", "id = ?")
_UNITS = "SELECT body FROM units WHERE recording_id = ? ORDER BY number"
_PASSAGES = (
    "SELECT id, first, last, vector, words, grams, sounds, concepts, quantities, names, chat, screen, categories, doubtful "
    "FROM passages WHERE recording_id = ?"
)
_PASSAGE_VECTORS = "SELECT first, last, vector FROM passages WHERE recording_id = ? AND vector IS NOT NULL"
# (the column that names a row of a recording, the others)
_COLUMNS = {
    "units": ("number", "body"),
    "claims": ("number", "body"),
    "products": ("product_id", "body"),
    "messages": ("number", "at_ms", "text", "kind", "uncertainty_ms"),
}
_RECORDINGS = """
    SELECT body, transcribed_ms, risky_ms, segments, messages, units, transcript FROM recordings
    WHERE (:recording IS NULL OR id = :recording) AND (:host IS NULL OR host = :host)
    AND (:platform IS NULL OR json_extract(body, '$.platform') = :platform) AND (:room IS NULL OR json_extract(body, '$.room') = :room)
    AND (:since IS NULL OR ended_ms >= :since) AND (:until IS NULL OR started_ms < :until)
    AND (:product IS NULL OR id IN (SELECT recording_id FROM products WHERE product_id = :product)
         OR id NOT IN (SELECT recording_id FROM products))
    AND (:calls IS NULL OR (id IN (SELECT recording_id FROM calls)) = :calls)
    AND (:among IS NULL OR id IN (SELECT value FROM json_each(:among)))
    ORDER BY started_ms, id
"""
_CANDIDATES = """
    SELECT p.recording_id, p.first, p.last, bm25(passages_fts, ?, ?, ?, ?, ?, ?, ?, ?) AS score
    FROM passages_fts JOIN passages p ON p.id = passages_fts.rowid
    WHERE passages_fts MATCH ?
    AND p.recording_id IN (SELECT value FROM json_each(?))
    AND (? IS NULL OR instr(' ' || p.categories || ' ', ' ' || ? || ' '))
    AND (? IS NULL OR p.doubtful = ?)
    ORDER BY score LIMIT ?
"""


# Made where they are not there yet, so that an index that was written before them goes on.
_ADDED = (*record_tables.RECORD_SCHEMA, "CREATE TABLE IF NOT EXISTS calls (recording_id TEXT PRIMARY KEY) WITHOUT ROWID")


class EmbeddedIndex:
    """Index on one folder. Safe for threads (a connection each) and for several processes (one writes at a time)."""

    def __init__(self, folder: Path, *, busy_seconds: float) -> None:
        self._folder = folder
        self._path = folder / "search.sqlite"
        self._busy_seconds = busy_seconds
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._faiss: tuple[int, Vectors] | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._prepare()
        except (OSError, sqlite3.DatabaseError) as error:
            raise IndexUnavailable(
                f"{self._path} can't be opened ({error}): delete {folder} and index again; the archive holds all that is needed"
            ) from error

    def replace(self, document: IndexedRecording, vectors: Sequence[Sequence[float]] | None) -> None:
        recording = document.recording
        started, _ = recording.wall_at(0)
        blobs = (
            [np.asarray(vector, dtype=np.float32).tobytes() for vector in vectors]
            if vectors is not None
            else [None] * len(document.passages)
        )
        with self._write() as db:
            db.execute(
                "INSERT OR REPLACE INTO recordings VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                (
                    recording.id,
                    recording.host,
                    started.epoch_ms if started else None,
                    started.epoch_ms + recording.duration_ms if started else None,
                    document.transcript_version,
                    write_recording(recording, document.as_of, document.embedder),
                    document.transcribed_ms,
                    document.risky_ms,
                    document.segments,
                    len(document.messages),
                    len(document.units),
                ),
            )
            db.execute("DELETE FROM calls WHERE recording_id = ?", (recording.id,))
            if recording.kind == "call":
                db.execute("INSERT INTO calls VALUES (?)", (recording.id,))
            _bring(db, "units", recording.id, ((n, write_unit(unit)) for n, unit in enumerate(document.units)))
            _bring(db, "claims", recording.id, ((n, write_claim(claim)) for n, claim in enumerate(document.claims)))
            _bring(db, "products", recording.id, ((each.product_id, write_product(each)) for each in document.products))
            said = enumerate(document.messages)
            _bring(db, "messages", recording.id, ((n, m.at_ms, m.text, m.kind.value, m.uncertainty_ms) for n, m in said))
            rows = [
                (
                    passage.first,
                    passage.last,
                    blob,
                    *(" ".join(getattr(passage, channel)) for channel in CHANNELS),
                    " ".join(passage.categories),
                    int(passage.doubtful),
                )
                for passage, blob in zip(document.passages, blobs, strict=True)
            ]
            self._bring_passages(db, recording.id, rows)
            db.execute("UPDATE meta SET generation = generation + 1")

    def vectors(self, recording_id: str, embedder: str) -> Mapping[str, Sequence[float]]:
        row = self._db().execute("SELECT body FROM recordings WHERE id = ?", (recording_id,)).fetchone()
        if row is None or not embedder or read_marks(row[0])[1] != embedder:
            return {}
        units = [read_unit(body).unit for (body,) in self._db().execute(_UNITS, (recording_id,))]
        found: dict[str, Sequence[float]] = {}
        for first, last, blob in self._db().execute(_PASSAGE_VECTORS, (recording_id,)):
            found[joined_text(units[first : last + 1])[0]] = np.frombuffer(blob, dtype=np.float32).tolist()
        return found

    def remove(self, recording_id: str) -> bool:
        with self._write() as db:
            held = self._forget(db, recording_id)
            db.execute("UPDATE meta SET generation = generation + 1")
        return held

    @contextmanager
    def reading(self) -> Iterator[None]:
        db = self._db()
        if db.in_transaction:
            yield
            return
        db.execute("BEGIN")
        try:
            yield
        finally:
            db.execute("ROLLBACK")

    def recordings(self, wanted: Filter) -> list[RecordingEntry]:
        entries = []
        for body, transcribed, risky, segments, messages, units, version in self._rows(wanted):
            recording = read_recording(body)
            entries.append(RecordingEntry(recording, transcribed, risky, segments, messages, units, version, *read_marks(body)))
        return entries

    def ids(self, wanted: Filter) -> frozenset[str]:
        return frozenset(entry.recording.id for entry in self.recordings(wanted))

    def entry(self, recording_id: str) -> RecordingEntry | None:
        return next(iter(self.recordings(Filter(recording=recording_id))), None)

    def totals(self, wanted: Filter) -> Totals:
        entries = self.recordings(wanted)
        return Totals(
            len(entries),
            sum(not entry.recording.has_media for entry in entries),
            sum(entry.recording.duration_ms for entry in entries),
            sum(entry.recording.held_ms for entry in entries),
            sum(entry.transcribed_ms for entry in entries),
            sum(entry.risky_ms for entry in entries),
            sum(gap.end_ms - gap.start_ms for entry in entries for gap in entry.recording.gaps),
            sum(entry.messages for entry in entries),
            tuple(entry.recording.id for entry in entries if entry.recording.live),
        )

    def hosts(self) -> list[str]:
        return [row[0] for row in self._db().execute("SELECT DISTINCT host FROM recordings WHERE host IS NOT NULL ORDER BY host")]

    def _rows(self, wanted: Filter) -> Iterable[tuple[str, int, int, int, int, int, int]]:
        return self._db().execute(
            _RECORDINGS,
            {
                "recording": wanted.recording,
                "host": wanted.host,
                "platform": wanted.platform,
                "room": wanted.room,
                "since": wanted.since.epoch_ms if wanted.since else None,
                "until": wanted.until.epoch_ms if wanted.until else None,
                "product": wanted.product,
                "calls": wanted.calls,
                "among": json.dumps(wanted.among) if wanted.among is not None else None,
            },
        )

    def passage_count(self) -> int:
        return int(self._db().execute("SELECT count(*) FROM passages").fetchone()[0])

    def frequencies(self, terms: Mapping[str, Sequence[str]]) -> dict[str, dict[str, int]]:
        db = self._db()
        found: dict[str, dict[str, int]] = {}
        for channel, asked in terms.items():
            found[channel] = {}
            for term in asked:
                row = db.execute("SELECT doc FROM terms WHERE term = ? AND col = ?", (term, channel)).fetchone()
                if row:
                    found[channel][term] = int(row[0])
        return found

    def candidates(self, terms: Terms, wanted: Filter, limit: int) -> list[Candidate]:
        groups = []
        for channel, weighed in terms.by_channel.items():
            quoted = " OR ".join('"' + term.replace('"', '""') + '"' for term in weighed if term.strip())
            if quoted:
                groups.append(f"{{{channel}}} : ({quoted})")
        if not groups:
            return []
        scope = json.dumps(sorted(self.ids(wanted)))
        weights = [CHANNEL_WEIGHTS[channel] for channel in CHANNELS]
        sure = wanted.category, wanted.category, wanted.doubtful, wanted.doubtful
        rows = self._db().execute(_CANDIDATES, (*weights, " OR ".join(groups), scope, *sure, limit))
        return [Candidate(recording, first, last, -score) for recording, first, last, score in rows]

    def nearest(self, vector: Sequence[float], wanted: Filter, limit: int) -> list[Candidate]:
        vectors = self._vectors()
        if vectors is None or vectors.width != len(vector):
            return []
        scope = self.ids(wanted)
        found: list[Candidate] = []
        for passage_id, score in vectors.search(vector, limit if wanted == Filter() else limit * 10):
            row = (
                self._db()
                .execute("SELECT recording_id, first, last, categories, doubtful FROM passages WHERE id = ?", (passage_id,))
                .fetchone()
            )
            if not row or row[0] not in scope or (wanted.category and wanted.category not in row[3].split(" ")):
                continue
            if wanted.doubtful in (None, bool(row[4])):
                found.append(Candidate(row[0], row[1], row[2], score))
        return found[:limit]

    def runs(self, wanted: Sequence[tuple[str, int, int]]) -> list[list[IndexedUnit]]:
        return [self.units(*run) for run in wanted]

    def units(self, recording_id: str, first: int, last: int) -> list[IndexedUnit]:
        rows = self._db().execute(
            "SELECT body FROM units WHERE recording_id = ? AND number BETWEEN ? AND ? ORDER BY number", (recording_id, first, last)
        )
        return [read_unit(body) for (body,) in rows]

    def claims(self, recording_id: str) -> list[LinkedClaim]:
        return [
            read_claim(body)
            for (body,) in self._db().execute("SELECT body FROM claims WHERE recording_id = ? ORDER BY number", (recording_id,))
        ]

    def products(self, recordings: Sequence[str]) -> dict[str, list[Product]]:
        shelves: dict[str, list[Product]] = {}
        for recording_id in recordings:
            rows = self._db().execute("SELECT body FROM products WHERE recording_id = ? ORDER BY product_id", (recording_id,))
            shelves[recording_id] = [read_product(body) for (body,) in rows]
        return shelves

    def messages(self, recording_id: str, from_ms: int, to_ms: int) -> list[Message]:
        rows = self._db().execute(
            "SELECT at_ms, text, kind, uncertainty_ms FROM messages WHERE recording_id = ? AND at_ms BETWEEN ? AND ? "
            "ORDER BY at_ms, number",
            (recording_id, from_ms, to_ms),
        )
        return [read_message(*row) for row in rows]

    def replace_record(self, document: IndexedRecord) -> None:
        with self._write() as db:
            record_tables.store(db, document)

    def remove_record(self, case_id: str, attachment: int | None = None) -> bool:
        with self._write() as db:
            return record_tables.forget(db, case_id, attachment)

    def records(self) -> dict[tuple[str, int], int]:
        return record_tables.held(self._db())

    def record_candidates(self, terms: Terms, case_id: str, limit: int) -> list[RecordCandidate]:
        return record_tables.candidates(self._db(), terms.by_channel, case_id, limit)

    def record_units(self, case_id: str, attachment: int, first: int, last: int) -> list[RecordUnit]:
        return record_tables.units(self._db(), case_id, attachment, first, last)

    def close(self) -> None:
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
            self._local = threading.local()

    def _db(self) -> sqlite3.Connection:
        held: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if held is None:
            held = sqlite3.connect(self._path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False)
            held.execute("PRAGMA synchronous=NORMAL")
            self._local.connection = held
            with self._lock:
                self._opened.append(held)
        return held

    def _prepare(self) -> None:
        db = self._db()
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("BEGIN IMMEDIATE")
        try:
            known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
            version, generation = db.execute("SELECT version, generation FROM meta").fetchone() if known else (0, -1)
            if version < FORMAT_VERSION:
                # All of it is derived: what an older program wrote is let go of, and is then indexed again like anything that is not there.
                _empty(db)
                for statement in _SCHEMA:
                    db.execute(statement)
                db.execute("INSERT INTO meta VALUES (?, ?)", (FORMAT_VERSION, generation + 1))
                for left in self._folder.glob("vectors-*.faiss"):
                    left.unlink(missing_ok=True)  # of an index that is no more: its numbers come again
                if known:
                    _log.warning("index_emptied", index=str(self._path), format=version, now=FORMAT_VERSION)
                version = FORMAT_VERSION
            for statement in _ADDED:
                db.execute(statement)
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
        if version != FORMAT_VERSION:
            raise IndexUnavailable(
                f"{self._path} has format {version}, this program reads {FORMAT_VERSION}: delete {self._folder} and index again"
            )

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        db = self._db()
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise IndexUnavailable(
                f"{self._path} can't be written ({error}): is the disk full, or does another program hold it?"
            ) from error

    @staticmethod
    def _bring_passages(db: sqlite3.Connection, recording_id: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Make the recording's passages these: (first, last, vector, terms by channel). Those that stay keep their ids."""
        held: dict[tuple[object, ...], list[int]] = defaultdict(list)
        for passage_id, *row in db.execute(_PASSAGES, (recording_id,)):
            held[tuple(row)].append(passage_id)
        new = []
        for row in rows:
            if ids := held.get(row):
                ids.pop()
            else:
                new.append(row)
        for gone in (passage_id for ids in held.values() for passage_id in ids):
            db.execute(_DROP_TERMS_OF_ONE, (gone,))
            db.execute("DELETE FROM passages WHERE id = ?", (gone,))
        for row in new:
            inserted = db.execute(_ADD_PASSAGE, (recording_id, *row))
            db.execute(_ADD_TERMS, (inserted.lastrowid, *row[3:-2]))

    @staticmethod
    def _forget(db: sqlite3.Connection, recording_id: str) -> bool:
        db.execute(_DROP_TERMS, (recording_id,))
        held = db.execute("DELETE FROM recordings WHERE id = ?", (recording_id,)).rowcount > 0
        for table in ("calls", "passages", *_COLUMNS):
            db.execute(f"DELETE FROM {table} WHERE recording_id = ?", (recording_id,))  # noqa: S608 - names of our own tables
        return held

    def _vectors(self) -> Vectors | None:
        generation = int(self._db().execute("SELECT generation FROM meta").fetchone()[0])
        with self._lock:
            if self._faiss is None or self._faiss[0] != generation:
                self._faiss = (generation, Vectors.load(self._folder, generation) or self._build_vectors(generation))
            return self._faiss[1] if self._faiss[1].width else None

    def _build_vectors(self, generation: int) -> Vectors:
        rows = self._db().execute("SELECT id, vector FROM passages WHERE vector IS NOT NULL ORDER BY id").fetchall()
        vectors = Vectors.build([row[0] for row in rows], [np.frombuffer(row[1], dtype=np.float32) for row in rows])
        vectors.save(self._folder, generation)
        return vectors


def _empty(db: sqlite3.Connection) -> None:
    """Drop every table. Virtual ones first: they take the tables behind them along."""
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql LIKE 'CREATE {}TABLE%'"
    for kind in ("VIRTUAL ", ""):
        for (name,) in db.execute(tables.format(kind)).fetchall():
            db.execute(f'DROP TABLE IF EXISTS "{name}"')


def _bring(db: sqlite3.Connection, table: str, recording_id: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Make the recording's rows of a table these, in the order of `_COLUMNS`; what is there already is left alone."""
    columns = _COLUMNS[table]
    names = ", ".join(columns)
    found = db.execute(f"SELECT {names} FROM {table} WHERE recording_id = ?", (recording_id,))  # noqa: S608
    held = {row[0]: tuple(row) for row in found}
    wanted = {row[0]: row for row in rows}
    gone = [(recording_id, key) for key in held if key not in wanted]
    db.executemany(f"DELETE FROM {table} WHERE recording_id = ? AND {columns[0]} = ?", gone)  # noqa: S608
    changed = [(recording_id, *row) for key, row in wanted.items() if held.get(key) != row]
    marks = ",".join("?" * (len(columns) + 1))
    db.executemany(f"INSERT OR REPLACE INTO {table} (recording_id, {names}) VALUES ({marks})", changed)  # noqa: S608
