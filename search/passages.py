"""Passages: overlapping windows of units measured in time and thought, and everything derived from the words that stands beside them.

A passage is about 9 or about 20 s long whatever the cue length, ends at a pause, a topic turn or a change of product where one is near,
and never spans a silence. Every feature is empty where its source (products, events, chat, punctuation) is missing.
"""

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from archive.recording import Message, Product, Recording
from archive.screen_readings import ScreenText
from archive.transcript import doubts
from search.chinese import bigrams, fold, words
from search.concepts import load_lexicon
from search.foreign_names import said_pairs
from search.promises import Claim
from search.quantities import Quantity
from search.sound_letters import syllables_of
from search.sounds import sound_bigrams
from search.units import Unit, joined_text

LEVELS_MS = ((7_000, 12_000), (17_000, 25_000))
LIKELY = 0.5
# A screen full of writing says little of the moment.
MOST_SCREEN_GRAMS = 400


class Mention(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A concept spoken in a unit."""

    concept: str
    weight: float
    heard_as: bool


class IndexedUnit(msgspec.Struct, frozen=True, array_like=True):
    """A unit with what was found in it. `folded` and `sound` (its `sound_letters`, one a character) are for matching only.

    `on_air`, `named`, `inferred`: product ids by how they are known. `question`: the viewer's message that is being answered.
    """

    unit: Unit
    folded: str
    sound: str
    mentions: tuple[Mention, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    on_air: frozenset[str] = frozenset()
    named: tuple[tuple[str, float], ...] = ()
    inferred: tuple[tuple[str, float], ...] = ()
    question: str = ""
    reads_question: bool = False

    @property
    def sounds(self) -> list[str]:
        """One folded syllable for each character of `folded`."""
        return syllables_of(self.sound)


@dataclass(frozen=True, slots=True)
class Passage:
    """Units `first`…`last` (by number), with the terms they are found by.

    `names`: words by which the products meant are called, spoken or not; `screen`: character pairs of what stood on the screen.
    `categories` (of promise) and `doubtful` are what filters ask for.
    """

    first: int
    last: int
    start_ms: int
    end_ms: int
    level: int
    text: str
    words: tuple[str, ...]
    grams: tuple[str, ...]
    sounds: tuple[str, ...]
    concepts: tuple[str, ...]
    quantities: tuple[str, ...]
    chat: tuple[str, ...]
    names: tuple[str, ...] = ()
    screen: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class LinkedClaim:
    """A promise as stored. `corrects`: index of the earlier claim of this recording that it takes back."""

    claim: Claim
    corrects: int | None


@dataclass(frozen=True, slots=True)
class IndexedRecording:
    """All that search holds of one recording; enough to answer without the archive.

    `as_of` is the last custody entry whose files are in it, `embedder` names the model of its passages' vectors (empty: none).
    """

    recording: Recording
    units: tuple[IndexedUnit, ...]
    passages: tuple[Passage, ...]
    claims: tuple[LinkedClaim, ...]
    products: tuple[Product, ...]
    messages: tuple[Message, ...]
    transcribed_ms: int
    risky_ms: int
    segments: int
    transcript_version: int = 0
    as_of: int = 0
    embedder: str = ""


class Beside:
    """What stands beside the words of a passage: how its products are called, and what the screen showed."""

    def __init__(self, products: Sequence[Product], screen: Sequence[ScreenText]) -> None:
        self._names = {
            each.product_id: tuple(dict.fromkeys(word for name in (each.title, *each.aliases) for word in words(fold(name).text)))
            for each in products
            if each.title != each.product_id
        }
        lines = sorted(screen, key=lambda line: line.start_ms)
        self._starts = [line.start_ms for line in lines]
        self._screen = [(line.start_ms, line.end_ms, tuple(bigrams(fold(line.text).text))) for line in lines]
        self._longest = max((line.end_ms - line.start_ms for line in lines), default=0)

    def names(self, products: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for product in products for word in self._names.get(product, ())))

    def shown(self, start_ms: int, end_ms: int) -> tuple[str, ...]:
        first = bisect.bisect_left(self._starts, start_ms - self._longest)
        last = bisect.bisect_left(self._starts, end_ms)
        seen = (grams for begin, until, grams in self._screen[first:last] if until > start_ms and begin < end_ms)
        return tuple(dict.fromkeys(gram for grams in seen for gram in grams))[:MOST_SCREEN_GRAMS]


def passages_again(
    units: Sequence[IndexedUnit], products: Sequence[Product], spans: Iterable[tuple[int, int, tuple[str, ...]]]
) -> Iterable[Passage]:
    """Passages of a recording made anew from what is stored of it: its units by number from 0, its shelf, and for each passage
    (first, last, pairs of characters seen on the screen)."""
    beside = Beside(products, ())
    for first, last, screen in spans:
        yield replace(passage_of(units[first : last + 1], 0, beside), screen=screen)


def passage_of(units: Sequence[IndexedUnit], level: int, beside: Beside) -> Passage:
    folded = "".join(unit.folded for unit in units)
    sounds = [sound for unit in units for sound in unit.sounds]
    chat = " ".join(dict.fromkeys(unit.question for unit in units if unit.question))
    start_ms, end_ms = units[0].unit.start_ms, units[-1].unit.end_ms
    spoken = tuple(mention.concept for unit in units for mention in unit.mentions)
    concepts = load_lexicon().concepts
    return Passage(
        units[0].unit.number,
        units[-1].unit.number,
        start_ms,
        end_ms,
        level,
        joined_text([unit.unit for unit in units])[0],
        tuple(words(folded)),
        tuple(bigrams(folded)),
        (*sound_bigrams(sounds), *said_pairs(folded)),
        spoken,
        tuple(key for unit in units for quantity in unit.quantities for key in quantity.keys),
        tuple(bigrams(fold(chat).text)),
        beside.names(_products_of(units)),
        beside.shown(start_ms, end_ms),
        tuple(sorted({category for name in spoken if name in concepts and (category := concepts[name].category)})),
        any(doubts(unit.unit.risk) for unit in units),
    )


def _products_of(units: Sequence[IndexedUnit]) -> tuple[str, ...]:
    """On air or named in the units, or likely meant there."""
    known = {product for unit in units for product in unit.on_air}
    known |= {product for unit in units for product, weight in (*unit.named, *unit.inferred) if weight >= LIKELY}
    return tuple(sorted(known))
