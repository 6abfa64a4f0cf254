"""Chinese numerals: integers to spoken Chinese and back.

Mandarin reads in groups of four digits (万 = 10⁴, 亿 = 10⁸); 零 stands once for any run of zeros inside a number. The last unit of a
spoken number may be left out (一百六 is 160, 一万二 is 12 000), and two digits in a row name both ends (二三十 is 20 to 30).
"""

from decimal import Decimal
from typing import NamedTuple

DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "壹": 1,
    "幺": 1,
    "二": 2,
    "贰": 2,
    "两": 2,
    "俩": 2,
    "三": 3,
    "叁": 3,
    "四": 4,
    "肆": 4,
    "五": 5,
    "伍": 5,
    "六": 6,
    "陆": 6,
    "七": 7,
    "柒": 7,
    "八": 8,
    "捌": 8,
    "九": 9,
    "玖": 9,
}
SMALL_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
LARGE_UNITS = {"万": 10_000, "亿": 100_000_000}
NUMERAL_CHARS = frozenset(DIGITS) | frozenset(SMALL_UNITS) | frozenset(LARGE_UNITS)
# Longer runs of digits or units are no number that anybody says; the limit also keeps reading linear.
LONGEST = 32
_UNITS = SMALL_UNITS | LARGE_UNITS
_SPOKEN_DIGITS = "零一二三四五六七八九"


class Numeral(NamedTuple):
    """A number read at a place: its value, the offset after it, the upper end of 三四 (None otherwise), whether it was a digit string."""

    value: Decimal
    end: int
    upper: Decimal | None = None
    is_digit_string: bool = False


def say_digits(digits: str) -> str:
    """`2026` → 二零二六."""
    return "".join(_SPOKEN_DIGITS[int(digit)] for digit in digits)


def say_integer(number: int) -> str:
    """Spoken Chinese of 0 ≤ number < 10¹⁶, with 二 (never 两) and 十 for a leading 一十."""
    if number == 0:
        return "零"
    words = ""
    skipped = False
    for unit, name in ((10**12, "万亿"), (10**8, "亿"), (10**4, "万"), (1, "")):
        group, number = divmod(number, unit)
        if not group:
            skipped = bool(words)
            continue
        if words and (skipped or group < 1000):
            words += "零"
        words += _say_group(group) + name
        skipped = False
    return words[1:] if words.startswith("一十") else words


def _say_group(group: int) -> str:
    words, skipped = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, group = divmod(group, unit)
        if digit:
            words += ("零" if skipped and words else "") + _SPOKEN_DIGITS[digit] + name
            skipped = False
        else:
            skipped = True
    return words


def say_decimal(written: str) -> str:
    """`95` → 九十五, `2.50` → 二点五零, `0571` or more than twelve digits → digit by digit."""
    whole, _, fraction = written.partition(".")
    spoken = say_digits(whole) if len(whole) > 12 or (len(whole) > 1 and whole.startswith("0")) else say_integer(int(whole or "0"))
    return f"{spoken}点{say_digits(fraction)}" if fraction else spoken


def read_numeral(text: str, start: int) -> Numeral | None:
    """The Chinese numeral that begins at `start`: 两百九十九, 一百六 (160), 三点五, 九五 (95), 三四 (3 to 4), 一百五六 (150 to 160).

    None if there is none, or if it is longer than anybody says.
    """
    digits_end = start
    while digits_end < len(text) and text[digits_end] in DIGITS and (text[digits_end] not in "两俩" or digits_end == start):
        digits_end += 1
        if digits_end - start > LONGEST:
            return None
    follows = text[digits_end : digits_end + 1]
    if follows in _UNITS and follows:
        pair = _read_pair(text, start, digits_end)
        if pair:
            return pair
    elif digits_end - start >= 2 and text[start] not in "零〇":
        return _read_digit_string(text, start, digits_end)
    read = _read_whole(text, start)
    if read is None or read.upper is not None:
        return read
    fraction_end = read.end + 1
    if text.startswith("点", read.end):
        while fraction_end < len(text) and text[fraction_end] in DIGITS and text[fraction_end] not in "两俩":
            fraction_end += 1
            if fraction_end - read.end > LONGEST:
                return None
        if fraction_end > read.end + 1:
            digits = "".join(str(DIGITS[char]) for char in text[read.end + 1 : fraction_end])
            return Numeral(Decimal(f"{read.value}.{digits}"), fraction_end)
    return read


def _read_digit_string(text: str, start: int, end: int) -> Numeral:
    digits = [DIGITS[char] for char in text[start:end]]
    if len(digits) == 2 and digits[1] == digits[0] + 1 and digits[0]:
        return Numeral(Decimal(digits[0]), end, upper=Decimal(digits[1]))
    return Numeral(Decimal("".join(map(str, digits))), end, is_digit_string=True)


def _read_pair(text: str, start: int, end: int) -> Numeral | None:
    """二三十, 两三百, 三五千, 一两万, 二三十万: two digits before one unit."""
    if end - start == 1 and text[start] == "一" and text.startswith("两", start + 1):
        end += 1
    if end - start != 2 or text[end : end + 1] not in _UNITS or end >= len(text):
        return None
    low, high = DIGITS[text[start]], DIGITS[text[start + 1]]
    if not low or (high != low + 1 and (low, high) != (3, 5)):
        return None
    unit = _UNITS[text[end]]
    end += 1
    if unit < 10_000 and text[end : end + 1] in LARGE_UNITS and end < len(text):
        unit *= LARGE_UNITS[text[end]]
        end += 1
    return Numeral(Decimal(low * unit), end, upper=Decimal(high * unit))


def _read_whole(text: str, start: int) -> Numeral | None:
    """An integer with its units, the last of which may be left out."""
    total = section = 0
    digit: int | None = None
    last_unit, last_large = 0, 10**16
    after_zero = False
    at = start
    while at < len(text) and at - start <= LONGEST:
        char = text[at]
        if char in DIGITS:
            if digit is not None:
                if char not in "两俩" and last_unit >= 10 and DIGITS[char] == digit + 1 and text[at + 1 : at + 2] not in DIGITS:
                    return _with_pair(text, at, total + section, digit, last_unit, after_zero)
                break
            if char in "两俩" and at > start and text[at + 1 : at + 2] not in _UNITS:
                break
            if DIGITS[char] == 0:
                if at == start:
                    return Numeral(Decimal(0), at + 1) if text[at + 1 : at + 2] not in NUMERAL_CHARS else None
                if text[at + 1 : at + 2] not in NUMERAL_CHARS:
                    break
                after_zero = True
            else:
                digit = DIGITS[char]
        elif char in SMALL_UNITS:
            unit = SMALL_UNITS[char]
            if (digit is None and (unit != 10 or 0 < last_unit <= 10)) or (0 < last_unit <= unit and last_unit < 10_000):
                break
            section += (1 if digit is None else digit) * unit
            digit, last_unit, after_zero = None, unit, False
        elif char in LARGE_UNITS:
            unit = LARGE_UNITS[char]
            section += digit or 0
            if (not section and not (total and unit > last_unit)) or (unit >= last_large and (unit, last_large) != (10**8, 10**4)):
                section -= digit or 0
                break
            total = (total + section) * unit if unit > 10_000 and total < unit else total + section * unit
            section, digit, last_unit, last_large, after_zero = 0, None, unit, unit, False
        else:
            break
        at += 1
    if at == start or at - start > LONGEST or text[start:at] in ("百", "千", "万", "亿"):
        return None
    if digit is not None:
        # 一百六 is 160, 一万二 is 12 000; 一百零六 is 106
        section += digit * (last_unit // 10 if last_unit >= 100 and not after_zero else 1)
    return Numeral(Decimal(total + section), at)


def _with_pair(text: str, at: int, so_far: int, digit: int, last_unit: int, after_zero: bool) -> Numeral:
    """一百五六, 十五六, 一百三四十: the second of two digits stands at `at`."""
    unit = SMALL_UNITS.get(text[at + 1 : at + 2], 0)
    if unit and unit < last_unit:
        return Numeral(Decimal(so_far + digit * unit), at + 2, upper=Decimal(so_far + (digit + 1) * unit))
    scale = last_unit // 10 if last_unit >= 100 and not after_zero else 1
    return Numeral(Decimal(so_far + digit * scale), at + 1, upper=Decimal(so_far + (digit + 1) * scale))
