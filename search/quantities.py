"""Typed quantities in text: 两百九十九块, 3年, 一米六五, 95%, 四十八小时, 零点五克拉, 假一赔十, 拍一发五, 18K.

The parser returns spans and values and never alters the text: normalised numbers stand beside the words as heard (G6), and a misheard
numeral (四 for 十) is not guessed. Canonical units: money in minor units of its currency (分), months or seconds, grams, millimetres,
millilitres, percent, °C, GB, × for multiples. Calendar years and months are counted in months (ISO 8601 P36M), shorter durations in
seconds. 终身 is a duration of the unit `life`, without end: it compares with spans of time and equals none; 当天 and 次日 are of the
unit `day`, 0 and 1 days of the calendar from now. Dates, clock times, ordinals, link and order numbers are no quantities.
"""

import unicodedata
from decimal import Decimal
from functools import lru_cache

import msgspec

from archive.simplified import simplified_throughout
from search.quantity_reading import read_quantities
from search.quantity_units import CNY, Bound, QuantityKind, minor_units

__all__ = ["Bound", "Quantity", "QuantityKind", "comparable", "find_quantities", "same_amount"]

_ASCII_NAMES = {"%": "", "°C": "", "×": "", CNY: "", "g": "", "mm": "", "ml": "", "GB": ""}
# What of the NFKC forms is common enough to be worth a table: full-width ASCII.
_FULL_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: 0x20}


class Quantity(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`text[start:end]` of the source says `value` in the canonical `unit`; `upper` ends a range; `number` stood before the unit.

    `bound`: whether the amount is a least, a most, or about. `per`: the unit a price is for (斤 in 9.9元/斤), as written.
    """

    kind: QuantityKind
    value: Decimal
    unit: str
    number: Decimal
    start: int
    end: int
    upper: Decimal | None = None
    bound: Bound = Bound.EXACT
    per: str = ""

    @property
    def key(self) -> str:
        """One token for an amount, of ASCII letters and digits: `qmoney29900`, `qduration36month`, `qcount5u4ef6`.

        Two quantities have one key if and only if kind, unit, value and upper end are equal: 1年 and 12个月 do, 1年 and 365天 do not.
        Bounds don't count: 48小时内 is 48小时.
        """
        upper = f"to{_token(self.upper)}" if self.upper is not None else ""
        return f"q{self.kind}{_token(self.value)}{upper}{_ascii(self.unit)}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Tokens to find it by: its own, and for a range (三到五天) those of both ends."""
        if self.upper is None:
            return (self.key,)
        unit = _ascii(self.unit)
        return self.key, f"q{self.kind}{_token(self.value)}{unit}", f"q{self.kind}{_token(self.upper)}{unit}"

    def describe(self) -> str:
        """For people and JSON: `299 CNY`, `P36M`, `48 h`, `95 %`, `10 ×`, `1.65 m`, `5 for 1`; ranges as `3 d–5 d`."""
        low = self._describe(self.value)
        return low if self.upper is None else f"{low}–{self._describe(self.upper)}"

    def _describe(self, value: Decimal) -> str:
        match self.kind:
            case QuantityKind.MONEY:
                return f"{_plain(value / minor_units(self.unit))} {self.unit}"
            case QuantityKind.DURATION if self.unit == "month":
                return f"P{_plain(value / 12)}Y" if value % 12 == 0 else f"P{_plain(value)}M"
            case QuantityKind.DURATION if self.unit == "life":
                return "for life"
            case QuantityKind.DURATION if self.unit == "day":
                return "next day" if value else "same day"
            case QuantityKind.DURATION:
                for seconds, name in ((86400, "d"), (3600, "h"), (60, "min")):
                    if value >= seconds and value % seconds == 0 and not (name == "d" and self.number != self.value / 86400):
                        return f"{_plain(value / seconds)} {name}"
                return f"{_plain(value)} s"
            case QuantityKind.MASS:
                return f"{_plain(value / 1000)} kg" if value >= 1000 else f"{_plain(value)} g"
            case QuantityKind.LENGTH:
                return f"{_plain(value / 1000)} m" if value >= 1000 else f"{_plain(value / 10)} cm"
            case QuantityKind.OFFER:
                return f"{_plain(value)} for {self.unit.removeprefix('per')}"
            case _:
                return f"{_plain(value)} {self.unit}".strip()


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _token(value: Decimal) -> str:
    return _plain(value).replace(".", "d").replace("-", "m")


@lru_cache(maxsize=512)
def _ascii(unit: str) -> str:
    """A unit in letters and digits; none for the one canonical unit of a kind."""
    if unit in _ASCII_NAMES:
        return _ASCII_NAMES[unit]
    return "".join(char if char.isascii() and char.isalnum() else f"u{ord(char):x}" for char in unit)


def find_quantities(text: str) -> list[Quantity]:
    """Every quantity said in `text`, left to right, without overlaps. Never raises; offsets are into `text` as given."""
    plain, cased, origins = _fold(text)
    if origins is None:
        return [Quantity(*reading) for reading in read_quantities(plain, cased)]
    found: list[Quantity] = []
    for reading in read_quantities(plain, cased):
        start, last = origins[reading.start], origins[reading.end - 1]
        if found and start < found[-1].end:
            continue  # ¼ folds to two numbers at one place
        found.append(Quantity(*reading._replace(start=start, end=last + 1)))
    return found


def same_amount(one: Quantity, other: Quantity) -> bool:
    """Equal in kind and value: 一年 = 12个月, 48小时 = 两天, and 三十天 ≈ 一个月. A bare number equals any quantity with that number.

    A range equals what lies in it; 送一件 equals what 买二送一 gives.
    """
    if "" in (one.unit, other.unit):
        return one.number == other.number
    if one.kind is not other.kind:
        return {one.kind, other.kind} == {QuantityKind.OFFER, QuantityKind.COUNT} and one.number == other.number
    if one.unit != other.unit:
        if {one.unit, other.unit} != {"month", "s"}:
            return False
        months, seconds = (one, other) if one.unit == "month" else (other, one)
        return months.value * 30 * 86400 == seconds.value
    return one.value == other.value or _within(one, other) or _within(other, one)


def comparable(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities measure the same thing, so that differing values contradict."""
    unlike = (QuantityKind.COUNT, QuantityKind.MONEY, QuantityKind.GRADE)
    return one.kind is other.kind and (one.kind not in unlike or one.unit == other.unit)


def _within(span: Quantity, point: Quantity) -> bool:
    return span.upper is not None and span.value <= point.value <= span.upper


def _fold(text: str) -> tuple[str, str, list[int] | None]:
    """Lower-cased and as written, both simplified and NFKC, with each character's offset in `text` (None: the same offset)."""
    simple = simplified_throughout(text).translate(_FULL_WIDTH)
    lowered = simple.lower()
    if len(lowered) == len(simple) and unicodedata.is_normalized("NFKC", simple):
        return lowered, simple, None
    chars: list[str] = []
    cased: list[str] = []
    origins: list[int] = []
    for offset, char in enumerate(simple):
        for folded in unicodedata.normalize("NFKC", char) if char not in "℃…" else char:
            low = folded.lower()
            chars.append(low if len(low) == 1 else folded)
            cased.append(folded)
            origins.append(offset)
    return "".join(chars), "".join(cased), origins
