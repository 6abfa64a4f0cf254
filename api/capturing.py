"""A live room into the archive: what the capture closes is admitted at once, heard, and searchable while the room is still live.

Three hands that never wait for each other: the capture writes files (`ingest.capture`), one thread admits them, one has them heard. Killed
at any time, the next capture admits what was closed, and goes on in the same recording if it is asked to.
"""

import re
import shutil
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.capture_admitting import Admitter, CaptureTold, Tell, noted_request, recover
from api.exits import explain
from api.operations import indexed_version
from api.workplace import Workplace
from archive.digest import digest_bytes
from archive.errors import LiveProofError, NotFound, StorageFull
from archive.job_board import JobCancelled
from archive.jobs import Jobs
from archive.recording import Part, Recording
from archive.timeline import WallTime
from ingest.admission import check_request
from ingest.capture import Capture, CaptureOrder, Happening, Outcome
from ingest.capture_address import Address
from ingest.capture_spool import CaptureNote, only_capture, spool_of
from ingest.errors import NotThisCapture, StreamUnavailable
from ingest.settings import IngestSettings

log = structlog.get_logger(__name__)

PAUSE_S = 0.5
RETRY_S = 5.0
JOIN_S = 10.0
# Room for what is captured while the end is being closed, beyond the margin that must stay free.
ROOM_BYTES = 64 << 20


@dataclass(frozen=True)
class CaptureRequest:
    """What to capture, into which recording, for how long. Times in seconds; None: as long as it lasts."""

    address: Address
    actor: str
    recording_id: str | None = None
    segment_s: int = 60
    for_s: float | None = None
    give_up_s: float | None = None
    platform: str | None = None
    room: str | None = None
    host: str | None = None
    title: str | None = None
    finish_within_s: float = 60


@dataclass(frozen=True, slots=True)
class Lag:
    """How long after it was on air the first and the last word of a part could be searched, in ms."""

    part: int
    oldest_ms: int
    newest_ms: int


@dataclass(slots=True)
class CaptureState:
    """How far a capture is; read by whoever shows it."""

    recording: str
    connected: bool = False
    captured_ms: int = 0
    parts: int = 0
    gaps: int = 0
    lost_ms: int = 0
    waiting: int = 0
    lags: list[Lag] = field(default_factory=list)
    last_trouble: str = ""


@dataclass(frozen=True, slots=True)
class Captured:
    """What a capture left: the recording (None where nothing came), and why it ended."""

    recording: Recording | None
    outcome: Outcome
    lags: tuple[Lag, ...]


class LiveCapture:
    """One capture from start to end. `run` is its life; `stop` and `state` are for signals and whoever shows it."""

    def __init__(self, place: Workplace, request: CaptureRequest, settings: IngestSettings, jobs: Jobs | None, tell: Tell) -> None:
        self._place, self._request, self._settings, self._jobs, self._tell = place, request, settings, jobs, tell
        self.recording_id = request.recording_id or _new_id(request, place.archive.clock())
        self.state = CaptureState(self.recording_id)
        self._spool = spool_of(place.archive.home, self.recording_id)
        self._capture: Capture | None = None
        self._stop_early = False
        self._over = threading.Event()
        self._let_go = threading.Event()
        self._admitted: list[Part] = []
        self._failed: LiveProofError | None = None
        self._largest = 0
        self._tries_left = 3

    def stop(self) -> None:
        """Close the file under way, admit it, end the recording."""
        self._stop_early = True
        if self._capture:
            self._capture.stop("stopped")

    def run(self) -> Captured:
        """Capture until it is over; what is held then. What can't be captured at all is raised after what came was admitted.

        AlreadyCaptured, NotThisCapture, StreamUnavailable where nothing came before `give_up_s`, StorageFull where the disk filled up.
        """
        request, home = self._request, self._place.archive.home
        check_request(replace(noted_request(self._note(), self.recording_id), media=(Path("capture"),)), self._settings)
        with ExitStack() as locks:
            locks.enter_context(only_capture(home, "room " + request.address.place, request.address.shown))
            locks.enter_context(only_capture(home, "recording " + self.recording_id, f"recording {self.recording_id}"))
            recover(self._place, request.actor, self._tell, but=self.recording_id)
            resumed = self._take_up()
            order = CaptureOrder(request.address, request.segment_s, request.for_s, request.give_up_s)
            self._capture = Capture(order, self._spool, self._settings, self._place.archive.clock, resumed, self._happened)
            if self._stop_early:
                self._capture.stop("stopped")
            return self._work(self._capture)

    def _take_up(self) -> bool:
        """Begin the spool, or go on with the one that is there; whether the recording is held already."""
        archive, note = self._place.archive, self._spool.note
        held = archive.catalog.has(self.recording_id)
        if note is not None and note.place_digest != self._note().place_digest:
            raise NotThisCapture(f"recording {self.recording_id} is captured from {note.shown}: choose another --id")
        if held and note is None and not _is_captured(archive.catalog.recording(self.recording_id)):
            raise NotThisCapture(f"recording {self.recording_id} was not made by a capture: choose another --id; nothing was changed")
        self._spool.open(self._note())
        self._spool.wait_until_quiet(self._settings.capture_stall_s + 15)
        left = self._spool.closed()
        if left:
            self._tell(CaptureTold("recovered", self.recording_id, str(len(left))))
        return held or bool(left)

    def _note(self) -> CaptureNote:
        request = self._request
        return CaptureNote(
            recording=self.recording_id,
            place_digest=digest_bytes(request.address.place.encode()),
            address_digest=request.address.digest,
            shown=request.address.shown,
            platform=request.platform,
            room=request.room,
            host=request.host,
            title=request.title,
        )

    def _work(self, capture: Capture) -> Captured:
        outcomes: list[Outcome] = []
        faults: list[BaseException] = []

        def capturing() -> None:
            try:
                outcomes.append(capture.run())
            except BaseException as error:  # noqa: BLE001 - told to whoever waits for this thread
                faults.append(error)
            finally:
                self._over.set()

        hands = [threading.Thread(target=hand, name=name) for name, hand in (("capture", capturing), ("admit", self._admit_all))]
        hearing = threading.Thread(target=self._have_heard, name="have-heard", daemon=True)
        for hand in hands:
            hand.start()
        if self._jobs:
            hearing.start()
        try:
            while any(hand.is_alive() for hand in hands):
                self._look(capture)
                hands[1].join(PAUSE_S)
        finally:
            capture.stop("stopped")
            for hand in hands:
                hand.join()
        if hearing.ident:
            hearing.join(self._request.finish_within_s)
            self._let_go.set()
            hearing.join(JOIN_S)
        outcome: Outcome = outcomes[0] if outcomes else "stopped"
        return self._result(outcome, faults)

    def _result(self, outcome: Outcome, faults: list[BaseException]) -> Captured:
        if self._failed:
            raise self._failed
        if outcome == "disk_full":
            raise StorageFull(
                f"the disk is nearly full, so the capture of {self.recording_id} was ended; everything captured is held. Free some space, "
                f"then capture again with --id {self.recording_id}"
            )
        if faults:
            raise faults[0]
        recording = self._held()
        if recording is None and outcome == "given_up":
            raise StreamUnavailable(f"nothing came from {self._request.address.shown}: {self.state.last_trouble or 'no answer'}")
        return Captured(recording, outcome, tuple(self.state.lags))

    def _held(self) -> Recording | None:
        try:
            return self._place.archive.catalog.recording(self.recording_id)
        except NotFound:
            return None

    def _happened(self, happening: Happening) -> None:
        if happening.word in ("lost", "unavailable"):
            if self.state.last_trouble == happening.detail:
                return  # the same again: it is in the log
            self.state.last_trouble = happening.detail
        else:
            self.state.last_trouble = ""
        self._tell(CaptureTold(happening.word, self.recording_id, happening.detail))

    def _look(self, capture: Capture) -> None:
        """What is watched beside: how far the capture is, and how much room is left."""
        self.state.connected, self.state.captured_ms = capture.connected, capture.captured_ms
        if self.state.parts + self.state.waiting >= self._settings.parts_max - 2:
            log.error("capture.recording_full", recording=self.recording_id, parts=self.state.parts)
            capture.stop("full")
        archive = self._place.archive
        needed = archive.settings.free_space_margin_bytes + ROOM_BYTES + 4 * self._largest
        folders = {archive.home, archive.settings.objects_folder}
        if any(folder.is_dir() and shutil.disk_usage(folder).free < needed for folder in folders):
            log.error("capture.disk_nearly_full", recording=self.recording_id, needed_bytes=needed)
            capture.stop("disk_full")

    def _admit_all(self) -> None:
        """Admit what is closed, as it is closed, until the capture is over and nothing is left; then end the recording."""
        admitter = Admitter(self._place, self._spool, self._request.actor, self._tell)
        while True:
            over = self._over.is_set()
            try:
                left = self._admit_closed(admitter)
                if over and not left:
                    admitter.close()
                    return
                pause = PAUSE_S
            except StorageFull as error:
                self._failed = error
                if self._capture:
                    self._capture.stop("disk_full")
                return
            except (LiveProofError, OSError, SQLAlchemyError) as error:
                self._tell(CaptureTold("waiting", self.recording_id, explain(error)))
                log.error("capture.not_admitted", recording=self.recording_id, error=explain(error))
                if over and self._gave_enough():
                    self._failed = error if isinstance(error, LiveProofError) else LiveProofError(explain(error))
                    return
                pause = RETRY_S
            if not over:
                self._over.wait(pause)
            elif pause == RETRY_S:
                time.sleep(pause)

    def _gave_enough(self) -> bool:
        """Whether admitting was tried long enough after the end: what is left is admitted by the next capture."""
        self._tries_left -= 1
        return self._tries_left <= 0

    def _admit_closed(self, admitter: "Admitter") -> int:
        waiting = self._spool.closed()
        self.state.waiting = len(waiting)
        for each in waiting:
            self._largest = max(self._largest, each.path.stat().st_size)
            part = admitter.admit(each)
            self.state.waiting -= 1
            if part is not None:
                self._admitted.append(part)
        recording = self._held()
        if recording and waiting:
            self.state.parts, self.state.gaps = len(recording.parts), len(recording.gaps)
            self.state.lost_ms = sum(gap.end_ms - gap.start_ms for gap in recording.gaps)
            self._spool.settle()
        return len(waiting)

    def _have_heard(self) -> None:
        """Have every part heard and indexed, as soon as it is admitted; how long that took from the spoken word is told."""
        from api.processing import process_or_index

        jobs = self._jobs
        told = 0
        try:
            # Loaded while the first part is still being recorded.
            _ = self._place.engine, self._place.embedder
        except (LiveProofError, OSError) as error:
            self._tell(CaptureTold("waiting", self.recording_id, explain(error)))
        while jobs is not None:
            over = self._over.is_set() and self.state.waiting == 0 and self._ended()
            due = self._admitted[told:]
            if due:
                index = _IndexWatch(self._place, self.recording_id, self._let_go)
                try:
                    # The index comes before the end of the job, which also checks what was recorded: that waits for nobody here.
                    with suppress(_Indexed):
                        jobs.wait(process_or_index(jobs, self.recording_id), index.look)
                    self._searchable(due)
                    told += len(due)
                    continue
                except _LetGo:
                    return
                except JobCancelled:
                    # What comes next is taken up again, and this with it.
                    log.warning("capture.hearing_cancelled", recording=self.recording_id, parts=len(due))
                    told += len(due)
                    continue
                except (LiveProofError, OSError, SQLAlchemyError) as error:
                    self._tell(CaptureTold("waiting", self.recording_id, explain(error)))
                    log.error("capture.not_heard", recording=self.recording_id, error=explain(error))
                    if over or self._let_go.wait(RETRY_S):
                        return
            elif over:
                self._finish(jobs)
                return
            time.sleep(PAUSE_S)

    def _finish(self, jobs: Jobs) -> None:
        """What waits for the end of a live room, such as reading its screen, goes on as a job; `liveproof work` carries it on."""
        from api.processing import process_or_index

        try:
            if self._admitted:
                process_or_index(jobs, self.recording_id)
        except (LiveProofError, OSError, SQLAlchemyError) as error:
            log.error("capture.not_finished", recording=self.recording_id, error=explain(error))

    def _ended(self) -> bool:
        recording = self._held()
        return recording is None or not recording.live

    def _searchable(self, parts: list[Part]) -> None:
        """Spoken → searchable: now, less the time at which a part was on air. Told once a part."""
        told = {lag.part for lag in self.state.lags}
        for part in parts:
            wall = part.clock.to_wall(part.start_ms)
            if wall is None or part.number in told:
                continue
            oldest = self._place.archive.clock().epoch_ms - wall.epoch_ms
            lag = Lag(part.number, oldest, oldest - part.duration_ms)
            self.state.lags.append(lag)
            log.info("capture.searchable", recording=self.recording_id, part=part.number, oldest_ms=lag.oldest_ms, newest_ms=lag.newest_ms)
            self._tell(CaptureTold("searchable", self.recording_id, part=part.number, ms=oldest))


class _Indexed(Exception):
    """The index holds what was waited for."""


class _LetGo(Exception):
    """Nobody waits any more."""


class _IndexWatch:
    """Ends a wait with _Indexed once the index holds a further transcript version than when this was made, with _LetGo when told to."""

    def __init__(self, place: Workplace, recording_id: str, let_go: threading.Event) -> None:
        self._place, self._id, self._let_go = place, recording_id, let_go
        self._before = place.archive.transcripts.newest_version(recording_id)

    def look(self) -> None:
        if self._let_go.is_set():
            raise _LetGo
        newest = self._place.archive.transcripts.newest_version(self._id)
        if newest > self._before and indexed_version(self._place, self._id) == newest:
            raise _Indexed


def _is_captured(recording: Recording) -> bool:
    return any(re.match(r"capture-\d{6}-\d{5}\.", part.file_name) for part in recording.parts)


def _new_id(request: CaptureRequest, now: WallTime) -> str:
    """live-<room or server>-<time in UTC>."""
    room = request.room or request.address.parts.hostname or "room"
    name = re.sub(r"[^0-9A-Za-z\u4e00-\u9fff]+", "-", room).strip("-")[:40] or "room"
    stamp = re.sub(r"[^0-9T]", "", now.iso()[:19])
    return f"live-{name}-{stamp}"
