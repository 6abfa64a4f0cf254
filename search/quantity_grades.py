"""Numbers that name a grade, a share or a memory in folded text, without a unit or with one that says something else elsewhere.

304不锈钢, 18K金, 925银, 95白鹅绒, 512G, 27".
"""

import re
from typing import Final

from search.quantity_numbers import Number
from search.quantity_units import QuantityKind, Reading

_DOWN: Final = re.compile(r"[白灰]?[鹅鸭]?绒(?!毛|布|面)")
_STEEL: Final = re.compile(r"l?(?:食品级|医用级?|级)?(?:的)?(?:不锈)?钢")
_STEELS: Final = frozenset({201, 202, 304, 316, 410, 420, 430, 440})
_GOLD: Final = re.compile(r" ?k(?![a-z])")
_GOLDS: Final = frozenset({8, 9, 10, 12, 14, 18, 22, 24})
_FINE: Final = frozenset({585, 750, 800, 916, 925, 950, 990, 999, 9999, 99999})
_METAL_AFTER: Final = re.compile(r"‰?(?:纯|足|千足)?[金银铂]")
_METAL_BEFORE: Final = re.compile(r"(?:[足纯千铂pt]|[金银])$")
_STEEL_BEFORE: Final = re.compile(r"不锈钢$")
_STORAGE: Final = re.compile(r"[gt](?![a-z])")
_STORAGE_NEAR: Final = re.compile(r" ?(?:内存|运存|存储|版|硬盘|固态|u盘|[+＋])|$")
_MEMORY: Final = frozenset({4, 6, 8, 12, 16, 18, 24, 32, 64, 128, 256, 512, 1024})
INCHES: Final = re.compile(r"[\"″](?!\d)")


def read_grade(text: str, cased: str, start: int, number: Number) -> Reading | None:
    """Numbers that name a grade or a share without a unit: 304不锈钢, 18K金, 925银, 95白鹅绒, 512G, 27\"."""
    value, end = number.value, number.end
    if number.upper is not None or number.about:
        return None
    if value in _STEELS and (_STEEL.match(text, end) or _STEEL_BEFORE.search(text, max(0, start - 3), start)):
        return Reading(QuantityKind.GRADE, value, "steel", value, start, end + (1 if text.startswith("l", end) else 0))
    if value in (304, 316) and cased.startswith("L", end) and not joins_latin(text, end + 1):
        return Reading(QuantityKind.GRADE, value, "steel", value, start, end + 1)
    if value in _GOLDS and _GOLD.match(text, end) and (cased.startswith(("K", " K"), end) or not text.startswith((" ",), end)):
        return Reading(QuantityKind.GRADE, value, "K", value, start, end + (2 if text.startswith(" ", end) else 1))
    if value in _FINE and (_METAL_AFTER.match(text, end) or _METAL_BEFORE.search(text, max(0, start - 2), start)):
        return Reading(QuantityKind.GRADE, value, "fine", value, start, end)
    if 50 <= value <= 100 and value == int(value) and _DOWN.match(text, end) and end - start <= 2:
        return Reading(QuantityKind.PERCENT, value, "%", value, start, end)
    if value in (1, 2, 4, 8) and text.startswith("t", end) and _STORAGE.match(text, end) and _STORAGE_NEAR.match(text, end + 1):
        return Reading(QuantityKind.STORAGE, value * 1024, "GB", value, start, end + 1)
    near = value >= 64 or _STORAGE_NEAR.match(text, end + 1) or (start and text[start - 1] == "+")
    if near and cased.startswith("G", end) and value in _MEMORY and not joins_latin(text, end + 1):
        return Reading(QuantityKind.STORAGE, value, "GB", value, start, end + 1)  # 500G weighs, 512G stores
    if value <= 120 and INCHES.match(text, end) and text[end - 1].isascii() and (not start or text[start - 1] not in '"″'):
        return Reading(QuantityKind.COUNT, value, "寸", value, start, end + 1)
    return None


def joins_latin(text: str, end: int) -> bool:
    return end < len(text) and text[end].isascii() and text[end].isalpha()
