"""How well answers fit what people judged: success@k, mean reciprocal rank, start error, and how often “not said” is right.

A result hits an answer if it covers at least half of it and is at most SLACK_MS longer, so that a long window can't win by holding
everything.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SLACK_MS = 15_000
DEPTH = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A span of a recording, in ms."""

    recording: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with the places that answer it, any one of which will do; none: it was never said. `kind`: any word to group by."""

    key: str
    answers: tuple[Place, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """What the system gave for a question: places, best first, and whether it holds that it was said at all."""

    places: tuple[Place, ...]
    found: bool = True


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares 0…1 over the questions with answers; counts of “not said”. `start_error_ms`: median of the first hits, None without any."""

    questions: int
    success_at_1: float
    success_at_5: float
    reciprocal_rank: float
    start_error_ms: float | None
    silent_rightly: int
    unanswerable: int
    silent_wrongly: int
    by_kind: Mapping[str, tuple[int, float, float]] = field(default_factory=dict)

    @property
    def answerable(self) -> int:
        return self.questions - self.unanswerable


def hit(place: Place, answers: Iterable[Place]) -> Place | None:
    """The first of the answers that a place hits."""
    for answer in answers:
        length = answer.to_ms - answer.from_ms
        covered = min(place.to_ms, answer.to_ms) - max(place.from_ms, answer.from_ms)
        fits = place.to_ms - place.from_ms <= length + SLACK_MS
        if place.recording == answer.recording and fits and 2 * covered >= length:
            return answer
    return None


def rank_of(returned: Returned, judged: Judged) -> int | None:
    """Rank, from 1, of the first place that hits; None if none of the first DEPTH does."""
    places = enumerate(returned.places[:DEPTH], 1)
    return next((rank for rank, place in places if hit(place, judged.answers)), None)


def score(questions: Sequence[Judged], run: Mapping[str, Returned]) -> Scores:
    """Scores a run, by `Judged.key`; a question that is missing from it counts as a miss that claims to have been said."""
    ranks: list[tuple[str, int | None]] = []
    errors: list[int] = []
    silent_rightly = silent_wrongly = unanswerable = 0
    for judged in questions:
        returned = run.get(judged.key, Returned(()))
        if not judged.answers:
            unanswerable += 1
            silent_rightly += not returned.found
            continue
        silent_wrongly += not returned.found
        rank = rank_of(returned, judged)
        ranks.append((judged.kind, rank))
        if rank is not None:
            first = returned.places[rank - 1]
            answer = hit(first, judged.answers)
            errors.extend([abs(first.from_ms - answer.from_ms)] if answer else [])
    every = [rank for _, rank in ranks]
    kinds = {kind: [rank for each, rank in ranks if each == kind] for kind in sorted({kind for kind, _ in ranks if kind})}
    return Scores(
        len(questions),
        _within(every, 1),
        _within(every, 5),
        sum(1 / rank for rank in every if rank) / len(every) if every else 0.0,
        statistics.median(errors) if errors else None,
        silent_rightly,
        unanswerable,
        silent_wrongly,
        {kind: (len(held), _within(held, 1), _within(held, 5)) for kind, held in kinds.items()},
    )


def _within(ranks: Sequence[int | None], depth: int) -> float:
    return sum(rank is not None and rank <= depth for rank in ranks) / len(ranks) if ranks else 0.0
