"""Scores of a promise retrieval run: does the answer come first, among the first five, how near does it begin, is silence right?

A result hits when it covers at least half of an answer of its stream and is at most SLACK_MS longer than that answer.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SLACK_MS = 15_000
LOOKED_AT = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a stream, in ms."""

    stream: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A query of a set: any one of `answers` is a hit; none: the host never said it."""

    id: str
    text: str
    stream: str | None
    product: str | None
    kind: str
    answers: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What was answered: places best first, and whether it was said at all."""

    found: bool
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one query: the rank of the first hit and how far it begins from its answer (ms); None without a hit."""

    asked: Asked
    found: bool
    rank: int | None
    start_error_ms: int | None

    @property
    def first(self) -> bool:
        return self.rank == 1

    @property
    def among_five(self) -> bool:
        return self.rank is not None and self.rank <= 5

    @property
    def reciprocal(self) -> float:
        return 1 / self.rank if self.rank else 0.0


def read_query(row: Mapping[str, object]) -> Asked:
    """A line of `queries.jsonl`."""
    answers = row["answers"]
    assert isinstance(answers, list)
    places = tuple(Place(str(each["stream"]), int(each["from_ms"]), int(each["to_ms"])) for each in answers)
    stream, product = row.get("stream"), row.get("product")
    return Asked(
        str(row["id"]), str(row["query"]), str(stream) if stream else None, str(product) if product else None, str(row["kind"]), places
    )


def start_error(place: Place, answers: Iterable[Place]) -> int | None:
    """How far the place begins from the first answer that it hits, in ms."""
    for answer in answers:
        length = answer.to_ms - answer.from_ms
        covered = min(place.to_ms, answer.to_ms) - max(place.from_ms, answer.from_ms)
        if place.stream == answer.stream and 2 * covered >= length and place.to_ms - place.from_ms <= length + SLACK_MS:
            return abs(place.from_ms - answer.from_ms)
    return None


def outcome(asked: Asked, run: Run) -> Outcome:
    for rank, place in enumerate(run.places[:LOOKED_AT], 1):
        error = start_error(place, asked.answers)
        if error is not None:
            return Outcome(asked, run.found, rank, error)
    return Outcome(asked, run.found, None, None)


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares over the queries that have answers, and how often silence was right or wrong."""

    queries: int
    first: float
    among_five: float
    reciprocal: float
    start_error_ms: float | None
    unanswerable: int
    silent_right: int
    silent_wrong: int


def figures(outcomes: Sequence[Outcome]) -> Figures:
    answerable = [each for each in outcomes if each.asked.answers]
    errors = [each.start_error_ms for each in answerable if each.start_error_ms is not None]
    count = max(len(answerable), 1)
    return Figures(
        len(answerable),
        sum(each.first for each in answerable) / count,
        sum(each.among_five for each in answerable) / count,
        sum(each.reciprocal for each in answerable) / count,
        statistics.median(errors) if errors else None,
        len(outcomes) - len(answerable),
        sum(not each.found for each in outcomes if not each.asked.answers),
        sum(not each.found for each in answerable),
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """All of it and by kind, as lines."""
    lines = [f"{'kind':<12}{'n':>5}{'success@1':>11}{'success@5':>11}{'MRR@10':>9}"]
    kinds = sorted({each.asked.kind for each in outcomes if each.asked.answers})
    for name, chosen in (("all", list(outcomes)), *((kind, [each for each in outcomes if each.asked.kind == kind]) for kind in kinds)):
        found = figures(chosen)
        lines.append(f"{name:<12}{found.queries:>5}{found.first:>11.3f}{found.among_five:>11.3f}{found.reciprocal:>9.3f}")
    total = figures(outcomes)
    if total.start_error_ms is not None:
        lines.append(f"median start error of the first hit: {total.start_error_ms:.0f} ms")
    if total.unanswerable:
        lines.append(
            f"'not said' where it wasn't: {total.silent_right}/{total.unanswerable}; where it was: {total.silent_wrong}/{total.queries}"
        )
    return "\n".join(lines)
