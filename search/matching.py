"""Matching: what each unit of a stretch holds of a question, channel by channel.

A channel's worth is the question's own weight of each term; hits say how surely a unit holds it, by its characters or by its sound.
"""

import bisect
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.chinese import is_word
from search.passages import IndexedUnit
from search.quantities import comparable, same_amount
from search.query import Question
from search.sounds import fold_syllable

SURROUNDING_MS = 10_000
HEARD_WORD = 0.85
HAND_ON_MS = 9_000
HAND_ON = 0.7
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weights:
    """Share of each channel; the additive ones below the line are not divided."""

    words: float = 0.30
    grams: float = 0.20
    sounds: float = 0.12
    concepts: float = 0.26
    quantities: float = 0.16
    meaning: float = 0.30
    surroundings: float = 0.25
    product: float = 0.30
    other_product: float = 0.35
    category: float = 0.05
    chat: float = 0.08
    correction: float = 0.10
    read_out_end: float = 0.12
    read_out_start: float = 0.02
    border: float = 0.01


DEFAULT_WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Rarity:
    """Inverse document frequency by channel, of the question's terms."""

    words: Mapping[str, float]
    grams: Mapping[str, float]
    sounds: Mapping[str, float]
    concepts: Mapping[str, float]


def idf(frequency: int, passages: int) -> float:
    """BM25's inverse document frequency, ln(1 + (N − n + ½)/(n + ½)) (Robertson & Zaragoza 2009)."""
    return math.log(1 + (passages - frequency + 0.5) / (frequency + 0.5))


@dataclass(slots=True)
class Channel:
    """`hits`: units × terms; `worth`: what each term of the question weighs."""

    name: str
    weight: float
    hits: Floats
    worth: Floats
    self_score: float = 0.0

    def __post_init__(self) -> None:
        self.self_score = float(self.worth.sum())


class Stretch:
    """Consecutive units of one recording, prepared for matching one question."""

    def __init__(self, recording_id: str, units: Sequence[IndexedUnit]) -> None:
        self.recording_id = recording_id
        self.units = units
        self.text = "".join(unit.folded for unit in units)
        self.offsets: list[int] = []
        at = 0
        for unit in units:
            self.offsets.append(at)
            at += len(unit.folded)
        self.sounds = [fold_syllable(sound) for unit in units for sound in unit.sounds]
        self.sound_at: dict[str, list[int]] = defaultdict(list)
        for index, pair in enumerate(zip(self.sounds, self.sounds[1:], strict=False)):
            if all(pair):
                self.sound_at["0".join(pair)].append(index)
        self.starts = np.array([unit.unit.start_ms for unit in units])
        self.ends = np.array([unit.unit.end_ms for unit in units])

    def owner(self, offset: int) -> int:
        return bisect.bisect_right(self.offsets, offset) - 1

    def find_text(self, term: str) -> Iterable[int]:
        at = self.text.find(term)
        while at >= 0:
            yield at
            at = self.text.find(term, at + 1)

    def find_sound(self, sound: tuple[str, ...]) -> Iterable[int]:
        if len(sound) < 2:
            return
        for at in self.sound_at.get("0".join(sound[:2]), ()):
            if tuple(self.sounds[at : at + len(sound)]) == sound:
                yield at


def channels_of(stretch: Stretch, question: Question, rarity: Rarity, weights: Weights) -> list[Channel]:
    """Every channel of a question over a stretch; hits are units × terms, 0…1."""
    count = len(stretch.units)
    words = np.zeros((count, len(question.terms)))
    for column, term in enumerate(question.terms):
        for at in stretch.find_sound(term.sound):
            written = stretch.text[at : at + len(term.sound)]
            worth = HEARD_WORD if len(term.sound) > 2 or not is_word(written) else HEARD_WORD / 2
            words[stretch.owner(at), column] = max(words[stretch.owner(at), column], worth)
        for at in stretch.find_text(term.text):
            words[stretch.owner(at), column] = 1.0
    grams = np.zeros((count, len(question.grams)))
    for column, gram in enumerate(question.grams):
        for at in stretch.find_text(gram):
            grams[stretch.owner(at), column] = 1.0
    sounds = np.zeros((count, len(question.sounds)))
    for column, sound in enumerate(question.sounds):
        for at in stretch.sound_at.get(sound, ()):
            sounds[stretch.owner(at), column] = 1.0
    names = list(question.concepts)
    concepts = np.zeros((count, len(names)))
    quantities = np.zeros((count, len(question.quantities)))
    for row, unit in enumerate(stretch.units):
        for mention in unit.mentions:
            if mention.concept in question.concepts:
                column = names.index(mention.concept)
                concepts[row, column] = max(concepts[row, column], min(mention.weight, 1.0))
        for column, asked in enumerate(question.quantities):
            for said in unit.quantities:
                if same_amount(asked, said):
                    quantities[row, column] = 1.0
                elif comparable(asked, said):
                    quantities[row, column] = max(quantities[row, column], 0.2)
    for hits in (words, grams, sounds, concepts, quantities):
        _hand_on(stretch.units, hits)
    return [
        Channel(
            "words", weights.words, words, np.array([rarity.words[term.text] * question.share_of(term.text) for term in question.terms])
        ),
        Channel("grams", weights.grams, grams, np.array([rarity.grams[gram] * question.share_of(gram) for gram in question.grams])),
        Channel("sounds", weights.sounds, sounds, np.array([rarity.sounds[sound] for sound in question.sounds])),
        Channel("concepts", weights.concepts, concepts, np.array([rarity.concepts[name] * question.concepts[name] for name in names])),
        Channel("quantities", weights.quantities, quantities, np.array([1.0 if asked.unit else 0.6 for asked in question.quantities])),
    ]


def _hand_on(units: Sequence[IndexedUnit], hits: Floats) -> None:
    """What a read-out question says is also spoken of by the answer: its hits go on to what follows within 9 s."""
    if not hits.shape[1]:
        return
    own = hits.copy()
    for index, unit in enumerate(units):
        if unit.reads_question:
            for after in range(index + 1, min(index + 4, len(units))):
                if units[after].unit.start_ms - unit.unit.end_ms > HAND_ON_MS or units[after].reads_question:
                    break
                hits[after] = np.maximum(hits[after], HAND_ON * own[index])


def surroundings_of(stretch: Stretch, channels: Sequence[Channel], active: float) -> Floats:
    """For each unit the share of the question found within 10 s before and after it."""
    lows = np.searchsorted(stretch.ends, stretch.starts - SURROUNDING_MS).tolist()
    highs = np.searchsorted(stretch.starts, stretch.ends + SURROUNDING_MS).tolist()
    used = [channel for channel in channels if channel.self_score > 0]
    hits = np.hstack([channel.hits for channel in used])
    worth = np.concatenate([channel.worth * (channel.weight / channel.self_score / active) for channel in used])
    return np.array([hits[low:high].max(axis=0) @ worth for low, high in zip(lows, highs, strict=True)])
