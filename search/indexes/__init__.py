"""The index contract: what is stored of a recording, how candidates are found, how documents come back. One file a variant.

An index is derived: it can be deleted and rebuilt from the archive at any time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar

from archive.recording import Message, Product, Recording
from archive.timeline import WallTime
from search.growing import Piece
from search.passages import IndexedRecording, IndexedUnit, LinkedClaim
from search.promises import Claim
from search.records import IndexedRecord, RecordUnit, What
from search.seams import BEGINNING, NO_SEAMS, Seam, Seams

if TYPE_CHECKING:
    from search.indexes.milvus_server import MilvusPlace

CHANNELS = ("words", "grams", "sounds", "concepts", "quantities", "names", "chat", "screen")
# How much each counts when candidates are ordered, in every variant.
CHANNEL_WEIGHTS = {"words": 1.0, "grams": 0.6, "sounds": 0.35, "concepts": 1.2, "quantities": 1.2, "names": 0.5, "chat": 0.6, "screen": 0.2}


@dataclass(frozen=True, slots=True)
class Filter:
    """What is searched, held inside the index: what does not pass is never found, counted or told of. None: not limited.

    Sessions that ran between `since` and `until` pass; recordings without a wall time pass neither. `product`: recordings that sell it or
    whose shelf is unknown. `calls`: video calls of cases only, or live sessions only. `among`: only these recordings (a case's, a shop's,
    those that somebody may see).

    Of passages alone: `category`, a promise category that they speak of; `doubtful`, whether words in doubt are among theirs.
    """

    recording: str | None = None
    product: str | None = None
    host: str | None = None
    platform: str | None = None
    room: str | None = None
    since: WallTime | None = None
    until: WallTime | None = None
    calls: bool | None = None
    among: tuple[str, ...] | None = None
    category: str | None = None
    doubtful: bool | None = None


@dataclass(frozen=True, slots=True)
class RecordingEntry:
    """One indexed recording with the numbers that coverage needs, in ms."""

    recording: Recording
    transcribed_ms: int
    risky_ms: int
    segments: int
    messages: int
    unit_count: int
    transcript_version: int = 0
    as_of: int = 0
    embedder: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the recordings that pass a filter add up to, in ms; `live`: ids of those that still grow."""

    recordings: int = 0
    captions_only: int = 0
    duration_ms: int = 0
    held_ms: int = 0
    transcribed_ms: int = 0
    risky_ms: int = 0
    missing_ms: int = 0
    messages: int = 0
    live: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """Query terms by channel, with weights that order candidates."""

    by_channel: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may answer: units `first`…`last` of a recording. `score` is comparable within one call only."""

    recording_id: str
    first: int
    last: int
    score: float


@dataclass(frozen=True, slots=True)
class RecordCandidate:
    """A passage of a case's paper that may answer: units `first`…`last`. `score` is comparable within one call only."""

    case_id: str
    attachment: int
    what: What
    first: int
    last: int
    score: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What is stored of a recording beside its units, passages and claims; counts are of all of it.

    `messages`: the chat that is kept, from the seam's number on; `as_of`: the last custody entry that is in it; `embedder`: the model of
    the vectors, empty for none.
    """

    recording: Recording
    products: Sequence[Product]
    messages: Sequence[Message]
    units: int
    passages: int
    transcribed_ms: int
    risky_ms: int
    segments: int
    transcript_version: int
    as_of: int
    embedder: str
    seams: Seams = NO_SEAMS


Parts: TypeAlias = Iterable[tuple[Piece, Sequence[Sequence[float]] | None]]


@dataclass(frozen=True, slots=True)
class Grown:
    """A recording from a seam on, in place of what was held from there. `was`: what `Index.seams` said stood there, as it was written.

    `parts`: pieces with one vector a passage, of equal length and unit norm, or none; `summary` is asked when they have been gone through.
    """

    seam: Seam
    was: str
    parts: Parts
    summary: Callable[[], Summary]

    @classmethod
    def whole(cls, document: IndexedRecording, vectors: Sequence[Sequence[float]] | None) -> "Grown":
        summary = Summary(
            document.recording,
            document.products,
            document.messages,
            len(document.units),
            len(document.passages),
            document.transcribed_ms,
            document.risky_ms,
            document.segments,
            document.transcript_version,
            document.as_of,
            document.embedder,
        )
        return cls(BEGINNING, "", [(Piece(document.units, document.passages, document.claims), vectors)], lambda: summary)

    def together(self) -> tuple[IndexedRecording, list[Sequence[float]] | None]:
        """All of a recording that begins at the beginning, at once."""
        parts = list(self.parts)
        told = self.summary()
        document = IndexedRecording(
            told.recording,
            tuple(unit for piece, _ in parts for unit in piece.units),
            tuple(passage for piece, _ in parts for passage in piece.passages),
            tuple(claim for piece, _ in parts for claim in piece.claims),
            tuple(told.products),
            tuple(told.messages),
            told.transcribed_ms,
            told.risky_ms,
            told.segments,
            told.transcript_version,
            told.as_of,
            told.embedder,
        )
        return document, [vector for _, vectors in parts for vector in vectors or ()] if document.embedder and document.passages else None


class Index(Protocol):
    """Readers in other processes see a recording either as it was or as it is, never half."""

    def replace(self, document: IndexedRecording, vectors: Sequence[Sequence[float]] | None) -> None:
        """Stores all of a recording in place of what was stored of it. `vectors`: one per passage, of equal length, unit norm."""

    def write(self, grown: Grown) -> bool:
        """Stores a recording from a seam on. False, and nothing is written, where what it goes on from is no longer what is held."""

    def seams(self, recording_id: str) -> tuple[Seams, str]:
        """From where the recording can be gone on with, read and as it was written; none where it is always written whole."""

    def earlier_claims(self, recording_id: str, before: int, products: frozenset[str], since_ms: int) -> Iterator[tuple[int, Claim]]:
        """Claims with numbers smaller than `before`, the last first: those of one of the products, and those that begin at `since_ms`
        or later."""

    def vectors(self, recording_id: str, embedder: str, first: int = 0, last: int | None = None) -> Mapping[str, Sequence[float]]:
        """The vectors held of a recording by the text of their passage, if the model of that name made them; else none. Those of passages
        within units `first`…`last` at least."""

    def remove(self, recording_id: str) -> bool:
        """Forgets a recording: from now on nothing of it is found. False if it wasn't held. `maintain` then takes it out of the files."""

    def maintain(self, *, wait_s: float = 0.0) -> None:
        """Does what can wait, if any is due: takes what was removed out of the files for good, makes parts of the index anew. May take
        minutes for a large index; questions and writers go on meanwhile. Where another process is at it, that one is left to it after
        `wait_s`. With a wait, IndexUnavailable if files may still hold what was removed.
        """

    def reading(self) -> AbstractContextManager[None]:
        """All that this thread reads within the block is of one moment, whatever is replaced meanwhile."""

    def recordings(self, wanted: Filter) -> list[RecordingEntry]:
        """Indexed recordings that pass the filter, oldest first. Of thousands, `ids` and `totals` are cheaper."""

    def ids(self, wanted: Filter) -> frozenset[str]:
        """Ids of the indexed recordings that pass the filter."""

    def entry(self, recording_id: str) -> RecordingEntry | None:
        """One recording. None if it isn't indexed."""

    def totals(self, wanted: Filter) -> Totals:
        """What the recordings that pass add up to, without reading each."""

    def hosts(self) -> list[str]:
        """Names of the hosts of indexed recordings, each once, in order of their characters."""

    def passage_count(self) -> int:
        """Passages held in all."""

    def frequencies(self, terms: Mapping[str, Sequence[str]]) -> dict[str, dict[str, int]]:
        """By channel, in how many passages of the whole index each term occurs, where known no less exactly than to a few parts in a
        hundred; terms that never do are absent."""

    def candidates(self, terms: Terms, wanted: Filter, limit: int) -> list[Candidate]:
        """Passages that pass the filter, best first for the terms."""

    def nearest(self, vector: Sequence[float], wanted: Filter, limit: int) -> list[Candidate]:
        """Passages of nearest meaning that pass the filter, best first, `score` their cosine.

        Empty where nothing was embedded with this length.
        """

    def units(self, recording_id: str, first: int, last: int) -> list[IndexedUnit]:
        """Units by number, both ends included."""

    def runs(self, wanted: Sequence[tuple[str, int, int]]) -> list[list[IndexedUnit]]:
        """For each (recording, first, last) its units, as `units` gives them, in one go."""

    def claims(self, recording_id: str) -> list[LinkedClaim]:
        """The recording's promises in time order."""

    def products(self, recordings: Sequence[str]) -> dict[str, list[Product]]:
        """Shelves by recording id."""

    def messages(self, recording_id: str, from_ms: int, to_ms: int) -> list[Message]:
        """Chat in a stretch, without authors (G9)."""

    def replace_record(self, document: IndexedRecord) -> None:
        """Stores all of a case's paper in place of what was stored of it."""

    def remove_record(self, case_id: str, attachment: int | None = None) -> bool:
        """Forgets a paper, or all papers of a case, as `remove` does. False if none was held."""

    def records(self) -> dict[tuple[str, int], int]:
        """(case, attachment) → version of the reading that is held."""

    def record_candidates(self, terms: Terms, case_id: str, limit: int) -> list[RecordCandidate]:
        """Best passages of one case's papers for the terms of words, grams and concepts, best first."""

    def record_units(self, case_id: str, attachment: int, first: int, last: int) -> list[RecordUnit]:
        """Units of a paper by number, both ends included."""

    def close(self) -> None:
        """Gives back connections."""


_P = ParamSpec("_P")
_R = TypeVar("_R")


def of_one_moment(asks: Callable[Concatenate[Index, _P], _R]) -> Callable[Concatenate[Index, _P], _R]:
    """A question asked of the index as it stands at one moment: never half of one transcript and half of the next."""

    @wraps(asks)
    def asked(index: Index, /, *arguments: _P.args, **named: _P.kwargs) -> _R:
        with index.reading():
            return asks(index, *arguments, **named)

    return asked


def open_index(folder: Path, *, busy_seconds: float = 30.0, milvus: "MilvusPlace | None" = None) -> Index:
    """The embedded index in `folder`, made if absent, or the one on a Milvus server. IndexUnavailable if it can't be opened."""
    if milvus:
        from search.indexes.milvus import MilvusIndex

        return MilvusIndex(milvus)
    from search.indexes.embedded import EmbeddedIndex

    return EmbeddedIndex(folder, busy_seconds=busy_seconds)
