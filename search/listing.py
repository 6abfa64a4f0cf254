"""What a product's listing says, read as promises, so that what was said can be held against it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from archive.recording import Product
from search.chinese import fold
from search.concepts import load_lexicon
from search.promises import MIN_WEIGHT, Promise, akin, promise_in
from search.quantities import Quantity, QuantityKind, comparable, find_quantities, same_amount

Verdict: TypeAlias = Literal["as_listed", "differs", "not_listed", "no_listing"]
_CLAUSE = re.compile(r"[,，。;；!！?？\n\r|/]+")
LISTING_MAX_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Listed:
    """A clause of a listing, word for word, with what it promises; the price has none of its own."""

    text: str
    promise: Promise


@dataclass(frozen=True, slots=True)
class Comparison:
    """How something said stands to the listing. `listed`: the words there that speak of the same, if any.

    `differs`: another amount, or the opposite. `not_listed`: the listing doesn't speak of it. `no_listing`: none is known.
    """

    verdict: Verdict
    listed: str | None = None


def read_listing(product: Product) -> tuple[Listed, ...]:
    """Its title and text, clause by clause; at most LISTING_MAX_CHARS characters are read."""
    concepts = load_lexicon().concepts
    found = []
    for clause in _CLAUSE.split(f"{product.title}\n{product.listing_text}"[:LISTING_MAX_CHARS]):
        hits = load_lexicon().find(fold(clause).text)
        weights: dict[str, float] = {}
        for hit in hits:
            category = concepts[hit.concept].category
            if category:
                weights[category] = weights.get(category, 0.0) + hit.weight
        for category in (name for name, weight in weights.items() if weight >= MIN_WEIGHT):
            own = [hit for hit in hits if concepts[hit.concept].category == category]
            promise = promise_in(clause, own, find_quantities(clause), {category: 1.0})
            if promise:
                found.append(Listed(clause.strip(), promise))
    return tuple(found)


def compare(said: Promise, product: Product, listed: Sequence[Listed]) -> Comparison:
    """Holds a promise against a product's listing, as `read_listing` gives it."""
    if said.category == "price" and said.quantity is not None and said.quantity.kind is QuantityKind.MONEY:
        return _price(said.quantity, product)
    if not product.listing_text.strip():
        return Comparison("no_listing")
    of_topic = [each for each in listed if each.promise.category == said.category and akin(each.promise, said)]
    for each in of_topic:
        # "No" to one thing is not "no" to another: only where the listing speaks of all that was said.
        if set(said.topics) <= set(each.promise.topics) and {said.polarity, each.promise.polarity} == {"affirmed", "denied"}:
            return Comparison("differs", each.text)
    if said.quantity is None:
        return Comparison("as_listed", of_topic[0].text) if of_topic else Comparison("not_listed")
    measured = [(each, each.promise.quantity) for each in of_topic if each.promise.quantity is not None]
    alike = [(each, amount) for each, amount in measured if comparable(amount, said.quantity)]
    for each, amount in alike:
        if same_amount(amount, said.quantity):
            return Comparison("as_listed", each.text)
    return Comparison("differs", alike[0][0].text) if alike else Comparison("not_listed")


def _price(said: Quantity, product: Product) -> Comparison:
    if product.price_minor is None or product.currency != "CNY":
        return Comparison("no_listing")
    shown = f"{Decimal(product.price_minor) / 100:.2f} {product.currency}"
    return Comparison("as_listed" if said.value == product.price_minor else "differs", shown)
