"""Plain text and Markdown, line by line."""

from pathlib import Path

from transcribe.record_text.frames import Sink
from transcribe.record_text.limits import ReadLimits
from transcribe.record_text.text_decoding import decoded_text


class PlainText:
    """Places: line, from 1."""

    name, engine = "text", "text"

    def read(self, path: Path, limits: ReadLimits, sink: Sink) -> None:
        read_lines(decoded_text(path.read_bytes(), sink.note), sink)


def read_lines(text: str, sink: Sink) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        sink.piece({"line": number}, line)
