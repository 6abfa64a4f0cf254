"""Records of a JSON chat file, one at a time in bounded memory: JSON lines, an array, values one after another, or an array under a key.

A file of JSON lines is read past a line that is none (a recorder that was killed and started again leaves half a line): such lines are
left out and told. An array that breaks off gives what stands before the break.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TextIO

from archive.digest import Json
from ingest.chat.text_stream import LINE_MAX_CHARS, TextStream, head_text
from ingest.errors import InvalidContent
from ingest.input_file import InputFile

RECORD_MAX_CHARS = LINE_MAX_CHARS
_PIECE_CHARS = 1 << 18
_BLANKS = " \t\r\n\x00\ufeff"
_BETWEEN = re.compile(r"[ \t\r\n\x00\ufeff,]*")
_KEY = re.compile(r'"((?:[^"\\]|\\.){0,100})"[ \t\r\n]*:')
_NUMBER_ON = re.compile(r"[-+.eE0-9]*")
# Control characters inside texts are read, NaN and Infinity are nothing.
_DECODER = json.JSONDecoder(strict=False, parse_constant=lambda _name: None)
_decode = _DECODER.raw_decode


def records(text: TextStream, note: Callable[[str], None], key: str | None = None) -> Iterator[tuple[int, Json]]:
    """(number from 1, record). With `key`: the items of the array under that key of the file's one object.

    InvalidContent names file and record of what can't be read past: a broken record within an array, one that is longer than
    RECORD_MAX_CHARS or nested deeper than Python's parser goes, a file none of whose lines is JSON.
    """
    if key is None and _is_lines(text):
        yield from _lines(text, note)
        return
    with text.open() as stream:
        window = _Window(stream, text.file)
        if key is not None:
            if not window.enter(key):
                raise InvalidContent(f"{text.file.path} holds no list under “{key}”")
        elif window.char() == "[":
            window.at += 1
        else:
            yield from window.items("", note)
            return
        yield from window.items("]", note)


def _is_lines(text: TextStream) -> bool:
    """Whether each line is a record: the first is whole, or the second begins one as well."""
    first = ""
    with text.open() as stream:
        for _ in range(1000):
            line = stream.readline(LINE_MAX_CHARS)
            if not line:
                return first.startswith("{")
            line = line.strip(_BLANKS) if not first else line.strip("\r\n\x00")
            if not line:
                continue
            if first:
                return line.startswith("{") and len(first) > 1
            if not line.startswith("{"):
                return False
            first = line
            try:
                return _decode(line)[1] == len(line)
            except (ValueError, RecursionError):
                continue
    return False


def _lines(text: TextStream, note: Callable[[str], None]) -> Iterator[tuple[int, Json]]:
    good = bad = 0
    first_bad = reason = ""
    for number, whole in text.lines():
        line = whole.strip(_BLANKS)
        if not line:
            continue
        try:
            value, end = _decode(line)
            if end != len(line):
                raise json.JSONDecodeError("Extra data", line, end)
        except (ValueError, RecursionError) as error:
            bad += 1
            if bad == 1:
                first_bad, reason = f"line {number}", str(error)
            continue
        good += 1
        yield number, value
    if bad and not good:
        raise InvalidContent(f"{text.file.path}, {first_bad} is no valid JSON: {reason[:200]}; nor is any other line")
    if bad:
        note(f"{text.file.name}: lines that are no JSON were left out: {bad}, the first is {first_bad}")


class _Window:
    """A stretch of the text from `at` on; grows until the record at `at` is whole, and is cut behind it."""

    def __init__(self, stream: TextIO, file: InputFile) -> None:
        self._stream = stream
        self._file = file
        self._text = ""
        self._ended = False
        self._inside = False
        self._breaks_off = False
        self.at = 0

    def more(self) -> bool:
        """Read on, twice as far each time; False at the end of the text."""
        rest = len(self._text) - self.at
        piece = "" if self._ended else self._stream.read(max(_PIECE_CHARS, rest))
        self._ended = not piece
        if piece:
            self._text, self.at = self._text[self.at :] + piece, 0
        return bool(piece)

    def char(self) -> str:
        """The next character that is no blank and no comma, not taken yet; "" at the end."""
        while True:
            match = _BETWEEN.match(self._text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self._text):
                return self._text[self.at]
            if not self.more():
                return ""

    def items(self, closing: str, note: Callable[[str], None]) -> Iterator[tuple[int, Json]]:
        """Values up to the bracket that closes them, or to the end."""
        number = 0
        while (char := self.char()) != closing:
            if not char:
                note(f"{self._file.name} breaks off after {number} records: its list has no end")
                return
            number += 1
            try:
                value = self.value(f"record {number}")
            except InvalidContent:
                if number == 1 or not self._breaks_off:
                    raise
                note(f"{self._file.name}: record {number}, the last, breaks off and was left out")
                return
            yield number, value
        if closing:
            self.at += 1
            # Within an object, other members may follow.
            if not self._inside and self.char():
                note(f"{self._file.name}: what stands behind the end of its {number} records was left out")

    def value(self, what: str) -> Json:
        while True:
            try:
                value, end = _decode(self._text, self.at)
            except RecursionError as error:
                raise InvalidContent(f"{self._file.path}, {what} is nested too deeply to be read") from error
            except ValueError as error:
                length = len(self._text) - self.at
                if length > RECORD_MAX_CHARS:
                    raise InvalidContent(
                        f"{self._file.path}, {what} is broken, or longer than {RECORD_MAX_CHARS} characters: no chat record is ({error})"
                    ) from error
                if self.more():
                    continue
                reason = str(error)
                if isinstance(error, json.JSONDecodeError):
                    reason = f"{error.msg}, {error.pos - self.at} characters into it"
                    if error.msg.startswith("Unterminated") or error.pos >= len(self._text.rstrip()) - 8:
                        self._breaks_off = True
                        raise InvalidContent(f"{self._file.path}, {what} breaks off: {reason}") from error
                raise InvalidContent(f"{self._file.path}, {what} is no valid JSON: {reason[:200]}") from error
            # A number at the very end may go on in the next piece, as may what looks like the beginning of its fraction or exponent.
            if isinstance(value, int | float) and _NUMBER_ON.fullmatch(self._text, end) and self.more():
                continue
            self.at = end
            record: Json = value
            return record

    def enter(self, key: str) -> bool:
        """Go into the list under `key` of the object that the text is; False where there is none."""
        if self.char() != "{":
            return False
        self.at += 1
        while self.char() == '"':
            name = self.value("a name")
            if self.char() != ":":
                return False
            self.at += 1
            first = self.char()
            if name == key:
                found = first == "["
                self.at += found
                self._inside = found
                return found
            self.value(f"“{str(name)[:60]}”")
        return False


@lru_cache(maxsize=4)
def head_records(head: bytes) -> tuple[Json, ...]:
    """The whole records that a JSON file begins with; () for a file that is none, or whose first record is longer than the head."""
    text = head_text(head)
    at = _skip(text, 0)
    if text[at : at + 1] == "[":
        at = _skip(text, at + 1)
    elif text[at : at + 1] != "{":
        return ()
    found: list[Json] = []
    while at < len(text) and len(found) < 200:
        try:
            value, at = _decode(text, at)
        except (ValueError, RecursionError):
            # Half a line, left by a recorder that was killed, hides nothing of the next.
            following = text.find("\n{", at)
            if following < 0:
                break
            at = following + 1
            continue
        found.append(value)
        at = _skip(text, at)
    return tuple(found)


@lru_cache(maxsize=4)
def head_names(head: bytes) -> frozenset[str]:
    """Names of members, at any depth, in the head of a JSON file; those inside texts don't count, for their quotes are escaped."""
    text = head_text(head)
    return frozenset(_KEY.findall(text)) if text.lstrip(_BLANKS)[:1] in ("{", "[") else frozenset()


def head_members(head: bytes) -> dict[str, Json]:
    """The members of a JSON file's one object that stand whole in its head."""
    text = head_text(head)
    at = _skip(text, 0)
    found: dict[str, Json] = {}
    if text[at : at + 1] != "{":
        return found
    at = _skip(text, at + 1)
    try:
        while text[at : at + 1] == '"':
            name, at = _decode(text, at)
            at = _skip(text, at)
            if text[at : at + 1] != ":":
                break
            found[str(name)], at = _decode(text, _skip(text, at + 1))
            at = _skip(text, at)
    except (ValueError, RecursionError):
        pass
    return found


def _skip(text: str, at: int) -> int:
    match = _BETWEEN.match(text, at)
    return match.end() if match else at
