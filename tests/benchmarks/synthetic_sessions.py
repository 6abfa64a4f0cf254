"""Sessions made up for scale: real words of the trade in Zipf's proportions, with everything that the index keeps of them.

A session of two hours has 2,400 utterances of 3 s; its passages overlap as real ones do. They are put together from words that were folded,
sounded and looked up once, so that a million passages are made in a few minutes; session n is the same in every run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archive.recording import Product, Recording
from archive.timeline import WallTime
from search.chinese import FILLERS, bigrams, fold
from search.concepts import load_lexicon
from search.passages import IndexedRecording, IndexedUnit, Mention, Passage
from search.quantities import Quantity, find_quantities
from search.sound_letters import sound_letters
from search.sounds import sound_bigrams, syllables
from search.units import Unit

UNITS, UNIT_MS, WORDS_A_UNIT = 2400, 3000, 5
# (utterances of a passage, utterances from one to the next)
LEVELS = ((4, 2), (7, 4))
PASSAGES = sum((UNITS - size) // step + 1 for size, step in LEVELS)
WIDTH, TOPICS = 384, 3000
MADE_UP_WORDS = 12_000
HOSTS, ROOMS, PLATFORMS = 60, 120, ("抖音", "快手", "淘宝")
BEGINS = WallTime.parse("2024-01-01T12:00:00+08:00")
_AMOUNTS = ("三年", "七天", "四十八小时", "二百九十九元", "九十九块九", "百分之九十五", "一千克", "两米三", "假一赔十", "一百八十天")


@dataclass(frozen=True, slots=True)
class _Word:
    """A word with all that an utterance takes from it."""

    text: str
    sounds: tuple[str, ...]
    mentions: tuple[Mention, ...]
    quantities: tuple[Quantity, ...]


@lru_cache(maxsize=1)
def vocabulary() -> tuple[list[_Word], NDArray[np.float64]]:
    """The words, and how often each comes (Zipf's law), summed up."""
    lexicon = load_lexicon()
    chance = np.random.default_rng(7)
    terms = sorted({term for concept in lexicon.concepts.values() for term in concept.terms if 1 < len(term) <= 6 and not term.isascii()})
    chars = sorted({char for term in terms for char in term})
    pairs = chance.integers(0, len(chars), (MADE_UP_WORDS, 2))
    texts = [*terms, *_AMOUNTS, *(chars[one] + chars[other] for one, other in pairs.tolist()), *(f for f in FILLERS if not f.isascii())]
    texts = list(dict.fromkeys(texts))
    chance.shuffle(texts)
    words = []
    for text in texts:
        folded = fold(text).text
        hits = lexicon.find(folded)
        mentions = tuple({hit.concept: Mention(hit.concept, hit.weight, hit.heard_as) for hit in hits}.values())
        words.append(_Word(folded, tuple(syllables(folded)), mentions, tuple(find_quantities(text)) if text in _AMOUNTS else ()))
    shares = 1 / np.arange(1, len(words) + 1)
    return words, np.cumsum(shares) / shares.sum()


@lru_cache(maxsize=1)
def topics() -> NDArray[np.float32]:
    """What vectors lie around."""
    return np.random.default_rng(11).standard_normal((TOPICS, WIDTH)).astype(np.float32)


def recording(number: int, units: int = UNITS) -> Recording:
    started = BEGINS.plus_ms(number * 7_200_000)
    host, room = f"主播{number % HOSTS}", f"room{number % ROOMS}"
    platform = PLATFORMS[number % len(PLATFORMS)]
    return Recording(f"session-{number:06d}", platform, room, host, f"第{number}场", started, units * UNIT_MS, started)


def session(number: int, units: int = UNITS) -> tuple[IndexedRecording, NDArray[np.float32]]:
    """A session and one vector a passage."""
    words, summed = vocabulary()
    chance = np.random.default_rng([number, 3])
    drawn = np.searchsorted(summed, chance.random((units, WORDS_A_UNIT))).tolist()
    of = recording(number, units)
    shelf = [
        Product(f"p{number * 5 + place}", f"{words[(number * 31 + place * 7) % 2000].text}{place}号", str(place)) for place in range(5)
    ]
    said = []
    for place, picks in enumerate(drawn):
        spoken = [words[pick] for pick in picks]
        text = "".join(word.text for word in spoken)
        start = place * UNIT_MS
        wall, _ = of.wall_at(start)
        unit = Unit(
            place,
            place,
            None,
            start,
            start + UNIT_MS - 100,
            text,
            wall.epoch_ms if wall else None,
            1000,
            ("low_confidence",) if place % 97 == 0 else (),
            0.9,
            place % 9 == 0,
        )
        said.append(
            IndexedUnit(
                unit,
                text,
                sound_letters(sound for word in spoken for sound in word.sounds),
                tuple({mention.concept: mention for word in spoken for mention in word.mentions}.values()),
                tuple(quantity for word in spoken for quantity in word.quantities),
                frozenset((shelf[place * 5 // units].product_id,)),
            )
        )
    passages = list(_passages(said, [[words[pick].text for pick in picks] for picks in drawn], shelf))
    document = IndexedRecording(of, tuple(said), tuple(passages), (), tuple(shelf), (), units * UNIT_MS, 0, units, 1, number, "synthetic")
    near = chance.integers(0, TOPICS, len(passages))
    vectors = topics()[near] + 0.6 * chance.standard_normal((len(passages), WIDTH)).astype(np.float32)
    return document, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _passages(said: Sequence[IndexedUnit], words: Sequence[Sequence[str]], shelf: Sequence[Product]) -> Iterator[Passage]:
    concepts = load_lexicon().concepts
    for level, (size, step) in enumerate(LEVELS):
        for first in range(0, len(said) - size + 1, step):
            units = said[first : first + size]
            text = "".join(unit.folded for unit in units)
            spoken = tuple(mention.concept for unit in units for mention in unit.mentions)
            categories = {category for name in spoken if (category := concepts[name].category)}
            on_air = tuple(sorted({product for unit in units for product in unit.on_air}))
            yield Passage(
                first,
                first + size - 1,
                units[0].unit.start_ms,
                units[-1].unit.end_ms,
                level,
                text,
                tuple(word for each in words[first : first + size] for word in each if word not in FILLERS),
                tuple(bigrams(text)),
                tuple(sound_bigrams([sound for unit in units for sound in unit.sounds])),
                spoken,
                tuple(quantity.key for unit in units for quantity in unit.quantities),
                (),
                tuple(product.title for product in shelf if product.product_id in on_air),
                (),
                tuple(sorted(categories))[:2],
                any(unit.unit.risk for unit in units),
            )


def question(number: int, sessions: int) -> tuple[str, NDArray[np.float32]]:
    """What a buyer may ask about something that was said in one of the sessions, and the vector of it."""
    chance = np.random.default_rng([number, 5])
    document, vectors = session(int(chance.integers(0, sessions)))
    place = int(chance.integers(0, len(document.passages)))
    passage = document.passages[place]
    known = [word for word in dict.fromkeys(passage.words) if len(word) > 1]
    picked = chance.choice(len(known), min(len(known), int(chance.integers(3, 6))), replace=False)
    text = "有没有说过" + "".join(known[pick] for pick in picked)
    vector = vectors[place] + 0.02 * chance.standard_normal(WIDTH).astype(np.float32)
    return text, vector / np.linalg.norm(vector)
