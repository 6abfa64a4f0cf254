"""What one ingest brings into the catalog: an admission, which makes a recording, and extensions, by which it grows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from archive.recording import Gap, Message, Part, Product, ProductEvent, Recording

BROUGHT_BY = ("admit", "extend")
"""Actions of the custody entries that name what came in: parts with digests and media roots, sources, clocks. Each is owed a time-stamp."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that came in beside the media, kept as it came. Roles: chat, captions, products, product_events."""

    role: str
    digest: str
    size_bytes: int
    file_name: str


@dataclass(frozen=True, slots=True)
class MediaRoot:
    """What the log says of a part's media proof: its Merkle root, `sha256:…`, and how many leaves stand under it."""

    root: str
    leaves: int


@dataclass(frozen=True, slots=True)
class Admission:
    """Everything that one ingest brings in. `media_roots` are by part number."""

    recording: Recording
    messages: tuple[Message, ...] = ()
    products: tuple[Product, ...] = ()
    events: tuple[ProductEvent, ...] = ()
    sources: tuple[Source, ...] = ()
    media_roots: Mapping[int, MediaRoot] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extension:
    """What a recording grows by. `based_on` and `sources_before` are how it stood when the new parts and messages were laid on its line.

    `parts`, `messages`, `products`, `events` and `sources` are the new ones alone, parts numbered on; a message's `source_number` counts
    the sources before it. `gaps` are all that the recording then has, `duration_ms` and `live` what it then is.
    """

    based_on: Recording
    sources_before: int
    gaps: tuple[Gap, ...]
    duration_ms: int
    live: bool
    parts: tuple[Part, ...] = ()
    messages: tuple[Message, ...] = ()
    products: tuple[Product, ...] = ()
    events: tuple[ProductEvent, ...] = ()
    sources: tuple[Source, ...] = ()
    media_roots: Mapping[int, MediaRoot] = field(default_factory=dict)

    @property
    def changes_nothing(self) -> bool:
        before = self.based_on
        brings = self.parts or self.messages or self.products or self.events or self.sources
        return not brings and (self.gaps, self.duration_ms, self.live) == (before.gaps, before.duration_ms, before.live)
