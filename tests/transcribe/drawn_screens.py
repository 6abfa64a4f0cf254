"""Pictures as a live room shows them, drawn with Noto CJK: cards, prices and captions whose text and place are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 640, 360
FONTS = Path("/usr/share/fonts/opentype/noto")
SIMPLIFIED = 2  # the face of the collection


@dataclass(frozen=True, slots=True)
class Written:
    """A line of text with its left upper corner in pixels, on a filled board unless `board` is None."""

    text: str
    left: int
    top: int
    size: int = 26
    board: tuple[int, int, int] | None = (250, 250, 250)
    ink: tuple[int, int, int] = (20, 20, 20)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) of the ink, in pixels."""
        left, top, right, bottom = font(self.size).getbbox(self.text)
        return self.left + round(left), self.top + round(top), self.left + round(right), self.top + round(bottom)


def font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / "NotoSansCJK-Regular.ttc"), size, index=SIMPLIFIED)


def room(width: int = WIDTH, height: int = HEIGHT, seed: int = 0) -> Image.Image:
    """A soft picture without text."""
    spots = np.random.default_rng(seed).integers(40, 170, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(spots).resize((width, height), Image.Resampling.BICUBIC)


def screen(lines: Sequence[Written], background: Image.Image | None = None) -> npt.NDArray[np.uint8]:
    """The picture with these lines, RGB."""
    picture = (background or room()).copy()
    pen = ImageDraw.Draw(picture)
    for line in lines:
        left, top, right, bottom = line.box
        if line.board is not None:
            pen.rectangle((left - 12, top - 8, right + 12, bottom + 8), fill=line.board)
        pen.text((line.left, line.top), line.text, font=font(line.size), fill=line.ink)
    return np.asarray(picture, np.uint8)


def character_errors(wanted: str, found: str) -> int:
    """Edit distance, spaces and the width of punctuation left out."""
    wanted, found = (text.replace(" ", "").replace("，", ",").replace("：", ":").replace("￥", "¥") for text in (wanted, found))
    row = list(range(len(found) + 1))
    for index, char in enumerate(wanted, 1):
        previous, row[0] = row[0], index
        for column, other in enumerate(found, 1):
            previous, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, previous + (char != other))
    return row[-1]
