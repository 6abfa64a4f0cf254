"""Text that goes round in circles is heard again in halves, before anybody doubts it.

A recogniser that falls into a loop leaves what was said unheard. Whisper's own remedy is to draw words at random until the text looks
better, which no second run repeats. Shorter sound breaks a loop as well, says the same every time, and forbids nothing to a host who really
does say one thing ten times over: where every half still goes round, the first hearing stays, and is marked for it (risk.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from transcribe.audio import SAMPLES_PER_MS, Samples
from transcribe.engines import Engine, HeardSegment
from transcribe.risk import COMPRESSION_RATIO, compression_ratio
from transcribe.speech_regions import FRAME_MS, Region, Window

_log = structlog.get_logger(__name__)

_ROUNDS = 2
_SHORTEST_CUT_MS = 4000


@dataclass(frozen=True, slots=True)
class Heard:
    """A window, its sound and what was heard in it."""

    window: Window
    samples: Samples
    segments: list[HeardSegment]


def goes_round(segments: Sequence[HeardSegment]) -> bool:
    """Whether the text repeats itself more than `whisper.transcribe` accepts."""
    text = "".join(segment.text for segment in segments)
    return bool(text) and compression_ratio(text) > COMPRESSION_RATIO


def again_in_halves(first: Heard, sound_of: Callable[[Window], Samples], engine: Engine, expected: Sequence[str] = ()) -> list[Heard]:
    """What to keep of a window: the first hearing, or the pieces in which it was heard again, in order.

    The pieces are kept unless all of them go round. A window is halved at most twice, between its regions while it has several, else
    where it is quietest.
    """
    if not goes_round(first.segments):
        return [first]
    pieces = _pieces(first, sound_of, engine, expected, _ROUNDS)
    better = [piece for piece in pieces if not goes_round(piece.segments)]
    _log.info("heard_again", window=first.window.number, pieces=len(pieces), better=len(better))
    return pieces if better else [first]


def _pieces(looped: Heard, sound_of: Callable[[Window], Samples], engine: Engine, expected: Sequence[str], rounds: int) -> list[Heard]:
    halves = _halves(looped.window, looped.samples)
    if not halves or not rounds:
        return [looped]
    sounds = [sound_of(half) for half in halves]
    answers = engine.transcribe(sounds, [expected] * len(halves))
    kept: list[Heard] = []
    for half, samples, answer in zip(halves, sounds, answers, strict=True):
        heard = Heard(half, samples, answer)
        kept += _pieces(heard, sound_of, engine, expected, rounds - 1) if goes_round(answer) else [heard]
    return kept


def _halves(window: Window, samples: Samples) -> list[Window]:
    """Two windows of the same sound; none if it is one short region."""
    if len(window.regions) > 1:
        lengths = np.cumsum([region.length_ms for region in window.regions])[:-1]
        at = 1 + int(np.argmin(np.abs(lengths - window.length_ms / 2)))
        return [Window(window.number, window.regions[:at]), Window(window.number, window.regions[at:])]
    region = window.regions[0]
    if region.length_ms < _SHORTEST_CUT_MS:
        return []
    cut_ms = region.start_ms + _quietest_ms(samples, region.length_ms)
    before = Region(region.start_ms, cut_ms, min(region.onset_ms, cut_ms), min(cut_ms, region.offset_ms), region.voice)
    behind = Region(cut_ms, region.end_ms, max(region.onset_ms, cut_ms), max(region.offset_ms, cut_ms), region.voice)
    return [Window(window.number, (before,)), Window(window.number, (behind,))]


def _quietest_ms(samples: Samples, length_ms: int) -> int:
    """The middle of the quietest 32 ms in the middle half of the sound."""
    frame = FRAME_MS * SAMPLES_PER_MS
    first, last = length_ms // 4 // FRAME_MS, 3 * length_ms // 4 // FRAME_MS
    power = [
        float(np.mean(np.square(samples[at * frame : (at + 1) * frame]))) for at in range(first, last) if (at + 1) * frame <= len(samples)
    ]
    return (first + int(np.argmin(power))) * FRAME_MS + FRAME_MS // 2 if power else length_ms // 2
