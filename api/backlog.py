"""What is left to do, several things side by side: no recording's words wait until another's screen has been read, and one that can't be
processed holds nobody up. What matters most is taken up first, and what somebody cancelled is left alone until something new comes."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import structlog

from api import processing, record_reading
from api.standings import ORDINARY, rank_of
from api.workplace import Workplace
from archive.errors import LiveProofError
from archive.job_board import JobCancelled
from archive.jobs import Jobs

AT_ONCE = 8
# Live recordings and those in dispute are taken up even while so many ordinary ones are under way: the recogniser hears them first.
URGENT_AT_ONCE = 16
POLL_S, IDLE_S = 0.2, 2.0
# A job that failed is tried again after these seconds, then after twice as long each time.
RETRY_S, RETRY_MAX_S = 60.0, 3600.0

log = structlog.get_logger(__name__)


@dataclass
class _Setback:
    """What went wrong with one subject, and when it is tried again (seconds of `time.monotonic`)."""

    error: LiveProofError
    until_s: float
    pause_s: float = RETRY_S


@dataclass
class Backlog:
    """Recordings not fully processed and papers not read, worked off by this process's jobs. `failed`: what went wrong last, by subject."""

    place: Workplace
    jobs: Jobs
    done: list[str] = field(default_factory=list)
    _under_way: dict[str, str] = field(default_factory=dict)
    _setbacks: dict[str, _Setback] = field(default_factory=dict)

    @property
    def failed(self) -> dict[str, LiveProofError]:
        return {subject: setback.error for subject, setback in self._setbacks.items()}

    def work_off(self) -> None:
        """Do all that is left, each thing tried once."""
        while self._take_up(again=False) or self._under_way:
            self._wait_for_an_end()

    def work_on(self) -> None:
        """Do what is left and what comes in, for ever; what failed is tried again ever more rarely."""
        while True:
            if not self._take_up(again=True) and not self._under_way:
                self._use_the_quiet()
            self._wait_for_an_end(IDLE_S)

    def _use_the_quiet(self) -> None:
        """What of the index can wait: writing does some of it, but the last recording's may be left, or what a killed process began."""
        try:
            self.place.index.maintain()
        except LiveProofError as error:
            log.warning("work.index_upkeep_failed", error=str(error))

    def _take_up(self, again: bool) -> int:
        """Start what is left, up to `AT_ONCE` jobs; how many were."""
        started = 0
        if len(self._under_way) >= URGENT_AT_ONCE:
            return started
        for rank, subject, start in self._left():
            if len(self._under_way) >= (AT_ONCE if rank == ORDINARY else URGENT_AT_ONCE):
                break
            setback = self._setbacks.get(subject)
            if subject in self._under_way.values() or (setback and not (again and time.monotonic() >= setback.until_s)):
                continue
            if subject in self.done and not again:
                continue
            self._under_way[start()] = subject
            started += 1
        return started

    def _left(self) -> Iterator[tuple[int, str, Callable[[], str]]]:
        """(rank, subject, what starts its job), the most urgent first; looked up as late as can be, because jobs end meanwhile."""
        ranked = [(rank_of(self.place, recording_id), recording_id) for recording_id in processing.unprocessed(self.place)]
        for rank, recording_id in sorted(ranked, key=lambda each: each[0]):
            if not processing.is_set_aside(self.place, recording_id):
                yield rank, recording_id, partial(processing.process_or_index, self.jobs, recording_id)
        for case_id, number in record_reading.unread(self.place):
            if not record_reading.is_set_aside(self.place, case_id, number):
                yield ORDINARY, f"{case_id} {number}", partial(record_reading.read_or_index, self.jobs, case_id, number)

    def _wait_for_an_end(self, most_s: float = math.inf) -> None:
        """Until a job ends, or for `most_s`: what is left is looked up over the whole catalog, so not at every poll."""
        since = time.monotonic()
        while not self._settle() and time.monotonic() - since < most_s:
            time.sleep(POLL_S)

    def _settle(self) -> bool:
        """Take note of jobs that ended; whether any had."""
        before_it = len(self._under_way)
        for job_id, subject in list(self._under_way.items()):
            if not self.jobs.ended(job_id):
                continue
            del self._under_way[job_id]
            try:
                self.jobs.wait(job_id)
            except JobCancelled:
                log.info("work.cancelled", subject=subject, job=job_id)
                continue
            except LiveProofError as error:
                before = self._setbacks.get(subject)
                pause_s = min(before.pause_s * 2, RETRY_MAX_S) if before else RETRY_S
                self._setbacks[subject] = _Setback(error, time.monotonic() + pause_s, pause_s)
                log.warning("work.failed", subject=subject, job=job_id, error=str(error), tried_again_in_s=pause_s)
                continue
            self._setbacks.pop(subject, None)
            self.done.append(subject)
        return len(self._under_way) < before_it
