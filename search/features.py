"""What speaks for or against a window besides the question's words: its product, category, place in the talk and length."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Protocol

import numpy as np

from search.chinese import bigrams, fold
from search.concepts import CORRECTION_CONCEPT, load_lexicon
from search.matching import Field, Floats
from search.passages import IndexedUnit
from search.query import Question
from search.thoughts import asks
from search.windows import RunMaximum, Windows, run_sum

COMFORTABLE_MS = 11_000
LONG_MS = 18_000
CORRECTION_MS = 9_000
ABOUT_IT = 0.6


class AskedOf(Protocol):
    """The question as each recording understands it, and the products meant there."""

    @property
    def meant(self) -> Mapping[str, Mapping[str, float]]: ...

    def of(self, recording_id: str) -> Question: ...


def features_of(
    field: Field, windows: Windows, asked: AskedOf, taken_back: Floats, meaning: Floats | None, screen: Floats | None
) -> dict[str, Floats]:
    """By name, for each window. `taken_back`: by row, as `correction_zone` tells; `meaning` and `screen`: by row, how far they stand out,
    0…1. What is unknown is left out."""
    units = field.units
    opens = np.array([unit.unit.opens_thought for unit in units] + [True], dtype=float)
    ends = np.maximum(opens[1:], np.append(field.starts_stretch[1:], True))
    reads = np.array([unit.reads_question for unit in units], dtype=bool)
    asking = reads.copy()
    ending = np.unique(windows.last)
    asking[ending] |= np.array([asks(units[row].unit.text) for row in ending.tolist()], dtype=bool)
    durations = windows.end_ms - windows.start_ms
    features = {
        "category": RunMaximum(_category_shares(field, asked)).over(windows),
        "chat": RunMaximum(_chat_shares(field, asked)).over(windows),
        "correction": run_sum(taken_back, windows),
        "border": opens[windows.first] + ends[windows.last],
        # an answer doesn't end where something has just been asked
        "read_out_end": -1.0 * asking[windows.last],
        "read_out_start": -1.0 * (reads[windows.first] & (windows.last > windows.first)),
        "long": -1.0 * np.clip((durations - COMFORTABLE_MS) / (LONG_MS - COMFORTABLE_MS), 0, 1.5),
    }
    if asked.meant:
        about, foreign = _product(field, windows, asked.meant)
        features |= {"product": about, "other_product": foreign}
    if meaning is not None:
        features["meaning"] = RunMaximum(meaning).over(windows)
    if screen is not None:
        features["screen"] = RunMaximum(screen).over(windows)
    return features


def _product(field: Field, windows: Windows, meant: Mapping[str, Mapping[str, float]]) -> tuple[Floats, Floats]:
    """How far each window is about a product meant, on air or named (0…1), and how far about another one (−1…0): in a recording that
    sells none of them, altogether."""
    affinity = np.zeros(len(field.units))
    foreign = np.zeros(len(field.units), dtype=bool)
    row = 0
    for stretch in field.stretches:
        following = row + len(stretch.units)
        if stretch.recording_id in meant:
            affinity[row:following] = _affinity(stretch.units, meant[stretch.recording_id])
        else:
            foreign[row:following] = True
        row = following
    mean = run_sum(affinity, windows) / (windows.last - windows.first + 1)
    most = RunMaximum(affinity).over(windows)
    share = np.where(foreign[windows.first], -1.0, np.maximum(mean, np.where(most >= ABOUT_IT, most * 0.9, -1.0)))
    return np.maximum(share, 0.0), np.minimum(share, 0.0)


def _affinity(units: Sequence[IndexedUnit], meant: Mapping[str, float]) -> Floats:
    """How far each unit is about the products meant: 1 on air or named, −1 about another one, 0 unknown."""
    top = max(meant.values())
    values = np.zeros(len(units))
    for index, unit in enumerate(units):
        if not (unit.on_air or unit.named or unit.inferred):
            continue
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


def correction_zone(field: Field) -> Floats:
    """For each row its share of a correction: the words that take something back and up to 9 s after them. Each zone sums to 1."""
    units = field.units
    zone = np.zeros(len(units))
    index = 0
    while index < len(units):
        if not any(mention.concept == CORRECTION_CONCEPT for mention in units[index].mentions):
            index += 1
            continue
        end, last = index, int(field.last_of[index])
        while end < last and units[end + 1].unit.end_ms - units[index].unit.start_ms <= CORRECTION_MS:
            end += 1
        zone[index : end + 1] = 1 / (end + 1 - index)
        index = end + 1
    return zone


def _category_shares(field: Field, asked: AskedOf) -> Floats:
    """By row, the share of the question's categories that it speaks of."""
    category_of = _categories()
    shares = np.zeros(len(field.units))
    row = 0
    for stretch in field.stretches:
        wanted = asked.of(stretch.recording_id).categories
        total = sum(wanted.values())
        for unit in stretch.units:
            if total and unit.mentions and (spoken := {category_of.get(each.concept) for each in unit.mentions} & wanted.keys()):
                shares[row] = sum([weight for category, weight in wanted.items() if category in spoken]) / total
            row += 1
    return shares


@cache
def _categories() -> Mapping[str, str]:
    """Of the concepts that have one."""
    return {name: concept.category for name, concept in load_lexicon().concepts.items() if concept.category}


def _chat_shares(field: Field, asked: AskedOf) -> Floats:
    """By row, the share of the question's character pairs that the viewer's question has which is being answered there."""
    shares = np.zeros(len(field.units))
    wanted = set(asked.of("").grams)
    known: dict[str, float] = {"": 0.0}
    if wanted:
        for row, unit in enumerate(field.units):
            if unit.question not in known:
                known[unit.question] = len(wanted & set(bigrams(fold(unit.question).text))) / len(wanted)
            shares[row] = known[unit.question]
    return shares
