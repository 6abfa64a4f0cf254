"""What was understood of a question, for the one who asked to see: what is looked for, of which product, host and time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from archive.recording import Product
from search.asked_filters import HostUnderstood, Narrowed, TimeUnderstood
from search.latin_sounds import latin_sound
from search.products_asked import NamedProduct
from search.query import Term, products_named

MOST_PRODUCTS = 5


@dataclass(frozen=True, slots=True)
class ConceptUnderstood:
    """A concept of the lexicon; `led_by` is the one that led to it, None where the question names it."""

    name: str
    led_by: str | None


@dataclass(frozen=True, slots=True)
class ReadAs:
    """A word of the question and what else it was looked for as. `how`: stem, typo, short, brand, said (as it sounds)."""

    written: str
    read_as: str
    how: str


def _readings(term: Term) -> list[ReadAs]:
    said = [ReadAs(term.text, " ".join(latin_sound(term.text)), "said")] if term.names and term.text.isascii() else []
    return [*(ReadAs(term.text, other.text, other.how) for other in term.also), *said]


@dataclass(frozen=True, slots=True)
class Understood:
    """`looked_for` are words; `quantities` as `Quantity.describe` tells them. Nothing here holds the asker's personal data (G9)."""

    looked_for: tuple[str, ...] = ()
    quantities: tuple[str, ...] = ()
    concepts: tuple[ConceptUnderstood, ...] = ()
    categories: tuple[str, ...] = ()
    products: tuple[NamedProduct, ...] = ()
    host: HostUnderstood | None = None
    time: TimeUnderstood | None = None
    read_as: tuple[ReadAs, ...] = ()
    negative: bool = False
    wants_correction: bool = False
    asks_condition: bool = False


def understood_of(narrowed: Narrowed, shelves: Mapping[str, Sequence[Product]], *, widened: bool = False) -> Understood:
    """`shelves` of the recordings that the answer is from. `widened`: nothing was found at the time named, so others were searched too."""
    question = narrowed.question
    products: dict[str, NamedProduct] = {}
    for named in products_named(question, shelves).values():
        for each in named:
            if each.product_id not in products or products[each.product_id].weight < each.weight:
                products[each.product_id] = each
    surest = sorted(products.values(), key=lambda each: (-each.weight, each.product_id))[:MOST_PRODUCTS]
    heaviest = sorted(question.concepts, key=lambda name: (name in question.kin, -question.concepts[name], name))
    return Understood(
        tuple(term.text for term in question.terms),
        tuple(dict.fromkeys(quantity.describe() for quantity in question.quantities)),
        tuple(ConceptUnderstood(name, question.kin[name][0] if name in question.kin else None) for name in heaviest),
        tuple(sorted(question.categories, key=lambda name: (-question.categories[name], name))),
        tuple(surest),
        narrowed.host,
        replace(narrowed.time, applied=False) if narrowed.time and widened else narrowed.time,
        tuple(reading for term in question.terms for reading in _readings(term)),
        question.negative,
        question.wants_correction,
        question.asks_condition,
    )
