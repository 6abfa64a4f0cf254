"""How many messages a second each chat format is read at, on one core, and the most memory that reading took.

    python -m tests.benchmarks.chat_parsing [--messages 100000] [--format NAME]

The file is written here, of one message every 100 ms, and lies in the page cache; the fastest of three readings counts, by the processor's
time, so that other work on the machine does not. Nothing is
asserted: machines differ. Memory is what Python's own allocator held at most beyond what it held before, in a reading of its own, with
the messages thrown away as they come.
"""

import argparse
import tempfile
import time
import tracemalloc
from collections import deque
from pathlib import Path

from archive.timeline import WallTime
from ingest.chat import ChatContext, detect, formats, read_head
from ingest.input_file import check_file
from tests.ingest.written_chats import START, larger

RUNS = 3


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, default=100_000)
    arguments.add_argument("--format", choices=[known.name for known in formats()])
    given = arguments.parse_args()
    print(f"{'format':22} {'messages/s':>12} {'MB/s':>7} {'bytes each':>11} {'peak MB':>8}")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "chat.dat"
        for format_name, make in larger(given.messages).items():
            if given.format in (None, format_name):
                path.write_bytes(make())
                print(f"{format_name:22} {_measured(path, given.messages)}", flush=True)


def _measured(path: Path, count: int) -> str:
    seconds = min(_seconds(path) for _ in range(RUNS))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    read = _read(path, START)
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    if read != count:
        raise SystemExit(f"{read} messages were read of {count}")
    size = path.stat().st_size
    return f"{count / seconds:>12,.0f} {size / seconds / 1e6:>7.1f} {size / count:>11.0f} {peak / 1e6:>8.1f}"


def _seconds(path: Path) -> float:
    begin = time.process_time()
    _read(path, START)
    return time.process_time() - begin


def _read(path: Path, wall_start: WallTime) -> int:
    file = check_file(path, "chat", 1 << 32)
    known = detect(file, read_head(file))
    if known is None:
        raise SystemExit(f"{path} is empty")
    counted = deque(enumerate(known.read(file, ChatContext(0, wall_start, 10_000, lambda _told: None)), 1), maxlen=1)
    return counted[0][0] if counted else 0


if __name__ == "__main__":
    main()
