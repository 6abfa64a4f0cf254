"""Where parts lie that come to a recording later, and what is missing between all of them then.

A part lies where the capture that recorded it says; else at its own wall time, as `ingest.clock` tells it; else where the last part ends.
One that is earlier than the last part must fit into a gap: everything that is held stays where it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from archive.recording import Gap, Part
from archive.timeline import ClockMap, WallTime, format_ms
from ingest.clock import (
    FILE_NAME_UNCERTAINTY_MS,
    GAP_REASON,
    LEAST_GAP_MS,
    Alignment,
    PartTiming,
    align,
    by_wall,
    end_to_end,
    name_time,
    snapped,
)
from ingest.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class _Place:
    """A part that has its place already."""

    timing: PartTiming
    clock: ClockMap

    @property
    def start_ms(self) -> int:
        return self.clock.starts_at_ms

    @property
    def end_ms(self) -> int:
        return self.clock.starts_at_ms + self.timing.duration_ms


def lay_parts(
    held: Sequence[Part],
    new: Sequence[PartTiming],
    measured: Sequence[ClockMap | None],
    known: Sequence[Gap],
    started_at: WallTime | None,
    zone: tzinfo,
) -> Alignment:
    """Clock maps and oddities of the new parts, and all gaps of the recording as it then is.

    `measured`: a clock for each new part, None where it is to be found out; fewer than there are parts count as None. `known`: gaps that
    the recording has and those that a capture tells of. InvalidRequest for a part that starts before the recording, or where something
    else lies.
    """
    places = [_Place(PartTiming(part.file_name, part.duration_ms), part.clock) for part in held]
    clocks: list[ClockMap] = []
    oddities: list[tuple[str, ...]] = []
    for number, timing in enumerate(new):
        given = measured[number] if number < len(measured) else None
        clock = given or _found(places, timing, started_at, zone)
        clock, odd = _fitted(places, timing, clock)
        places.append(_Place(timing, clock))
        clocks.append(clock)
        oddities.append(odd)
    return Alignment(tuple(clocks), gaps_between(sorted((p.start_ms, p.end_ms) for p in places), known), tuple(oddities))


def gaps_between(spans: Sequence[tuple[int, int]], known: Sequence[Gap]) -> tuple[Gap, ...]:
    """What is missing between parts (start_ms, end_ms in order), and behind the last where a capture says so.

    A stretch that a known gap lies in keeps its reason and uncertainty. One no longer than parts' times can be told is no gap, unless a
    known one is just that.
    """
    found: list[Gap] = []
    reach = spans[0][1] if spans else 0
    for start, end in spans[1:]:
        why = max(known, key=lambda gap: min(gap.end_ms, start) - max(gap.start_ms, reach), default=None)
        if why and min(why.end_ms, start) <= max(why.start_ms, reach):
            why = None
        exact = why is not None and (why.start_ms, why.end_ms) == (reach, start)
        if start - reach > LEAST_GAP_MS or exact:
            found.append(replace(why, start_ms=reach, end_ms=start) if why else Gap(reach, start, GAP_REASON))
        reach = max(reach, end)
    behind = max((gap for gap in known if gap.end_ms > reach), key=lambda gap: gap.end_ms, default=None)
    return (*found, replace(behind, start_ms=reach)) if behind else tuple(found)


def _found(places: Sequence[_Place], timing: PartTiming, started_at: WallTime | None, zone: tzinfo) -> ClockMap:
    if not places:
        return align([timing], started_at, zone).clocks[0]
    first, last = places[0], max(places, key=lambda place: place.end_ms)
    named = [name_time(first.timing.file_name, zone), name_time(timing.file_name, zone)]
    # Distances are taken from part 1 by its newest clock, whose media time 0 is the recording's.
    origin = replace(first.clock, wall_start=first.clock.to_wall(first.start_ms), pieces=())
    own = by_wall([first.timing, timing], named, [origin], 1)
    if own is None:
        return end_to_end([origin, last.clock] if last is not first else [origin], last.end_ms)
    nearest = min((place.end_ms for place in places), key=lambda end: abs(end - own.starts_at_ms))
    return snapped(own, named[1], nearest)


def _fitted(places: Sequence[_Place], timing: PartTiming, clock: ClockMap) -> tuple[ClockMap, tuple[str, ...]]:
    """The clock, and what is odd about the place. InvalidRequest where the part can't lie there."""
    start, end = clock.starts_at_ms, clock.starts_at_ms + timing.duration_ms
    if not places:
        if start:
            raise InvalidRequest(
                f"{timing.file_name} is the first part: its clock must begin with the recording, not at {format_ms(start)}"
            )
        return clock, ()
    if start < 0:
        raise InvalidRequest(
            f"{timing.file_name} starts {format_ms(-start)} before the recording does: what is held keeps its place, so admit it as a "
            "recording of its own"
        )
    last = max(places, key=lambda place: place.start_ms)
    reach = max(place.end_ms for place in places)
    if start > last.start_ms:
        return clock, _overlap(reach - start, "before")
    before = max((place.end_ms for place in places if place.start_ms <= start), default=0)
    after = min(place.start_ms for place in places if place.start_ms >= start)
    spare = max(FILE_NAME_UNCERTAINTY_MS, LEAST_GAP_MS)
    if start < before - spare or end > after + spare or start >= after:
        other = next((p for p in places if p.start_ms < end and p.end_ms > start), last)
        raise InvalidRequest(
            f"{timing.file_name} would lie from {format_ms(start)} to {format_ms(end)}, where {other.timing.file_name} lies already "
            f"({format_ms(other.start_ms)} to {format_ms(other.end_ms)}): a part that comes late must fit into a gap"
        )
    return clock, (*_overlap(before - start, "before"), *_overlap(end - after, "after"))


def _overlap(by_ms: int, which: str) -> tuple[str, ...]:
    return (f"overlaps the part {which} it by {by_ms} ms",) if by_ms > LEAST_GAP_MS else ()
