"""Which parts of a recording its transcript speaks for already, and what of a part's end is still to be heard."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from archive.digest import Json
from archive.opening import Archive
from archive.recording import Recording
from archive.transcript import Provenance
from archive.transcripts import HUMAN
from transcribe.seams import Carried

IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class HeardParts:
    """Numbers of the parts that the newest transcript speaks for; `carried` is the end of one of them that it leaves to what follows."""

    parts: frozenset[int]
    carried: Carried | None


def heard_parts(archive: Archive, recording: Recording) -> HeardParts:
    """From what the versions' own provenance says."""
    versions = archive.transcripts.provenances(recording.id)
    if not versions:
        return HeardParts(frozenset(), None)
    newest = versions[max(versions)]
    if newest.engine == HUMAN:
        newest = versions[_number(newest.parameters.get("base_version"))]
    parts: set[int] = set()
    provenance = newest
    while True:
        parts |= _own(archive, recording, versions, provenance)
        before = provenance.parameters.get("continues")
        if not isinstance(before, Mapping):
            return HeardParts(frozenset(parts), Carried.of(newest.parameters.get("carried")))
        provenance = versions[_number(before["version"])]


def _own(archive: Archive, recording: Recording, versions: Mapping[int, Provenance], provenance: Provenance) -> set[int]:
    named = provenance.parameters.get("parts")
    if not isinstance(named, list):
        return _admitted_first(archive, recording.id)  # older than recordings that grow
    if provenance.engine == IMPORTED and not named:
        # Captions that came before any media: they speak for the parts that begin while they last.
        version = next(number for number, each in versions.items() if each is provenance)
        end_ms = max((segment.end_ms for segment in archive.transcripts.version(recording.id, version).segments), default=0)
        return {part.number for part in recording.parts if part.start_ms < end_ms}
    return {_number(number) for number in named}


def _admitted_first(archive: Archive, recording_id: str) -> set[int]:
    found: set[int] = set()
    for entry in archive.custody.entries([recording_id]):
        if entry.action == "admit":
            found = {_number(part["number"]) for part in json.loads(entry.detail)["parts"]}
    return found


def _number(value: Json) -> int:
    if not isinstance(value, int):
        raise ValueError(f"{value!r} is no number of a part or version")
    return value
