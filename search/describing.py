"""What is found in a stretch of units by their words alone: how they sound, concepts, quantities, products named.

Talk is described stretch by stretch, and where a stretch begins is told by what lies before it alone. So what is found in one never
depends on what was said later, and a recording that grows is described like one that was always so long.
"""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from search.chinese import fold
from search.concepts import load_lexicon
from search.passages import IndexedUnit, Mention
from search.products import Shelf
from search.quantities import Quantity, find_quantities
from search.sound_letters import sound_letters
from search.sounds import syllables
from search.units import JOIN_PAUSE_MS, THOUGHT_PAUSE_MS, Unit, joined_text

# From so long on a stretch ends at a pause, from so long on wherever speech stops for a moment or turns, and at last anywhere.
STRETCH_MS, PATIENT_MS, LONGEST_STRETCH_MS = 20_000, 45_000, 90_000
_SENTENCE_ENDS = tuple("。！？!?；;…")
# A name may be broken by the end of a line.
_NAME_REACH = 6


def begins_stretch(stretch: Sequence[Unit], unit: Unit) -> bool:
    """Whether a new stretch begins with this unit, which follows those of `stretch`."""
    last = stretch[-1]
    if unit.segment == last.segment:
        return False
    long_ms, pause_ms = unit.start_ms - stretch[0].start_ms, unit.start_ms - last.end_ms
    if long_ms >= LONGEST_STRETCH_MS or (long_ms >= STRETCH_MS and pause_ms >= THOUGHT_PAUSE_MS):
        return True
    return long_ms >= PATIENT_MS and (unit.opens_thought or pause_ms >= JOIN_PAUSE_MS or last.text.rstrip().endswith(_SENTENCE_ENDS))


@dataclass(frozen=True, slots=True)
class Heard:
    """A unit with what its words say; `named`: products, by how surely (0…1]."""

    unit: IndexedUnit
    named: dict[str, float]


def describe(units: Sequence[Unit], shelf: Shelf | None) -> list[Heard]:
    """A stretch. Concepts, quantities and names are looked for across unit borders, because recognisers break lines in the middle of a
    phrase."""
    text, offsets = joined_text(units)
    folded = fold(text)
    sounds = syllables(folded.text)
    owner = [bisect.bisect_right(offsets, origin) - 1 for origin in folded.origins]
    pieces: list[list[int]] = [[] for _ in units]
    for index, unit_index in enumerate(owner):
        pieces[unit_index].append(index)
    mentions: list[dict[str, Mention]] = [{} for _ in units]
    for hit in load_lexicon().find(folded.text, sounds):
        unit_index = owner[(hit.start + hit.end - 1) // 2]
        before = mentions[unit_index].get(hit.concept)
        if not before or before.weight < hit.weight:
            mentions[unit_index][hit.concept] = Mention(hit.concept, hit.weight, hit.heard_as)
    quantities: list[list[Quantity]] = [[] for _ in units]
    for quantity in find_quantities(text):
        unit_index = bisect.bisect_right(offsets, quantity.start) - 1
        own = msgspec.structs.replace(quantity, start=quantity.start - offsets[unit_index], end=quantity.end - offsets[unit_index])
        quantities[unit_index].append(own)
    described = [
        IndexedUnit(
            unit,
            "".join(folded.text[index] for index in pieces[number]),
            sound_letters(sounds[index] for index in pieces[number]),
            tuple(mentions[number].values()),
            tuple(quantities[number]),
        )
        for number, unit in enumerate(units)
    ]
    after = [*described[1:], None]
    return [Heard(unit, _named(shelf, unit, following) if shelf else {}) for unit, following in zip(described, after, strict=True)]


def _named(shelf: Shelf, unit: IndexedUnit, after: IndexedUnit | None) -> dict[str, float]:
    """A name that the end of a line breaks counts where it starts."""
    if after is None or after.unit.opens_thought:
        return shelf.named_in(unit.folded, unit.sounds)
    begun, sounds = after.folded[:_NAME_REACH], after.sounds[:_NAME_REACH]
    found = shelf.named_in(unit.folded + begun, (*unit.sounds, *sounds))
    only_after = shelf.named_in(begun) if found else {}
    return {product: weight for product, weight in found.items() if product not in only_after}
