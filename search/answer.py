"""The question's way through the index: understand, gather candidates, rank spans, put corrections first, decide, quote.

Everything an answer needs is in the index. Words in doubt don't count as said: what only they answer is told apart (`search.doubt`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from archive.recording import Recording
from archive.timeline import WallTime
from search.channels import Channel, weights_without
from search.chinese import bigrams, is_chinese
from search.corrections import corrections_first
from search.coverage import Coverage, cover, was_said
from search.cross_encoder import HEAD, CrossEncoder, read_again
from search.doubt import beside_doubts, besides, has_doubts, is_doubtful, lies_in, only_sure, rests_on_doubt, trimmed
from search.embeddings import Embedder
from search.gathering import Gathered, gather
from search.indexes import Filter, Index, Terms, of_one_moment
from search.matching import DEFAULT_WEIGHTS, Field, Stretch, Weights
from search.moments import Moment, moments_of, quoted
from search.query import Question, Term, understand
from search.ranking import KEPT_SPANS, Span, evidence_of, held_alone, rank_spans, without_overlaps
from search.understood import Understood

ANSWERING_SHARE = 0.5
# Less of a question than this in words that are in doubt is chance: a pair of characters of fifteen.
DOUBT_MATTERS = 0.08


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
    cross_encoder: CrossEncoder | None = None,
    weights: Weights = DEFAULT_WEIGHTS,
    without: frozenset[Channel] = frozenset(),
) -> Answer:
    """Finds where the host said it; with `calls`, where it was said in a video call. `among`: only in these recordings.

    `include_doubtful`: also what only words in doubt answer counts as found, behind what was surely said. `without`: as if these channels
    were not there, to see what they are worth.

    `cross_encoder` reads the first spans again and orders them; it doesn't decide what was said.

    `question`: as it was asked, or understood already. InvalidQuestion for an empty or overlong one.
    """
    plain = question if isinstance(question, Question) else understand(question)
    wanted = Filter(recording, product, host, platform, room, since, until, calls, among, category)
    weights = weights_without(weights, without)
    gathered = gather(index, plain, wanted, embedder, without)
    stretches = gathered.stretches
    most = max(KEPT_SPANS, 2 * limit)

    def ranked(over: Sequence[Stretch], *, sure: bool) -> list[Span]:
        field = Field([only_sure(stretch) for stretch in over] if sure else over)
        meaning, screen = gathered.meaning(field), gathered.screen(field)
        if sure and meaning is not None:
            meaning[[is_doubtful(unit) for unit in field.units]] = 0.0
        spans = rank_spans(evidence_of(field, gathered.asked, meaning, screen), gathered.rarity, weights, most)
        return _between(index, trimmed(over, spans) if sure else spans, since, until)

    def corrected(spans: Sequence[Span]) -> list[Span]:
        return list(spans) if "corrections" in without else corrections_first(spans)

    def reread(spans: Sequence[Span], model: CrossEncoder) -> list[Span]:
        read = read_again(spans[:HEAD], [quoted(span, stretches) for span in spans[:HEAD]], plain.stripped, model)
        return corrected([*read, *spans[HEAD:]])

    best = corrected(sure := ranked(stretches, sure=True))
    in_chinese = is_chinese(plain.folded)
    said = _answering(best, in_chinese)
    maybe: list[Span] = []
    if doubtful := _doubtful(gathered, weights):
        undoubted = [span for span in sure if not any(lies_in(span, stretch) for stretch in doubtful)]
        every = without_overlaps([*undoubted, *ranked(doubtful, sure=False)], most)
        maybe = _maybe_said(_answering(corrected(every), in_chinese), said, doubtful)
    near_by = besides([span for span in best if span not in said], maybe)
    counted, apart = (maybe, []) if include_doubtful else ([], maybe)
    in_order = [*said, *counted, *near_by] if counted else [span for span in best if span in said or span in near_by]
    if cross_encoder is not None:
        said, near_by = (reread(said, cross_encoder), near_by) if said else (said, reread(near_by, cross_encoder))
        in_order = [*said, *counted, *near_by]
    chosen = [(span, span in counted) for span in in_order[:limit]] + [(span, True) for span in apart[:limit]]
    shown = moments_of(index, chosen, gathered)
    answering = [replace(moment, answers=span in said or span in counted) for moment, span in zip(shown, in_order[:limit], strict=False)]
    coverage, not_heard = cover(index.totals(wanted)), _not_heard(index, gathered, wanted)
    return Answer(plain.text, bool(said or counted), coverage, tuple(answering), not_heard, tuple(shown[len(answering) :]))


def _doubtful(gathered: Gathered, weights: Weights) -> list[Stretch]:
    """Those whose words in doubt have to do with the question."""
    doubtful = [stretch for stretch in gathered.stretches if has_doubts(stretch)]
    beside = [(stretch, near) for stretch in doubtful for near in beside_doubts(stretch)]
    if not beside:
        return []
    field = Field([near for _, near in beside])
    held = np.maximum.reduceat(held_alone(field, gathered.asked, gathered.rarity, weights), np.flatnonzero(field.starts_stretch))
    concerned = {id(stretch) for (stretch, _), share in zip(beside, held.tolist(), strict=True) if share >= DOUBT_MATTERS}
    return [stretch for stretch in doubtful if id(stretch) in concerned]


def _answering(ranked: Sequence[Span], in_chinese: bool) -> list[Span]:
    """Those that answer beside the best one, which must be an answer too."""
    if not ranked or not was_said(ranked[0].parts, in_chinese=in_chinese):
        return []
    near = [span for span in ranked if span.score >= ANSWERING_SHARE * ranked[0].score]
    return [span for span in near if was_said(span.parts, in_chinese=in_chinese)]


def _maybe_said(answering: Sequence[Span], said: Sequence[Span], stretches: Sequence[Stretch]) -> list[Span]:
    """Of all that answers with doubtful words counted in: what rests on these and was not surely said."""
    doubtful: dict[str, frozenset[int]] = {}
    for stretch in stretches:
        numbers = frozenset(unit.unit.number for unit in stretch.units if is_doubtful(unit))
        doubtful[stretch.recording_id] = doubtful.get(stretch.recording_id, frozenset()) | numbers
    return besides([span for span in answering if rests_on_doubt(span, doubtful)], said)


def _between(index: Index, spans: Sequence[Span], since: WallTime | None, until: WallTime | None) -> list[Span]:
    """Those that began at a time asked about: sessions pass the index's filter with all that they ran before and after it."""
    if since is None and until is None:
        return list(spans)
    entries = {span.recording_id: index.entry(span.recording_id) for span in spans}
    return [span for span in spans if (entry := entries[span.recording_id]) and _within(entry.recording, span.start_ms, since, until)]


def _within(recording: Recording, at_ms: int, since: WallTime | None, until: WallTime | None) -> bool:
    wall, _ = recording.wall_at(at_ms)
    return wall is not None and (since is None or wall >= since) and (until is None or wall < until)


def _not_heard(index: Index, gathered: Gathered, wanted: Filter) -> tuple[str, ...]:
    """Words of the question of which not even the character pairs are heard in what is searched."""
    field, heard = Field(gathered.stretches), gathered.heard["grams"]
    everywhere = Filter(calls=wanted.calls)

    def found(term: Term) -> bool:
        also = any(field.find_word(other.text) or field.find_sound(other.sound) for other in term.also)
        return bool(field.find_text(term.text) or field.find_sound(term.sound) or also or (term.names and field.find_name(term.text)))

    def somewhere(gram: str) -> bool:
        return gram in heard and (wanted == everywhere or bool(index.candidates(Terms({"grams": {gram: 1.0}}), wanted, 1)))

    missing = [term.text for term in gathered.asked.plain.terms if not found(term)]
    return tuple(text for text in missing if not all(map(somewhere, bigrams(text))))
