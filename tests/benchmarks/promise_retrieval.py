"""Loads a promise retrieval set into a fresh home, asks its queries and scores the answers.

`python -m tests.benchmarks.promise_retrieval SET_DIR [--out RUN.jsonl] [--bare] [--without CHANNEL…] [--ablate]`

A set is a folder of streams (captions, chat, products, product events) and `queries.jsonl`; the run is a line per query with the best
moments first and whether the system says that it was said at all. `--without` leaves channels of search out, `--ablate` prints what each of
them is worth.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from api import operations
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from ingest.admission import IngestRequest
from search.answer import ask
from search.channels import CHANNELS, Channel
from search.relevance import Judged, Place, Returned, Scores, score

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


@dataclass(frozen=True, slots=True)
class Query:
    """A line of queries.jsonl: what is asked, where it is asked, and what answers it."""

    judged: Judged
    text: str
    stream: str | None
    product: str | None


def queries_of(set_dir: Path) -> list[Query]:
    """All queries of a set."""
    rows = [json.loads(line) for line in (set_dir / "queries.jsonl").read_text("utf-8").splitlines() if line.strip()]
    return [
        Query(
            Judged(row["id"], tuple(Place(each["stream"], each["from_ms"], each["to_ms"]) for each in row["answers"]), row["kind"]),
            row["query"],
            row["stream"],
            row["product"],
        )
        for row in rows
    ]


def run(place: Workplace, set_dir: Path, *, bare: bool = False, without: frozenset[Channel] = frozenset()) -> Iterator[dict[str, object]]:
    """Asks every query, as users do; `without` channels, of the index itself."""
    for query in queries_of(set_dir):
        product = None if bare else query.product
        if without:
            answer = ask(
                place.index, query.text, recording=query.stream, product=product, limit=RESULTS, embedder=place.embedder, without=without
            )
        else:
            answer = operations.search(place, query.text, recording=query.stream, product=product, limit=RESULTS)
        results = [
            {"stream": moment.recording, "from_ms": moment.start_ms, "to_ms": moment.end_ms, "score": moment.score}
            for moment in answer.moments
        ]
        yield {"id": query.judged.key, "found": answer.found, "results": results}


def scores_of(set_dir: Path, lines: Iterable[Mapping[str, object]]) -> Scores:
    """How good a run is."""
    returned: dict[str, Returned] = {}
    for line in lines:
        results = line["results"]
        assert isinstance(results, list)
        returned[str(line["id"])] = Returned(
            tuple(Place(each["stream"], each["from_ms"], each["to_ms"]) for each in results), bool(line["found"])
        )
    return score([query.judged for query in queries_of(set_dir)], returned)


def figures(name: str, scores: Scores) -> str:
    """A line of a table."""
    start = f"{scores.start_error_ms:.0f} ms" if scores.start_error_ms is not None else "–"
    return (
        f"{name:<14}{scores.success_at_1:>7.3f}{scores.success_at_5:>7.3f}{scores.reciprocal_rank:>7.3f}{start:>9}"
        f"{f'{scores.silent_rightly}/{scores.unanswerable}':>9}{f'{scores.silent_wrongly}/{scores.answerable}':>9}"
    )


HEADING = f"{'':<14}{'@1':>7}{'@5':>7}{'MRR':>7}{'start':>9}{'silent':>9}{'wrongly':>9}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set_dir", type=Path)
    parser.add_argument("--out", type=Path, help="where the run is written, a line per query")
    parser.add_argument("--bare", action="store_true", help="leave products, events and chat out")
    parser.add_argument("--without", nargs="+", choices=CHANNELS, default=[], metavar="CHANNEL", help=f"of {', '.join(CHANNELS)}")
    parser.add_argument("--ablate", action="store_true", help="then once more without each channel")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        place = open_workplace(ArchiveSettings(home=Path(home)))
        begun = time.perf_counter()
        load(place, options.set_dir, bare=options.bare)
        loaded = time.perf_counter()
        lines = list(run(place, options.set_dir, bare=options.bare, without=frozenset(options.without)))
        asked = time.perf_counter()
        if options.out:
            options.out.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
        print(f"indexed in {loaded - begun:.1f} s, {len(lines)} questions at {(asked - loaded) / max(len(lines), 1) * 1000:.0f} ms each")
        scores = scores_of(options.set_dir, lines)
        print(HEADING, figures("all of it" if not options.without else "without some", scores), sep="\n")
        for kind, (count, first, five) in scores.by_kind.items():
            print(f"  {kind:<12}{first:>7.3f}{five:>7.3f}  of {count}")
        for channel in CHANNELS if options.ablate else ():
            left = run(place, options.set_dir, bare=options.bare, without=frozenset((channel, *options.without)))
            print(figures(f"– {channel}", scores_of(options.set_dir, left)), flush=True)
        place.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
