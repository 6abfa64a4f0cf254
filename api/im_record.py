"""IM logs among a case's papers: read by the chat formats of the gate, a piece a message, in the order of their times."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from archive.case_record import RecordPiece
from archive.digest import Json
from archive.errors import LiveProofError
from archive.recording import Message
from archive.timeline import WallTime
from ingest.chat import ChatContext, detect, read_head
from ingest.chat.placing import written_ms
from ingest.clock import recorder_zone
from ingest.errors import InputTooLarge, InvalidContent, UnknownFormat
from ingest.input_file import check_file
from ingest.settings import IngestSettings

NOTES_MAX, NOTE_MAX_CHARS = 50, 500


@dataclass(frozen=True, slots=True)
class ImRecord:
    """Messages as pieces; notes as `archive.case_record` has them; `source` is the format that was told, e.g. im_table."""

    source: str
    pieces: tuple[RecordPiece, ...]
    notes: tuple[Mapping[str, Json], ...]


def read_im(path: Path, file_name: str, settings: IngestSettings, max_chars: int) -> ImRecord | Mapping[str, Json]:
    """The messages of an IM log of a known layout; else a note that says why it is read like any other paper.

    Layouts: `ingest.chat`. Text beyond `max_chars` is left out, and a note says so.
    """
    told: list[str] = []
    zone = recorder_zone(settings.recorder_time_zone)
    try:
        file = check_file(path, "IM log", settings.chat_max_bytes)
        known = detect(file, read_head(file))
        if known is None:
            return {"code": "no_text"}
        context = ChatContext(0, None, settings.message_max_chars, told.append, zone)
        found: list[Message] = []
        chars = 0
        cut = False
        for message in known.read(file, context):
            chars += len(message.text)
            if len(found) >= settings.chat_max_messages or chars > max_chars:
                cut = True
                break
            found.append(message)
    except (UnknownFormat, InvalidContent, InputTooLarge) as error:
        return {"code": "im_not_told", "why": _unplaced(error, path, file_name)}
    notes: list[Mapping[str, Json]] = [{"code": "im_note", "said": _short(note, path, file_name)} for note in told[:NOTES_MAX]]
    if cut:
        notes.append({"code": "more_text", "chars": max_chars})
    ordered = sorted(enumerate(found, 1), key=lambda entry: entry[1].at_ms)
    pieces = (RecordPiece(_place(number, message, zone), message.text) for number, message in ordered if message.text.strip())
    return ImRecord(known.name, tuple(pieces), tuple(notes))


def _place(number: int, message: Message, zone: tzinfo) -> dict[str, Json]:
    place: dict[str, Json] = {"message": number, "role": message.kind.value}
    written = written_ms(message.raw_wall, zone) if message.raw_wall else None
    if written is not None:
        place["at"] = WallTime(written[0]).iso()
    more: dict[str, Json] = {"sender": message.author, "order": message.order_id, "recalled": message.recalled}
    return {**place, **{name: value for name, value in more.items() if value}}


def _unplaced(error: LiveProofError, path: Path, file_name: str) -> str:
    return _short(str(error), path, file_name)


def _short(said: str, path: Path, file_name: str) -> str:
    """What the gate says with the paper by its own name: where it lies is nobody's business."""
    return said.replace(str(path), file_name).replace(path.name, file_name)[:NOTE_MAX_CHARS]
