"""Danmaku drawn as ASS subtitles, as DanmakuRender writes them beside a recording: a display copy, and a lossy one.

There are no user names (super chats aside), messages that would have collided on the screen were dropped, and a fixed delay was taken
off each time. What is there is imported, at the moment it came on the screen, and labelled `lossy`.
"""

import re
from collections.abc import Iterator
from datetime import tzinfo

from archive.recording import Message, MessageKind
from ingest.chat import HEAD_BYTES, ChatContext, ChatHeader
from ingest.chat.placing import Placing
from ingest.chat.text_stream import TextStream, head_text, note_open_end
from ingest.input_file import InputFile

LOSSY_UNCERTAINTY_MS = 10_000
# Layer, start, end, style, name, three margins, effect, text.
_DIALOGUE = re.compile(
    r"Dialogue:\s*[^,]*,\s*(\d{1,4}):(\d\d?):(\d\d?)(?:[.:](\d{1,3}))?\s*,[^,]*,\s*\*?([^,]*),([^,]*),[^,]*,[^,]*,[^,]*,[^,]*,(.*)"
)
_TAGS = re.compile(r"\{[^{}]*\}")
_SCROLLS = re.compile(r"\{[^{}]*\\move\(")
_DRAWN = re.compile(r"\{[^{}]*\\p[1-9]")
_SUPER_CHAT = "message_box"


class DanmakuAss:
    """Told from captions by what moves: most lines of danmaku run across the screen, no caption does."""

    name = "danmaku_ass"

    def detect(self, head: bytes) -> bool:
        return is_danmaku(head_text(head))

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        return ChatHeader()

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        context.note(
            f"{file.name} is a display copy of the chat, and lossy: no user names, messages that collided on the screen are missing, "
            "and times are those of the screen"
        )
        placing = Placing(file, context, f"{self.name}/lossy")
        boxes = _SuperChats(placing)
        for number, line in TextStream(file, context.note).lines():
            if not line.startswith("Dialogue:"):
                continue
            found = _DIALOGUE.match(line)
            place = placing.at_offset(_ms(found), LOSSY_UNCERTAINTY_MS) if found else None
            if found is None or place is None:
                placing.unplaced(f"line {number}")
                continue
            raw = line.split(",", 2)[1].strip()
            if found[5] == _SUPER_CHAT:
                if not _DRAWN.match(found[7]):
                    yield from boxes.add(place, raw, _words(found[7]))
                continue
            yield from boxes.flush()
            said = _words(found[7])
            if not said:
                placing.wordless()
                continue
            yield placing.message(place, said, _words(found[6]) or None, raw_offset=raw)
        yield from boxes.flush()
        note_open_end(file, context.note)
        placing.close()


def is_danmaku(text: str) -> bool:
    """Whether a text that begins so is ASS of which most lines run across the screen."""
    if "[Script Info]" not in text[:4096]:
        return False
    lines = [found for found in map(_DIALOGUE.match, text[:HEAD_BYTES].splitlines()[:2000]) if found]
    if not lines:
        return re.search(r"^Style:\s*R2L,", text[:HEAD_BYTES], re.MULTILINE) is not None
    drawn = sum(1 for found in lines if _SCROLLS.match(found[7]) or found[5] == _SUPER_CHAT)
    return drawn * 2 > len(lines)


class _SuperChats:
    """A super chat is drawn as a name, a price and its words, one line after another at the same time."""

    def __init__(self, placing: Placing) -> None:
        self._placing = placing
        self._lines: list[str] = []
        self._place = (0, 0)
        self._raw = ""

    def add(self, place: tuple[int, int], raw: str, said: str) -> Iterator[Message]:
        if self._lines and place != self._place:
            yield from self.flush()
        self._place, self._raw = place, raw
        self._lines.append(said)
        if len(self._lines) == 3:
            yield from self.flush()

    def flush(self) -> Iterator[Message]:
        lines, self._lines = self._lines, []
        if len(lines) == 3:
            yield self._placing.message(self._place, lines[2], lines[0], MessageKind.PAID, raw_offset=self._raw)
        elif lines:
            self._placing.wordless()


def _ms(found: re.Match[str]) -> int:
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3])
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((found[4] or "0").ljust(3, "0"))


def _words(text: str) -> str:
    return _TAGS.sub("", text).replace("\\N", "").replace("\\n", " ").replace("\\h", " ").strip()
