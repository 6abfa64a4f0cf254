"""The question's way through the index: understand, gather candidates, rank spans, put corrections first, decide, quote.

Everything an answer needs is in the index. Words in doubt don't count as said: what only they answer is told apart (`search.doubt`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from archive.recording import Product, Recording
from archive.timeline import WallTime
from search.chinese import bigrams
from search.coverage import Coverage, cover, was_said
from search.doubt import besides, has_doubts, is_doubtful, lies_in, only_sure, rests_on_doubt, trimmed
from search.embeddings import Embedder
from search.indexes import Candidate, Filter, Index, Terms, of_one_moment
from search.matching import DEFAULT_WEIGHTS, Field, Floats, Rarity, Stretch, Weights, idf
from search.moments import Moment, moments_of
from search.products import Shelf
from search.query import Question, Term, products_meant, understand
from search.ranking import Asked, Span, rank_spans, without_overlaps
from search.understood import Understood

CANDIDATES = 160
PADDING_UNITS = 6
MOST_TERMS = 80
ANSWERING_SHARE = 0.5
CORRECTION_SHARE = 0.65


@dataclass(frozen=True, slots=True)
class Answer:
    """Where nothing was found, `moments` are the nearest things said. `not_heard`: words of the question that were heard nowhere.

    `doubtful`: what may have been said, by words that are in doubt. It counts neither as found nor among the moments, unless it was asked
    for; then it stands among them, behind what was surely said. `understood`: what was made of the question, where somebody is to be told.
    """

    question: str
    found: bool
    coverage: Coverage
    moments: tuple[Moment, ...]
    not_heard: tuple[str, ...]
    doubtful: tuple[Moment, ...] = ()
    understood: Understood | None = None


@of_one_moment
def ask(
    index: Index,
    question: str | Question,
    *,
    recording: str | None = None,
    product: str | None = None,
    host: str | None = None,
    since: WallTime | None = None,
    until: WallTime | None = None,
    platform: str | None = None,
    room: str | None = None,
    calls: bool = False,
    category: str | None = None,
    among: tuple[str, ...] | None = None,
    limit: int = 5,
    include_doubtful: bool = False,
    embedder: Embedder | None = None,
    weights: Weights = DEFAULT_WEIGHTS,
) -> Answer:
    """Finds where the host said it; with `calls`, where it was said in a video call. `among`: only in these recordings.

    `include_doubtful`: also what only words in doubt answer counts as found, behind what was surely said.

    `question`: as it was asked, or understood already. InvalidQuestion for an empty or overlong one.
    """
    plain = question if isinstance(question, Question) else understand(question)
    wanted = Filter(recording, product, host, platform, room, since, until, calls, among, category)
    heard, rarity = _rarity(index, plain)
    found = index.candidates(_terms(plain, rarity), wanted, CANDIDATES)
    near = index.nearest(embedder.embed_question(plain.stripped), wanted, CANDIDATES // 4) if embedder else []
    runs = _runs([*found, *near])
    stretches = [Stretch(run[0], units) for run, units in zip(runs, index.runs(runs), strict=True) if units]
    recordings = list(dict.fromkeys(stretch.recording_id for stretch in stretches))
    shelves = index.products(recordings)
    asked = _asked(plain, product, shelves, recordings)

    def ranked(over: Sequence[Stretch], *, sure: bool) -> list[Span]:
        field = Field([only_sure(stretch) for stretch in over] if sure else over)
        meaning = _meaning(field, near)
        if sure and meaning is not None:
            meaning[[is_doubtful(unit) for unit in field.units]] = 0.0
        spans = rank_spans(field, asked, rarity, meaning, weights)
        return _between(index, trimmed(over, spans) if sure else spans, since, until)

    best = _corrections_first(index, sure := ranked(stretches, sure=True), sure_only=True)
    said = [span for span in best if _answers(span, best[0])]
    maybe: list[Span] = []
    if doubtful := [stretch for stretch in stretches if has_doubts(stretch)]:
        undoubted = [span for span in sure if not any(lies_in(span, stretch) for stretch in doubtful)]
        every = without_overlaps([*undoubted, *ranked(doubtful, sure=False)])
        maybe = _maybe_said(_corrections_first(index, every, sure_only=False), said, doubtful)
    near_by = besides([span for span in best if span not in said], maybe)
    counted, apart = (maybe, []) if include_doubtful else ([], maybe)
    in_order = [*said, *counted, *near_by] if counted else [span for span in best if span in said or span in near_by]
    chosen = [(span, span in counted) for span in in_order[:limit]] + [(span, True) for span in apart[:limit]]
    shown = moments_of(index, chosen, stretches, shelves, asked)
    answering = [replace(moment, answers=span in said or span in counted) for moment, span in zip(shown, in_order[:limit], strict=False)]
    coverage, not_heard = cover(index.totals(wanted)), _not_heard(index, plain, heard, stretches, wanted)
    return Answer(plain.text, bool(said or counted), coverage, tuple(answering), not_heard, tuple(shown[len(answering) :]))


def _answers(span: Span, best: Span) -> bool:
    """Whether it is an answer beside the best one, which must be one too."""
    return was_said(best.parts) and was_said(span.parts) and span.score >= ANSWERING_SHARE * best.score


def _maybe_said(ranked: Sequence[Span], said: Sequence[Span], stretches: Sequence[Stretch]) -> list[Span]:
    """Of all that answers with doubtful words counted in: what rests on these and was not surely said."""
    doubtful: dict[str, frozenset[int]] = {}
    for stretch in stretches:
        numbers = frozenset(unit.unit.number for unit in stretch.units if is_doubtful(unit))
        doubtful[stretch.recording_id] = doubtful.get(stretch.recording_id, frozenset()) | numbers
    return besides([span for span in ranked if _answers(span, ranked[0]) and rests_on_doubt(span, doubtful)], said)


def _asked(plain: Question, product: str | None, shelves: Mapping[str, Sequence[Product]], recordings: Iterable[str]) -> Asked:
    """The question as each of these recordings' shelves lets it be read."""
    meant = {each: {product: 1.0} for each in recordings} if product else products_meant(plain, shelves)
    read = {
        each: plain.naming(Shelf(shelves[each]).spoken_names(wanted, plain.folded)) for each, wanted in meant.items() if shelves.get(each)
    }
    return Asked(plain, read, meant)


def _between(index: Index, spans: Sequence[Span], since: WallTime | None, until: WallTime | None) -> list[Span]:
    """Those that began at a time asked about: sessions pass the index's filter with all that they ran before and after it."""
    if since is None and until is None:
        return list(spans)
    entries = {span.recording_id: index.entry(span.recording_id) for span in spans}
    return [span for span in spans if (entry := entries[span.recording_id]) and _within(entry.recording, span.start_ms, since, until)]


def _within(recording: Recording, at_ms: int, since: WallTime | None, until: WallTime | None) -> bool:
    wall, _ = recording.wall_at(at_ms)
    return wall is not None and (since is None or wall >= since) and (until is None or wall < until)


def _rarity(index: Index, asked: Question) -> tuple[Mapping[str, Mapping[str, int]], Rarity]:
    """In how many passages the question's terms are heard, by channel, and what each is worth for that."""
    passages = max(index.passage_count(), 1)
    words = [term.text for term in asked.terms]
    terms = {"words": words, "grams": asked.grams, "sounds": asked.sounds, "concepts": list(asked.concepts)}
    heard = index.frequencies(terms)
    rarity = {channel: {term: idf(heard[channel].get(term, 0), passages) for term in asked} for channel, asked in terms.items()}
    # a word that was never heard is likelier a buyer's own word than the heart of the question
    known = [rarity["words"][word] for word in words if word in heard["words"]]
    ceiling = max(known) if known else 1.0
    rarity["words"] = {word: min(value, ceiling) for word, value in rarity["words"].items()}
    return heard, Rarity(rarity["words"], rarity["grams"], rarity["sounds"], rarity["concepts"])


def _terms(asked: Question, rarity: Rarity) -> Terms:
    def rarest(weights: Mapping[str, float]) -> dict[str, float]:
        return dict(sorted(weights.items(), key=lambda item: -item[1])[:MOST_TERMS])

    return Terms(
        {
            "words": rarest(_other_spellings(asked, rarity) | dict(rarity.words)),
            "grams": rarest(rarity.grams),
            "sounds": rarest(rarity.sounds),
            "concepts": rarest(rarity.concepts),
            "quantities": {key: 1.0 for quantity in asked.quantities for key in quantity.keys},
            "names": rarest(rarity.words),
            "chat": rarest(rarity.grams),
            "screen": rarest(rarity.grams),
        }
    )


def _other_spellings(asked: Question, rarity: Rarity) -> dict[str, float]:
    return {other.text: rarity.words[term.text] * other.weight for term in asked.terms for other in term.also}


def _runs(candidates: Sequence[Candidate]) -> list[tuple[str, int, int]]:
    """(recording, first, last) of the units around the candidates, joined where they touch."""
    around: dict[str, list[tuple[int, int]]] = {}
    for candidate in candidates:
        around.setdefault(candidate.recording_id, []).append((max(candidate.first - PADDING_UNITS, 0), candidate.last + PADDING_UNITS))
    runs: list[tuple[str, int, int]] = []
    for recording_id, spans in around.items():
        merged: list[list[int]] = []
        for first, last in sorted(spans):
            if merged and first <= merged[-1][1] + 1:
                merged[-1][1] = max(merged[-1][1], last)
            else:
                merged.append([first, last])
        runs.extend((recording_id, first, last) for first, last in merged)
    return runs


def _meaning(field: Field, near: Sequence[Candidate]) -> Floats | None:
    """By row, how far the meaning of its passages stands out, 0…1."""
    if not near:
        return None
    # models differ in how near unrelated texts lie: only what stands out from the nearest counts
    floor = min(candidate.score for candidate in near)
    meaning = np.zeros(len(field.units))
    row = 0
    for stretch in field.stretches:
        count, number = len(stretch.units), stretch.units[0].unit.number
        for candidate in near:
            if candidate.recording_id == stretch.recording_id and candidate.first < number + count and candidate.last >= number:
                covered = slice(row + max(candidate.first - number, 0), row + min(candidate.last - number + 1, count))
                meaning[covered] = np.maximum(meaning[covered], (candidate.score - floor) / max(1 - floor, 0.05))
        row += count
    return meaning


def _corrections_first(index: Index, ranked: Sequence[Span], *, sure_only: bool) -> list[Span]:
    """Where a claim among the best was taken back later, the correction goes before it; `sure_only`: unless that is in doubt."""
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
            if sure_only and any(map(is_doubtful, index.units(claim_span.recording_id, later.first, later.last))):
                continue
            corrected = replace(
                spans[at],
                score=max(spans[at].score, claim_span.score + 0.01),
                parts={**spans[at].parts, "corrects_ms": float(earlier.start_ms)},
            )
            spans[at] = corrected
    return sorted(spans, key=lambda span: -span.score)


def _not_heard(
    index: Index, asked: Question, heard: Mapping[str, Mapping[str, int]], stretches: Sequence[Stretch], wanted: Filter
) -> tuple[str, ...]:
    """Words of the question of which not even the character pairs are heard in what is searched."""
    field = Field(stretches)
    everywhere = Filter(calls=wanted.calls)

    def somewhere(gram: str) -> bool:
        if not heard["grams"].get(gram):
            return False
        return wanted == everywhere or bool(index.candidates(Terms({"grams": {gram: 1.0}}), wanted, 1))

    def found(term: Term) -> bool:
        return bool(field.find_text(term.text) or field.find_sound(term.sound) or any(field.find_word(other.text) for other in term.also))

    missing = [term.text for term in asked.terms if not found(term)]
    return tuple(text for text in missing if not all(map(somewhere, bigrams(text))))
