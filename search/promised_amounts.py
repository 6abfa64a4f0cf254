"""Which of the amounts in some words a promise is of: not one that is denied, not what was before or elsewhere, not how long it was used.

不是三年是两年 promises two years, 平时三百九十九今天一百九十九 costs 199, and 用了半年坏了 promises no half year of anything.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from archive.simplified import simplified_throughout
from search.quantities import Quantity, QuantityKind, comparable, find_quantities
from search.quantity_units import CLASSIFIED

EXPECTED_AMOUNTS: Final[Mapping[str, tuple[QuantityKind, ...]]] = {
    "price": (QuantityKind.MONEY,),
    "shipping": (QuantityKind.DURATION,),
    "warranty": (QuantityKind.DURATION,),
    "return": (QuantityKind.DURATION,),
    "compensation": (QuantityKind.MULTIPLE, QuantityKind.MONEY),
    "material": (QuantityKind.PERCENT, QuantityKind.GRADE),
    "gift": (QuantityKind.OFFER, QuantityKind.COUNT),
    "limited": (QuantityKind.COUNT,),
    "effect": (QuantityKind.DURATION, QuantityKind.PERCENT),
}
# What else measures what these speak of; that there is one of something measures nothing.
_ALSO: Final[Mapping[str, tuple[QuantityKind, ...]]] = {
    "material": (QuantityKind.MASS, QuantityKind.COUNT),
    "spec": tuple(kind for kind in QuantityKind if kind not in (QuantityKind.MONEY, QuantityKind.OFFER)),
    "service": (QuantityKind.DURATION, QuantityKind.LENGTH),
    "defect": (QuantityKind.DURATION, QuantityKind.PERCENT, QuantityKind.TEMPERATURE),
}
_DAY: Final = 86_400
# Longer ones are told of something else: nobody ships within years.
_LONGEST_DAYS: Final[Mapping[str, int]] = {"shipping": 120, "return": 400, "effect": 400}
_SHORTEST_DAYS: Final[Mapping[str, int]] = {"warranty": 1, "return": 1}
_REACH: Final = 14
_DENIED: Final = re.compile(
    r"(?:(?<!是)不是|并非|不再是|不按|(?<!要)不要|不用|不需要)(?:说|那个?|这个?|什么|原来的?|刚才(?:说的|的)?|之前的?|你)?\s*$"
    r"|\b(?:not|isn'?t|wasn'?t|no longer|instead of|rather than)\s+(?:a |an |the |just |only |even |for |in |at )*$",
    re.IGNORECASE,
)
_CHANGED: Final = re.compile(
    r"^\s*(?:改成|改为|改到|变成|换成|升级到|升级成|提到|加到|延长到|降到|降为)|^\s*(?:goes|went|down|changed) to\b", re.IGNORECASE
)
_FORMER_PRICE: Final = re.compile(
    r"(?:原价|平时|平常|日常价?|专柜价?|市场价|吊牌价?|划线价|零售价|官网价?|旗舰店|外面|外头|别家|别人家?|人家|去年|以前"
    r"|之前|上次|正常|门市价?|实体店)"
    r"[^,，。;；!！?？]{0,6}$|\b(?:retail(?:s|ed)?|normally|usually|regular(?:ly)?|was|were|msrp|list price|compare at"
    r"|worth|valued at)\b[^,.;!?]{0,12}$",
    re.IGNORECASE,
)
_WAS_USED: Final = re.compile(
    r"(?:用|穿|吃|戴|喝|开|卖|做|等|睡|放|过|买|养|住|排|干|播)[了过](?:我|他|快|有|整整|大概|差不多|将近)?\s*$|(?:怀孕"
    r"|保质期?|保期|有效期|效期|上市|成立)[^,，。]{0,4}$"
    r"|\b(?:used|wore|worn|waited|had|after|for the (?:last|past))\s+(?:it |them |this |about |over )*$",
    re.IGNORECASE,
)
_MARKS: Final = re.compile(
    "不是|并非|不再是|不按|不要|不用|不需要|[改变换升提加延降].?[成为到]|价|平时|平常|日常|专柜|旗舰店|外面|外头|别家"
    "|别人|人家|去年|以前|之前|上次|正常|实体店"
    r"|[用穿吃戴喝开卖做等睡放过买养住排干播][了过]|怀孕|保质|保期|效期|上市|成立|\b(?:not|isn'?t|wasn'?t|no longer"
    r"|instead|rather|retail|normally|usually"
    r"|regular|was|were|msrp|list|compare|worth|valued|used|wore|worn|waited|had|after|last|past|goes|went|down|changed)",
    re.IGNORECASE,
)


def amount_of(category: str, quantities: Sequence[Quantity]) -> Quantity | None:
    """The first amount of the kind that such promises have, or else one that measures what they speak of."""
    fitting = [each for each in quantities if _may_be_of(category, each)]
    for kind in EXPECTED_AMOUNTS.get(category, ()):
        if found := next((each for each in fitting if each.kind is kind), None):
            return found
    also = _ALSO.get(category, ())
    return next((each for each in fitting if each.unit and each.kind in also and each.unit not in CLASSIFIED), None)


def _may_be_of(category: str, quantity: Quantity) -> bool:
    if quantity.kind is not QuantityKind.DURATION or quantity.unit in ("life", "day"):
        return True
    days = quantity.value * 30 if quantity.unit == "month" else quantity.value / Decimal(_DAY)
    return _SHORTEST_DAYS.get(category, 0) <= days <= _LONGEST_DAYS.get(category, days)


def that_stand(text: str, category: str, quantities: Iterable[Quantity]) -> list[Quantity]:
    """Those of `quantities` that these words, in which they are said, don't pass over.

    A denied one stays where nothing like it takes its place: 不是终身 then promises that it isn't.
    """
    said = list(quantities)
    plain = simplified_throughout(text)
    if not said or not _MARKS.search(plain):
        return said
    told = [(each.key, _is_denied(plain, each), _is_told(plain, category, each)) for each in find_quantities(plain)]
    denied = {key for key, is_denied, _ in told if is_denied}
    passed = {key for key, _, is_told in told if is_told}
    standing = {key for key, is_denied, is_told in told if not (is_denied or is_told)}
    kept = standing - denied - passed

    def is_replaced(amount: Quantity) -> bool:
        return amount.key in denied and any(other.key in kept and comparable(amount, other) for other in said)

    # what is also said without being passed over stands
    return [each for each in said if each.key in standing or not (each.key in passed or is_replaced(each))]


def _is_denied(plain: str, quantity: Quantity) -> bool:
    return bool(_DENIED.search(plain[max(0, quantity.start - _REACH) : quantity.start]) or _CHANGED.search(plain[quantity.end :][:_REACH]))


def _is_told(plain: str, category: str, quantity: Quantity) -> bool:
    before = plain[max(0, quantity.start - 2 * _REACH) : quantity.start]
    if quantity.kind is QuantityKind.MONEY:
        return category == "price" and bool(_FORMER_PRICE.search(before))
    return quantity.kind is QuantityKind.DURATION and category not in ("spec", "effect") and bool(_WAS_USED.search(before))
