"""A version made of an earlier one: its words kept, in whole or but for a part, and who heard which still told (G7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from archive.digest import Json
from archive.transcript import Provenance, Segment, Stretch, Transcript


@dataclass(frozen=True, slots=True)
class Revision:
    """A version to be stored by itself; `said` in order of time, spans of the whole."""

    provenance: Provenance
    said: Sequence[Segment]
    speech: Sequence[tuple[int, int]]
    skipped: Sequence[tuple[int, int]]


def heard_by_parameters(stretches: Sequence[Stretch]) -> dict[str, Json]:
    """`heard_by` for the parameters of a version whose words are of several hearers; nothing where they are of one."""
    found: list[Stretch] = []
    for stretch in stretches:
        if not found or found[-1].provenance.by != stretch.provenance.by:
            found.append(stretch)
    return {"heard_by": [_stretch_json(each) for each in found]} if len(found) > 1 else {}


def stretches_of(provenance: Provenance) -> tuple[Stretch, ...]:
    """What `heard_by_parameters` wrote; empty where it wrote nothing. Parameters are the version's own, for all of them."""
    written = provenance.parameters.get("heard_by")
    return tuple(_stretch(cast(Mapping[str, Json], each), provenance) for each in written) if isinstance(written, list) else ()


def heard_by(transcript: Transcript) -> list[Stretch]:
    """One stretch a segment, so that segments can be taken out of several versions and put together."""
    stretches, found, at = transcript.heard_by, [], 0
    for segment in transcript.segments:
        while at + 1 < len(stretches) and stretches[at + 1].first <= segment.number:
            at += 1
        found.append(stretches[at])
    return found


def numbered_stretches(per_segment: Sequence[Stretch]) -> list[Stretch]:
    """Stretches of a new version from those of its segments, one each, in its order."""
    return [replace(stretch, first=number) for number, stretch in enumerate(per_segment, 1)]


def _stretch_json(stretch: Stretch) -> dict[str, Json]:
    p = stretch.provenance
    names: dict[str, Json] = {"engine": p.engine, "engine_version": p.engine_version, "model": p.model, "model_digest": p.model_digest}
    return {"first": stretch.first, "version": stretch.version, **names}


def _stretch(written: Mapping[str, Json], whole: Provenance) -> Stretch:
    digest = written["model_digest"]
    by = replace(
        whole,
        engine=str(written["engine"]),
        engine_version=str(written["engine_version"]),
        model=str(written["model"]),
        model_digest=None if digest is None else str(digest),
    )
    return Stretch(cast(int, written["first"]), cast(int, written["version"]), by)
