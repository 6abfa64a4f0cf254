"""Time subtitles: captions that say the time of day, one cue a second, written beside a recording by ihmily/DouyinLiveRecorder and others.

They are a clock and never a transcript, and are told by what is in them: nearly every cue is a date with a time of day and nothing else.
A cue holds the second in which it was written, cut off, so its time is half a second later, give or take half a second, and the writing
may lag by as much again. Such a writer sleeps a second between two cues, so that its count of seconds falls behind the clock, steadily:
a rate beyond what crystals do is the writer's or the recording's, nobody can tell which, and the uncertainty then covers both.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from itertools import pairwise

from archive.timeline import ClockMap, ClockPiece, WallTime
from ingest.clock_fit import DRIFT_PPM, Observation, fit_clock

METHOD = "time_subtitle"
CUES_LEAST = 3
TIMES_SHARE = 0.9
CUE_UNCERTAINTY_MS = 1000
HALF_A_SECOND_MS = 500
CUT_OFF_SCATTER_MS = 300
"""What times cut off to the second scatter: the standard deviation of anything within ± 500."""
OFFSET_MAX_MS = 400_000_000
_TIME = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[ T_]+(\d{1,2})[:-](\d{2})[:-](\d{2})(?:[.,](\d{1,3}))?")


@dataclass(frozen=True, slots=True)
class TimedText:
    """A caption as any reader gives it: where it begins, and what it says."""

    start_ms: int
    text: str


def is_time_subtitle(captions: Sequence[TimedText]) -> bool:
    """Whether captions are a clock: at least CUES_LEAST, nearly all of them a time of day and nothing else, going forward."""
    said = [each for each in captions if each.text.strip()]
    times = [found for each in said if (found := _written(each.text)) is not None]
    if len(times) < CUES_LEAST or len(times) < TIMES_SHARE * len(said):
        return False
    return sum(b >= a for a, b in pairwise(times)) >= TIMES_SHARE * (len(times) - 1)


def subtitle_observations(captions: Sequence[TimedText], zone: tzinfo) -> list[Observation]:
    """What the cues say; those that are no time of day are left out. A time without a zone is in `zone`."""
    seen: list[Observation] = []
    for each in captions:
        written = _written(each.text)
        if written is None or not 0 <= each.start_ms <= OFFSET_MAX_MS:
            continue
        moment, exact = written.replace(tzinfo=zone), written.microsecond > 0
        wall_ms = WallTime.of(moment).epoch_ms + (0 if exact else HALF_A_SECOND_MS)
        seen.append(Observation(each.start_ms, wall_ms, CUE_UNCERTAINTY_MS))
    return seen


def subtitle_clock(captions: Sequence[TimedText], zone: tzinfo, starts_at_ms: int, duration_ms: int) -> ClockMap | None:
    """The clock of a part from its time subtitle; None where no cue lies in the part."""
    seen = [each for each in subtitle_observations(captions, zone) if each.media_ms <= duration_ms]
    clock = fit_clock(seen, starts_at_ms, duration_ms, METHOD, CUT_OFF_SCATTER_MS)
    if clock is None:
        return None
    ends = [*(piece.media_from_ms for piece in clock.pieces[1:]), duration_ms]
    pieces = tuple(_of_either(piece, end) for piece, end in zip(clock.pieces, ends, strict=True))
    sure = max(piece.uncertainty_ms for piece in pieces if piece.method == METHOD)
    return replace(clock, pieces=pieces, uncertainty_ms=sure)


def _of_either(piece: ClockPiece, end_ms: int) -> ClockPiece:
    """A piece that drifts faster than crystals do is unsure by the difference of its two readings: media's pace, or writer's."""
    if abs(piece.rate_ppm) <= DRIFT_PPM:
        return piece
    drifted = abs(piece.rate_ppm) * (end_ms - piece.media_from_ms) // 1_000_000
    return replace(piece, uncertainty_ms=piece.uncertainty_ms + drifted)


def written_time(text: str) -> bool:
    """Whether a text holds a date with a time of day anywhere: the cheap look before a file is read."""
    return bool(_TIME.search(text))


def _written(text: str) -> datetime | None:
    """The time of day that a cue says, to the second or finer; None where it says anything else."""
    found = _TIME.fullmatch(text.strip())
    if not found:
        return None
    year, month, day, hour, minute, second = (int(found[n]) for n in range(1, 7))
    try:
        return datetime(year, month, day, hour, minute, second, int((found[7] or "0").ljust(6, "0")))  # noqa: DTZ001 - its zone is the caller's
    except ValueError:
        return None
