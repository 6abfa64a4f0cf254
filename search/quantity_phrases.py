"""Quantities that are whole phrases in folded text: 百分之九十五, 三分之一, 半年, 终身, 当天, 假一赔十, 拍一发五, SPF50, 5'6"."""

import re
from decimal import Decimal
from typing import Final

from search.numerals import DIGITS
from search.quantity_numbers import Number, read_number
from search.quantity_units import CLASSIFIED, UNITS, QuantityKind, Reading, Unit, reading_of, unit_at

_D = QuantityKind.DURATION
WORDS: Final = tuple(
    (re.compile(pattern), kind, unit, Decimal(value), Decimal(number))
    for pattern, kind, unit, value, number in (
        (r"半价|half.(?:price|off)(?![a-z])", QuantityKind.COUNT, "折", "5", "5"),
        (r"双倍|加倍|翻倍|twice(?![a-z])|double(?![a-z])", QuantityKind.MULTIPLE, "×", "2", "2"),
        (r"triple(?![a-z])", QuantityKind.MULTIPLE, "×", "3", "3"),
        (r"(?<![上下前后])半年|half a year", _D, "month", "6", "0.5"),
        (r"半个月", _D, "s", "1296000", "0.5"),
        (r"半个?(?:小时|钟头)|half an hour", _D, "s", "1800", "0.5"),
        (r"(?<![上下前后])半天", _D, "s", "43200", "0.5"),
        (r"half a pound", QuantityKind.MASS, "g", "226.796185", "0.5"),
        (r"half a dozen", QuantityKind.COUNT, "", "6", "6"),
        (r"半公斤|半千克", QuantityKind.MASS, "g", "500", "0.5"),
        (r"半斤(?!八两)", QuantityKind.MASS, "g", "250", "0.5"),
        (r"半两", QuantityKind.MASS, "g", "25", "0.5"),
        (r"半克拉", QuantityKind.MASS, "g", "0.1", "0.5"),
        (r"半米", QuantityKind.LENGTH, "mm", "500", "0.5"),
        (r"半升", QuantityKind.VOLUME, "ml", "500", "0.5"),
        (r"半折", QuantityKind.COUNT, "折", "5", "5"),
        # Without end: compared with spans of time, but equal to none. 不是终身 says what it isn't.
        (r"(?<!不是)终[身生]|永久(?=保|质|免费|维|包|有效)|lifetime(?![a-z])", _D, "life", "1", "1"),
        # A day of the calendar, no span of hours.
        (r"当[天日](?=[就能可内立下单拍]{0,4}[发达到寄送出揽退修装])|same.day(?![a-z])", _D, "day", "0", "0"),
        (r"(?:次日|隔[天日])(?=[就能可内]{0,2}[发达到寄送出揽退修装降])|next.day(?![a-z])", _D, "day", "1", "1"),
    )
)
SECOND_DAY: Final = re.compile(r"第[二2]天(?=[就能可]{0,2}[发达到寄送出揽退修装降])")
_PARTS: Final = {"百分之": Decimal(1), "千分之": Decimal("0.1"), "万分之": Decimal("0.01")}
_COMPENSATION: Final = re.compile(r"一\s?(?:赔偿?|罚|陪|培)\s?")
_OFFER: Final = re.compile(r"[买拍购]下?")
_OFFERED: Final = re.compile(r"(?:(送|赠|搭|免)|(?:发|得|到手))")
_SMALL: Final = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_FEW: Final = r"(one|two|three|four|five|[1-9])"
_BUY_GET: Final = re.compile(rf"buy {_FEW} (?:and )?get (?:the )?{_FEW}(?: more)?(?: free)?(?![a-z0-9%])(?! (?:half|percent|for))")
_FOR: Final = re.compile(rf"{_FEW} for (?:the price of )?{_FEW}(?= (?:deal|offer|sale|special|tonight|today|on|and|free)|[.,!?;]|$)")
_PARTS_OF: Final = re.compile(r"分之")
_FEET: Final = re.compile(r"(\d{1,2})['′](?:\s?(\d{1,2})(?:\"|″|''))?", re.ASCII)
_SPF: Final = re.compile(r"spf ?(?:(\d{1,3})|(?=[一二三四五六七八九十]))", re.ASCII)


def read_sun_protection(text: str, cased: str, at: int) -> tuple[Reading | None, int]:
    match = _SPF.match(text, at)
    if not match:
        return None, at + 1
    number = Number(Decimal(match[1]), match.end()) if match[1] else read_number(text, cased, match.end())
    return (reading_of(Unit(QuantityKind.GRADE, "SPF", Decimal(1)), number, at, number.end), number.end) if number else (None, match.end())


def read_parts(text: str, cased: str, at: int) -> Reading | None:
    """百分之九十五, 千分之三, 百分百, 三分之一, 一半."""
    if text.startswith("分之", at + 1) and text[at] in "百千万":
        factor = _PARTS[text[at : at + 3]]
        number = read_number(text, cased, at + 3)
        if number:
            return reading_of(Unit(QuantityKind.PERCENT, "%", factor), number, at, number.end)
        if text.startswith("百", at + 3):
            return Reading(QuantityKind.PERCENT, Decimal(100), "%", Decimal(100), at, at + 4)
        return None
    if text.startswith("百分百", at):
        return Reading(QuantityKind.PERCENT, Decimal(100), "%", Decimal(100), at, at + 3)
    if text.startswith("一半", at) and not text.startswith("另", at - 1):
        return Reading(QuantityKind.PERCENT, Decimal(50), "%", Decimal("0.5"), at, at + 2)
    whole = read_number(text, cased, at) if text[at] in DIGITS and _PARTS_OF.search(text, at + 1, at + 7) else None
    if whole and whole.value and whole.upper is None and text.startswith("分之", whole.end):
        part = read_number(text, cased, whole.end + 2)
        if part and part.value <= whole.value:
            return Reading(QuantityKind.PERCENT, (part.value * 100 / whole.value).quantize(Decimal("0.01")), "%", part.value, at, part.end)
    return None


def read_compensation(text: str, cased: str, at: int) -> Reading | None:
    match = _COMPENSATION.match(text, at)
    number = read_number(text, cased, match.end()) if match else None
    if not number or text.startswith(("块", "元", "年", "百", "千"), number.end) or number.value < 1:
        return None
    end = number.end + 1 if text.startswith("倍", number.end) else number.end
    return Reading(QuantityKind.MULTIPLE, number.value, "×", number.value, at, end, number.upper)


def read_feet(text: str, at: int) -> Reading | None:
    match = _FEET.match(text, at)
    if not match or (at and text[at - 1] in "0123456789.") or (match[2] is None and not text.startswith((" ", "高"), match.end())):
        return None
    value = (int(match[1]) * 12 + int(match[2] or 0)) * Decimal("25.4")
    return Reading(QuantityKind.LENGTH, value, "mm", Decimal(match[1]), at, match.end())


def read_offer(text: str, cased: str, at: int) -> tuple[Reading | None, int]:
    """买二送一, 拍一发五, 买3盒送2盒: how much one gets for how much one pays; 买一送一 is 拍一发二."""
    verb = _OFFER.match(text, at)
    paid = read_number(text, cased, verb.end()) if verb else None
    if not verb or not paid or paid.upper is not None or paid.value != int(paid.value) or not 0 < paid.value <= 100:
        return None, at + 1
    after = paid.end + _classifier(text, paid.end)
    given = _OFFERED.match(text, after)
    sent = read_number(text, cased, given.end()) if given else None
    if not given or not sent or sent.upper is not None or sent.value != int(sent.value) or not 0 < sent.value <= 100:
        return None, at + 1
    end = sent.end + _classifier(text, sent.end)
    name = unit_at(text, sent.end)
    if name and UNITS[name].kind is not QuantityKind.COUNT:
        return None, at + 1
    total = sent.value + paid.value if given[1] in ("送", "赠", "搭") else sent.value
    if given[1] == "免":
        return None, at + 1
    return Reading(QuantityKind.OFFER, total, f"per{paid.value}", sent.value, at, end), end


def read_english_offer(text: str, at: int) -> Reading | None:
    """buy two get one free, three for two, 2 for 1: how many one gets for the price of how many."""
    match = _BUY_GET.match(text, at) or _FOR.match(text, at)
    if not match:
        return None
    one, other = (Decimal(_SMALL.get(word, word)) for word in match.groups())
    total, paid = (one + other, one) if match.re is _BUY_GET else (one, other)
    if not 0 < paid < total:
        return None
    return Reading(QuantityKind.OFFER, total, f"per{paid}", total - paid, at, match.end())


def _classifier(text: str, at: int) -> int:
    name = unit_at(text, at)
    return len(name) if name in CLASSIFIED else 0
