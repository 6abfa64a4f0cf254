"""Fits the weights of ranking and the decision “not said” on sets whose answers may be known, and tells how far the fit can be trusted.

`python -m tests.benchmarks.retrieval_tuning SET_DIR… [--leave-one-out] [--rounds 1]`

Every set is loaded twice, whole and without products, events and chat. A weight is tried at a few coarse steps of its default, one weight
after the other, and kept where first hits, hits among five and reciprocal ranks together gain. With `--leave-one-out` this is done once a
stream, on all streams but that one, and it is scored on the one left out: what is gained there is gained anywhere.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from api.workplace import open_workplace
from archive.settings import ArchiveSettings
from search import coverage
from search.corrections import corrections_first
from search.doubt import hidden
from search.gathering import Gathered, gather
from search.indexes import Filter
from search.matching import DEFAULT_WEIGHTS, Field, Stretch, Weights
from search.query import understand
from search.ranking import Evidence, Span, evidence_of, rank_spans
from search.relevance import Place, Returned, Scores, score
from search.units import Unit
from tests.benchmarks.promise_retrieval import HEADING, Query, figures, load, queries_of

FITTED = ("words", "grams", "sounds", "concepts", "quantities", "surroundings", "meaning", "product")
STEPS = (0.6, 1.6)
LEAST_GAIN = 0.002
MOST_LOST = 0.04
LOOKED_AT = 14
RIDGE = 0.5
# How near a model puts what it wasn't trained on is not known from sets that it was made beside: its share is held down.
RIDGE_OF_MEANING = 5.0
# A question of which the answers are taken away is one that was never answered, and there are ten times as many of them.
WORTH_OF_TAKEN_AWAY = 0.4


@dataclass(frozen=True, slots=True)
class Task:
    """A query with what was gathered for it. `stream`: where it is answered, or asked."""

    query: Query
    stream: str
    gathered: Gathered
    evidence: Evidence

    def without_meaning(self) -> "Task":
        field = self.evidence.field
        return replace(
            self,
            gathered=replace(self.gathered, near=()),
            evidence=evidence_of(field, self.gathered.asked, None, self.gathered.screen(field)),
        )

    def with_answers_taken_away(self) -> "Task":
        """The query as if nobody had understood what answers it; all that is said around it stays."""
        answers = self.query.judged.answers

        def heard(stretch: Stretch) -> Stretch:
            there = [place for place in answers if place.recording == stretch.recording_id]
            units = [hidden(unit) if any(_meets(unit.unit, place) for place in there) else unit for unit in stretch.units]
            return Stretch(stretch.recording_id, units)

        field = Field([heard(stretch) for stretch in self.gathered.stretches])
        gone = {
            (stretch.recording_id, unit.unit.number)
            for stretch in self.gathered.stretches
            for unit in stretch.units
            if any(place.recording == stretch.recording_id and _meets(unit.unit, place) for place in answers)
        }
        near = [each for each in self.gathered.near if not any((each.recording_id, n) in gone for n in range(each.first, each.last + 1))]
        left = replace(self.gathered, near=near)
        evidence = evidence_of(field, left.asked, left.meaning(field), left.screen(field))
        return replace(self, gathered=left, evidence=evidence)

    def spans(self, weights: Weights) -> list[Span]:
        return corrections_first(rank_spans(self.evidence, self.gathered.rarity, weights, LOOKED_AT))


def tasks_of(set_dir: Path, home: Path, *, bare: bool) -> list[Task]:
    """All queries of a set, understood and gathered for once."""
    place = open_workplace(ArchiveSettings(home=home))
    load(place, set_dir, bare=bare)
    streams = sorted(folder.name for folder in (set_dir / "streams").iterdir())
    tasks = []
    for number, query in enumerate(queries_of(set_dir)):
        wanted = Filter(recording=query.stream, product=None if bare else query.product, calls=False)
        with place.index.reading():
            gathered = gather(place.index, understand(query.text), wanted, place.embedder)
        field = Field(gathered.stretches)
        evidence = evidence_of(field, gathered.asked, gathered.meaning(field), gathered.screen(field))
        answered = query.judged.answers[0].recording if query.judged.answers else query.stream
        tasks.append(Task(query, answered or streams[number % len(streams)], gathered, evidence))
    place.close()
    return tasks


def pooled(held: Iterable[tuple[Task, Weights, Callable[[Span], bool]]]) -> Scores:
    """Scores of queries, each asked with its weights and decided on by its decision."""
    run, judged = {}, []
    for number, (task, weights, said) in enumerate(held):
        spans = task.spans(weights)
        places = tuple(Place(span.recording_id, span.start_ms, span.end_ms) for span in spans[:10])
        # the same query of a set and of its bare twin are two
        judged.append(replace(task.query.judged, key=str(number)))
        run[str(number)] = Returned(places, bool(spans) and said(spans[0]))
    return score(judged, run)


def scored(tasks: Iterable[Task], weights: Weights, said: Callable[[Span], bool]) -> Scores:
    return pooled((task, weights, said) for task in tasks)


def said_by_default(span: Span) -> bool:
    return coverage.was_said(span.parts)


def fitted_weights(tasks: Sequence[Task], rounds: int) -> Weights:
    """Coordinate by coordinate from the defaults."""

    def worth(weights: Weights) -> float:
        found = scored(tasks, weights, said_by_default)
        return found.success_at_1 + found.success_at_5 + found.reciprocal_rank

    best = DEFAULT_WEIGHTS
    most = worth(best)
    for _ in range(rounds):
        for name in FITTED:
            for step in STEPS:
                tried = replace(best, **{name: round(getattr(DEFAULT_WEIGHTS, name) * step, 4)})
                gained = worth(tried)
                if gained > most + LEAST_GAIN:
                    best, most = tried, gained
    return best


def _meets(unit: Unit, place: Place) -> bool:
    return unit.start_ms < place.to_ms and unit.end_ms > place.from_ms


def _features(span: Span) -> list[float]:
    base = span.parts.get("base", 0.0)
    held = span.parts.get("around", base)
    return [1.0, held, span.parts.get("concepts", base), span.parts.get("near", 0.0), span.parts.get("length", 0.5)]


def fitted_decision(tasks: Sequence[Task], weights: Weights) -> tuple[list[float], Callable[[Span], bool]]:
    """A logistic over the same features as `search.coverage`, both classes weighing alike, and the floor that loses MOST_LOST of what has
    an answer."""
    spans = [(task.spans(weights), float(bool(task.query.judged.answers)), 1.0) for task in tasks]
    # of a correction the claim is left, which answers too
    also = [task for task in tasks if task.query.judged.answers and task.query.judged.kind != "correction"]
    spans += [(task.with_answers_taken_away().spans(weights), 0.0, WORTH_OF_TAKEN_AWAY) for task in also]
    rows = np.array([_features(found[0]) for found, _, _ in spans if found])
    answered = np.array([known for found, known, _ in spans if found])
    worth = np.array([each for found, _, each in spans if found])
    shares = worth * np.where(answered > 0, 0.5 / (worth @ answered), 0.5 / max(worth @ (1 - answered), 1e-9)) * len(rows)
    ridge = RIDGE * np.diag([0.0, 1.0, 1.0, RIDGE_OF_MEANING, 1.0])
    factors = np.zeros(rows.shape[1])
    for _ in range(30):
        likely = 1 / (1 + np.exp(-rows @ factors))
        slope = rows.T @ (shares * (answered - likely)) - ridge @ factors
        factors += np.linalg.solve((rows * (shares * likely * (1 - likely))[:, None]).T @ rows + ridge + 1e-9 * np.eye(len(factors)), slope)
    floor = float(np.quantile((rows @ factors)[answered > 0], MOST_LOST))

    def said(span: Span) -> bool:
        return float(np.array(_features(span)) @ factors) >= floor and span.parts.get("base", 0.0) >= coverage.LEAST_HEARD

    return [*map(float, factors), floor], said


def _rounded(factors: Sequence[float]) -> list[float]:
    return [round(factor, 2) for factor in factors]


def _changed(weights: Weights) -> dict[str, float]:
    return {name: getattr(weights, name) for name in FITTED if getattr(weights, name) != getattr(DEFAULT_WEIGHTS, name)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set_dirs", type=Path, nargs="+", metavar="SET_DIR")
    parser.add_argument("--leave-one-out", action="store_true", help="also fit on all streams but one, for each, and score on that one")
    parser.add_argument("--rounds", type=int, default=1, help="how often each weight is tried")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as homes:
        sets = {
            f"{set_dir.name[-10:]}{' bare' if bare else ''}": tasks_of(set_dir, Path(homes, f"{number}{bare}"), bare=bare)
            for number, set_dir in enumerate(options.set_dirs)
            for bare in (False, True)
        }
    every = [task for tasks in sets.values() for task in tasks]
    print("as it is", HEADING, *(figures(name, scored(tasks, DEFAULT_WEIGHTS, said_by_default)) for name, tasks in sets.items()), sep="\n")
    weights = fitted_weights(every, options.rounds)
    factors, said = fitted_decision(every, weights)
    print("\nfitted on all", HEADING, *(figures(name, scored(tasks, weights, said)) for name, tasks in sets.items()), sep="\n")
    deaf, _ = fitted_decision([task.without_meaning() for task in every], weights)
    print(f"weights {_changed(weights)}; decision (even, held, concepts, meaning, length; floor) {_rounded(factors)},")
    print(f"without meaning {_rounded(deaf)}")
    if options.leave_one_out:
        left_out: dict[str, list[tuple[Task, Weights, Callable[[Span], bool]]]] = {name: [] for name in sets}
        for stream in sorted({task.stream for task in every}):
            others = [task for task in every if task.stream != stream]
            without = fitted_weights(others, options.rounds)
            _, decides = fitted_decision(others, without)
            for name, tasks in sets.items():
                left_out[name] += [(task, without, decides) for task in tasks if task.stream == stream]
            print(f"without {stream}: {_changed(without)}", flush=True)
        print("\nleft out", HEADING, sep="\n")
        for name, held in left_out.items():
            print(figures(name, pooled(held)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
