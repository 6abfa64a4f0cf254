"""The question's way through the index: understand, gather candidates, rank spans, put corrections first, decide, quote.

Everything an answer needs is in the index. Words in doubt don't count as said: what only they answer is told apart (`search.doubt`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from archive.recording import Recording
from archive.timeline import WallTime
from search.chinese import bigrams
from search.coverage import Coverage, cover, was_said
from search.doubt import besides, has_doubts, is_doubtful, only_sure, rests_on_doubt, sure_meaning, trimmed
from search.embeddings import Embedder
from search.indexes import Candidate, Filter, Index, RecordingEntry, Terms, of_one_moment
from search.matching import DEFAULT_WEIGHTS, Rarity, Stretch, Weights, idf
from search.moments import Moment, moment_of
from search.products import Shelf
from search.query import Question, products_meant, understand
from search.ranking import Span, rank_spans, without_overlaps

CANDIDATES = 160
PADDING_UNITS = 6
MOST_TERMS = 80
ANSWERING_SHARE = 0.5
CORRECTION_SHARE = 0.65


@dataclass(frozen=True, slots=True)
class Answer:
    """Where nothing was found, `moments` are the nearest things said. `not_heard`: words of the question that were heard nowhere.

    `doubtful`: what may have been said, by words that are in doubt. It counts neither as found nor among the moments, unless it was asked
    for; then it stands among them, behind what was surely said.
    """

    question: str
    found: bool
    coverage: Coverage
    moments: tuple[Moment, ...]
    not_heard: tuple[str, ...]
    doubtful: tuple[Moment, ...] = ()


@of_one_moment
def ask(
    index: Index,
    question: str,
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

    InvalidQuestion for an empty or overlong question.
    """
    asked = understand(question)
    wanted = Filter(recording, product, host, platform, room, since, until, calls, among, category)
    rarity = _rarity(index, asked)
    candidates = index.candidates(_terms(asked, rarity), wanted, CANDIDATES)
    near = index.nearest(embedder.embed_question(asked.stripped), wanted, CANDIDATES // 4) if embedder else []
    by_id = _entries(index, [*candidates, *near])
    shelves = index.products(list(by_id))
    meant = {each: {product: 1.0} for each in by_id} if product else products_meant(asked, shelves)
    named = {
        each: asked.naming(Shelf(shelves[each]).spoken_names(wanted, asked.folded)) for each, wanted in meant.items() if shelves.get(each)
    }
    stretches = _stretches(index, [*candidates, *near], by_id)

    def ranked(stretch: Stretch, sure: bool) -> list[Span]:
        recording_id, near_to = stretch.recording_id, _meaning(stretch, near)
        given = only_sure(stretch) if sure else stretch
        meaning = sure_meaning(stretch, near_to) if sure else near_to
        spans = rank_spans(given, named.get(recording_id, asked), rarity, meant.get(recording_id), bool(meant), meaning, weights)
        held = by_id[recording_id].recording
        return [trimmed(stretch, span) if sure else span for span in spans if _within(held, span.start_ms, since, until)]

    def shown(span: Span, *, answers: bool, doubtful: bool = False) -> Moment:
        about = named.get(span.recording_id, asked)
        moment = moment_of(index, span, by_id[span.recording_id], shelves.get(span.recording_id, []), about, doubtful=doubtful)
        return replace(moment, answers=answers)

    in_doubt = {id(stretch) for stretch in stretches if has_doubts(stretch)}
    sure = [span for stretch in stretches for span in ranked(stretch, id(stretch) in in_doubt)]
    best = _corrections_first(index, without_overlaps(sure), sure_only=True)
    said = [span for span in best if _answers(span, best[0])]
    maybe: list[Span] = []
    if in_doubt:
        every = [span for stretch in stretches for span in ranked(stretch, sure=False)]
        maybe = _maybe_said(_corrections_first(index, without_overlaps(every), sure_only=False), said, stretches)
    near_by = besides([span for span in best if span not in said], maybe)
    counted, apart = (maybe, []) if include_doubtful else ([], maybe)
    in_order = [*said, *counted, *near_by] if counted else [span for span in best if span in said or span in near_by]
    moments = tuple(shown(span, answers=span in said or span in counted, doubtful=span in counted) for span in in_order[:limit])
    perhaps = tuple(shown(span, answers=False, doubtful=True) for span in apart[:limit])
    return Answer(
        question, bool(said or counted), cover(index.totals(wanted)), moments, _not_heard(index, asked, stretches, wanted), perhaps
    )


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


def _within(recording: Recording, at_ms: int, since: WallTime | None, until: WallTime | None) -> bool:
    if since is None and until is None:
        return True
    wall, _ = recording.wall_at(at_ms)
    return wall is not None and (since is None or wall >= since) and (until is None or wall < until)


def _rarity(index: Index, asked: Question) -> Rarity:
    passages = max(index.passage_count(), 1)
    words = [term.text for term in asked.terms]
    terms = {"words": words, "grams": asked.grams, "sounds": asked.sounds, "concepts": list(asked.concepts)}
    heard = index.frequencies(terms)
    rarity = {channel: {term: idf(heard[channel].get(term, 0), passages) for term in asked} for channel, asked in terms.items()}
    # a word that was never heard is likelier a buyer's own word than the heart of the question
    known = [rarity["words"][word] for word in words if word in heard["words"]]
    ceiling = max(known) if known else 1.0
    rarity["words"] = {word: min(value, ceiling) for word, value in rarity["words"].items()}
    return Rarity(rarity["words"], rarity["grams"], rarity["sounds"], rarity["concepts"])


def _entries(index: Index, candidates: Sequence[Candidate]) -> dict[str, RecordingEntry]:
    """The recordings that candidates lie in."""
    found = (index.entry(recording_id) for recording_id in dict.fromkeys(candidate.recording_id for candidate in candidates))
    return {entry.recording.id: entry for entry in found if entry}


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
            "names": rarest(rarity.words),
            "chat": rarest(rarity.grams),
            "screen": rarest(rarity.grams),
        }
    )


def _stretches(index: Index, candidates: Sequence[Candidate], entries: Mapping[str, RecordingEntry]) -> list[Stretch]:
    """Runs of units around the candidates, joined where they touch."""
    around: dict[str, list[tuple[int, int]]] = {}
    for candidate in candidates:
        if candidate.recording_id in entries:
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
    return [Stretch(run[0], units) for run, units in zip(runs, index.runs(runs), strict=True) if units]


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


def _not_heard(index: Index, asked: Question, stretches: Sequence[Stretch], wanted: Filter) -> tuple[str, ...]:
    missing = []
    for term in asked.terms:
        if any(True for stretch in stretches for found in (stretch.find_text(term.text), stretch.find_sound(term.sound)) for _ in found):
            continue
        grams = bigrams(term.text)
        if not all(index.candidates(Terms({"grams": {gram: 1.0}}), wanted, 1) for gram in grams):
            missing.append(term.text)
    return tuple(missing)
