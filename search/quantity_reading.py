"""Finds typed quantities in folded text (lower case, simplified, NFKC), left to right. What a quantity is, tells `search.quantities`."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from search.numerals import DIGITS, NUMERAL_CHARS
from search.quantity_grades import INCHES, read_grade
from search.quantity_numbers import DIGIT_RUN, ENGLISH_WORD, WRITTEN_RUN, Number, read_number
from search.quantity_phrases import (
    SECOND_DAY,
    WORDS,
    read_compensation,
    read_english_offer,
    read_feet,
    read_offer,
    read_parts,
    read_sun_protection,
)
from search.quantity_prices import SYMBOL, read_after_symbol, read_bare, read_tail, with_per
from search.quantity_traps import ORDINAL, TRAP
from search.quantity_units import CLASSIFIED, UNITS, Bound, QuantityKind, Reading, Unit, reading_of, rounded, unit_at

_M, _D = QuantityKind.MONEY, QuantityKind.DURATION
_START: Final = re.compile(
    rf"(?<![a-z])buy (?=[a-z1-9])|[0-9几半双加翻第终永当次隔买拍购¥$€£₩{''.join(sorted(NUMERAL_CHARS))}]|{ENGLISH_WORD.pattern}"
    r"|(?<![a-z])(?:half|twice|double|triple|lifetime|same.day|next.day|spf|(?:us|hk|nt|[sac])\$|(?:rm|rmb|cny|usd|eur|gbp|hkd|jpy) ?\d)"
)
_BEFORE: Final = re.compile(
    r"(?:(至少|最少|最低|不少于|不低于|起码|(?<![不没有别])超过|大于|高于|多于|at least|over|more than)|"
    r"(最多|最长|最高|至多|[不别没]超过|没有超过|不多于|不高于|不大于|低于|小于|少于|不到|顶多|封顶|限|"
    r"under|at most|up to|less than|within)|"
    r"(大概|大约|约|差不多|近|about|around)) ?$"
)
_BEFORE_ENDS: Final = frozenset("少低于码过多长高到限概约近tnropd")
_AFTER: Final = re.compile(
    r" ?(?:(或?及?以上|往上|起步|起(?![球毛皮泡床来静码])|\+(?! ?\d)|or more)|"
    r"(或?及?以[下内里]|之内|内(?![衣裤裙胆衬含存置搭容部外])|封顶|or less)|(左右|上下(?!身|铺)))"
)
_AFTER_STARTS: Final = frozenset("或及以往起+o之内封左上 ")
_BOUNDS: Final = (Bound.EXACT, Bound.LEAST, Bound.MOST, Bound.ABOUT)
_ROUND_BEFORE: Final = ("上百", "上千", "上万", "过百", "过千", "过万")
_BELOW_ZERO: Final = re.compile(r"(?:零下|(?<![0-9a-z%℃度])-)$")
_UNIT_GAP: Final = re.compile(r" |-(?=[a-z])")
_HALF_OF: Final = re.compile(r"个半(月|小时|钟头|钟|星期|礼拜)")
_OFF: Final = re.compile(r"(?:%|percent) ?off(?![a-z])")
_OLD: Final = re.compile(r"[ -]old(?![a-z])")
_AND_A_HALF: Final = re.compile(r" and a half(?![a-z])")
_FEET: Final = frozenset(("foot", "feet", "ft"))
_INCHES_BEHIND: Final = re.compile(r" (\d{1,2}|[a-z]+)(?: ?(?:inch(?:es)?|in))?(?![a-z0-9])")
_MANY: Final = re.compile(r"多(?!少)")
_RANGE: Final = re.compile(r" ?(?:到|至|-|~|—|–) ?(?=[0-9" + "".join(sorted(NUMERAL_CHARS)) + "])")


def read_quantities(text: str, cased: str) -> Iterator[Reading]:
    """Every quantity, without overlaps. `cased` is the same text before it was lower-cased: 5G is a network and 5g a mass."""
    at = 0
    while True:
        start = _START.search(text, at)
        if start is None:
            return
        begin = max(start.start(), at)
        found, at = _read_at(text, cased, begin)
        if found:
            found = _joined(text, cased, found)
            found = found._replace(bound=found.bound or _bound(text, found))
            at = found.end
            yield found


def _read_at(text: str, cased: str, at: int) -> tuple[Reading | None, int]:
    """The quantity that begins at `at`, or where to look on."""
    if text[at].isascii() and (offer := read_english_offer(text, at)):
        return offer, offer.end
    if text.startswith("buy", at):
        return None, at + 3
    trap = TRAP.match(text, at)
    if trap and trap.end() > at:
        return None, trap.end()
    char = text[at]
    if char in "第半双加翻终永当次隔hdtlns买拍购":
        return _read_phrase(text, cased, at)
    symbol = SYMBOL.match(text, at)
    if symbol:
        return read_after_symbol(text, cased, at, symbol)
    if text.startswith("spf", at):
        return read_sun_protection(text, cased, at)
    special = _special(text, cased, at)
    if special:
        return special, special.end
    few = _two_or_three(text, at)
    number = few or read_number(text, cased, at)
    if number is None:
        run = DIGIT_RUN.match(text, at) or WRITTEN_RUN.match(text, at)
        return None, max(run.end() if run else 0, at + 1)
    return _with_unit(text, cased, at, number), number.end


def _special(text: str, cased: str, at: int) -> Reading | None:
    char = text[at]
    if char.isascii():
        return read_feet(text, at)
    return (read_parts(text, cased, at) if char != "零" else None) or (read_compensation(text, cased, at) if char == "一" else None)


def _read_phrase(text: str, cased: str, at: int) -> tuple[Reading | None, int]:
    if text[at] == "第":
        day = SECOND_DAY.match(text, at)
        if day:
            return Reading(_D, Decimal(1), "day", Decimal(1), at, day.end()), day.end()
        ordinal = ORDINAL.match(text, at)
        if not ordinal:
            return None, at + 1
        name = unit_at(text, ordinal.end())
        return None, ordinal.end() + (len(name) if name else 0)
    if text[at] in "买拍购":
        return read_offer(text, cased, at)
    for pattern, kind, unit, value, number in WORDS:
        match = pattern.match(text, at)
        if match:
            return Reading(kind, value, unit, number, at, match.end()), match.end()
    if text[at] in "hdtlns":
        symbol = SYMBOL.match(text, at)
        if symbol:
            return read_after_symbol(text, cased, at, symbol)
        if text.startswith("spf", at):
            return read_sun_protection(text, cased, at)
        if ENGLISH_WORD.match(text, at):
            number_read = read_number(text, cased, at)
            if number_read:
                return _with_unit(text, cased, at, number_read), number_read.end
    return None, at + 1


def _two_or_three(text: str, at: int) -> Number | None:
    """三两天, 一两个: 两 is a number there and no weight."""
    if text[at] in "一三" and text.startswith("两", at + 1) and unit_at(text, at + 2) not in (None, "重"):
        value = DIGITS[text[at]]
        return Number(Decimal(min(value, 2)), at + 2, Decimal(max(value, 2)), True)
    return None


def _with_unit(text: str, cased: str, start: int, number: Number) -> Reading | None:
    gap = _UNIT_GAP.match(text, number.end)
    after = gap.end() if gap else number.end
    graded = read_grade(text, cased, start, number)
    if graded:
        return graded
    half = _HALF_OF.match(text, after)
    if half:
        unit = UNITS["个月" if half[1] == "月" else "小时" if half[1] in "小时钟头" else "星期"]
        number = number._replace(value=number.value + Decimal("0.5"))
        return reading_of(unit, number, start, half.end())
    name = unit_at(text, after)
    if name == "两" and _counts_two(text, after + 1, number.value):
        name = None
    if name == "年" and (1900 <= number.value <= 2100 or (number.value != int(number.value) and number.value > 100)):
        return None
    if name is None:
        return read_bare(text, cased, start, number)
    unit, end = UNITS[name], after + len(name)
    if unit.kind is _D and name.isascii() and _OLD.match(text, end):
        unit, end = UNITS["岁"], end + len(" old")
    if (
        name == "g"
        and cased.startswith("G", after)
        and 2 <= number.value <= 6
        and end - start == 2
        and not text.startswith(("装", "/", "*"), end)
    ):
        return None  # a network: 支持5G
    number = _as_said(text, start, number, name)
    if name == "块" and text.startswith(("手表", "毛巾", "面膜", "肉", "布", "香皂", "电池", "砖", "屏"), end):
        unit = Unit(QuantityKind.COUNT, "块", Decimal(1))
    if unit.unit == "折" and number.value >= 10:
        number = number._replace(value=number.value / 10, upper=None if number.upper is None else number.upper / 10)
    if name in ("%", "percent"):
        off = _OFF.match(text, after)
        if off and number.upper is None and number.value < 100:
            return Reading(QuantityKind.COUNT, (100 - number.value) / 10, "折", number.value, start, off.end())
    if INCHES.match(text, end) and unit.unit == "寸":
        end += 1
    extra, end = read_tail(text, name, unit, end)
    if not extra and name.isascii():
        extra, end = _english_tail(text, cased, name, unit, end)
    many = number.upper is None and not extra and unit.kind is not QuantityKind.COUNT and bool(_MANY.match(text, end))
    reading = reading_of(unit, number, start, end)
    if extra:
        reading = reading._replace(value=rounded(number.value * unit.factor + extra, unit))
    if many or name.startswith("个多"):
        reading = reading._replace(end=end + many, upper=rounded((number.value + 1) * unit.factor, unit), bound=Bound.ABOUT)
    if unit.kind is QuantityKind.TEMPERATURE and (below := _BELOW_ZERO.search(text, max(0, start - 3), start)):
        reading = reading._replace(value=-reading.value, number=-reading.number, start=below.start())
    return with_per(text, reading) if unit.kind is _M else reading


def _english_tail(text: str, cased: str, name: str, unit: Unit, end: int) -> tuple[Decimal, int]:
    """a year and a half, 5 feet 4, five foot four."""
    if half := _AND_A_HALF.match(text, end):
        return unit.factor / 2, half.end()
    behind = _INCHES_BEHIND.match(text, end) if name in _FEET else None
    inches = read_number(text + " ", cased + " ", end + 1) if behind else None
    if behind and inches and inches.end == behind.end(1) and 0 < inches.value < 12:
        return inches.value * UNITS["inches"].factor * Decimal("25.4"), behind.end()
    return Decimal(0), end


def _counts_two(text: str, at: int, before: Decimal) -> bool:
    """九十九两件, 一百两三个: 两 is a number there and no weight, as it is in 三两四对."""
    follows = text[at : at + 1]
    if follows and follows in NUMERAL_CHARS:
        return before >= 10 or follows in "百千万三"
    return unit_at(text, at) not in (None, "重")


def _as_said(text: str, start: int, number: Number, name: str) -> Number:
    """What digits said one by one mean before this unit: 八五折 is 8.5, 三四码 size 34, 三五天 3 to 5 days."""
    if name == "码" and number.upper is not None and len(number.run) == 2:
        return number._replace(value=Decimal(number.run), upper=None)
    unit = UNITS[name]
    if number.run == "35" and name != "折" and (unit.kind is _D or (unit.kind is QuantityKind.COUNT and name in CLASSIFIED)):
        return number._replace(value=Decimal(3), upper=Decimal(5), about=True)
    return number


def _joined(text: str, cased: str, found: Reading) -> Reading:
    """Takes in what continues the quantity: 一年零三个月, 1小时30分, 三天到五天, 20%-30%."""
    if found.upper is not None or found.unit in ("", "life", "day") or found.kind in (QuantityKind.OFFER, QuantityKind.GRADE):
        return found
    if found.kind is _D:
        at = found.end + (1 if text.startswith("零", found.end) else 0)
        further = _part_of_duration(text, cased, found, at)
        if further:
            return further
    separator = _RANGE.match(text, found.end)
    if not separator:
        return found
    other, _ = _read_at(text, cased, separator.end())
    if (
        other
        and other.kind is found.kind
        and other.unit == found.unit
        and other.upper is None
        and other.value > found.value
        and not other.per
    ):
        return found._replace(end=other.end, upper=other.value)
    return found


def _part_of_duration(text: str, cased: str, found: Reading, at: int) -> Reading | None:
    if at >= len(text) or (text[at] not in NUMERAL_CHARS and text[at] not in "0123456789"):
        return None
    number = read_number(text, cased, at)
    if number is None or number.upper is not None:
        return None
    name = unit_at(text, number.end)
    unit = UNITS.get(name or "")
    if unit and unit.kind is _D and unit.unit == found.unit and name:
        part, end = number.value * unit.factor, number.end + len(name)
        if unit.factor < found.value / max(found.number, Decimal(1)) and part < found.value / max(found.number, Decimal(1)):
            return found._replace(value=found.value + part, end=end)
    if found.unit == "s" and found.value % 3600 == 0 and found.value < 86400 and text.startswith("分", number.end) and number.value < 60:
        return found._replace(value=found.value + number.value * 60, end=number.end + 1)
    return None


def _bound(text: str, found: Reading) -> Bound:
    if text[found.end : found.end + 1] in _AFTER_STARTS and found.end < len(text):
        after = _AFTER.match(text, found.end)
        if after:
            return _BOUNDS[after.lastindex or 0]
    if not found.start:
        return Bound.EXACT
    if text.startswith(_ROUND_BEFORE, found.start - 1):
        return Bound.LEAST
    before = text[found.start - 1] if text[found.start - 1] != " " else text[found.start - 2 : found.start - 1]
    if before not in _BEFORE_ENDS:
        return Bound.EXACT
    match = _BEFORE.search(text, max(0, found.start - 10), found.start)
    return _BOUNDS[match.lastindex or 0] if match else Bound.EXACT
