"""Transcripts as their rows have them: provenance, segments, spans, and the chain of versions that one goes on from."""

from collections.abc import Mapping, Sequence
from typing import cast

from sqlalchemy import RowMapping

from archive.digest import Json
from archive.errors import VerificationFailed
from archive.revised_transcript import stretches_of
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment, Stretch, Word


def chain_of(before: Mapping[int, int | None], version: int, recording_id: str) -> list[int]:
    """A version and all that it goes on from. VerificationFailed where the rows lead nowhere."""
    chain = [version]
    while (earlier := before[chain[-1]]) is not None:
        if earlier not in before or earlier >= chain[-1]:
            raise leads_nowhere(chain[-1], recording_id, earlier)
        chain.append(earlier)
    return chain


def leads_nowhere(version: int, recording_id: str, earlier: int) -> VerificationFailed:
    return VerificationFailed(
        f"transcript {version} of recording {recording_id} goes on from version {earlier}, which can't be: its row was changed"
    )


def pairs(stored: Json) -> tuple[tuple[int, int], ...]:
    return tuple((start, end) for start, end in cast(Sequence[Sequence[int]], stored))


def provenance_of(row: RowMapping) -> Provenance:
    created_at = WallTime(row["created_at_ms"])
    return Provenance(row["engine"], row["engine_version"], row["model"], row["model_digest"], row["parameters"], created_at)


def heard_by_row(row: RowMapping, first: int) -> tuple[Stretch, ...]:
    """Who heard what a row brings: one, or those of whom a revised version says that it keeps their words."""
    own = provenance_of(row)
    return stretches_of(own) or (Stretch(first, row["version"], own),)


def segment_of(row: RowMapping) -> Segment:
    return Segment(
        row["number"],
        row["part"],
        row["start_ms"],
        row["end_ms"],
        row["text"],
        tuple(Word(start, end, text, probability) for start, end, text, probability in row["words"]),
        tuple(row["risk"]),
        row["confidence"],
        row["speaker"],
        row["heard_otherwise"],
    )
