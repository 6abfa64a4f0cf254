"""TwitchDownloader's text: `[0:01:02] name: message` by the VOD's clock, or `[2026-11-18 12:00:05 UTC] name: message` by the wall's."""

import re
from collections.abc import Iterator
from datetime import UTC, tzinfo

from archive.recording import Message
from ingest.chat import ChatContext, ChatHeader
from ingest.chat.placing import Placing, written_ms
from ingest.chat.text_stream import TextStream, head_text, note_open_end
from ingest.input_file import InputFile

_LINE = re.compile(r"\[(?:(\d{1,3}:[0-5]\d:[0-5]\d)|(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?) UTC)\] ([^:]{1,200}): (.*)", re.DOTALL)


class TwitchText:
    """The text form; without time stamps it dates nothing and is not taken for chat."""

    name = "twitch_text"

    def detect(self, head: bytes) -> bool:
        lines = [line for line in head_text(head).lstrip("\ufeff").splitlines()[:20] if line.strip()]
        # The last of them may be cut by the end of the head.
        return bool(lines) and all(_LINE.match(line) for line in lines[: max(1, len(lines) - 1)])

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        return ChatHeader(platform="twitch")

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        placing = Placing(file, context, self.name)
        for number, line in TextStream(file, context.note).lines():
            if not line.strip("\x00 \t"):
                continue
            found = _LINE.match(line)
            if not found:
                placing.unplaced(f"line {number}")
                continue
            offset, wall, author, said = found.groups()
            if offset:
                hours, minutes, seconds = offset.split(":")
                place = placing.at_offset(((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000)
            else:
                written = written_ms(wall, UTC)
                place = placing.at_wall(written[0]) if written else None
            if place is None:
                placing.unplaced(f"line {number}")
                continue
            yield placing.message(place, said, author, raw_offset=offset, raw_wall=wall)
        note_open_end(file, context.note)
        placing.close()
