"""What rests on words that may not be what was said: kept, but not counted as said.

A question is answered twice where doubtful words lie near: once as if nothing had been understood where there is doubt, which tells what
the host surely said, and once with all words, which tells what the host may have said besides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from msgspec import structs

from archive.transcript import doubts
from search.matching import Stretch
from search.passages import IndexedUnit
from search.ranking import Span

_HIDDEN = "\n"  # matches nothing and keeps its neighbours apart
_SAME_SHARE = 1 / 3
# A word that runs over a border has no more characters than this on one side.
EDGE = 3


def is_doubtful(unit: IndexedUnit) -> bool:
    """Whether its segment may not be what was said; what a human wrote after listening is no doubt."""
    return bool(unit.unit.risk) and bool(doubts(unit.unit.risk))


def has_doubts(stretch: Stretch) -> bool:
    return any(map(is_doubtful, stretch.units))


def beside_doubts(stretch: Stretch) -> list[Stretch]:
    """Each unit in doubt between the last and the first few characters of its neighbours, over whose borders its words may run."""
    found = []
    for place, unit in enumerate(stretch.units):
        if is_doubtful(unit):
            before, after = stretch.units[max(place - 1, 0) : place], stretch.units[place + 1 : place + 2]
            near = [*(_edge(each, slice(-EDGE, None)) for each in before), unit, *(_edge(each, slice(EDGE)) for each in after)]
            found.append(Stretch(stretch.recording_id, near))
    return found


def _edge(unit: IndexedUnit, kept: slice) -> IndexedUnit:
    return structs.replace(unit, folded=unit.folded[kept], sound=unit.sound[kept], mentions=(), quantities=(), reads_question=False)


def only_sure(stretch: Stretch) -> Stretch:
    """The stretch as if nothing had been understood where its words are in doubt. Times and numbers of units stay."""
    if not has_doubts(stretch):
        return stretch
    return Stretch(stretch.recording_id, [hidden(unit) if is_doubtful(unit) else unit for unit in stretch.units])


def hidden(unit: IndexedUnit) -> IndexedUnit:
    """The unit as if nothing had been understood of it; its times and number stay."""
    return structs.replace(
        unit, folded=_HIDDEN, sound=_HIDDEN, mentions=(), quantities=(), named=(), inferred=(), question="", reads_question=False
    )


def lies_in(span: Span, stretch: Stretch) -> bool:
    return span.recording_id == stretch.recording_id and stretch.holds(span.first)


def trimmed(stretches: Sequence[Stretch], spans: Sequence[Span]) -> list[Span]:
    """Spans of sure words without doubtful ones at their ends; those between sure ones stay, and are marked."""
    doubtful = [stretch for stretch in stretches if has_doubts(stretch)]
    return [_trimmed(home, span) if (home := home_of(span, doubtful)) else span for span in spans]


def home_of(span: Span, stretches: Sequence[Stretch]) -> Stretch | None:
    """The stretch that a span lies in."""
    return next((stretch for stretch in stretches if lies_in(span, stretch)), None)


def _trimmed(stretch: Stretch, span: Span) -> Span:
    first_number = stretch.units[0].unit.number
    first, last = span.first - first_number, span.last - first_number
    while first < last and is_doubtful(stretch.units[first]):
        first += 1
    while last > first and is_doubtful(stretch.units[last]):
        last -= 1
    start, end = stretch.units[first].unit, stretch.units[last].unit
    return replace(span, first=start.number, last=end.number, start_ms=start.start_ms, end_ms=end.end_ms)


def rests_on_doubt(span: Span, doubtful: Mapping[str, frozenset[int]]) -> bool:
    """Whether what was asked lies, in part at least, in units in doubt: `doubtful` are their numbers by recording."""
    first, last = span.core or (span.first, span.last)
    held = doubtful.get(span.recording_id, frozenset())
    return any(number in held for number in range(first, last + 1))


def besides(spans: Sequence[Span], known: Sequence[Span]) -> list[Span]:
    """Spans that share no more than a third of their time with any of those known."""
    return [span for span in spans if not any(_same(span, other) for other in known)]


def _same(span: Span, other: Span) -> bool:
    if span.recording_id != other.recording_id:
        return False
    shared = min(span.end_ms, other.end_ms) - max(span.start_ms, other.start_ms)
    return shared > _SAME_SHARE * max(min(span.end_ms - span.start_ms, other.end_ms - other.start_ms), 1)
