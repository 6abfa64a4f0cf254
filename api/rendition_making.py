"""Making parts ready to play before anybody asks: the last steps of a recording's job, where LIVEPROOF_RENDITION_AT_INGEST says so.

Without it a part is made ready when it is first played: some seconds a gigabyte where its packets are copied, but longer than the part
lasts where its picture must be encoded. A rendition is no evidence and can be made again: what goes wrong is logged and fails no job.
"""

from collections.abc import Callable

import structlog
from dbos import DBOS

from api.operations import Progress, ignore_progress
from api.settings import api_settings
from api.workplace import Workplace
from archive.errors import LiveProofError, NotFound
from archive.recording import Part
from archive.rendition import is_made, is_quick, part_numbered, playback_file

log = structlog.get_logger(__name__)


def make_new_renditions(place: Callable[[], Workplace], recording_id: str, progress: Progress = ignore_progress) -> None:
    """Steps of a workflow: one for each part that is not ready to play."""
    for number in DBOS.run_step({"name": "parts to make ready"}, _unmade, place(), recording_id):
        DBOS.run_step({"name": f"make ready {number}"}, _make, place(), recording_id, number, progress)


def _unmade(workplace: Workplace, recording_id: str) -> list[int]:
    wanted = api_settings().rendition_at_ingest
    if wanted == "none":
        return []
    try:
        parts = workplace.archive.catalog.recording(recording_id).parts
    except NotFound:
        return []
    return [part.number for part in parts if _is_to_be_made(workplace, part, wanted == "all")]


def _is_to_be_made(workplace: Workplace, part: Part, even_encoded: bool) -> bool:
    try:
        return not is_made(workplace.archive, part) and (even_encoded or is_quick(workplace.archive, part))
    except (LiveProofError, OSError) as error:
        log.warning("rendition.not_made", part=part.number, digest=part.digest, error=str(error))
        return False


def _make(workplace: Workplace, recording_id: str, number: int, progress: Progress) -> str:
    """What came of it: done, or failed."""
    progress(f"rendition {number}", 0, 1)
    try:
        file = playback_file(workplace.archive, part_numbered(workplace.archive, recording_id, number), low_priority=True)
    except (LiveProofError, OSError) as error:
        log.warning("rendition.not_made", recording=recording_id, part=number, error=str(error))
        return "failed"
    progress(f"rendition {number}", 1, 1)
    log.info("rendition.made", recording=recording_id, part=number, bytes=file.stat().st_size)
    return "done"
