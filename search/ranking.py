"""Ranking spans: which run of units answers best, over all stretches of a question at once.

Every channel is the question's weight found in the span divided by the weight that the question itself has in that channel (its
self-score), so channels compare across questions; the sum is weighted and divided by the weights of the channels that the question uses.
Evidence is looked for at two lengths, the span and its surroundings. What is unknown (product, chat, meaning) adds and takes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from archive.transcript import doubts
from search.beginnings import Beginnings
from search.features import correction_zone, features_of
from search.matching import Field, Floats, Rarity, Reading, Rows, Weights, hits_of, reading_of, surroundings_of
from search.query import Question
from search.windows import SAME_SHARE, RunMaximum, Windows, windows_of

FINISH_MS = 17_000
LONGEST_MOMENT_MS = 19_500
OPENS_REACH_MS = 14_000
FINISH_PAUSE_MS = 2_600
KEPT_EVIDENCE = 0.98
LEAST_EVIDENCE = 0.02
ENOUGH_FOR_CORRECTION = 0.3
LONG_QUESTION = 8
KEPT_SPANS = 12


@dataclass(frozen=True, slots=True)
class Span:
    """Units `first`…`last` of a recording with what speaks for them. `parts` are the channels' shares, 0…1 before weighting.

    `core`: the least run of units inside that holds what was asked; what is promised is read there.
    """

    recording_id: str
    first: int
    last: int
    start_ms: int
    end_ms: int
    score: float
    parts: Mapping[str, float] = field(default_factory=dict)
    core: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as recordings understand it: `read` where a shelf tells names of products from what is asked, `plain` elsewhere.

    `meant`: by recording, the products asked about and how surely; absent where the recording's shelf has none of them.
    """

    plain: Question
    read: Mapping[str, Question]
    meant: Mapping[str, Mapping[str, float]]

    def of(self, recording_id: str) -> Question:
        return self.read.get(recording_id, self.plain)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the units of a question's stretches hold of it, before anything is weighed. `around`: hits within 10 s of each row.

    `taken_back`: by row, its share of a correction.
    """

    field: Field
    asked: Asked
    hits: Floats
    around: Floats
    windows: Windows
    taken_back: Floats
    features: Mapping[str, Floats]


def evidence_of(units: Field, asked: Asked, meaning: Floats | None = None, screen: Floats | None = None) -> Evidence:
    """`meaning`, `screen`: by row, how far what is meant or shown there stands out, 0…1."""
    hits = hits_of(units, asked.plain)
    windows = windows_of(units)
    near = RunMaximum(hits.max(axis=1, initial=0.0) if meaning is None else np.maximum(hits.max(axis=1, initial=0.0), meaning))
    windows = windows.only(near.over(windows) > 0)
    taken_back = correction_zone(units)
    features = features_of(units, windows, asked, taken_back, meaning, screen)
    return Evidence(units, asked, hits, surroundings_of(units, hits), windows, taken_back, features)


def rank_spans(evidence: Evidence, rarity: Rarity, weights: Weights, limit: int = KEPT_SPANS) -> list[Span]:
    """The best spans of all stretches without overlaps, best first."""
    units, windows, features = evidence.field, evidence.windows, evidence.features
    readings = _readings(units, evidence.asked, rarity, weights)
    if not units.units or not any(reading.channels for reading in readings):
        return []
    worth = np.column_stack([reading.total for reading in dict.fromkeys(readings)])
    column = {reading: number for number, reading in enumerate(dict.fromkeys(readings))}
    read_as = np.array([column[reading] for reading in readings])[units.stretch_at]
    base = _base(evidence.hits, worth, read_as, windows)
    around = (evidence.around @ worth)[np.arange(len(units.units)), read_as]
    words = (1 - weights.surroundings) * base + weights.surroundings * RunMaximum(around).over(windows)
    words *= 1 + weights.long * features["long"]
    added = {name: getattr(weights, name) * values for name, values in features.items() if name != "long"}
    added["correction"] *= np.minimum(base / ENOUGH_FOR_CORRECTION, 1.0)
    score = words + sum(added.values())
    score[(base <= LEAST_EVIDENCE) & (added.get("meaning", 0.0) <= 0)] = -np.inf
    spans, beginnings = [], Beginnings(units, evidence.hits, evidence.taken_back, evidence.asked.plain.folded)
    for index in windows.best(score, limit):
        if score[index] == -np.inf:
            break
        first, last = int(windows.first[index]), int(windows.last[index])
        reading = readings[int(windows.stretch[index])]
        parts = reading.shares(evidence.hits[first : last + 1].max(axis=0))
        parts |= {name: float(values[index]) for name, values in added.items()} | {
            "base": float(base[index]),
            "length": length_of(reading.question),
        }
        if "meaning" in features:
            parts["near"] = float(features["meaning"][index])
        spans.append(_tightened(evidence, first, last, float(score[index]), parts, beginnings, reading))
    return without_overlaps(spans)


def held_alone(units: Field, asked: Asked, rarity: Rarity, weights: Weights) -> Floats:
    """By row, the share of the question's words that it holds by itself, 0…1."""
    hits = hits_of(units, asked.plain)
    readings = _readings(units, asked, rarity, weights)
    worth = np.array([reading.total for reading in readings])[units.stretch_at]
    shares: Floats = (hits * worth).sum(axis=1)
    return shares


def length_of(question: Question) -> float:
    """How much is asked at once, 0…1: its content words, of LONG_QUESTION."""
    return min(len(question.terms), LONG_QUESTION) / LONG_QUESTION


def _readings(units: Field, asked: Asked, rarity: Rarity, weights: Weights) -> list[Reading]:
    """By stretch; where the same words name products there is one reading."""
    by_names: dict[tuple[tuple[int, int], ...], Reading] = {}
    readings = []
    for stretch in units.stretches:
        question = asked.of(stretch.recording_id)
        if question.names not in by_names:
            by_names[question.names] = reading_of(question, rarity, weights)
        readings.append(by_names[question.names])
    return readings


def _base(hits: Floats, worth: Floats, read_as: Rows, windows: Windows) -> Floats:
    """The share of the question that each window's words hold."""
    base = np.empty(len(windows.first))
    held, length, at = hits, 1, 0
    lengths = windows.last - windows.first + 1
    while at < len(base):
        following = int(np.searchsorted(lengths, length, side="right"))
        first = windows.first[at:following]
        shares = held @ worth
        base[at:following] = shares[first, read_as[first]]
        held = np.maximum(held[:-1], hits[length:])
        at, length = following, length + 1
    return base


def _tightened(
    evidence: Evidence, first: int, last: int, score: float, parts: Mapping[str, float], beginnings: Beginnings, reading: Reading
) -> Span:
    """The span of these rows, begun with the thought that answers and run on to the end of its thought."""
    units = evidence.field
    core_first, core_last = _core(first, last, evidence.hits, reading)
    first = beginnings.of(first, last, core_first, reading.total)
    core_first, core_last = max(core_first, first), max(core_last, first)
    last = _finish(units, first, last, core_first)
    number = [units.units[row].unit.number for row in (first, last, core_first, core_last)]
    start_ms, end_ms = int(units.starts[first]), int(units.ends[last])
    recording_id = units.stretches[int(units.stretch_at[first])].recording_id
    around = float(evidence.around[first : last + 1].max(axis=0) @ reading.total)
    whole = {**parts, "around": around, "taken_back": float(evidence.taken_back[first : last + 1].sum())}
    return Span(recording_id, number[0], number[1], start_ms, end_ms, score, whole, (number[2], number[3]))


def _core(first: int, last: int, hits: Floats, reading: Reading) -> tuple[int, int]:
    """The least run of rows that holds nearly all of what was asked."""
    from_here = np.maximum.accumulate(hits[first : last + 1][::-1])[::-1] @ reading.total
    enough = KEPT_EVIDENCE * from_here[0]
    core_first = first + int(np.flatnonzero(from_here >= enough)[-1])
    until_here = np.maximum.accumulate(hits[core_first : last + 1]) @ reading.total
    return core_first, core_first + int(np.argmax(until_here >= enough))


def _finish(units: Field, first: int, last: int, core: int) -> int:
    """Lets a short span run on to the end of its thought: what is promised mostly follows the words that were asked for."""
    border = int(units.last_of[last])
    answers_from = core
    while answers_from < last and units.units[answers_from].reads_question:
        answers_from += 1
    while last < border:
        here, after = units.units[last], units.units[last + 1]
        reach = int(units.ends[last + 1] - units.starts[answers_from])
        if units.ends[last + 1] - units.starts[first] > LONGEST_MOMENT_MS:
            break
        if reach > FINISH_MS or units.starts[last + 1] - units.ends[last] > FINISH_PAUSE_MS:
            break
        if doubts(after.unit.risk) and not doubts(here.unit.risk):
            break
        if after.reads_question or after.on_air != here.on_air or (after.unit.opens_thought and reach > OPENS_REACH_MS):
            break
        last += 1
    return last


def without_overlaps(spans: Iterable[Span], limit: int = KEPT_SPANS) -> list[Span]:
    """The best spans; a span that shares more than a third of the shorter one's time with a better one is left out."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda each: (-each.score, each.end_ms - each.start_ms)):
        if all(span.recording_id != better.recording_id or _overlap(span, better) <= SAME_SHARE for better in kept):
            kept.append(span)
            if len(kept) >= limit:
                break
    return kept


def _overlap(one: Span, other: Span) -> float:
    shared = min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)
    return shared / max(min(one.end_ms - one.start_ms, other.end_ms - other.start_ms), 1)
