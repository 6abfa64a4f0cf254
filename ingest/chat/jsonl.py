"""Neutral JSON lines: `{"at_ms": 73500, "user": "…", "text": "…"}` a line, times in ms from the start of the part or recording."""

import json
from collections.abc import Iterator
from datetime import tzinfo

from archive.recording import Message, MessageKind
from ingest.chat import ChatContext, ChatHeader
from ingest.errors import InvalidContent
from ingest.input_file import InputFile, decode
from ingest.products import MAX_OFFSET_MS
from ingest.tables import Row, parse_json

LINE_MAX_BYTES = 1 << 20


class JsonLines:
    """Optional fields: `kind` (chat, gift, paid, system, agent) and `recalled`."""

    name = "jsonl"

    def detect(self, head: bytes) -> bool:
        line = next((line for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()), b"")
        try:
            first = json.loads(line)
        except (ValueError, RecursionError):
            return False
        return isinstance(first, dict) and "at_ms" in first and "text" in first

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        return ChatHeader()

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        with file.path.open("rb") as stream:
            number = 0
            while line := stream.readline(LINE_MAX_BYTES):
                number += 1
                place = f"{file.path}, line {number}"
                if len(line) == LINE_MAX_BYTES:
                    raise InvalidContent(f"{place} is longer than {LINE_MAX_BYTES} bytes: no chat line is")
                if not line.strip():
                    continue
                try:
                    yield _message(line, place, context)
                except InvalidContent:
                    if line.endswith(b"\n") or number == 1:
                        raise
                    context.note(f"{file.name}: line {number}, the last, breaks off and was left out")


def _message(line: bytes, place: str, context: ChatContext) -> Message:
    text, _ = decode(line.removeprefix(b"\xef\xbb\xbf"), place)
    fields = parse_json(text, place)
    if not isinstance(fields, dict):
        raise InvalidContent(f"{place} must be an object with at_ms, user and text")
    row = Row(place, fields, LINE_MAX_BYTES)
    at_ms = row.whole("at_ms", -MAX_OFFSET_MS, MAX_OFFSET_MS)
    if at_ms is None:
        raise row.wrong("at_ms", "is missing: say when, in ms from the start")
    if "text" not in fields:
        raise row.wrong("text", "is missing")
    said = row.text("text") or ""
    try:
        kind = MessageKind(row.text("kind") or MessageKind.CHAT)
    except ValueError:
        raise row.wrong("kind", f"must be one of {', '.join(MessageKind)}") from None
    return Message(
        at_ms=context.starts_at_ms + at_ms,
        text=said[: context.message_max_chars],
        author=row.text("user"),
        kind=kind,
        raw_offset=str(at_ms),
        source="jsonl",
        recalled=row.truth("recalled"),
    )
