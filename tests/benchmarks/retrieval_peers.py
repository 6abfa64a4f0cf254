"""The product beside other engines on the same sets, in one run.

`python -m tests.benchmarks.retrieval_peers SET_DIR… [--only NAME…]`

The others get what somebody would give them who builds search over a transcript: overlapping windows of 3 and of 6 captions (the better
of the two is printed, for each engine and set), words from the same segmenter, the same sentence vectors, and the stream that the question
names.
They know no shelf, no events, no chat and can't say “not said”; that is part of what is compared.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from api import operations
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from archive.transcript import Segment
from search.chinese import normalise, words
from search.embeddings import Embedder
from search.relevance import Place, Returned, Scores, score
from tests.benchmarks.peer_bm25s import Bm25Words
from tests.benchmarks.peer_dense import DenseOnly
from tests.benchmarks.peer_fts5 import Fts5Trigram
from tests.benchmarks.peer_lancedb import LanceHybrid
from tests.benchmarks.peer_milvus import MilvusHybrid
from tests.benchmarks.peers import Peer
from tests.benchmarks.promise_retrieval import RESULTS, Query, load, queries_of
from tests.simulators import milvus

WINDOWS = (3, 6)
# Enough that what is left within one stream still holds the best ten.
ASKED_FOR = 1_000
NEEDS_VECTORS = ("dense only", "LanceDB hybrid", "Milvus Lite BM25+dense")


@dataclass(frozen=True, slots=True)
class Measured:
    """One engine on one set. `note`: which windows; ms a question include everything but the vectors' making."""

    name: str
    scores: Scores
    ms_a_question: float
    note: str = ""


def product_run(place: Workplace, queries: Sequence[Query]) -> Measured:
    """The product as its users get it."""
    begun = time.perf_counter()
    run = {}
    for query in queries:
        answer = operations.search(place, query.text, recording=query.stream, product=query.product, limit=RESULTS)
        run[query.judged.key] = Returned(tuple(Place(m.recording, m.start_ms, m.end_ms) for m in answer.moments), answer.found)
    spent = (time.perf_counter() - begun) * 1000 / max(len(queries), 1)
    return Measured("LiveProof", score([query.judged for query in queries], run), spent)


def peer_run(
    name: str, make: Callable[[], Peer], streams: Sequence["Stream"], queries: Sequence[Query], embedder: Embedder | None
) -> Measured:
    """An engine with the windows that suit it best on this set."""
    return max((_windowed(name, make, streams, queries, embedder, size) for size in WINDOWS), key=lambda each: each.scores.success_at_1)


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream's captions."""

    name: str
    segments: Sequence[Segment]

    def windows(self, size: int) -> Iterator[tuple[Place, str]]:
        """Overlapping windows of `size` captions, by one."""
        for start in range(max(len(self.segments) - size + 1, 1)):
            held = self.segments[start : start + size]
            if held:
                yield Place(self.name, held[0].start_ms, held[-1].end_ms), " ".join(each.text for each in held)


def _windowed(
    name: str, make: Callable[[], Peer], streams: Sequence[Stream], queries: Sequence[Query], embedder: Embedder | None, size: int
) -> Measured:
    windows = [window for stream in streams for window in stream.windows(size)]
    vectors = embedder.embed_passages([text for _, text in windows]) if embedder else [[0.0] for _ in windows]
    asked = [embedder.embed_question(query.text) if embedder else [0.0] for query in queries]
    places = {str(number): place for number, (place, _) in enumerate(windows)}
    peer = make()
    try:
        peer.add([(str(number), _tokens(text), vector) for number, ((_, text), vector) in enumerate(zip(windows, vectors, strict=True))])
        peer.ask(_tokens(queries[0].text), asked[0], 10)  # what an engine does once, at the first question
        begun = time.perf_counter()
        run = {}
        for query, vector in zip(queries, asked, strict=True):
            found = [places[each] for each in peer.ask(_tokens(query.text), vector, min(ASKED_FOR, len(windows)))]
            run[query.judged.key] = Returned(tuple(_apart(place for place in found if query.stream in (None, place.recording))))
        spent = (time.perf_counter() - begun) * 1000 / max(len(queries), 1)
    finally:
        peer.close()
    return Measured(name, score([query.judged for query in queries], run), spent, f"{size} captions")


def _tokens(text: str) -> list[str]:
    return words(normalise(text))


def _apart(places: Iterator[Place]) -> list[Place]:
    """The best ten that don't lie over one another by more than a third: neighbours of a hit would only fill the list."""
    kept: list[Place] = []
    for place in places:
        if all(not _over(place, other) for other in kept):
            kept.append(place)
            if len(kept) == RESULTS:
                break
    return kept


def _over(one: Place, other: Place) -> bool:
    shared = min(one.to_ms, other.to_ms) - max(one.from_ms, other.from_ms)
    return one.recording == other.recording and 3 * shared > min(one.to_ms - one.from_ms, other.to_ms - other.from_ms)


def peers_in(folder: Path) -> dict[str, Callable[[], Peer]]:
    """How each engine is made, afresh each time."""
    numbers = iter(range(1_000))

    def inside(kind: str) -> Path:
        made = folder / f"{kind}-{next(numbers)}"
        made.mkdir()
        return made

    return {
        "FTS5 trigram": lambda: Fts5Trigram(inside("fts5")),
        "BM25 over words (bm25s)": Bm25Words,
        "dense only": DenseOnly,
        "LanceDB hybrid": lambda: LanceHybrid(inside("lance")),
        "Milvus Lite BM25+dense": lambda: MilvusHybrid(milvus.fresh_place()),
    }


def measure(set_dir: Path, only: Sequence[str]) -> Iterator[Measured]:
    """The product, then each engine."""
    queries = queries_of(set_dir)
    with tempfile.TemporaryDirectory() as home, ExitStack() as closing:
        place = open_workplace(ArchiveSettings(home=Path(home) / "home"))
        closing.callback(place.close)
        load(place, set_dir)
        product_run(place, queries[:3])
        yield product_run(place, queries)
        held = [(name, place.archive.transcripts.latest(name)) for name in place.archive.catalog.ids()]
        streams = [Stream(name, [each for each in transcript.segments if each.text.strip()]) for name, transcript in held if transcript]
        for name, make in peers_in(Path(home)).items():
            if only and name not in only:
                continue
            if name in NEEDS_VECTORS and place.embedder is None:
                print(f"{name}: left out, no sentence model is here", file=sys.stderr)
                continue
            yield peer_run(name, make, streams, queries, place.embedder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set_dir", type=Path, nargs="+")
    parser.add_argument("--only", nargs="*", default=(), help="names of engines, as they are printed")
    options = parser.parse_args()
    for set_dir in options.set_dir:
        print(f"{set_dir.name}\n{'':<26}{'@1':>7}{'@5':>7}{'MRR':>7}{'not said':>10}{'lost':>9}{'start':>9}{'ms':>7}  windows")
        for each in measure(set_dir, options.only):
            s = each.scores
            start = "—" if s.start_error_ms is None else f"{s.start_error_ms / 1000:.1f} s"
            silent, lost = f"{s.silent_rightly}/{s.unanswerable}", f"{s.silent_wrongly}/{s.answerable}"
            figures = f"{s.success_at_1:>7.3f}{s.success_at_5:>7.3f}{s.reciprocal_rank:>7.3f}{silent:>10}{lost:>9}{start:>9}"
            print(f"{each.name:<26}{figures}{each.ms_a_question:>7.0f}  {each.note}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
