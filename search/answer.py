"""The question's way through the index: understand, gather candidates, rank spans, put corrections first, decide, quote.

Everything an answer needs is in the index. Quotes are the transcript's exact text (G6); pieces of different segments are joined by a space.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from archive.recording import Message, Product, Recording
from archive.screen_readings import ScreenText
from archive.timeline import WallTime, format_ms
from search.chinese import bigrams
from search.concepts import CORRECTION_CONCEPT, ConceptHit
from search.coverage import Coverage, confidence, cover, was_said
from search.embeddings import Embedder
from search.indexes import Candidate, Filter, Index, RecordingEntry, Terms
from search.matching import DEFAULT_WEIGHTS, Rarity, Stretch, Weights, idf
from search.passages import IndexedUnit
from search.products import Shelf
from search.promises import Promise, promise_in
from search.quantities import same_amount
from search.query import Question, products_meant, understand
from search.ranking import Span, rank_spans, without_overlaps

CANDIDATES = 160
PADDING_UNITS = 6
CONTEXT_MS = 12_000
CHAT_BEFORE_MS = 20_000
CHAT_AFTER_MS = 10_000
CHAT_LINES = 8
MOST_TERMS = 80
ANSWERING_SHARE = 0.5
CORRECTION_SHARE = 0.65


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a moment ranked: `kind` is one of word, sound, concept, quantity, product, chat, meaning, correction; `detail` names it."""

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

    `answers`: it answers the question by itself; the others are only near to it. `screen`: what stood on the screen then.
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


@dataclass(frozen=True, slots=True)
class Answer:
    """Where nothing was found, `moments` are the nearest things said. `not_heard`: words of the question that were heard nowhere."""

    question: str
    found: bool
    coverage: Coverage
    moments: tuple[Moment, ...]
    not_heard: tuple[str, ...]


def ask(
    index: Index,
    question: str,
    *,
    recording: str | None = None,
    product: str | None = None,
    host: str | None = None,
    since: WallTime | None = None,
    until: WallTime | None = None,
    calls: bool = False,
    among: tuple[str, ...] | None = None,
    limit: int = 5,
    embedder: Embedder | None = None,
    weights: Weights = DEFAULT_WEIGHTS,
) -> Answer:
    """Finds where the host said it; with `calls`, where it was said in a video call. `among`: only in these recordings.

    InvalidQuestion for an empty or overlong question.
    """
    asked = understand(question)
    wanted = Filter(recording, product, host, since, until, calls, among)
    entries = index.recordings(wanted)
    by_id = {entry.recording.id: entry for entry in entries}
    shelves = index.products(list(by_id))
    meant = {each: {product: 1.0} for each in by_id} if product else products_meant(asked, shelves)
    named = {
        each: asked.naming(Shelf(shelves[each]).spoken_names(wanted, asked.folded)) for each, wanted in meant.items() if shelves.get(each)
    }
    rarity = _rarity(index, asked)
    narrowed = None if wanted == Filter(calls=False) else list(by_id)
    candidates = index.candidates(_terms(asked, rarity), narrowed, CANDIDATES)
    near = index.nearest(embedder.embed_question(asked.stripped), narrowed, CANDIDATES // 4) if embedder else []
    stretches = _stretches(index, [*candidates, *near], by_id)
    spans: list[Span] = []
    for stretch in stretches:
        meaning = _meaning(stretch, near)
        spans.extend(
            rank_spans(
                stretch, named.get(stretch.recording_id, asked), rarity, meant.get(stretch.recording_id), bool(meant), meaning, weights
            )
        )
    in_time = [span for span in spans if _within(by_id[span.recording_id].recording, span.start_ms, since, until)]
    ranked = _corrections_first(index, without_overlaps(in_time))
    found = bool(ranked) and was_said(ranked[0].parts)
    moments = tuple(
        replace(
            _moment(index, span, by_id[span.recording_id], shelves.get(span.recording_id, []), named.get(span.recording_id, asked)),
            answers=found and was_said(span.parts) and span.score >= ANSWERING_SHARE * ranked[0].score,
        )
        for span in ranked[:limit]
    )
    return Answer(question, found, cover(entries), moments, _not_heard(index, asked, stretches, narrowed))


def _within(recording: Recording, at_ms: int, since: WallTime | None, until: WallTime | None) -> bool:
    if since is None and until is None:
        return True
    wall, _ = recording.wall_at(at_ms)
    return wall is not None and (since is None or wall >= since) and (until is None or wall < until)


def _rarity(index: Index, asked: Question) -> Rarity:
    passages = max(index.passage_count(), 1)

    def of(channel: str, terms: Sequence[str]) -> dict[str, float]:
        found = index.frequencies(channel, terms)
        return {term: idf(found.get(term, 0), passages) for term in terms}

    words = [term.text for term in asked.terms]
    rarity = of("words", words)
    heard = index.frequencies("words", words)
    # a word that was never heard is likelier a buyer's own word than the heart of the question
    known = [rarity[word] for word in words if word in heard]
    ceiling = max(known) if known else 1.0
    return Rarity(
        {word: min(value, ceiling) for word, value in rarity.items()},
        of("grams", asked.grams),
        of("sounds", asked.sounds),
        of("concepts", list(asked.concepts)),
    )


def _terms(asked: Question, rarity: Rarity) -> Terms:
    def rarest(weights: Mapping[str, float]) -> dict[str, float]:
        return dict(sorted(weights.items(), key=lambda item: -item[1])[:MOST_TERMS])

    return Terms(
        {
            "words": rarest(rarity.words),
            "grams": rarest(rarity.grams),
            "sounds": rarest(rarity.sounds),
            "concepts": rarest(rarity.concepts),
            "quantities": {quantity.key: 1.0 for quantity in asked.quantities},
            "chat": rarest(rarity.grams),
        }
    )


def _stretches(index: Index, candidates: Sequence[Candidate], entries: Mapping[str, RecordingEntry]) -> list[Stretch]:
    """Runs of units around the candidates, joined where they touch."""
    wanted: dict[str, list[tuple[int, int]]] = {}
    for candidate in candidates:
        if candidate.recording_id in entries:
            wanted.setdefault(candidate.recording_id, []).append((max(candidate.first - PADDING_UNITS, 0), candidate.last + PADDING_UNITS))
    stretches = []
    for recording_id, runs in wanted.items():
        merged: list[list[int]] = []
        for first, last in sorted(runs):
            if merged and first <= merged[-1][1] + 1:
                merged[-1][1] = max(merged[-1][1], last)
            else:
                merged.append([first, last])
        for first, last in merged:
            units = index.units(recording_id, first, last)
            if units:
                stretches.append(Stretch(recording_id, units))
    return stretches


def _meaning(stretch: Stretch, near: Sequence[Candidate]) -> dict[int, float] | None:
    """By unit index, how far the meaning of its passages stands out, 0…1."""
    if not near:
        return None
    first = stretch.units[0].unit.number
    last = stretch.units[-1].unit.number
    # models differ in how near unrelated texts lie: only what stands out from the nearest counts
    floor = min(candidate.score for candidate in near)
    cosines: dict[int, float] = {}
    for candidate in near:
        if candidate.recording_id == stretch.recording_id:
            for number in range(max(candidate.first, first), min(candidate.last, last) + 1):
                cosines[number - first] = max(cosines.get(number - first, 0.0), (candidate.score - floor) / max(1 - floor, 0.05))
    return cosines


def _corrections_first(index: Index, ranked: Sequence[Span]) -> list[Span]:
    """Where a claim among the best was taken back later, the correction goes before it."""
    spans = list(ranked)
    held = {recording_id: index.claims(recording_id) for recording_id in {span.recording_id for span in ranked[:3]}}
    for claim_span in ranked[:3]:
        claims = held[claim_span.recording_id]
        for linked in claims:
            if linked.corrects is None:
                continue
            earlier, later = claims[linked.corrects].claim, linked.claim
            if earlier.last < claim_span.first or earlier.first > claim_span.last:
                continue
            at = next(
                (
                    i
                    for i, span in enumerate(spans)
                    if span.recording_id == claim_span.recording_id and span.first <= later.last and span.last >= later.first
                ),
                None,
            )
            if at is None or spans[at].score < CORRECTION_SHARE * claim_span.score or spans[at] == claim_span:
                continue
            corrected = replace(
                spans[at],
                score=max(spans[at].score, claim_span.score + 0.01),
                parts={**spans[at].parts, "corrects_ms": float(earlier.start_ms)},
            )
            spans[at] = corrected
    return sorted(spans, key=lambda span: -span.score)


def _moment(index: Index, span: Span, entry: RecordingEntry, products: Sequence[Product], asked: Question) -> Moment:
    margin = 12
    units = index.units(span.recording_id, max(span.first - margin, 0), span.last + margin)
    inside = [unit for unit in units if span.first <= unit.unit.number <= span.last]
    before = [unit for unit in units if unit.unit.number < span.first and span.start_ms - unit.unit.start_ms <= CONTEXT_MS]
    after = [unit for unit in units if unit.unit.number > span.last and unit.unit.end_ms - span.end_ms <= CONTEXT_MS]
    core_first, core_last = span.core or (span.first, span.last)
    core = [unit for unit in inside if core_first <= unit.unit.number <= core_last]
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
        _quote(inside),
        _spoken_of(inside, products),
        _promise(core, asked),
        risk,
        round(min(max(span.score, 0.0), 1.0), 4),
        confidence(span.parts, risky=bool(risk)),
        _why(inside, span, asked, corrects),
        _quote(before),
        _quote(after),
        tuple(chat[:CHAT_LINES]),
        tuple(dict.fromkeys(unit.unit.segment for unit in inside)),
        int(corrects) if corrects is not None else None,
    )


def _promise(core: Sequence[IndexedUnit], asked: Question) -> Promise | None:
    """What the one utterance promises that says most of what was asked; read from all of them where none does alone."""
    alone = [promise for unit in core if (promise := _promise_of([unit], asked))]
    if not alone:
        return _promise_of(core, asked)

    def fit(promise: Promise) -> tuple[bool, int, bool, bool]:
        amount = promise.quantity
        asked_for = amount is not None and any(same_amount(wanted, amount) for wanted in asked.quantities)
        return asked_for, len(set(promise.topics) & set(asked.concepts)), promise.is_correction, amount is not None

    return max(alone, key=fit)


def _promise_of(units: Sequence[IndexedUnit], asked: Question) -> Promise | None:
    hits = [ConceptHit(mention.concept, "", 0, 0, mention.weight, mention.heard_as) for unit in units for mention in unit.mentions]
    return promise_in(_quote(units), hits, [quantity for unit in units for quantity in unit.quantities], asked.categories)


def _quote(units: Sequence[IndexedUnit]) -> str:
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


def _why(units: Sequence[IndexedUnit], span: Span, asked: Question, corrects: float | None) -> tuple[Reason, ...]:
    stretch = Stretch(span.recording_id, units)
    reasons: list[Reason] = []
    if corrects is not None:
        reasons.append(Reason("correction", format_ms(int(corrects))))
    elif any(mention.concept == CORRECTION_CONCEPT for unit in units for mention in unit.mentions):
        reasons.append(Reason("correction", ""))
    for term in asked.terms:
        if any(True for _ in stretch.find_text(term.text)):
            reasons.append(Reason("word", term.text))
        else:
            heard = next(iter(stretch.find_sound(term.sound)), None)
            if heard is not None:
                reasons.append(Reason("sound", f"{term.text}≈{stretch.text[heard : heard + len(term.sound)]}"))
    spoken = {mention.concept for unit in units for mention in unit.mentions}
    reasons.extend(Reason("concept", name) for name in asked.concepts if name in spoken)
    said = [quantity for unit in units for quantity in unit.quantities]
    reasons.extend(Reason("quantity", wanted.describe()) for wanted in asked.quantities if any(same_amount(wanted, each) for each in said))
    if span.parts.get("product", 0.0) > 0:
        how = "on_air" if any(unit.on_air for unit in units) else "mentioned" if any(unit.named for unit in units) else "inferred"
        reasons.append(Reason("product", how))
    answered = next((unit.question for unit in units if unit.question), "")
    if answered and span.parts.get("chat", 0.0) > 0:
        reasons.append(Reason("chat", answered))
    if span.parts.get("meaning", 0.0) > 0:
        reasons.append(Reason("meaning", f"{span.parts['meaning']:.2f}"))
    return tuple(reasons)


def _not_heard(index: Index, asked: Question, stretches: Sequence[Stretch], scope: list[str] | None) -> tuple[str, ...]:
    missing = []
    for term in asked.terms:
        if any(True for stretch in stretches for found in (stretch.find_text(term.text), stretch.find_sound(term.sound)) for _ in found):
            continue
        grams = bigrams(term.text)
        if not all(index.candidates(Terms({"grams": {gram: 1.0}}), scope, 1) for gram in grams):
            missing.append(term.text)
    return tuple(missing)
