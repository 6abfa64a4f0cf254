"""Papers of cases in the embedded index: their own tables and their own FTS5, so that nothing of them is ever met by an ordinary search."""

import json
import sqlite3
from collections.abc import Mapping

from search.indexes import RecordCandidate
from search.records import RECORD_CHANNELS, IndexedRecord, RecordUnit, What

_CHANNEL_WEIGHTS = {"words": 1.0, "grams": 0.6, "concepts": 1.2}
RECORD_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS records (case_id TEXT NOT NULL, attachment INTEGER NOT NULL, version INTEGER NOT NULL, what TEXT NOT NULL, "
    "PRIMARY KEY (case_id, attachment)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS record_units (case_id TEXT NOT NULL, attachment INTEGER NOT NULL, number INTEGER NOT NULL, "
    "place TEXT NOT NULL, text TEXT NOT NULL, confidence REAL, PRIMARY KEY (case_id, attachment, number)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS record_passages (id INTEGER PRIMARY KEY AUTOINCREMENT, case_id TEXT NOT NULL, attachment INTEGER NOT NULL, "
    "first INTEGER NOT NULL, last INTEGER NOT NULL, words TEXT NOT NULL, grams TEXT NOT NULL, concepts TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS record_passages_by_case ON record_passages (case_id, attachment)",
    "CREATE VIRTUAL TABLE IF NOT EXISTS record_fts USING fts5(words, grams, concepts, content='record_passages', content_rowid='id', "
    "tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\")",
)
_OF = "case_id = ? AND (? IS NULL OR attachment = ?)"
_DROP_TERMS = (
    "INSERT INTO record_fts (record_fts, rowid, words, grams, concepts) "  # noqa: S608 - what follows is a constant
    "SELECT 'delete', id, words, grams, concepts FROM record_passages WHERE " + _OF
)
_CANDIDATES = """
    SELECT p.attachment, p.first, p.last, bm25(record_fts, ?, ?, ?) AS score
    FROM record_fts JOIN record_passages p ON p.id = record_fts.rowid
    WHERE record_fts MATCH ? AND p.case_id = ? ORDER BY score, p.id LIMIT ?
"""


def store(db: sqlite3.Connection, document: IndexedRecord) -> None:
    """Write a paper's rows, in the caller's transaction, in place of what was there."""
    forget(db, document.case_id, document.attachment)
    of_it = (document.case_id, document.attachment)
    db.execute("INSERT INTO records VALUES (?,?,?,?)", (*of_it, document.version, document.what))
    db.executemany(
        "INSERT INTO record_units VALUES (?,?,?,?,?,?)",
        ((*of_it, unit.number, json.dumps(dict(unit.place), ensure_ascii=False), unit.text, unit.confidence) for unit in document.units),
    )
    for passage in document.passages:
        terms = [" ".join(getattr(passage, channel)) for channel in RECORD_CHANNELS]
        added = db.execute(
            "INSERT INTO record_passages (case_id, attachment, first, last, words, grams, concepts) VALUES (?,?,?,?,?,?,?)",
            (*of_it, passage.first, passage.last, *terms),
        )
        db.execute("INSERT INTO record_fts (rowid, words, grams, concepts) VALUES (?,?,?,?)", (added.lastrowid, *terms))


def forget(db: sqlite3.Connection, case_id: str, attachment: int | None) -> bool:
    """Take a paper's rows away, or all of a case's. False if there were none."""
    of_it = (case_id, attachment, attachment)
    db.execute(_DROP_TERMS, of_it)
    held = db.execute(f"DELETE FROM records WHERE {_OF}", of_it).rowcount > 0  # noqa: S608 - a constant
    db.execute(f"DELETE FROM record_passages WHERE {_OF}", of_it)  # noqa: S608
    db.execute(f"DELETE FROM record_units WHERE {_OF}", of_it)  # noqa: S608
    return held


def held(db: sqlite3.Connection) -> dict[tuple[str, int], int]:
    return {
        (case_id, attachment): version for case_id, attachment, version in db.execute("SELECT case_id, attachment, version FROM records")
    }


def write_terms_anew(db: sqlite3.Connection) -> None:
    """Nothing is left in the terms of papers that are no more: FTS5 itself only marks them."""
    db.execute("INSERT INTO record_fts (record_fts) VALUES ('rebuild')")


def candidates(db: sqlite3.Connection, terms: Mapping[str, Mapping[str, float]], case_id: str, limit: int) -> list[RecordCandidate]:
    groups = []
    for channel in RECORD_CHANNELS:
        quoted = " OR ".join('"' + term.replace('"', '""') + '"' for term in terms.get(channel, {}) if term.strip())
        if quoted:
            groups.append(f"{{{channel}}} : ({quoted})")
    if not groups:
        return []
    weights = [_CHANNEL_WEIGHTS[channel] for channel in RECORD_CHANNELS]
    rows = db.execute(_CANDIDATES, (*weights, " OR ".join(groups), case_id, limit)).fetchall()
    kinds: dict[int, What] = dict(db.execute("SELECT attachment, what FROM records WHERE case_id = ?", (case_id,)))
    return [
        RecordCandidate(case_id, attachment, kinds[attachment], first, last, -score)
        for attachment, first, last, score in rows
        if attachment in kinds
    ]


def units(db: sqlite3.Connection, case_id: str, attachment: int, first: int, last: int) -> list[RecordUnit]:
    rows = db.execute(
        "SELECT number, place, text, confidence FROM record_units WHERE case_id = ? AND attachment = ? AND number BETWEEN ? AND ? "
        "ORDER BY number",
        (case_id, attachment, first, last),
    )
    return [RecordUnit(number, json.loads(place), text, confidence) for number, place, text, confidence in rows]
