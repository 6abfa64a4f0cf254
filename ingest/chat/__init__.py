"""Chat files: one module a format behind one contract, told apart by what is in the file, never by its name.

A format keeps each message's own offset and wall time as they stood (`raw_offset`, `raw_wall`) and lays it on the recording's time line
with the context it is handed. To add one: write a module with a class that meets `ChatFormat`, and name it in `formats`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from typing import Protocol

from archive.recording import Message
from archive.timeline import WallTime
from ingest.errors import UnknownFormat
from ingest.input_file import InputFile, storable
from ingest.settings import ingest_settings

HEAD_BYTES = 256 << 10
_HEADER_MAX_CHARS = 500
CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class ChatHeader:
    """What a chat file's head says about the session, as text that can be stored. `started_at` is the wall time of the file's offset 0."""

    started_at: WallTime | None = None
    platform: str | None = None
    room: str | None = None
    host: str | None = None
    title: str | None = None

    def __post_init__(self) -> None:
        for name in ("platform", "room", "host", "title"):
            if (said := getattr(self, name)) is not None:
                object.__setattr__(self, name, storable(said)[:_HEADER_MAX_CHARS].strip() or None)


@dataclass(frozen=True, slots=True)
class ChatContext:
    """How a file's times lie: its offset 0 stands at `starts_at_ms` of the recording, and was `wall_start` by the wall clock.

    `note` is told, in a sentence, what was left out or mended. Wall times that name no zone are in `zone`.
    """

    starts_at_ms: int
    wall_start: WallTime | None
    message_max_chars: int
    note: Callable[[str], None]
    zone: tzinfo = CHINA


class ChatFormat(Protocol):
    """One format of chat file."""

    @property
    def name(self) -> str:
        """A short name, e.g. `bilibili_xml`; the start of every message's `source`."""
        ...

    def detect(self, head: bytes) -> bool:
        """Whether a file that begins with `head` (at most HEAD_BYTES) is of this format."""
        ...

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        """What the file's beginning says of the session; times without a zone are in `zone`."""
        ...

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        """Messages in the file's order. InvalidContent names file, line and field of what can't be mended."""
        ...


def formats() -> tuple[ChatFormat, ...]:
    """Every format that is known, the more particular first."""
    from ingest.chat.bilibili_xml import BilibiliXml
    from ingest.chat.chat_downloader import ChatDownloader, ChatDownloaderCsv
    from ingest.chat.danmaku_ass import DanmakuAss
    from ingest.chat.douyin_barrage_grab import DouyinBarrageGrab
    from ingest.chat.douyin_messages import DouyinMessages
    from ingest.chat.im_table import ImCsv, ImJson
    from ingest.chat.im_xlsx import ImXlsx
    from ingest.chat.jsonl import JsonLines
    from ingest.chat.kuaishou import Kuaishou
    from ingest.chat.tiktok_live import TikTokLive
    from ingest.chat.twitch_downloader import TwitchDownloader
    from ingest.chat.twitch_text import TwitchText
    from ingest.chat.youtube_live_chat import YoutubeLiveChat

    named = {str(field): column for field, column in ingest_settings().chat_columns.items()}
    return (
        BilibiliXml(),
        DanmakuAss(),
        YoutubeLiveChat(),
        TwitchDownloader(),
        DouyinBarrageGrab(),
        TikTokLive(),
        DouyinMessages(),
        Kuaishou(),
        JsonLines(),
        ChatDownloader(),
        ChatDownloaderCsv(),
        TwitchText(),
        ImXlsx(named),
        ImJson(named),
        ImCsv(named),
    )


def read_head(file: InputFile) -> bytes:
    with file.path.open("rb") as stream:
        return stream.read(HEAD_BYTES)


def detect(file: InputFile, head: bytes) -> ChatFormat | None:
    """The format of a chat file by its beginning; None for a file with nothing in it. UnknownFormat names the file."""
    if not head.strip(b"\x00\xef\xbb\xbf\xff\xfe \t\r\n"):
        if file.size_bytes <= len(head):
            return None
        raise UnknownFormat(f"{file.path} begins with nothing but blanks: it is no chat file")
    found = next((known for known in formats() if known.detect(head)), None)
    if found is None:
        names = ", ".join(known.name for known in formats())
        raise UnknownFormat(f"{file.path} is no chat file of a format that is known ({names})")
    return found
