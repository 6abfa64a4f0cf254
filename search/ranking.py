"""Ranking spans: which run of units answers best.

Every channel is the question's weight found in the span divided by the weight that the question itself has in that channel (its
self-score), so channels compare across questions; the sum is weighted and divided by the weights of the channels that the question uses.
Evidence is looked for at two lengths, the span and its surroundings. What is unknown (product, chat, meaning) adds and takes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from archive.transcript import doubts
from search.chinese import bigrams, fold
from search.concepts import CORRECTION_CONCEPT, load_lexicon
from search.matching import Channel, Floats, Rarity, Stretch, Weights, channels_of, surroundings_of
from search.passages import IndexedUnit
from search.query import Question

LONGEST_MS = 18_000
COMFORTABLE_MS = 11_000
FINISH_MS = 12_500
FINISH_PAUSE_MS = 1_500
SHORT_MS = 4_500
SILENCE_MS = 4_000
CORRECTION_MS = 9_000
KEPT_EVIDENCE = 0.98
BREATH_MS = 300


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


def rank_spans(
    stretch: Stretch,
    question: Question,
    rarity: Rarity,
    meant: Mapping[str, float] | None,
    product_asked: bool,
    meaning: Mapping[int, float] | None,
    weights: Weights,
) -> list[Span]:
    """The best spans of a stretch without overlaps, best first.

    `meant`: products asked about in this recording. `product_asked`: the question names a product somewhere. `meaning`: cosine by unit
    index.
    """
    channels = channels_of(stretch, question, rarity, weights)
    active = sum(channel.weight for channel in channels if channel.self_score > 0)
    if not active:
        return []
    count = len(stretch.units)
    around = surroundings_of(stretch, channels, active)
    affinity = _affinity(stretch.units, meant) if meant else None
    category = np.array([_category_share(unit, question) for unit in stretch.units])
    chat = np.array([_chat_share(unit, question) for unit in stretch.units])
    zone = _correction_zone(stretch.units)
    opens = np.array([unit.unit.opens_thought for unit in stretch.units] + [True], dtype=float)
    near = np.array([meaning.get(index, 0.0) for index in range(count)]) if meaning else None
    reads = np.array([unit.reads_question for unit in stretch.units])
    found: list[Span] = []
    running = [channel.hits.copy() for channel in channels]
    silence = np.zeros(count, dtype=bool)
    silence[1:] = stretch.starts[1:] - stretch.ends[:-1] > SILENCE_MS
    alive = np.ones(count, dtype=bool)
    for length in range(1, count + 1):
        size = count - length + 1
        if length > 1:
            running = [np.maximum(held[:size], channel.hits[length - 1 :]) for held, channel in zip(running, channels, strict=True)]
            alive = alive[:size] & ~silence[length - 1 :]
        durations = stretch.ends[length - 1 :] - stretch.starts[:size]
        allowed = alive & ((durations <= LONGEST_MS) | (length == 1))
        if not allowed.any():
            break
        shares = {
            channel.name: held @ channel.worth / channel.self_score
            for channel, held in zip(channels, running, strict=True)
            if channel.self_score > 0
        }
        base = sum((channel.weight * shares[channel.name] for channel in channels if channel.name in shares), np.zeros(size)) / active
        context = np.max(np.stack([around[offset : offset + size] for offset in range(length)]), axis=0)
        score = (1 - weights.surroundings) * base + weights.surroundings * context
        extra: dict[str, Floats] = {
            "category": weights.category * _window(category, length, size).max(axis=0),
            "chat": weights.chat * _window(chat, length, size).max(axis=0),
            "correction": weights.correction * _window(zone, length, size).sum(axis=0) * np.minimum(base / 0.3, 1.0),
            "border": weights.border * (opens[:size] + opens[length : length + size]),
        }
        if affinity is not None:
            windows = _window(affinity, length, size)
            product = np.maximum(windows.mean(axis=0), np.where(windows.max(axis=0) >= 0.6, windows.max(axis=0) * 0.9, -1.0))
            extra["product"] = np.where(product > 0, weights.product, weights.other_product) * product
        elif product_asked:
            extra["product"] = np.full(size, -weights.other_product)
        if near is not None:
            extra["meaning"] = weights.meaning * _window(near, length, size).max(axis=0)
        total = score * _length_factor(durations) + sum(extra.values(), np.zeros(size))
        # an answer doesn't end where a viewer's question has just been read out
        total = np.where(reads[length - 1 :], total - weights.read_out_end, total)
        if length > 1:
            total = np.where(reads[:size], total - weights.read_out_start, total)
        speaks = base > 0.02 if near is None else (base > 0.02) | (extra["meaning"] > 0)
        for index in np.flatnonzero(allowed & speaks).tolist():
            parts = {name: float(values[index]) for name, values in (*shares.items(), *extra.items())} | {"base": float(base[index])}
            found.append(
                Span(
                    stretch.recording_id,
                    stretch.units[index].unit.number,
                    stretch.units[index + length - 1].unit.number,
                    int(stretch.starts[index]),
                    int(stretch.ends[index + length - 1]),
                    float(total[index]),
                    parts,
                )
            )
    return [_finish(stretch, _begin(stretch, span, channels)) for span in without_overlaps(found)]


def _begin(stretch: Stretch, span: Span, channels: Sequence[Channel]) -> Span:
    """Lets a span begin with the thought that answers: earlier ones that add nothing of what was asked are what came before it."""
    number = stretch.units[0].unit.number
    first, last = span.first - number, span.last - number

    def evidence(begin: int, end: int) -> float:
        used = (channel for channel in channels if channel.self_score > 0)
        return float(sum(c.weight * (c.hits[begin : end + 1].max(axis=0) @ c.worth) / c.self_score for c in used))

    enough = KEPT_EVIDENCE * evidence(first, last)
    core_first = max(begin for begin in range(first, last + 1) if evidence(begin, last) >= enough)
    core_last = min(end for end in range(core_first, last + 1) if evidence(core_first, end) >= enough)
    for begin in range(core_first, first, -1):
        unit = stretch.units[begin].unit
        if unit.opens_thought or unit.start_ms - stretch.units[begin - 1].unit.end_ms >= BREATH_MS:
            first = begin
            break
    start_ms = stretch.units[first].unit.start_ms
    return replace(span, first=first + number, start_ms=start_ms, core=(core_first + number, core_last + number))


def _finish(stretch: Stretch, span: Span) -> Span:
    """Lets a short span run on to the end of its thought: what is promised mostly follows the words that were asked for."""
    end = span.last - stretch.units[0].unit.number
    start = span.first - stretch.units[0].unit.number
    while end + 1 < len(stretch.units):
        after = stretch.units[end + 1]
        reach = after.unit.end_ms - span.start_ms
        if reach > FINISH_MS or after.unit.start_ms - stretch.units[end].unit.end_ms > FINISH_PAUSE_MS:
            break
        if doubts(after.unit.risk) and not doubts(stretch.units[end].unit.risk):
            break
        if after.reads_question or after.on_air != stretch.units[end].on_air or (after.unit.opens_thought and reach > COMFORTABLE_MS / 2):
            break
        end += 1
    return (
        replace(span, last=stretch.units[end].unit.number, end_ms=stretch.units[end].unit.end_ms)
        if end - start > span.last - span.first
        else span
    )


def without_overlaps(spans: Iterable[Span], limit: int = 40) -> list[Span]:
    """The best spans; a span that shares more than a third of the shorter one's time with a better one is left out."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda each: (-each.score, each.end_ms - each.start_ms)):
        if all(span.recording_id != better.recording_id or _overlap(span, better) <= 1 / 3 for better in kept):
            kept.append(span)
            if len(kept) >= limit:
                break
    return kept


def _overlap(one: Span, other: Span) -> float:
    shared = min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)
    return shared / max(min(one.end_ms - one.start_ms, other.end_ms - other.start_ms), 1)


def _window(values: Floats, length: int, size: int) -> Floats:
    return np.stack([values[offset : offset + size] for offset in range(length)])


def _length_factor(durations: NDArray[np.int64]) -> Floats:
    """1 between 4.5 and 11 s; a shorter span is rarely a whole promise, a longer one rarely tight."""
    short = 0.85 + 0.15 * np.clip(durations / SHORT_MS, 0, 1)
    long = 1 - 0.16 * np.clip((durations - COMFORTABLE_MS) / (LONGEST_MS - COMFORTABLE_MS), 0, 1.5)
    factor: Floats = short * long
    return factor


def _affinity(units: Sequence[IndexedUnit], meant: Mapping[str, float]) -> Floats:
    """How far each unit is about the products meant: 1 on air or named, −1 about another one, 0 unknown."""
    top = max(meant.values())
    values = np.zeros(len(units))
    for index, unit in enumerate(units):
        known = [meant[product] / top for product in unit.on_air if product in meant]
        known += [0.9 * meant[product] / top * strength for product, strength in unit.named if product in meant]
        known += [0.8 * meant[product] / top * strength for product, strength in unit.inferred if product in meant]
        if known:
            values[index] = max(known)
        elif unit.on_air or any(strength >= 0.7 for _, strength in unit.named):
            values[index] = -1.0
        elif unit.inferred:
            values[index] = -0.6 * max(strength for _, strength in unit.inferred)
    return values


def _correction_zone(units: Sequence[IndexedUnit]) -> Floats:
    """For each unit its share of a correction: the words that take something back and up to 7 s after them. Each zone sums to 1."""
    zone = np.zeros(len(units))
    index = 0
    while index < len(units):
        if not any(mention.concept == CORRECTION_CONCEPT for mention in units[index].mentions):
            index += 1
            continue
        end = index
        while end + 1 < len(units) and units[end + 1].unit.end_ms - units[index].unit.start_ms <= CORRECTION_MS:
            end += 1
        zone[index : end + 1] = 1 / (end + 1 - index)
        index = end + 1
    return zone


def _category_share(unit: IndexedUnit, question: Question) -> float:
    """The share of the question's categories that the unit speaks of."""
    total = sum(question.categories.values())
    if not total:
        return 0.0
    concepts = load_lexicon().concepts
    spoken = {concepts[mention.concept].category for mention in unit.mentions if mention.concept in concepts}
    return sum(weight for category, weight in question.categories.items() if category in spoken) / total


def _chat_share(unit: IndexedUnit, question: Question) -> float:
    if not unit.question or not question.grams:
        return 0.0
    asked = set(bigrams(fold(unit.question).text))
    return len(asked & set(question.grams)) / len(question.grams)
