"""What time it was in a stretch of captured media, and where the stretch lies on the recording's time line.

A stretch is what came over one connection, or out of one playlist without a break: its media time is one axis, 0 at its first packet.

| told by               | wall clock of media time 0                                                             | uncertainty          |
|-----------------------|----------------------------------------------------------------------------------------|----------------------|
| PROGRAM-DATE-TIME     | median of (date-time − media time); left aside where it contradicts the arrivals       | 500 ms and its spread |
| arrival of the media  | least of (arrival − media time): media never arrives before it was sent, backlog later | 3000 ms and its spread |

What an arrival can't tell is how long encoder and network took, some seconds with most platforms: it is in the uncertainty. Between two
stretches that were told by the same means it is the same and drops out, so that a gap is known better than the time of day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from archive.recording import Gap
from archive.timeline import ClockMap, WallTime

METHOD = "capture"
TOLD_UNCERTAINTY_MS = 500
ARRIVAL_UNCERTAINTY_MS = 3000
GAP_UNCERTAINTY_MS = 1000
# A date-time this far after its media's arrival, or this long before it, is not the time at which the media was made.
_FUTURE_MS = 2000
_STALE_MS = 180_000
# The envelope looks at arrivals within this of the moment, so that a drifting encoder is followed.
_WINDOW_MS = 15 * 60_000
_FEW = 4
# A server replays at most this much of what it sent before; beyond it the clocks are wrong.
_REPLAY_MAX_MS = 60_000
LOST = "connection_lost"
STOPPED = "capture_stopped"

Sample = tuple[int, int]
"""Media time in ms on the stretch's axis, wall clock in ms since 1970."""


@dataclass(slots=True)
class StretchClock:
    """What was observed of a stretch. `told` are PROGRAM-DATE-TIMEs; `follows_ms` how far its 0 lies after the 0 of the stretch before it,
    where the source's own time stamps say so; `step_ms` the length of what arrives at once (0: packet by packet)."""

    arrived: list[Sample] = field(default_factory=list)
    told: list[Sample] = field(default_factory=list)
    follows_ms: int | None = None
    step_ms: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """Wall clock of a stretch's media time 0 as one moment of it shows it. `by_told`: a date-time said so."""

    wall_ms: int
    uncertainty_ms: int
    by_told: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """A stretch on the recording's time line: its media time 0 lies at `line_ms`. `gap_uncertainty_ms` is that of the gap before it."""

    line_ms: int
    gap_uncertainty_ms: int = 0


def origin_at(clock: StretchClock, media_ms: int, told: bool = True) -> Origin | None:
    """The wall clock of media time 0, as seen around `media_ms`; None where nothing was observed. Not `told`: by arrivals alone."""
    arrived = _origin_by_arrival(clock, media_ms)
    dated = [wall - at for at, wall in _near(clock.told, media_ms)] if told else []
    if not dated:
        return arrived
    wall = round(median(dated))
    if arrived is not None and not -_FUTURE_MS <= arrived.wall_ms - wall <= _STALE_MS:
        return arrived
    return Origin(wall, TOLD_UNCERTAINTY_MS + _spread(dated, wall), True)


def _origin_by_arrival(clock: StretchClock, media_ms: int) -> Origin | None:
    near = _near(clock.arrived, media_ms)
    if not near:
        return None
    offsets = sorted(wall - at for at, wall in near)
    least = offsets[0]
    unsure = ARRIVAL_UNCERTAINTY_MS + clock.step_ms
    if len(offsets) < _FEW:
        # Too few to tell a late one from a prompt one: it may have waited as long as they lie apart.
        unsure += max(1000, offsets[-1] - least)
    return Origin(least, unsure + min(1000, offsets[len(offsets) // 10] - least), False)


def _near(samples: Sequence[Sample], media_ms: int) -> list[Sample]:
    near = [sample for sample in samples if abs(sample[0] - media_ms) <= _WINDOW_MS]
    return near or list(samples[-1:])


def _spread(values: Sequence[int], middle: int) -> int:
    """How far nine tenths of the values lie from the middle at most."""
    off = sorted(abs(value - middle) for value in values)
    return off[(len(off) * 9) // 10] if len(off) > 1 else 0


def clock_map(clock: StretchClock, placed: Placed, media_ms: int, duration_ms: int) -> ClockMap:
    """The clock map of a part that starts at `media_ms` of its stretch."""
    origin = origin_at(clock, media_ms + duration_ms)
    wall = WallTime(origin.wall_ms + media_ms) if origin else None
    return ClockMap(placed.line_ms + media_ms, wall, origin.uncertainty_ms if origin else 0, METHOD)


@dataclass(frozen=True, slots=True)
class Before:
    """What is held when a stretch is to be placed: the stretch before it with its place, if it is still known; where the last part starts
    and ends on the line; and a moment of the line whose wall clock is known."""

    clock: StretchClock | None
    placed: Placed | None
    last_media_ms: int
    start_ms: int
    end_ms: int
    known: tuple[int, int] | None


def place(clock: StretchClock, first_ms: int, before: Before | None) -> Placed:
    """Where a stretch lies. `first_ms` is a moment of it near its beginning that was observed.

    The first lies at 0. A later one lies where the source's time stamps put it, else as far from the one before as their clocks say,
    else where the last part ended. It may overlap what is held by up to a minute: servers replay their last seconds to who connects.
    """
    if before is None:
        return Placed(0)
    if clock.follows_ms is not None and before.placed is not None:
        return Placed(before.placed.line_ms + clock.follows_ms)
    found = _by_clocks(clock, first_ms, before)
    if found is None:
        return Placed(before.end_ms, 10 * GAP_UNCERTAINTY_MS)
    line_ms, unsure = found
    if line_ms < before.end_ms - _REPLAY_MAX_MS:
        return Placed(before.end_ms, before.end_ms - line_ms)
    return Placed(line_ms, unsure)


def _by_clocks(clock: StretchClock, first_ms: int, before: Before) -> tuple[int, int] | None:
    if before.clock is not None and before.placed is not None:
        for told in (True, False):
            then = origin_at(before.clock, before.last_media_ms, told)
            now = origin_at(clock, first_ms, told)
            if then and now and then.by_told == now.by_told == told:
                unsure = TOLD_UNCERTAINTY_MS if told else GAP_UNCERTAINTY_MS + max(clock.step_ms, before.clock.step_ms)
                return before.placed.line_ms + now.wall_ms - then.wall_ms, unsure
    now = origin_at(clock, first_ms)
    if now is None or before.known is None:
        return None
    line_ms, wall_ms = before.known
    return line_ms + now.wall_ms - wall_ms, GAP_UNCERTAINTY_MS + now.uncertainty_ms


def gap_before(placed: Placed, media_ms: int, end_ms: int, reason: str) -> Gap | None:
    """What is missing between where the last part ended and the first part of a stretch; None where nothing is, or they overlap."""
    start = placed.line_ms + media_ms
    return Gap(end_ms, start, reason, placed.gap_uncertainty_ms) if start > end_ms else None


def thinned(samples: Sequence[Sample], most: int) -> list[Sample]:
    """At most `most` of the samples, those kept that lie lowest: they are what the clock rests on."""
    if len(samples) <= most:
        return list(samples)
    step = len(samples) / most
    groups = [samples[round(n * step) : round((n + 1) * step)] for n in range(most)]
    return [min(group, key=lambda sample: sample[1] - sample[0]) for group in groups if group]
