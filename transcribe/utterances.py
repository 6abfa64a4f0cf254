"""What the recogniser heard in a packed window, put back on the part's media time and cut into utterances, each one segment.

Times: a speech region's onset and offset are known to one frame of 32 ms, while Whisper's own stamps and its cross-attention may stray by
hundreds. So the words of a region are aligned between its onset and its offset (`transcribe.word_alignment`), and only then is it cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from archive.transcript import Word
from transcribe.audio import Samples
from transcribe.engines import HeardSegment, HeardWord
from transcribe.loudness import STEP_MS, even, loudness
from transcribe.said_words import beats, joined
from transcribe.sentence_cuts import TimedWord, belong_together, pieces
from transcribe.speech_regions import Region, Window
from transcribe.word_alignment import RoughWord, aligned

# A word of one Whisper segment moves to another region than its fellows only if its time says so by this much.
_STAY_TOGETHER_MS = 400

_Heard = tuple[HeardSegment, HeardWord]


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


def utterances_of(window: Window, heard: Sequence[HeardSegment], samples: Samples | None = None) -> list[Utterance]:
    """Utterances in order of time; every word heard is in exactly one.

    `samples` is what the recogniser was given (16 kHz): words begin where its loudness says so. Without it, only their usual length and
    the recogniser's own times count.
    """
    placed, packed_ms = [], 0
    for region in window.regions:
        placed.append(_Placed(region, packed_ms))
        packed_ms += region.length_ms
    words = [(segment, word) for segment in heard for word in joined(segment.words or (_whole(segment),))]
    in_regions: list[list[_Heard]] = [[] for _ in placed]
    for home, word in zip(_homes(placed, words), words, strict=True):
        in_regions[home].append(word)
    return [utterance for place, group in zip(placed, in_regions, strict=True) for utterance in _utterances(place, group, samples)]


def _whole(segment: HeardSegment) -> HeardWord:
    return HeardWord(segment.start_ms, segment.end_ms, segment.text, 0.0)


def _homes(placed: Sequence[_Placed], words: Sequence[_Heard]) -> list[int]:
    """The region of each word: the cheapest assignment that never goes back in time (dynamic programming over words × regions)."""
    best: list[list[int]] = []
    origin: list[list[int]] = []
    likely = {id(segment): max(range(len(placed)), key=lambda i: _belongs(placed[i], segment)) for segment, _ in words}
    for index, (segment, word) in enumerate(words):
        costs, origins = [], []
        torn = _STAY_TOGETHER_MS if index and belong_together(words[index - 1][1].text, word.text) else 0
        earlier, at_earlier = None, 0
        for home, place in enumerate(placed):
            cost, at = (best[-1][home] if index else 0), home
            if earlier is not None and earlier + torn < cost:
                cost, at = earlier + torn, at_earlier
            if index and (earlier is None or best[-1][home] < earlier):
                earlier, at_earlier = best[-1][home], home
            moved = _STAY_TOGETHER_MS if likely[id(segment)] != home else 0
            costs.append(cost + place.distance_ms(word.start_ms, word.end_ms) + moved)
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


def _utterances(place: _Placed, heard: Sequence[_Heard], samples: Samples | None) -> list[Utterance]:
    """A region's words, timed and cut. The first utterance begins with the speech, the last ends with it, whatever words it holds."""
    length_ms = place.offset_ms - place.onset_ms
    steps = length_ms // STEP_MS
    sound = even(steps) if samples is None else loudness(samples, place.onset_ms, steps)
    spans = aligned([RoughWord(word.start_ms - place.onset_ms, beats(word.text)) for _, word in heard], sound, length_ms)
    numbers: dict[int, int] = {}
    timed = [
        TimedWord(place.region.onset_ms + begin, place.region.onset_ms + end, word.text, numbers.setdefault(id(segment), len(numbers)))
        for (segment, word), (begin, end) in zip(heard, spans, strict=True)
    ]
    found = []
    for first, last in pieces(timed):
        words = tuple(
            Word(at.start_ms, at.end_ms, at.text, word.probability)
            for at, (_, word) in zip(timed[first:last], heard[first:last], strict=True)
        )
        end_ms = place.region.offset_ms if last == len(timed) else words[-1].end_ms
        shared_ms = place.overlap_ms(heard[first][1].start_ms, heard[last - 1][1].end_ms)
        text = "".join(word.text for word in words).strip()
        log_prob = min(segment.log_prob for segment, _ in heard[first:last])
        start_ms = words[0].start_ms if first else place.region.onset_ms
        found.append(Utterance(start_ms, end_ms, text, words, log_prob, heard[first][0].no_speech, shared_ms))
    return found
