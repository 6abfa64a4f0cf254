"""From an admitted recording to a searchable one, as a durable job: hear every window, store the transcript, estimate clocks, index.

Each batch of windows is a step of its own, so that kill -9 costs one batch. Steps take and give plain JSON; what they work with is this
process's workplace, set by `open_jobs`.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial

import structlog
from dbos import DBOS

from api import record_reading
from api.clock_estimating import estimate_or_leave
from api.hearing import LOOK, hear_new_parts, unheard
from api.job_progress import WAIT, JobProgress
from api.job_reports import RECORDING_KINDS
from api.media_checking import check_new_parts
from api.operations import Progress, index, indexed_as_of, indexed_version
from api.rendition_making import make_new_renditions
from api.scratch_sweeping import sweep_scratch
from api.screen_reading import read_new_parts, unread
from api.second_hearing import hear_second
from api.told_settings import hearing_as_told, told
from api.workplace import Workplace
from archive.errors import LiveProofError
from archive.jobs import Jobs, wait_for_turn
from transcribe.settings import TranscribeSettings

KIND, AGAIN, SECOND = RECORDING_KINDS
TURN = "turn"
# A job looks what there is to do among its first steps; those after them may be thousands.
LOOK_WITHIN = 8

log = structlog.get_logger(__name__)

_workplace: Workplace | None = None
_watcher: Callable[[str, str, int, int], None] | None = None
_progress: JobProgress | None = None


@contextmanager
def open_jobs(workplace: Workplace, watcher: Progress | None = None, of_many: bool = False) -> Iterator[Jobs]:
    """Run this process's job engine. `watcher(step, done, total)` is told how far a job of this process is, and of which recording where
    there are many.
    """
    global _workplace, _watcher, _progress  # noqa: PLW0603 - dbos calls workflows by name, so what they work with can't be an argument
    _workplace, _progress = workplace, JobProgress(workplace.job_board, workplace.archive.clock)
    _watcher = partial(_watched, watcher, of_many) if watcher else None
    record_reading.works_in(workplace)
    with _progress.kept():
        jobs = Jobs(workplace.archive.settings, workplace.archive.home)
        try:
            sweep_scratch(workplace, RECORDING_KINDS)
            yield jobs
        finally:
            jobs.close()
            _workplace = _watcher = _progress = None


def process_or_index(jobs: Jobs, recording_id: str) -> str:
    """Start, or find under way, what makes all that is held of a recording searchable; the job's id.

    A done job is repeated if its work is not there. Behind one under way that looked before the newest came, a further one is queued.
    """
    as_of = _place().archive.catalog.as_of(recording_id)

    def is_late(job_id: str) -> bool:
        """Whether a job may have looked before what is wanted now was there. One that still waits for its turn has not."""
        steps = DBOS.list_workflow_steps(job_id, limit=LOOK_WITHIN)
        looks = [step["output"] for step in steps if step["function_name"] == LOOK]
        if looks and isinstance(looks[-1], dict):
            return int(looks[-1]["as_of"]) < as_of
        return any(step["function_name"] == TURN for step in steps)

    again = _is_unprocessed(_place(), recording_id)
    return jobs.start(process_recording, recording_id, KIND, again=again, is_late=is_late)


def is_set_aside(workplace: Workplace, recording_id: str) -> bool:
    """Whether somebody cancelled the recording's last job and nothing came since: then nothing takes it up by itself."""
    job = workplace.job_board.newest(KIND, recording_id)
    cancelled = job.notes.get("cancelled") if job and job.state == "cancelled" else None
    seen = cancelled.get("as_of") if isinstance(cancelled, dict) else None
    return isinstance(seen, int) and seen >= workplace.archive.catalog.as_of(recording_id)


def transcribe_again(jobs: Jobs, recording_id: str, settings: TranscribeSettings | None = None) -> str:
    """Hear a recording anew, with these settings: a further transcript version, then the index moves to it. The job's id.

    The settings are kept with the job. ModelMissing or ModelUnusable where their model is not on this machine.
    """
    wanted = told(_place(), settings or _place().transcribe_settings)
    return jobs.start(retranscribe_recording, recording_id, AGAIN, again=True, wanted=wanted)


def ask_second_opinion(jobs: Jobs, recording_id: str, settings: TranscribeSettings, spans: Sequence[tuple[int, int]]) -> str:
    """Have another recogniser hear these spans (none: all) and judge the newest transcript by it. The job's id.

    The settings are kept with the job. ModelMissing or ModelUnusable where their model is not on this machine.
    """
    wanted = told(_place(), settings, {"spans": [[start, end] for start, end in spans]})
    return jobs.start(second_opinion, recording_id, SECOND, again=True, wanted=wanted)


def unprocessed(workplace: Workplace) -> list[str]:
    """Recordings of which something was not heard, read or brought into the index as it now stands."""
    return [recording_id for recording_id in workplace.archive.catalog.ids() if _is_unprocessed(workplace, recording_id)]


def _is_unprocessed(workplace: Workplace, recording_id: str) -> bool:
    newest = workplace.archive.transcripts.newest_version(recording_id)
    if newest == 0 or indexed_version(workplace, recording_id) != newest or unread(workplace, recording_id):
        return True
    return indexed_as_of(workplace, recording_id) < workplace.archive.catalog.as_of(recording_id) or unheard(workplace, recording_id)


@DBOS.workflow(name="process_recording")
def process_recording(recording_id: str) -> str:
    """Hear what was not heard yet, then index. Jobs of one recording run one after the other."""
    with _followed() as tell:
        DBOS.run_step({"name": TURN}, _wait_for_turn, recording_id, DBOS.workflow_id or "", tell)
        hear_new_parts(_place, recording_id, tell, hears=partial(_hears, recording_id))
        DBOS.run_step({"name": "estimate clocks"}, _estimate_clocks, recording_id, tell)
        indexed: str = DBOS.run_step({"name": "index"}, _index, recording_id, tell)
        check_new_parts(_place, recording_id, tell)
        if read_new_parts(_place, recording_id, tell):
            # What cards showed tells what was on air.
            indexed = DBOS.run_step({"name": "index with the screen"}, _index, recording_id, tell)
        make_new_renditions(_place, recording_id, tell)
        return indexed


@DBOS.workflow(name="retranscribe_recording")
def retranscribe_recording(recording_id: str, wanted: str = "{}") -> str:
    """Hear all of it in any case, with the settings that it was told, then index."""
    with _followed() as tell:
        DBOS.run_step({"name": TURN}, _wait_for_turn, recording_id, DBOS.workflow_id or "", tell)
        hear_new_parts(lambda: hearing_as_told(_place(), wanted), recording_id, tell, again=True, hears=partial(_hears, recording_id))
        DBOS.run_step({"name": "estimate clocks"}, _estimate_clocks, recording_id, tell)
        return DBOS.run_step({"name": "index"}, _index, recording_id, tell)


@DBOS.workflow(name="second_opinion")
def second_opinion(recording_id: str, wanted: str) -> str:
    """Hear with another recogniser what the newest transcript speaks of, judge it by that, then index."""
    with _followed() as tell:
        DBOS.run_step({"name": TURN}, _wait_for_turn, recording_id, DBOS.workflow_id or "", tell)
        hear_second(lambda: hearing_as_told(_place(), wanted), recording_id, json.loads(wanted)["spans"], tell)
        return DBOS.run_step({"name": "index"}, _index, recording_id, tell)


def _wait_for_turn(recording_id: str, job_id: str, tell: Progress) -> None:
    tell(WAIT, 0, 1)
    wait_for_turn(_place().archive.home, job_id, RECORDING_KINDS, recording_id)
    tell(WAIT, 1, 1)


def _estimate_clocks(recording_id: str, tell: Progress) -> str:
    place = _place()
    tell("clock", 0, 1)
    decision = estimate_or_leave(place, recording_id, place.archive.settings.actor)
    tell("clock", 1, 1)
    return decision


def _index(recording_id: str, tell: Progress) -> str:
    tell("index", 0, 1)
    version, counts = index(_place(), recording_id)
    tell("index", 1, 1)
    return f"transcript version {version}, {counts.passages} passages"


@contextmanager
def _followed() -> Iterator[Progress]:
    """Tell of the job that runs in this thread while the block runs."""
    job_id = DBOS.workflow_id or ""
    with _progress.following(job_id) if _progress else nullcontext():
        yield partial(_tell, job_id)


def _hears(recording_id: str, numbers: Sequence[int]) -> None:
    """A job is to hear these parts, in this order."""
    lengths = {part.number: part.duration_ms for part in _place().archive.catalog.recording(recording_id).parts}
    if _progress:
        _progress.hears(DBOS.workflow_id or "", [(number, lengths[number]) for number in numbers if number in lengths])


def _tell(job_id: str, step: str, done: int, total: int) -> None:
    if _progress:
        _progress.tell(job_id, step, done, total)
    if _watcher and step != WAIT:
        _watcher(job_id, step, done, total)


def _watched(watcher: Progress, of_many: bool, job_id: str, step: str, done: int, total: int) -> None:
    watcher(f"{step} {job_id.split(':', 1)[-1].rpartition(':')[0]}" if of_many else step, done, total)


def _place() -> Workplace:
    if _workplace is None:
        raise LiveProofError("no job engine is open in this process: run liveproof work")
    return _workplace
