"""When each word of a stretch of speech begins and ends: the recogniser's attention, the loudness of the sound and the length of words
together.

Whisper's cross-attention is sometimes flat or strays by half a second, and then piles words up. The starts chosen here are the cheapest
of all that ascend (dynamic programming over words × steps of 10 ms), where it costs
 1. to lie far from what the attention says, up to a limit, in units of how far it strays in this stretch;
 2. to make a word much longer or shorter than its syllables would take at this stretch's rate of speech, pauses not counted;
 3. not to lie where the loudness dips between two syllables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from transcribe.loudness import CLOCK_PER_STEP, STEP_MS, Loudness

SHORTEST_MS = 20

# Starts are first looked for by 30 ms, within 800 ms of where the attention puts them, then by 10 ms around what was found.
_COARSE = 3
_COARSE_BAND, _FINE_BAND = 26, 12
_STRAYS_MS, _STRAYS_LEAST_MS, _STRAYS_MOST_MS = 150.0, 40.0, 200.0
_ALLOWED = 2.0
_STRAYS_LIMIT = 4.0
_DIP = 4.0
# Standard deviation of the logarithm of a syllable's length; what is farther off than _ODD costs by its distance, not by its square.
_LENGTH_SPREAD, _ODD = 0.4, 1.2
# The slowest speech that is taken for one: beyond it, there is sound in the stretch that the text leaves out.
_SLOWEST_SYLLABLE_MS = 420
_LEFT_OUT, _LEFT_OUT_LIMIT = 4.0, 8.0
# Words that the attention puts into the same moment, this many in a row, have no time of their own.
_PILE = 3


@dataclass(frozen=True, slots=True)
class RoughWord:
    """A word as the attention places it, in ms from the onset of its stretch.

    `beats`: how many syllables each of its parts takes to say.
    """

    start_ms: int
    beats: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked of the words of a stretch. `centres` and `strays` in steps of the search; a word that isn't `known` has no centre."""

    centres: npt.NDArray[np.float64]
    known: npt.NDArray[np.bool_]
    syllables: npt.NDArray[np.float64]
    strays: float

    def begin_costs(self, dip: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """What it costs each word (rows) to begin at each step: to lie far from where the attention puts it, and in no dip."""
        far = np.abs(np.arange(len(dip), dtype=np.float32) - self.centres.astype(np.float32)[:, None])
        costs = np.minimum(far / np.float32(self.strays), np.float32(_STRAYS_LIMIT)) * self.known[:, None]
        # The first word may begin with the stretch, in whatever lies before its first syllable.
        costs[1:] -= dip * np.float32(_DIP)
        return np.asarray(costs, dtype=np.float32)


Spans = list[tuple[int, int]]


def aligned(words: Sequence[RoughWord], sound: Loudness, length_ms: int) -> Spans:
    """[start, end) of each word in ms from the onset: ascending, not overlapping, inside [0, length_ms].

    Each is at least 20 ms long where there is room for that. `sound` covers the stretch from its onset to its end.
    """
    if not words:
        return []
    beats = _beats(words, sound, length_ms)
    firsts = [0, *accumulate(len(word.beats) for word in words)]
    return [(beats[first][0], beats[last - 1][1]) for first, last in pairwise(firsts)]


def _beats(words: Sequence[RoughWord], sound: Loudness, length_ms: int) -> Spans:
    """The same for each part of each word."""
    syllables = np.array([beat for word in words for beat in word.beats])
    if sound.steps < 2 * _COARSE * (len(syllables) + 1):
        return _spread(syllables, length_ms)
    begins = np.array([index == 0 for word in words for index in range(len(word.beats))])
    starts = np.array([word.start_ms for word in words], dtype=np.float64) / STEP_MS
    rough = np.repeat(starts, [len(word.beats) for word in words])
    known = begins.copy()
    known[begins] = ~_piled(starts)
    centres = _centres(rough, known, syllables, sound)
    thinned = sound.thinned(_COARSE)

    def coarse(strays_ms: float) -> npt.NDArray[np.float64]:
        wanted = _Wanted(centres / _COARSE, known, syllables, strays_ms / STEP_MS / _COARSE)
        return _cheapest(wanted, thinned, np.append(wanted.centres, thinned.steps), _COARSE_BAND, 1).astype(np.float64) * _COARSE

    found = coarse(_STRAYS_MS)
    strays_ms = _strays_ms(np.abs(found[:-1] - rough)[1:][known[1:]])
    if strays_ms < _STRAYS_MS / 2:
        found = coarse(strays_ms)
    wanted = _Wanted(centres, known, syllables, strays_ms / STEP_MS)
    return _spans(_cheapest(wanted, sound, found, _FINE_BAND, SHORTEST_MS // STEP_MS), sound, length_ms)


def _strays_ms(off: npt.NDArray[np.float64]) -> float:
    """How far the attention strays, told by how many steps it was off on a first look: a good model is believed, a poor one less."""
    if len(off) < _PILE:
        return _STRAYS_MS
    return min(max(float(np.sort(off)[len(off) // 2]) * STEP_MS * _ALLOWED, _STRAYS_LEAST_MS), _STRAYS_MOST_MS)


def _spread(syllables: npt.NDArray[np.float64], length_ms: int) -> Spans:
    """Too little room to look for words: each takes its share, and 20 ms first, or what there is."""
    least = min(SHORTEST_MS, length_ms // len(syllables))
    shares = np.cumsum(np.concatenate([[0.0], least + syllables / syllables.sum() * (length_ms - least * len(syllables))]))
    return [(int(begin), int(end)) for begin, end in pairwise(np.floor(shares + 1e-6))]


def _piled(rough: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which words share their moment with so many neighbours that it says nothing."""
    piled = np.zeros(len(rough), dtype=bool)
    begin = 0
    for index in range(1, len(rough) + 1):
        if index == len(rough) or abs(rough[index] - rough[begin]) * STEP_MS >= SHORTEST_MS:
            piled[begin:index] = index - begin >= _PILE
            begin = index
    return piled


def _centres(
    rough: npt.NDArray[np.float64], known: npt.NDArray[np.bool_], syllables: npt.NDArray[np.float64], sound: Loudness
) -> npt.NDArray[np.float64]:
    """Steps around which starts are looked for: those known, made to ascend; the others spread between them by their syllables."""
    said = np.concatenate([[0.0], np.cumsum(syllables)])
    anchors = np.flatnonzero(known)
    inner = np.clip(rough[anchors], 0, sound.steps)
    if len(inner):
        # Halfway between what it would take to ascend by moving only later ones and only earlier ones.
        inner = (np.maximum.accumulate(inner) + np.minimum.accumulate(inner[::-1])[::-1]) / 2
    centres: npt.NDArray[np.float64] = np.interp(
        said[:-1], [*([] if known[0] else [0.0]), *said[anchors], said[-1]], [*([] if known[0] else [0.0]), *inner, float(sound.steps)]
    )
    return centres


def _cheapest(wanted: _Wanted, sound: Loudness, around: npt.NDArray[np.floating], band: int, least: int) -> npt.NDArray[np.int64]:
    """The steps at which words begin, and that at which the last one ends, each within `band` of `around`; `least` steps a word."""
    count = len(wanted.centres)
    bands = [slice(first, last + 1) for first, last in _bands(around, band, sound.steps, least)]
    usual = min(sound.clock[-1] / wanted.syllables.sum(), _SLOWEST_SYLLABLE_MS / STEP_MS * CLOCK_PER_STEP)
    logarithms = np.log(np.maximum(np.arange(sound.clock[-1] + 1), 1) / usual)
    shares = wanted.syllables.tolist()
    lengths = {share: _length_cost(logarithms - np.log(share)).astype(np.float32) for share in set(shares)}
    for table in lengths.values():
        table[0] = np.inf  # no time, and less
    steps, clock, begin_costs = np.arange(sound.steps + 1), sound.clock, wanted.begin_costs(sound.dip)
    before = bands[0]
    costs = _left_out(clock[before] / usual).astype(np.float32) + begin_costs[0, before]
    origins: list[npt.NDArray[np.int64]] = []
    for index, here in enumerate(bands[1:], 1):
        total = lengths[shares[index - 1]].take(np.subtract.outer(clock[here], clock[before]), mode="clip")
        total += costs
        if least > 1 and here.start - before.stop + 1 < least:
            total[np.subtract.outer(steps[here], steps[before]) < least] = np.inf
        cheapest = total.argmin(axis=1)
        origins.append(cheapest)
        costs = total[steps[: len(cheapest)], cheapest]
        if index < count:
            costs += begin_costs[index, here]
        before = here
    costs += _left_out((clock[-1] - clock[before]) / usual)
    at = int(costs.argmin())
    found = [before.start + at]
    for origin, band_of in zip(reversed(origins), reversed(bands[:-1]), strict=True):
        at = int(origin[at])
        found.append(band_of.start + at)
    return np.array(found[::-1])


def _bands(around: npt.NDArray[np.floating], band: int, steps: int, least: int) -> list[tuple[int, int]]:
    """First and last step at which each word may begin (and the last one end), so that a way through always exists."""
    count = len(around) - 1
    room = [(index * least, steps - (count - index) * least) for index in range(count + 1)]
    low = [int(min(max(at - band, first), last)) for at, (first, last) in zip(around, room, strict=True)]
    high = [int(max(min(at + band, last), first)) for at, (first, last) in zip(around, room, strict=True)]
    for index in range(1, count + 1):
        low[index] = max(low[index], low[index - 1] + least)
    for index in range(count - 1, -1, -1):
        high[index] = min(high[index], high[index + 1] - least)
    if any(begin > end for begin, end in zip(low, high, strict=True)):
        return room
    return list(zip(low, high, strict=True))


def _left_out(syllables: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What it costs that so much of the speech lies before the first word or behind the last."""
    cost: npt.NDArray[np.float64] = np.where(syllables > 0, np.clip(syllables * _LEFT_OUT, _LEFT_OUT, _LEFT_OUT_LIMIT), 0)
    return cost


def _length_cost(far: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    far = np.abs(far)
    cost: npt.NDArray[np.float64] = np.where(far < _ODD, far * far / 2, _ODD * far - _ODD * _ODD / 2) / _LENGTH_SPREAD**2
    return cost


def _spans(bounds: npt.NDArray[np.int64], sound: Loudness, length_ms: int) -> Spans:
    """A word ends where the next one begins, or where the pause before that does."""
    spans = []
    for begin, end in pairwise(bounds.tolist()):
        last = end
        while last - begin > SHORTEST_MS // STEP_MS and sound.voiced[last - 1] == 0:
            last -= 1
        spans.append((begin * STEP_MS, min(last * STEP_MS, length_ms)))
    return spans
