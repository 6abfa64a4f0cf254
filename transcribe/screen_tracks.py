"""A line of text on the screen through time: what was read of it when and where, and when two readings are of the same line."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from archive.digest import Json
from transcribe.ocr import Box, Line

_LEFT_OUT = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\d+")
# What readers of pictures take for each other; both fold to the first.
_CONFUSED = str.maketrans({"o": "0", "〇": "0", "l": "1", "i": "1", "s": "5", "b": "8", "z": "2", "一": "1", "丨": "1"})
SAME_PLACE = 0.5
SAME_HEIGHT = 0.6
# A line that moves rests nowhere for so long.
RESTS_MS = 10_000


@dataclass
class Track:
    """One line while it stands. Times in ms of media time; `end_ms` None while it still stands at the end of what was looked at.

    `readings`: by text, how often it was read so, the sum of its confidences and the best of them. `places`: how many it stood at;
    `swept`: the box around them all; `rested_ms`: the longest it stood at one.
    """

    start_ms: int
    seen_ms: int
    box: Box
    readings: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    end_ms: int | None = None
    from_start: bool = False
    places: int = 1
    swept: Box = (0.0, 0.0, 0.0, 0.0)
    rested_ms: int = 0
    placed_ms: int = 0

    @classmethod
    def begun(cls, line: Line, start_ms: int, at_ms: int, from_start: bool) -> "Track":
        track = cls(start_ms, at_ms, line.box, from_start=from_start, swept=line.box, placed_ms=start_ms, rested_ms=at_ms - start_ms)
        track.read(line)
        return track

    @property
    def text(self) -> str:
        """The reading that most and surest readings agree on."""
        return max(self.readings, key=lambda text: (self.readings[text][1], self.readings[text][2], text))

    @property
    def confidence(self) -> float:
        return self.readings[self.text][2]

    @property
    def times_read(self) -> int:
        return sum(count for count, _, _ in self.readings.values())

    def read(self, line: Line) -> None:
        """Add a reading; the surest one's box is kept."""
        if not self.readings or line.confidence > max(best for _, _, best in self.readings.values()):
            self.box = line.box
        count, total, best = self.readings.get(line.text, (0, 0.0, 0.0))
        self.readings[line.text] = count + 1, round(total + line.confidence, 4), max(best, line.confidence)

    def seen(self, at_ms: int) -> None:
        self.seen_ms = max(self.seen_ms, at_ms)
        self.rested_ms = max(self.rested_ms, at_ms - self.placed_ms)

    def moved(self, line: Line, at_ms: int) -> None:
        """It is read again, elsewhere."""
        self.places += 1
        self.placed_ms = at_ms
        self.read(line)
        self.box = line.box
        self.swept = around(self.swept, line.box)
        self.seen(at_ms)

    def to_json(self) -> dict[str, Json]:
        """What a durable job keeps of it."""
        return {
            "start_ms": self.start_ms,
            "seen_ms": self.seen_ms,
            "end_ms": self.end_ms,
            "box": list(self.box),
            "readings": {text: list(values) for text, values in self.readings.items()},
            "from_start": self.from_start,
            "places": self.places,
            "swept": list(self.swept),
            "rested_ms": self.rested_ms,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Json]) -> "Track":
        """The track that `to_json` wrote."""
        readings = cast(Mapping[str, Sequence[float]], kept["readings"])
        return cls(
            cast(int, kept["start_ms"]),
            cast(int, kept["seen_ms"]),
            _box(kept["box"]),
            {text: (int(count), float(total), float(best)) for text, (count, total, best) in readings.items()},
            cast(int | None, kept["end_ms"]),
            cast(bool, kept["from_start"]),
            cast(int, kept["places"]),
            _box(kept["swept"]),
            cast(int, kept["rested_ms"]),
        )


def _box(kept: Json) -> Box:
    left, top, width, height = cast(Sequence[float], kept)
    return float(left), float(top), float(width), float(height)


def folded(text: str) -> str:
    """A text without spaces, punctuation, case and what readers confuse."""
    return _LEFT_OUT.sub("", unicodedata.normalize("NFKC", text)).lower().translate(_CONFUSED)


def same_text(one: str, other: str) -> bool:
    """Whether two readings are of one text: nearly the same, and every number the same, since ¥299 and ¥259 are two offers."""
    one, other = folded(one), folded(other)
    if one == other:
        return True
    if min(len(one), len(other)) < 4 or _DIGITS.findall(one) != _DIGITS.findall(other):
        return False
    return _distance(one, other) <= max(1, min(len(one), len(other)) // 6)


def part_of(one: str, other: str) -> bool:
    """Whether one reading is a piece of the other, as where a line was cut or two were taken for one."""
    shorter, longer = sorted((folded(one), folded(other)), key=len)
    return len(shorter) >= 2 and shorter in longer


def same_place(one: Box, other: Box) -> bool:
    """Whether two boxes lie on each other, by half of the smaller one's width and height."""
    return same_column(one, other) and same_row(one, other)


def same_column(one: Box, other: Box) -> bool:
    return _common(one, other)[0] >= SAME_PLACE * min(one[2], other[2])


def same_row(one: Box, other: Box) -> bool:
    return _common(one, other)[1] >= SAME_PLACE * min(one[3], other[3])


def same_size(one: Box, other: Box) -> bool:
    return min(one[3], other[3]) >= SAME_HEIGHT * max(one[3], other[3])


def share_inside(box: Box, region: Box) -> float:
    """How much of a box lies in a region, 0…1."""
    wide, high = (max(0.0, each) for each in _common(box, region))
    area = box[2] * box[3]
    return wide * high / area if area else 0.0


def around(one: Box, other: Box) -> Box:
    """The box around two."""
    left, top = min(one[0], other[0]), min(one[1], other[1])
    return left, top, max(one[0] + one[2], other[0] + other[2]) - left, max(one[1] + one[3], other[1] + other[3]) - top


def _common(one: Box, other: Box) -> tuple[float, float]:
    """Width and height that two boxes share, below 0 where they lie apart."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return wide, high


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for index, char in enumerate(one, 1):
        before, row[0] = row[0], index
        for column, there in enumerate(other, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (char != there))
    return row[-1]
