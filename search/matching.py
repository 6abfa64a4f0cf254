"""Matching: what each unit of all stretches of a question holds of it, channel by channel, in one pass over their joined text.

A channel's worth is the question's own weight of each term; hits say how surely a unit holds it, by its characters or by its sound.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.chinese import is_word
from search.foreign_names import Spelled, could_hold_names, latin_names, spelled_as, spelled_in
from search.passages import IndexedUnit
from search.quantities import comparable, same_amount
from search.query import Question
from search.sound_letters import BORDER, sound_letters, syllables_of
from search.sounds import syllables

SURROUNDING_MS = 10_000
HEARD_WORD = 0.85
HAND_ON_MS = 9_000
HAND_ON = 0.7
KIN_CREDIT = 0.5
LIKE_AMOUNT = 0.2
# English talk is full of Latin words that are no names.
MOST_LATIN_NAMES = 200
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each channel counts among the words' (the first five), surroundings beside the span itself, and what is added to both."""

    words: float = 0.25
    grams: float = 0.30
    sounds: float = 0.18
    concepts: float = 0.30
    quantities: float = 0.10
    surroundings: float = 0.25
    meaning: float = 0.35
    product: float = 0.25
    other_product: float = 0.35
    category: float = 0.05
    chat: float = 0.08
    screen: float = 0.05
    correction: float = 0.10
    read_out_end: float = 0.06
    read_out_start: float = 0.02
    border: float = 0.01
    long: float = 0.04


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


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive units of one recording, at least one."""

    recording_id: str
    units: Sequence[IndexedUnit]

    def holds(self, number: int) -> bool:
        return self.units[0].unit.number <= number <= self.units[-1].unit.number


class Field:
    """All units of several stretches in rows, one stretch behind the other, with their texts and sounds joined.

    Nothing is found across the border of two stretches. `starts_stretch` marks each stretch's first row.
    """

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self.stretches = stretches
        self.units: list[IndexedUnit] = [unit for stretch in stretches for unit in stretch.units]
        self.starts: Rows = np.array([unit.unit.start_ms for unit in self.units], dtype=np.int64)
        self.ends: Rows = np.array([unit.unit.end_ms for unit in self.units], dtype=np.int64)
        sizes = np.array([len(stretch.units) for stretch in stretches], dtype=np.int64)
        self.stretch_at: Rows = np.repeat(np.arange(len(stretches)), sizes)
        self.last_of: Rows = np.repeat(np.cumsum(sizes) - 1, sizes)
        self.first_of: Rows = np.repeat(np.cumsum(sizes) - sizes, sizes)
        self.starts_stretch: NDArray[np.bool_] = np.zeros(len(self.units), dtype=bool)
        self.starts_stretch[self.first_of] = True
        self.text = BORDER.join("".join(unit.folded for unit in stretch.units) for stretch in stretches)
        letters = np.array([len(unit.folded) for unit in self.units], dtype=np.int64)
        borders = np.cumsum(self.starts_stretch) - 1
        self.offsets: Rows = np.cumsum(letters) - letters + borders

    @cached_property
    def sound(self) -> str:
        """One letter a syllable, each at the place of its character in `text`."""
        return BORDER.join("".join([unit.sound for unit in stretch.units]) for stretch in self.stretches)

    def rows(self, offsets: Sequence[int]) -> Rows:
        """The rows of the units in which these characters stand."""
        return np.searchsorted(self.offsets, offsets, side="right") - 1

    def find_text(self, term: str) -> list[int]:
        return list(_places(self.text, term))

    def find_word(self, word: str) -> list[int]:
        """Where a word stands or begins; a Latin one not inside another."""
        places = self.find_text(word)
        if not word.isascii():
            return places
        begins = set(self.offsets.tolist()) if places else set()
        return [at for at in places if at in begins or not (self.text[at - 1].isascii() and self.text[at - 1].isalpha())]

    def find_name(self, name: str) -> list[Spelled]:
        """Where a foreign name stands in the other script, as it sounds, with how surely."""
        if name.isascii():
            stretches = could_hold_names(self.text)
            spoken = [""] * len(self.text)
            for start, end in stretches:
                spoken[start:end] = syllables_of(self.sound[start:end])
            return spelled_in(name, self.text, spoken, stretches)
        sounds, latin = syllables(name), latin_names(self.text)
        alike = {word: spelled_as(sounds, word) for word in latin} if len(latin) <= MOST_LATIN_NAMES else {}
        return [Spelled(at, at + len(word), sure) for word, sure in alike.items() if sure for at in self.find_word(word)]

    def find_sound(self, sound: tuple[str, ...]) -> list[int]:
        """Where these folded syllables are spoken; one syllable alone proves nothing."""
        return list(_places(self.sound, sound_letters(sound))) if len(sound) > 1 and all(sound) else []


def _places(text: str, term: str) -> Iterator[int]:
    at = text.find(term)
    while at >= 0:
        yield at
        at = text.find(term, at + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """`columns` of the hits with what each term weighs to this question, in all `self_score`."""

    name: str
    weight: float
    columns: slice
    worth: Floats
    self_score: float


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a question weighs over the columns of the hits. `total`: each term's share of the whole question, all channels together."""

    question: Question
    channels: tuple[Channel, ...]
    total: Floats

    def shares(self, held: Floats) -> dict[str, float]:
        """Of one row of hits, how much of each channel's question it holds, 0…1."""
        return {each.name: float(held[each.columns] @ each.worth) / each.self_score for each in self.channels}


def reading_of(question: Question, rarity: Rarity, weights: Weights) -> Reading:
    """How the question weighs its terms."""
    columns = {
        "words": [rarity.words[term.text] * question.share_of(term.text) for term in question.terms],
        "grams": [rarity.grams[gram] * question.share_of(gram) for gram in question.grams],
        "sounds": [rarity.sounds[sound] for sound in question.sounds],
        # what a concept led to stands in for it where that is said instead: it is no further thing that is asked for
        "concepts": [rarity.concepts[name] * weight for name, weight in question.concepts.items() if name not in question.kin],
        "quantities": [1.0 if asked.unit else 0.6 for asked in question.quantities],
    }
    channels, at = [], 0
    for name, worth in columns.items():
        weight = getattr(weights, name)
        if weight and sum(worth) > 0:
            channels.append(Channel(name, weight, slice(at, at + len(worth)), np.array(worth), sum(worth)))
        at += len(worth)
    active = sum(channel.weight for channel in channels)
    total = np.zeros(at)
    for channel in channels:
        total[channel.columns] = channel.worth * (channel.weight / channel.self_score / active)
    return Reading(question, tuple(channels), total)


def hits_of(field: Field, question: Question) -> Floats:
    """Rows × terms of all channels in the order of `reading_of`, 0…1."""
    hits = np.zeros((len(field.units), len(question.terms) + len(question.grams) + len(question.sounds)))
    column = 0
    for term in question.terms:
        heard = field.find_sound(term.sound)
        if heard:
            # a word of its own that only sounds alike proves less
            worth = [
                HEARD_WORD if len(term.sound) > 2 or not is_word(field.text[at : at + len(term.sound)]) else HEARD_WORD / 2 for at in heard
            ]
            np.maximum.at(hits[:, column], field.rows(heard), worth)
        for other in term.also:
            found = [*field.find_word(other.text), *field.find_sound(other.sound)]
            np.maximum.at(hits[:, column], field.rows(found), other.weight)
        if term.names and (spelled := field.find_name(term.text)):
            np.maximum.at(hits[:, column], field.rows([each.start for each in spelled]), [HEARD_WORD * each.likeness for each in spelled])
        found = field.find_text(term.text)
        if found:
            hits[field.rows(found), column] = 1.0
        column += 1
    for gram in question.grams:
        found = field.find_text(gram)
        if found:
            hits[field.rows(found), column] = 1.0
        column += 1
    for sound in question.sounds:
        for rarer in (rarer for rarer, common in question.other_sounds.items() if common == sound):
            if found := field.find_sound(tuple(rarer.split("0"))):
                hits[field.rows(found), column] = HEARD_WORD
        found = field.find_sound(tuple(sound.split("0")))
        if found:
            hits[field.rows(found), column] = 1.0
        column += 1
    found_hits = np.hstack([hits, _concept_hits(field.units, question), _quantity_hits(field.units, question)])
    _hand_on(field, found_hits)
    return found_hits


def _concept_hits(units: Sequence[IndexedUnit], question: Question) -> Floats:
    """Kin of a concept are hits of that concept, by the weight of the link."""
    names = [name for name in question.concepts if name not in question.kin]
    columns = {name: (column, 1.0) for column, name in enumerate(names)}
    columns |= {name: (columns[source][0], KIN_CREDIT * link) for name, (source, link) in question.kin.items()}
    hits = np.zeros((len(units), len(names)))
    if columns:
        for row, unit in enumerate(units):
            for mention in unit.mentions:
                if mention.concept in columns:
                    column, link = columns[mention.concept]
                    hits[row, column] = max(hits[row, column], min(mention.weight, 1.0) * link)
    return hits


def _quantity_hits(units: Sequence[IndexedUnit], question: Question) -> Floats:
    hits = np.zeros((len(units), len(question.quantities)))
    if question.quantities:
        for row, unit in enumerate(units):
            for said in unit.quantities:
                for column, asked in enumerate(question.quantities):
                    if same_amount(asked, said):
                        hits[row, column] = 1.0
                    elif comparable(asked, said):
                        hits[row, column] = max(hits[row, column], LIKE_AMOUNT)
    return hits


def _hand_on(field: Field, hits: Floats) -> None:
    """What a read-out question says is also spoken of by the answer: its hits go on to what follows within 9 s."""
    reads = [row for row, unit in enumerate(field.units) if unit.reads_question]
    own = {row: HAND_ON * hits[row] for row in reads}
    for row in reads:
        for after in range(row + 1, min(row + 4, int(field.last_of[row]) + 1)):
            if field.starts[after] - field.ends[row] > HAND_ON_MS or field.units[after].reads_question:
                break
            np.maximum(hits[after], own[row], out=hits[after])


def surroundings_of(field: Field, hits: Floats) -> Floats:
    """For each row the most of each term that is found within 10 s before and after it."""
    # a stretch's times begin anew: each is shifted behind the one before it, so that one search serves all
    shift = _behind_each_other(field)
    starts, ends = field.starts + shift, field.ends + shift
    lows = np.searchsorted(ends, starts - SURROUNDING_MS)
    highs = np.searchsorted(starts, ends + SURROUNDING_MS)
    lows = np.clip(lows, field.first_of, np.arange(len(lows)))
    highs = np.clip(highs, np.arange(len(highs)) + 1, field.last_of + 1)
    borders = np.column_stack([lows, highs]).ravel()
    padded = np.vstack([hits, np.zeros((1, hits.shape[1]))])
    around: Floats = np.maximum.reduceat(padded, borders, axis=0)[::2]
    return around


def _behind_each_other(field: Field) -> Rows:
    firsts = np.flatnonzero(field.starts_stretch)
    begins = field.starts[firsts]
    lasts = np.maximum.reduceat(field.ends, firsts)
    spans = lasts - begins + 4 * SURROUNDING_MS
    placed = np.cumsum(spans) - spans - begins
    return np.repeat(placed, np.diff(np.append(firsts, len(field.units))))
