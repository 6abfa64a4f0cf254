"""The catalog's tables. Times ending in `_ms` are milliseconds: wall-clock ones since 1970 UTC, the others on the recording's time line."""

from archive.schema.cases import case_attachments, case_moments, case_steps, cases, packages, record_readings, record_texts, reveals
from archive.schema.custody import checkpoints, custody_entries, holds, retentions, row_keys, timestamps, tombstones, witness_copies
from archive.schema.metadata import metadata
from archive.schema.recordings import (
    clock_maps,
    gaps,
    media_checks,
    messages,
    parts,
    product_events,
    products,
    recordings,
    source_clocks,
    sources,
)
from archive.schema.transcripts import screen_readings, screen_texts, segments, transcripts

__all__ = [
    "case_attachments",
    "case_moments",
    "case_steps",
    "cases",
    "checkpoints",
    "clock_maps",
    "custody_entries",
    "gaps",
    "holds",
    "media_checks",
    "messages",
    "metadata",
    "packages",
    "parts",
    "product_events",
    "products",
    "record_readings",
    "record_texts",
    "recordings",
    "retentions",
    "reveals",
    "row_keys",
    "screen_readings",
    "screen_texts",
    "segments",
    "source_clocks",
    "sources",
    "timestamps",
    "tombstones",
    "transcripts",
    "witness_copies",
]
