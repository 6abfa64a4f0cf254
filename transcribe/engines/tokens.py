"""What both recognisers share: a window's tokens cut at Whisper's own time stamps, and words joined with them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from transcribe.engines import HeardSegment, HeardWord

_TIMESTAMP_MS = 20
_LEAST_PROBABILITY = 1e-6


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
    """Segments with their words. A word belongs to the stretch that its first token belongs to, so none is lost or doubled.

    `log_prob` is the decoder's mean over the window. Whisper tells no more than that of each segment, so the alignment says how far one
    lies above or below the rest: one that was guessed stands out in a window that is sure otherwise.
    """
    told: list[list[AlignedWord]] = []
    position, word_index = 0, 0
    ends = accumulate(len(stretch.tokens) for stretch in stretches)
    for last in ends:
        told.append([])
        while word_index < len(aligned) and position < last:
            told[-1].append(aligned[word_index])
            position += len(aligned[word_index].tokens)
            word_index += 1
    overall = _log_prob(aligned)
    segments = []
    for stretch, all_words in zip(stretches, told, strict=True):
        words = [
            HeardWord(round(word.start_s * 1000), round(word.end_s * 1000), word.text, round(float(word.probability), 4))
            for word in all_words
            if word.text.strip()
        ]
        text = "".join(word.text for word in words) if words else decode(stretch.tokens)
        if text.strip():
            own = log_prob + _log_prob(all_words) - overall if all_words else log_prob
            segments.append(
                HeardSegment(stretch.start_ms, stretch.end_ms, text, tuple(words), round(min(own, 0.0), 4), round(no_speech, 4))
            )
    return segments


def _log_prob(words: Sequence[AlignedWord]) -> float:
    """Mean over the words' tokens."""
    total = sum(len(word.tokens) for word in words)
    return sum(len(word.tokens) * math.log(max(word.probability, _LEAST_PROBABILITY)) for word in words) / max(1, total)
