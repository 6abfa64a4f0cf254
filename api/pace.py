"""How fast something goes on and when it will be done, from what it did in the last minutes: pure arithmetic in whole milliseconds.

The start doesn't count: a model that had to be loaded, or an hour spent behind other work, says nothing of the hours to come.
"""

from collections import deque
from dataclasses import dataclass, field

WINDOW_MS = 5 * 60_000
# Where each step takes minutes, so many are looked at, however long ago they ended.
KEPT = 4


@dataclass
class Pace:
    """Marks of how much was done when. Units of `done` are the caller's; `at_ms` is of a clock that never goes back."""

    window_ms: int = WINDOW_MS
    _marks: "deque[tuple[int, int]]" = field(default_factory=deque)

    def mark(self, at_ms: int, done: int) -> None:
        """Note how much is done. Less than before means that it began anew: what was noted until then is forgotten."""
        if self._marks and (done < self._marks[-1][1] or at_ms < self._marks[-1][0]):
            self._marks.clear()
        if self._marks and self._marks[-1][1] == done:
            return  # nothing came of the time since: the next mark that brings something tells of it
        self._marks.append((at_ms, done))
        while len(self._marks) > KEPT and at_ms - self._marks[1][0] >= self.window_ms:
            self._marks.popleft()

    def speed_milli(self, now_ms: int) -> int | None:
        """Units done in a millisecond, times 1000. None while nothing can be said."""
        measured = self._measured(now_ms)
        return measured[0] * 1000 // measured[1] if measured else None

    def left_ms(self, now_ms: int, total: int) -> int | None:
        """Milliseconds from now until `total` is done, never below 0. None while nothing can be said."""
        measured = self._measured(now_ms)
        if measured is None:
            return None
        done, took_ms, counted_to_ms = measured
        left = max(0, total - self._marks[-1][1])
        return max(0, -(-left * took_ms // done) - (now_ms - counted_to_ms))

    def _measured(self, now_ms: int) -> tuple[int, int, int] | None:
        """(units done, ms taken, until when in ms) over the marks that count; the first two above 0."""
        if len(self._marks) < 2:
            return None
        (first_ms, first), (last_ms, last) = self._marks[0], self._marks[-1]
        took_ms = last_ms - first_ms
        # Silence longer than all that is looked at is slowness: it counts from then on.
        if now_ms - last_ms > max(took_ms, self.window_ms):
            last_ms, took_ms = now_ms, now_ms - first_ms
        return (last - first, took_ms, last_ms) if last > first and took_ms > 0 else None


def percent(done: int, total: int) -> int:
    """Whole percents, rounded down, so that 100 means done."""
    return min(100, max(0, done) * 100 // total) if total > 0 else 100
