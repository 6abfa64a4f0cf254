"""A recogniser's tokens joined into what is said as one: `2|99` is 299, `i|Phone|15` one name, and a mark belongs to the word it stands by.

Whisper cuts Chinese text wherever a token ends, numbers and Latin names included. What is joined has one time and is never cut apart.
"""

import re
import unicodedata
from collections.abc import Sequence

from transcribe.engines import HeardWord

_LETTER = "0-9A-Za-z\u00aa-\u024f\u0370-\u052f"
# Prices, figures, dates, times of day and percentages; Latin, Greek and Cyrillic words and names with figures in them.
_ONE = re.compile(
    rf"[¥￥$€£₩]?\d+(?:[.:/]\d+|,\d{{3}}(?!\d))*[%％‰℃°]?(?![{_LETTER}])"
    rf"|[¥￥$€£₩]?[{_LETTER}]+(?:(?:['’&_+-]|(?<=\d)[.:/](?=\d)|(?<=\d),(?=\d{{3}}(?!\d)))[{_LETTER}]+)*[%％‰℃°+]?"
)
_SPOKEN_SYMBOLS = {"%": 3.0, "％": 3.0, "‰": 3.0, "℃": 3.0, "°": 1.0, "¥": 1.0, "￥": 1.0, "$": 2.0, "€": 2.0, "£": 2.0, "₩": 2.0,
                   "+": 1.0, "＋": 1.0, "×": 1.0, "=": 2.0, "&": 1.0, "@": 1.0}  # fmt: skip
_OPENING = frozenset("“‘\"'（(【[「『《〈〔{¿¡")
_PARTS = re.compile(rf"\d+|[A-Za-z\u00c0-\u024f\u0370-\u052f]+|[^\d{_LETTER}]")
_VOWELS = re.compile(r"[aeiouyà-æè-ïò-öù-ýāēěīōūаеёиоуыэюяαεηιουω]+", re.IGNORECASE)
_SMALL_KANA = frozenset("ぁぃぅぇぉっゃゅょァィゥェォッャュョー")
_READ_ONE_BY_ONE = 7
_UNSPOKEN = 0.3


def joined(words: Sequence[HeardWord]) -> list[HeardWord]:
    """The words of one segment, in order; their texts join to the same text.

    A joined word lasts from its first spoken part to its last, and is as sure as the least sure of them.
    """
    kept: list[list[HeardWord]] = []
    text = "".join(word.text for word in words)
    inside = {at for match in _ONE.finditer(text) for at in range(match.start() + 1, match.end())}
    at = 0
    opened = False
    for word in words:
        to_the_last = kept and (at in inside or _hangs_on(word.text, kept[-1][-1].text) or opened)
        opened = _opens(word.text)
        if to_the_last:
            kept[-1].append(word)
        else:
            kept.append([word])
        at += len(word.text)
    return [_one(parts) for parts in kept]


def _hangs_on(text: str, before: str) -> bool:
    """Whether a word is only marks that close what went before, or the rest of one written sign."""
    if before.endswith("\u200d") or unicodedata.category(text[:1] or " ")[0] == "M" or text.startswith(("\u200d", "\ufe0f")):
        return True
    if "\U0001f3fb" <= text[:1] <= "\U0001f3ff":
        return True
    bare = text.strip()
    return not any(stands_alone(sign) for sign in bare) and bare[:1] not in _OPENING - {'"', "'"}


def _opens(text: str) -> bool:
    bare = text.strip()
    return bool(bare) and all(sign in _OPENING for sign in bare) and bare not in {'"', "'"}


def stands_alone(sign: str) -> bool:
    """Whether a character is heard or seen as more than a mark: letters, figures, spoken symbols, emoji."""
    return sign.isalnum() or sign in _SPOKEN_SYMBOLS or unicodedata.category(sign) == "So"


def _one(parts: Sequence[HeardWord]) -> HeardWord:
    spoken = [part for part in parts if any(stands_alone(sign) for sign in part.text)] or list(parts)
    start_ms = min(part.start_ms for part in spoken)
    text = "".join(part.text for part in parts)
    return HeardWord(start_ms, max(start_ms, *(part.end_ms for part in spoken)), text, min(part.probability for part in spoken))


def beats(text: str) -> tuple[float, ...]:
    """About how many syllables it takes to say a word, never 0; one number for each character where each is a syllable."""
    parts = _PARTS.findall(text)
    whole = [part for part in parts if _is_syllable(part)]
    if whole and all(_is_syllable(part) or not _said(part) for part in parts):
        return (1.0,) * len(whole)
    return (max(_UNSPOKEN, sum(_said(part) for part in parts)),)


def _said(part: str) -> float:
    sign = part[0]
    if part.isdecimal():
        return _figure(part)
    if len(part) > 1 or re.match(rf"[{_LETTER}]", sign):
        vowels = _VOWELS.findall(part)
        # `kg`, `VIP` and `ml` are spelt or stand for something longer.
        return float(len(part)) if not vowels or (part.isupper() and len(part) <= 4) else float(len(vowels))
    if sign in _SPOKEN_SYMBOLS:
        return _SPOKEN_SYMBOLS[sign]
    if "\u3040" <= sign <= "\u30ff":
        return 0.3 if sign in _SMALL_KANA else 0.7
    if _is_syllable(sign):
        return 1.0
    return 0.5 if sign.isalpha() else 0.0


def _is_syllable(sign: str) -> bool:
    """A Chinese character or a Korean syllable."""
    return "\u3400" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af" or "\U00020000" <= sign <= "\U0003ffff"


def _figure(digits: str) -> float:
    """299 is said 二百九十九: a syllable for each figure that isn't 0 and for its place, one for zeros between them."""
    if len(digits) >= _READ_ONE_BY_ONE or digits.startswith("0"):
        return float(len(digits))
    count = sum(2 if place else 1 for place, figure in enumerate(reversed(digits)) if figure != "0")
    return float(max(1, count) + bool(re.search("[1-9]0+[1-9]", digits)))
