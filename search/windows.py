"""Windows: every run of rows that a moment may be, and what is known of all of them at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.matching import Field, Floats, Rows

LONGEST_MS = 18_000
SILENCE_MS = 4_000
SAME_SHARE = 1 / 3
COMPARED = 4_000


@dataclass(frozen=True, slots=True)
class Windows:
    """Runs of rows `first`…`last`, shorter ones first, with the times of their words; none spans a silence or two stretches."""

    first: Rows
    last: Rows
    start_ms: Rows
    end_ms: Rows
    stretch: Rows

    def only(self, chosen: NDArray[np.bool_]) -> "Windows":
        return Windows(self.first[chosen], self.last[chosen], self.start_ms[chosen], self.end_ms[chosen], self.stretch[chosen])

    def best(self, score: Floats, limit: int) -> list[int]:
        """Indexes of the best, best first, the shorter of equals; one that shares more than a third of the shorter one's time with a
        better one is left out."""
        head = np.argpartition(-score, COMPARED)[:COMPARED] if len(score) > COMPARED else np.arange(len(score))
        order = head[np.lexsort((self.first[head], self.end_ms[head] - self.start_ms[head], -score[head]))]
        starts, ends, stretch = self.start_ms[order], self.end_ms[order], self.stretch[order]
        lengths = ends - starts
        left = np.ones(len(order), dtype=bool)
        found: list[int] = []
        while len(found) < limit and left.any():
            at = int(np.argmax(left))
            found.append(int(order[at]))
            shared = np.minimum(ends, ends[at]) - np.maximum(starts, starts[at])
            left &= (stretch != stretch[at]) | (shared <= SAME_SHARE * np.maximum(np.minimum(lengths, lengths[at]), 1))
            left[at] = False
        return found


def windows_of(field: Field) -> Windows:
    """All windows up to LONGEST_MS; a single unit is one whatever its length."""
    count = len(field.units)
    joins = ~field.starts_stretch
    joins[1:] &= field.starts[1:] - field.ends[:-1] <= SILENCE_MS
    first = np.arange(count)
    firsts, lasts = [first], [first]
    length = 1
    while len(first):
        first = first[first + length < count]
        first = first[joins[first + length]]
        short = field.ends[first + length] - field.starts[first] <= LONGEST_MS
        firsts.append(first[short])
        lasts.append(first[short] + length)
        # units of one time, out of order, may make a run short again: only what is far too long ends here
        first = first[field.starts[first + length] - field.starts[first] <= LONGEST_MS]
        length += 1
    begin, end = np.concatenate(firsts), np.concatenate(lasts)
    return Windows(begin, end, field.starts[begin], field.ends[end], field.stretch_at[begin])


class RunMaximum:
    """The most that any row of a run has, for many runs at once: maxima of runs of 1, 2, 4, … rows are kept, and two make any run."""

    def __init__(self, values: Floats) -> None:
        self._levels = [values]
        while 1 << len(self._levels) <= len(values):
            half = 1 << (len(self._levels) - 1)
            below = self._levels[-1]
            self._levels.append(np.maximum(below[:-half], below[half:]))

    def over(self, windows: Windows) -> Floats:
        lengths = windows.last - windows.first + 1
        found = np.empty(len(lengths))
        level = np.frexp(lengths.astype(np.float64))[1] - 1
        for each in np.unique(level):
            chosen = level == each
            maxima = self._levels[each]
            found[chosen] = np.maximum(maxima[windows.first[chosen]], maxima[windows.last[chosen] - (1 << int(each)) + 1])
        return found


def run_sum(values: Floats, windows: Windows) -> Floats:
    """The sum over each window's rows."""
    running = np.concatenate([[0.0], np.cumsum(values)])
    total: Floats = running[windows.last + 1] - running[windows.first]
    return total
