"""Prices and bare numbers in folded text: ¥299, 九块九, 9.9元/斤, 到手两百九, 九十九两件."""

import re
from decimal import Decimal
from typing import Final

from search.numerals import DIGITS, NUMERAL_CHARS
from search.quantity_grades import joins_latin
from search.quantity_numbers import Number, read_number
from search.quantity_traps import ENGLISH_BEFORE, MODEL_AFTER, NAMED_BY_NUMBER
from search.quantity_units import CLASSIFIED, CNY, SYMBOLS, UNITS, QuantityKind, Reading, Unit, minor_units, reading_of, unit_at

_M, _D = QuantityKind.MONEY, QuantityKind.DURATION

SYMBOL: Final = re.compile(
    "(?:" + "|".join(("(?<![a-z])" if s[0].isalpha() else "") + re.escape(s) for s in sorted(SYMBOLS, key=len, reverse=True)) + r") ?(?=\d)"
)
_MONEY_BEFORE: Final = re.compile(
    r"(?:到手价?|只[要需]|一口价|券后价?|[售原现定底卖单特均]价|吊牌价?|专柜价?|活动价|秒杀价?|直播价|会员价|官网价?|福利价?|价格?|[降涨卖减返满]到?|立减|优惠|便宜|补差价?|"
    r"定金|尾款|红包|运费|邮费|退差价?|补贴)(?:了|是|才|就|只|你|您)? ?$"
)
_MONEY_AFTER: Final = re.compile(r" ?(?:到手|包邮|拿走|带走|拍走|抢走|秒杀)")
_PER: Final = re.compile(r"/ ?(?:每)?(?=[^\d\s])")


def read_after_symbol(text: str, cased: str, at: int, symbol: re.Match[str]) -> tuple[Reading | None, int]:
    currency = SYMBOLS[symbol[0].strip()]
    number = read_number(text, cased, symbol.end())
    if number is None:
        return None, symbol.end()
    reading = reading_of(Unit(_M, currency, minor_units(currency)), number, at, number.end)
    name = unit_at(text, number.end)
    if name and UNITS[name].kind is _M and UNITS[name].unit == currency and name not in ("毛", "角", "分钱"):
        reading = reading._replace(end=number.end + len(name))
    return with_per(text, reading), reading.end


def read_bare(text: str, cased: str, start: int, number: Number) -> Reading | None:
    """A number without a unit: a price by what stands around it, else a number; nothing where it only names something."""
    said = text[start : number.end]
    written = said[0] in "0123456789"
    if said[0].isascii() and not written:
        return None
    if (len(said) < 2 and not written) or (number.upper is not None and not any(char in "0123456789" for char in said)):
        return None
    priced = _MONEY_BEFORE.search(text, max(0, start - 8), start) or _MONEY_AFTER.match(text, number.end)
    if priced or (number.value >= 5 and _counted_next(text, cased, number)):
        return with_per(text, reading_of(UNITS["元"], number, start, number.end))
    per = _PER.match(text, number.end)
    if per and number.upper is None and unit_at(text, per.end()) and "." in said:
        return with_per(text, reading_of(UNITS["元"], number, start, number.end))
    digits = len(said.replace(",", "").replace(".", ""))
    if digits > (7 if written else 6) and not any(char in "十百千万亿" for char in said):
        return None
    if joins_latin(text, number.end) and written:
        return None
    if NAMED_BY_NUMBER.search(text, max(0, start - 8), start) or MODEL_AFTER.match(text, number.end):
        return None
    before = text[start - 1 : start] if start and text[start - 1] != " " else text[max(0, start - 2) : max(0, start - 1)]
    if before.isascii() and before.isalpha() and not ENGLISH_BEFORE.search(text, max(0, start - 8), start):
        return None
    return reading_of(Unit(QuantityKind.COUNT, "", Decimal(1)), number, start, number.end)


def _counted_next(text: str, cased: str, number: Number) -> bool:
    """Whether a count follows at once: 九十九两件, 29.9三斤 name a price and what it buys."""
    at = number.end + 1 if text.startswith(" ", number.end) else number.end
    if at >= len(text) or (text[at] in "0123456789" and at == number.end):
        return False
    if text[at] not in DIGITS and text[at] not in "0123456789":
        return False
    count = read_number(text, cased, at)
    name = unit_at(text, count.end) if count else None
    return bool(count and name and (name in CLASSIFIED or UNITS[name].kind is QuantityKind.MASS) and count.value <= 100)


def with_per(text: str, reading: Reading) -> Reading:
    """9.9元/斤: the unit that the price is for."""
    match = _PER.match(text, reading.end)
    name = unit_at(text, match.end()) if match else None
    return reading._replace(end=match.end() + len(name), per=name) if match and name else reading


def read_tail(text: str, name: str, unit: Unit, end: int) -> tuple[Decimal, int]:
    """What follows the unit and belongs to it: 一米六五, 两块五, 三斤八两, 一年半, 九块九毛九."""
    if text.startswith("半", end) and unit.kind in (_D, QuantityKind.MASS, QuantityKind.LENGTH, _M, QuantityKind.VOLUME):
        return (Decimal(0), end) if text.startswith("价", end + 1) else (unit.factor / 2, end + 1)
    if name in ("斤", "市斤"):
        ounce = _digit(text, end)
        return (ounce * Decimal(50), end + 2) if ounce and text.startswith("两", end + 1) else (Decimal(0), end)
    if name in ("毛", "角") and unit.unit == CNY:
        cents = _digit(text, end)
        ends = cents and not _goes_on(text, end + 1)
        return (
            (Decimal(cents or 0), end + 1 + text.startswith("分", end + 1))
            if ends or (cents and text.startswith("分", end + 1))
            else (Decimal(0), end)
        )
    if name not in ("块", "元", "米", "m", "尺", "公斤", "块钱"):
        return Decimal(0), end
    return _decimals(text, unit, end)


def _decimals(text: str, unit: Unit, end: int) -> tuple[Decimal, int]:
    """One or two digits behind 块 or 米, unless they begin a quantity of their own (九块九两件 is 9.9 and two)."""
    nothing = Decimal(0), end
    if unit.kind is _M and text.startswith("零", end) and text.startswith("分", end + 2):
        return Decimal(_digit(text, end + 1) or 0), end + 3  # 一块零五分
    at = end + 1 if unit.kind is _M and text.startswith("零", end) and text.startswith(("毛", "角"), end + 2) else end
    first = _digit(text, at)
    if first is None or (first == 0 and unit.kind is _M and at == end and not text.startswith("0", end)):
        return nothing
    second = _digit(text, at + 1) if text[at + 1 : at + 2] not in ("两", "俩") else None
    if unit.kind is _M and text.startswith(("毛", "角"), at + 1):
        cents = _digit(text, at + 2)
        if cents and (text.startswith("分", at + 3) or not _goes_on(text, at + 3)):
            return unit.factor * first / 10 + cents, at + 3 + text.startswith("分", at + 3)
        return unit.factor * first / 10, at + 2
    if second is not None and not _goes_on(text, at + 2):
        return unit.factor * (first * 10 + second) / 100, at + 2
    if second is None and not _goes_on(text, at + 1):
        return unit.factor * first / 10, at + 1
    # 九块九三瓶, 两块五一个, 九块九两件: the digit before the count belongs to the price
    counted = text[at + 1 : at + 2] in DIGITS and unit_at(text, at + 2) and text[at + 1 : at + 2]
    if (counted or text[at + 1 : at + 2] == " ") and first:
        return unit.factor * first / 10, at + 1
    return nothing


def _goes_on(text: str, at: int) -> bool:
    """Whether what stands here makes one quantity of its own with the digits before it."""
    follows = text[at : at + 1]
    return bool(follows) and (follows in NUMERAL_CHARS or follows in "0123456789点.折" or unit_at(text, at) is not None)


def _digit(text: str, at: int) -> int | None:
    char = text[at : at + 1]
    if char.isascii() and char.isdigit():
        return int(char)
    return DIGITS.get(char) if char not in ("两", "俩") else None
