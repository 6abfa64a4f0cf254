"""Two recognisers on the same sound: their words aligned character by character, and each segment of the first judged by the second.

How much they agree is a share of the segment's characters, 0…1. Another character of the same sound (容 for 绒) is agreement of a lower
grade, because recognisers choose the character by guessing. What carries a promise counts three times, and a segment in which the two
differ there (another number, a negation that only one heard, another material) is in doubt however much else they share.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from archive.transcript import Segment

AGREES_FROM: Final = 0.7
SAME_SOUND: Final = 0.75
CARRIES: Final = 3.0
SECOND_OPINION: Final = "second_opinion"
_NEAR_MS: Final = 300
# Costs of the alignment, in whole numbers, so that the way back is found by equality.
_WHOLE, _GAP, _APART, _APART_MS = 1000, 600, 300, 2000


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words as they are compared. `text`: without punctuation, one script, numerals said alike; `origins`: each character's place in what
    was written; `sounds`: each one's toneless syllable, empty where it has none; `carries`: places of what carries a promise, `figures`
    those of numbers."""

    text: str
    origins: tuple[int, ...]
    sounds: tuple[str, ...]
    carries: frozenset[int] = frozenset()
    figures: frozenset[int] = frozenset()


Reader = Callable[[str], Spoken]


@dataclass(frozen=True, slots=True)
class Judged:
    """One segment of the first, by its number. `otherwise`: the second's words where they disagree (empty: it heard none), else None."""

    number: int
    agreement: float
    otherwise: str | None


@dataclass(frozen=True, slots=True)
class HeardOnly:
    """Words that the second alone heard, where the first has no segment; in ms on the recording's time line."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Every segment of the first that was compared, in its order, and what the second alone heard."""

    judged: tuple[Judged, ...]
    heard_only: tuple[HeardOnly, ...]


@dataclass(frozen=True, slots=True)
class _Char:
    """A character as compared: of which segment (by index), where in its text, when about, and how much it counts."""

    char: str
    sound: str
    segment: int
    origin: int
    at_ms: int
    carries: bool
    figure: bool

    @property
    def weight(self) -> float:
        return CARRIES if self.carries else 1.0


def compare(first: Sequence[Segment], second: Sequence[Segment], read: Reader) -> Compared:
    """Judge the segments of `first` by those of `second`, both of the same stretch of sound, some minutes long at most."""
    here, there = _chars(first, read), _chars(second, read)
    pairs = _aligned(here, there)
    homes = _homes(first, here, there, pairs)
    judged = tuple(_judged(index, segment, here, there, pairs, homes, second) for index, segment in enumerate(first))
    return Compared(judged, tuple(_heard_only(second, there, homes)))


def _chars(said: Sequence[Segment], read: Reader) -> list[_Char]:
    chars = []
    for index, segment in enumerate(said):
        spoken, times = read(segment.text), _times(segment)
        for at, char in enumerate(spoken.text):
            if char.isspace():
                continue
            origin = spoken.origins[at]
            carries, figure = at in spoken.carries, at in spoken.figures
            chars.append(_Char(char, spoken.sounds[at], index, origin, times[origin], carries, figure))
    return chars


def _times(segment: Segment) -> list[int]:
    """About when each character of the text was said, in ms: by its word where the words have times."""
    length = max(len(segment.text), 1)
    times = [segment.start_ms + (segment.end_ms - segment.start_ms) * (2 * at + 1) // (2 * length) for at in range(length)]
    at = 0
    for word in segment.words:
        written = word.text.strip()
        found = segment.text.find(written, at) if written else -1
        if found >= 0:
            at = found + len(written)
            times[found:at] = [(word.start_ms + word.end_ms) // 2] * len(written)
    return times


def _grade(one: _Char, other: _Char) -> float:
    """How much two characters agree, 0…1. Two figures that sound alike are still two figures."""
    if one.char == other.char:
        return 1.0
    alike = bool(one.sound) and len(one.sound) > 1 and one.sound == other.sound
    return SAME_SOUND if alike and not (one.figure and other.figure) else 0.0


def _aligned(here: Sequence[_Char], there: Sequence[_Char]) -> list[tuple[int | None, int | None]]:
    """The cheapest way from one row of characters to the other, as pairs of places, None where one has nothing (Needleman and Wunsch 1970).

    Characters far apart in time cost a little more, so that of two equal phrases the one at its time is taken.
    """
    rows, columns = len(here), len(there)
    cost = [[_GAP * column for column in range(columns + 1)]]
    for row in range(1, rows + 1):
        mine, above, line = here[row - 1], cost[-1], [_GAP * row]
        for column in range(1, columns + 1):
            line.append(min(above[column - 1] + _difference(mine, there[column - 1]), above[column] + _GAP, line[column - 1] + _GAP))
        cost.append(line)
    pairs: list[tuple[int | None, int | None]] = []
    row, column = rows, columns
    while row or column:
        if row and column and cost[row][column] == cost[row - 1][column - 1] + _difference(here[row - 1], there[column - 1]):
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif row and (not column or cost[row][column] == cost[row - 1][column] + _GAP):
            row -= 1
            pairs.append((row, None))
        else:
            column -= 1
            pairs.append((None, column))
    return pairs[::-1]


def _difference(one: _Char, other: _Char) -> int:
    apart = min(abs(one.at_ms - other.at_ms), _APART_MS) * _APART // _APART_MS
    return round(_WHOLE * (1.0 - _grade(one, other))) + apart


def _homes(
    first: Sequence[Segment], here: Sequence[_Char], there: Sequence[_Char], pairs: Sequence[tuple[int | None, int | None]]
) -> list[int | None]:
    """To which segment of the first each character of the second belongs: by its pair, else by its time; None where the first has none."""
    homes: list[int | None] = [None] * len(there)
    for row, column in pairs:
        if row is not None and column is not None:
            homes[column] = here[row].segment
    # What was written as one (299) stays together, however many characters it is said with.
    together = {(there[column].segment, there[column].origin): home for column, home in enumerate(homes) if home is not None}
    for column, char in enumerate(there):
        written = (char.segment, char.origin)
        homes[column] = together[written] if written in together else _home_in_time(first, char.at_ms)
    return homes


def _home_in_time(first: Sequence[Segment], at_ms: int) -> int | None:
    away = [(max(segment.start_ms - at_ms, at_ms - segment.end_ms, 0), index) for index, segment in enumerate(first)]
    nearest, index = min(away, default=(_NEAR_MS + 1, 0))
    return index if nearest <= _NEAR_MS else None


def _judged(
    index: int,
    segment: Segment,
    here: Sequence[_Char],
    there: Sequence[_Char],
    pairs: Sequence[tuple[int | None, int | None]],
    homes: Sequence[int | None],
    second: Sequence[Segment],
) -> Judged:
    whole = lost = 0.0
    differs_in_promise = False
    for row, column in pairs:
        mine = here[row] if row is not None and here[row].segment == index else None
        theirs = there[column] if column is not None and homes[column] == index else None
        if mine is None and theirs is None:
            continue
        weight = max(char.weight for char in (mine, theirs) if char)
        grade = _grade(mine, theirs) if mine and theirs else 0.0
        whole, lost = whole + weight, lost + weight * (1 - grade)
        differs_in_promise = differs_in_promise or (grade < SAME_SOUND and weight == CARRIES)
    agreement = round(1 - lost / whole, 4) if whole else 1.0
    if agreement >= AGREES_FROM and not differs_in_promise:
        return Judged(segment.number, agreement, None)
    own = [column for column, home in enumerate(homes) if home == index]
    return Judged(segment.number, agreement, " ".join(text for _, _, text in _written(second, there, own)))


def _heard_only(second: Sequence[Segment], there: Sequence[_Char], homes: Sequence[int | None]) -> list[HeardOnly]:
    alone = [column for column, home in enumerate(homes) if home is None]
    return [HeardOnly(start_ms, end_ms, text) for start_ms, end_ms, text in _written(second, there, alone)]


def _written(second: Sequence[Segment], there: Sequence[_Char], columns: Sequence[int]) -> list[tuple[int, int, str]]:
    """What stands at these characters in the second's segments, with the punctuation behind it: (start_ms, end_ms, text), one a run."""
    runs: list[list[int]] = []
    for column in columns:
        if runs and runs[-1][-1] == column - 1 and there[column].segment == there[column - 1].segment:
            runs[-1].append(column)
        else:
            runs.append([column])
    written = []
    for run in runs:
        first, last = there[run[0]], there[run[-1]]
        segment = second[first.segment]
        follows = next((char for char in there[run[-1] + 1 :] if char.segment == last.segment and char.origin > last.origin), None)
        opens = run[0] == 0 or there[run[0] - 1].segment != first.segment
        start_ms = segment.start_ms if opens else first.at_ms
        end_ms = last.at_ms if follows else segment.end_ms
        text = segment.text[0 if opens else first.origin : follows.origin if follows else len(segment.text)].strip()
        if text:
            written.append((start_ms, max(end_ms, start_ms), text))
    return written
