"""What an answer is made of: moments with their exact words and times, the product, the promise, the doubts and why they ranked.

Quotes are the transcript's exact text (G6); pieces of different segments are joined by a space.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.recording import Message, Product
from archive.screen_readings import ScreenText
from archive.timeline import WallTime, format_ms
from archive.transcript import doubts
from search.concepts import CORRECTION_CONCEPT, ConceptHit
from search.coverage import confidence
from search.doubt import home_of, is_doubtful
from search.gathering import Gathered
from search.indexes import Index
from search.matching import Field, Stretch
from search.passages import IndexedUnit
from search.promises import Promise, as_worded, gist_of
from search.quantities import comparable, same_amount
from search.query import Question
from search.ranking import Span

CONTEXT_MS = 12_000
CHAT_BEFORE_MS = 20_000
CHAT_AFTER_MS = 10_000
CHAT_LINES = 8
_MARGIN_UNITS = 12


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a moment ranked: `kind` is one of word, sound, concept, quantity, product, chat, screen, meaning, read_together,
    denial, correction; `detail` names it."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class SpokenOf:
    """The product a moment is about. `how`: on_air, mentioned or inferred; `confidence`, 0…1, where it is inferred."""

    product_id: str
    title: str
    how: str
    shelf_no: str | None
    price_minor: int | None
    currency: str
    listing_text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A quote with the times of its words, on the recording's time line in ms. `score` 0…1, `confidence` high, medium or low.

    `answers`: it answers the question by itself; the others are only near to it. `doubtful`: what it answers with rests on words that may
    not be what was said, so it is no proof that the host said it: listen. `promise_doubtful`: the promise rests on such words. `risk`:
    what is said against any of its segments. `screen`: what stood on the screen then.
    """

    recording: str
    part: int | None
    start_ms: int
    end_ms: int
    wall_start: WallTime | None
    uncertainty_ms: int
    quote: str
    product: SpokenOf | None
    promise: Promise | None
    risk: tuple[str, ...]
    score: float
    confidence: str
    why: tuple[Reason, ...]
    context_before: str
    context_after: str
    chat: tuple[Message, ...]
    segments: tuple[int, ...]
    corrects_ms: int | None = None
    answers: bool = False
    screen: tuple[ScreenText, ...] = ()
    doubtful: bool = False
    promise_doubtful: bool = False


def moments_of(index: Index, spans: Sequence[tuple[Span, bool]], gathered: Gathered) -> list[Moment]:
    """The moments of spans, each with whether it was found by words that are in doubt."""
    moments = []
    for span, doubtful in spans:
        products, question = gathered.shelves.get(span.recording_id, ()), gathered.asked.of(span.recording_id)
        moments.append(_moment(index, span, _around(index, span, gathered.stretches), products, question, doubtful))
    return moments


def quoted(span: Span, stretches: Sequence[Stretch]) -> str:
    """The exact words of a span of these stretches."""
    units, number = _home_units(span, stretches)
    return quote_of(units[span.first - number : span.last - number + 1])


def _home_units(span: Span, stretches: Sequence[Stretch]) -> tuple[Sequence[IndexedUnit], int]:
    """The units of the stretch that a span was found in, and the first one's number."""
    home = home_of(span, stretches)
    if home is None:
        raise AssertionError("a span is of one of its question's stretches")
    return home.units, home.units[0].unit.number


def _around(index: Index, span: Span, stretches: Sequence[Stretch]) -> list[IndexedUnit]:
    """The span's units and those within CONTEXT_MS before and after it, read anew only where the stretch doesn't reach as far."""
    units, number = _home_units(span, stretches)
    before, after = units[: span.first - number], units[span.last - number + 1 :]
    if number and (not before or span.start_ms - before[0].unit.start_ms <= CONTEXT_MS):
        before = index.units(span.recording_id, max(span.first - _MARGIN_UNITS, 0), span.first - 1)
    if not after or after[-1].unit.end_ms - span.end_ms <= CONTEXT_MS:
        after = index.units(span.recording_id, span.last + 1, span.last + _MARGIN_UNITS)
    return [*before, *units[span.first - number : span.last - number + 1], *after]


def _moment(index: Index, span: Span, units: Sequence[IndexedUnit], products: Sequence[Product], asked: Question, doubtful: bool) -> Moment:
    inside = [unit for unit in units if span.first <= unit.unit.number <= span.last]
    before = [unit for unit in units if unit.unit.number < span.first and span.start_ms - unit.unit.start_ms <= CONTEXT_MS]
    after = [unit for unit in units if unit.unit.number > span.last and unit.unit.end_ms - span.end_ms <= CONTEXT_MS]
    core_first, core_last = span.core or (span.first, span.last)
    core = _holding([unit for unit in inside if core_first <= unit.unit.number <= core_last], inside)
    sure = [] if doubtful else [unit for unit in core if not is_doubtful(unit)]
    surely_promised = _promise(sure, asked)
    promised = surely_promised or _promise(core, asked)
    risk = tuple(dict.fromkeys(reason for unit in inside for reason in unit.unit.risk))
    first = inside[0].unit
    corrects = span.parts.get("corrects_ms")
    chat = index.messages(span.recording_id, span.start_ms - CHAT_BEFORE_MS, span.end_ms + CHAT_AFTER_MS)
    return Moment(
        span.recording_id,
        first.part,
        span.start_ms,
        span.end_ms,
        first.wall_start,
        first.uncertainty_ms,
        quote_of(inside),
        _spoken_of(inside, products),
        promised,
        risk,
        round(min(max(span.score, 0.0), 1.0), 4),
        "low" if doubtful else confidence(span.parts, risky=bool(doubts(risk))),
        _why(inside, span, asked, corrects, promised),
        quote_of(before),
        quote_of(after),
        tuple(chat[:CHAT_LINES]),
        tuple(dict.fromkeys(unit.unit.segment for unit in inside)),
        int(corrects) if corrects is not None else None,
        doubtful=doubtful,
        promise_doubtful=promised is not None and surely_promised is None and any(map(is_doubtful, core)),
    )


def _holding(core: Sequence[IndexedUnit], inside: Sequence[IndexedUnit]) -> Sequence[IndexedUnit]:
    """Where the promise is read: the core, or what is said instead where the moment takes an amount of the core back for another."""
    said = [quantity for unit in core for quantity in unit.quantities]
    is_taken_back = False
    for place, unit in enumerate(inside):
        is_taken_back = is_taken_back or any(mention.concept == CORRECTION_CONCEPT for mention in unit.mentions)
        if is_taken_back and any(comparable(one, other) and not same_amount(one, other) for one in said for other in unit.quantities):
            return inside[place:]
    return core


def _promise(core: Sequence[IndexedUnit], asked: Question) -> Promise | None:
    """What the one utterance promises that says most of what was asked; read from all of them where none does alone."""
    alone = [(gist, [unit]) for unit in core if (gist := _gist_of([unit], asked))]
    if not alone:
        gist = _gist_of(core, asked)
        return as_worded(gist, quote_of(core)) if gist else None

    def fit(said: tuple[Promise, Sequence[IndexedUnit]]) -> tuple[bool, int, bool, bool]:
        promise, amount = said[0], said[0].quantity
        asked_for = amount is not None and any(same_amount(wanted, amount) for wanted in asked.quantities)
        return asked_for, len(set(promise.topics) & set(asked.concepts)), promise.is_correction, amount is not None

    best, words = max(alone, key=fit)
    return as_worded(best, quote_of(words))


def _gist_of(units: Sequence[IndexedUnit], asked: Question) -> Promise | None:
    hits = [ConceptHit(mention.concept, "", 0, 0, mention.weight, mention.heard_as) for unit in units for mention in unit.mentions]
    return gist_of(hits, [quantity for unit in units for quantity in unit.quantities], asked.categories)


def quote_of(units: Sequence[IndexedUnit]) -> str:
    """The units' exact words; those of different segments are parted by a blank."""
    text = ""
    for index, unit in enumerate(units):
        text += ("" if not index or units[index - 1].unit.segment == unit.unit.segment else " ") + unit.unit.text
    return text.strip()


def _spoken_of(units: Sequence[IndexedUnit], products: Sequence[Product]) -> SpokenOf | None:
    """Named in the span before on air before inferred."""
    titles = {product.product_id: product for product in products}
    scores: dict[tuple[str, str], float] = {}
    for unit in units:
        for each, strength in unit.named:
            scores[each, "mentioned"] = max(scores.get((each, "mentioned"), 0.0), 1.0 + strength + (0.5 if each in unit.on_air else 0.0))
        for each in unit.on_air:
            scores[each, "on_air"] = scores.get((each, "on_air"), 1.5) + 0.01
        for each, strength in unit.inferred:
            scores[each, "inferred"] = max(scores.get((each, "inferred"), 0.0), strength)
    known = {key: score for key, score in scores.items() if key[0] in titles}
    if not known:
        return None
    product_id, how = max(known, key=lambda key: known[key])
    if (product_id, "on_air") in known:
        how = "on_air"
    product = titles[product_id]
    sure = round(known[product_id, how], 2) if how == "inferred" else None
    return SpokenOf(product_id, product.title, how, product.shelf_no, product.price_minor, product.currency, product.listing_text, sure)


def _why(units: Sequence[IndexedUnit], span: Span, asked: Question, corrects: float | None, promised: Promise | None) -> tuple[Reason, ...]:
    field = Field([Stretch(span.recording_id, units)])
    reasons: list[Reason] = []
    if corrects is not None:
        reasons.append(Reason("correction", format_ms(int(corrects))))
    elif any(mention.concept == CORRECTION_CONCEPT for unit in units for mention in unit.mentions):
        reasons.append(Reason("correction", ""))
    for term in asked.terms:
        if field.find_text(term.text):
            reasons.append(Reason("word", term.text))
        elif other := next((other.text for other in term.also if field.find_word(other.text)), ""):
            reasons.append(Reason("word", other))
        elif term.names and (spelled := field.find_name(term.text)):
            reasons.append(Reason("sound", f"{term.text}≈{field.text[spelled[0].start : spelled[0].end]}"))
        elif heard := field.find_sound(term.sound):
            reasons.append(Reason("sound", f"{term.text}≈{field.text[heard[0] : heard[0] + len(term.sound)]}"))
    spoken = {mention.concept for unit in units for mention in unit.mentions}
    reasons.extend(Reason("concept", _led_to(name, asked)) for name in asked.concepts if name in spoken)
    said = [quantity for unit in units for quantity in unit.quantities]
    reasons.extend(Reason("quantity", wanted.describe()) for wanted in asked.quantities if any(same_amount(wanted, each) for each in said))
    if span.parts.get("product", 0.0) > 0:
        how = "on_air" if any(unit.on_air for unit in units) else "mentioned" if any(unit.named for unit in units) else "inferred"
        reasons.append(Reason("product", how))
    answered = next((unit.question for unit in units if unit.question), "")
    if answered and span.parts.get("chat", 0.0) > 0:
        reasons.append(Reason("chat", answered))
    if span.parts.get("screen", 0.0) > 0:
        reasons.append(Reason("screen", ""))
    if asked.negative and promised is not None and promised.polarity == "denied":
        reasons.append(Reason("denial", ""))
    if "read_together" in span.parts:
        reasons.append(Reason("read_together", f"{span.parts['read_together']:.2f}"))
    if span.parts.get("meaning", 0.0) > 0:
        reasons.append(Reason("meaning", f"{span.parts['meaning']:.2f}"))
    return tuple(reasons)


def _led_to(concept: str, asked: Question) -> str:
    """A concept that only another one led to is told with it: what is said may be the opposite of what was complained of."""
    return f"{asked.kin[concept][0]}→{concept}" if concept in asked.kin else concept
