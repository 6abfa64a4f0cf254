"""Times: integer milliseconds of a recording, and wall-clock instants as a type of their own.

A recording's time line starts at its first part; gaps between parts count, so that wall time is a shift of it. A part's own media time
starts at 0. `ClockMap` joins the two and says how sure the join is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol, Self

from archive.digest import Json
from archive.errors import InvalidTime


class Clock(Protocol):
    """Where the present comes from; passed in, so that tests and replays can say when now is."""

    def __call__(self) -> "WallTime": ...


@dataclass(frozen=True, order=True, slots=True)
class WallTime:
    """An instant, in whole milliseconds since 1970-01-01 UTC."""

    epoch_ms: int

    @classmethod
    def now(cls) -> Self:
        """The machine's present time. Only programs' outermost layer calls this; the rest is handed a Clock."""
        return cls(round(datetime.now(UTC).timestamp() * 1000))

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """From a datetime that knows its zone. InvalidTime for one that doesn't."""
        if moment.tzinfo is None:
            raise InvalidTime(f"{moment.isoformat()} has no time zone: write for example {moment.isoformat()}+08:00")
        return cls(round(moment.timestamp() * 1000))

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ISO 8601 with a zone, e.g. 2026-11-18T20:00:00+08:00. InvalidTime if it can't be read or has no zone."""
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError as error:
            raise InvalidTime(f"“{text[:60]}” is no time: write it like 2026-11-18T20:00:00+08:00") from error
        return cls.of(moment)

    def plus_ms(self, ms: int) -> "WallTime":
        return WallTime(self.epoch_ms + ms)

    def iso(self) -> str:
        """ISO 8601 in UTC with milliseconds."""
        moment = datetime.fromtimestamp(self.epoch_ms // 1000, UTC) + timedelta(milliseconds=self.epoch_ms % 1000)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


_SPAN = re.compile(r"^(?:(\d{1,9}):)?(\d{1,2}):(\d{2})(?:[.,](\d{1,3}))?$")


def parse_ms(text: str) -> int:
    """Milliseconds from `73500`, `1:13.5` or `0:01:13.500`. InvalidTime otherwise."""
    text = text.strip()
    if text.isdecimal() and len(text) <= 18:
        return int(text)
    match = _SPAN.match(text)
    if not match or (int(match[2]) > 59 and match[1]) or int(match[3]) > 59:
        raise InvalidTime(f"“{text[:60]}” is no time in a recording: give milliseconds, or write 1:13.5")
    hours, minutes, seconds = int(match[1] or 0), int(match[2]), int(match[3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((match[4] or "0").ljust(3, "0"))


def parse_span(text: str) -> tuple[int, int]:
    """(start, end) in ms from `73500-74000` or `1:13.5-1:14`. InvalidTime otherwise, or where it doesn't end after it starts."""
    start, dash, end = text.partition("-")
    span = (parse_ms(start), parse_ms(end)) if dash else (0, 0)
    if not span[0] < span[1]:
        raise InvalidTime(f"“{text[:60]}” is no span: write FROM-TO, for example 1:13.5-1:14")
    return span


def format_ms(ms: int) -> str:
    """`0:01:13.500`, for people."""
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


@dataclass(frozen=True, slots=True)
class ClockPiece:
    """A stretch of a part over which media time and wall clock run at one rate.

    wall = `wall` + (media_ms − `media_from_ms`) × (1 + `rate_ppm` / 1 000 000), up to where the next piece begins. `residual_ms` is how far
    the observations that it was fitted to lie from it at most; `uncertainty_ms` the half-width it is believed to keep.
    """

    media_from_ms: int
    wall: WallTime
    rate_ppm: int
    uncertainty_ms: int
    residual_ms: int
    method: str

    def at(self, media_ms: int) -> WallTime:
        since = media_ms - self.media_from_ms
        return self.wall.plus_ms(since + round(since * self.rate_ppm / 1_000_000))


@dataclass(frozen=True, slots=True)
class ClockMap:
    """How one part's media time lies on the recording's time line and on the wall clock.

    recording_ms = starts_at_ms + media_ms; that never changes, because words, chat and moments are stored on the recording's time line.
    The wall clock of it may be estimated again, as a further version: by `pieces`, in order of media time and the first from 0, or, where
    there are none, by `wall_start` of media time 0 and `uncertainty_ms`, the half-width that the method is believed to keep. Neither:
    nothing told the time of day. `basis` is what a first estimate was observed to rest on, to be written down with it; it is read back with
    the clock's versions only. `method`: given, file_name, chat_header, sum_of_durations, unknown, capture, time_subtitle, chat_answers,
    anchors.
    """

    starts_at_ms: int
    wall_start: WallTime | None
    uncertainty_ms: int
    method: str
    version: int = 1
    pieces: tuple[ClockPiece, ...] = ()
    basis: Mapping[str, Json] | None = field(default=None, compare=False, repr=False)

    def to_recording(self, media_ms: int) -> int:
        return self.starts_at_ms + media_ms

    def to_media(self, recording_ms: int) -> int:
        return recording_ms - self.starts_at_ms

    def to_wall(self, recording_ms: int) -> WallTime | None:
        piece = self.piece_at(recording_ms)
        if piece:
            return piece.at(self.to_media(recording_ms))
        return self.wall_start.plus_ms(recording_ms - self.starts_at_ms) if self.wall_start else None

    def uncertainty_at(self, recording_ms: int) -> int:
        """Half-width in ms of the wall-clock time there."""
        piece = self.piece_at(recording_ms)
        return piece.uncertainty_ms if piece else self.uncertainty_ms

    @property
    def least_sure_ms(self) -> int:
        """The half-width that holds for every moment of the part."""
        return max((piece.uncertainty_ms for piece in self.pieces), default=self.uncertainty_ms)

    def piece_at(self, recording_ms: int) -> ClockPiece | None:
        """The piece that holds this moment; the first also before it begins."""
        media_ms = self.to_media(recording_ms)
        begun = [piece for piece in self.pieces if piece.media_from_ms <= media_ms]
        return begun[-1] if begun else self.pieces[0] if self.pieces else None
