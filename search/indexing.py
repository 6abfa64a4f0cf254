"""Putting a recording's words into the index."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from archive.recording import Message, Product, ProductEvent, Recording
from archive.screen_readings import ScreenText
from archive.transcript import Segment
from search.embeddings import Embedder
from search.indexes import Index
from search.passages import index_document

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
) -> IndexedCounts:
    """Replaces all that is indexed for this recording, atomically; the index remembers which transcript it holds.

    IndexUnavailable if the index can't be written.
    """
    document = index_document(recording, segments, products, events, messages, transcript_version, screen)
    vectors = embedder.embed_passages([passage.text for passage in document.passages]) if embedder and document.passages else None
    index.replace(document, vectors)
    counts = IndexedCounts(
        document.segments, len(document.units), len(document.passages), len(document.claims), len(document.messages), vectors is not None
    )
    _log.info("indexed", recording=recording.id, units=counts.units, passages=counts.passages, promises=counts.promises)
    return counts
