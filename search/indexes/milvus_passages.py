"""Rows of passages on a Milvus server: found by terms or by meaning, written in blocks that are never changed.

A block is a run of passages under a name that never comes again. Which blocks count is not said here: whoever publishes a recording or a
paper names them, and hits in others are dropped by whoever asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from search.indexes.milvus_server import MOST_ROWS, Columns, Row, Server, one_of, quoted
from search.passages import Passage

_MARKS = {"owner": 512, "block": 96, "made": 64}
_FOUND_BY = ("owner", "block", "made")
_PLACE = ("owner", "block", "first", "last")
_BLOCKS_AT_ONCE = 500
_SPARE = 16


@dataclass(frozen=True, slots=True)
class Marks:
    """What filters ask of a passage beside its recording."""

    call: bool
    categories: tuple[str, ...]
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, in a block that may or may not count."""

    owner: str
    block: str
    first: int
    last: int
    score: float


class PassageRows:
    """One collection of passages: by terms (`width` 0) or by vectors of a width. Safe for threads."""

    def __init__(self, server: Server, kind: str, width: int = 0) -> None:
        self._server, self.kind = server, kind
        server.ready(
            kind,
            Columns(
                texts=_MARKS,
                numbers=("first", "last"),
                flags=("call", "doubtful"),
                lists=("categories",),
                found_by=_FOUND_BY,
                terms=not width,
                width=width,
            ),
        )

    def put(
        self, owner: str, made: str, blocks: Mapping[str, Sequence[tuple[int, int, Marks]]], vectors: Mapping[str, Sequence[object]]
    ) -> None:
        """Write blocks by name: of each passage its first and last unit, its marks and its vector."""
        rows: list[Row] = [
            {
                "id": f"{block}.{number}",
                "owner": owner,
                "block": block,
                "made": made,
                "first": first,
                "last": last,
                "call": marks.call,
                "doubtful": marks.doubtful,
                "categories": list(marks.categories),
                "vector": vector,
            }
            for block, passages in blocks.items()
            for number, ((first, last, marks), vector) in enumerate(zip(passages, vectors[block], strict=True))
        ]
        self._server.upsert(self.kind, rows)

    def find(self, vector: object, where: str, limit: int, counts: Callable[[Sequence[Hit]], list[Hit]], *, strong: bool) -> list[Hit]:
        """The best hits that count, best first. `counts` leaves out those in blocks that don't.

        Rows of blocks that don't count are few and soon gone; where they crowd the others out, more is asked for.
        """
        if limit < 1:
            return []
        asked = min(limit + _SPARE, MOST_ROWS)
        while True:
            found = self._server.search(self.kind, vector, where, asked, _PLACE, strong=strong)
            hits = counts(
                [Hit(str(row["owner"]), str(row["block"]), int(str(row["first"])), int(str(row["last"])), score) for score, row in found]
            )
            if len(hits) >= limit or len(found) < asked or asked >= MOST_ROWS:
                return hits[:limit]
            asked = min(4 * asked, MOST_ROWS)

    def vectors(self, blocks: Sequence[str]) -> Iterator[tuple[int, int, list[float]]]:
        """(first, last, vector) of every passage of the blocks."""
        for start in range(0, len(blocks), _BLOCKS_AT_ONCE):
            where = one_of("block", blocks[start : start + _BLOCKS_AT_ONCE])
            for row in self._server.rows(self.kind, where, ("first", "last", "vector")):
                vector = row["vector"]
                if isinstance(vector, list):
                    yield int(str(row["first"])), int(str(row["last"])), [float(each) for each in vector]

    def drop(self, blocks: Sequence[str]) -> None:
        for start in range(0, len(blocks), _BLOCKS_AT_ONCE):
            self._server.delete(self.kind, one_of("block", blocks[start : start + _BLOCKS_AT_ONCE]))

    def drop_of(self, owner: str) -> None:
        self._server.delete(self.kind, f"owner == {quoted(owner)}")

    def drop_made_by(self, made: str) -> None:
        self._server.delete(self.kind, f"made == {quoted(made)}")


def marks_of(passage: Passage, *, call: bool) -> Marks:
    return Marks(call, passage.categories, passage.doubtful)
