"""The product on air as the screen tells it: its card shows its title, an alias, the number of its link. Inferred, with a confidence.

What stands there nearly all the time is decoration and tells nothing. A card that names its product twice speaks before a bar of links;
what shows several products at once is shared between them. A price alone is weak: it only speaks beside a name.
"""

import bisect
import re
from collections.abc import Mapping, Sequence

from archive.recording import Product
from archive.screen_readings import ScreenText
from search.chinese import fold
from search.on_air import LEAST, links_said, spoken_numbers
from search.products import Shelf

# How sure a card is at best: readers of pictures err less than recognisers of speech, but a card may hang over from the product before.
CARD_SURE = 0.9
PRICE_BONUS = 0.05
NAMED_LEAST = 0.3
# Beyond three products at once a screen says nothing of which one is on air.
SHARE_LEAST = 0.25
DECORATION_SHARE, DECORATION_MS, SESSION_MS = 0.8, 1_800_000, 120_000
_AMOUNT = re.compile(r"\d+(?:\.\d{1,2})?")


class Cards:
    """What cards on the screen say of a shelf's products."""

    def __init__(self, products: Sequence[Product], screen: Sequence[ScreenText]) -> None:
        found = _cards(products, screen) if screen and products else []
        self._cards, self._prices = found, _price_lines(products, screen) if found else []
        self._starts = [start_ms for start_ms, _, _ in found]
        self._longest = max((end_ms - start_ms for start_ms, end_ms, _ in found), default=0)

    def shown(self, start_ms: int, end_ms: int) -> dict[str, float]:
        """The products that cards show in the middle of a span, by confidence 0…1; nothing where the screen says nothing."""
        middle = (start_ms + end_ms) // 2
        first, last = bisect.bisect_left(self._starts, middle - self._longest), bisect.bisect_right(self._starts, middle)
        there = [named for _, until_ms, named in self._cards[first:last] if middle < until_ms]
        priced = {product_id for begin, until, product_id in self._prices if begin <= middle < until} if there else set()
        return _shared(there, priced)


def both(by_speech: Mapping[str, float], by_screen: Mapping[str, float]) -> dict[str, float]:
    """Speech and screen together: each adds to what the other says of a product, and takes from what it says of the others."""
    if not by_screen:
        return dict(by_speech)
    joined = {}
    for product_id in {*by_speech, *by_screen}:
        heard, seen = by_speech.get(product_id, 0.0), by_screen.get(product_id, 0.0)
        against = max((sure for other, sure in by_screen.items() if other != product_id), default=0.0)
        sure = (1 - (1 - heard) * (1 - seen)) * (1.0 if seen else 1 - against / 2)
        if sure >= LEAST:
            joined[product_id] = round(min(sure, 0.97), 3)
    return joined


def _cards(products: Sequence[Product], screen: Sequence[ScreenText]) -> list[tuple[int, int, dict[str, float]]]:
    """(start, end, products by how surely the line names them), in order of start; without decoration."""
    shelf, numbers = Shelf(products), spoken_numbers(products)
    span_ms = max(text.end_ms for text in screen) - min(text.start_ms for text in screen)
    most_ms = min(DECORATION_MS, max(span_ms * DECORATION_SHARE, SESSION_MS))
    cards = []
    for text in screen:
        if text.end_ms - text.start_ms > most_ms and len(products) > 1:
            continue
        folded = fold(text.text).text
        named = shelf.named_in(folded) | links_said(folded, numbers)
        strong = {product_id: weight * (text.confidence or 0.5) for product_id, weight in named.items() if weight >= NAMED_LEAST}
        if strong:
            cards.append((text.start_ms, text.end_ms, strong))
    return sorted(cards, key=lambda card: card[:2])


def _shared(there: Sequence[Mapping[str, float]], priced: set[str]) -> dict[str, float]:
    here: dict[str, float] = {}
    for named in there:
        for product_id, weight in named.items():
            here[product_id] = max(here.get(product_id, 0.0), weight)
    # A card names its product more than once, by its title and by its link; a bar of links names each once.
    lines = {product_id: sum(product_id in named for named in there) for product_id in here}
    if most := [product_id for product_id, count in lines.items() if count == max(lines.values())]:
        here = {product_id: here[product_id] for product_id in most}
    total = sum(here.values())
    shared = {product_id: CARD_SURE * weight * weight / total for product_id, weight in here.items()}
    return {
        product_id: round(min(sure + (PRICE_BONUS if product_id in priced else 0.0), 0.95), 3)
        for product_id, sure in shared.items()
        if sure >= SHARE_LEAST
    }


def _price_lines(products: Sequence[Product], screen: Sequence[ScreenText]) -> list[tuple[int, int, str]]:
    """(start, end, product) of lines that hold a product's price."""
    by_amount: dict[str, list[str]] = {}
    for product in products:
        if product.price_minor is not None:
            for amount in {f"{product.price_minor / 100:g}", f"{product.price_minor / 100:.2f}"}:
                by_amount.setdefault(amount, []).append(product.product_id)
    return [
        (text.start_ms, text.end_ms, product_id)
        for text in screen
        for amount in _AMOUNT.findall(text.text)
        for product_id in by_amount.get(amount, ())
    ]
