"""Which recordings are published on a Milvus server, as one moment saw them: a row each, small, all of them held in memory.

Milvus has no transactions. What makes a write visible is this one row: it names the head page, and that names everything else.
A row that says which generation this is tells readers when to look again; another one tells them that something was removed.
"""

import base64
import json
import secrets
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archive.recording import Recording
from archive.timeline import Clock
from search.errors import IndexUnavailable
from search.indexes import Filter, Totals
from search.indexes.milvus_server import LONGEST_TEXT, Columns, Server, one_of
from search.passages import IndexedRecording

RECORDINGS, STATE = "recordings", "state"
# Clocks of the machines that write may differ by this; what they wrote in it is read once more. After it, every replica has it too.
SKEW_MS = 60_000
GENERATION, REMOVALS, FORMAT, UNCOMPACTED = "generation", "removals", "format", "uncompacted"


@dataclass(frozen=True, slots=True)
class Published:
    """A recording as filters and sums need it. `head`: the page that names all the rest."""

    id: str
    head: str
    host: str | None
    platform: str | None
    room: str | None
    started_ms: int | None
    ended_ms: int | None
    call: bool
    live: bool
    has_media: bool
    products: frozenset[str]
    passages: int
    width: int
    duration_ms: int
    held_ms: int
    missing_ms: int
    transcribed_ms: int
    risky_ms: int
    messages: int
    changed_ms: int = 0

    def passes(self, wanted: Filter) -> bool:
        """Whether the recording passes; `category` and `doubtful` are of its passages, and `among` is the caller's to look up."""
        return (
            (wanted.recording is None or self.id == wanted.recording)
            and (wanted.host is None or self.host == wanted.host)
            and (wanted.platform is None or self.platform == wanted.platform)
            and (wanted.room is None or self.room == wanted.room)
            and (wanted.since is None or (self.ended_ms is not None and self.ended_ms >= wanted.since.epoch_ms))
            and (wanted.until is None or (self.started_ms is not None and self.started_ms < wanted.until.epoch_ms))
            and (wanted.product is None or not self.products or wanted.product in self.products)
            and (wanted.calls is None or self.call == wanted.calls)
        )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was published at one moment. `settled`: nothing changed lately, so that every replica of the server has it."""

    generation: str
    removals: str
    recordings: Mapping[str, Published]
    settled: bool
    passages: int

    def passing(self, wanted: Filter) -> dict[str, Published]:
        if wanted.among is None:
            return {each.id: each for each in self.recordings.values() if each.passes(wanted)}
        among = (self.recordings.get(each) for each in dict.fromkeys(wanted.among))
        return {each.id: each for each in among if each and each.passes(wanted)}


def published(document: IndexedRecording, head: str, width: int) -> Published:
    recording: Recording = document.recording
    started, _ = recording.wall_at(0)
    return Published(
        recording.id,
        head,
        recording.host,
        recording.platform,
        recording.room,
        started.epoch_ms if started else None,
        started.epoch_ms + recording.duration_ms if started else None,
        recording.kind == "call",
        recording.live,
        recording.has_media,
        frozenset(each.product_id for each in document.products),
        len(document.passages),
        width,
        recording.duration_ms,
        recording.held_ms,
        sum(gap.end_ms - gap.start_ms for gap in recording.gaps),
        document.transcribed_ms,
        document.risky_ms,
        len(document.messages),
    )


def totals(of: Iterable[Published]) -> Totals:
    found = sorted(of, key=oldest_first)
    return Totals(
        len(found),
        sum(not each.has_media for each in found),
        sum(each.duration_ms for each in found),
        sum(each.held_ms for each in found),
        sum(each.transcribed_ms for each in found),
        sum(each.risky_ms for each in found),
        sum(each.missing_ms for each in found),
        sum(each.messages for each in found),
        tuple(each.id for each in found if each.live),
    )


def oldest_first(each: Published) -> tuple[bool, int, str]:
    """Those of no known time first, as SQL has it."""
    return each.started_ms is not None, each.started_ms or 0, each.id


class Recordings:
    """The rows of published recordings, and what this process knows of them. Safe for threads."""

    def __init__(self, server: Server, clock: Clock, fresh_seconds: float) -> None:
        self._server, self._clock, self._fresh_seconds = server, clock, fresh_seconds
        self._lock = threading.Lock()
        self._known: Snapshot | None = None
        self._checked = float("-inf")
        self.prepare()

    def prepare(self) -> None:
        """Have the collections, empty if there are none."""
        self._server.ready(RECORDINGS, Columns(texts={"body": LONGEST_TEXT}, numbers=("changed_ms",), found_by=("changed_ms",)))
        self._server.ready(STATE, Columns(texts={"body": LONGEST_TEXT}))

    def snapshot(self) -> Snapshot:
        """What is published, no older than `fresh_seconds`; what this process wrote is always in it."""
        with self._lock:
            known = self._known
            if known and time.monotonic() - self._checked < self._fresh_seconds:
                return known
            asked = time.monotonic()
            state = self.state()
            generation, removals = state.get(GENERATION, ""), state.get(REMOVALS, "")
            if known is None or known.removals != removals:
                held = self._read("id != ''")
            elif known.generation != generation:
                newest = max((each.changed_ms for each in known.recordings.values()), default=0)
                held = {**known.recordings, **self._read(f"changed_ms >= {newest - SKEW_MS}")}
            else:
                held = dict(known.recordings)
            newest = max((each.changed_ms for each in held.values()), default=0)
            settled = self._clock().epoch_ms - newest > SKEW_MS
            self._known = Snapshot(generation, removals, held, settled, sum(each.passages for each in held.values()))
            self._checked = asked
            return self._known

    def state(self) -> dict[str, str]:
        """What is known of the whole: its format, its generation, and whether the server still has to compact what was removed."""
        rows = self._server.get(STATE, [FORMAT, GENERATION, REMOVALS, UNCOMPACTED], ("body",))
        return {str(row["id"]): str(row["body"]) for row in rows}

    def set_state(self, name: str, value: str) -> None:
        self._server.upsert(STATE, [{"id": name, "body": value}])

    def one(self, recording_id: str) -> Published | None:
        """The recording as the server has it now."""
        return next(iter(self._read_rows(self._server.get(RECORDINGS, [recording_id], ("body", "changed_ms")))), None)

    def publish(self, each: Published) -> None:
        """From here on this is the recording, in place of what it was."""
        body = _written(each)
        if len(body) > LONGEST_TEXT:
            raise IndexUnavailable(f"the recording {each.id} sells too many products for Milvus ({len(each.products)}): index it embedded")
        self._server.upsert(RECORDINGS, [{"id": each.id, "body": body, "changed_ms": self._clock().epoch_ms}])
        self._bump(GENERATION)

    def withdraw(self, recording_id: str) -> None:
        """From here on there is no such recording."""
        self._server.delete(RECORDINGS, one_of("id", [recording_id]))
        self._bump(GENERATION, REMOVALS)

    def bump(self) -> None:
        """Readers look again."""
        self._bump(GENERATION)

    def _bump(self, *names: str) -> None:
        self._server.upsert(STATE, [{"id": name, "body": secrets.token_hex(8)} for name in names])
        with self._lock:
            self._checked = float("-inf")

    def _read(self, where: str) -> dict[str, Published]:
        return {each.id: each for each in self._read_rows(self._server.rows(RECORDINGS, where, ("body", "changed_ms")))}

    @staticmethod
    def _read_rows(rows: Iterable[dict[str, object]]) -> list[Published]:
        return [_read(str(row["id"]), str(row["body"]), int(str(row["changed_ms"]))) for row in rows]


def _written(each: Published) -> str:
    marks = [each.head, each.host, each.platform, each.room, each.started_ms, each.ended_ms, each.call, each.live, each.has_media]
    lengths = [each.duration_ms, each.held_ms, each.missing_ms, each.transcribed_ms, each.risky_ms]
    text = json.dumps([marks, sorted(each.products), [each.passages, each.width, *lengths, each.messages]], ensure_ascii=False)
    return base64.b64encode(zlib.compress(text.encode())).decode("ascii")


def _read(recording_id: str, body: str, changed_ms: int) -> Published:
    marks, products, numbers = json.loads(zlib.decompress(base64.b64decode(body)))
    head, host, platform, room, started, ended, call, live, has_media = marks
    passages, width, duration, held, missing, transcribed, risky, messages = numbers
    return Published(
        recording_id,
        head,
        host,
        platform,
        room,
        started,
        ended,
        call,
        live,
        has_media,
        frozenset(products),
        passages,
        width,
        duration,
        held,
        missing,
        transcribed,
        risky,
        messages,
        changed_ms,
    )
