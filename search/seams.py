"""Seams: borders in a recording's words from which it can be gone on with, and whether one still holds.

A seam holds as long as nothing before it has changed: words, chat, the shelf, what was on air, clocks, the screen, the program itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import msgspec

from archive.recording import Product, ProductEvent, Recording
from archive.screen_readings import ScreenText
from search.chat_answered import QUESTION_AHEAD_MS, QUESTION_REACH_MS, Answering
from search.on_air import AirNow
from search.passages import LEVELS_MS
from search.products import AirTimes

_MARK_BYTES = 16
_SILENT, _UNASKED = AirNow(), Answering()


@dataclass(frozen=True, slots=True)
class Told:
    """What is held of a recording beside its words and its chat."""

    recording: Recording
    products: Sequence[Product] = ()
    events: Sequence[ProductEvent] = ()
    screen: Sequence[ScreenText] = ()


@dataclass(frozen=True, slots=True)
class Covered:
    """How many ms so many spans cover together, and up to where; `spans` come in the order of their starts."""

    spans: int = 0
    ms: int = 0
    reached_ms: int = 0

    def with_span(self, start_ms: int, end_ms: int) -> "Covered":
        more = max(0, end_ms - max(start_ms, self.reached_ms))
        return Covered(self.spans + 1, self.ms + more, max(self.reached_ms, end_ms))


_NOTHING = Covered()


@dataclass(frozen=True, slots=True)
class Seam:
    """The border before a unit, with all that what comes behind it depends on.

    `unit`, and `segment` whose first it is, are the first behind it; they begin at `start_ms` and `segment_ms`, and the unit before ended
    at `last_end_ms`. `passages`: for each level the unit with which the first passage begins that may yet change; `thought`: the same of
    claims, of which there are `claims` before, and of passages `settled`. Chat before `chat_ms` counts `messages` that are kept of `chat`.
    """

    unit: int = 0
    segment: int = 0
    start_ms: int = 0
    segment_ms: int = 0
    last_end_ms: int | None = None
    passages: tuple[int, ...] = (0,) * len(LEVELS_MS)
    settled: int = 0
    thought: int = 0
    took_back_ms: int | None = None
    claims: int = 0
    air: AirNow = _SILENT
    answering: Answering = _UNASKED
    chat: int = 0
    messages: int = 0
    transcribed: Covered = _NOTHING
    risky: Covered = _NOTHING

    @property
    def chat_ms(self) -> int:
        """Chat before this may be read out before the seam."""
        return self.start_ms + QUESTION_AHEAD_MS

    @property
    def chat_needed_ms(self) -> int:
        """Chat from here on may be read out behind the seam."""
        return min(self.start_ms, self.segment_ms) - QUESTION_REACH_MS

    @property
    def first_unit(self) -> int:
        """The first unit that something behind the seam may be made of."""
        return min(*self.passages, self.thought)


BEGINNING = Seam()


@dataclass(frozen=True, slots=True)
class Seams:
    """The seams of a recording as it is indexed, nearest to its end first, each with a digest of what it rests on beside words and chat.

    `version`: the transcript that was indexed. `chat_times`: how chat lay then.
    """

    version: int = 0
    chat_times: str = ""
    of: tuple[tuple[Seam, str], ...] = ()


NO_SEAMS = Seams()


def ground_of(seam: Seam, told: Told, embedder: str) -> str:
    """A digest of all that lies before a seam, but for words and chat, and of what read it."""
    recording = told.recording
    parts = [part for part in recording.parts[1:] if part.start_ms < seam.start_ms]
    platform, guessed = AirTimes(told.events), AirTimes(told.events, inferred=True)
    rests_on = (
        _program(),
        embedder,
        recording.id,
        recording.started_at,
        [(part.number, part.start_ms, part.end_ms, part.clock) for part in (*recording.parts[:1], *parts)],
        list(told.products),
        # Whether anything ever is on air, and by whose word, decides what is asked of all the talk.
        (platform.marks, bool(platform), guessed.marks, bool(guessed)),
        [event for event in told.events if event.at_ms < seam.start_ms],
        list(told.screen),
    )
    return blake2b(repr(rests_on).encode(), digest_size=_MARK_BYTES).hexdigest()


@lru_cache(maxsize=1)
def _program() -> str:
    """A digest of the files that read words: what another version made is not gone on with."""
    mark = blake2b(digest_size=_MARK_BYTES)
    here = Path(__file__).parent
    for path in sorted(path for path in here.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        mark.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes())
    return mark.hexdigest()


def write_seams(seams: Seams) -> str:
    """As one line of JSON."""
    return msgspec.json.encode(seams).decode()


def read_seams(body: str) -> Seams:
    return msgspec.json.decode(body, type=Seams)
