"""Typed quantities in text: 两百九十九块, 3年, 一米六五, 95%, 四十八小时, 零点五克拉, 假一赔十.

The parser returns spans and values and never alters the text: normalised numbers stand beside the words as heard (G6).
Canonical units: CNY in minor units (分), months or seconds, grams, millimetres, millilitres, percent, °C, × for multiples.
Calendar years and months are counted in months (ISO 8601 P36M), shorter durations in seconds.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from archive.simplified import simplified_throughout
from search.numerals import DIGITS, NUMERAL_CHARS, read_numeral


class QuantityKind(StrEnum):
    MONEY = "money"
    DURATION = "duration"
    MASS = "mass"
    LENGTH = "length"
    VOLUME = "volume"
    PERCENT = "percent"
    TEMPERATURE = "temperature"
    COUNT = "count"
    MULTIPLE = "multiple"


@dataclass(frozen=True, slots=True)
class Quantity:
    """`text[start:end]` of the source says `value` in the canonical `unit`; `upper` ends a range; `number` stood before the unit."""

    kind: QuantityKind
    value: Decimal
    unit: str
    number: Decimal
    start: int
    end: int
    upper: Decimal | None = None

    @property
    def key(self) -> str:
        """One token for equal quantities, of ASCII letters and digits and the unit's own characters: `qmoney29900`."""
        number = format(self.value.normalize(), "f").replace(".", "d").replace("-", "m")
        return f"q{self.kind}{number}{self.unit if self.kind is QuantityKind.COUNT or self.kind is QuantityKind.DURATION else ''}"

    def describe(self) -> str:
        """For people and JSON: `299 CNY`, `P36M`, `48 h`, `95 %`, `10 ×`, `1.65 m`."""
        value = self.value
        match self.kind:
            case QuantityKind.MONEY:
                return f"{_plain(value / 100)} CNY"
            case QuantityKind.DURATION if self.unit == "month":
                return f"P{_plain(value / 12)}Y" if value % 12 == 0 else f"P{_plain(value)}M"
            case QuantityKind.DURATION:
                for seconds, name in ((86400, "d"), (3600, "h"), (60, "min")):
                    if value >= seconds and value % seconds == 0 and not (name == "d" and self.number != value / 86400):
                        return f"{_plain(value / seconds)} {name}"
                return f"{_plain(value)} s"
            case QuantityKind.MASS:
                return f"{_plain(value / 1000)} kg" if value >= 1000 else f"{_plain(value)} g"
            case QuantityKind.LENGTH:
                return f"{_plain(value / 1000)} m" if value >= 1000 else f"{_plain(value / 10)} cm"
            case _:
                return f"{_plain(value)} {self.unit}".strip()


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


_M, _D = QuantityKind.MONEY, QuantityKind.DURATION
_UNITS: dict[str, tuple[QuantityKind, str, Decimal]] = {}


def _add(kind: QuantityKind, unit: str, factors: dict[str, str]) -> None:
    for factor, names in factors.items():
        for name in names.split():
            _UNITS[name] = (kind, unit, Decimal(factor))


_add(_M, "CNY", {"100": "元 块 块钱 圆 元钱 rmb 人民币", "10": "毛 毛钱 角", "1": "分钱"})
_add(_D, "month", {"12": "年 周年 整年", "1": "个月 个多月 个整月"})
_add(
    _D,
    "s",
    {
        "604800": "周 个星期 星期 礼拜 个礼拜",
        "86400": "天 天内 晚 晚上 个晚上 夜 days day",
        "3600": "小时 个小时 个钟 个钟头 钟头 h hr hrs hours hour",
        "60": "分钟 min mins minutes",
        "1": "秒 秒钟",
    },
)
_add(
    QuantityKind.MASS,
    "g",
    {"1000000": "吨", "1000": "公斤 千克 kg", "500": "斤 市斤", "50": "两", "1": "克 g", "0.001": "毫克 mg", "0.2": "克拉 ct"},
)
_add(QuantityKind.LENGTH, "mm", {"1000000": "公里 千米 km", "1000": "米 m", "10": "厘米 公分 cm", "1": "毫米 mm", "0.001": "微米"})
_add(QuantityKind.VOLUME, "ml", {"1": "毫升 ml", "1000": "升 l", "3785": "加仑"})
_add(QuantityKind.PERCENT, "%", {"1": "%", "10": "成"})
_add(QuantityKind.TEMPERATURE, "°C", {"1": "℃ °c 摄氏度 度"})
_add(QuantityKind.MULTIPLE, "×", {"1": "倍"})
_MEASURES = {
    "瓦": "W",
    "w": "W",
    "毫安": "mAh",
    "毫安时": "mAh",
    "mah": "mAh",
    "分贝": "dB",
    "db": "dB",
    "帕": "Pa",
    "pa": "Pa",
    "伏": "V",
    "寸": "寸",
    "英寸": "寸",
    "折": "折",
    "码": "码",
}
for _name, _unit in _MEASURES.items():
    _UNITS[_name] = (QuantityKind.COUNT, _unit, Decimal(1))
_CLASSIFIERS = (
    "个 件 只 条 包 盒 袋 片 瓶 支 双 套 张 箱 罐 颗 粒 枚 次 名 单 位 台 人 组 杯 泡 层 芯 "
    "口 把 根 块 本 桶 坛 对 株 节 遍 回 重 档 级 步 贴 份 提 卷 抽 斗 针 支芯 颗星"
)
for _name in _CLASSIFIERS.split():
    _UNITS.setdefault(_name, (QuantityKind.COUNT, _name, Decimal(1)))
_LONGEST_UNIT = max(map(len, _UNITS))
_WRITTEN = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_RANGE = re.compile(r"\s*(?:到|至|-|~|—)\s*")
_MONEY_BEFORE = re.compile(r"(?:[¥￥]|到手价?|只要|一口价|券后|售价|价格?)\s*$")
_MONEY_AFTER = re.compile(r"\s*(?:到手|包邮)")
_COMPENSATION = re.compile(r"一\s*(?:赔偿?|罚|陪|培)\s*")
_SPLIT_MONEY = {"块": ("毛", "角"), "元": ("角", "毛")}


def find_quantities(text: str) -> list[Quantity]:
    """Every quantity said in `text`, left to right, without overlaps. Never raises; offsets are into `text` as given."""
    plain, origins = _fold(text)
    found: list[Quantity] = []
    for quantity in _scan(plain):
        start, last = origins[quantity.start], origins[quantity.end - 1]
        if found and start < found[-1].end:
            continue  # ¼ folds to two numbers at one place
        found.append(Quantity(quantity.kind, quantity.value, quantity.unit, quantity.number, start, last + 1, quantity.upper))
    return found


def same_amount(one: Quantity, other: Quantity) -> bool:
    """Equal in kind and value: 一年 = 12个月, 48小时 = 两天, and 三十天 ≈ 一个月. A bare number equals any quantity with that number."""
    if "" in (one.unit, other.unit):
        return one.number == other.number
    if one.kind is not other.kind:
        return False
    if one.kind is QuantityKind.DURATION and one.unit != other.unit:
        months, seconds = (one, other) if one.unit == "month" else (other, one)
        return months.value * 30 * 86400 == seconds.value
    if one.kind is QuantityKind.COUNT and one.unit != other.unit:
        return False
    return one.value == other.value or _within(one, other) or _within(other, one)


def comparable(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities measure the same thing, so that differing values contradict."""
    return one.kind is other.kind and (one.kind is not QuantityKind.COUNT or one.unit == other.unit)


def _within(span: Quantity, point: Quantity) -> bool:
    return span.upper is not None and span.value <= point.value <= span.upper


def _fold(text: str) -> tuple[str, list[int]]:
    chars: list[str] = []
    origins: list[int] = []
    for offset, char in enumerate(simplified_throughout(text)):
        for folded in unicodedata.normalize("NFKC", char).lower() if char != "℃" else char:
            chars.append(folded)
            origins.append(offset)
    return "".join(chars), origins


def _scan(text: str) -> Iterator[Quantity]:
    at = 0
    while at < len(text):
        found = _read_at(text, at)
        if found:
            yield found
            at = found.end
        else:
            at = _skip(text, at)


def _skip(text: str, at: int) -> int:
    match = _WRITTEN.match(text, at) if _is_ascii_digit(text[at]) else None
    return match.end() if match else at + 1


def _is_ascii_digit(char: str) -> bool:
    return char.isascii() and char.isdigit()


def _read_at(text: str, at: int) -> Quantity | None:
    for special in (_read_percent, _read_compensation, _read_word):
        found = special(text, at)
        if found:
            return found
    number = _read_number(text, at)
    return _with_unit(text, at, *number) if number else None


_Number = tuple[Decimal, int, Decimal | None]


def _read_number(text: str, at: int) -> _Number | None:
    """Value, end and upper end of the number at `at`, 3到5 and 三四 included."""
    first = _read_one(text, at)
    if not first:
        return None
    value, end, upper = first
    separator = _RANGE.match(text, end)
    if upper is None and separator:
        second = _read_one(text, separator.end())
        if second and second[2] is None and second[0] > value:
            return value, second[1], second[0]
    return first


def _read_one(text: str, at: int) -> _Number | None:
    if at >= len(text):
        return None
    if _is_ascii_digit(text[at]):
        match = _WRITTEN.match(text, at)
        if not match or len(match[0]) > 15 or (at and (text[at - 1] == "." or (text[at - 1].isascii() and text[at - 1].isalpha()))):
            return None
        value, end = Decimal(match[0].replace(",", "")), match.end()
        for name, factor in (("百", 100), ("千", 1000), ("万", 10_000), ("亿", 100_000_000)):
            if text.startswith(name, end) and not text.startswith(("千克", "千米"), end):
                return value * factor, end + 1, None
        return value, end, None
    if text[at] not in NUMERAL_CHARS:
        return None
    numeral = read_numeral(text, at)
    return (numeral.value, numeral.end, numeral.upper) if numeral else None


def _read_percent(text: str, at: int) -> Quantity | None:
    for prefix in ("百分之", "百分百"):
        if text.startswith(prefix, at):
            number = _read_number(text, at + 3) if prefix == "百分之" else None
            if number:
                return Quantity(QuantityKind.PERCENT, number[0], "%", number[0], at, number[1], number[2])
            if prefix == "百分百" or text.startswith("百", at + 3):
                return Quantity(QuantityKind.PERCENT, Decimal(100), "%", Decimal(100), at, at + 3 + (prefix == "百分之"))
    return None


def _read_compensation(text: str, at: int) -> Quantity | None:
    match = _COMPENSATION.match(text, at)
    number = _read_number(text, match.end()) if match else None
    if not number or text.startswith(("块", "元", "年", "百", "千"), number[1]):
        return None
    end = number[1] + 1 if text.startswith("倍", number[1]) else number[1]
    return Quantity(QuantityKind.MULTIPLE, number[0], "×", number[0], at, end)


_WORDS = (
    ("双倍", QuantityKind.MULTIPLE, "×", 2),
    ("加倍", QuantityKind.MULTIPLE, "×", 2),
    ("半年", _D, "month", 6),
    ("半个月", _D, "s", 15 * 86400),
    ("半个小时", _D, "s", 1800),
    ("半小时", _D, "s", 1800),
    ("半天", _D, "s", 43200),
    ("半斤", QuantityKind.MASS, "g", 250),
)


def _read_word(text: str, at: int) -> Quantity | None:
    for word, kind, unit, value in _WORDS:
        if text.startswith(word, at):
            return Quantity(
                kind, Decimal(value), unit, Decimal(value) if kind is QuantityKind.MULTIPLE else Decimal("0.5"), at, at + len(word)
            )
    return None


def _with_unit(text: str, start: int, number: Decimal, end: int, upper: Decimal | None) -> Quantity | None:
    after = end + 1 if text.startswith(" ", end) else end
    name = _unit_at(text, after)
    if name and name == "两" and _read_one(text, after + 1):
        name = None
    if name == "年" and 1900 <= number <= 2100:
        return None
    if not name:
        return _bare(text, start, number, end, upper)
    kind, unit, factor = _UNITS[name]
    end = after + len(name)
    if name == "块" and _MONEY_BEFORE.search(text, 0, start) is None and text.startswith(("手表", "毛巾", "面膜", "肉", "布"), end):
        kind, unit, factor = QuantityKind.COUNT, "块", Decimal(1)
    value = number * factor
    extra, end = _tail(text, name, kind, factor, end)
    return Quantity(kind, value + extra, unit, number, start, end, upper * factor if upper is not None else None)


def _unit_at(text: str, at: int) -> str | None:
    for length in range(min(_LONGEST_UNIT, len(text) - at), 0, -1):
        name = text[at : at + length]
        if name in _UNITS:
            next_char = text[at + length : at + length + 1]
            if name[-1].isascii() and name[-1].isalpha() and next_char.isascii() and next_char.isalpha():
                return None
            return name
    return None


def _tail(text: str, name: str, kind: QuantityKind, factor: Decimal, end: int) -> tuple[Decimal, int]:
    """What follows the unit and belongs to it: 一米六五, 两块五, 三斤八两, 一年半, 九块九毛."""
    if text.startswith("半", end) and kind in (_D, QuantityKind.MASS, QuantityKind.LENGTH, _M):
        return factor / 2, end + 1
    if name not in ("块", "元", "米", "m", "斤"):
        return Decimal(0), end
    digits_end = end
    while digits_end < len(text) and digits_end - end < 3 and (text[digits_end] in DIGITS or _is_ascii_digit(text[digits_end])):
        if text[digits_end] in "两俩" and digits_end > end:
            break
        digits_end += 1
    digits = "".join(str(DIGITS.get(char, char)) for char in text[end:digits_end])
    if len(digits) == 2 and text[digits_end - 1] == "一" and _unit_at(text, digits_end):
        digits, digits_end = digits[0], digits_end - 1
        return factor * Decimal(f"0.{digits}"), digits_end
    follows = text[digits_end : digits_end + 1]
    if name == "斤":
        return (Decimal(digits) * 50, digits_end + 1) if follows == "两" and len(digits) == 1 else (Decimal(0), end)
    if not digits or len(digits) > 2 or follows in NUMERAL_CHARS or follows == "点":
        return Decimal(0), end
    if _unit_at(text, digits_end) and not (kind is _M and follows in ("毛", "角")):
        return Decimal(0), end
    return factor * Decimal(f"0.{digits}"), digits_end + (1 if follows in ("毛", "角") and kind is _M else 0)


def _bare(text: str, start: int, number: Decimal, end: int, upper: Decimal | None) -> Quantity | None:
    if _MONEY_BEFORE.search(text, max(0, start - 5), start) or _MONEY_AFTER.match(text, end):
        return Quantity(_M, number * 100, "CNY", number, start, end, upper * 100 if upper is not None else None)
    said = text[start:end]
    if (len(said) < 2 and not said.isdigit()) or (upper is not None and not any(map(_is_ascii_digit, said))):
        return None
    return Quantity(QuantityKind.COUNT, number, "", number, start, end, upper)
