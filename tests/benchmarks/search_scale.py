"""Search over very many passages: how fast questions are answered, what a further passage costs, memory and disk.

    python -m tests.benchmarks.search_scale --passages 1000000 [--folder DIR] [--questions 300] [--peers [--peer-passages 100000]]

Synthetic sessions (`synthetic_sessions`) go in by the same way as real ones. At 1e5, 1e6 and 1e7 passages the cost of a further one is
told, in bulk and for a live session that grows by twenty at a time. Then whole questions are asked (`search.answer.ask` with all channels
and a vector that is ready: a model's own time isn't counted), unfiltered and with random filters; beside that, what of it is the index's.
With `--folder` an index that an earlier run left there is gone on with. For a memory limit run it within
`systemd-run --scope -p MemoryMax=12G` (or a cgroup's `memory.max`): the page cache of mapped files counts there, `ulimit -v` would count
the mapping itself.
"""

import argparse
import gc
import os
import random
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from archive.logs import configure_logs
from archive.settings import ArchiveSettings
from search.answer import ask
from search.indexes import Filter, Index, open_index
from tests.benchmarks import search_peers
from tests.benchmarks.synthetic_sessions import HOSTS, PASSAGES, PLATFORMS, ROOMS, question, recording, session

MILESTONES = (100_000, 1_000_000, 10_000_000)
# Sessions over which a passage's cost is taken.
COUNTED = 8
LIVE_BATCHES, LIVE_UNITS = 20, 14
TIMED = (
    "candidates",
    "nearest",
    "frequencies",
    "runs",
    "totals",
    "products",
    "ids",
    "entry",
    "claims",
    "units",
    "messages",
    "passage_count",
)


class Ready:
    """An embedder that has the vector already."""

    name = "synthetic"

    def __init__(self) -> None:
        self.vector: list[float] = []

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        raise NotImplementedError

    def embed_question(self, text: str) -> list[float]:
        return self.vector


def percentiles(seconds: Sequence[float]) -> str:
    half, most, worst = np.percentile(np.array(seconds) * 1000, (50, 99, 100))
    return f"p50 {half:7.2f}  p99 {most:7.2f}  most {worst:7.2f} ms"


def fill(index: Index, passages: int) -> None:
    """Adds sessions until the index holds so many passages."""
    held = len(index.ids(Filter()))
    spent: list[float] = []
    begun = time.perf_counter()
    marks = [mark for mark in MILESTONES if mark <= passages] or [passages]
    for number in range(held, -(-passages // PASSAGES)):
        document, vectors = session(number)
        at = time.perf_counter()
        index.replace(document, vectors)  # type: ignore[arg-type]  # rows of numbers
        index.maintain()
        spent.append(time.perf_counter() - at)
        count = (number + 1) * PASSAGES
        if marks and count >= marks[0]:
            mark = marks.pop(0)
            recent = spent[-min(len(spent), max(len(spent) // 5, COUNTED)) :]
            print(f"at {mark:>10,} passages: {sum(recent) / len(recent) / PASSAGES * 1e6:7.0f} µs a passage in bulk", flush=True)
            print(f"   a live session's batch of ~20 passages: {percentiles(grow(index))} (all of its own rows looked at)", flush=True)
            at = time.perf_counter()
            index.remove("live")
            index.maintain(wait_s=600)
            print(f"   a removed session is out of the files after {time.perf_counter() - at:.1f} s", flush=True)
    if spent:
        print(f"{sum(spent):.0f} s to write {len(spent) * PASSAGES:,} passages ({time.perf_counter() - begun:.0f} s with making them)")


def grow(index: Index) -> list[float]:
    """Seconds until a further batch of a live session is searchable."""
    whole, vectors = session(10**6)
    seconds = []
    for batch in range(1, LIVE_BATCHES + 1):
        end = batch * LIVE_UNITS
        kept = [place for place, passage in enumerate(whole.passages) if passage.last < end]
        part = replace(
            whole,
            recording=replace(recording(10**6, end), id="live"),
            units=whole.units[:end],
            passages=tuple(whole.passages[place] for place in kept),
        )
        at = time.perf_counter()
        index.replace(part, vectors[kept])  # type: ignore[arg-type]
        seconds.append(time.perf_counter() - at)
    return seconds


def filters(sessions: int, chance: random.Random) -> Iterator[tuple[str, dict[str, object]]]:
    """Filters that let ever less through, without end."""
    while True:
        number = chance.randrange(sessions)
        some = recording(number)
        later = recording(min(number + max(sessions // 10, 1), sessions - 1))
        allowed = tuple(recording(each).id for each in chance.sample(range(sessions), max(sessions // 10, 1)))
        yield "platform (33 %)", {"platform": PLATFORMS[number % len(PLATFORMS)]}
        yield "a tenth of the time", {"since": some.started_at, "until": later.started_at}
        yield "a tenth allowed", {"among": allowed}
        yield "category", {"category": chance.choice(("material", "warranty", "shipping", "return"))}
        yield "host and category", {"host": f"主播{number % HOSTS}", "category": "warranty"}
        yield "host (1.7 %)", {"host": f"主播{number % HOSTS}"}
        yield "room", {"room": f"room{number % ROOMS}", "platform": some.platform}
        yield "recording", {"recording": some.id}


class Stopwatch:
    """Adds up what of a question is spent in the index."""

    def __init__(self, index: Index) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._depth = 0
        for name in TIMED:
            setattr(index, name, self._timed(name, getattr(index, name)))

    def _timed(self, name: str, asks: Callable[..., object]) -> Callable[..., object]:
        def timed(*given: object, **named: object) -> object:
            self._depth += 1
            at = time.perf_counter()
            try:
                return asks(*given, **named)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.spent[name] += time.perf_counter() - at

        return timed


def answer(index: Index, passages: int, count: int) -> list[float]:
    """Asks, prints how long it took, and gives the unfiltered questions' seconds."""
    sessions = -(-passages // PASSAGES)
    ready, watch = Ready(), Stopwatch(index)
    chance = random.Random(5)
    kinds = filters(sessions, chance)
    asked = [(*question(number, sessions), *next(kinds)) for number in range(count)]
    for text, vector, _, _ in asked[:20]:
        ready.vector = vector.tolist()
        ask(index, text, embedder=ready)
    # What stays for good is no longer looked through for garbage: a pause of a tenth of a second now and then, else.
    gc.collect()
    gc.freeze()
    taken: dict[str, list[float]] = defaultdict(list)
    of_index: dict[str, list[float]] = defaultdict(list)
    parts: dict[str, list[float]] = defaultdict(list)
    found = 0
    for text, vector, kind, given in asked:
        ready.vector = vector.tolist()
        for name, options in (("unfiltered", {}), (kind, given)):
            watch.spent.clear()
            at = time.perf_counter()
            said = ask(index, text, embedder=ready, **options)  # type: ignore[arg-type]
            taken[name].append(time.perf_counter() - at)
            of_index[name].append(sum(watch.spent.values()))
            if name == "unfiltered":
                found += said.found
                for part in TIMED:
                    parts[part].append(watch.spent[part])
    for name, seconds in taken.items():
        print(f"{name:>22}: {percentiles(seconds)}   of it the index {percentiles(of_index[name])}")
    filtered = [each for name, seconds in taken.items() if name != "unfiltered" for each in seconds]
    print(f"{'all filtered':>22}: {percentiles(filtered)}")
    print(
        "   in the index: "
        + ", ".join(f"{part} {np.median(times) * 1000:.2f}" for part, times in parts.items() if sum(times))
        + " ms at half"
    )
    print(f"   {found} of {count} were found said")
    return taken["unfiltered"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--folder", type=Path, default=None, help="where the index lies (default: a temporary folder)")
    parser.add_argument("--peers", action="store_true", help="ask other engines the same")
    parser.add_argument("--peer-passages", type=int, default=100_000, help="how many passages the slower peers are given at most")
    given = parser.parse_args()
    configure_logs(ArchiveSettings(home=Path(tempfile.gettempdir())))
    with tempfile.TemporaryDirectory() as made:
        folder = given.folder or Path(made)
        index = open_index(folder)
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        fill(index, given.passages)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{index.passage_count():,} passages in {size / 1e9:.2f} GB on the disk")
        seconds = answer(index, given.passages, given.questions)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"resident at most {peak:.2f} GB (mapped files count); load {os.getloadavg()[0]:.1f}")
        if given.peers:
            search_peers.compare(Path(made), min(given.passages, given.peer_passages), given.questions, float(np.median(seconds)))
        index.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
