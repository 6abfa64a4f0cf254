"""How loud speech is every 10 ms, and what that says about its words: where it dips between two syllables, and where nobody speaks.

A syllable has one loud middle; between two of them the level dips (Mermelstein 1975). What counts is the shape, not the voice, the language
or the recording's level.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transcribe.audio import SAMPLES_PER_MS, Samples

STEP_MS = 10
# A syllable's loud middle lies within this of where it begins and ends.
_REACH = 15
# A dip of 15 dB is as sure as one can be; where noise or music lies under the voice, one of half its range is.
_SUREST, _LEAST_SURE = 1.5, 0.4
# Levels 30 dB under the loudest are pauses, and so are those near the lowest where noise fills them, if they are 15 dB under the loudest.
_QUIET_BELOW_PEAK, _QUIET_ABOVE_FLOOR, _NEVER_QUIET = 3.0, 0.3, 1.5
_UNCERTAIN = 0.7
_QUIET_COUNTS = 0.15
_CLOSURE = 10
_EMPHASIS = 0.6
_TINY = 1e-9
# Time spoken is counted in eighths of a step, so that tables can be indexed by it; even in a pause each step counts.
CLOCK_PER_STEP = 8


@dataclass(frozen=True, slots=True)
class Loudness:
    """One value for each step of 10 ms, and one more for the end.

    `dip`: from 0 to 1, how surely one syllable ends and another begins; -1 where a pause follows, in which no word begins. `voiced`: from 0
    (a pause) to 1. `clock`: speech passed so far, in eighths of a step; pauses count little.
    """

    dip: npt.NDArray[np.float32]
    voiced: npt.NDArray[np.float32]
    clock: npt.NDArray[np.int32]

    @property
    def steps(self) -> int:
        return len(self.clock) - 1

    def thinned(self, by: int) -> "Loudness":
        """Every `by`-th step, with the deepest dip near it; the end stays."""
        kept = np.append(np.arange(0, self.steps, by), self.steps)
        near = np.pad(self.dip, (by // 2, by - 1 - by // 2), mode="edge")
        dip = np.lib.stride_tricks.sliding_window_view(near, by).max(axis=1)
        return Loudness(dip[kept], self.voiced[kept], self.clock[kept])


def loudness(samples: Samples, from_ms: int, steps: int) -> Loudness:
    """Of `steps` steps from `from_ms` on; what lies before and behind `samples` (16 kHz) is silence."""
    first, count = from_ms // STEP_MS - _REACH, steps + 1 + 2 * _REACH
    level = _levels(samples, first * STEP_MS + from_ms % STEP_MS, count)
    inner = level[_REACH : _REACH + steps + 1]
    ordered = np.sort(inner)
    floor, peak = (float(ordered[int(share * steps)]) for share in (0.05, 0.95))
    around = np.lib.stride_tricks.sliding_window_view(level, _REACH + 1).max(axis=1)
    before, after = around[: steps + 1], around[_REACH : _REACH + steps + 1]
    surest = float(np.clip((peak - floor) / 2, _LEAST_SURE, _SUREST))
    quiet = max(peak - _QUIET_BELOW_PEAK, min(floor + _QUIET_ABOVE_FLOOR, peak - _NEVER_QUIET))
    voiced = np.clip((inner - quiet) / _UNCERTAIN, 0, 1)
    pause, end = _pauses(voiced)
    shoulder = np.where(end, after, np.minimum(before, after))
    dip = np.where(pause & ~end, -1, np.clip((shoulder - inner) / surest, 0, 1))
    return Loudness(dip.astype(np.float32), voiced.astype(np.float32), _clock(voiced))


def even(steps: int) -> Loudness:
    """Where the sound isn't at hand: no dips, all of it speech."""
    voiced = np.ones(steps + 1, np.float32)
    return Loudness(np.zeros(steps + 1, np.float32), voiced, _clock(voiced))


def _levels(samples: Samples, from_ms: int, count: int) -> npt.NDArray[np.float64]:
    """Decimal logarithm of the power in the 20 ms around each step, smoothed over three steps; consonants are emphasised."""
    at = from_ms * SAMPLES_PER_MS
    half, length = STEP_MS * SAMPLES_PER_MS, count * STEP_MS * SAMPLES_PER_MS
    wanted = slice(max(0, at - 2 * half), max(0, min(len(samples), at + length + 2 * half)))
    sound = np.zeros(length + 4 * half, np.float32)
    begun = wanted.start - (at - 2 * half)
    held = samples[wanted]
    sound[begun : begun + len(held)] = held
    sound[1:] -= np.float32(_EMPHASIS) * sound[:-1]
    blocks = np.square(sound.reshape(-1, half)).sum(axis=1, dtype=np.float64)
    level = np.log10((blocks[:-1] + blocks[1:]) / (2 * half) + _TINY)
    smooth: npt.NDArray[np.float64] = (level[:-2] + 2 * level[1:-1] + level[2:]) / 4
    return smooth[:count]


def _pauses(voiced: npt.NDArray[np.floating]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(Steps in pauses, which last longer than the closure of a consonant; those right before the voice goes on)."""
    quiet = voiced == 0
    begins = np.lib.stride_tricks.sliding_window_view(np.pad(quiet, (0, _CLOSURE)), _CLOSURE + 1).all(axis=1)
    pause = np.convolve(begins, np.ones(_CLOSURE + 1))[: len(quiet)] > 0
    return pause, pause & ~np.pad(quiet, (0, 2), constant_values=True)[2:]


def _clock(voiced: npt.NDArray[np.floating]) -> npt.NDArray[np.int32]:
    passed = np.cumsum(np.maximum(voiced[:-1], _QUIET_COUNTS) * CLOCK_PER_STEP)
    return np.concatenate([[0], np.round(passed)]).astype(np.int32)
