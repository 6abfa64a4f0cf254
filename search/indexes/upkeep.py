"""What of the embedded index can wait: what was removed is taken out of the files for good, shards with much that is no more are made
anew, new vectors go from memory into files. Never in a question's path; readers go on with the old files until the new ones are named.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import structlog

from search.errors import IndexUnavailable
from search.indexes import CHANNELS, record_tables, vector_files, writing
from search.indexes.database import DERIVED, Database, discard
from search.indexes.documents import read_product, read_unit
from search.indexes.lexical import LexicalWriter, ShardGone, opens, tokens
from search.indexes.shards import shard_of, span_of
from search.passages import passages_again

_log = structlog.get_logger(__name__)

UPKEEP = "upkeep"
# A shard is made anew when so much of it is no more.
DEAD_SHARE = 0.25
# Cells are fitted anew once there are so many times the vectors that they were fitted to.
OUTGROWN = 3
# So long the log waits for questions that began before; writers wait with it.
LOG_WAIT_S = 10.0
FEWEST_VECTORS = vector_files.VECTORS_A_LIST
_SHARDS = "SELECT number, lexical, dead, vectors, through, trained FROM shards ORDER BY number"
_SPANS = "SELECT recording, id, first, last, flags, screen FROM passages WHERE id >= ? AND id < ? ORDER BY recording, id"
_UNITS = "SELECT CAST(body AS BLOB) FROM units WHERE recording = ? ORDER BY number"
_PRODUCTS = "SELECT body FROM products WHERE recording = ? ORDER BY product_id"
_TAIL = "SELECT count(*) FROM (SELECT 1 FROM vectors WHERE id > ? AND id < ? LIMIT ?)"
_Span = tuple[int, int, int, int, int, str | None]


@dataclass(frozen=True, slots=True)
class _Due:
    """What a shard needs: its terms made anew, its vectors written, and these from the first one on."""

    shard: int
    terms: bool
    vectors: bool
    anew: bool


def maintain(database: Database, *, wait_s: float) -> None:
    """Does what is due. Where another process is at it, it is left to that one after `wait_s`; with a wait, IndexUnavailable if something
    that was removed may still lie in a file.
    """
    if not (_owes(database) or any(_due(database))):
        return
    try:
        with database.alone(UPKEEP, wait_s):
            _settle(database)
            debts = dict(database.connection().execute("SELECT shard, generation FROM debts").fetchall())
            for due in list(_due(database, debts.keys())):
                if due.terms:
                    _write_terms(database, due.shard)
                if due.vectors:
                    _write_vectors(database, due.shard, due.anew)
            if writing.PAPERS in debts:
                with database.transaction() as db:
                    record_tables.write_terms_anew(db)
            _sweep(database)
            is_paid = _pay(database, debts)
    except IndexUnavailable:
        if wait_s:
            raise
        _log.info("upkeep_left_to_another", index=str(database.folder))
        return
    if wait_s and not is_paid:
        raise IndexUnavailable(f"{database.folder} may still hold words of what was removed: questions went on all the while; try again")


def remake_terms(database: Database, shard: int) -> None:
    """Makes a shard's terms anew that can't be read. IndexUnavailable if another process holds the upkeep for too long."""
    with database.alone(UPKEEP):
        row = database.connection().execute("SELECT lexical FROM shards WHERE number = ?", (shard,)).fetchone()
        if row and not opens(database.folder / row[0]):
            _log.warning("terms_unreadable", shard=shard, file=row[0])
            _write_terms(database, shard)


def _settle(database: Database) -> None:
    while True:
        try:
            return writing.settle(database)
        except ShardGone as gone:
            _write_terms(database, gone.shard)


def _owes(database: Database) -> bool:
    db = database.connection()
    return any(db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in ("debts", "pending", "dead"))  # noqa: S608


def _due(database: Database, debts: Collection[int] = ()) -> Iterator[_Due]:
    db = database.connection()
    next_passage = int(db.execute("SELECT next_passage FROM meta").fetchone()[0])
    newest = shard_of(next_passage - 1)
    for shard, lexical, dead, vectors, through, trained in db.execute(_SHARDS).fetchall():
        base, end = span_of(shard)
        owes = shard in debts
        given = min(next_passage, end) - base
        terms = owes or dead > DEAD_SHARE * given + FEWEST_VECTORS or not (database.folder / lexical / "meta.json").exists()
        is_whole = vectors is not None and all((database.folder / vectors).with_suffix(kind).exists() for kind in (".faiss", ".npy"))
        tail = db.execute(_TAIL, (through if is_whole else base - 1, end, end - base)).fetchone()[0]
        fills = tail >= (vector_files.TAIL_MOST if shard == newest else FEWEST_VECTORS)
        stale = vectors is not None and (terms or not is_whole)
        if terms or fills or stale:
            yield _Due(shard, terms, fills or stale, stale or vectors is None or through + 1 - base + tail > OUTGROWN * trained)


def _write_terms(database: Database, shard: int) -> None:
    """A new directory for the shard's terms, made from SQLite; then it takes the place of the old one."""
    db = database.connection()
    old = writing.lexical_folder(db, database.folder, shard)
    new = old.with_name(f"lexical-{shard}-{int(old.name.rpartition('-')[2]) + 1}")
    discard(new)
    writer = LexicalWriter(new)
    categories = [(name, 1 << bit) for name, bit in db.execute("SELECT name, bit FROM categories")]
    db.execute("BEGIN")
    try:
        written = _add(db, writer, db.execute(_SPANS, span_of(shard)), categories)
    finally:
        db.execute("ROLLBACK")
    writer.commit()
    with database.alone(writing.WRITING):
        # What was written meanwhile.
        rows = db.execute(_SPANS, span_of(shard)).fetchall()
        gone = written - {row[1] for row in rows}
        writer.delete(sorted(gone))
        _add(db, writer, [row for row in rows if row[1] not in written], categories)
        writer.commit()
        with database.transaction():
            db.execute("UPDATE shards SET lexical = ?, dead = ? WHERE number = ?", (new.name, len(gone), shard))
            db.execute("DELETE FROM presence WHERE shard = ?", (shard,))
            db.execute("INSERT INTO presence SELECT DISTINCT ?, recording FROM passages WHERE id >= ? AND id < ?", (shard, *span_of(shard)))
            db.execute("UPDATE meta SET deletions = deletions + 1")
            writing.renew(db, [shard])
    writer.finish()
    discard(old)
    _log.info("terms_written", shard=shard, passages=len(rows), file=new.name)


def _add(db: sqlite3.Connection, writer: LexicalWriter, rows: Iterable[_Span], categories: list[tuple[str, int]]) -> set[int]:
    """Writes the terms of these passages, derived from what is stored of their recordings; their ids."""
    written: set[int] = set()
    for recording, of_it in groupby(rows, key=itemgetter(0)):
        spans = list(of_it)
        units = [read_unit(body) for (body,) in db.execute(_UNITS, (recording,))]
        shelf = [read_product(body) for (body,) in db.execute(_PRODUCTS, (recording,))]
        again = passages_again(units, shelf, ((first, last, tuple((screen or "").split())) for _, _, first, last, _, screen in spans))
        for (_, passage_id, _, _, flags, _), passage in zip(spans, again, strict=True):
            marks = [name for name, bit in categories if flags & bit]
            terms = {channel: tokens(getattr(passage, channel)) for channel in CHANNELS}
            writer.add(passage_id, recording, terms, marks, bool(flags & writing.DOUBTFUL_FLAG))
            written.add(passage_id)
    return written


def _write_vectors(database: Database, shard: int, anew: bool) -> None:
    """A new file of the shard's vectors; then it takes the place of the old one."""
    db = database.connection()
    base, end = span_of(shard)
    name, trained = db.execute("SELECT vectors, trained FROM shards WHERE number = ?", (shard,)).fetchone()
    old = database.folder / name if name else None
    new = database.folder / f"vectors-{shard}-{int(old.stem.rpartition('-')[2]) + 1 if old else 0}.faiss"
    db.execute("BEGIN")
    try:
        widths = "SELECT length(vector) / 2, count(*) FROM vectors WHERE id >= ? AND id < ? GROUP BY 1 ORDER BY 2 DESC"
        width, held = db.execute(widths, (base, end)).fetchone() or (0, 0)
        is_kept = held >= FEWEST_VECTORS
        count = vector_files.write(db, new, base, end, width, None if anew else old) if is_kept else 0
    finally:
        db.execute("ROLLBACK")
    through = vector_files.through(new, base) if is_kept else base - 1
    with database.transaction():
        db.execute(
            "UPDATE shards SET vectors = ?, through = ?, trained = ? WHERE number = ?",
            (new.name if is_kept else None, through, count if anew else trained, shard),
        )
        writing.renew(db, [shard])
    if old is not None:
        discard(old)
        discard(old.with_suffix(".npy"))
    _log.info("vectors_written", shard=shard, vectors=count, anew=anew)


def _sweep(database: Database) -> None:
    """Removes files that nothing names: of writers that were killed."""
    with database.alone(writing.WRITING):
        named = {name for row in database.connection().execute("SELECT lexical, vectors FROM shards") for name in row if name}
        for path in (path for pattern in DERIVED for path in database.folder.glob(pattern)):
            if path.with_suffix(".faiss").name not in named and path.name not in named:
                discard(path)


def _pay(database: Database, debts: dict[int, int]) -> bool:
    """Strikes what was done off the debts, unless something was removed meanwhile; the log is emptied last of all. False if it can't be."""
    with database.transaction() as db:
        done = [(shard, since) for shard, since in debts.items() if shard != writing.LOG]
        db.executemany("DELETE FROM debts WHERE shard = ? AND generation = ?", done)
    if writing.LOG not in debts:
        return True
    if not database.empty_log(LOG_WAIT_S):
        return False
    with database.transaction() as db:
        db.execute("DELETE FROM debts WHERE shard = ? AND generation = ?", (writing.LOG, debts[writing.LOG]))
    return True
