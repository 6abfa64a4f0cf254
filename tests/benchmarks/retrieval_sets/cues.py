"""Cuts what is said into a recogniser's cues and puts them on a clock; times in ms from the start of the stream.

Cues are short and break where their length is reached, now and then where the voice rests; none crosses the end of a paragraph.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.benchmarks.retrieval_sets.marked_source import MarkedStream, Message, ShopEvent, Silence, Speech, Token

_LATIN = re.compile(r"[A-Za-z0-9]")


@dataclass(frozen=True)
class Pace:
    """How fast the host speaks and how long cues are; lengths in characters as `Token.weight` counts them."""

    per_second: float = 4.4
    shortest: float = 6.5
    longest: float = 14.5
    at_rest: float = 0.35  # how often a cue ends where the voice rests, if it rests within its length
    sentence_rest_ms: tuple[int, int] = (200, 1_300)
    paragraph_rest_ms: tuple[int, int] = (900, 3_600)


@dataclass(frozen=True)
class Cue:
    start_ms: int
    end_ms: int
    tokens: Sequence[Token]  # empty: the recogniser made it up
    paragraph: int
    invented: str = ""

    @property
    def said(self) -> str:
        return joined(token.said for token in self.tokens)

    def written(self, *, punctuated: bool) -> str:
        if not self.tokens:
            return self.invented
        return joined(token.heard + (token.mark if punctuated else "") for token in self.tokens)


@dataclass(frozen=True)
class Timeline:
    cues: list[Cue]
    messages: list[tuple[int, Message]]
    events: list[tuple[int, ShopEvent]]
    duration_ms: int


def joined(pieces: Iterator[str]) -> str:
    """Words of Latin letters stand apart from each other, everything else stands together."""
    text = ""
    for piece in pieces:
        if text and piece and _LATIN.match(piece[0]) and (_LATIN.match(text[-1]) or text[-1] in ",.?!%'+"):
            text += " "
        text += piece
    return text


def laid_out(stream: MarkedStream, pace: Pace, invented: Sequence[str], rng: random.Random) -> Timeline:
    cues: list[Cue] = []
    messages: list[tuple[int, Message]] = []
    events: list[tuple[int, ShopEvent]] = []
    now_ms = rng.randint(1_500, 6_000)
    for number, part in enumerate(stream.body):
        match part:
            case Silence(seconds):
                if seconds >= 8 and rng.random() < 0.6:
                    start_ms = now_ms + rng.randint(1_500, 3_500)
                    cues.append(Cue(start_ms, start_ms + rng.randint(1_500, 2_800), (), number, rng.choice(list(invented))))
                now_ms += round(seconds * 1_000)
            case Message():
                messages.append((max(0, now_ms - rng.randint(5_000, 19_000)), part))
            case ShopEvent():
                events.append((max(0, now_ms + rng.randint(-2_500, 2_500)), part))
            case Speech(tokens):
                for piece in _cut(tokens, pace, rng):
                    lasts_ms = sum(token.weight for token in piece) / pace.per_second * 1_000 * rng.uniform(0.92, 1.08)
                    end_ms = now_ms + min(3_600, max(900, round(lasts_ms)))
                    cues.append(Cue(now_ms, end_ms, piece, number))
                    now_ms = end_ms + rng.randint(0, 160)
                    if piece[-1].stop == 2:
                        now_ms += rng.randint(*pace.sentence_rest_ms)
                    elif piece[-1].stop:
                        now_ms += rng.randint(0, 420)
                now_ms += rng.randint(*pace.paragraph_rest_ms)
    return Timeline(cues, messages, sorted(events, key=lambda pair: pair[0]), now_ms + rng.randint(2_000, 9_000))


def _cut(tokens: Sequence[Token], pace: Pace, rng: random.Random) -> Iterator[Sequence[Token]]:
    start = 0
    while start < len(tokens):
        left = sum(token.weight for token in tokens[start:])
        if left <= pace.longest:
            yield tokens[start:]
            return
        aim = rng.uniform(pace.shortest, pace.longest)
        if left - aim < pace.shortest:  # no scrap at the end
            aim = left / 2
        rests = []
        length, end = 0.0, start
        for place in range(start, len(tokens)):
            length += tokens[place].weight
            if length > pace.longest:
                break
            if length <= aim:
                end = place + 1
            if length >= pace.shortest and tokens[place].stop and left - length >= pace.shortest / 2:
                rests.append(place + 1)
        if rests and rng.random() < pace.at_rest:
            end = rng.choice(rests)
        end = max(end, start + 1)
        yield tokens[start:end]
        start = end
