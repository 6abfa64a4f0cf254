"""Chat files as text, read a piece at a time: in which encoding, and lines of bounded length."""

import codecs
import mmap
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TextIO

from ingest.errors import InvalidContent, UnknownFormat
from ingest.input_file import InputFile

LINE_MAX_CHARS = 8 << 20
_PIECE_BYTES = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class TextStream:
    """A file whose encoding was found: by byte order mark, by its zero bytes, else UTF-8 or GB 18030 (which holds GBK).

    A few bytes that are no UTF-8 are damage, and no reason to refuse the rest: they stand as U+FFFD, and `note` is told. UnknownFormat
    names a file that is in no encoding at all.
    """

    def __init__(self, file: InputFile, note: Callable[[str], None]) -> None:
        self.file = file
        self._encoding = _encoding(file, note)

    def open(self, newline: str | None = None) -> TextIO:
        """The text from its start, without a byte order mark. `newline` is that of `open`."""
        return self.file.path.open("r", encoding=self._encoding, errors="replace", newline=newline)

    def lines(self) -> Iterator[tuple[int, str]]:
        """(number from 1, line without its end). InvalidContent names a line too long to be one."""
        with self.open() as stream:
            for number, line in enumerate(bounded(stream, self.file), 1):
                yield number, line.rstrip("\n")


def note_open_end(file: InputFile, note: Callable[[str], None]) -> None:
    """Tell of a last line that has no end. What it says is kept: whether it is whole can't be seen."""
    with file.path.open("rb") as stream:
        stream.seek(max(0, file.size_bytes - 16))
        tail = stream.read().rstrip(b"\x00")
    if not tail.endswith((b"\n", b"\r")):
        note(f"{file.name}: its last line has no end, and may have been cut short")


def bounded(stream: TextIO, file: InputFile) -> Iterator[str]:
    """Lines with their ends. InvalidContent names the file and line that is longer than LINE_MAX_CHARS."""
    number = 0
    while line := stream.readline(LINE_MAX_CHARS):
        number += 1
        if len(line) == LINE_MAX_CHARS:
            raise InvalidContent(f"{file.path}, line {number} is longer than {LINE_MAX_CHARS} characters: no chat line is")
        yield line


@lru_cache(maxsize=4)
def head_text(head: bytes) -> str:
    """The text that a file begins with; what is no text in it stands as U+FFFD."""
    marked = _marked(head)
    if marked:
        return head.decode(marked, "replace").lstrip("\ufeff")
    return head.decode("gb18030" if _flaw([head]) is not None and _fits_gb18030([head]) else "utf-8", "replace")


def mentions(file: InputFile, *marks: bytes) -> bool:
    """Whether any of these bytes stand anywhere in the file."""
    if not file.size_bytes:
        return False
    with file.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(mark) >= 0 for mark in marks)


def _encoding(file: InputFile, note: Callable[[str], None]) -> str:
    with file.path.open("rb") as stream:
        marked = _marked(stream.read(4096))
    if marked:
        return marked
    flaw_at = _flaw(_pieces(file))
    if flaw_at is None:
        return "utf-8"
    # Much of GBK is UTF-8 by chance for a while, but a longer text in UTF-8 is never GBK to its end.
    if _fits_gb18030(_pieces(file)):
        return "gb18030"
    sample = next(_pieces(file)).decode("utf-8", "replace")
    if sample.count("\ufffd") * 20 > len(sample):
        raise UnknownFormat(f"{file.path} is no text in UTF-8, UTF-16 or GBK: save it as UTF-8 and ingest again")
    note(f"{file.name} holds bytes that are no UTF-8, the first at byte {flaw_at}: � stands for them; the file keeps them")
    return "utf-8"


def _marked(head: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    sample = head[:4096]
    if len(sample) > 1 and sample.count(0) * 8 >= len(sample):
        low, high = sample[::2].count(0), sample[1::2].count(0)
        # A run of zeros (a file system's hole) has as many at even places as at odd ones; UTF-16 has them at one.
        if max(low, high) > 4 * min(low, high):
            return "utf-16-le" if high > low else "utf-16-be"
    return None


def _pieces(file: InputFile) -> Iterator[bytes]:
    with file.path.open("rb") as stream:
        while piece := stream.read(_PIECE_BYTES):
            yield piece


def _flaw(pieces: Iterator[bytes] | list[bytes]) -> int | None:
    """Where the first bytes stand that are no UTF-8; None if there are none but, at most, a last character that breaks off."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    passed = 0
    for piece in pieces:
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(piece)
        except UnicodeDecodeError as error:
            return passed - kept + error.start
        passed += len(piece)
    return None


def _fits_gb18030(pieces: Iterator[bytes] | list[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder("gb18030")()
    try:
        for piece in pieces:
            decoder.decode(piece)
    except UnicodeDecodeError:
        return False
    return True
