"""What a file beside a recording is, by what is in it: chat, captions, or a clock that says the time of day once a second."""

from enum import StrEnum
from pathlib import PurePath

from ingest.captions import read_captions
from ingest.chat import detect, read_head
from ingest.chat.danmaku_ass import DanmakuAss
from ingest.clock_subtitles import TimedText, is_time_subtitle
from ingest.errors import InvalidContent, UnknownFormat
from ingest.input_file import InputFile
from ingest.settings import IngestSettings

CAPTION_ENDINGS = frozenset((".srt", ".vtt", ".ass", ".ssa", ".lrc"))


class Beside(StrEnum):
    """What goes with a media file by its name. A clock is never a transcript."""

    CHAT = "chat"
    CAPTIONS = "captions"
    CLOCK = "clock"


def beside_of(file: InputFile, settings: IngestSettings) -> Beside:
    """UnknownFormat, InvalidContent or InputTooLarge say why it is neither."""
    ending = PurePath(file.name).suffix.lower()
    if ending not in CAPTION_ENDINGS:
        try:
            detect(file, read_head(file))
        except UnknownFormat:
            if ending != ".json" or not _is_captions(file, settings):
                raise
            return Beside.CAPTIONS
        return Beside.CHAT
    if ending in (".ass", ".ssa") and DanmakuAss().detect(read_head(file)):
        return Beside.CHAT
    captions = read_captions(file, settings)
    return Beside.CLOCK if is_time_subtitle([TimedText(cue.start_ms, cue.text) for cue in captions.segments]) else Beside.CAPTIONS


def _is_captions(file: InputFile, settings: IngestSettings) -> bool:
    """Whether a JSON file that is no chat is what Whisper writes."""
    try:
        read_captions(file, settings)
    except (UnknownFormat, InvalidContent):
        return False
    return True
