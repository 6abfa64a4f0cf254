"""Neutral JSON lines: `{"at_ms": 73500, "user": "…", "text": "…"}` a line, times in ms from the start of the part or recording."""

import json
from collections.abc import Iterator
from datetime import tzinfo

from archive.recording import Message, MessageKind
from ingest.chat import ChatContext, ChatHeader
from ingest.chat.placing import AUTHOR_MAX_CHARS
from ingest.chat.text_stream import LINE_MAX_CHARS, TextStream, bounded, head_text
from ingest.errors import InvalidContent
from ingest.input_file import InputFile
from ingest.products import MAX_OFFSET_MS
from ingest.tables import Row, parse_json

_KINDS = {str(kind): kind for kind in MessageKind}


class JsonLines:
    """Optional fields: `kind` (chat, gift, paid, system, agent) and `recalled`."""

    name = "jsonl"

    def detect(self, head: bytes) -> bool:
        line = next((line for line in head_text(head).split("\n") if line.strip()), "")
        try:
            first = json.loads(line)
        except (ValueError, RecursionError):
            return False
        return isinstance(first, dict) and "at_ms" in first and "text" in first

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        return ChatHeader()

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        with TextStream(file, context.note).open() as stream:
            for number, line in enumerate(bounded(stream, file), 1):
                if not line.strip("\x00 \t\r\n"):
                    continue
                try:
                    yield _message(line, f"{file.path}, line {number}", context)
                except InvalidContent:
                    if line.endswith("\n") or number == 1:
                        raise
                    context.note(f"{file.name}: line {number}, the last, breaks off and was left out")


def _message(line: str, place: str, context: ChatContext) -> Message:
    fields = parse_json(line, place)
    if not isinstance(fields, dict):
        raise InvalidContent(f"{place} must be an object with at_ms, user and text")
    row = Row(place, fields, LINE_MAX_CHARS)
    at_ms = row.whole("at_ms", -MAX_OFFSET_MS, MAX_OFFSET_MS)
    if at_ms is None:
        raise row.wrong("at_ms", "is missing: say when, in ms from the start")
    if "text" not in fields:
        raise row.wrong("text", "is missing")
    said = row.text("text") or ""
    kind = _KINDS.get(row.text("kind") or MessageKind.CHAT)
    if kind is None:
        raise row.wrong("kind", f"must be one of {', '.join(MessageKind)}")
    return Message(
        at_ms=context.starts_at_ms + at_ms,
        text=said[: context.message_max_chars],
        author=(row.text("user") or "")[:AUTHOR_MAX_CHARS] or None,
        kind=kind,
        raw_offset=str(at_ms),
        source="jsonl",
        recalled=row.truth("recalled"),
    )
