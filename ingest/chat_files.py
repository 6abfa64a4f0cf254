"""Which part each chat file belongs to, and its messages on the recording's time line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import PurePath

from archive.recording import Message
from archive.timeline import ClockMap, WallTime
from ingest.chat import ChatContext, ChatFormat, ChatHeader, detect, read_head
from ingest.clock import recorder_zone
from ingest.errors import InputTooLarge, InvalidContent
from ingest.input_file import InputFile
from ingest.products import MAX_OFFSET_MS
from ingest.settings import IngestSettings


@dataclass(frozen=True, slots=True)
class ChatFile:
    """A chat file whose format is known (None: nothing in it). `part` is the position of the part it goes with, None: the recording."""

    file: InputFile
    format: ChatFormat | None
    header: ChatHeader
    part: int | None


def recognise(files: Sequence[InputFile], media_names: Sequence[str], zone: tzinfo) -> list[ChatFile]:
    """Tell formats by content and parts by name: the media file's own stem, else position where there are as many chats as parts."""
    stems = [PurePath(name).stem for name in media_names]
    by_stem = [next((n for n, stem in enumerate(stems) if same_stem(file.name, stem)), None) for file in files]
    by_position = len(files) == len(stems) and not any(part is not None for part in by_stem)
    found = []
    for position, file in enumerate(files):
        head = read_head(file)
        known = detect(file, head)
        header = known.header(head, zone) if known else ChatHeader()
        found.append(ChatFile(file, known, header, position if by_position else by_stem[position]))
    return found


def same_stem(chat_name: str, stem: str) -> bool:
    """Whether a chat file goes by its name with the media file whose name without its ending is `stem`."""
    return PurePath(chat_name).stem == stem or chat_name.startswith(stem + ".")


def read_messages(
    chats: Sequence[ChatFile],
    clocks: Sequence[ClockMap],
    wall_zero: WallTime | None,
    settings: IngestSettings,
    note: Callable[[str], None],
    first_source: int = 1,
) -> tuple[Message, ...]:
    """All messages in time order. `wall_zero` is the wall time of the recording's 0 ms; `first_source` the number that the first of the
    files has among the recording's sources."""
    messages: list[Message] = []
    for number, chat in enumerate(chats, first_source):
        if chat.format is None:
            note(f"{chat.file.name} is empty: no chat was taken from it")
            continue
        starts_at_ms, wall_start = _offset_zero(chat, clocks, wall_zero)
        context = ChatContext(starts_at_ms, wall_start, settings.message_max_chars, note, recorder_zone(settings.recorder_time_zone))
        for message in chat.format.read(chat.file, context):
            messages.append(replace(message, source_number=number))
            if len(messages) > settings.chat_max_messages:
                raise InputTooLarge(f"{chat.file.path}: more than the {settings.chat_max_messages} messages that one recording may hold")
    messages.sort(key=lambda message: message.at_ms)
    return tuple(messages)


def _offset_zero(chat: ChatFile, clocks: Sequence[ClockMap], wall_zero: WallTime | None) -> tuple[int, WallTime | None]:
    """Where the file's offset 0 lies: at its part's start, else where its head's start time falls, else at the recording's start.

    InvalidContent for a head that says it is of another day altogether.
    """
    own = chat.header.started_at
    if chat.part is not None:
        return clocks[chat.part].starts_at_ms, own or clocks[chat.part].wall_start
    if own and wall_zero:
        starts_at_ms = own.epoch_ms - wall_zero.epoch_ms
        if abs(starts_at_ms) > MAX_OFFSET_MS:
            raise InvalidContent(
                f"{chat.file.path}: its head says that it began more than {MAX_OFFSET_MS // 3_600_000} hours from the recording's start: "
                "is it this recording's chat, and is --started-at right?"
            )
        return starts_at_ms, own
    return 0, own or wall_zero
