"""A closed file of a spool as the next part of its recording: where it lies, what time it was, what is missing before it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archive.digest import Json
from archive.errors import NoMediaHeld
from archive.media_groups import open_media
from archive.recording import Gap, Part
from archive.timeline import ClockMap
from ingest.capture_clock import LOST, Before, Placed, Sample, StretchClock, clock_map, gap_before, place, thinned
from ingest.capture_spool import PlacedNote, Spool, Stretch, Waiting
from ingest.errors import NotMedia

# Sound and picture of one connection end and begin some tens of milliseconds apart: a seam, no gap.
SEAM_MS = 300
# What is kept of a part's observations, beside its clock.
_OBSERVATIONS_MAX = 40
# Enough of a stretch to place it by.
_BEGINNING_MS = 60_000
_NUMBER = re.compile(r"capture-\d{6}-(\d{5})\.")


@dataclass(frozen=True, slots=True)
class NextPart:
    """What a closed file becomes."""

    path: Path
    clock: ClockMap
    gap: Gap | None


def next_part(spool: Spool, waiting: Waiting, held: Sequence[Part]) -> NextPart:
    """The part that a file becomes after those held. NotMedia if there is nothing in it to be played.

    The first file of a stretch places it, once and for all: a crash finds the same place again.
    """
    stretch = waiting.stretch
    start_ms = _start_ms(waiting.path)
    clock = stretch.clock()
    before = _before(spool, stretch, held)
    note = stretch.placed
    if note is None:
        seen = [at for at, _ in (*clock.arrived, *clock.told) if at <= _BEGINNING_MS]
        note = stretch.set_placed(place(clock, max(seen, default=0), before), start_ms)
    placed = Placed(note.line_ms, note.gap_uncertainty_ms)
    media_ms = start_ms - note.first_start_ms
    found = clock_map(clock, placed, media_ms, 0)
    if before is not None and found.starts_at_ms <= before.start_ms:
        # Replayed from before the last part began: what is held keeps its place, and this lies right on it, with its own wall clock.
        found = replace(found, starts_at_ms=before.start_ms + 1)
    found = replace(found, basis=_basis(spool, stretch, clock, media_ms))
    return NextPart(waiting.path, found, _gap(waiting, placed, media_ms, before))


def _basis(spool: Spool, stretch: Stretch, clock: StretchClock, media_ms: int) -> dict[str, Json]:
    """What the part's clock rests on: which address and connection, and when which of its media time arrived, or was said to be."""

    def observed(samples: Sequence[Sample]) -> list[Json]:
        # A file is admitted as soon as it is closed: what was observed from its beginning on is of it, but for the newest few.
        of_it = [(at - media_ms, wall) for at, wall in samples if at >= media_ms]
        return [[at, wall] for at, wall in thinned(of_it, _OBSERVATIONS_MAX)]

    note = spool.note
    return {
        "capture": {
            "address": note.shown if note else None,
            "address_digest": note.address_digest if note else None,
            "connection": stretch.number,
            "arrived": observed(clock.arrived),
            "told": observed(clock.told),
        }
    }


def _gap(waiting: Waiting, placed: Placed, media_ms: int, before: Before | None) -> Gap | None:
    if before is None:
        return None
    number = _NUMBER.match(waiting.path.name)
    begins = number is not None and int(number[1]) == 0
    note = waiting.stretch.note
    gap = gap_before(placed, media_ms, before.end_ms, note.reason if begins and note else LOST)
    return gap if gap and (begins or gap.end_ms - gap.start_ms > SEAM_MS) else None


def _before(spool: Spool, stretch: Stretch, held: Sequence[Part]) -> Before | None:
    if not held:
        return None
    last = max(held, key=lambda part: part.start_ms)
    wall = last.clock.to_wall(last.start_ms)
    known = (last.start_ms, wall.epoch_ms) if wall else None
    earlier = [other for other in spool.stretches() if other.number < stretch.number and other.placed]
    end_ms = max(part.end_ms for part in held)
    note: PlacedNote | None = earlier[-1].placed if earlier else None
    if note is None:
        return Before(None, None, 0, last.start_ms, end_ms, known)
    then = earlier[-1].clock()
    at_end = max((at for at, _ in (*then.arrived, *then.told)), default=0)
    return Before(then, Placed(note.line_ms, note.gap_uncertainty_ms), at_end, last.start_ms, end_ms, known)


def _start_ms(path: Path) -> int:
    """The first time stamp in a file, by its container's own counting."""
    try:
        with open_media(path) as container:
            return round((container.start_time or 0) / 1000)
    except NoMediaHeld as error:
        raise NotMedia(f"{path.name} holds nothing that can be played: {error}") from error
