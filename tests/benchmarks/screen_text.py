"""What reading the screen costs beside the length of the media, and how many characters and times it gets wrong.

    python -m tests.benchmarks.screen_text [--minutes 2] [--threads 2] [--film FILE]

Rooms are drawn: a host who moves all the time, cards that come and go, a caption without a board over the host, and in one of them a chat
that scrolls. So it is known what stood where and when. `--film` measures any other film's cost, where nothing is known of its text.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

from archive.recording import Part
from archive.timeline import ClockMap
from tests.transcribe.drawn_screens import Shown, Written, character_errors, film
from transcribe.ocr import Ocr, open_ocr
from transcribe.screen_text import PartScreen, read_part
from transcribe.settings import TranscribeSettings

GOODS = ("山羊绒围巾", "白鹅绒羽绒服", "五常大米5kg", "和田玉手镯", "声波电动牙刷", "316不锈钢保温杯", "小叶紫檀手串", "烟酰胺精华液")
PROMISES = ("质保三年只换不修", "七天无理由退货", "四十八小时发货", "假一赔十支持鉴定", "坏果包赔顺丰包邮", "买贵三十天退差价")
FPS = 12


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=2)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--film", type=Path, default=None)
    given = arguments.parse_args()
    settings = TranscribeSettings(ocr_threads=given.threads)
    ocr = open_ocr(settings)
    if given.film:
        _measure(given.film.name, given.film, _length_ms(given.film), (), ocr, settings)
        return
    length_ms = round(given.minutes * 60_000)
    with tempfile.TemporaryDirectory() as name:
        for label, size, keys, chat in (
            ("1280×720, key frames 2 s", (1280, 720), 2 * FPS, False),
            ("1920×1080, key frames 2 s", (1920, 1080), 2 * FPS, False),
            ("720×1280, chat scrolls, key frames 2 s", (720, 1280), 2 * FPS, True),
            ("1280×720, key frames 20 s", (1280, 720), 20 * FPS, False),
        ):
            shown = cards(length_ms, size)
            moving = [*shown, *(scrolling(length_ms, size) if chat else ())]
            path = film(Path(name) / "room.mp4", length_ms, moving, fps=FPS, key_every=keys, moving=True, size=size)
            _measure(label, path, length_ms, shown, ocr, settings)


def cards(length_ms: int, size: tuple[int, int]) -> list[Shown]:
    """A card of three lines for 8 to 30 s each, one after another, and a caption over the picture's foot."""
    _, height = size
    rng, unit = random.Random(7), min(size) / 360
    shown: list[Shown] = []
    at = rng.randint(2000, 6000)
    number = 0
    while at < length_ms - 8000:
        until = min(at + rng.randint(8000, 30_000), length_ms - 1000)
        name, price = GOODS[number % len(GOODS)], rng.randint(9, 1999)
        lines = (f"{number % 9 + 1}号链接 {name}", f"到手价{price}元 限量{rng.randint(1, 9)}00件", PROMISES[number % len(PROMISES)])
        shown += [
            Shown(Written(text, round(20 * unit), round((20 + 40 * n) * unit), round(20 * unit)), at, until) for n, text in enumerate(lines)
        ]
        at, number = until + rng.randint(3000, 9000), number + 1
    caption = Written("本场支持七天无理由退换", round(20 * unit), height - round(40 * unit), round(18 * unit), None, (255, 255, 255))
    return [*shown, Shown(caption, 0, length_ms)]


def scrolling(length_ms: int, size: tuple[int, int]) -> list[Shown]:
    """A chat line every 1.5 s, each on its way up for 8 s."""
    unit = min(size) / 360
    told = [f"观众{n * 37 % 1000}：{GOODS[n % len(GOODS)]}怎么样{n * 7 % 100}" for n in range(length_ms // 1500)]
    return [
        Shown(
            Written(text, round(20 * unit), size[1] - round(60 * unit), round(14 * unit), None, (255, 255, 255)),
            n * 1500,
            n * 1500 + 8000,
            (0, -20 * unit),
        )
        for n, text in enumerate(told)
    ]


def _measure(label: str, path: Path, length_ms: int, shown: list[Shown] | tuple[()], ocr: Ocr, settings: TranscribeSettings) -> None:
    part = Part(1, "", 1, path.name, length_ms, "", {}, ClockMap(0, None, 0, "unknown"))
    wall, processor = time.perf_counter(), time.process_time()
    screen = read_part(path, part, ocr, settings)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    share = processor * 1000 / length_ms
    print(f"{label}: {length_ms / 60_000:g} min")
    print(f"  cost: {share * 60:.1f} min of one processor an hour of film ({share:.3f} × its length), {wall:.0f} s waited")
    print(f"  {screen.frames} pictures looked at, {screen.notes['readings']} readings of {screen.notes['pictures_read']} pictures in all")
    print(f"  {len(screen.texts)} lines, left out {screen.notes['left_out']}")
    if shown:
        _compare(screen, shown)


def _compare(screen: PartScreen, shown: list[Shown] | tuple[()]) -> None:
    wrong = characters = missed = 0
    late_start: list[int] = []
    late_end: list[int] = []
    matched = set()
    for each in shown:
        characters += len(each.line.text.replace(" ", ""))
        there = [(n, t) for n, t in enumerate(screen.texts) if t.start_ms < each.to_ms and t.end_ms > each.from_ms and n not in matched]
        best = min(there, key=lambda found: character_errors(each.line.text, found[1].text), default=None)
        if best is None or character_errors(each.line.text, best[1].text) > len(each.line.text) // 2:
            missed += 1
            wrong += len(each.line.text.replace(" ", ""))
            continue
        matched.add(best[0])
        wrong += character_errors(each.line.text, best[1].text)
        late_start.append(best[1].start_ms - each.from_ms)
        late_end.append(best[1].end_ms - each.to_ms)
    print(f"  {len(shown)} lines stood there: {missed} missed, {len(screen.texts) - len(matched)} more were read than stood there")
    times = [f"{name} {min(late)}…{max(late)} ms late" for name, late in (("starts", late_start), ("ends", late_end)) if late]
    print(f"  character error {wrong / characters:.2%}; {', '.join(times)}")


def _length_ms(path: Path) -> int:
    import av

    with av.open(str(path)) as container:
        return round((container.duration or 0) / 1000)


if __name__ == "__main__":
    main()
