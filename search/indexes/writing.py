"""How a recording comes into the embedded index and leaves it, so that a kill at any step leaves what was there before, or all of it.

In order: passage ids are taken for good; their terms are written to the newest shard; one SQLite transaction publishes the rows and names
the passages that are no more; then the terms of these are taken out. What a killed writer left between two steps belongs to ids that
nobody published: it is never found, and the next writer takes it out.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import structlog

from search.indexes import Summary, recording_tables
from search.indexes.database import Database
from search.indexes.lexical import LexicalWriter, ShardGone, opens
from search.indexes.shards import shard_of, span_of
from search.indexes.staging import Staged, StagedPassage
from search.seams import Seam

_log = structlog.get_logger(__name__)

WRITING = "writing"
DOUBTFUL_FLAG = 1
# Debts that are no shard: what the write-ahead log and the papers' terms still hold of what was removed.
LOG, PAPERS = -1, -2


def store(database: Database, seam: Seam, was: str, staged: Staged, summary: Summary) -> bool:
    """Puts a recording in place of what was held of it from a seam on; passages that stay as they are keep their ids, terms and vectors.
    False, and nothing is written, where its seams are no longer what they were. ShardGone."""
    recording_id = summary.recording.id
    with database.alone(WRITING), _Writers(database) as writers:
        if seam.unit and recording_tables.seams(database.connection(), recording_id)[1] != was:
            return False
        writers.settle()
        bits = _category_bits(database, staged.categories())
        with database.transaction() as db:
            number = _number(db, recording_id)
            new, gone = _changed(db, number, seam, staged)
            ids = _take(db, number, len(new))
        for passage_id, passage in zip(ids, staged.passages(new), strict=True):
            writers.of(shard_of(passage_id)).add(passage_id, number, passage.terms, passage.categories, passage.doubtful)
        writers.commit()
        with database.transaction() as db:
            recording_tables.store(db, number, seam, staged, summary)
            _delete_passages(db, gone)
            _insert_passages(db, number, zip(ids, staged.passages(new), strict=True), bits)
            db.execute("DELETE FROM pending")
            _publish(db, {shard_of(passage_id) for passage_id in ids}, bool(gone))
        writers.bury()
    return True


def forget(database: Database, recording_id: str) -> bool:
    """Nothing of a recording is found any more; the shards that ever held words of it owe to be made anew. False if it wasn't held.
    ShardGone."""
    with database.alone(WRITING), _Writers(database) as writers:
        writers.settle()
        with database.transaction() as db:
            known = db.execute("SELECT recording FROM keys WHERE id = ?", (recording_id,)).fetchone()
            if known is None:
                return False
            held = recording_tables.number_of(db, recording_id) is not None
            gone = [row[0] for row in db.execute("SELECT id FROM passages WHERE recording = ?", known)]
            recording_tables.forget(db, known[0])
            _delete_passages(db, gone)
            owe(db, [LOG, *(row[0] for row in db.execute("SELECT shard FROM presence WHERE recording = ?", known))])
            db.execute("DELETE FROM presence WHERE recording = ?", known)
            db.execute("DELETE FROM keys WHERE id = ?", (recording_id,))
            _publish(db, set(), True)
        writers.bury()
    return held


def settle(database: Database) -> None:
    """Takes out what killed writers left. ShardGone."""
    with database.alone(WRITING), _Writers(database) as writers:
        writers.settle()


def lexical_folder(db: sqlite3.Connection, folder: Path, shard: int) -> Path:
    """Where a shard's terms are, or will be."""
    row = db.execute("SELECT lexical FROM shards WHERE number = ?", (shard,)).fetchone()
    return folder / (row[0] if row else f"lexical-{shard}-0")


class _Writers:
    """The shards that one write touches. For the holder of the writing lock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: dict[int, LexicalWriter] = {}

    def __enter__(self) -> "_Writers":
        return self

    def __exit__(self, *_: object) -> None:
        # Merges come last: what was written is searchable by now.
        for writer in self._open.values():
            writer.finish()

    def of(self, shard: int) -> LexicalWriter:
        """ShardGone where its files are missing: without them an empty shard would be begun."""
        if shard not in self._open:
            db = self._database.connection()
            folder = lexical_folder(db, self._database.folder, shard)
            if db.execute("SELECT 1 FROM shards WHERE number = ?", (shard,)).fetchone() and not opens(folder):
                raise ShardGone(shard)
            self._open[shard] = LexicalWriter(folder)
        return self._open[shard]

    def commit(self) -> None:
        for writer in self._open.values():
            writer.commit()

    def settle(self) -> None:
        """Takes out what a killed writer left: passages it never published, and terms of those that it let go of."""
        db = self._database.connection()
        pending = db.execute("SELECT first, last FROM pending").fetchall()
        if pending:
            with self._database.transaction():
                for first, last in pending:
                    db.executemany("INSERT OR IGNORE INTO dead VALUES (?)", ((each,) for each in range(first, last + 1)))
                db.execute("DELETE FROM pending")
            _log.warning("killed_writer_settled", passages=sum(last + 1 - first for first, last in pending))
        self.bury()

    def bury(self) -> None:
        """Takes the terms of passages that are no more out of their shards."""
        db = self._database.connection()
        by_shard: dict[int, list[int]] = defaultdict(list)
        for (passage_id,) in db.execute("SELECT id FROM dead"):
            by_shard[shard_of(passage_id)].append(passage_id)
        if not by_shard:
            return
        held = {row[0] for row in db.execute("SELECT number FROM shards")}
        for shard, passages in by_shard.items():
            # a directory that no row names was never published: it goes as a whole
            if shard in held or lexical_folder(db, self._database.folder, shard).exists():
                self.of(shard).delete(passages)
        self.commit()
        with self._database.transaction():
            db.execute("DELETE FROM dead")
            for shard, passages in by_shard.items():
                db.execute("UPDATE shards SET dead = dead + ? WHERE number = ?", (len(passages), shard))
            renew(db, by_shard)


def renew(db: sqlite3.Connection, shards: Iterable[int]) -> None:
    """The index has a further generation, and these shards have other files."""
    db.execute("UPDATE meta SET generation = generation + 1")
    db.executemany("UPDATE shards SET generation = (SELECT generation FROM meta) WHERE number = ?", ((shard,) for shard in shards))


def owe(db: sqlite3.Connection, debts: Iterable[int]) -> None:
    """Shards, LOG or PAPERS still hold something that was removed."""
    db.executemany("INSERT OR REPLACE INTO debts VALUES (?, (SELECT generation FROM meta))", ((debt,) for debt in debts))


def _category_bits(database: Database, wanted: set[str]) -> Mapping[str, int]:
    """The bit that stands for each category among a passage's flags; bit 0 is that of doubt."""
    db = database.connection()
    known = dict(db.execute("SELECT name, bit FROM categories").fetchall())
    if wanted - known.keys():
        with database.transaction():
            for name in sorted(wanted - known.keys()):
                known[name] = 1 + len(known)
                db.execute("INSERT INTO categories VALUES (?, ?)", (name, known[name]))
    return known


def _number(db: sqlite3.Connection, recording_id: str) -> int:
    """The recording's number; a new one if it has none."""
    known = db.execute("SELECT recording FROM keys WHERE id = ?", (recording_id,)).fetchone()
    if known:
        return int(known[0])
    number = int(db.execute("SELECT next_recording FROM meta").fetchone()[0])
    db.execute("UPDATE meta SET next_recording = ?", (number + 1,))
    db.execute("INSERT INTO keys VALUES (?, ?)", (recording_id, number))
    return number


def _changed(db: sqlite3.Connection, number: int, seam: Seam, staged: Staged) -> tuple[list[int], list[int]]:
    """Places of the staged passages that are new, and the ids of what is no more: what may change behind a seam ends with the last unit
    before it, or behind that."""
    held: dict[bytes, list[int]] = defaultdict(list)
    of_it = "SELECT id, mark FROM passages WHERE recording = ? AND first >= ? AND last >= ?"
    for passage_id, mark in db.execute(of_it, (number, min(seam.passages), seam.unit - 1)):
        held[mark].append(passage_id)
    new = []
    for place, mark in staged.marks():
        if same := held.get(mark):
            same.pop()
        else:
            new.append(place)
    return new, [passage_id for ids in held.values() for passage_id in ids]


def _take(db: sqlite3.Connection, number: int, count: int) -> range:
    """Ids that were never anybody's and never will be another's."""
    first = int(db.execute("SELECT next_passage FROM meta").fetchone()[0])
    if count:
        db.execute("UPDATE meta SET next_passage = ?", (first + count,))
        db.execute("INSERT INTO pending VALUES (?, ?)", (first, first + count - 1))
        for shard in range(shard_of(first), shard_of(first + count - 1) + 1):
            db.execute("INSERT OR IGNORE INTO presence VALUES (?, ?)", (shard, number))
    return range(first, first + count)


def _insert_passages(db: sqlite3.Connection, number: int, passages: Iterable[tuple[int, StagedPassage]], bits: Mapping[str, int]) -> None:
    for passage_id, each in passages:
        flags = sum((1 << bits[category] for category in each.categories), DOUBTFUL_FLAG if each.doubtful else 0)
        db.execute(
            "INSERT INTO passages VALUES (?,?,?,?,?,?,?)", (passage_id, number, each.first, each.last, flags, each.mark, each.screen)
        )
        if each.vector is not None:
            db.execute("INSERT INTO vectors VALUES (?, ?)", (passage_id, each.vector))


def _delete_passages(db: sqlite3.Connection, gone: Sequence[int]) -> None:
    for table in ("passages", "vectors"):
        db.executemany(f"DELETE FROM {table} WHERE id = ?", ((each,) for each in gone))  # noqa: S608 - names of our own tables
    db.executemany("INSERT OR IGNORE INTO dead VALUES (?)", ((each,) for each in gone))


def _publish(db: sqlite3.Connection, shards: set[int], deletes: bool) -> None:
    for shard in shards:
        db.execute("INSERT OR IGNORE INTO shards VALUES (?, 0, ?, 0, NULL, ?, 0)", (shard, f"lexical-{shard}-0", span_of(shard)[0] - 1))
    renew(db, shards)
    if deletes:
        db.execute("UPDATE meta SET deletions = deletions + 1")
