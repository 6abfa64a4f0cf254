"""The same line again and again, over windows that were heard each for itself.

Within a window a decoder falls into loops; across windows it can't, since no window is told what was written before it. There, the same
line many times over is a tune that always sounds like the same words, or a host who really says it many times. So it is doubted only
where the recogniser was unsure as well, or where it goes on for longer than anybody repeats a line.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import SequenceMatcher

from archive.transcript import Segment

REPETITION = "repetition"
_ALIKE = 0.85
_SHORTEST = 3
_UNSURE_RUN, _ANY_RUN = 4, 8
# Confidence is exp(log-prob): half of it is -0.7 a token, near the -1.0 at which one segment alone is doubted.
_UNSURE = 0.5


def alike(text: str, other: str) -> bool:
    """Whether two lines are the same but for a word or two in ten."""
    if text == other:
        return True
    shorter, longer = sorted((len(text), len(other)))
    return shorter >= _SHORTEST and shorter >= _ALIKE * longer and SequenceMatcher(None, text, other, autojunk=False).ratio() >= _ALIKE


def marked_loops(segments: Iterable[Segment]) -> Iterator[Segment]:
    """The segments in order, those of a loop marked. At most as many are held as tell a loop."""
    held: list[Segment] = []
    looping = False
    for segment in segments:
        if held and not (len(segment.text) >= _SHORTEST and alike(segment.text, held[-1].text)):
            yield from map(_marked, held) if looping else held
            held, looping = [], False
        held.append(segment)
        looping = looping or _is_loop(held)
        if looping and len(held) > 1:
            yield from map(_marked, held[:-1])
            del held[:-1]
        elif len(held) > _ANY_RUN:
            yield held.pop(0)
    yield from map(_marked, held) if looping else held


def _is_loop(run: list[Segment]) -> bool:
    if len(run) >= _ANY_RUN:
        return True
    sure = [segment.confidence for segment in run if segment.confidence is not None]
    return len(run) >= _UNSURE_RUN and len(sure) == len(run) and sum(sure) < _UNSURE * len(run)


def _marked(segment: Segment) -> Segment:
    return segment if REPETITION in segment.risk else replace(segment, risk=(REPETITION, *segment.risk))
