"""How far the jobs of this process are, noted on each of them for every process to read: once a second at most.

A note survives kill -9: it then says how far the job was, and that nobody has spoken for it since says that its worker is gone.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.pace import Pace
from archive.digest import Json
from archive.job_board import JobBoard
from archive.timeline import Clock

PROGRESS: Final = "progress"
WRITE_EVERY_S = 1.0
# A sign of life where nothing new is to be told; `api.job_reports` takes a job that gives none for longer as interrupted.
BEAT_S = 10.0
HEAR: Final = "transcribe"
# The step that a job tells of while it waits for another job about the same recording.
WAIT: Final = "wait"
# What a job waits for: `job` or `recogniser`.
WAITS: Final = "waits"
# Who put it first by hand, and when.
FIRST: Final = "first"

log = structlog.get_logger(__name__)


@dataclass
class _Followed:
    """One job under way here. `lengths`: ms of the parts to hear, in the order they are heard; `done` of `total` is ms while it hears.

    `paced`: what the pace is of; hearing has one over all parts.
    """

    lengths: Mapping[int, int] = field(default_factory=dict)
    paced: tuple[str, int | None] = ("", None)
    step: str = ""
    part: int | None = None
    done: int = 0
    total: int = 0
    in_ms: bool = False
    waits: bool = False
    told_waits: bool = False
    pace: Pace = field(default_factory=Pace)
    changed: bool = True
    written_s: float = -BEAT_S


class JobProgress:
    """Told by the steps of jobs, read by `api.job_reports`. `now_s` never goes back."""

    def __init__(self, board: JobBoard, clock: Clock, now_s: Callable[[], float] = time.monotonic) -> None:
        self._board = board
        self._clock = clock
        self._now_s = now_s
        self._lock = threading.Lock()
        self._followed: dict[str, _Followed] = {}
        self._over = threading.Event()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Write what is told, beside the work, until the block ends."""
        writer = threading.Thread(target=self._write_on, name="job-progress", daemon=True)
        writer.start()
        try:
            yield
        finally:
            self._over.set()
            writer.join(WRITE_EVERY_S * 5)

    @contextmanager
    def following(self, job_id: str) -> Iterator[None]:
        """Follow a job while the block runs."""
        with self._lock:
            self._followed[job_id] = _Followed()
        self._note(job_id, {WAITS: None})  # what a killed worker may have left
        try:
            yield
        finally:
            with self._lock:
                left = self._followed.pop(job_id, None)
            if left and left.changed:
                self._write(job_id, left)

    def hears(self, job_id: str, lengths: Sequence[tuple[int, int]]) -> None:
        """Which parts the job is to hear, in this order, with their length in ms."""
        with self._lock:
            if job := self._followed.get(job_id):
                job.lengths = dict(lengths)
                if not job.step:
                    job.total, job.in_ms = sum(job.lengths.values()), True

    def tell(self, job_id: str, step: str, done: int, total: int) -> None:
        """A step is so far: `transcribe 3`, 5 of 12 batches. `wait` means that it waits for another job, 0 of 1, or no longer."""
        what, _, which = step.partition(" ")
        with self._lock:
            job = self._followed.get(job_id)
            if job is None:
                return
            job.changed = True
            if what == WAIT:
                job.waits = done < total
                return
            part = int(which) if which.isdecimal() else None
            if what == HEAR:
                done, total = _heard_ms(job.lengths, part, done, total)
            elif what == "plan":
                # It is a part of hearing: how far that is stays as it was told.
                job.step, job.part = what, part
                return
            paced = (what, None if what == HEAR else part)
            if paced != job.paced:
                job.pace, job.paced = Pace(), paced
            job.step, job.part, job.done, job.total, job.in_ms = what, part, done, total, what == HEAR
            job.pace.mark(round(self._now_s() * 1000), done)

    def _write_on(self) -> None:
        while not self._over.wait(WRITE_EVERY_S):
            with self._lock:
                now = self._now_s()
                due = [(job_id, job) for job_id, job in self._followed.items() if job.changed or now - job.written_s >= BEAT_S]
            for job_id, job in due:
                self._write(job_id, job)

    def _write(self, job_id: str, job: _Followed) -> None:
        with self._lock:
            job.changed, job.written_s = False, self._now_s()
            now_ms = round(job.written_s * 1000)
            speed, left_ms = job.pace.speed_milli(now_ms), job.pace.left_ms(now_ms, job.total)
            told: dict[str, Json] = {
                "step": job.step,
                "part": job.part,
                "done": job.done,
                "total": job.total,
                "in_ms": job.in_ms,
                "speed_milli": speed if job.in_ms else None,
                "left_ms": left_ms,
                "at_ms": self._clock().epoch_ms,
            }
            waited, job.told_waits = job.told_waits, job.waits
        self._note(job_id, {PROGRESS: told} if waited == job.waits else {PROGRESS: told, WAITS: "job" if job.waits else None})

    def _note(self, job_id: str, notes: Mapping[str, Json]) -> None:
        try:
            self._board.note(job_id, notes)
        except (SQLAlchemyError, OSError) as error:
            # What a job does is worth more than what is told of it.
            log.warning("job_progress_not_kept", job=job_id, error=str(error).splitlines()[0])


def _heard_ms(lengths: Mapping[int, int], part: int | None, done: int, total: int) -> tuple[int, int]:
    """(ms of sound dealt with, ms in all): the parts before this one whole, of this one the share of its batches."""
    before = 0
    for number, length_ms in lengths.items():
        if number == part:
            return before + length_ms * done // max(total, 1), sum(lengths.values())
        before += length_ms
    # The end that an earlier part left over: it is not among those to hear.
    return 0, sum(lengths.values())
