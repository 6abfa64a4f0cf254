"""Flat drawings of the six goods, on a square of 1000 units, drawn with Pillow at any size."""

import math
from collections.abc import Callable

from PIL import Image, ImageColor, ImageDraw

_OVERSAMPLE = 2


def mixed(colour: str, other: str, share: float) -> str:
    """`colour` with `share` (0 to 1) of `other` in it, as #RRGGBB."""
    pairs = zip(ImageColor.getrgb(colour)[:3], ImageColor.getrgb(other)[:3], strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


class _Pen:
    """Draws in units of the 1000-unit square."""

    def __init__(self, image: Image.Image) -> None:
        self._draw = ImageDraw.Draw(image)
        self._scale = image.width / 1000

    def _scaled(self, numbers: tuple[float, ...]) -> list[float]:
        return [number * self._scale for number in numbers]

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: str, radius: float = 0) -> None:
        self._draw.rounded_rectangle(self._scaled((x0, y0, x1, y1)), radius * self._scale, fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: str) -> None:
        self._draw.ellipse(self._scaled((x - rx, y - ry, x + rx, y + ry)), fill)

    def shape(self, *points: tuple[float, float], fill: str) -> None:
        self._draw.polygon([(x * self._scale, y * self._scale) for x, y in points], fill)

    def line(self, x0: float, y0: float, x1: float, y1: float, fill: str, width: float) -> None:
        self._draw.line(self._scaled((x0, y0, x1, y1)), fill, round(width * self._scale))

    def arc(self, x: float, y: float, r: float, start: float, end: float, fill: str, width: float) -> None:
        self._draw.arc(self._scaled((x - r, y - r, x + r, y + r)), start, end, fill, round(width * self._scale))


def _scarf(pen: _Pen, ink: str, paper: str) -> None:
    light, dark = mixed(ink, "#FFFFFF", 0.25), mixed(ink, "#000000", 0.18)
    for left, bottom, colour in ((330, 720, dark), (520, 800, ink)):
        pen.shape((left, 330), (left + 170, 330), (left + 190, bottom), (left - 20, bottom), fill=colour)
        for stripe in (bottom - 150, bottom - 100):
            pen.box(left - 18, stripe, left + 187, stripe + 22, mixed(colour, paper, 0.55))
        for fringe in range(9):
            x = left - 12 + fringe * 24.5
            pen.line(x, bottom, x - 2, bottom + 62, colour, 9)
    pen.oval(500, 330, 250, 130, ink)
    pen.oval(500, 296, 168, 70, mixed(ink, "#000000", 0.35))
    pen.arc(500, 120, 320, 55, 125, light, 16)
    pen.arc(500, 60, 320, 62, 118, light, 10)


def _jacket(pen: _Pen, ink: str, paper: str) -> None:
    light, dark = mixed(ink, "#FFFFFF", 0.22), mixed(ink, "#000000", 0.2)
    pen.shape((330, 320), (210, 380), (140, 720), (240, 745), (312, 530), fill=dark)
    pen.shape((670, 320), (790, 380), (860, 720), (760, 745), (688, 530), fill=dark)
    pen.box(300, 290, 700, 840, ink, 60)
    for y in (420, 520, 620, 720):
        pen.line(312, y, 480, y, mixed(ink, "#000000", 0.13), 8)
        pen.line(520, y, 688, y, mixed(ink, "#000000", 0.13), 8)
    pen.oval(500, 255, 165, 140, light)
    pen.oval(500, 268, 105, 100, mixed(ink, "#000000", 0.42))
    pen.shape((395, 330), (605, 330), (500, 420), fill=ink)
    pen.box(493, 400, 507, 830, paper, 6)
    for left in (350, 560):
        pen.box(left, 640, left + 90, 652, mixed(ink, paper, 0.5), 6)


def _rice(pen: _Pen, ink: str, paper: str) -> None:
    light, dark = mixed(ink, paper, 0.42), mixed(ink, "#000000", 0.15)
    pen.shape((300, 220), (700, 220), (745, 330), (745, 780), (700, 830), (300, 830), (255, 780), (255, 330), fill=light)
    pen.box(290, 160, 710, 240, ink, 20)
    for x in range(310, 700, 36):
        pen.line(x, 176, x, 224, light, 7)
    pen.oval(500, 520, 165, 165, mixed(paper, "#FFFFFF", 0.7))
    for turn in range(6):
        angle = math.radians(turn * 60 - 90)
        pen.oval(500 + 78 * math.cos(angle), 520 + 78 * math.sin(angle), 24, 42, ink if turn % 2 else dark)
    pen.oval(500, 520, 26, 26, mixed(ink, paper, 0.2))
    pen.box(350, 740, 650, 764, dark, 12)
    for x, y in ((800, 815), (845, 780), (860, 835), (190, 820), (150, 790)):
        pen.oval(x, y, 24, 11, mixed(paper, "#FFFFFF", 0.85))


def _bracelet(pen: _Pen, ink: str, paper: str) -> None:
    light = mixed(ink, "#FFFFFF", 0.38)
    pen.oval(500, 845, 265, 26, mixed(paper, "#000000", 0.1))
    pen.oval(500, 490, 330, 330, mixed(ink, "#FFFFFF", 0.12))
    pen.oval(500, 484, 318, 318, light)
    pen.arc(500, 490, 296, 20, 150, mixed(ink, "#FFFFFF", 0.2), 40)
    pen.arc(500, 490, 282, 195, 280, mixed(light, "#FFFFFF", 0.75), 24)
    pen.arc(500, 490, 282, 292, 304, mixed(light, "#FFFFFF", 0.75), 24)
    pen.oval(500, 490, 224, 224, mixed(ink, "#FFFFFF", 0.05))
    pen.oval(500, 496, 214, 214, paper)


def _toothbrush(pen: _Pen, ink: str, paper: str) -> None:
    white = "#FFFFFF"
    pen.oval(500, 872, 150, 20, mixed(paper, "#000000", 0.1))
    pen.box(430, 420, 570, 870, ink, 64)
    pen.box(446, 440, 484, 850, mixed(ink, white, 0.28), 19)
    pen.shape((470, 300), (530, 300), (552, 430), (448, 430), fill=mixed(white, paper, 0.25))
    pen.box(476, 130, 524, 330, mixed(white, paper, 0.25), 20)
    pen.box(448, 96, 552, 252, white, 44)
    for row in range(4):
        for column in range(3):
            pen.oval(474 + column * 26, 128 + row * 31, 9, 11, ink if row in (1, 2) else mixed(ink, white, 0.45))
    pen.oval(500, 540, 30, 30, mixed(ink, white, 0.85))
    for height, share in ((630, 0.9), (670, 0.5), (710, 0.5)):
        pen.oval(500, height, 9, 9, mixed(ink, white, share))
    for x, y, r in ((640, 190, 30), (690, 260, 18), (350, 170, 22), (318, 250, 34), (660, 120, 14)):
        pen.oval(x, y, r, r, mixed(paper, white, 0.65))


def _cup(pen: _Pen, ink: str, paper: str) -> None:
    white, dark = "#FFFFFF", mixed(ink, "#000000", 0.22)
    pen.oval(500, 862, 190, 22, mixed(paper, "#000000", 0.1))
    pen.box(385, 250, 615, 860, ink, 54)
    pen.box(410, 300, 446, 810, mixed(ink, white, 0.3), 18)
    pen.box(385, 700, 615, 716, dark)
    pen.box(398, 150, 602, 270, dark, 30)
    pen.box(398, 244, 602, 262, mixed(ink, paper, 0.5))
    pen.box(450, 112, 550, 160, mixed(ink, white, 0.2), 20)
    for left, top in ((440, 20), (500, 0), (560, 20)):
        pen.arc(left, top + 60, 26, 100, 260, mixed(ink, paper, 0.62), 8)


_DRAWINGS: dict[str, Callable[[_Pen, str, str], None]] = {
    "p1": _scarf,
    "p2": _jacket,
    "p3": _rice,
    "p4": _bracelet,
    "p5": _toothbrush,
    "p6": _cup,
}


def tile(product_id: str, ink: str, paper: str, size: int) -> Image.Image:
    """The product's drawing on a square of `paper`, `size` pixels wide."""
    image = Image.new("RGB", (size * _OVERSAMPLE, size * _OVERSAMPLE), paper)
    _DRAWINGS[product_id](_Pen(image), ink, paper)
    return image.resize((size, size), Image.Resampling.LANCZOS)
