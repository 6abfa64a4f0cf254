"""Pictures as a live room shows them, drawn with Noto CJK: cards, prices and captions whose text and place are known."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Shown:
    """A line that stands in a film from `from_ms` until `to_ms`; `drift` pixels right and down a second."""

    line: Written
    from_ms: int
    to_ms: int
    drift: tuple[float, float] = (0, 0)

    def at(self, at_ms: int) -> Written | None:
        if not self.from_ms <= at_ms < self.to_ms:
            return None
        since_s = (at_ms - self.from_ms) / 1000
        return replace(self.line, left=self.line.left + round(self.drift[0] * since_s), top=self.line.top + round(self.drift[1] * since_s))


def film(
    path: Path,
    length_ms: int,
    shown: Sequence[Shown],
    *,
    fps: int = 5,
    key_every: int = 10,
    moving: bool = False,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    sound: bool = True,
    extra: Sequence[str] = (),
) -> Path:
    """An H.264 film of `length_ms` with these lines, pictures at exact multiples of 1000 / `fps` ms; `moving`: a host walks about in it."""
    width, height = size
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
    if sound:
        command += ["-f", "lavfi", "-i", f"anullsrc=r=16000:cl=mono:d={length_ms / 1000}", "-c:a", "aac", "-b:a", "16k"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-pix_fmt", "yuv420p", "-g", str(key_every), *extra, str(path)]
    host = np.random.default_rng(5).integers(30, 220, (height // 16, width // 24, 3), dtype=np.uint8)
    figure = Image.fromarray(host).resize((width // 3, height * 2 // 3), Image.Resampling.BICUBIC)
    backdrop = room(width, height)
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin
        last: tuple[object, ...] = ()
        pixels = b""
        for number in range(length_ms * fps // 1000):
            at_ms = number * 1000 // fps
            lines = [line for each in shown if (line := each.at(at_ms))]
            step = number if moving else 0
            if (step, *lines) != last:
                background = backdrop
                if moving:
                    background = backdrop.copy()
                    walked = width / 3 + np.sin(step / 3) * width / 8, height / 4 + np.cos(step / 2) * height / 12
                    background.paste(figure, (round(walked[0]), round(walked[1])))
                pixels, last = screen(lines, background).tobytes(), (step, *lines)
            encoder.stdin.write(pixels)
        encoder.stdin.close()
        assert encoder.wait(timeout=60) == 0
    return path
