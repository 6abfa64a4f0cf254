"""Which of the tracks that stretches of a part gave are lines that stood on the screen; the others are told apart and counted.

Left out are `moving` text (scrolling chat), `passing` text (brief, where much else is) and `counting` text (clocks, counters:
the same but for its digits, again and again).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from transcribe.ocr import Box
from transcribe.screen_tracks import RESTS_MS, Track, folded, part_of, same_column, same_place, same_row, same_text, share_inside

# A line missed by a reader once is not gone; a card that was off the screen for longer was.
FLICKER_MS = 10_000
SWEEP_MS = 60_000
CROWD = 3
COUNTS_FROM, COUNT_STANDS_MS = 5, 20_000
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class StoodLine:
    """A line from its first picture to the first one without it, in ms of media time."""

    start_ms: int
    ended_ms: int
    text: str
    box: Box
    confidence: float


def standing(stretches: Sequence[Sequence[Track]], spans: Sequence[tuple[int, int]], step_ms: int) -> tuple[list[StoodLine], Counter[str]]:
    """The lines that stood, in order of time, and how many tracks were left out by reason."""
    dropped: Counter[str] = Counter()
    tracks = _healed(_chained(stretches, spans))
    moving = [track for track in tracks if track.places > 1 and track.rested_ms < RESTS_MS]
    still = [track for track in tracks if track not in moving]
    passing = _passing(still, moving, step_ms)
    counting = _counting([track for track in still if track not in passing])
    dropped.update({"moving": len(moving), "passing": len(passing), "counting": len(counting)})
    left_out = {id(track) for track in (*moving, *passing, *counting)}
    kept = sorted((track for track in tracks if id(track) not in left_out), key=lambda track: (track.start_ms, track.box[1], track.box[0]))
    return [StoodLine(track.start_ms, _end(track), track.text, track.box, track.confidence) for track in kept], dropped


def _end(track: Track) -> int:
    return max(track.start_ms + 1, track.seen_ms if track.end_ms is None else track.end_ms)


def _chained(stretches: Sequence[Sequence[Track]], spans: Sequence[tuple[int, int]]) -> list[Track]:
    """Tracks of all stretches; one that was open at the end of a stretch goes on as the one found there at the next one's start."""
    chained: list[Track] = []
    open_tracks: list[Track] = []
    for tracks, (begun_ms, end_ms) in zip(stretches, spans, strict=True):
        begins = min((track.start_ms for track in tracks if track.from_start), default=begun_ms)
        goes_on: list[Track] = []
        for track in tracks:
            earlier = next((each for each in open_tracks if track.from_start and _is_same(each, track)), None)
            if earlier is None:
                chained.append(track)
                goes_on.append(track)
            else:
                _take_over(earlier, track)
                goes_on.append(earlier)
                open_tracks.remove(earlier)
        for track in open_tracks:
            track.end_ms = begins
        open_tracks = [track for track in goes_on if track.end_ms is None]
        for track in open_tracks:
            track.seen(end_ms)
    return chained


def _is_same(earlier: Track, later: Track) -> bool:
    return same_place(earlier.box, later.box) and (same_text(earlier.text, later.text) or part_of(earlier.text, later.text))


def _take_over(earlier: Track, later: Track) -> None:
    for text, (count, total, best) in later.readings.items():
        before = earlier.readings.get(text, (0, 0.0, 0.0))
        earlier.readings[text] = before[0] + count, round(before[1] + total, 4), max(before[2], best)
    earlier.end_ms, earlier.seen_ms = later.end_ms, max(earlier.seen_ms, later.seen_ms)
    earlier.places += later.places - 1
    earlier.rested_ms = max(earlier.rested_ms, later.rested_ms)


def _healed(tracks: Sequence[Track]) -> list[Track]:
    """With tracks of one text at one place made one where hardly any time lies between them, and a single misreading between absorbed."""
    healed: list[Track] = []
    for track in sorted(tracks, key=lambda track: track.start_ms):
        before = next(
            (
                each
                for each in reversed(healed)
                if each.end_ms is not None
                and 0 <= track.start_ms - each.end_ms <= FLICKER_MS
                and same_place(each.box, track.box)
                and same_text(each.text, track.text)
            ),
            None,
        )
        if before is None:
            healed.append(track)
            continue
        between = [
            each
            for each in healed
            if each is not before and each.start_ms >= before.seen_ms and each.end_ms is not None and each.end_ms <= track.start_ms
            if same_place(each.box, track.box)
        ]
        if between and not all(_is_misread(each, track) for each in between):
            healed.append(track)
            continue
        _take_over(before, track)
        healed = [each for each in healed if each not in between]
    return healed


def _is_misread(track: Track, right: Track) -> bool:
    """Read once, for a short while, and otherwise like its neighbours but for a digit."""
    alike = _DIGITS.sub("", folded(track.text)) == _DIGITS.sub("", folded(right.text))
    return track.times_read == 1 and alike and track.confidence <= right.confidence


def _passing(tracks: Sequence[Track], moving: Sequence[Track], step_ms: int) -> list[Track]:
    """Brief lines where others move, or where brief ones come again and again: the lines of a chat that is faster than the looks at it."""
    brief = [track for track in tracks if _end(track) - track.start_ms <= 2 * step_ms]
    return [track for track in brief if _is_swept(track, moving) or _crowd(track, [*brief, *moving]) >= CROWD]


def _is_swept(track: Track, moving: Sequence[Track]) -> bool:
    near = (other for other in moving if other.start_ms - SWEEP_MS <= track.start_ms <= other.seen_ms + SWEEP_MS)
    return any(share_inside(track.box, other.swept) >= 0.5 for other in near)


def _crowd(track: Track, fleeting: Sequence[Track]) -> int:
    """At how many other moments within SWEEP_MS something fleeting came into a line's column or row, with other words."""
    return len(
        {
            other.start_ms
            for other in fleeting
            if 0 < abs(other.start_ms - track.start_ms) <= SWEEP_MS
            and (same_column(track.box, other.box) or same_row(track.box, other.box))
            and not same_text(track.text, other.text)
        }
    )


def _counting(tracks: Sequence[Track]) -> list[Track]:
    chains: list[list[Track]] = []
    for track in sorted(tracks, key=lambda track: track.start_ms):
        bare = _DIGITS.sub("#", folded(track.text))
        if "#" not in bare or _end(track) - track.start_ms > COUNT_STANDS_MS:
            continue
        chain = next(
            (
                each
                for each in reversed(chains)
                if same_place(each[-1].box, track.box)
                and _DIGITS.sub("#", folded(each[-1].text)) == bare
                and track.start_ms - _end(each[-1]) <= COUNT_STANDS_MS
            ),
            None,
        )
        if chain is None:
            chains.append([track])
        else:
            chain.append(track)
    return [track for chain in chains if len(chain) >= COUNTS_FROM for track in chain]
