"""A paper's text as it is indexed: overlapping windows of its pieces, found by words, character pairs and concepts, as speech is.

Nothing is told by sound here: what is written was not heard.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from archive.case_record import RecordPiece
from archive.digest import Json
from search.chinese import bigrams, fold, words
from search.concepts import load_lexicon

What: TypeAlias = Literal["document", "image", "im", "assistant"]

WINDOW_CHARS, WINDOW_PIECES = 120, 4
# Pieces that share these lie beside each other; rows of tables and messages stand for themselves.
_TOGETHER = ("page", "slide", "sheet", "section", "frame", "turn", "conversation")
_ALONE = ("row", "sender", "role")
# Names of people stay out of the index, as they do for chat.
_UNKEPT = ("sender",)
RECORD_CHANNELS = ("words", "grams", "concepts")


@dataclass(frozen=True, slots=True)
class RecordUnit:
    """A piece of a paper's text: number from 0, place without anybody's name, text as it was read."""

    number: int
    place: Mapping[str, Json]
    text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class RecordPassage:
    """Units `first`…`last` with the terms that they are found by."""

    first: int
    last: int
    words: tuple[str, ...]
    grams: tuple[str, ...]
    concepts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IndexedRecord:
    """All that search holds of one paper of a case. `version` is the reading that it was made of."""

    case_id: str
    attachment: int
    version: int
    what: What
    units: tuple[RecordUnit, ...]
    passages: tuple[RecordPassage, ...]


def record_document(case_id: str, attachment: int, version: int, what: What, pieces: Sequence[RecordPiece]) -> IndexedRecord:
    """Derives everything that is stored for a paper."""
    units = tuple(
        RecordUnit(number, {name: value for name, value in piece.place.items() if name not in _UNKEPT}, piece.text, piece.confidence)
        for number, piece in enumerate(pieces)
    )
    return IndexedRecord(case_id, attachment, version, what, units, tuple(_passages(units)))


def _passages(units: Sequence[RecordUnit]) -> list[RecordPassage]:
    folded = [fold(unit.text).text for unit in units]
    said = [tuple(words(text)) for text in folded]
    meant = [tuple(dict.fromkeys(hit.concept for hit in load_lexicon().find(text))) for text in folded]
    found: list[RecordPassage] = []
    reached = -1
    for first, unit in enumerate(units):
        last = first
        while last + 1 < len(units) and last - first + 1 < WINDOW_PIECES and _beside(unit, units[last + 1]):
            if sum(len(text) for text in folded[first : last + 2]) > WINDOW_CHARS:
                break
            last += 1
        if last <= reached:
            continue  # all of it stands in the window before
        reached = last
        # Pairs go across lines: a line may end in the middle of a word.
        joined = fold("\n".join(each.text for each in units[first : last + 1])).text
        found.append(
            RecordPassage(
                first,
                last,
                tuple(word for each in said[first : last + 1] for word in each),
                tuple(bigrams(joined)),
                tuple(dict.fromkeys(concept for each in meant[first : last + 1] for concept in each)),
            )
        )
    return found


def _beside(one: RecordUnit, other: RecordUnit) -> bool:
    if any(name in one.place or name in other.place for name in _ALONE):
        return False
    return all(one.place.get(name) == other.place.get(name) for name in _TOGETHER)
