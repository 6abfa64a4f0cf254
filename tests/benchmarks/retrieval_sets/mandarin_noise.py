"""Damages Mandarin as recognisers do: words of the same sound or nearly so, in bursts and in trade terms most; some numbers as digits.

A host's names and terms that are misheard as a whole stand in the source (`@always`, `@often`). Everything comes from the generator given.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from pypinyin import Style, pinyin

from tests.benchmarks.retrieval_sets.marked_source import MarkedStream, Speech, Token

_NUMERAL = re.compile(r"(百分之)?([零一二两三四五六七八九十百千万点]+)")
_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
_SCALES = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}
_UNITS_AFTER = "年月天克斤号块岁倍升米分秒罐瓶只颗条单名单期段次个"
_DROPPED_EASILY = "的了啊呢吧嘛呀哈就是那个一你我"
_NEAR_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("f", "h"), ("r", "l"), ("b", "p"), ("d", "t"), ("j", "q"))
_NEAR_FINALS = (("ang", "an"), ("eng", "en"), ("ing", "in"))


@dataclass(frozen=True)
class Damage:
    """How much goes wrong: shares of characters in calm and in a burst, and of numbers and misheard words."""

    calm: float = 0.032
    burst: float = 0.28
    into_burst: float = 0.021
    out_of_burst: float = 0.13
    in_terms: float = 2.0  # times the share elsewhere
    in_everyday_words: float = 0.45
    numbers_as_digits: float = 0.3
    often: float = 0.45


def damage_mandarin(stream: MarkedStream, damage: Damage, rng: random.Random) -> int:
    """Writes what is heard into every token; returns how many numbers became digits."""
    paragraphs = [part.tokens for part in stream.body if isinstance(part, Speech)]
    ear = _Ear(token.said for tokens in paragraphs for token in tokens)
    numbers = 0
    for tokens in paragraphs:
        settled = set[int]()
        _mishear_words(tokens, stream.always, 1.0, settled, rng)
        _mishear_words(tokens, stream.often, damage.often, settled, rng)
        numbers += _write_digits(tokens, damage.numbers_as_digits, settled, rng)
        _mishear_characters(tokens, stream.terms, damage, settled, ear, rng)
    return numbers


def _mishear_words(tokens: Sequence[Token], words: dict[str, str], share: float, settled: set[int], rng: random.Random) -> None:
    said = [token.said for token in tokens]
    for true, heard in words.items():
        pieces = re.findall(r"[A-Za-z0-9][A-Za-z0-9'+./%&-]*|\S", true)
        for start in range(len(said) - len(pieces) + 1):
            places = range(start, start + len(pieces))
            if said[start : start + len(pieces)] == pieces and settled.isdisjoint(places) and rng.random() < share:
                _put(tokens, places, heard)
                settled.update(places)


def _put(tokens: Sequence[Token], places: Sequence[int], heard: str, *, whole: bool = False) -> None:
    one_each = len(heard) == len(places) and not whole
    for nth, place in enumerate(places):
        tokens[place].heard = heard[nth] if one_each else (heard if nth == 0 else "")


def _write_digits(tokens: Sequence[Token], share: float, settled: set[int], rng: random.Random) -> int:
    text = "".join(token.said if len(token.said) == 1 else "\0" for token in tokens)
    written = 0
    for match in _NUMERAL.finditer(text):
        end = match.end()
        for place in range(match.start(), match.end() - 1):
            if tokens[place].stop:  # 两千一百九十九，八加一百二十八 holds two
                end = place + 1
                break
        words = text[match.start(2) : end].rstrip("点")
        end = match.start(2) + len(words)
        before, after = text[match.start() - 1 : match.start()], text[end : end + 1]
        places = range(match.start(), end)
        if before in ("几", "第", "点") or after in ("几", "来", "点") or not settled.isdisjoint(places):
            continue
        value = as_digits(words, after)
        if value and rng.random() < share:
            _put(tokens, places, value + ("%" if match[1] else ""), whole=True)
            settled.update(places)
            written += 1
    return written


def as_digits(words: str, after: str = "") -> str | None:
    """两百五 → 250, 八点二 → 8.2, 九二五 → 925; None where a recogniser would leave the words."""
    whole, _, fraction = words.partition("点")
    if "点" in words and (not whole or not fraction or any(char in _SCALES for char in fraction)):
        return None
    if not any(char in _SCALES for char in whole):
        if not whole or (len(whole) == 1 and not fraction and (whole in "一两零" or after not in tuple(_UNITS_AFTER))):
            return None
        if len(whole) == 2:  # 七八 means about seven
            return None
        number = "".join(str(_DIGITS[char]) for char in whole)
    elif whole[0] in "百千万" or (len(whole) == 1 and after not in tuple(_UNITS_AFTER)):
        return None
    else:
        number = str(_value(whole))
    return number + ("." + "".join(str(_DIGITS[char]) for char in fraction) if fraction else "")


def _value(words: str) -> int:
    total = section = 0
    digit: int | None = None
    scale = 1
    for place, char in enumerate(words):
        if char in _DIGITS:
            digit = _DIGITS[char]
            if char == "零":
                scale = 1
            elif place == len(words) - 1 and scale >= 100 and words[place - 1] != "零":
                return total + section + digit * scale // 10  # 两千九百八
        elif char == "万":
            total, section, digit, scale = (section + (digit or 0)) * 10_000, 0, None, 10_000
        else:
            scale = _SCALES[char]
            section, digit = section + (1 if digit is None else digit) * scale, None
    return total + section + (digit or 0)


def _mishear_characters(
    tokens: Sequence[Token], terms: Iterable[str], damage: Damage, settled: set[int], ear: "_Ear", rng: random.Random
) -> None:
    in_terms = _places_of(tokens, terms)
    bursting = False
    for place, token in enumerate(tokens):
        bursting = rng.random() >= damage.out_of_burst if bursting else rng.random() < damage.into_burst
        share = (damage.burst if bursting else damage.calm) * (damage.in_terms if place in in_terms else 1.0)
        share *= damage.in_everyday_words if token.said in ear.everyday else 1.0
        if place in settled or len(token.said) > 1 or rng.random() >= share:
            continue
        lot = rng.random()
        if lot < (0.3 if token.said in _DROPPED_EASILY else 0.07):
            token.heard = ""
        elif lot > 0.94:
            token.heard = token.said * 2
        else:
            token.heard = ear.mishear(token.said, rng)


def _places_of(tokens: Sequence[Token], terms: Iterable[str]) -> set[int]:
    text = "".join(token.said if len(token.said) == 1 else "\0" for token in tokens)
    return {place for term in terms for match in re.finditer(re.escape(term), text) for place in range(*match.span())}


class _Ear:
    """Which other character is heard: one of the same or a near sound, those of this talk before rarer ones."""

    def __init__(self, talk: Iterable[str]) -> None:
        self._common = Counter(sorted(char for char in talk if len(char) == 1))
        self.everyday = {char for char, _ in self._common.most_common(80)}

    def mishear(self, char: str, rng: random.Random) -> str:
        sound, tone = _sound(char)
        if not sound:
            return char
        candidates: dict[str, float] = {}
        for other_sound, worth in [(sound, 1.0), *((near, 0.12) for near in _near(sound))]:
            for other in _by_sound().get(other_sound, ()):
                if other != char:
                    same_tone = 3.0 if _sound(other)[1] == tone else 1.0
                    candidates[other] = worth * same_tone * (1 + 3 * self._common[other])
        if not candidates:
            return char
        return rng.choices(list(candidates), list(candidates.values()))[0]


@cache
def _sound(char: str) -> tuple[str, str]:
    if not "一" <= char <= "鿿":
        return "", ""
    spelled = pinyin(char, style=Style.TONE3, neutral_tone_with_five=True)[0][0]
    return spelled[:-1], spelled[-1]


@cache
def _by_sound() -> dict[str, list[str]]:
    """The 3,755 characters of GB 2312's first level by toneless sound."""
    sounds: dict[str, list[str]] = defaultdict(list)
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                char = bytes((high, low)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            sounds[_sound(char)[0]].append(char)
    return sounds


@cache
def _near(sound: str) -> tuple[str, ...]:
    near = []
    for one, other in (*_NEAR_INITIALS, *((b, a) for a, b in _NEAR_INITIALS)):
        if sound.startswith(one) and not (one in {"z", "c", "s"} and sound[1:2] == "h"):
            near.append(other + sound[len(one) :])
    for one, other in (*_NEAR_FINALS, *((b, a) for a, b in _NEAR_FINALS)):
        if sound.endswith(one):
            near.append(sound[: -len(one)] + other)
    return tuple(candidate for candidate in near if candidate in _by_sound())
