"""People's edits when a recording was heard again: laid over where the machine hears what it heard before, else listed to be looked at.

A correction was made of certain words at a certain time. Where the new version has the same words there, it holds. Where it has others,
nobody knows whether it still does: so it is not laid over and not lost, until somebody edits or confirms what stands there now.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from archive.digest import Json
from archive.transcript import EDITED, Segment, Transcript

TO_LOOK_AT: Final = "to_look_at"
_SAME_SHARE: Final = 0.5

Edit: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class LaidOver:
    """The segments with the edits that hold, those edits with the numbers that their segments now have, and those to be looked at: as
    edits are, with `before`, the machine's words that were corrected, and `start_ms` and `end_ms`, where they were."""

    segments: tuple[Segment, ...]
    edits: tuple[Edit, ...]
    to_look_at: tuple[Edit, ...]


def edited_segment(segment: Segment, text: str) -> Segment:
    """The segment in a human's words. Times of words and confidence stay only where the words do: nobody measured those of others."""
    if segment.text == text:
        return replace(segment, risk=(EDITED,), heard_otherwise=None)
    return replace(segment, text=text, words=(), risk=(EDITED,), confidence=None, heard_otherwise=None)


def edit_parameters(machine: Transcript, edits: Sequence[Edit], left: Sequence[Edit]) -> dict[str, Json]:
    """Parameters of a version in which people's edits lie over the machine's."""
    own: dict[str, Json] = {"base_version": machine.version, "base_digest": machine.digest, "edits": [*edits]}
    return {**own, **({TO_LOOK_AT: [*left]} if left else {})}


def to_look_at(transcript: Transcript) -> tuple[Edit, ...]:
    """Edits of earlier versions that this one has no place for."""
    left = transcript.provenance.parameters.get(TO_LOOK_AT)
    return tuple(edit for edit in left if isinstance(edit, Mapping)) if isinstance(left, list) else ()


def settle(left: Sequence[Edit], segment: Segment) -> tuple[tuple[Edit, ...], bool]:
    """(what is still to be looked at once a human spoke about this segment, whether that was about any of them)."""
    still = tuple(edit for edit in left if not _overlap_ms(segment, edit))
    return still, len(still) < len(left)


def lay_over(edited: Transcript, machine: Transcript, heard: Transcript, edits: Sequence[Edit]) -> LaidOver:
    """Lay the edits of `edited`, which were made on `machine`, over what was `heard` since."""
    segments = {segment.number: segment for segment in heard.segments}
    numbers = sorted(segments, key=lambda number: segments[number].start_ms)
    was = {segment.number: segment for segment in machine.segments}
    says = {segment.number: segment.text for segment in edited.segments}
    chains: dict[Json, list[Edit]] = {}
    for edit in edits:
        chains.setdefault(edit["segment"], []).append(edit)
    carried: list[Edit] = []
    left: list[Edit] = []
    waiting: list[tuple[Segment, str, list[Edit]]] = [(was[n], says[n], chain) for n, chain in chains.items() if isinstance(n, int)]
    waiting += [(_place_of(edit), str(edit["after"]), [edit]) for edit in to_look_at(edited)]
    for place, text, chain in waiting:
        near = [segments[number] for number in numbers if _shared_ms(segments[number], place) > 0]
        same = next((each for each in near if each.text == place.text and _is_same_place(each, place)), None)
        if same is not None:
            segments[same.number] = edited_segment(same, text)
            carried += [{**_plain(edit), "segment": same.number} for edit in chain]
        elif not any(_plainly(each.text) == _plainly(text) for each in near):
            where: dict[str, Json] = {"before": place.text, "start_ms": place.start_ms, "end_ms": place.end_ms}
            left.append({**chain[-1], **where})
    return LaidOver(tuple(segments[segment.number] for segment in heard.segments), tuple(carried), tuple(left))


def _place_of(edit: Edit) -> Segment:
    start, end = edit["start_ms"], edit["end_ms"]
    if not isinstance(start, int) or not isinstance(end, int):
        raise ValueError(f"an edit to be looked at has no place: {edit}")
    return Segment(0, None, start, end, str(edit["before"]))


def _plain(edit: Edit) -> dict[str, Json]:
    return {name: value for name, value in edit.items() if name not in ("start_ms", "end_ms")}


def _shared_ms(one: Segment, other: Segment) -> int:
    return min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)


def _overlap_ms(segment: Segment, edit: Edit) -> bool:
    return _shared_ms(segment, _place_of(edit)) > 0


def _is_same_place(one: Segment, other: Segment) -> bool:
    longer = max(one.end_ms - one.start_ms, other.end_ms - other.start_ms, 1)
    return _shared_ms(one, other) >= _SAME_SHARE * longer


def _plainly(text: str) -> str:
    """The words alone: what the machine now hears as the human wrote it needs nobody to look."""
    return "".join(char for char in unicodedata.normalize("NFKC", text).lower() if char.isalnum())
