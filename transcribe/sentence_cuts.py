"""Where words are cut into segments: at the ends of sentences, at pauses, and, where neither comes, at the best place of a long stretch.

Never inside a word, a number, or between a number and what it counts.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

PAUSE_MS = 700
LONGEST_MS = 12_000
LONGEST_CHARS = 60
# A letter of other scripts than Chinese, Japanese and Korean fills less of a line.
_NARROW = 1 / 3
_SHORTEST_SHARE = 0.2
_CLAUSE_MS = 400
_OFF_CENTRE_MS = 300

_CLOSING = "”’\"'）)】]」』》〉〕}"
_SENTENCE_ENDS = frozenset("。！？!?；;…｡؟।")
_CLAUSE_ENDS = frozenset("，,、：:—")
_NUMERALS = frozenset("零〇一二两三四五六七八九十百千万亿点")
_COUNTED = frozenset("元块毛角折天年月日号时点分秒个件只双条盒袋瓶支片斤克升米寸码倍成期岁人单款样张把次位名%％")
_ABBREVIATIONS = frozenset(
    ["mr", "mrs", "ms", "dr", "prof", "st", "vs", "no", "nr", "vol", "jr", "sr", "inc", "ltd", "co", "corp", "approx", "etc", "al", "fig",
     "e.g", "i.e", "a.m", "p.m", "u.s", "bzw", "ca", "z.b"]
)  # fmt: skip
_WIDE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]")
_WORDLIKE = re.compile(r"[\u3400-\u9fff]+")


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word in its place. `segment` numbers the stretch between two of the recogniser's own time stamps that it comes from."""

    start_ms: int
    end_ms: int
    text: str
    segment: int


def pieces(words: Sequence[TimedWord]) -> list[tuple[int, int]]:
    """Index ranges [first, last) of the segments, in order; each word is in exactly one."""
    if not words:
        return []
    cuts = [0]
    for index in range(1, len(words)):
        before, after = words[index - 1], words[index]
        if _ends_sentence(before, after):
            cuts.append(index)
        elif before.segment != after.segment or after.start_ms - before.end_ms > PAUSE_MS:
            # A voice may rest between two numbers that are written without figures, not inside of `299元`.
            apart = after.start_ms - before.end_ms > PAUSE_MS and not before.text.rstrip()[-1:].isdecimal()
            if apart or not belong_together(before.text, after.text):
                cuts.append(index)
    found = []
    for first, last in zip(cuts, [*cuts[1:], len(words)], strict=True):
        found += _shortened(words, first, last)
    return found


def _ends_sentence(before: TimedWord, after: TimedWord) -> bool:
    text = before.text.rstrip().rstrip(_CLOSING)
    if not text:
        return False
    if text[-1] in _SENTENCE_ENDS or text.endswith("..."):
        return True
    if text[-1] not in ".．":
        return False
    # A full stop also ends abbreviations and initials, and stands inside figures.
    bare = text.strip(" .．").lower()
    if bare in _ABBREVIATIONS or (len(bare) == 1 and bare.isalpha() and bare.isascii()):
        return False
    following = after.text.lstrip()[:1]
    spaced = after.text[:1].isspace()
    return bool(_WIDE.match(following)) or (spaced and not following.islower()) or (following.isupper() and len(bare) > 1)


def belong_together(before: str, after: str) -> bool:
    """Whether two words are one number, or a number and what it counts."""
    last, first = before.rstrip()[-1:], after.lstrip()[:1]
    if last.isdecimal() or last in _NUMERALS:
        return first.isdecimal() or first in _NUMERALS or first in _COUNTED
    return last in {"第", "¥", "￥", "$", "€"} and (first.isdecimal() or first in _NUMERALS)


def _shortened(words: Sequence[TimedWord], first: int, last: int) -> list[tuple[int, int]]:
    """The piece, cut at its best places until nothing is too long."""
    if not _too_long(words[first:last]):
        return [(first, last)]
    inner = _inside_words(words[first:last])
    begin, end = words[first].start_ms, words[last - 1].end_ms
    length = max(1, end - begin)
    best, at = None, None
    for index in range(first + 1, last):
        before, after = words[index - 1], words[index]
        share = (after.start_ms - begin) / length
        if index - first in inner or belong_together(before.text, after.text) or not _SHORTEST_SHARE <= share <= 1 - _SHORTEST_SHARE:
            continue
        worth = after.start_ms - before.end_ms - abs(share - 0.5) * 2 * _OFF_CENTRE_MS
        if before.text.rstrip()[-1:] in _CLAUSE_ENDS:
            worth += _CLAUSE_MS
        if best is None or worth > best:
            best, at = worth, index
    if at is None:
        return [(first, last)]
    return _shortened(words, first, at) + _shortened(words, at, last)


def _too_long(words: Sequence[TimedWord]) -> bool:
    if len(words) < 2:
        return False
    text = "".join(word.text for word in words)
    wide = len(_WIDE.findall(text))
    return words[-1].end_ms - words[0].start_ms > LONGEST_MS or wide + (len(text) - wide) * _NARROW > LONGEST_CHARS


def _inside_words(words: Sequence[TimedWord]) -> set[int]:
    """Indexes that lie inside of a Chinese word, of which each character may be one of `words`."""
    import rjieba

    text = "".join(word.text for word in words)
    begins = [0]
    for word in words:
        begins.append(begins[-1] + len(word.text))
    found: set[int] = set()
    for match in _WORDLIKE.finditer(text):
        at = match.start()
        for part in rjieba.cut(match[0]):
            found.update(range(bisect_left(begins, at + 1), bisect_left(begins, at + len(part))))
            at += len(part)
    return found
