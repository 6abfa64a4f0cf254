"""The embedded index: one SQLite file that holds everything, and beside it shards of terms (tantivy) and vectors (FAISS) made of it.

Readers of other processes see a recording as it was or as it is: they read SQLite at one moment, take a view of the shards that lacks
nothing of that moment, and drop what the moment doesn't hold.
"""

import math
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import structlog

from archive.recording import Message, Product
from search.errors import IndexUnavailable
from search.indexes import (
    CHANNEL_WEIGHTS,
    Candidate,
    Filter,
    Grown,
    RecordCandidate,
    RecordingEntry,
    Terms,
    Totals,
    record_tables,
    recording_tables,
    upkeep,
    writing,
)
from search.indexes.database import Database
from search.indexes.lexical import ShardGone, Term, token
from search.indexes.shards import Scope, Shards, View
from search.indexes.staging import Staged
from search.indexes.vector_files import Floats, Passing, unpacked
from search.passages import IndexedRecording, IndexedUnit, LinkedClaim
from search.promises import Claim
from search.records import IndexedRecord, RecordUnit
from search.seams import Seams
from search.units import joined_text

_log = structlog.get_logger(__name__)

# A question's terms are asked in order of their weight until they occur so often in all, then only the first of them stand for the rest.
POSTINGS = 400_000
POSTINGS_SHARE = 1 / 8
FEWEST_TERMS = 12
# A filter that lets more than this through is held when passages are looked up, a narrower one inside the shards' search.
WIDE_SHARE = 0.5
TRIES = 40
# A term that nearly every passage has still tells which passages there are.
LEAST_WEIGHT = 0.01
# Up to this share of passages that a moment doesn't hold, frequencies are taken as they are; up to so many, counted exactly.
SURPLUS, COUNTED_MOST = 0.02, 4096
_PASSAGE_ROWS = "SELECT id, recording, first, last, flags FROM passages WHERE id IN (SELECT value FROM json_each(?))"
_PASSAGE_VECTORS = (
    "SELECT p.first, p.last, v.vector FROM passages p JOIN vectors v USING (id) WHERE p.recording = ? AND p.first BETWEEN ? AND ?"
)

_R = TypeVar("_R")


class EmbeddedIndex:
    """Index on one folder. Safe for threads (a connection each) and for several processes (one writes at a time)."""

    def __init__(self, folder: Path, *, busy_seconds: float) -> None:
        self._folder = folder
        self._database = Database(folder, busy_seconds)
        self._shards = Shards(folder)
        self._local = threading.local()

    def replace(self, document: IndexedRecording, vectors: Sequence[Sequence[float]] | None) -> None:
        self.write(Grown.whole(document, vectors))

    def write(self, grown: Grown) -> bool:
        # Describing and embedding take their time: only then is the lock held.
        with Staged(grown.parts) as staged:
            summary = grown.summary()
            return self._mending(partial(writing.store, self._database, grown.seam, grown.was, staged, summary))

    def seams(self, recording_id: str) -> tuple[Seams, str]:
        return recording_tables.seams(self._db, recording_id)

    def earlier_claims(self, recording_id: str, before: int, products: frozenset[str], since_ms: int) -> Iterator[tuple[int, Claim]]:
        return recording_tables.earlier_claims(self._db, recording_id, before, products, since_ms)

    def vectors(self, recording_id: str, embedder: str, first: int = 0, last: int | None = None) -> Mapping[str, Sequence[float]]:
        with self.reading():
            entry = self.entry(recording_id)
            if entry is None or not embedder or entry.embedder != embedder:
                return {}
            last = entry.unit_count if last is None else last
            units = [unit.unit for unit in self.units(recording_id, first, last)]
            number = recording_tables.number_of(self._db, recording_id)
            found: dict[str, Sequence[float]] = {}
            for begin, end, blob in self._db.execute(_PASSAGE_VECTORS, (number, first, last)):
                if end <= last:
                    found[joined_text(units[begin - first : end + 1 - first])[0]] = unpacked(blob).tolist()
            return found

    def remove(self, recording_id: str) -> bool:
        return self._mending(partial(writing.forget, self._database, recording_id))

    def maintain(self, *, wait_s: float = 0.0) -> None:
        upkeep.maintain(self._database, wait_s=wait_s)

    @contextmanager
    def reading(self) -> Iterator[None]:
        db = self._db
        if db.in_transaction:
            yield
            return
        self._local.view = self._view_of_now(db)
        try:
            yield
        finally:
            self._local.view = None
            db.execute("ROLLBACK")

    def recordings(self, wanted: Filter) -> list[RecordingEntry]:
        return recording_tables.entries(self._db, wanted)

    def ids(self, wanted: Filter) -> frozenset[str]:
        return recording_tables.ids(self._db, wanted)

    def entry(self, recording_id: str) -> RecordingEntry | None:
        return next(iter(recording_tables.entries(self._db, Filter(recording=recording_id))), None)

    def totals(self, wanted: Filter) -> Totals:
        with self.reading():
            view = self._view
            return view.remembered(view.totals, wanted, lambda: recording_tables.totals(self._db, wanted))

    def hosts(self) -> list[str]:
        return [row[0] for row in self._db.execute("SELECT DISTINCT host FROM recordings WHERE host IS NOT NULL ORDER BY host")]

    def passage_count(self) -> int:
        with self.reading():
            return self._view.count

    def frequencies(self, terms: Mapping[str, Sequence[str]]) -> dict[str, dict[str, int]]:
        with self.reading():
            return {
                channel: {term: count for term in asked if term and (count := self._frequency((channel, token(term))))}
                for channel, asked in terms.items()
            }

    def candidates(self, terms: Terms, wanted: Filter, limit: int) -> list[Candidate]:
        with self.reading():
            scope = self._scope(wanted)
            weighed = self._chosen(terms)
            if not weighed or not scope.share:
                return []
            is_wide = scope.share >= WIDE_SHARE
            most = math.ceil(1.1 * limit / scope.share) if is_wide else limit
            while True:
                hits, is_all = self._view.best(weighed, None if is_wide else scope, most)
                held = self._held(hits, scope)
                if len(held) >= limit or is_all:
                    return held[:limit]
                most *= 4

    def nearest(self, vector: Sequence[float], wanted: Filter, limit: int) -> list[Candidate]:
        with self.reading():
            scope = self._scope(wanted)
            if not scope.share:
                return []
            asked = np.asarray(vector, dtype=np.float32)
            is_wide = scope.share >= WIDE_SHARE
            most = math.ceil(2 * limit / scope.share) if is_wide else 2 * limit
            while True:
                hits, is_all = self._view.nearest(self._db, asked, None if is_wide else scope, most)
                held = self._held(self._exactly(asked, hits), scope)
                if len(held) >= limit or is_all:
                    return held[:limit]
                most *= 4

    def units(self, recording_id: str, first: int, last: int) -> list[IndexedUnit]:
        return recording_tables.units(self._db, recording_id, first, last)

    def runs(self, wanted: Sequence[tuple[str, int, int]]) -> list[list[IndexedUnit]]:
        with self.reading():
            return recording_tables.runs(self._db, wanted)

    def claims(self, recording_id: str) -> list[LinkedClaim]:
        return recording_tables.claims(self._db, recording_id)

    def products(self, recordings: Sequence[str]) -> dict[str, list[Product]]:
        return {recording_id: recording_tables.products(self._db, recording_id) for recording_id in recordings}

    def messages(self, recording_id: str, from_ms: int, to_ms: int) -> list[Message]:
        return recording_tables.messages(self._db, recording_id, from_ms, to_ms)

    def replace_record(self, document: IndexedRecord) -> None:
        with self._database.transaction() as db:
            record_tables.store(db, document)

    def remove_record(self, case_id: str, attachment: int | None = None) -> bool:
        with self._database.transaction() as db:
            writing.owe(db, (writing.LOG, writing.PAPERS))
            return record_tables.forget(db, case_id, attachment)

    def records(self) -> dict[tuple[str, int], int]:
        return record_tables.held(self._db)

    def record_candidates(self, terms: Terms, case_id: str, limit: int) -> list[RecordCandidate]:
        return record_tables.candidates(self._db, terms.by_channel, case_id, limit)

    def record_units(self, case_id: str, attachment: int, first: int, last: int) -> list[RecordUnit]:
        return record_tables.units(self._db, case_id, attachment, first, last)

    def close(self) -> None:
        self._database.close()

    @property
    def _db(self) -> sqlite3.Connection:
        return self._database.connection()

    @property
    def _view(self) -> View:
        view: View = self._local.view
        return view

    def _mending(self, writes: Callable[[], _R]) -> _R:
        """Writes; where a shard's files turn out to be missing or damaged, once more when they have been made again."""
        try:
            return writes()
        except ShardGone as gone:
            upkeep.remake_terms(self._database, gone.shard)
            return writes()

    def _view_of_now(self, db: sqlite3.Connection) -> View:
        """Begins a moment of the SQLite file, with a view of the shards that lacks nothing of it.

        A view that was taken while passages of this moment were let go of may lack these: then the moment is begun anew.
        """
        for attempt in range(TRIES):
            db.execute("BEGIN")
            try:
                generation, deletions = db.execute("SELECT generation, deletions FROM meta").fetchone()
                if (view := self._shards.known(generation)) is not None:
                    return view
                view = self._shards.view(db, generation, partial(self._is_whole, deletions))
                if view is not None:
                    return view
            except ShardGone as gone:
                db.execute("ROLLBACK")
                # For a moment it may only be that the shard has just got other files.
                if attempt > TRIES // 4:
                    upkeep.remake_terms(self._database, gone.shard)
                continue
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("ROLLBACK")
        raise IndexUnavailable(f"{self._folder} is written faster than it can be read: ask again")

    def _is_whole(self, deletions: int) -> bool:
        """Whether no passages have been let go of since there had been so many deletions, whatever moment this thread reads."""
        now = self._database.aside().execute("SELECT deletions FROM meta").fetchone()[0]
        return bool(now == deletions)

    def _scope(self, wanted: Filter) -> Scope:
        view = self._view
        return view.remembered(view.scopes, wanted, lambda: self._resolved(wanted))

    def _resolved(self, wanted: Filter) -> Scope:
        view = self._view
        every = max(view.count, 1)
        recordings, count = None, every
        if recording_tables.limits_recordings(wanted):
            recordings, count = recording_tables.numbers(self._db, wanted)
            if count == view.count:
                recordings = None
        share = count / every
        with_flags = without_flags = 0
        if wanted.category is not None:
            bit = self._db.execute("SELECT bit FROM categories WHERE name = ?", (wanted.category,)).fetchone()
            share *= min(view.frequency(("marks", token(wanted.category))) / every, 1.0) if bit else 0.0
            with_flags |= 1 << bit[0] if bit else 0
        if wanted.doubtful is not None:
            with_flags |= writing.DOUBTFUL_FLAG if wanted.doubtful else 0
            without_flags |= 0 if wanted.doubtful else writing.DOUBTFUL_FLAG
        table = None
        if recordings is not None:
            table = np.zeros(self._db.execute("SELECT next_recording FROM meta").fetchone()[0], np.bool_)
            table[list(recordings)] = True
        is_everything = recordings is None and not with_flags and not without_flags
        passing = None if is_everything else Passing(table, with_flags, without_flags)
        return Scope(recordings, wanted.category, wanted.doubtful, share, passing)

    def _frequency(self, term: Term) -> int:
        """In how many passages of this moment a term occurs. A view may have some that the moment doesn't know, or knows no more: where
        they are many, those of a small index are left out one by one, those of a large one by their share."""
        view = self._view
        found = view.frequency(term)
        held = view.count
        if not found or view.passages <= held * (1 + SURPLUS):
            return min(found, held)
        if view.passages > COUNTED_MOST:
            return max(found * held // view.passages, 1)
        if view.held is None:
            view.held = frozenset(row[0] for row in self._db.execute("SELECT id FROM passages"))
        return sum(passage in view.held for _, passage in view.best({term: 1.0}, None, found)[0])

    def _chosen(self, terms: Terms) -> dict[Term, float]:
        """The terms to ask, with the weight that each has in a passage's score: the heaviest, as long as their passages can be gone
        through in time."""
        weighed = {
            (channel, token(term)): CHANNEL_WEIGHTS[channel] * max(weight, LEAST_WEIGHT)
            for channel, asked in terms.by_channel.items()
            for term, weight in asked.items()
            if term
        }
        most = max(POSTINGS, self._view.count * POSTINGS_SHARE)
        chosen: dict[Term, float] = {}
        postings = 0
        for term, weight in sorted(weighed.items(), key=lambda item: (-item[1], item[0])):
            occurs = self._view.frequency(term)
            if not occurs or (postings + occurs > most and len(chosen) >= FEWEST_TERMS):
                continue
            chosen[term] = weight
            postings += occurs
        return chosen

    def _exactly(self, asked: Floats, hits: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
        """Hits with the cosines of their vectors as stored, best first: a file's are rounded. What this moment doesn't hold goes."""
        wanted = "[" + ",".join(str(passage) for _, passage in hits) + "]"
        rows = self._db.execute("SELECT id, vector FROM vectors WHERE id IN (SELECT value FROM json_each(?))", (wanted,)).fetchall()
        rows = [row for row in rows if len(row[1]) == 2 * len(asked)]
        if not rows:
            return []
        scores = unpacked(b"".join(row[1] for row in rows)).reshape(len(rows), len(asked)) @ asked
        return sorted(zip(scores.tolist(), (row[0] for row in rows), strict=True), key=lambda each: (-each[0], each[1]))

    def _held(self, hits: Sequence[tuple[float, int]], scope: Scope) -> list[Candidate]:
        """Those hits that this moment holds and that pass."""
        wanted = "[" + ",".join(str(passage) for _, passage in hits) + "]"
        rows = {row[0]: row[1:] for row in self._db.execute(_PASSAGE_ROWS, (wanted,))}
        found = []
        passing = scope.passing
        for score, passage in hits:
            if passage not in rows:
                continue
            number, first, last, flags = rows[passage]
            if scope.recordings is not None and number not in scope.recordings:
                continue
            if passing is not None and (flags & passing.with_flags != passing.with_flags or flags & passing.without_flags):
                continue
            found.append(Candidate(self._id_of(number), first, last, score))
        return found

    def _id_of(self, number: int) -> str:
        """The recording of this number."""
        ids = self._view.ids
        known = ids.get(number)
        if known is None:
            row = self._db.execute("SELECT id FROM recordings WHERE recording = ?", (number,)).fetchone()
            known = ids[number] = str(row[0])
        return known
