"""Putting a recording's words into the index: all of them, or what has come since the last time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import structlog

from archive.recording import Message, Product, ProductEvent, Recording
from archive.screen_readings import ScreenText
from archive.simplified import simplified_throughout
from archive.transcript import Segment
from search.embeddings import Embedder
from search.growing import Growth, Piece
from search.indexes import Grown, Index, Summary
from search.passages import IndexedRecording, IndexedUnit
from search.promises import Claim
from search.seams import BEGINNING, NO_SEAMS, Seam, Seams, Told, ground_of

_log = structlog.get_logger(__name__)

# Passages are embedded so many at once at least, but for the last.
EMBEDDED_AT_ONCE = 256
CLAIMS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class IndexedCounts:
    """What is indexed of a recording. `anew`: units that were described this time; the rest stood."""

    segments: int
    units: int
    passages: int
    promises: int
    messages: int
    embedded: bool
    anew: int


class Words(Protocol):
    """The words of a recording, and its chat, read as they are needed."""

    @property
    def version(self) -> int:
        """Of the transcript."""

    @property
    def chat_times(self) -> str:
        """Changes when chat that was there lies at other times."""

    def keeps(self, version: int) -> bool:
        """Whether it has all segments of that version of the transcript as they were, and those it adds have higher numbers."""

    def segments(self, first: int) -> Iterator[Segment]:
        """Those with this number or a higher one, in order of (start_ms, number)."""

    def messages(self, from_ms: int | None) -> Sequence[Message]:
        """Chat in the order of time."""

    def message_count(self, before_ms: int) -> int: ...


@dataclass(frozen=True, slots=True)
class WordsAtHand:
    """Words and chat that lie in memory; never known to go on from others."""

    said: Sequence[Segment]
    chat: Sequence[Message]
    version: int = 0
    chat_times: str = ""

    def keeps(self, version: int) -> bool:
        return False

    def segments(self, first: int) -> Iterator[Segment]:
        wanted = (segment for segment in self.said if segment.number >= first)
        return iter(sorted(wanted, key=lambda segment: (segment.start_ms, segment.number)))

    def messages(self, from_ms: int | None) -> Sequence[Message]:
        return sorted((each for each in self.chat if from_ms is None or each.at_ms >= from_ms), key=lambda message: message.at_ms)

    def message_count(self, before_ms: int) -> int:
        return sum(message.at_ms < before_ms for message in self.chat)


def index_recording(
    index: Index,
    recording: Recording,
    segments: Sequence[Segment],
    products: Sequence[Product],
    events: Sequence[ProductEvent],
    messages: Sequence[Message],
    embedder: Embedder | None,
    transcript_version: int = 0,
    screen: Sequence[ScreenText] = (),
    as_of: int = 0,
) -> IndexedCounts:
    """As `index_words`, for words that are at hand."""
    told = Told(recording, products, events, screen)
    return index_words(index, told, WordsAtHand(segments, messages, transcript_version), embedder, as_of)


def index_words(index: Index, told: Told, words: Words, embedder: Embedder | None, as_of: int = 0) -> IndexedCounts:
    """Makes all that is indexed of this recording what its words are now, atomically; the index remembers which transcript it holds, and
    `as_of` which custody entry. Of a recording that grew only what came is described, embedded and written.

    IndexUnavailable if the index can't be written.
    """
    held, was = index.seams(told.recording.id)
    seam = _holding(held, told, words, embedder)
    counts = _index_from(index, told, words, embedder, as_of, seam, held, was)
    if counts is None:
        # Somebody else wrote this recording meanwhile.
        _log.info("indexed_meanwhile", recording=told.recording.id, unit=seam.unit)
        counts = _index_from(index, told, words, embedder, as_of, BEGINNING, NO_SEAMS, "")
    if counts is None:
        raise AssertionError("what begins at the beginning goes on from nothing")
    # What was written is searchable by now; what has grown enough is put in order.
    index.maintain()
    _log.info("indexed", recording=told.recording.id, units=counts.units, anew=counts.anew, passages=counts.passages)
    return counts


def index_document(
    recording: Recording,
    segments: Sequence[Segment],
    products: Sequence[Product],
    events: Sequence[ProductEvent],
    messages: Sequence[Message],
    transcript_version: int = 0,
    screen: Sequence[ScreenText] = (),
) -> IndexedRecording:
    """All that is derived of a recording, at once."""
    words = WordsAtHand(segments, messages, transcript_version)
    growth = Growth(Told(recording, products, events, screen), words.messages(None))
    pieces = list(growth.pieces(words.segments(0)))
    passages = [passage for piece in pieces for passage in piece.passages]
    return IndexedRecording(
        recording,
        tuple(unit for piece in pieces for unit in piece.units),
        tuple(sorted(passages, key=lambda passage: passage.level)),
        tuple(claim for piece in pieces for claim in piece.claims),
        tuple(products),
        tuple(growth.messages),
        growth.transcribed.ms,
        growth.risky.ms,
        growth.transcribed.spans,
        transcript_version,
    )


def _holding(held: Seams, told: Told, words: Words, embedder: Embedder | None) -> Seam:
    """The seam nearest to the end before which nothing changed."""
    if not held.of or held.chat_times != words.chat_times or not words.keeps(held.version):
        return BEGINNING
    name = embedder.name if embedder else ""
    for seam, ground in held.of:
        if words.message_count(seam.chat_ms) == seam.chat and ground_of(seam, told, name) == ground and _is_behind(seam, words):
            return seam
    return BEGINNING


def _is_behind(seam: Seam, words: Words) -> bool:
    """Whether all words that came lie behind the seam in time."""
    first = next((segment for segment in words.segments(seam.segment) if segment.text.strip()), None)
    return first is not None and first.number == seam.segment and first.start_ms == seam.segment_ms


def _index_from(
    index: Index, told: Told, words: Words, embedder: Embedder | None, as_of: int, seam: Seam, held: Seams, was: str
) -> IndexedCounts | None:
    """What is indexed then; None where that which it goes on from is no more."""
    name = embedder.name if embedder else ""
    before = _Before(index, told.recording.id) if seam.unit else None
    growth = Growth(told, words.messages(seam.chat_needed_ms if seam.unit else None), seam, before)
    pieces = growth.pieces(words.segments(seam.segment))
    claims = seam.claims

    def summary() -> Summary:
        end_ms = max(told.recording.duration_ms, growth.transcribed.reached_ms)
        seams = [(each, ground_of(each, told, name)) for each in growth.seams(end_ms, [each for each, _ in held.of])]
        return Summary(
            told.recording,
            told.products,
            growth.messages,
            growth.units,
            growth.passages,
            growth.transcribed.ms,
            growth.risky.ms,
            growth.transcribed.spans,
            words.version,
            as_of,
            name,
            Seams(words.version, words.chat_times, tuple(seams)),
        )

    def counted() -> Iterator[Piece]:
        nonlocal claims
        for piece in pieces:
            claims += len(piece.claims)
            yield piece

    if not index.write(Grown(seam, was if seam.unit else "", _embedded(index, told.recording.id, counted(), embedder), summary)):
        return None
    messages = seam.messages + len(growth.messages)
    is_embedded = embedder is not None and growth.passages > 0
    anew = growth.units - seam.unit
    return IndexedCounts(growth.transcribed.spans, growth.units, growth.passages, claims, messages, is_embedded, anew)


def _embedded(
    index: Index, recording_id: str, pieces: Iterable[Piece], embedder: Embedder | None
) -> Iterator[tuple[Piece, Sequence[Sequence[float]] | None]]:
    """Pieces with a vector for each passage, many passages at once."""
    gathered: list[Piece] = []
    for piece in pieces:
        gathered.append(piece)
        if sum(len(each.passages) for each in gathered) >= EMBEDDED_AT_ONCE:
            yield _with_vectors(index, recording_id, gathered, embedder)
            gathered = []
    if gathered:
        yield _with_vectors(index, recording_id, gathered, embedder)


def _with_vectors(
    index: Index, recording_id: str, gathered: Sequence[Piece], embedder: Embedder | None
) -> tuple[Piece, Sequence[Sequence[float]] | None]:
    """The pieces as one. Vectors of passages that the index holds word for word, by the same model, are taken from there."""
    passages = tuple(passage for piece in gathered for passage in piece.passages)
    piece = Piece(
        tuple(unit for each in gathered for unit in each.units),
        passages,
        tuple(claim for each in gathered for claim in each.claims),
    )
    if embedder is None or not passages:
        return piece, None
    first, last = min(passage.first for passage in passages), max(passage.last for passage in passages)
    known: Mapping[str, Sequence[float]] = index.vectors(recording_id, embedder.name, first, last)
    new = list(dict.fromkeys(passage.text for passage in passages if passage.text not in known))
    made = dict(zip(new, embedder.embed_passages([simplified_throughout(text) for text in new]), strict=True)) if new else {}
    _log.info("embedded", recording=recording_id, passages=len(new), kept=len(passages) - len(new))
    return piece, [known[passage.text] if passage.text in known else made[passage.text] for passage in passages]


class _Before:
    """What an index holds of a recording."""

    def __init__(self, index: Index, recording_id: str) -> None:
        self._index, self._recording_id = index, recording_id

    def units(self, first: int, last: int) -> Sequence[IndexedUnit]:
        return self._index.units(self._recording_id, first, last)

    def claims(self, before: int, products: frozenset[str], since_ms: int) -> Iterator[tuple[int, Claim, Sequence[IndexedUnit]]]:
        found = iter(self._index.earlier_claims(self._recording_id, before, products, since_ms))
        while few := list(islice(found, CLAIMS_AT_ONCE)):
            runs = self._index.runs([(self._recording_id, claim.first, claim.last) for _, claim in few])
            yield from ((number, claim, units) for (number, claim), units in zip(few, runs, strict=True))
