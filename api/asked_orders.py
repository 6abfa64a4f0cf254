"""The order that a question is about: that of its case, or one whose number stands in the question and that a case knows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from api.workplace import Workplace
from archive.case import Case
from archive.digest import Json
from archive.errors import InvalidTime
from archive.timeline import WallTime
from search.indexes import Filter

NAME_MAX_CHARS = 200
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,39}")
_MADE_AT = ("paid_at", "ordered_at", "created_at")
_NAMED = ("product_title", "product_name", "title", "product", "item", "goods")


@dataclass(frozen=True, slots=True)
class OrderMeant:
    """What a case knows of an order: when it was made, and how its product is called there. Nothing of the buyer."""

    case_id: str
    product: str
    made_at: WallTime | None


def order_of(workplace: Workplace, case: Case) -> OrderMeant:
    """The order of a case; empty where the case has none."""
    named = next((value for name in _NAMED if (value := _text(case.order, name))), "") or _title_of(workplace, case.product_id)
    return OrderMeant(case.id, named[:NAME_MAX_CHARS], next((at for name in _MADE_AT if (at := _time(case.order, name))), None))


def order_in(workplace: Workplace, question: str) -> OrderMeant | None:
    """The order whose number the question gives, if a case is about it."""
    numbers = {number for number in _NUMBER.findall(question) if sum(char.isdigit() for char in number) >= 6}
    if not numbers:
        return None
    case = next((case for case in workplace.archive.cases.cases() if _text(case.order, "order_id") in numbers), None)
    return order_of(workplace, case) if case else None


def _title_of(workplace: Workplace, product_id: str | None) -> str:
    if not product_id:
        return ""
    index = workplace.index
    for entry in reversed(index.recordings(Filter(product=product_id))):
        for product in index.products([entry.recording.id]).get(entry.recording.id, ()):
            if product.product_id == product_id:
                return product.title
    return ""


def _text(order: Mapping[str, Json], name: str) -> str:
    value = order.get(name)
    return value.strip() if isinstance(value, str) else ""


def _time(order: Mapping[str, Json], name: str) -> WallTime | None:
    try:
        return WallTime.parse(_text(order, name)) if _text(order, name) else None
    except InvalidTime:
        return None
