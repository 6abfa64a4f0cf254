"""What the heads of a recording's chat files, and its file names, tell of its start: witnesses beside the clock that is held."""

import statistics
from datetime import tzinfo
from pathlib import PurePath

import structlog

from archive.errors import LiveProofError
from archive.opening import Archive
from archive.recording import Recording
from archive.timeline import WallTime
from ingest.chat import detect, read_head
from ingest.chat_files import same_stem
from ingest.clock import CHAT_HEADER_UNCERTAINTY_MS
from ingest.clock_witnesses import Witness, recorder_witness
from ingest.input_file import check_file

log = structlog.get_logger(__name__)


def other_witnesses(archive: Archive, recording: Recording, zone: tzinfo) -> list[Witness]:
    """File names, and chat heads (their middle one), each only where there are any. A chat file that can't be read now tells nothing."""
    named = recorder_witness(recording, zone)
    head = _head_witness(archive, recording, zone)
    return [witness for witness in (named, head) if witness]


def _head_witness(archive: Archive, recording: Recording, zone: tzinfo) -> Witness | None:
    starts: list[int] = []
    for source in archive.catalog.sources(recording.id):
        if source.role != "chat" or not source.size_bytes:
            continue
        try:
            file = check_file(archive.store.path(source.digest), "chat", source.size_bytes)
            head = read_head(file)
            known = detect(file, head)
            started = known.header(head, zone).started_at if known else None
        except (LiveProofError, OSError) as error:
            log.warning("clock.head_unread", recording=recording.id, file=source.file_name, error=str(error))
            continue
        if started:
            starts.append(started.epoch_ms - _begins_at(source.file_name, recording))
    return Witness("chat_header", WallTime(round(statistics.median(starts))), CHAT_HEADER_UNCERTAINTY_MS) if starts else None


def _begins_at(file_name: str, recording: Recording) -> int:
    """Where a chat file's beginning lies on the recording's time line, in ms: at the part it goes with by its name, else at the start."""
    own = next((part for part in recording.parts if same_stem(file_name, PurePath(part.file_name).stem)), None)
    return own.start_ms if own else 0
