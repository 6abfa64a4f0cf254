"""Damages English as recognisers do: lower case, no punctuation, words of a like sound, small words lost or said twice, numbers as digits.

Names and terms that are misheard as a whole stand in the source (`@always`, `@often`). Everything comes from the generator given.
"""

import difflib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.benchmarks.retrieval_sets.marked_source import MarkedStream, Speech, Token

_SMALL = frozenset(
    ("a", "an", "the", "of", "to", "in", "and", "so", "is", "it", "that", "you", "i", "we", "do", "on", "at", "if", "for", "just", "like")
)
_TENS = {word: value for value, word in enumerate(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2)}
_TO_NINE = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TO_NINETEEN = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_ONES = {word: value for value, word in enumerate(_TO_NINE + _TO_NINETEEN, 1)}
_COUNTED = frozenset(("days", "dollars", "hours", "percent", "years", "months"))


@dataclass(frozen=True)
class EnglishDamage:
    calm: float = 0.036
    burst: float = 0.29
    into_burst: float = 0.025
    out_of_burst: float = 0.2
    numbers_as_digits: float = 0.45
    often: float = 0.5


def damage_english(stream: MarkedStream, damage: EnglishDamage, rng: random.Random) -> int:
    """Writes what is heard into every token, lower case; returns how many numbers became digits."""
    numbers = 0
    vocabulary = sorted({token.said.lower() for part in stream.body if isinstance(part, Speech) for token in part.tokens})
    for part in stream.body:
        if not isinstance(part, Speech):
            continue
        tokens = part.tokens
        for token in tokens:
            token.said = token.said.lower()
            token.heard = token.said
        settled = set[int]()
        for words, share in ((stream.always, 1.0), (stream.often, damage.often)):
            _mishear_phrases(tokens, words, share, settled, rng)
        numbers += _write_digits(tokens, damage.numbers_as_digits, settled, rng)
        _mishear_words(tokens, damage, settled, vocabulary, rng)
    return numbers


def _mishear_phrases(tokens: Sequence[Token], words: dict[str, str], share: float, settled: set[int], rng: random.Random) -> None:
    said = [token.said for token in tokens]
    for true, heard in words.items():
        pieces = true.lower().split()
        for start in range(len(said) - len(pieces) + 1):
            places = range(start, start + len(pieces))
            if said[start : start + len(pieces)] == pieces and settled.isdisjoint(places) and rng.random() < share:
                for place in places:
                    tokens[place].heard = heard if place == start else ""
                settled.update(places)


def _write_digits(tokens: Sequence[Token], share: float, settled: set[int], rng: random.Random) -> int:
    written, place = 0, 0
    while place < len(tokens):
        value, end = _number_at(tokens, place)
        if end > place and (value > 9 or tokens[min(end, len(tokens) - 1)].said in _COUNTED):
            if settled.isdisjoint(range(place, end)) and rng.random() < share:
                for nth in range(place, end):
                    tokens[nth].heard = str(value) if nth == place else ""
                settled.update(range(place, end))
                written += 1
            place = end
        else:
            place += 1
    return written


def _number_at(tokens: Sequence[Token], start: int) -> tuple[int, int]:
    """The number spelled out from `start`, and the place behind it (`start` where there is none)."""
    total = current = 0
    place = start
    last = 1_000  # what the last word was worth: a number's words get smaller
    while place < len(tokens):
        word = tokens[place].said
        if word in _TENS and last > 90:
            current, last = current + 10 * _TENS[word], 10
        elif word in _ONES and (last > 90 or (last == 10 and _ONES[word] < 10)):
            current, last = current + _ONES[word], 1
        elif word in {"hundred", "thousand"} and place > start:
            scale = 100 if word == "hundred" else 1_000
            current, last = current * scale, 1_000
            if scale == 1_000:
                total, current = total + current, 0
        else:
            break
        place += 1
    return total + current, place


def _mishear_words(
    tokens: Sequence[Token], damage: EnglishDamage, settled: set[int], vocabulary: Sequence[str], rng: random.Random
) -> None:
    bursting = False
    for place, token in enumerate(tokens):
        bursting = rng.random() >= damage.out_of_burst if bursting else rng.random() < damage.into_burst
        if place in settled or rng.random() >= (damage.burst if bursting else damage.calm):
            continue
        alike = _alike(token.said)
        if token.said in _SMALL and rng.random() < 0.5:
            token.heard = ""
        elif alike:
            token.heard = rng.choice(alike)
        elif rng.random() < 0.12:
            token.heard = f"{token.said} {token.said}"
        else:
            token.heard = _half_heard(token.said, vocabulary, rng)


def _alike(word: str) -> list[str]:
    found: list[str] = []
    for words in _sound_alike():
        if word in words:
            found.extend(other for other in words if other != word)
    return found


@cache
def _sound_alike() -> list[list[str]]:
    """Sets of words one of which is written for another."""
    return [line.split() for line in Path(__file__).with_name("english_sound_alike.txt").read_text("utf-8").splitlines()]


def _half_heard(word: str, vocabulary: Sequence[str], rng: random.Random) -> str:
    """An ending lost, or another word of this talk that looks like it: what is left of an unclear word."""
    if len(word) < 4 or not word.isalpha():
        return word
    for ending in ("ing", "ed", "es", "s", "ly", "er"):
        if word.endswith(ending) and len(word) - len(ending) > 2 and rng.random() < 0.6:
            return word[: -len(ending)]
    like = [other for other in difflib.get_close_matches(word, vocabulary, n=5, cutoff=0.6) if other != word]
    return rng.choice(like) if like else word
