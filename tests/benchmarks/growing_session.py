"""What a live session's next batch costs to index, when so much of it is indexed already.

    python -m tests.benchmarks.growing_session [--hours 0.5 2 5 10] [--batches 5] [--folder DIR]

A made-up session of varied talk, a line every four seconds, chat every two, five products; batches of 30 s, each stored as a transcript
that goes on from the one before and then indexed, as a capture does. No sentence model: embedding is the same for every batch. Prints the
median seconds of the index step for each length, and the same in parts of the first.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from api import operations
from api.workplace import Workplace, open_workplace
from archive.admission import Admission, Extension
from archive.recording import Message, Recording
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment, Word
from tests.search.varied_sessions import SHELF, line

START = WallTime.parse("2026-11-18T20:00:00+08:00")
LINE_MS, SPOKEN_MS, CHAT_MS, BATCH_MS = 4_000, 3_400, 2_000, 30_000
HOUR_MS = 3_600_000
QUESTIONS = ("能机洗吗", "多久发货呀", "有没有运费险", "会起球吗", "质保几年", "来了来了", "三号链接再讲一下")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, nargs="+", default=[0.5, 2.0, 5.0, 10.0])
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        times = {}
        for hours in given.hours:
            times[hours] = statistics.median(batch_seconds(Path(folder) / f"{hours:g}", round(hours * HOUR_MS), given.batches))
            least = times[given.hours[0]]
            print(f"a batch behind {hours:4g} h   {times[hours]:7.3f} s   × {times[hours] / least:.2f}", flush=True)


def batch_seconds(home: Path, held_ms: int, batches: int) -> list[float]:
    """Seconds of the index step of each batch behind so many ms."""
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0))
    place.search_settings = place.search_settings.model_copy(update={"embedding_model": "none"})
    recording = Recording("long", "douyin", "1", "小岚", "长直播", START, held_ms, START, live=True)
    place.archive.catalog.admit(Admission(recording, tuple(chat(0, held_ms)), SHELF), "benchmark")
    say(place, 0, held_ms)
    operations.index(place, "long")
    seconds = []
    for number in range(batches):
        from_ms = held_ms + number * BATCH_MS
        held = place.archive.catalog.recording("long")
        news = Extension(held, 0, held.gaps, from_ms + BATCH_MS, True, messages=tuple(chat(from_ms, from_ms + BATCH_MS)))
        place.archive.catalog.extend(news, "benchmark")
        say(place, from_ms, from_ms + BATCH_MS)
        began = time.perf_counter()
        operations.index(place, "long")
        seconds.append(time.perf_counter() - began)
    place.close()
    return seconds


def say(place: Workplace, from_ms: int, to_ms: int, recording: str = "long") -> None:
    provenance = Provenance("benchmark", "1", "demo", None, {"from": from_ms}, place.archive.clock())
    place.archive.transcripts.store_heard(recording, provenance, talk(from_ms, to_ms), [(from_ms, to_ms)], [], "benchmark")


def talk(from_ms: int, to_ms: int) -> Iterator[Segment]:
    for at in range(-(-from_ms // LINE_MS) * LINE_MS, to_ms - SPOKEN_MS, LINE_MS):
        text = line(random.Random(at))
        step = SPOKEN_MS // len(text)
        words = tuple(Word(at + i * step, at + (i + 1) * step, char, 0.9) for i, char in enumerate(text))
        yield Segment(0, None, at, at + SPOKEN_MS, text, words, (), 0.9)


def chat(from_ms: int, to_ms: int) -> Iterator[Message]:
    asked = Message(0, "", "viewer")
    for at in range(-(-from_ms // CHAT_MS) * CHAT_MS, to_ms, CHAT_MS):
        yield replace(asked, at_ms=at, text=random.Random(at).choice(QUESTIONS))


if __name__ == "__main__":
    main()
