"""Lines that OCR found in the pieces of one picture, put together: places in the whole, lines in the overlaps once."""

from collections.abc import Mapping
from difflib import SequenceMatcher

from archive.digest import Json
from transcribe.ocr import Line
from transcribe.record_text.frames import Region

# A line that ends at a cut, as a share of the piece, is half there and whole in the neighbour.
AT_CUT = 0.004
SAME_PLACE, SAME_TEXT = 0.4, 0.5


class PictureLines:
    """A picture's lines as its pieces are read."""

    def __init__(self, place: Mapping[str, Json]) -> None:
        self.place = place
        self._found: list[Line] = []
        self._pieces = 0

    def add(self, region: Region, lines: list[Line]) -> None:
        """Take in the lines of the piece at `region` of the whole (left, top, width, height as shares)."""
        self._pieces += 1
        for line in lines:
            if not _cut_off(line, region):
                self._keep(Line(line.text, _in_whole(line.box, region), line.confidence))

    def lines(self) -> list[Line]:
        """In reading order; a single piece keeps the order that OCR gave."""
        return self._found if self._pieces < 2 else sorted(self._found, key=lambda line: (round(line.box[1], 3), line.box[0]))

    def _keep(self, line: Line) -> None:
        for number, known in enumerate(self._found):
            if _overlap(known.box, line.box) > SAME_PLACE and SequenceMatcher(None, known.text, line.text).ratio() > SAME_TEXT:
                if (len(line.text), line.confidence) > (len(known.text), known.confidence):
                    self._found[number] = line
                return
        self._found.append(line)


def _cut_off(line: Line, region: Region) -> bool:
    left, top, width, height = line.box
    x, y, across, down = region
    return (
        (y > 0 and top < AT_CUT)
        or (y + down < 1 - 1e-6 and top + height > 1 - AT_CUT)
        or (x > 0 and left < AT_CUT)
        or (x + across < 1 - 1e-6 and left + width > 1 - AT_CUT)
    )


def _in_whole(box: tuple[float, float, float, float], region: Region) -> tuple[float, float, float, float]:
    left, top, width, height = box
    x, y, across, down = region
    return round(x + left * across, 4), round(y + top * down, 4), round(width * across, 4), round(height * down, 4)


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """How much of the smaller box lies in the other."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    smaller = min(one[2] * one[3], other[2] * other[3])
    return across * down / smaller if across > 0 and down > 0 and smaller > 0 else 0.0
