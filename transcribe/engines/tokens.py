"""What both recognisers share: a window's tokens cut at Whisper's own time stamps, and words joined with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from transcribe.engines import HeardSegment, HeardWord

_TIMESTAMP_MS = 20


@dataclass(slots=True)
class TimedTokens:
    """Text tokens between two time stamps, in ms from the window's start."""

    start_ms: int
    end_ms: int
    tokens: list[int] = field(default_factory=list)


def cut_at_timestamps(tokens: Sequence[int], *, end_of_text: int, timestamp_begin: int, window_ms: int) -> list[TimedTokens]:
    """Stretches of text in order. One that no time stamp opens begins where the last ended; one that none closes ends with the window.

    Token ids: text below `end_of_text`, other specials up to `timestamp_begin`, then time stamps in steps of 20 ms.
    """
    stretches: list[TimedTokens] = []
    text: list[int] = []
    start_ms = 0
    for token in tokens:
        if token < end_of_text:
            text.append(token)
        elif token >= timestamp_begin:
            at_ms = min((token - timestamp_begin) * _TIMESTAMP_MS, window_ms)
            if text:
                stretches.append(TimedTokens(start_ms, max(at_ms, start_ms), text))
                text = []
            start_ms = at_ms
    if text:
        stretches.append(TimedTokens(start_ms, max(window_ms, start_ms), text))
    return stretches


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """A word of the alignment: its tokens and its time in seconds from the window's start."""

    text: str
    tokens: Sequence[int]
    start_s: float
    end_s: float
    probability: float


def heard_segments(
    stretches: Sequence[TimedTokens], aligned: Sequence[AlignedWord], decode: Callable[[list[int]], str], log_prob: float, no_speech: float
) -> list[HeardSegment]:
    """Segments with their words. A word belongs to the stretch that its first token belongs to, so none is lost or doubled."""
    segments, position, word_index = [], 0, 0
    for stretch in stretches:
        last = position + len(stretch.tokens)
        words: list[HeardWord] = []
        while word_index < len(aligned) and position < last:
            word = aligned[word_index]
            position += len(word.tokens)
            word_index += 1
            if word.text.strip():
                words.append(HeardWord(round(word.start_s * 1000), round(word.end_s * 1000), word.text, round(float(word.probability), 4)))
        text = "".join(word.text for word in words) if words else decode(stretch.tokens)
        if text.strip():
            segments.append(HeardSegment(stretch.start_ms, stretch.end_ms, text, tuple(words), round(log_prob, 4), round(no_speech, 4)))
    return segments
