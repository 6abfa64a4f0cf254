"""Measure a sentence model on phrasings that its training never got, on the demo session, and on benchmark sets if some are named.

    python -m infra.models.evaluate_sentences MODEL_DIR [--bench SET_DIR …]

Character-bigram overlap (or BM25 over bigrams, on a benchmark) stands beside it each time.
"""

import argparse
import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from sentence_transformers import SentenceTransformer

from infra.demo.script import lines
from infra.models.sentence_pairs import TRUTH, PairSource, intents

STATEMENTS, EACH, ROUNDS = 500, 5, 3
WINDOW_CUES, LONGER_MS = 3, 15_000
K1, B = 1.2, 0.75
Scorer = Callable[[Sequence[str], Sequence[str]], np.ndarray]


def bigrams(text: str) -> set[str]:
    plain = re.sub(r"\W", "", text)
    return {plain[i : i + 2] for i in range(len(plain) - 1)} or {plain}


def overlap(queries: Sequence[str], statements: Sequence[str]) -> np.ndarray:
    """Shared bigrams over the geometric mean of their counts; one row a query."""
    cut = [bigrams(text) for text in statements]
    return np.array([[len(asked & said) / math.sqrt(len(asked) * len(said)) for said in cut] for asked in map(bigrams, queries)])


def bm25(queries: Sequence[str], passages: Sequence[str]) -> np.ndarray:
    """Okapi BM25 over character bigrams (Robertson & Zaragoza 2009), each row divided by its best."""
    cut = [Counter(re.sub(r"\W", "", text)[i : i + 2] for i in range(len(re.sub(r"\W", "", text)) - 1)) for text in passages]
    lengths = np.array([sum(counts.values()) for counts in cut])
    seen = Counter(gram for counts in cut for gram in counts)
    damping = K1 * (1 - B + B * lengths / lengths.mean())
    rows = np.zeros((len(queries), len(passages)))
    for row, query in enumerate(queries):
        for gram in bigrams(query):
            if gram in seen:
                counts = np.array([each[gram] for each in cut])
                rarity = math.log(1 + (len(cut) - seen[gram] + 0.5) / (seen[gram] + 0.5))
                rows[row] += rarity * counts * (K1 + 1) / (counts + damping)
    return rows / np.maximum(rows.max(axis=1, keepdims=True), 1e-9)


def meaning(model: SentenceTransformer) -> Scorer:
    """Cosine of the model's vectors."""

    def score(queries: Sequence[str], statements: Sequence[str]) -> np.ndarray:
        asked, said = (model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False) for texts in (queries, statements))
        return np.asarray(asked @ said.T)

    return score


def unseen_phrasings(scorer: Scorer, seed: int) -> dict[str, float]:
    """Recall over STATEMENTS unseen statements, EACH of every intent: a statement of the right intent, and the very one with its slots."""
    source = PairSource(seed, unseen=True)
    pairs = [source.of_intent(intent) for intent in intents() for _ in range(EACH)]
    statements = [pair.statement for pair in pairs] + list(islice(source.distractors(), STATEMENTS - len(pairs)))
    order = np.argsort(-scorer([pair.query for pair in pairs], statements), axis=1, kind="stable")
    keys = [pair.key for pair in pairs] + [""] * (len(statements) - len(pairs))
    found = {}
    for depth in (1, 5):
        found[f"intent@{depth}"] = np.mean([pair.key in {keys[i] for i in row[:depth]} for pair, row in zip(pairs, order, strict=True)])
        found[f"exact@{depth}"] = np.mean([number in row[:depth] for number, row in enumerate(order)])
    return {name: float(value) for name, value in found.items()}


def demo_ranks(scorer: Scorer) -> dict[str, int]:
    """For each answerable question of the demo session the rank of the true line among all lines."""
    spoken = lines()
    ranks = {}
    for entry in json.loads(TRUTH.read_text("utf-8"))["questions"]:
        if entry["expects_key"]:
            scores = scorer([entry["question"]], [line.text for line in spoken])[0]
            true = next(number for number, line in enumerate(spoken) if line.key == entry["expects_key"])
            ranks[entry["question"]] = 1 + int((scores > scores[true]).sum())
    return ranks


def _milliseconds(time: str) -> int:
    return sum(int(part) * unit for part, unit in zip(re.split("[:,.]", time.strip()), (3_600_000, 60_000, 1000, 1), strict=True))


def _cues(path: Path) -> list[tuple[int, int, str]]:
    cues = []
    for block in re.split(r"\n\s*\n", path.read_text("utf-8-sig").strip()):
        _, times, *text = block.splitlines()
        begin, end = map(_milliseconds, times.split("-->"))
        cues.append((begin, end, "".join(text)))
    return cues


def benchmark(folder: Path, scorer: Scorer) -> dict[str, float]:
    """success@1 of WINDOW_CUES-cue windows, filtered by stream only."""
    windows = []
    for path in sorted(folder.glob("streams/*/transcript.srt")):
        cues = _cues(path)
        groups = [cues[i : i + WINDOW_CUES] for i in range(max(1, len(cues) - WINDOW_CUES + 1))]
        windows += [(path.parent.name, group[0][0], group[-1][1], "".join(cue[2] for cue in group)) for group in groups]
    queries = [query for query in map(json.loads, (folder / "queries.jsonl").read_text("utf-8").splitlines()) if query["answers"]]
    asked, texts = [query["query"] for query in queries], [window[3] for window in windows]
    words, near = bm25(asked, texts), scorer(asked, texts)
    found = {"BM25 bigrams": words, "model": near} | {f"BM25 + {weight} × model": words + weight * near for weight in (0.25, 0.5, 1.0)}
    hits = {}
    for name, scores in found.items():
        right = 0
        for query, row in zip(queries, scores, strict=True):
            allowed = np.array([query["stream"] in (None, window[0]) for window in windows])
            stream, begin, end, _ = windows[int(np.argmax(np.where(allowed, row, -np.inf)))]
            right += any(stream == answer["stream"]
                         and 2 * (min(end, answer["to_ms"]) - max(begin, answer["from_ms"])) >= answer["to_ms"] - answer["from_ms"]
                         and end - begin <= answer["to_ms"] - answer["from_ms"] + LONGER_MS for answer in query["answers"])  # fmt: skip
        hits[name] = right / len(queries)
    return hits


def main(folder: Path, sets: Sequence[Path]) -> None:
    scorers = {"model": meaning(SentenceTransformer(str(folder), device="cpu")), "bigram overlap": overlap}
    print(f"{EACH * len(intents())} unseen questions over {STATEMENTS} unseen statements, mean of {ROUNDS} draws")
    for name, scorer in scorers.items():
        draws = [unseen_phrasings(scorer, 7_000 + number) for number in range(ROUNDS)]
        print(f"  {name:<16}" + "  ".join(f"{key} {np.mean([draw[key] for draw in draws]):.3f}" for key in draws[0]))
    print(f"demo session, rank of the true line among {len(lines())}")
    for name, scorer in scorers.items():
        print(f"  {name:<16}" + "  ".join(f"{question} {rank}" for question, rank in demo_ranks(scorer).items()))
    for each in sets:
        print(f"{each.name}, success@1 of {WINDOW_CUES}-cue windows")
        print("  " + "  ".join(f"{name} {value:.3f}" for name, value in benchmark(each, scorers["model"]).items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--bench", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    main(given.model, given.bench)
