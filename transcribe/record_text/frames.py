"""What the process that takes a record apart says, frame by frame, on its standard output: a letter, a length in 4 bytes, the body.

S   a reader starts      JSON {"format", "engine", "engine_version"}
P   a piece of text      JSON {"place", "text"}
N   a note               JSON {"code", …}
I   a picture to read    JSON {"place", "width", "height", "region"}, a line feed, then width × height × 3 bytes (RGB)
D   done                 JSON: how much was read (pages, rows, turns …)
"""

import json
from collections.abc import Mapping
from typing import BinaryIO, TypeAlias

from archive.digest import Json
from transcribe.record_text.limits import PIECE_MAX_CHARS, ReadLimits

Region: TypeAlias = tuple[float, float, float, float]
WHOLE: Region = (0.0, 0.0, 1.0, 1.0)


class EnoughRead(Exception):
    """The limit of characters, pages or pictures is reached: what was read stands, and a note says that there is more."""


class Unreadable(Exception):
    """The record can't be read, or not any further; the message is the note's code, `values` go with it."""

    def __init__(self, code: str, **values: Json) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


class Sink:
    """Where readers put what they find. Keeps to the limits of characters and of pictures."""

    def __init__(self, out: BinaryIO, limits: ReadLimits) -> None:
        self._out = out
        self._limits = limits
        self._chars = 0
        self._pictures = 0
        self._noted: set[str] = set()
        self.read: dict[str, Json] = {}

    def piece(self, place: Mapping[str, Json], text: str) -> None:
        """A piece of text; blanks at its ends go, an empty one is left out, a long one comes as several with the same place."""
        plain = text.strip()
        for start in range(0, len(plain), PIECE_MAX_CHARS):
            part = plain[start : start + PIECE_MAX_CHARS]
            if self._chars + len(part) > self._limits.max_chars:
                self.note("more_text", chars=self._limits.max_chars)
                raise EnoughRead
            self._chars += len(part)
            self._frame(b"P", _json({"place": dict(place), "text": part}))

    def note(self, code: str, **values: Json) -> None:
        """What was left out or couldn't be read. The same note is given once, and no more than a hundred in all."""
        body = _json({"code": code, **values})
        key = body.decode("ascii")
        if key not in self._noted and len(self._noted) < 100:
            self._noted.add(key)
            self._frame(b"N", body)

    def may_show(self) -> bool:
        """Whether a further picture may be given to OCR; where not, that is noted."""
        if self._pictures >= self._limits.ocr_max:
            self.note("more_pictures", pictures=self._limits.ocr_max)
            return False
        self._pictures += 1
        return True

    def picture(self, place: Mapping[str, Json], width: int, height: int, rgb: bytes, region: Region = WHOLE) -> None:
        """A picture, or a region of one, for OCR. `place` and `region` (left, top, width, height as shares) locate what is found."""
        if len(rgb) != width * height * 3:
            raise Unreadable("damaged", what="picture")
        head = _json({"place": dict(place), "width": width, "height": height, "region": list(region)}) + b"\n"
        self._frame(b"I", head, rgb)

    def start(self, name: str, engine: str, engine_version: str) -> None:
        self._frame(b"S", _json({"format": name, "engine": engine, "engine_version": engine_version}))

    def done(self) -> None:
        self._frame(b"D", _json(self.read))

    def _frame(self, kind: bytes, *bodies: bytes) -> None:
        self._out.write(kind + sum(map(len, bodies)).to_bytes(4, "big"))
        for body in bodies:
            self._out.write(body)
        self._out.flush()


def _json(value: Mapping[str, Json]) -> bytes:
    # ASCII carries lone surrogates, which UTF-8 refuses.
    return json.dumps(value, ensure_ascii=True).encode("ascii")
