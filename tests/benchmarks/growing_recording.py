"""What one more minute costs a long recording: its words stored and brought into the index, beside doing all of it anew.

    python -m tests.benchmarks.growing_recording [--hours 3] [--folder DIR]

The demo's lines over and over, with numbers put in so that no two minutes are alike; the demo's sentence model. Prints seconds of the
first index, of each step for one more minute, and of the words of the whole read and verified.
"""

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from api import operations
from api.workplace import Workplace, open_workplace
from archive.admission import Admission, Extension
from archive.recording import Recording
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment, Word
from archive.verification import verify_archive
from infra.demo.script import PARTS

START = WallTime.parse("2026-11-18T20:00:00+08:00")
LINE_MS = 4_000
Result = TypeVar("Result")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = open_workplace(ArchiveSettings(home=(given.folder or Path(temporary)) / "home", free_space_margin_bytes=0))
        place.search_settings = place.search_settings.model_copy(update={"embedding_model": "demo-sentences"})
        measure(place, round(given.hours * 60))
        place.close()


def measure(place: Workplace, minutes: int) -> None:
    lines = spoken()
    recording = Recording("long", "douyin", "1", "小岚", "长直播", START, minutes * 60_000, START, live=True)
    place.archive.catalog.admit(Admission(recording), "benchmark")
    took("words of each minute stored, in all", lambda: add_minutes(place, range(minutes), lines))
    took("index, first time", lambda: operations.index(place, "long"))
    took("index again, nothing changed", lambda: operations.index(place, "long"))
    took("one more minute: words stored", lambda: add_minutes(place, [minutes], lines))
    took("one more minute: index", lambda: operations.index(place, "long"))
    took("read the words of the whole", lambda: place.archive.transcripts.latest("long"))
    took("verify the archive's transcripts", lambda: verify_archive(place.archive, only=["transcripts"]))


def add_minutes(place: Workplace, minutes: Iterable[int], lines: Iterator[str]) -> None:
    for minute in minutes:
        add_minute(place, minute, lines)


def add_minute(place: Workplace, minute: int, lines: Iterator[str]) -> None:
    held = place.archive.catalog.recording("long")
    longer = Extension(held, 0, held.gaps, max(held.duration_ms, (minute + 1) * 60_000), True)
    if not longer.changes_nothing:
        place.archive.catalog.extend(longer, "benchmark")
    said = []
    for n in range(60_000 // LINE_MS):
        at, text = minute * 60_000 + n * LINE_MS, f"{next(lines)}{minute}号{n}件"
        step = (LINE_MS - 600) // len(text)
        words = tuple(Word(at + i * step, at + (i + 1) * step, char, 0.9) for i, char in enumerate(text))
        said.append(Segment(0, None, at, at + LINE_MS - 600, text, words, (), 0.9))
    provenance = Provenance("benchmark", "1", "demo", None, {"minute": minute}, place.archive.clock())
    place.archive.transcripts.go_on("long", provenance, said, [(minute * 60_000, minute * 60_000 + 59_000)], [], "benchmark")


def spoken() -> Iterator[str]:
    texts = [item.text for items in PARTS for item in items if hasattr(item, "text")]
    return itertools.cycle(texts)


def took(what: str, act: Callable[[], Result]) -> Result:
    began = time.perf_counter()
    result = act()
    print(f"{what:<45} {time.perf_counter() - began:8.2f} s", flush=True)
    return result


if __name__ == "__main__":
    main()
