"""Decoding what was admitted, to say which of it can be heard and seen: durable steps of a recording's job, and the command that asks anew.

It comes after the index, because nobody's search waits for it. One step a part; a step that a crash repeats stores nothing twice.
"""

from collections.abc import Callable

import structlog
from dbos import DBOS

from api.operations import Progress, ignore_progress
from api.workplace import Workplace
from archive.errors import NoMediaHeld
from archive.media_checks import MediaCheck
from archive.recording import Part
from ingest.media_check import check_part, method_of
from ingest.settings import ingest_settings

log = structlog.get_logger(__name__)


def check_new_parts(place: Callable[[], Workplace], recording_id: str, progress: Progress = ignore_progress) -> None:
    """Steps of a workflow: decode each part that no check has been made of, as `LIVEPROOF_MEDIA_CHECK` says."""
    for number in DBOS.run_step({"name": "parts to check"}, _unchecked, place(), recording_id):
        DBOS.run_step({"name": f"check {number}"}, _check, place(), recording_id, number, progress)


def check_recording(
    workplace: Workplace, recording_id: str, every_picture: bool, actor: str, progress: Progress = ignore_progress
) -> list[MediaCheck]:
    """Decode all parts of a recording now, each a further check. NoMediaHeld where only captions are held; NotFound."""
    recording = workplace.archive.catalog.recording(recording_id)
    if not recording.has_media:
        raise NoMediaHeld(f"recording {recording_id} holds captions only: there is nothing to decode")
    held = workplace.archive.media_checks.newest(recording_id)
    after = {part.number: held[part.number].version if part.number in held else 0 for part in recording.parts}
    return [_decode(workplace, recording_id, part, after[part.number], every_picture, actor, progress) for part in recording.parts]


def _unchecked(workplace: Workplace, recording_id: str) -> list[int]:
    if ingest_settings().media_check == "none":
        return []
    checked = workplace.archive.media_checks.newest(recording_id)
    return [part.number for part in workplace.archive.catalog.recording(recording_id).parts if part.number not in checked]


def _check(workplace: Workplace, recording_id: str, number: int, progress: Progress) -> int:
    part = next(part for part in workplace.archive.catalog.recording(recording_id).parts if part.number == number)
    every_picture = ingest_settings().media_check == "every_picture"
    return _decode(workplace, recording_id, part, 0, every_picture, workplace.archive.settings.actor, progress).version


def _decode(
    workplace: Workplace, recording_id: str, part: Part, after: int, every_picture: bool, actor: str, progress: Progress
) -> MediaCheck:
    archive = workplace.archive
    findings = check_part(
        archive.store.path(part.digest),
        part,
        every_picture=every_picture,
        timeout_s=ingest_settings().media_check_timeout_s,
        progress=lambda done, total: progress(f"check {part.number}", done, total),
    )
    made = archive.media_checks.add(recording_id, part.number, after, method_of(every_picture), findings, actor)
    unheard_ms = sum(end - start for start, end in made.unheard)
    log.info("media.checked", recording=recording_id, part=part.number, findings=len(made.findings), unheard_ms=unheard_ms)
    return made
