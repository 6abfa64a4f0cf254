"""Anchors set by hand: somebody saw what time it was at a moment of a part, on a clock in the picture, in an order, or was told.

The parts that have anchors get a clock of them (ingest/clock_fit.py). A part that has none follows the nearest part that has: by how far
that one's clock was off where both were told by the same kind of source, else by the distance between them on the recording's time line.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archive.clocks import DAY_MS, EARLIEST
from archive.digest import Json
from archive.errors import InvalidClock, InvalidTime
from archive.recording import Part, Recording
from archive.timeline import ClockMap, WallTime, parse_ms
from ingest.clock_fit import Observation, fit_clock

METHOD = "anchors"
ANCHOR_UNCERTAINTY_MS = 1000
ANCHOR_UNCERTAINTY_MAX_MS = 3_600_000
ANCHORS_MAX = 200
FAR_MS = 7 * DAY_MS
CARRIED_MS = 500
"""Added to an anchor's uncertainty for each part that it is carried over."""
TEXT_MAX_CHARS = 500
_ANCHOR = re.compile(r"(?:(?P<part>\d{1,5})@)?(?P<media>[\d:.,]+)=(?P<wall>.+?)(?:(?:±|\+-|\+/-)(?P<sure>\d+(?:\.\d{1,3})?)s?)?")


@dataclass(frozen=True, slots=True)
class Anchor:
    """At `media_ms` of part `part` it was `wall`, give or take `uncertainty_ms`."""

    part: int
    media_ms: int
    wall: WallTime
    uncertainty_ms: int = ANCHOR_UNCERTAINTY_MS

    def as_json(self) -> dict[str, Json]:
        return {"part": self.part, "media_ms": self.media_ms, "wall": self.wall.iso(), "uncertainty_ms": self.uncertainty_ms}


def parse_anchor(text: str, recording: Recording) -> Anchor:
    """`2@0:10=2026-11-18T20:03:31+08:00` (part 2's own time), or `3:31=…` (the recording's time); at its end `±2`, in seconds, if not 1.

    InvalidTime where it can't be read, InvalidClock where it can't be.
    """
    found = _ANCHOR.fullmatch(text.strip())
    if not found:
        raise InvalidTime(f"“{text[:120]}” is no anchor: write PART@MEDIA=WALL, for example 1@0:10=2026-11-18T20:00:10+08:00±2")
    at_ms, wall = parse_ms(found["media"]), WallTime.parse(found["wall"])
    uncertainty_ms = round(float(found["sure"]) * 1000) if found["sure"] else ANCHOR_UNCERTAINTY_MS
    return anchor_at(recording, int(found["part"]) if found["part"] else None, at_ms, wall, uncertainty_ms)


def anchor_at(recording: Recording, part: int | None, at_ms: int, wall: WallTime, uncertainty_ms: int) -> Anchor:
    """An anchor in a part's own time, or, without a part, in the recording's. InvalidClock says why one can't be."""
    if not recording.parts:
        raise InvalidClock(f"recording {recording.id} holds captions only: there is no media whose clock an anchor could set")
    if part is None:
        holder = recording.part_at(at_ms)
        if holder is None:
            raise InvalidClock(f"no part of recording {recording.id} holds {at_ms} ms: name a moment that was recorded, or PART@MEDIA")
        part, at_ms = holder.number, holder.clock.to_media(at_ms)
    held = _part(recording, part)
    if not 0 <= at_ms <= held.duration_ms:
        raise InvalidClock(f"part {part} of recording {recording.id} lasts {held.duration_ms} ms: {at_ms} ms lies outside it")
    if not 1 <= uncertainty_ms <= ANCHOR_UNCERTAINTY_MAX_MS:
        raise InvalidClock(f"an anchor's ± must be 1 ms to {ANCHOR_UNCERTAINTY_MAX_MS // 60_000} min, not {uncertainty_ms} ms")
    _check_wall(wall, recording, held, at_ms)
    return Anchor(part, at_ms, wall, uncertainty_ms)


def _check_wall(wall: WallTime, recording: Recording, part: Part, media_ms: int) -> None:
    """InvalidClock for a time in which nobody streamed, after the recording came in, or far from what its clock says."""
    if not 0 <= wall.epoch_ms < 253_402_300_800_000 or wall < EARLIEST:
        raise InvalidClock(f"an anchor before {EARLIEST.iso()[:4]} or after 9999 can't be: nobody streamed live then. Check the year")
    if wall > recording.admitted_at.plus_ms(DAY_MS):
        at = recording.admitted_at.iso()
        raise InvalidClock(f"an anchor at {wall.iso()} can't be: recording {recording.id} was admitted before that, at {at}")
    known = part.clock.to_wall(part.clock.to_recording(media_ms))
    if known is not None and abs(wall.epoch_ms - known.epoch_ms) > FAR_MS:
        days = abs(wall.epoch_ms - known.epoch_ms) // DAY_MS
        raise InvalidClock(
            f"an anchor at {wall.iso()} lies {days} days from what part {part.number}'s clock says ({known.iso()}, {part.clock.method}): "
            "check its date; if the recording was admitted with a wrong start, admit it again with the right one"
        )


def anchors_in(basis: Mapping[str, Json]) -> list[Anchor]:
    """The anchors that an earlier estimate rests on; none where it rests on something else."""
    kept = basis.get("anchors")
    found: list[Anchor] = []
    for each in kept if isinstance(kept, list) else ():
        if isinstance(each, Mapping):
            part, media, sure = each["part"], each["media_ms"], each["uncertainty_ms"]
            if isinstance(part, int) and isinstance(media, int) and isinstance(sure, int):
                found.append(Anchor(part, media, WallTime.parse(str(each["wall"])), sure))
    return found


def clocks_from_anchors(recording: Recording, anchors: Sequence[Anchor]) -> dict[int, ClockMap]:
    """A clock for every part of the recording. InvalidClock without an anchor, or with too many."""
    if not 0 < len(anchors) <= ANCHORS_MAX:
        raise InvalidClock(f"a clock rests on 1 to {ANCHORS_MAX} anchors, not on {len(anchors)}")
    own: dict[int, ClockMap] = {}
    for part in recording.parts:
        seen = [Observation(a.media_ms, a.wall.epoch_ms, a.uncertainty_ms) for a in anchors if a.part == part.number]
        clock = fit_clock(seen, part.start_ms, part.duration_ms, METHOD)
        if clock is not None:
            own[part.number] = clock
    return {part.number: own.get(part.number) or _carried(part, recording, own) for part in recording.parts}


def _carried(part: Part, recording: Recording, own: Mapping[int, ClockMap]) -> ClockMap:
    """The clock of a part without anchors."""
    nearest = min(own, key=lambda number: abs(number - part.number))
    anchored, told = own[nearest], _part(recording, nearest).clock
    start, at = part.clock.to_wall(part.start_ms), anchored.starts_at_ms
    now, before = anchored.to_wall(at), told.to_wall(at)
    if now is None:
        raise InvalidClock(f"part {nearest} has no clock to go by")
    carried_ms = anchored.uncertainty_ms + CARRIED_MS * abs(nearest - part.number)
    if start is not None and before is not None:
        wall = start.plus_ms(now.epoch_ms - before.epoch_ms)
        # What its own place was unsure by stays: an anchor tells only what both clocks were off by together.
        return ClockMap(part.start_ms, wall, carried_ms + part.clock.uncertainty_ms, METHOD)
    return ClockMap(part.start_ms, now.plus_ms(part.start_ms - at), carried_ms, METHOD)


def _part(recording: Recording, number: int) -> Part:
    for part in recording.parts:
        if part.number == number:
            return part
    raise InvalidClock(f"recording {recording.id} has no part {number}: it has {len(recording.parts)}")
