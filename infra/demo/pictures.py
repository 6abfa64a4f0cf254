"""The pictures of the demo session: a title card, six product cards, a break and a goodbye, with clock, hosts and progress.

Nothing that is spoken is written on the screen.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from infra.demo.drawings import mixed, tile
from infra.demo.goods import BY_ID, GOODS, SHOP, Good
from infra.demo.script import A, B
from infra.demo.soundtrack import PER_MS, PartSound

WIDTH, HEIGHT, FPS = 1280, 720, 15
TITLE_SCENE, BREAK_SCENE, GOODBYE_SCENE = "title", "break", "goodbye"
_PAPER, _INK, _SOFT, _RED, _LINE = "#FAF6F0", "#2E2A27", "#8B8279", "#C8402F", "#E8DFD4"
_FONT_FOLDER = "/usr/share/fonts/opentype/noto/NotoSansCJK-"
_SIMPLIFIED_CHINESE = 2  # the face's index in the collection
_FADE_MS = 400
_HOSTS = ((A, "岚", "#B5754A"), (B, "哲", "#4A7398"))


@dataclass(frozen=True)
class Scene:
    """What the screen shows from `start_ms` to `end_ms` of its part: a product's id or one of the *_SCENE names."""

    name: str
    start_ms: int
    end_ms: int


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    path = f"{_FONT_FOLDER}{'Bold' if bold else 'Regular'}.ttc"
    try:
        return ImageFont.truetype(path, size, index=_SIMPLIFIED_CHINESE)
    except OSError as error:
        raise SystemExit(f"{path} is missing: apt-get install fonts-noto-cjk") from error


def _rounded(image: Image.Image, picture: Image.Image, at: tuple[int, int], radius: int) -> None:
    mask = Image.new("L", (picture.width * 2, picture.height * 2), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), radius * 2, 255)
    image.paste(picture, at, mask.resize(picture.size, Image.Resampling.LANCZOS))


def _disc(image: Image.Image, x: int, y: int, radius: int, colour: str) -> None:
    _rounded(image, Image.new("RGB", (radius * 2, radius * 2), colour), (x - radius, y - radius), radius)


def _pill(image: Image.Image, box: tuple[int, int, int, int], colour: str) -> None:
    width, height = box[2] - box[0], box[3] - box[1]
    _rounded(image, Image.new("RGB", (width, height), colour), box[:2], height // 2)


def _frame_of_every_card(paper: str) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), paper)
    draw = ImageDraw.Draw(image)
    _disc(image, 76, 56, 26, _RED)
    draw.text((76, 56), "岚", "#FFFFFF", _font(28, True), anchor="mm")
    draw.text((116, 56), SHOP, _INK, _font(28, True), anchor="lm")
    _pill(image, (862, 38, 946, 74), _RED)
    _disc(image, 882, 56, 5, "#FFFFFF")
    draw.text((916, 55), "直播", "#FFFFFF", _font(20, True), anchor="mm")
    draw.line((48, 634, WIDTH - 48, 634), mixed(paper, _INK, 0.1), 2)
    return image


def _product_card(good: Good) -> Image.Image:
    image = _frame_of_every_card(_PAPER)
    draw = ImageDraw.Draw(image)
    panel = Image.new("RGB", (520, 506), good.tint)
    panel.paste(tile(good.product_id, good.ink, good.tint, 480), (20, 13))
    _rounded(image, panel, (48, 104), 32)

    left = 620
    label_width = round(draw.textlength(good.shelf_no, _font(26, True))) + 44
    _pill(image, (left, 118, left + label_width, 164), good.ink)
    draw.text((left + label_width // 2, 140), good.shelf_no, "#FFFFFF", _font(26, True), anchor="mm")
    draw.text((left, 218), good.title, _INK, _font(52, True), anchor="lm")
    yen = _font(54, True)
    draw.text((left, 382), "¥", _RED, yen, anchor="ls")
    draw.text((left + draw.textlength("¥", yen) + 8, 382), f"{good.price_minor // 100}", _RED, _font(128, True), anchor="ls")
    for row, (label, value) in enumerate(good.details):
        y = 456 + row * 58
        draw.line((left, y - 29, WIDTH - 48, y - 29), _LINE, 2)
        draw.text((left, y), label, _SOFT, _font(26), anchor="lm")
        draw.text((left + 110, y), value, _INK, _font(26), anchor="lm")
    return image


def _wide_card(headline: str, beneath: str) -> Image.Image:
    image = _frame_of_every_card(_PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((WIDTH // 2, 208), headline, _INK, _font(84, True), anchor="mm")
    draw.text((WIDTH // 2, 302), beneath, _SOFT, _font(30), anchor="mm")
    side, gap = 172, 24
    left = (WIDTH - 6 * side - 5 * gap) // 2
    for index, good in enumerate(GOODS):
        x = left + index * (side + gap)
        _rounded(image, tile(good.product_id, good.ink, good.tint, side), (x, 370), 26)
        draw.text((x + side // 2, 572), good.shelf_no, _SOFT, _font(22), anchor="mm")
    return image


@cache
def _card(scene: str) -> Image.Image:
    if scene in BY_ID:
        return _product_card(BY_ID[scene])
    headline, beneath = {
        TITLE_SCENE: ("冬日好物专场", "2026 年 11 月 18 日  20:00"),
        BREAK_SCENE: ("中场休息", "马上回来"),
        GOODBYE_SCENE: ("感谢陪伴", "暖岚优选 · 冬日好物专场"),
    }[scene]
    return _wide_card(headline, beneath)


def _draw_hosts(image: Image.Image, speaker: str | None, loudness: float, frame: int) -> None:
    draw = ImageDraw.Draw(image)
    for place, (name, letter, colour) in enumerate(_HOSTS):
        x, y = 76 + place * 236, 678
        speaks = name == speaker
        if speaks:
            ring = 28 + round(4 * loudness)
            _disc(image, x, y, ring, mixed(_PAPER, colour, 0.35))
        _disc(image, x, y, 24, colour if speaks else mixed(colour, _PAPER, 0.45))
        draw.text((x, y - 1), letter, "#FFFFFF", _font(24, True), anchor="mm")
        draw.text((x + 40, y), name, _INK if speaks else _SOFT, _font(26, speaks), anchor="lm")
        for bar in range(5):
            wave = 0.55 + 0.45 * np.sin(frame * 0.9 + bar * 1.7)
            half = 3 + round(17 * loudness * float(wave)) if speaks else 2
            left = x + 108 + bar * 10
            draw.rounded_rectangle((left, y - half, left + 5, y + half), 2, colour if speaks else _LINE)


def _draw_progress(image: Image.Image, shown: set[str], current: str | None, share: float) -> None:
    draw = ImageDraw.Draw(image)
    for index, good in enumerate(GOODS):
        left = 836 + index * 68
        draw.rounded_rectangle((left, 686, left + 58, 693), 3, _LINE)
        done = share if good.product_id == current else 1.0 if good.product_id in shown else 0.0
        if done > 0:
            draw.rounded_rectangle((left, 686, left + max(7, round(58 * done)), 693), 3, good.ink)
        number_colour = good.ink if good.product_id == current else _SOFT
        draw.text((left + 29, 666), str(good.number), number_colour, _font(20, good.product_id == current), anchor="mm")


def _loudness(sound: PartSound, frame: int) -> float:
    """0 to 1 over the picture's own stretch of sound."""
    span = sound.samples[frame * 1000 * PER_MS // FPS : (frame + 1) * 1000 * PER_MS // FPS]
    return min(1.0, float(np.sqrt(np.mean(span**2))) / 0.16) if len(span) else 0.0


def frames(sound: PartSound, scenes: list[Scene], started_at: datetime, shown_before: set[str]) -> Iterator[bytes]:
    """RGB24 pictures of WIDTH × HEIGHT, FPS a second, of a part that began at `started_at`."""
    shown = set(shown_before)
    clocked: tuple[tuple[str, str], Image.Image] | None = None
    for frame in range(sound.duration_ms * FPS // 1000):
        at_ms = frame * 1000 // FPS
        index = max(i for i, scene in enumerate(scenes) if scene.start_ms <= at_ms)
        scene = scenes[index]
        clock = (started_at + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%d  %H:%M:%S")
        since_ms = at_ms - scene.start_ms
        fading = index > 0 and since_ms < _FADE_MS
        if fading or clocked is None or clocked[0] != (scene.name, clock):
            card = _card(scene.name)
            base = Image.blend(_card(scenes[index - 1].name), card, since_ms / _FADE_MS) if fading else card.copy()
            ImageDraw.Draw(base).text((1232, 56), clock, _INK, _font(26), anchor="rm")
            clocked = ((scene.name, clock) if not fading else ("", ""), base)
        image = clocked[1].copy()
        speaker = next((placed.line.speaker for placed in sound.lines if placed.start_ms <= at_ms < placed.end_ms), None)
        _draw_hosts(image, speaker, _loudness(sound, frame), frame)
        current = scene.name if scene.name in BY_ID else None
        _draw_progress(image, shown, current, since_ms / max(1, scene.end_ms - scene.start_ms))
        if current:
            shown.add(current)
        yield image.tobytes()
