"""Writes on a Milvus server that can be interrupted anywhere: what was begun is noted first, and whoever writes next brings it to an end.

A write puts new rows beside the old, publishes them by one row, counts terms, and lets the old rows go: not at once, because a reader may
be in the middle of a question, but when the next write comes after a minute. What was never published goes too.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import structlog

from archive.timeline import Clock
from search.indexes.milvus_server import Columns, Server, one_of

_log = structlog.get_logger(__name__)

State: TypeAlias = Literal["writing", "retired", "removing"]
# A question is answered long before; a write that is this old has nobody left who goes on with it.
RETIRED_AFTER_MS = 60_000
ABANDONED_AFTER_MS = 600_000


@dataclass(frozen=True, slots=True)
class Note:
    """A write of an owner's rows: under way, or done with old rows left to drop."""

    made: str
    owner: str
    state: State
    since_ms: int


class Notes:
    """What is under way. Safe for threads."""

    def __init__(self, server: Server, kind: str, clock: Clock) -> None:
        self._server, self._kind, self._clock = server, kind, clock
        server.ready(kind, Columns(texts={"body": 4096}))

    def put(self, made: str, owner: str, state: State) -> None:
        self._server.upsert(self._kind, [{"id": made, "body": json.dumps([owner, state, self._clock().epoch_ms], ensure_ascii=False)}])

    def drop(self, made: str) -> None:
        self._server.delete(self._kind, one_of("id", [made]))

    def due(self, owner: str | None) -> Iterator[Note]:
        """Notes whose time has come. Those of `owner` that are under way are: one writes an owner's rows at a time, and that is now us."""
        now = self._clock().epoch_ms
        for note in self._all():
            patience = RETIRED_AFTER_MS if note.state == "retired" else ABANDONED_AFTER_MS
            if now - note.since_ms > patience or (note.owner == owner and note.state != "retired"):
                yield note

    def of(self, owner: str) -> list[Note]:
        return [note for note in self._all() if note.owner == owner]

    def _all(self) -> list[Note]:
        notes = []
        for row in self._server.rows(self._kind, "id != ''", ("body",)):
            owner, state, since = json.loads(str(row["body"]))
            notes.append(Note(str(row["id"]), owner, state, since))
        return notes

    def sweep(self, owner: str | None, ends: Callable[[Note], None]) -> None:
        """Bring to an end what is due."""
        for note in self.due(owner):
            if note.state != "retired":
                _log.warning("milvus_write_taken_over", owner=note.owner, write=note.made, state=note.state)
            ends(note)
