"""In how many passages each term occurs: one counter a term, so that a question asks for all of its terms at once.

A counter remembers the write that changed it last, so a write that was interrupted can be counted again from the start. Two machines that
change one counter in the same instant may lose one of the changes; what is off by that is a recording's share of a term, no more.
"""

import threading
from collections.abc import Mapping, Sequence

from search.indexes.milvus_server import Columns, Row, Server

COUNTS = "counts"
_COLUMNS = Columns(texts={"made": 64}, numbers=("often",), number_key=True)
_MOST_KEPT = 200_000


class Counts:
    """Safe for threads."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._kept: dict[int, int] = {}
        self._generation = ""
        server.ready(COUNTS, _COLUMNS)

    def add(self, changes: Mapping[int, int], made: str) -> None:
        """Change counters by a dimension's number of passages more or less; those that this write changed already are left."""
        changed = [at for at, by in changes.items() if by]
        held = {int(str(row["id"])): row for row in self._server.get(COUNTS, changed, ("often", "made"))}
        rows: list[Row] = []
        gone: list[int] = []
        for at in changed:
            row = held.get(at)
            if row and row["made"] == made:
                continue
            often = (int(str(row["often"])) if row else 0) + changes[at]
            if often > 0:
                rows.append({"id": at, "often": often, "made": made})
            elif row:
                gone.append(at)
        self._server.upsert(COUNTS, rows)
        for start in range(0, len(gone), 1_000):
            self._server.delete(COUNTS, f"id in {gone[start : start + 1_000]}")

    def of(self, dimensions: Sequence[int], generation: str, *, strong: bool) -> dict[int, int]:
        """Counters by dimension, 0 where a term never occurs. What was read is kept until the index is of another generation."""
        with self._lock:
            if self._generation != generation or len(self._kept) > _MOST_KEPT:
                self._kept, self._generation = {}, generation
            missing = [at for at in dict.fromkeys(dimensions) if at not in self._kept]
            known = {at: self._kept[at] for at in dimensions if at in self._kept}
        if missing:
            read = dict.fromkeys(missing, 0)
            read |= {int(str(row["id"])): int(str(row["often"])) for row in self._server.get(COUNTS, missing, ("often",), strong=strong)}
            known |= read
            with self._lock:
                if self._generation == generation:
                    self._kept |= read
        return known
