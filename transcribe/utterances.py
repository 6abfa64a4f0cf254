"""One utterance, one segment: what the recogniser heard in a packed window, put back on the part's media time and cut at pauses.

Times: the onset and offset of a speech region are known to one frame of 32 ms, while Whisper's own stamps and its cross-attention
alignment may stray by hundreds. So an utterance that opens a region begins at its onset, one that closes it ends at its offset, and
words are kept inside. Where the alignment has collapsed, words are spread over the utterance by their number of characters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.transcript import Word
from transcribe.engines import HeardSegment, HeardWord
from transcribe.speech_regions import Region, Window

# A word of one Whisper segment moves to another region than its fellows only if its time says so by this much.
_STAY_TOGETHER_MS = 400
_SENTENCE_ENDS = frozenset("。！？!?；;")
_WORD_GAP_MS = 700
_COLLAPSED_SHARE = 0.3
_SHORTEST_MS = 20


@dataclass(frozen=True, slots=True)
class Utterance:
    """Text with times in ms of the part's media time. `shared_ms`: how much of the time the recogniser gave it lies in speech."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...]
    log_prob: float
    no_speech: float
    shared_ms: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """A region and where it begins in the packed window."""

    region: Region
    packed_ms: int

    @property
    def onset_ms(self) -> int:
        return self.packed_ms + self.region.onset_ms - self.region.start_ms

    @property
    def offset_ms(self) -> int:
        return self.packed_ms + self.region.offset_ms - self.region.start_ms

    def to_media(self, packed_ms: int) -> int:
        return packed_ms - self.packed_ms + self.region.start_ms

    def distance_ms(self, start_ms: int, end_ms: int) -> int:
        """How far the middle of a span lies outside of the speech; 0 inside."""
        middle = (start_ms + end_ms) // 2
        return max(0, self.onset_ms - middle, middle - self.offset_ms)

    def overlap_ms(self, start_ms: int, end_ms: int) -> int:
        return max(0, min(end_ms, self.offset_ms) - max(start_ms, self.onset_ms))


def utterances_of(window: Window, heard: Sequence[HeardSegment]) -> list[Utterance]:
    """Utterances in order of time; every word heard is in exactly one."""
    placed, packed_ms = [], 0
    for region in window.regions:
        placed.append(_Placed(region, packed_ms))
        packed_ms += region.length_ms
    words = [(segment, word) for segment in heard for word in segment.words or (_whole(segment),)]
    groups: list[list[tuple[HeardSegment, HeardWord]]] = []
    homes: list[int] = []
    for home, (segment, word) in zip(_homes(placed, words), words, strict=True):
        if groups and homes[-1] == home and not _cut_between(groups[-1][-1], (segment, word)):
            groups[-1].append((segment, word))
        else:
            groups.append([(segment, word)])
            homes.append(home)
    return [
        _utterance(
            group,
            placed[home],
            opens=index == 0 or homes[index - 1] != home,
            closes=index + 1 == len(groups) or homes[index + 1] != home,
        )
        for index, (group, home) in enumerate(zip(groups, homes, strict=True))
    ]


def _whole(segment: HeardSegment) -> HeardWord:
    return HeardWord(segment.start_ms, segment.end_ms, segment.text, 0.0)


def _homes(placed: Sequence[_Placed], words: Sequence[tuple[HeardSegment, HeardWord]]) -> list[int]:
    """The region of each word: the cheapest assignment that never goes back in time (dynamic programming over words × regions)."""
    best: list[list[int]] = []
    origin: list[list[int]] = []
    likely = {id(segment): max(range(len(placed)), key=lambda i: _belongs(placed[i], segment)) for segment, _ in words}
    for index, (segment, word) in enumerate(words):
        costs, origins = [], []
        cheapest, at = (0, 0)
        for home, place in enumerate(placed):
            if index:
                if home == 0 or best[-1][home] < cheapest:
                    cheapest, at = best[-1][home], home
            else:
                cheapest, at = 0, home
            moved = _STAY_TOGETHER_MS if likely[id(segment)] != home else 0
            costs.append(cheapest + place.distance_ms(word.start_ms, word.end_ms) + moved)
            origins.append(at)
        best.append(costs)
        origin.append(origins)
    if not words:
        return []
    home = min(range(len(placed)), key=best[-1].__getitem__)
    homes = [home]
    for index in range(len(words) - 1, 0, -1):
        home = origin[index][home]
        homes.append(home)
    return homes[::-1]


def _belongs(place: _Placed, segment: HeardSegment) -> tuple[int, int]:
    return place.overlap_ms(segment.start_ms, segment.end_ms), -place.distance_ms(segment.start_ms, segment.end_ms)


def _cut_between(before: tuple[HeardSegment, HeardWord], after: tuple[HeardSegment, HeardWord]) -> bool:
    if before[0] is not after[0] or before[1].text.strip()[-1:] in _SENTENCE_ENDS:
        return True
    return after[1].start_ms - before[1].end_ms > _WORD_GAP_MS


def _utterance(group: Sequence[tuple[HeardSegment, HeardWord]], place: _Placed, *, opens: bool, closes: bool) -> Utterance:
    segment, heard = group[0][0], [word for _, word in group]
    start = place.onset_ms if opens else min(max(heard[0].start_ms, place.onset_ms), place.offset_ms - _SHORTEST_MS)
    end = place.offset_ms if closes else min(max(heard[-1].end_ms, start + _SHORTEST_MS), place.offset_ms)
    spans = _collapsed(heard, start, end) or _inside(heard, start, end)
    words = tuple(
        Word(place.to_media(begin), place.to_media(finish), word.text, word.probability)
        for word, (begin, finish) in zip(heard, spans, strict=True)
    )
    text = "".join(word.text for word in heard).strip()
    shared = place.overlap_ms(heard[0].start_ms, heard[-1].end_ms)
    return Utterance(place.to_media(start), place.to_media(end), text, words, segment.log_prob, segment.no_speech, shared)


def _collapsed(words: Sequence[HeardWord], start_ms: int, end_ms: int) -> list[tuple[int, int]] | None:
    """Spans by number of characters if too many words have no length or lie outside of the utterance; None if the alignment stands."""
    lost = sum(word.end_ms - word.start_ms < _SHORTEST_MS or word.end_ms <= start_ms or word.start_ms >= end_ms for word in words)
    if lost <= _COLLAPSED_SHARE * len(words):
        return None
    lengths = [max(1, len(word.text.strip())) for word in words]
    total, spans, said = sum(lengths), [], 0
    for length in lengths:
        begin = start_ms + (end_ms - start_ms) * said // total
        said += length
        spans.append((begin, start_ms + (end_ms - start_ms) * said // total))
    return spans


def _inside(words: Sequence[HeardWord], start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """The aligned spans, made to ascend and to stay inside; the first word begins with the utterance."""
    starts: list[int] = []
    for index, word in enumerate(words):
        at = start_ms if index == 0 else max(word.start_ms, starts[-1])
        starts.append(min(max(at, start_ms), end_ms))
    return [
        (begin, max(begin, min(word.end_ms, following, end_ms)))
        for word, begin, following in zip(words, starts, [*starts[1:], end_ms], strict=True)
    ]
