"""Numbers as they stand before units in folded text: 299, 1,299, 3千5, 1.5w, 2k, 两百九十九, 三到五, 十来, 三百多, 几十, two.

Nothing is guessed: what is read is what is written, and 四 for a misheard 十 stays 四.
"""

import re
from decimal import Decimal
from typing import Final, NamedTuple

from search.numerals import DIGITS, LARGE_UNITS, NUMERAL_CHARS, SMALL_UNITS, read_numeral

_ASCII_DIGITS: Final = frozenset("0123456789")
_WRITTEN: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d{1,15})?(?!\d)|\d+(?:\.\d+)?", re.ASCII)
WRITTEN_RUN: Final = re.compile(r"[\d.,]*\d", re.ASCII)
DIGIT_RUN: Final = re.compile(f"[{''.join(DIGITS)}]{{17,}}")
_DIGITS: Final = re.compile(r"\d+", re.ASCII)
_LONGEST_WRITTEN: Final = 15
_RANGE: Final = re.compile(r" ?(?:到|至|-|~|—|–) ?")
_MULTIPLIERS: Final = SMALL_UNITS | LARGE_UNITS
_TEN_THOUSAND: Final = re.compile(r"w(?![a-z])", re.IGNORECASE)
# 7.5w charges a telephone, 1.5w is fifteen thousand.
_POWER: Final = re.compile(r" ?(?:功率|快充|充电|闪充|无线|吸力|电机|灯|适配)")
_THOUSAND: Final = re.compile(r"k(?![a-z金])(?! ?(?:屏|超?高清|分辨|超清|画质|电视|显示|视频|摄|投影|黄金|白金|玫瑰|镀|包金))")
_VAGUE: Final = re.compile(r"[多来余](?!\d)|把(?=块|斤|个|年|天|公里|元|人|米)|几(?=[块天个年斤岁元件单次万瓶盒人名条平度倍克米分小公])")
_FEW: Final = {"几十": (20, 90), "几百": (200, 900), "几千": (2000, 9000), "几万": (20_000, 90_000), "几十万": (200_000, 900_000)}
_ROUND: Final = re.compile(r"[百千万](?:[来把余](?=[块元天个多斤人单件])|(?<=[近上过].)(?=[块元个天单人斤件名年条位]))")
_ENGLISH: Final = {
    word: number
    for number, words in enumerate(
        [
            "zero",
            "one a an",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
    for word in words.split()
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
ENGLISH_WORD: Final = re.compile(rf"(?<![a-z])(?:{'|'.join(sorted(_ENGLISH, key=len, reverse=True))})(?= |-)")
_NUMBER_WORDS: Final = "|".join(sorted((*_ENGLISH, "hundred", "thousand"), key=len, reverse=True))
_ENGLISH_PART: Final = re.compile(rf"(?:(?<=[a-z])(?: and | |-))?({_NUMBER_WORDS})(?![a-z])")
_SOME: Final = re.compile(r"(?:an? (?:(couple)(?: of)?|dozen)|(half) a dozen)(?![a-z])")


class Number(NamedTuple):
    """A number in folded text with the offset after it; `upper` ends a range, `about` is 十来 or 三百多, `run` digits said one by one."""

    value: Decimal
    end: int
    upper: Decimal | None = None
    about: bool = False
    run: str = ""


def read_number(text: str, cased: str, at: int) -> Number | None:
    """The number that begins at `at`, 3到5 and 三四 included. `cased` is the text before it was lower-cased."""
    first = _read_one(text, cased, at)
    if first is None or first.upper is not None:
        return first
    separator = _RANGE.match(text, first.end)
    if separator:
        second = _read_one(text, cased, separator.end())
        if second and second.upper is None:
            low = first.value
            if low < 10 <= second.value and _one_digit_and_unit(text, separator.end(), second) and not text.startswith(".", at + 1):
                # 三到五百 is 300 to 500
                low *= Decimal(10) ** second.value.adjusted()
            if second.value > low:
                return Number(low, second.end, second.value, first.about or second.about)
    return first


def _one_digit_and_unit(text: str, at: int, number: Number) -> bool:
    return number.end - at == 2 and text[at] in DIGITS and text[at + 1] in _MULTIPLIERS and text[at + 1] not in "十拾"


def _read_one(text: str, cased: str, at: int) -> Number | None:
    if at >= len(text):
        return None
    char = text[at]
    if char in _ASCII_DIGITS:
        return _read_written(text, cased, at)
    if char == "几":
        few = next((name for name in ("几十万", "几十", "几百", "几千", "几万") if text.startswith(name, at)), None)
        return Number(Decimal(_FEW[few][0]), at + len(few), Decimal(_FEW[few][1]), True) if few else None
    if char in NUMERAL_CHARS:
        return _read_spoken(text, at)
    return _read_english(text, at) if ENGLISH_WORD.match(text, at) else None


def _read_english(text: str, at: int) -> Number | None:
    """twenty-five, two hundred and fifty, one thousand five hundred, a dozen, a couple of."""
    some = _SOME.match(text, at)
    if some:
        return Number(Decimal({"couple": 2, "dozen": 12, "half": 6}[some[1] or some[2] or "dozen"]), some.end(), None, some[1] == "couple")
    total = part = 0
    end = at
    while match := _ENGLISH_PART.match(text, end):
        word = match[1]
        if word == "hundred" and 0 < part < 100:
            part *= 100
        elif word == "thousand" and 0 < part < 1000:
            total, part = total + part * 1000, 0
        elif word in _ENGLISH and word not in ("a", "an") and _goes_behind(_ENGLISH[word], part, first=end == at):
            part += _ENGLISH[word]
        elif word in ("a", "an") and end == at:
            part = 1
        else:
            break
        end = match.end()
    return Number(Decimal(total + part), end) if end > at else None


def _goes_behind(value: int, part: int, *, first: bool) -> bool:
    """Whether a word goes on with the number before it: five behind twenty, fifty behind two hundred; nothing behind five."""
    return first or (part % 100 == 0 and part > 0) or (part == 0) or (part % 100 >= 20 and part % 10 == 0 and 0 < value < 10)


def _read_spoken(text: str, at: int) -> Number | None:
    if text.startswith(("百八十", "百十"), at):
        ten = text.startswith("百十", at)
        return _vague(text, Number(Decimal(100 if ten else 80), at + (2 if ten else 3), Decimal(110 if ten else 100), True))
    hundred = _ROUND.match(text, at)
    if hundred:
        return Number(Decimal(_MULTIPLIERS[text[at]]), hundred.end(), None, len(hundred[0]) > 1)
    numeral = read_numeral(text, at)
    if numeral is None:
        return None
    run = "".join(str(DIGITS[char]) for char in text[at : numeral.end]) if all(char in DIGITS for char in text[at : numeral.end]) else ""
    number = Number(numeral.value, numeral.end, numeral.upper, False, run if len(run) > 1 else "")
    if number.upper is None and text[number.end - 1] in "百千万" and text[number.end : number.end + 1] in _ASCII_DIGITS:
        number = _with_elided(text, number, _MULTIPLIERS[text[number.end - 1]])
    return _vague(text, number)


def _read_written(text: str, cased: str, at: int) -> Number | None:
    """Digits with what multiplies them: 3千5 (3500), 1万2, 2千3百, 1.5万, 1.5w, 2k."""
    match = _WRITTEN.match(text, at)
    if not match or len(match[0]) > _LONGEST_WRITTEN or (at and _belongs_to_a_word(text, at)):
        return None
    value, end = Decimal(match[0].replace(",", "")), match.end()
    unit = _MULTIPLIERS.get(text[end : end + 1], 0) if not text.startswith(("千克", "千米", "千瓦", "千帕", "千卡", "千焦"), end) else 0
    if unit:
        number = Number(value * unit, end + 1)
        if text[end + 1 : end + 2] in LARGE_UNITS and unit < 10_000 and end + 1 < len(text):
            return _vague(text, Number(number.value * LARGE_UNITS[text[end + 1]], end + 2))
        return _vague(text, _with_elided(text, number, unit) if "." not in match[0] else number)
    if _TEN_THOUSAND.match(text, end) and value < 10 and cased[end] == "w" and not _POWER.match(text, end + 1):
        return _vague(text, Number(value * 10_000, end + 1))
    if _THOUSAND.match(text, end) and value < 1000 and value not in (14, 18, 22, 24):
        return _vague(text, Number(value * 1000, end + 1))
    return _vague(text, Number(value, end))


def _belongs_to_a_word(text: str, at: int) -> bool:
    """iphone15, a4, .5: no numbers of their own; 12个x3 is."""
    before = text[at - 1]
    if before in "x*" and at > 1 and not (text[at - 2].isascii() and text[at - 2].isalpha() and text[at - 2] not in "lg"):
        return False
    return before == "." or (before.isascii() and before.isalpha() and before != "x") or (before == "x" and at > 1 and text[at - 2] == " ")


def _with_elided(text: str, number: Number, unit: int) -> Number:
    """What follows 千 or 万 without its own unit (3千5), or with a smaller one (2千3百)."""
    value, end = number.value, number.end
    while unit > 10:
        if text.startswith("零", end):
            break
        match = _DIGITS.match(text, end)
        digit = int(match[0]) if match and len(match[0]) == 1 else DIGITS.get(text[end : end + 1])
        if not digit or (text[end] in "两俩") or text.startswith((".", "点"), end + 1):
            break
        follows = text[end + 1 : end + 2]
        smaller = _MULTIPLIERS.get(follows, 0)
        if smaller:
            if smaller >= unit:
                break
            value, end, unit = value + digit * smaller, end + 2, smaller
            continue
        if follows in DIGITS or follows in _ASCII_DIGITS:
            break
        return Number(value + digit * unit // 10, end + 1)
    return Number(value, end)


def _vague(text: str, number: Number) -> Number:
    """十来, 三百多, 二十几: a round number that is not meant to the piece. 多 reaches to the next round one."""
    match = _VAGUE.match(text, number.end)
    if not match or number.upper is not None or number.value < 10 or number.value % 10:
        return number._replace(about=True) if number.about else number
    if match[0] == "几":
        return Number(number.value + 1, match.end(), number.value + 9, True)
    step = Decimal(10) ** _zeros(number.value)
    return Number(number.value, match.end(), number.value + step if match[0] == "多" else None, True)


def _zeros(value: Decimal) -> int:
    digits = format(value.normalize(), "f").partition(".")[0]
    return len(digits) - len(digits.rstrip("0"))
