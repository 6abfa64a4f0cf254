"""Who works with the recogniser next, where several jobs of this process wait for it: the best standing, looked at before every turn.

One turn is one batch of windows, some seconds to some minutes, so that what matters most waits for one batch and not for ten hours of
backlog. Nobody starves: after a while whoever has waited longest gets one turn, whatever the standing of the others. Each process has an
engine of its own and its own turns.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from archive.jobs import JobFailed

# So many turns in a row may pass over the one who has waited longest.
PATIENCE = 8
# A job that asks again so soon after its turn goes before those of lesser standing: what it does in between is keeping what was heard.
GRACE_S = 0.5
LOOK_S = 1.0
WAIT_MAX_S = 24 * 3600


@dataclass(frozen=True, order=True, slots=True)
class Standing:
    """The lower, the sooner: `rank` first, then the older in `since_ms`."""

    rank: int
    since_ms: int


@dataclass(eq=False)
class _Waiter:
    job: str
    standing: Standing
    asked: int


@dataclass
class RecogniserTurns:
    """Turns at one recogniser. `look_s`: how often somebody who waits looks at its standing again."""

    look_s: float = LOOK_S
    grace_s: float = GRACE_S
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _waiters: list[_Waiter] = field(default_factory=list)
    _busy: bool = False
    _asked: int = 0
    _passed: int = 0
    _last: tuple[_Waiter, float] | None = None

    @contextmanager
    def turn(self, job: str, standing: Callable[[], Standing], waits: Callable[[bool], None] = lambda waiting: None) -> Iterator[None]:
        """Wait for the recogniser and have it until the block ends.

        `standing` is asked again and again while waiting; what it raises ends the wait. `waits` is told when a wait begins and ends.
        JobFailed after a day.
        """
        waiter = self._line_up(job, standing())
        try:
            self._wait(waiter, standing, waits)
            yield
        finally:
            with self._changed:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
                else:
                    self._busy = False
                    self._last = (waiter, time.monotonic() + self.grace_s)
                self._changed.notify_all()

    def _line_up(self, job: str, standing: Standing) -> _Waiter:
        with self._changed:
            self._asked += 1
            waiter = _Waiter(job, standing, self._asked)
            self._waiters.append(waiter)
            if self._last and self._last[0].job == job:
                self._last = None
            self._changed.notify_all()
            return waiter

    def _wait(self, waiter: _Waiter, standing: Callable[[], Standing], waits: Callable[[bool], None]) -> None:
        began = looked = time.monotonic()
        told = False
        while not self._taken(waiter):
            now = time.monotonic()
            if now - began > WAIT_MAX_S:
                raise JobFailed(f"job {waiter.job} waited a day for the recogniser: start the process that runs it anew")
            if now - looked >= self.look_s:
                looked = now
                # Asked without the lock, because it reads the catalog.
                waiter.standing = standing()
                if not told:
                    told = True
                    waits(True)
        if told:
            waits(False)

    def _taken(self, waiter: _Waiter) -> bool:
        """Whether the turn is the waiter's now, after waiting a moment if it is not at once."""
        with self._changed:
            if self._next() is not waiter:
                self._changed.wait(min(self.look_s, self._grace_left_s()))
            if self._next() is not waiter:
                return False
            self._passed = 0 if self._longest() is waiter else self._passed + 1
            self._waiters.remove(waiter)
            self._busy, self._last = True, None
            return True

    def _next(self) -> _Waiter | None:
        """Who may take the turn now; None while somebody has it, or while it is kept a moment for who had it last."""
        if self._busy or not self._waiters:
            return None
        if self._passed >= PATIENCE:
            return self._longest()
        best = min(self._waiters, key=lambda each: (each.standing, each.asked))
        kept = self._last is not None and time.monotonic() < self._last[1] and self._last[0].standing < best.standing
        return None if kept else best

    def _longest(self) -> _Waiter:
        return min(self._waiters, key=lambda each: each.asked)

    def _grace_left_s(self) -> float:
        return max(0.01, self._last[1] - time.monotonic()) if self._last else self.look_s
