"""What is published of a recording: the names of its blocks of passages and pages of documents, found again by what is in them.

A recording that grew takes over what is unchanged and names what is new, so a write costs what changed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from archive.recording import Message, Product
from search.indexes.documents import (
    read_claim,
    read_message,
    read_product,
    read_unit,
    write_claim,
    write_product,
    write_recording,
    write_unit,
)
from search.passages import IndexedRecording, IndexedUnit, LinkedClaim

BLOCK_PASSAGES = 32
PAGE_ROWS = 64
KINDS = ("units", "claims", "products", "messages")


@dataclass(frozen=True, slots=True)
class Named:
    """A block or page: its name on the server, the digest of what is in it, and `first`…`last`: of messages, ms; else 0."""

    name: str
    digest: str
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """All that is published of a recording. `recording`: its row (`documents.write_recording`)."""

    recording: str
    numbers: tuple[int, ...]
    pages: Mapping[str, tuple[Named, ...]]
    blocks: tuple[Named, ...]
    vectors: tuple[Named, ...] = ()
    width: int = 0

    def named(self) -> list[str]:
        """Every page's name."""
        return [page.name for kind in KINDS for page in self.pages[kind]]


def write_head(head: Head) -> str:
    def plain(names: Sequence[Named]) -> list[list[object]]:
        return [[each.name, each.digest, each.first, each.last] for each in names]

    pages = {kind: plain(names) for kind, names in head.pages.items()}
    row = [head.recording, head.numbers, pages, plain(head.blocks), plain(head.vectors), head.width]
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def read_head(text: str) -> Head:
    recording, numbers, pages, blocks, vectors, width = json.loads(text)

    def named(rows: list[tuple[str, str, int, int]]) -> tuple[Named, ...]:
        return tuple(Named(*row) for row in rows)

    return Head(recording, tuple(numbers), {kind: named(rows) for kind, rows in pages.items()}, named(blocks), named(vectors), width)


def digest(*parts: object) -> str:
    """What a block or page is recognised by, within one recording."""
    return blake2b(json.dumps(parts, ensure_ascii=False, default=str).encode(), digest_size=12).hexdigest()


@dataclass(slots=True)
class Naming:
    """Gives names to what a write holds: the old name where the same is published already, else a new one that begins with `made`."""

    made: str
    held: Mapping[str, str] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)

    def name(self, found_by: str) -> tuple[str, bool]:
        """(name, whether it is new)."""
        if found_by in self.held:
            return self.held[found_by], False
        name = f"{self.made}-{len(self.new)}"
        self.new.append(name)
        return name, True


def document_pages(document: IndexedRecording) -> dict[str, list[tuple[str, int, int]]]:
    """The recording's documents as pages of text by kind, a line each, with the first and last ms of messages."""
    rows = {
        "units": [write_unit(unit) for unit in document.units],
        "claims": [write_claim(claim) for claim in document.claims],
        "products": [write_product(each) for each in sorted(document.products, key=lambda each: each.product_id)],
        "messages": [json.dumps([m.at_ms, m.text, m.kind.value, m.uncertainty_ms], ensure_ascii=False) for m in _by_time(document)],
    }
    times = [message.at_ms for message in _by_time(document)]
    pages: dict[str, list[tuple[str, int, int]]] = {}
    for kind, texts in rows.items():
        pages[kind] = []
        for start in range(0, len(texts), PAGE_ROWS):
            end = min(start + PAGE_ROWS, len(texts))
            span = (times[start], times[end - 1]) if kind == "messages" else (0, 0)
            pages[kind].append(("\n".join(texts[start:end]), *span))
    return pages


def _by_time(document: IndexedRecording) -> list[Message]:
    return sorted(document.messages, key=lambda message: message.at_ms)


def recording_row(document: IndexedRecording) -> str:
    return write_recording(document.recording, document.as_of, document.embedder)


def read_units(page: str) -> list[IndexedUnit]:
    return [read_unit(row) for row in page.split("\n")]


def read_claims(page: str) -> list[LinkedClaim]:
    return [read_claim(row) for row in page.split("\n")]


def read_products(page: str) -> list[Product]:
    return [read_product(row) for row in page.split("\n")]


def read_messages(page: str) -> list[Message]:
    return [read_message(*json.loads(row)) for row in page.split("\n")]
