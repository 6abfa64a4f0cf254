"""Loads a promise retrieval set into a fresh home and asks its queries.

`python -m tests.benchmarks.promise_retrieval SET_DIR --out RUN.jsonl`

A set is a folder of streams (captions, chat, products, product events) and `queries.jsonl`; the run is a line per query with the best
moments first and whether the system says that it was said at all.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.recording import EventKind, Message, Product, ProductEvent, Recording
from archive.timeline import WallTime
from archive.transcript import Segment
from search.answer import ask
from search.indexes import Index, open_index
from search.indexing import index_recording

RESULTS = 10
_CUE = re.compile(r"(\d+):(\d\d):(\d\d)[,.](\d{3}) --> (\d+):(\d\d):(\d\d)[,.](\d{3})")


@dataclass(frozen=True)
class Stream:
    recording: Recording
    segments: list[Segment]
    products: list[Product]
    events: list[ProductEvent]
    messages: list[Message]


def read_streams(set_dir: Path) -> Iterator[Stream]:
    """The set's streams, parsed directly."""
    for folder in sorted((set_dir / "streams").iterdir()):
        about = json.loads((folder / "stream.json").read_text("utf-8"))
        started = WallTime.parse(about["started_at"]) if about.get("started_at") else None
        recording = Recording(
            about["stream_id"],
            about.get("platform"),
            None,
            about.get("host"),
            about.get("title"),
            started,
            about["duration_ms"],
            started or WallTime(0),
        )
        products = [
            Product(
                row["product_id"],
                row["title"],
                str(row["shelf_no"]) if row.get("shelf_no") is not None else None,
                tuple(row.get("aliases", ())),
                row.get("price_minor"),
                row.get("currency", "CNY"),
                row.get("listing_text", ""),
            )
            for row in json.loads((folder / "products.json").read_text("utf-8") or "[]")
        ]
        events = [
            ProductEvent(EventKind(row["event"]), row["product_id"], row["at_ms"])
            for row in json.loads((folder / "product_events.json").read_text("utf-8") or "[]")
        ]
        messages = [
            Message(row["at_ms"], row["text"], row.get("user"))
            for row in map(json.loads, (folder / "chat.jsonl").read_text("utf-8").splitlines())
        ]
        yield Stream(recording, list(_read_cues(folder / "transcript.srt")), products, events, messages)


def _read_cues(path: Path) -> Iterator[Segment]:
    for number, block in enumerate(re.split(r"\n\s*\n", path.read_text("utf-8-sig").strip()), 1):
        lines = block.splitlines()
        match = _CUE.search(lines[1]) if len(lines) > 1 else None
        if match:
            h1, m1, s1, f1, h2, m2, s2, f2 = map(int, match.groups())
            yield Segment(
                number, None, ((h1 * 60 + m1) * 60 + s1) * 1000 + f1, ((h2 * 60 + m2) * 60 + s2) * 1000 + f2, "\n".join(lines[2:])
            )


def load(index: Index, set_dir: Path, *, bare: bool = False) -> int:
    """Indexes every stream; `bare` without products, events and chat. Milliseconds of speech indexed."""
    total = 0
    for stream in read_streams(set_dir):
        products, events, messages = ([], [], []) if bare else (stream.products, stream.events, stream.messages)
        index_recording(index, stream.recording, stream.segments, products, events, messages, None)
        total += stream.recording.duration_ms
    return total


def run(index: Index, set_dir: Path, *, bare: bool = False) -> Iterator[dict[str, object]]:
    """Asks every query."""
    for line in (set_dir / "queries.jsonl").read_text("utf-8").splitlines():
        query = json.loads(line)
        answer = ask(index, query["query"], recording=query["stream"], product=None if bare else query["product"], limit=RESULTS)
        results = [
            {"stream": moment.recording, "from_ms": moment.start_ms, "to_ms": moment.end_ms, "score": moment.score}
            for moment in answer.moments
        ]
        yield {"id": query["id"], "found": answer.found, "results": results}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set_dir", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--bare", action="store_true", help="leave products, events and chat out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        index = open_index(Path(home) / "index")
        begun = time.perf_counter()
        load(index, options.set_dir, bare=options.bare)
        loaded = time.perf_counter()
        lines = list(run(index, options.set_dir, bare=options.bare))
        asked = time.perf_counter()
        index.close()
    options.out.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    print(f"indexed in {loaded - begun:.1f} s, {len(lines)} questions at {(asked - loaded) / max(len(lines), 1) * 1000:.0f} ms each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
