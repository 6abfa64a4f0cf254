"""Putting a recording's words into the index."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from archive.recording import Message, Product, ProductEvent, Recording
from archive.screen_readings import ScreenText
from archive.simplified import simplified_throughout
from archive.transcript import Segment
from search.embeddings import Embedder
from search.indexes import Index
from search.passages import IndexedRecording, index_document

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class IndexedCounts:
    """What was indexed of a recording."""

    segments: int
    units: int
    passages: int
    promises: int
    messages: int
    embedded: bool


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
    """Replaces all that is indexed for this recording, atomically; the index remembers which transcript it holds, and `as_of` which custody
    entry. Of a recording that grew only what changed is embedded and written.

    IndexUnavailable if the index can't be written.
    """
    document = index_document(recording, segments, products, events, messages, transcript_version, screen)
    document = replace(document, as_of=as_of, embedder=embedder.name if embedder else "")
    vectors = _vectors(index, document, embedder) if embedder and document.passages else None
    index.replace(document, vectors)
    # What was written is searchable by now; what has grown enough is put in order.
    index.maintain()
    counts = IndexedCounts(
        document.segments, len(document.units), len(document.passages), len(document.claims), len(document.messages), vectors is not None
    )
    _log.info("indexed", recording=recording.id, units=counts.units, passages=counts.passages, promises=counts.promises)
    return counts


def _vectors(index: Index, document: IndexedRecording, embedder: Embedder) -> list[Sequence[float]]:
    """One vector a passage; those of passages that the index holds word for word, by the same model, are taken from there."""
    known = index.vectors(document.recording.id, embedder.name)
    new = list(dict.fromkeys(passage.text for passage in document.passages if passage.text not in known))
    made = dict(zip(new, embedder.embed_passages([simplified_throughout(text) for text in new]), strict=True)) if new else {}
    _log.info("embedded", recording=document.recording.id, passages=len(new), kept=len(document.passages) - len(new))
    return [known[passage.text] if passage.text in known else made[passage.text] for passage in document.passages]
