"""Admitting what captures closed: at once while they run, and after a crash what killed ones left."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api import operations
from api.exits import explain
from api.workplace import Workplace
from archive.errors import GrownMeanwhile, LiveProofError, StorageFull
from archive.recording import Part
from ingest.admission import IngestRequest
from ingest.capture_parts import next_part
from ingest.capture_spool import CaptureNote, Spool, Waiting, all_spools, only_capture
from ingest.errors import AlreadyCaptured, FileChanged, InputTooLarge
from ingest.extension import ExtendRequest

log = structlog.get_logger(__name__)

LEFT_BEHIND_S = 20.0


@dataclass(frozen=True, slots=True)
class CaptureTold:
    """Something that a person wants to know. `word`: connected, lost, unavailable, container, admitted, gap, searchable, set_aside,
    waiting, recovered or clock."""

    word: str
    recording: str
    detail: str = ""
    part: int | None = None
    ms: int | None = None


Tell = Callable[[CaptureTold], None]


class Admitter:
    """Admits the closed files of one spool, one after the other."""

    def __init__(self, place: Workplace, spool: Spool, actor: str, tell: Tell) -> None:
        self._place, self._spool, self._actor, self._tell = place, spool, actor, tell
        self._id = spool.folder.name

    def admit(self, waiting: Waiting) -> Part | None:
        """Admit a file and remove it; the part it became. None where it was held already, or can't be played and was set aside."""
        if waiting.path.stat().st_size == 0:
            waiting.path.unlink()
            return None
        catalog = self._place.archive.catalog
        held = catalog.recording(self._id) if catalog.has(self._id) else None
        try:
            coming = next_part(self._spool, waiting, held.parts if held else ())
            if held is None:
                first = replace(noted_request(self._spool.note, self._id), media=(waiting.path,), clocks=(coming.clock,), live=True)
                admitted = operations.ingest(self._place, first, self._actor)
                grown, new = admitted.recording, not admitted.already_held
            else:
                gaps = (coming.gap,) if coming.gap else ()
                asked = ExtendRequest(media=(waiting.path,), clocks=(coming.clock,), gaps=gaps)
                extended = operations.extend(self._place, self._id, asked, self._actor)
                grown, new = extended.recording, bool(extended.new_parts)
        except StorageFull:
            raise
        except LiveProofError as error:
            if error.status >= 500 or isinstance(error, (FileChanged, GrownMeanwhile, InputTooLarge)):
                raise
            self._set_aside(waiting, error)
            return None
        waiting.path.unlink()
        if not new:
            return None
        part = grown.parts[-1]
        if coming.gap and held is not None:
            self._tell(CaptureTold("gap", self._id, coming.gap.reason, ms=coming.gap.end_ms - coming.gap.start_ms))
        self._tell(CaptureTold("admitted", self._id, part.file_name, part.number, part.duration_ms))
        return part

    def close(self) -> None:
        """End the recording, if there is one, and forget the spool."""
        catalog = self._place.archive.catalog
        if catalog.has(self._id) and catalog.recording(self._id).live:
            operations.extend(self._place, self._id, ExtendRequest(closes=True), self._actor)
        self._spool.remove()

    def _set_aside(self, waiting: Waiting, error: LiveProofError) -> None:
        aside = self._spool.folder.parent / ".unreadable"
        aside.mkdir(mode=0o700, exist_ok=True)
        waiting.path.rename(aside / f"{self._id}-{waiting.path.name}")
        log.error("capture.set_aside", recording=self._id, file=waiting.path.name, error=explain(error))
        self._tell(CaptureTold("set_aside", self._id, explain(error)))


def recover(place: Workplace, actor: str, tell: Tell, but: str | None = None) -> list[str]:
    """Admit what killed captures left, and end their recordings; their ids. Those that another process works on are left to it."""
    recovered: list[str] = []
    for spool in all_spools(place.archive.home):
        recording_id = spool.folder.name
        if recording_id == but:
            continue
        try:
            with only_capture(place.archive.home, "recording " + recording_id, f"recording {recording_id}"):
                spool.wait_until_quiet(LEFT_BEHIND_S)
                admitter = Admitter(place, spool, actor, tell)
                waiting = spool.closed()
                for each in waiting:
                    admitter.admit(each)
                admitter.close()
        except AlreadyCaptured:
            continue
        except (LiveProofError, OSError, SQLAlchemyError) as error:
            log.error("capture.not_recovered", recording=recording_id, error=explain(error))
            tell(CaptureTold("waiting", recording_id, explain(error)))
            continue
        recovered.append(recording_id)
        tell(CaptureTold("recovered", recording_id, str(len(waiting))))
    return recovered


def noted_request(note: CaptureNote | None, recording_id: str) -> IngestRequest:
    """What a recording is to be held as, without its media."""
    if note is None:
        return IngestRequest(recording_id=recording_id)
    return IngestRequest(recording_id=recording_id, platform=note.platform, room=note.room, host=note.host, title=note.title)
