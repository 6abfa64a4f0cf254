"""Passages: overlapping windows of units measured in time and thought, and everything derived from the words that stands beside them.

A passage is about 9 or about 20 s long whatever the cue length, ends at a pause, a topic turn or a change of product where one is near,
and never spans a silence. Every feature is empty where its source (products, events, chat, punctuation) is missing.
"""

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from archive.recording import Message, MessageKind, Product, ProductEvent, Recording
from archive.screen_readings import ScreenText
from archive.simplified import simplified_throughout
from archive.transcript import Segment, doubts
from search.chinese import bigrams, fold, normalise, words
from search.claims import claims_of
from search.concepts import load_lexicon
from search.foreign_names import said_pairs
from search.on_air import IMPORTED_SURE, Said, links_said, products_inferred, spoken_numbers
from search.on_screen import both, products_shown
from search.products import Shelf, on_air
from search.promises import Claim, link_corrections
from search.quantities import Quantity, find_quantities
from search.sound_letters import sound_letters, syllables_of
from search.sounds import sound_bigrams, syllables
from search.thoughts import end_of_thought
from search.units import Unit, cut_units, joined_text

LEVELS_MS = ((7_000, 12_000), (17_000, 25_000))
QUESTION_REACH_MS = 75_000
ANSWER_REACH_MS = 22_000
LIKELY = 0.5
# A screen full of writing says little of the moment.
MOST_SCREEN_GRAMS = 400
_ASKS = r"吗|嘛|么|呢|不|没|多少|几|哪|谁|怎么|啥|能不能|行不行|会不会|可不可以|是不是|有没有"
_READ_OUT = re.compile(rf"(?:问(?!题)|纹|有人说|有人打|看到有|那个谁|弹幕).{{0,24}}(?:{_ASKS})|问(?!题)")
_ASKING = re.compile(rf"{_ASKS}|[?？]")


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


def index_document(
    recording: Recording,
    segments: Sequence[Segment],
    products: Sequence[Product],
    events: Sequence[ProductEvent],
    messages: Sequence[Message],
    transcript_version: int = 0,
    screen: Sequence[ScreenText] = (),
) -> IndexedRecording:
    """Derives everything that is stored for a recording."""
    # Parts that came late have their segments behind those of later ones.
    segments = sorted(segments, key=lambda segment: (segment.start_ms, segment.end_ms, segment.number))
    units = cut_units(recording, segments)
    kept = [message for message in messages if not message.recalled and message.kind in (MessageKind.CHAT, MessageKind.PAID)]
    described = _describe(units)
    described = _place_products(described, products, events, screen)
    described = _join_chat(described, kept)
    spoken = [segment for segment in segments if segment.text.strip()]
    return IndexedRecording(
        recording,
        tuple(described),
        tuple(_cut_passages(described, _Beside(products, screen))),
        tuple(_claims(described)),
        tuple(products),
        tuple(sorted(kept, key=lambda message: message.at_ms)),
        _covered_ms([(segment.start_ms, segment.end_ms) for segment in spoken]),
        _covered_ms([(segment.start_ms, segment.end_ms) for segment in spoken if doubts(segment.risk)]),
        len(spoken),
        transcript_version,
    )


def _covered_ms(spans: Sequence[tuple[int, int]]) -> int:
    covered, reached = 0, 0
    for start, end in sorted(spans):
        covered += max(0, end - max(start, reached))
        reached = max(reached, end)
    return covered


def _describe(units: Sequence[Unit]) -> list[IndexedUnit]:
    """Concepts and quantities are looked for across unit borders, because recognisers break lines in the middle of a phrase."""
    if not units:
        return []
    text, offsets = joined_text(units)
    folded = fold(text)
    sounds = syllables(folded.text)
    owner = [bisect.bisect_right(offsets, origin) - 1 for origin in folded.origins]
    pieces: list[list[int]] = [[] for _ in units]
    for index, unit_index in enumerate(owner):
        pieces[unit_index].append(index)
    mentions: list[dict[str, Mention]] = [{} for _ in units]
    for hit in load_lexicon().find(folded.text, sounds):
        unit_index = owner[(hit.start + hit.end - 1) // 2]
        before = mentions[unit_index].get(hit.concept)
        if not before or before.weight < hit.weight:
            mentions[unit_index][hit.concept] = Mention(hit.concept, hit.weight, hit.heard_as)
    quantities: list[list[Quantity]] = [[] for _ in units]
    for quantity in find_quantities(text):
        quantities[bisect.bisect_right(offsets, quantity.start) - 1].append(quantity)
    return [
        IndexedUnit(
            unit,
            "".join(folded.text[index] for index in pieces[number]),
            sound_letters(sounds[index] for index in pieces[number]),
            tuple(mentions[number].values()),
            tuple(quantities[number]),
        )
        for number, unit in enumerate(units)
    ]


def _place_products(
    units: list[IndexedUnit], products: Sequence[Product], events: Sequence[ProductEvent], screen: Sequence[ScreenText]
) -> list[IndexedUnit]:
    if not products:
        return units
    shelf = Shelf(products)
    named = []
    for index, unit in enumerate(units):
        after = units[index + 1] if index + 1 < len(units) and not units[index + 1].unit.opens_thought else None
        # a name may be broken by the end of a line: it counts where it starts
        reach = 6 if after else 0
        folded = unit.folded + (after.folded[:reach] if after else "")
        found = shelf.named_in(folded, (*unit.sounds, *(after.sounds[:reach] if after else ())))
        if after and found:
            only_after = shelf.named_in(after.folded[:reach]) if reach else {}
            found = {product: weight for product, weight in found.items() if product not in only_after}
        named.append(found)
    known = [on_air(events, unit.unit.start_ms) for unit in units]
    inferred: list[dict[str, float]] = [{} for _ in units]
    if any(event.inferred for event in events):
        supposed = [on_air(events, unit.unit.start_ms, inferred=True) for unit in units]
        inferred = [dict.fromkeys(there - here, IMPORTED_SURE) for there, here in zip(supposed, known, strict=True)]
    if not any(known) and not any(inferred):
        # Nothing says what was on air: what was said and what cards showed tells it, and only as inferred.
        numbers = spoken_numbers(products)
        inferred = products_inferred(
            [
                Said(unit.unit.start_ms, unit.unit.end_ms, names | links_said(unit.folded, numbers))
                for unit, names in zip(units, named, strict=True)
            ]
        )
        shown = products_shown(products, screen, [(unit.unit.start_ms, unit.unit.end_ms) for unit in units])
        inferred = [both(by_speech, by_screen) for by_speech, by_screen in zip(inferred, shown, strict=True)]
    return [
        msgspec.structs.replace(
            unit, on_air=known[index], named=tuple(sorted(named[index].items())), inferred=tuple(sorted(inferred[index].items()))
        )
        for index, unit in enumerate(units)
    ]


def _join_chat(units: list[IndexedUnit], messages: Sequence[Message]) -> list[IndexedUnit]:
    """Marks units that read a viewer's question out, and hands the question on to the answer that follows."""
    questions = [
        (message.at_ms, message.text, set(bigrams(fold(message.text).text))) for message in messages if len(normalise(message.text)) >= 4
    ]
    joined: list[IndexedUnit] = []
    question, asked_ms = "", -ANSWER_REACH_MS
    for unit in units:
        reads = bool(_READ_OUT.search(simplified_throughout(unit.unit.text)))
        grams = set(bigrams(unit.folded))
        best, best_share = "", 0.5
        for at_ms, text, question_grams in questions:
            if -3_000 <= unit.unit.start_ms - at_ms <= QUESTION_REACH_MS:
                share = len(question_grams & grams) / len(question_grams)
                if share >= best_share:
                    best, best_share = text, share
        if best:
            question, asked_ms = best, unit.unit.start_ms
        elif unit.unit.start_ms - asked_ms > ANSWER_REACH_MS:
            question = ""
        # words of the question in a sentence that asks nothing are its answer's
        echoed = bool(best) and bool(_ASKING.search(simplified_throughout(unit.unit.text)))
        joined.append(msgspec.structs.replace(unit, question=question, reads_question=reads or echoed))
    return joined


class _Beside:
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


def _cut_passages(units: Sequence[IndexedUnit], beside: _Beside) -> list[Passage]:
    passages = []
    for level, (target, longest) in enumerate(LEVELS_MS):
        start = 0
        while start < len(units):
            end = end_of_thought(units, start, target, longest)
            passages.append(_passage(units[start : end + 1], level, beside))
            if end == len(units) - 1:
                break
            middle = units[start].unit.start_ms + target // 2
            start += 1
            while start <= end and units[start].unit.start_ms < middle:
                start += 1
    return passages


def passages_again(
    units: Sequence[IndexedUnit], products: Sequence[Product], spans: Iterable[tuple[int, int, tuple[str, ...]]]
) -> Iterable[Passage]:
    """Passages of a recording made anew from what is stored of it: its units by number from 0, its shelf, and for each passage
    (first, last, pairs of characters seen on the screen)."""
    beside = _Beside(products, ())
    for first, last, screen in spans:
        yield replace(_passage(units[first : last + 1], 0, beside), screen=screen)


def _passage(units: Sequence[IndexedUnit], level: int, beside: _Beside) -> Passage:
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


def _claims(units: Sequence[IndexedUnit]) -> list[LinkedClaim]:
    claims = claims_of(units)
    links = link_corrections(claims)
    return [LinkedClaim(claim, links.get(index)) for index, claim in enumerate(claims)]
