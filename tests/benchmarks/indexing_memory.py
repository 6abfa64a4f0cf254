"""Peak memory of the process that indexes, for a short recording and for a long one: it may not grow with length.

    python -m tests.benchmarks.indexing_memory [--hours 0.5 10] [--folder DIR]

The session of tests/benchmarks/growing_session.py, stored as one transcript with its chat and indexed as a job does, each length in a
process of its own that has indexed a minute of talk before, so that dictionaries and tables are loaded. The sentence model is the demo's.
Prints the peak before and after in MiB, and that of the longest in parts of that of the shortest.
"""

import argparse
import multiprocessing
import resource
import tempfile
from pathlib import Path

from api import operations
from api.workplace import open_workplace
from archive.admission import Admission
from archive.recording import Recording
from archive.settings import ArchiveSettings
from tests.benchmarks.growing_session import HOUR_MS, START, chat, say
from tests.search.varied_sessions import SHELF

RATIO_MAX = 1.10
MINUTE_MS = 60_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, nargs="+", default=[0.5, 10.0])
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    peaks = []
    for hours in given.hours:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            before, after = peaks_mib(Path(folder), round(hours * HOUR_MS))
        peaks.append(after)
        print(f"{hours:5g} h: {before:6.0f} MiB before, {after:6.0f} MiB at most", flush=True)
    ratio = max(peaks) / min(peaks)
    print(f"longest / shortest {ratio:.3f} (≤ {RATIO_MAX:.2f}: {'yes' if ratio <= RATIO_MAX else 'NO'})")


def peaks_mib(home: Path, length_ms: int) -> tuple[float, float]:
    """Peak before and after indexing so much talk, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    made = context.Process(target=_store, args=(home, length_ms))
    made.start()
    made.join()
    told: multiprocessing.Queue[tuple[float, float]] = context.Queue()
    indexed = context.Process(target=_index, args=(home, told))
    indexed.start()
    found = told.get(timeout=3600)
    indexed.join()
    return found


def _store(home: Path, length_ms: int) -> None:
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0))
    for name, ms in (("short", MINUTE_MS), ("long", length_ms)):
        recording = Recording(name, "douyin", "1", "小岚", "长直播", START, ms, START)
        place.archive.catalog.admit(Admission(recording, tuple(chat(0, ms)), SHELF), "benchmark")
        say(place, 0, ms, name)
    place.close()


def _index(home: Path, told: "multiprocessing.Queue[tuple[float, float]]") -> None:
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0))
    place.search_settings = place.search_settings.model_copy(update={"embedding_model": "demo-sentences"})
    operations.index(place, "short")
    before = _peak_mib()
    operations.index(place, "long")
    told.put((before, _peak_mib()))
    place.close()


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
