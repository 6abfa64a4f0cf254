"""Reading the screen of what was admitted: durable steps at the end of a recording's job, and the command that reads anew.

It comes after the index, because nobody's words wait for it. Five minutes of media are a step; a room that is still live is read once it
is closed, and a part that was read is not read again.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import util
from pathlib import Path
from typing import cast

import structlog
from dbos import DBOS

from api.operations import Progress, ignore_progress
from api.workplace import Workplace
from archive.digest import Json
from archive.errors import NoMediaHeld
from archive.recording import Part, Recording
from archive.screen_readings import ScreenReading
from transcribe.errors import PicturesUnreadable
from transcribe.screen_text import PartScreen, Stretch, joined, read_part, read_stretch, screen_provenance, stretches_of

log = structlog.get_logger(__name__)


def read_new_parts(place: Callable[[], Workplace], recording_id: str, progress: Progress = ignore_progress) -> int:
    """Steps of a workflow: read each part that nobody read yet, as `LIVEPROOF_SCREEN_TEXT` says; how many lines were found."""
    found = 0
    for number in DBOS.run_step({"name": "parts to read"}, _unread, place(), recording_id):
        spans = DBOS.run_step({"name": f"screen {number}"}, _spans, place(), recording_id, number)
        read = [
            DBOS.run_step({"name": f"read {number}.{index}"}, _read, place(), recording_id, number, spans, index, progress)
            for index in range(len(spans))
        ]
        job = DBOS.workflow_id or ""
        found += DBOS.run_step({"name": f"store screen {number}"}, _store, place(), recording_id, number, spans, read, job)
    return found


def unread(workplace: Workplace, recording_id: str) -> bool:
    """Whether a recording has parts whose screen is to be read and was not; False where nothing here could read it."""
    return bool(_unread(workplace, recording_id))


def read_screen(workplace: Workplace, recording_id: str, actor: str, progress: Progress = ignore_progress) -> list[ScreenReading]:
    """Read all parts of a recording now, each a further version. NoMediaHeld where only captions are held; NotFound; OcrMissing."""
    recording = workplace.archive.catalog.recording(recording_id)
    if not recording.has_media:
        raise NoMediaHeld(f"recording {recording_id} holds captions only: there is no screen to read")
    readings = []
    for part in _readable(recording):
        source = _source(workplace, part)

        def tell(done: int, total: int, number: int = part.number) -> None:
            progress(f"screen {number}", done, total)

        readings.append(_add(workplace, recording_id, read_part(source, part, workplace.ocr, workplace.transcribe_settings, tell), actor))
    return readings


def _readable(recording: Recording) -> list[Part]:
    """Parts whose pictures can be placed. Those whose time stamps jump are left out: a line at a wrong second is worse than none."""
    return [part for part in recording.parts if not part.times_joined]


def _unread(workplace: Workplace, recording_id: str) -> list[int]:
    recording = workplace.archive.catalog.recording(recording_id)
    if not workplace.transcribe_settings.screen_text or recording.live or not recording.has_media:
        return []
    if util.find_spec("rapidocr") is None:
        log.info("screen_not_read", recording=recording_id, reason="rapidocr is not installed")
        return []
    read = workplace.archive.screens.versions(recording_id)
    return [part.number for part in _readable(recording) if part.number not in read]


def _spans(workplace: Workplace, recording_id: str, number: int) -> list[list[int]]:
    part = _part(workplace, recording_id, number)
    try:
        return [list(span) for span in stretches_of(_source(workplace, part), part)]
    except PicturesUnreadable as error:
        log.warning("screen_unreadable", recording=recording_id, part=number, error=str(error))
        return []


def _read(workplace: Workplace, recording_id: str, number: int, spans: list[list[int]], index: int, progress: Progress) -> dict[str, Json]:
    part = _part(workplace, recording_id, number)
    start, end = spans[index]
    progress(f"screen {number}", index, len(spans))
    try:
        stretch = read_stretch(_source(workplace, part), (start, end), workplace.ocr, workplace.transcribe_settings)
    except PicturesUnreadable as error:
        log.warning("screen_unreadable", recording=recording_id, part=number, from_ms=start, error=str(error))
        stretch = Stretch((), 0, 0, 0.0, 0, 0, False, (str(error),))
    progress(f"screen {number}", index + 1, len(spans))
    return stretch.to_json()


def _store(workplace: Workplace, recording_id: str, number: int, spans: list[list[int]], read: Sequence[dict[str, Json]], job: str) -> int:
    archive = workplace.archive
    if number in archive.screens.versions(recording_id):
        return 0  # killed between the commit and the step's own record, or somebody read it meanwhile: it stands already
    stretches = [Stretch.from_json(kept) for kept in read]
    both = [(start, end) for start, end in spans]
    screen = joined(_part(workplace, recording_id, number), both, stretches, workplace.transcribe_settings)
    return len(_add(workplace, recording_id, screen, archive.settings.actor, job).texts)


def _add(workplace: Workplace, recording_id: str, screen: PartScreen, actor: str, job: str = "") -> ScreenReading:
    archive = workplace.archive
    provenance = screen_provenance(workplace.ocr, workplace.transcribe_settings, screen, archive.clock())
    if job:
        provenance = replace(provenance, parameters={**provenance.parameters, "job": job})
    stored = archive.screens.add(recording_id, screen.part, provenance, screen.frames, screen.texts, actor)
    readings = cast(int, screen.notes["readings"])
    log.info("screen_read", recording=recording_id, part=screen.part, lines=len(stored.texts), frames=screen.frames, readings=readings)
    return stored


def _part(workplace: Workplace, recording_id: str, number: int) -> Part:
    return next(part for part in workplace.archive.catalog.recording(recording_id).parts if part.number == number)


def _source(workplace: Workplace, part: Part) -> Path:
    return workplace.archive.store.path(part.digest)
