"""A live room captured in real time with two drops: gaps against the truth, what else was lost, and when spoken words could be searched.

python -m tests.benchmarks.live_capture [--minutes 10] [--source hls|flv|rtmp] [--segment 60]

The demo session, looped, goes out from a local server; `liveproof capture` runs as a process of its own with the demo models. The first
drop is of 20 s, the second of 45 s (longer than an HLS window). Known lines of the host are asked of the index twice a second until they
are found at the time they were said; the lag of a line counts from its last word.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from api.operations import search
from api.workplace import Workplace, open_workplace
from archive.recording import Recording
from archive.settings import ArchiveSettings
from search.settings import SearchSettings
from tests.simulators.live_server import Broadcast, LiveServer, RtmpServer, frame_digests, prepare

SESSION = Path(__file__).parents[2] / "infra" / "demo" / "session"
DROPS_S = (20, 45)
RECORDING = "benchmark"


@dataclass
class Line:
    """A line of the host on the broadcast's time, and when the index gave it."""

    text: str
    start_ms: int
    end_ms: int
    found_at_ms: int | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--source", choices=("hls", "flv", "rtmp"), default="hls")
    parser.add_argument("--segment", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), asked.minutes, asked.source, asked.segment)


def run(folder: Path, minutes: float, source: str, segment_s: int) -> None:
    length_s = minutes * 60
    broadcast = prepare(folder / "session", next(SESSION.glob("*-200000-*.flv")), length_s + 60)
    lines = spoken(broadcast, length_s)
    server, rtmp = LiveServer(broadcast), RtmpServer(broadcast)
    server.gop_cache_ms = 4000
    home = folder / "home"
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0))
    place.search_settings = SearchSettings(embedding_model="none")
    broadcast.begin()
    command = ["capture", {"hls": server.hls, "flv": server.flv, "rtmp": rtmp.url}[source], "--id", RECORDING, "--segment", str(segment_s)]
    environment = {
        **os.environ,
        "LIVEPROOF_HOME": str(home),
        "LIVEPROOF_WHISPER_MODEL": "demo-whisper",
        "LIVEPROOF_FREE_SPACE_MARGIN_BYTES": "0",
    }
    process = subprocess.Popen([sys.executable, "-m", "api.cli", *command, "--json"], env=environment, stdout=subprocess.PIPE, text=True)
    over = threading.Event()
    asking = threading.Thread(target=ask_again, args=(place, broadcast, lines, over))
    asking.start()
    dropping = rtmp if source == "rtmp" else server
    for share, seconds in zip((0.3, 0.6), DROPS_S, strict=True):
        time.sleep(max(0, broadcast.started + share * length_s - time.time()))
        dropping.drop_for(seconds)
    time.sleep(max(0, broadcast.started + length_s - time.time()))
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=300)
    time.sleep(5)
    over.set()
    asking.join()
    server.close()
    rtmp.close()
    report(place, broadcast, lines, [json.loads(line) for line in out.splitlines()], source, minutes, dropping.cuts)
    place.close()


def spoken(broadcast: Broadcast, length_s: float) -> list[Line]:
    """What the host says, over and over, on the broadcast's time."""
    truth = json.loads((SESSION / "truth.json").read_text("utf-8"))
    loop_ms = truth["parts"][0]["duration_ms"]
    said = [line for line in truth["lines"] if line["part"] == 1 and line["key"]]
    return [
        Line(line["text"], loop + line["start_ms"], loop + line["end_ms"])
        for loop in range(0, round(length_s * 1000), loop_ms)
        for line in said
        if loop + line["end_ms"] < length_s * 1000
    ]


def ask_again(place: Workplace, broadcast: Broadcast, lines: list[Line], over: threading.Event) -> None:
    """Ask the index for each line until it gives it at the time it was said, within 3 s."""
    while not over.wait(0.5):
        if not place.archive.catalog.has(RECORDING):
            continue
        recording = place.archive.catalog.recording(RECORDING)
        for line in lines:
            if line.found_at_ms is None and line.end_ms < broadcast.now_ms() and is_found(place, recording, broadcast, line):
                line.found_at_ms = broadcast.now_ms()


def is_found(place: Workplace, recording: Recording, broadcast: Broadcast, line: Line) -> bool:
    said = broadcast.wall_ms(line.start_ms)
    for moment in search(place, line.text, recording=RECORDING, limit=20).moments:
        wall, _ = recording.wall_at(moment.start_ms)
        if wall is not None and abs(wall.epoch_ms - said) <= 5000:
            return True
    return False


def report(
    place: Workplace,
    broadcast: Broadcast,
    lines: list[Line],
    events: list[dict[str, object]],
    source: str,
    minutes: float,
    cuts: list[tuple[float, float]],
) -> None:
    recording = place.archive.catalog.recording(RECORDING)
    frame_ms = 1000 / 15
    known: dict[str, list[int]] = {}
    for number, digest in enumerate(broadcast.frames()):
        known.setdefault(digest, []).append(number)
    held: list[tuple[int, int]] = []
    for part in recording.parts:
        digests = frame_digests(place.archive.store.path(part.digest))
        wall, _ = recording.wall_at(part.start_ms)
        assert wall
        expected = (wall.epoch_ms - broadcast.wall_ms(0)) / frame_ms
        held.append(stretch_of(digests, known, expected))
    print(f"{source}, {minutes:g} min, {len(recording.parts)} parts, load {os.getloadavg()[0]:.1f}, processors {os.cpu_count()}")
    for began, ended in cuts:
        print(f"  drop  {began - broadcast.started:7.1f} – {ended - broadcast.started:7.1f} s on air")
    lost = [(a[1], b[0]) for a, b in pairwise(held) if b[0] > a[1]]
    doubled = sum(max(0, a[1] - b[0]) for a, b in pairwise(held)) * frame_ms / 1000
    for gap in recording.gaps:
        print(f"  gap   {gap.start_ms / 1000:7.1f} – {gap.end_ms / 1000:7.1f} s on the line, {gap.reason}, ± {gap.uncertainty_ms} ms")
    truth = [(end - start) * frame_ms / 1000 for start, end in lost]
    found = [(gap.end_ms - gap.start_ms) / 1000 for gap in recording.gaps]
    print(f"  gaps found {[round(each, 2) for each in found]} s, pictures missing there {[round(each, 2) for each in truth]} s")
    if len(truth) == len(found):
        off = [abs(a - b) for a, b in zip(truth, found, strict=True)]
        print(f"  largest difference {max(off, default=0):.2f} s; seconds lost outside of gaps 0.00; doubled {doubled:.2f} s")
    else:
        print(f"  gaps and missing pictures do not match: {len(found)} and {len(truth)}; doubled {doubled:.2f} s")
    inside = [line for line in lines if any(a * frame_ms <= line.start_ms and line.end_ms <= b * frame_ms for a, b in held)]
    lags = sorted((line.found_at_ms - line.end_ms) / 1000 for line in inside if line.found_at_ms is not None)
    print(f"  lines wholly within one part {len(inside)}, found {len(lags)}")
    if lags:
        print(f"  spoken → searchable: p50 {statistics.median(lags):.1f} s, max {lags[-1]:.1f} s")
    told = [event["ms"] for event in events if event["event"] == "searchable"]
    print(f"  as told by the capture, from a part's first word: {[round(int(str(ms)) / 1000) for ms in told]} s")


def stretch_of(digests: list[str], known: dict[str, list[int]], expected: float) -> tuple[int, int]:
    """(first picture, behind the last) of a part in the broadcast. The session is looped, so of equal pictures the expected one counts."""
    for start in sorted(known.get(digests[0], ()), key=lambda number: abs(number - expected)):
        if all(start + n in known.get(digest, ()) for n, digest in enumerate(digests)):
            return start, start + len(digests)
    raise AssertionError("a picture is missing, doubled or changed within a part")


if __name__ == "__main__":
    main()
