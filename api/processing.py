"""From an admitted recording to a searchable one, as a durable job: hear every window, store the transcript, estimate clocks, index.

Each batch of windows is a step of its own, so that kill -9 costs one batch. Steps take and give plain JSON; what they work with is this
process's workplace, set by `open_jobs`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import structlog
from dbos import DBOS

from api import record_reading
from api.clock_estimating import estimate_or_leave
from api.media_checking import check_new_parts
from api.operations import index, indexed_version
from api.rendition_making import make_new_renditions
from api.screen_reading import read_new_parts, unread
from api.workplace import Workplace
from archive.digest import Json
from archive.errors import LiveProofError, NoMediaHeld
from archive.jobs import Jobs
from archive.recording import Part
from transcribe.audio import Sound
from transcribe.kept import plan_from_json, plan_to_json, segments_from_json, segments_to_json
from transcribe.speech_regions import Window
from transcribe.transcription import joined, provenance_of, sound_of, transcribe_batch, windows_of

KIND, AGAIN = "process", "transcribe"

log = structlog.get_logger(__name__)

_workplace: Workplace | None = None
_watcher: Callable[[str, int, int], None] | None = None
_hearing = threading.Lock()  # one batch at a time: engines use every core already


@contextmanager
def open_jobs(workplace: Workplace, watcher: Callable[[str, int, int], None] | None = None) -> Iterator[Jobs]:
    """Run this process's job engine. `watcher(step, done, total)` is told how far a job of this process is."""
    global _workplace, _watcher  # noqa: PLW0603 - dbos calls workflows by name, so what they work with can't be an argument
    _workplace, _watcher = workplace, watcher
    record_reading.works_in(workplace)
    jobs = Jobs(workplace.archive.settings, workplace.archive.home)
    try:
        yield jobs
    finally:
        jobs.close()
        _workplace = _watcher = None


def process_or_index(jobs: Jobs, recording_id: str) -> str:
    """Start, or find under way, what makes a recording searchable; the job's id. A done job is repeated if its work is not there."""
    return jobs.start(process_recording, recording_id, KIND, again=_is_unprocessed(_place(), recording_id))


def transcribe_again(jobs: Jobs, recording_id: str) -> str:
    """Hear a recording anew: a further transcript version, then the index moves to it. The job's id."""
    return jobs.start(retranscribe_recording, recording_id, AGAIN, again=True)


def unprocessed(workplace: Workplace) -> list[str]:
    """Recordings that lack a transcript or whose newest one is not what the index holds."""
    return [recording_id for recording_id in workplace.archive.catalog.ids() if _is_unprocessed(workplace, recording_id)]


def _is_unprocessed(workplace: Workplace, recording_id: str) -> bool:
    newest = workplace.archive.transcripts.newest_version(recording_id)
    return newest == 0 or indexed_version(workplace, recording_id) != newest or unread(workplace, recording_id)


@DBOS.workflow(name="process_recording")
def process_recording(recording_id: str) -> str:
    """Transcribe unless a transcript is held already, then index."""
    if DBOS.run_step({"name": "transcript held"}, _held_version, recording_id) == 0:
        _hear(recording_id)
    DBOS.run_step({"name": "estimate clocks"}, _estimate_clocks, recording_id)
    indexed: str = DBOS.run_step({"name": "index"}, _index, recording_id)
    check_new_parts(_place, recording_id, _tell)
    if read_new_parts(_place, recording_id, _tell):
        # What cards showed tells what was on air.
        indexed = DBOS.run_step({"name": "index with the screen"}, _index, recording_id)
    make_new_renditions(_place, recording_id, _tell)
    return indexed


@DBOS.workflow(name="retranscribe_recording")
def retranscribe_recording(recording_id: str) -> str:
    """Transcribe in any case, then index."""
    _hear(recording_id)
    DBOS.run_step({"name": "estimate clocks"}, _estimate_clocks, recording_id)
    return DBOS.run_step({"name": "index"}, _index, recording_id)


def _hear(recording_id: str) -> None:
    plans: list[dict[str, Json]] = []
    heard: list[list[list[Json]]] = []
    for number in DBOS.run_step({"name": "parts"}, _parts, recording_id):
        plan = DBOS.run_step({"name": f"plan {number}"}, _plan, recording_id, number)
        batches = DBOS.run_step({"name": f"batches {number}"}, _batch_count, plan)
        heard.append(
            [DBOS.run_step({"name": f"hear {number}.{batch}"}, _hear_batch, recording_id, plan, batch) for batch in range(batches)]
        )
        plans.append(plan)
        DBOS.run_step({"name": f"let go of sound {number}"}, _let_go_of_sound, recording_id, number)
    DBOS.run_step({"name": "store transcript"}, _store, recording_id, plans, heard, DBOS.workflow_id or "")


def _held_version(recording_id: str) -> int:
    return _place().archive.transcripts.newest_version(recording_id)


def _parts(recording_id: str) -> list[int]:
    recording = _place().archive.catalog.recording(recording_id)
    if not recording.has_media:
        raise NoMediaHeld(f"recording {recording_id} holds captions only: there is no sound to transcribe")
    return [part.number for part in recording.parts]


def _plan(recording_id: str, number: int) -> dict[str, Json]:
    part = _part(recording_id, number)
    _tell("plan", number - 1, number)
    with _hearing:
        plan = windows_of(part, _sound(part), _place().transcribe_settings, _place().engine)
    _tell("plan", number, number)
    return plan_to_json(plan)


def _batch_count(plan: dict[str, Json]) -> int:
    return len(_batches(plan))


def _batches(plan: dict[str, Json]) -> list[tuple[Window, ...]]:
    return plan_from_json(plan).batches(_place().transcribe_settings.whisper_batch)


def _hear_batch(recording_id: str, plan: dict[str, Json], batch: int) -> list[Json]:
    part = _part(recording_id, plan_from_json(plan).part)
    batches = _batches(plan)
    with _hearing:
        sound = _sound(part)
        if sound is None:
            return []
        segments = transcribe_batch(sound, part, batches[batch], _place().engine)
    _tell(f"transcribe {part.number}", batch + 1, len(batches))
    return segments_to_json(segments)


def _let_go_of_sound(recording_id: str, number: int) -> None:
    _scratch(_part(recording_id, number)).unlink(missing_ok=True)


def _store(recording_id: str, plans: list[dict[str, Json]], heard: list[list[list[Json]]], job: str) -> int:
    place = _place()
    held = place.archive.transcripts.latest(recording_id)
    if held and held.provenance.parameters.get("job") == job:
        return held.version  # killed between the commit and the step's own record: it stands already
    parts = [
        joined(plan_from_json(plan), [segments_from_json(batch) for batch in batches]) for plan, batches in zip(plans, heard, strict=True)
    ]
    provenance = provenance_of(place.engine, place.transcribe_settings, place.archive.clock())
    stored = place.archive.transcripts.add(
        recording_id,
        replace(provenance, parameters={**provenance.parameters, "job": job}),
        [segment for part in parts for segment in part.segments],
        [span for part in parts for span in part.speech],
        [span for part in parts for span in part.skipped],
        place.archive.settings.actor,
    )
    log.info("transcribed", recording=recording_id, version=stored.version, segments=len(stored.segments))
    return stored.version


def _estimate_clocks(recording_id: str) -> str:
    place = _place()
    _tell("clock", 0, 1)
    decision = estimate_or_leave(place, recording_id, place.archive.settings.actor)
    _tell("clock", 1, 1)
    return decision


def _index(recording_id: str) -> str:
    _tell("index", 0, 1)
    version, counts = index(_place(), recording_id)
    _tell("index", 1, 1)
    return f"transcript version {version}, {counts.passages} passages"


def _part(recording_id: str, number: int) -> Part:
    return next(part for part in _place().archive.catalog.recording(recording_id).parts if part.number == number)


def _sound(part: Part) -> Sound | None:
    place = _place()
    if not part.may_sound:
        return None
    return sound_of(place.archive.store.path(part.digest), _scratch(part), place.transcribe_settings, times_joined=part.times_joined)


def _scratch(part: Part) -> Path:
    folder = _place().archive.home / "scratch"
    folder.mkdir(exist_ok=True)
    return folder / f"{part.digest.removeprefix('sha256:')}.sound"


def _tell(step: str, done: int, total: int) -> None:
    if _watcher:
        _watcher(step, done, total)


def _place() -> Workplace:
    if _workplace is None:
        raise LiveProofError("no job engine is open in this process: run liveproof work")
    return _workplace
