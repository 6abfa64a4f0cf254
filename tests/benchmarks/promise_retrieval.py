"""Loads a promise retrieval set into a fresh home and asks its queries.

`python -m tests.benchmarks.promise_retrieval SET_DIR --out RUN.jsonl`

A set is a folder of streams (captions, chat, products, product events) and `queries.jsonl`; the run is a line per query with the best
moments first and whether the system says that it was said at all.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from api import operations
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from ingest.admission import IngestRequest

RESULTS = 10


def load(place: Workplace, set_dir: Path, *, bare: bool = False) -> None:
    """Admits and indexes every stream as anybody's; `bare` without products, events and chat."""
    for folder in sorted((set_dir / "streams").iterdir()):
        about = json.loads((folder / "stream.json").read_text("utf-8"))

        def beside(name: str, folder: Path = folder) -> Iterator[Path]:
            # a set without chat, shelf or events may hold empty files for them, which the gate would refuse
            if not bare and (folder / name).is_file() and (folder / name).read_text("utf-8").strip():
                yield folder / name

        request = IngestRequest(
            recording_id=about["stream_id"],
            captions=folder / "transcript.srt",
            chat=tuple(beside("chat.jsonl")),
            products=next(beside("products.json"), None),
            events=next(beside("product_events.json"), None),
            started_at=WallTime.parse(about["started_at"]) if about.get("started_at") else None,
            platform=about.get("platform"),
            host=about.get("host"),
            title=about.get("title"),
        )
        admitted = operations.ingest(place, request, "benchmark")
        operations.index(place, admitted.recording.id)


def run(place: Workplace, set_dir: Path, *, bare: bool = False) -> Iterator[dict[str, object]]:
    """Asks every query."""
    for line in (set_dir / "queries.jsonl").read_text("utf-8").splitlines():
        query = json.loads(line)
        product = None if bare else query["product"]
        answer = operations.search(place, query["query"], recording=query["stream"], product=product, limit=RESULTS)
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
        place = open_workplace(ArchiveSettings(home=Path(home)))
        begun = time.perf_counter()
        load(place, options.set_dir, bare=options.bare)
        loaded = time.perf_counter()
        lines = list(run(place, options.set_dir, bare=options.bare))
        asked = time.perf_counter()
        place.close()
    options.out.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    print(f"indexed in {loaded - begun:.1f} s, {len(lines)} questions at {(asked - loaded) / max(len(lines), 1) * 1000:.0f} ms each")
    return 0


if __name__ == "__main__":
    sys.exit(main())
