"""Passages lie in shards by their ids: a shard is a directory of terms and a file of vectors, and only the newest one grows.

So what is added costs the same however much is held, and what has to be made anew is never more than a shard. A reader's view of all
shards never lacks what its moment of the SQLite file holds; what it has beyond that is dropped when passages are looked up.
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

import structlog

from search.indexes import Totals
from search.indexes.lexical import Inside, LexicalShard, LexicalView, ShardGone, Term
from search.indexes.side_by_side import side_by_side
from search.indexes.vector_files import Floats, Passing, Tail, VectorFile

_log = structlog.get_logger(__name__)

SHARD_BITS = 18
SCOPES_KEPT = 64
FREQUENCIES_KEPT = 20_000
_SHARDS = "SELECT number, generation, lexical, dead, vectors, through FROM shards ORDER BY number"


_T = TypeVar("_T")


def shard_of(passage: int) -> int:
    return passage >> SHARD_BITS


def span_of(shard: int) -> tuple[int, int]:
    """First passage id of a shard and the one after its last."""
    return shard << SHARD_BITS, (shard + 1) << SHARD_BITS


@dataclass(frozen=True, slots=True)
class ShardRow:
    """A shard as the SQLite file tells of it. `generation` changes with its files, `through` is the last passage that `vectors` knows."""

    number: int
    generation: int
    lexical: str
    dead: int
    vectors: str | None
    through: int


@dataclass(slots=True)
class ShardView:
    """One shard's terms at one moment, and its vectors."""

    row: ShardRow
    terms: LexicalView
    file: VectorFile | None
    tails: dict[int, Tail] = field(default_factory=dict)

    def tail(self, width: int) -> Tail:
        """The vectors of this width that the file doesn't hold."""
        known = self.tails.get(width)
        if known is None:
            base, _ = span_of(self.row.number)
            after = self.row.through if self.file is not None and self.file.width == width else base - 1
            known = self.tails.setdefault(width, Tail(after, width))
        return known


@dataclass(slots=True)
class Scope:
    """What passes a filter: recordings by number (None: all), and the share of all passages that are theirs, 0…1."""

    recordings: frozenset[int] | None
    category: str | None
    doubtful: bool | None
    share: float
    passing: Passing | None = None

    @property
    def is_everything(self) -> bool:
        return self.recordings is None and self.category is None and self.doubtful is None


@dataclass(slots=True)
class View:
    """All shards, for one generation of the index that holds `count` passages.

    What was asked before is remembered: in `scopes` and `totals` what filters came to, in `ids` which recording a number is, in `held`
    which passages there are.
    """

    generation: int
    count: int
    shards: tuple[ShardView, ...]
    held: frozenset[int] | None = None
    frequencies: dict[Term, int] = field(default_factory=dict)
    scopes: "OrderedDict[object, Scope]" = field(default_factory=OrderedDict)
    totals: "OrderedDict[object, Totals]" = field(default_factory=OrderedDict)
    ids: dict[int, str] = field(default_factory=dict)
    presence: dict[int, frozenset[int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def passages(self) -> int:
        return sum(shard.terms.passages for shard in self.shards)

    def remembered(self, kept: "OrderedDict[object, _T]", asked: object, make: Callable[[], _T]) -> _T:
        """What was made for this before, or is made now; of each kind SCOPES_KEPT are kept, those that were asked for last."""
        with self.lock:
            known = kept.get(asked)
            if known is not None:
                kept.move_to_end(asked)
                return known
        made = make()
        with self.lock:
            kept[asked] = made
            while len(kept) > SCOPES_KEPT:
                kept.popitem(last=False)
        return made

    def frequency(self, term: Term) -> int:
        """In how many passages the term occurs; what is asked twice is counted once."""
        found = self.frequencies.get(term)
        if found is None:
            if len(self.frequencies) >= FREQUENCIES_KEPT:
                self.frequencies.clear()
            found = self.frequencies[term] = sum(shard.terms.frequency(term) for shard in self.shards)
        return found

    def best(self, weighed: Mapping[Term, float], inside: Scope | None, limit: int) -> tuple[list[tuple[float, int]], bool]:
        """(score, passage) best first, at most `limit`; whether that is all there is."""
        asked: list[tuple[LexicalView, Inside | None]] = []
        for shard in self.shards:
            within: Inside | None = None
            if inside is not None:
                kept = None if inside.recordings is None else inside.recordings & self.presence[shard.row.number]
                if kept is not None and not kept:
                    continue
                within = Inside(tuple(sorted(kept)) if kept is not None else None, inside.category, inside.doubtful)
            asked.append((shard.terms, within))
        return _best_of(side_by_side(lambda each: each[0].best(weighed, each[1], limit), asked), limit)

    def nearest(self, db: sqlite3.Connection, vector: Floats, inside: Scope | None, limit: int) -> tuple[list[tuple[float, int]], bool]:
        """(cosine, passage) best first, at most `limit`; whether that is all there is."""
        passing = inside.passing if inside else None
        among = [
            shard for shard in self.shards if not inside or inside.recordings is None or inside.recordings & self.presence[shard.row.number]
        ]
        files = [shard.file for shard in among if shard.file is not None and shard.file.width == len(vector)]
        found = side_by_side(lambda file: file.search(vector, passing, limit, len(among)), files)
        found += [shard.tail(len(vector)).search(db, span_of(shard.row.number)[1], vector, passing, limit) for shard in among]
        return _best_of(found, limit)


def _best_of(found: Sequence[list[tuple[float, int]]], limit: int) -> tuple[list[tuple[float, int]], bool]:
    """The best of several lists, and whether that is all there is."""
    every = [hit for hits in found for hit in hits]
    every.sort(key=itemgetter(0), reverse=True)  # equal ones stay in the order of their ids
    return every[:limit], len(every) <= limit and all(len(hits) < limit for hits in found)


class Shards:
    """This process's open shards. Safe for threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, LexicalShard] = {}
        self._view: View | None = None
        self._lock = threading.Lock()

    def known(self, generation: int) -> View | None:
        """The view of this generation, if it is the one at hand."""
        view = self._view
        return view if view is not None and view.generation == generation else None

    def view(self, db: sqlite3.Connection, generation: int, is_whole: Callable[[], bool]) -> View | None:
        """All shards as they now are on the disk: at least what the moment that `db` reads holds, if `is_whole` then says that nothing of
        it was taken out meanwhile. ShardGone."""
        with self._lock:
            if (known := self.known(generation)) is not None:
                return known
            before = {shard.row: shard for shard in self._view.shards} if self._view else {}
            rows = [ShardRow(*row) for row in db.execute(_SHARDS)]
            count = int(db.execute("SELECT total(passages) FROM recordings").fetchone()[0])
            view = View(generation, count, tuple(before.get(row) or self._opened(row, before) for row in rows))
            for shard, recording in _presence(db, [row.number for row in rows]):
                view.presence[shard] = recording
            named = {row.lexical for row in rows}
            self._open = {name: shard for name, shard in self._open.items() if name in named}
            if not is_whole():
                return None
            self._view = view
            return view

    def _opened(self, row: ShardRow, before: Mapping[ShardRow, ShardView]) -> ShardView:
        try:
            shard = self._open.get(row.lexical) or LexicalShard(self._folder / row.lexical)
            self._open[row.lexical] = shard
            terms = shard.newest(row.dead)
        except (ValueError, OSError) as error:
            self._open.pop(row.lexical, None)
            raise ShardGone(row.number) from error
        same = next((held for known, held in before.items() if (known.vectors, known.number) == (row.vectors, row.number)), None)
        if same is not None:
            return ShardView(row, terms, same.file, same.tails)
        file = None
        if row.vectors is not None:
            try:
                file = VectorFile(self._folder / row.vectors, span_of(row.number)[0])
            except (OSError, RuntimeError, ValueError) as error:
                # Until it is made anew, its vectors are read from SQLite and compared one by one.
                _log.warning("vectors_unreadable", file=row.vectors, reason=str(error))
        return ShardView(row, terms, file)


def _presence(db: sqlite3.Connection, shards: Sequence[int]) -> list[tuple[int, frozenset[int]]]:
    """Which recordings have words in each shard."""
    held: dict[int, list[int]] = {shard: [] for shard in shards}
    for shard, recording in db.execute("SELECT shard, recording FROM presence"):
        if shard in held:
            held[shard].append(recording)
    return [(shard, frozenset(recordings)) for shard, recordings in held.items()]
