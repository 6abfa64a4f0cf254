"""What is to be written of a recording, put down on disk first: its words may be long, and the index's lock is held for writing alone."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from search.indexes import CHANNELS, Parts
from search.indexes.documents import write_claim, write_unit
from search.indexes.lexical import tokens
from search.indexes.vector_files import packed
from search.passages import Passage

MARK_BYTES = 16
_SCHEMA = (
    "CREATE TABLE units (number INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    "CREATE TABLE claims (place INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    "CREATE TABLE passages (place INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, mark BLOB NOT NULL, "
    "terms BLOB NOT NULL, screen TEXT, categories BLOB NOT NULL, doubtful INTEGER NOT NULL, vector BLOB)",
)


@dataclass(frozen=True, slots=True)
class StagedPassage:
    """A passage as it is stored. `mark` tells it from every other of its recording; `terms` by channel, as `tokens` gives them."""

    first: int
    last: int
    mark: bytes
    terms: dict[str, str]
    screen: str | None
    categories: tuple[str, ...]
    doubtful: bool
    vector: bytes | None


class Staged:
    """Units, claims and passages of one write, in a temporary file of SQLite's that nobody else sees and that is gone when it is closed."""

    def __init__(self, parts: Parts) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        try:
            for statement in ("PRAGMA journal_mode=OFF", "BEGIN", *_SCHEMA):
                self._db.execute(statement)
            for piece, vectors in parts:
                self._db.executemany("INSERT INTO units VALUES (?,?)", ((each.unit.number, write_unit(each)) for each in piece.units))
                self._db.executemany("INSERT INTO claims (body) VALUES (?)", ((write_claim(each),) for each in piece.claims))
                self._db.executemany(
                    "INSERT INTO passages (first, last, mark, terms, screen, categories, doubtful, vector) VALUES (?,?,?,?,?,?,?,?)",
                    (_row(passage, vectors[place] if vectors is not None else None) for place, passage in enumerate(piece.passages)),
                )
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> "Staged":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def units(self) -> Iterator[tuple[int, str]]:
        return iter(self._db.execute("SELECT number, body FROM units ORDER BY number"))

    def claims(self, first: int) -> Iterator[tuple[int, str]]:
        return iter(self._db.execute("SELECT place - 1 + ?, body FROM claims ORDER BY place", (first,)))

    def marks(self) -> Iterator[tuple[int, bytes]]:
        """(place, mark) of each passage, in order."""
        return iter(self._db.execute("SELECT place, mark FROM passages ORDER BY place"))

    def categories(self) -> set[str]:
        """All that its passages speak of."""
        return {name for (each,) in self._db.execute("SELECT DISTINCT categories FROM passages") for name in msgspec.json.decode(each)}

    def passages(self, places: Sequence[int]) -> Iterator[StagedPassage]:
        """Those in these places, in the order asked."""
        for place in places:
            row = self._db.execute(
                "SELECT first, last, mark, terms, screen, categories, doubtful, vector FROM passages WHERE place = ?", (place,)
            ).fetchone()
            first, last, mark, terms, screen, categories, doubtful, vector = row
            yield StagedPassage(
                first, last, mark, msgspec.json.decode(terms), screen, tuple(msgspec.json.decode(categories)), bool(doubtful), vector
            )


def _row(passage: Passage, vector: Sequence[float] | None) -> tuple[object, ...]:
    blob = packed(vector) if vector is not None else None
    terms = {channel: tokens(getattr(passage, channel)) for channel in CHANNELS}
    mark = blake2b("\n".join(terms.values()).encode(), digest_size=MARK_BYTES)
    mark.update(repr((passage.first, passage.last, passage.categories, passage.doubtful, blob is None)).encode())
    mark.update(blob or b"")
    return (
        passage.first,
        passage.last,
        mark.digest(),
        msgspec.json.encode(terms),
        terms["screen"] or None,
        msgspec.json.encode(passage.categories),
        passage.doubtful,
        blob,
    )
