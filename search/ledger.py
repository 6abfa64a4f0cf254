"""The promise ledger: what was promised of a product or in a recording, repeated statements joined, with what became of it.

A statement that takes an earlier one back is linked to it; another amount for the same thing, said without taking anything back, is told
of both; and each is held against the listing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from archive.recording import Product
from archive.timeline import WallTime
from search.commitment import FIRM
from search.indexes import Filter, Index, Totals, of_one_moment
from search.listing import Comparison, Listed, compare, read_listing
from search.moments import quote_of
from search.passages import IndexedUnit, LinkedClaim
from search.promises import Promise, akin
from search.quantities import comparable, same_amount

RECORDINGS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Statement:
    """One time that it was said: the words as heard, in ms on the recording's time line. `takes_back`: it corrects something earlier."""

    recording: str
    part: int | None
    start_ms: int
    end_ms: int
    wall_start: WallTime | None
    uncertainty_ms: int
    quote: str
    takes_back: bool
    doubtful: bool
    firmness: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One promise with all its statements in time order. `product` None: nobody knows of which.

    `corrected_by` and `corrects` are numbers of other entries of the ledger: the one that later took this back, and what this takes back;
    `otherwise`: those that give another amount for the same without taking anything back.
    """

    number: int
    product: Product | None
    promise: Promise
    statements: tuple[Statement, ...]
    listing: Comparison
    corrected_by: int | None = None
    corrects: tuple[int, ...] = ()
    otherwise: tuple[int, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether it was not taken back."""
        return self.corrected_by is None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Entries in the order in which they were first said, and what was read for them; `more`: there are recordings beyond the limit."""

    entries: tuple[Entry, ...]
    searched: Totals
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    """A claim of a recording on its way into the ledger. `key`: (recording, number of the claim)."""

    key: tuple[str, int]
    corrects: tuple[str, int] | None
    product: Product | None
    promise: Promise
    statement: Statement


@of_one_moment
def ledger(index: Index, wanted: Filter, *, sure_only: bool = False, least_firm: float = FIRM) -> Ledger:
    """All promises of the recordings that pass; with `wanted.product` those of that product alone, with `wanted.category` of that category.

    `sure_only` leaves out what rests on words in doubt; `least_firm` what was said less firmly at its firmest, 0 keeps all talk of it.
    """
    recordings = sorted(index.ids(replace(wanted, category=None, doubtful=None)))
    shelves = index.products(recordings[:RECORDINGS_MAX])
    if wanted.product:
        # Where a shelf is not known nobody can say that it was of this product.
        recordings = [each for each in recordings if any(product.product_id == wanted.product for product in shelves.get(each, ()))]
    said: list[_Said] = []
    for recording in recordings[:RECORDINGS_MAX]:
        said.extend(_said_in(index, recording, {each.product_id: each for each in shelves.get(recording, ())}))
    kept = [
        each
        for each in said
        if (not wanted.product or (each.product is not None and each.product.product_id == wanted.product))
        and wanted.category in (None, each.promise.category)
        and not (sure_only and each.statement.doubtful)
    ]
    return Ledger(tuple(_entries(kept, least_firm)), index.totals(wanted), len(recordings) > RECORDINGS_MAX)


def _said_in(index: Index, recording: str, shelf: Mapping[str, Product]) -> Iterable[_Said]:
    claims = index.claims(recording)
    runs = index.runs([(recording, linked.claim.first, linked.claim.last) for linked in claims])
    for number, (linked, units) in enumerate(zip(claims, runs, strict=True)):
        if not units:
            continue
        known: list[Product | None] = [shelf[product] for product in sorted(linked.claim.products) if product in shelf]
        for product in known or [None]:
            yield _Said(
                (recording, number),
                (recording, linked.corrects) if linked.corrects is not None else None,
                product,
                linked.claim.promise,
                _statement(recording, linked, units),
            )


def _statement(recording: str, linked: LinkedClaim, units: Sequence[IndexedUnit]) -> Statement:
    claim, first = linked.claim, units[0].unit
    takes_back = claim.promise.is_correction
    return Statement(
        recording,
        first.part,
        claim.start_ms,
        claim.end_ms,
        first.wall_start,
        first.uncertainty_ms,
        quote_of(units),
        takes_back,
        claim.doubtful,
        claim.firmness,
    )


def _entries(said: Sequence[_Said], least_firm: float) -> list[Entry]:
    """Joined, numbered in the order in which they were first said, linked."""
    groups: list[list[_Said]] = []
    by_kind: dict[tuple[str | None, str, str], list[list[_Said]]] = {}
    for each in sorted(said, key=_when):
        kind = (each.product.product_id if each.product else None, each.promise.category, each.promise.polarity)
        like = by_kind.setdefault(kind, [])
        group = next((group for group in like if _same(group[0].promise, each.promise)), None)
        if group is None:
            group = []
            like.append(group)
            groups.append(group)
        group.append(each)
    firm = [group for group in groups if max(each.statement.firmness for each in group) >= least_firm]
    # What was taken back is told of with what took it back, however loosely it was said.
    taken_back = {(each.corrects, _product_id(each)) for group in firm for each in group if each.corrects}
    groups = [group for group in groups if group in firm or any((each.key, _product_id(each)) in taken_back for each in group)]
    numbers = {(each.key, _product_id(each)): number for number, group in enumerate(groups) for each in group}
    listings: dict[str, tuple[Listed, ...]] = {}
    entries = [_entry(number, group, listings) for number, group in enumerate(groups)]
    for number, group in enumerate(groups):
        for each in group:
            earlier = numbers.get((each.corrects, _product_id(each))) if each.corrects else None
            if earlier is not None and earlier != number:
                entries[number] = replace(entries[number], corrects=tuple(sorted({*entries[number].corrects, earlier})))
                if not _said_again_after(groups[earlier], each):
                    entries[earlier] = replace(entries[earlier], corrected_by=number)
    return [replace(entry, otherwise=_otherwise(entry, entries)) for entry in entries]


def _entry(number: int, group: Sequence[_Said], listings: dict[str, tuple[Listed, ...]]) -> Entry:
    # What was said most plainly speaks for all: with a condition, where one was named.
    promise = next((each.promise for each in group if each.promise.condition), group[0].promise)
    product = group[0].product
    if product is None:
        return Entry(number, None, promise, tuple(each.statement for each in group), Comparison("no_listing"))
    key = f"{group[0].key[0]}\n{product.product_id}"
    if key not in listings:
        listings[key] = read_listing(product)
    return Entry(number, product, promise, tuple(each.statement for each in group), compare(promise, product, listings[key]))


def _when(said: _Said) -> tuple[int, str, int]:
    wall = said.statement.wall_start
    return (wall.epoch_ms if wall else 0, said.statement.recording, said.statement.start_ms)


def _product_id(said: _Said) -> str | None:
    return said.product.product_id if said.product else None


def _same(one: Promise, other: Promise) -> bool:
    if not akin(one, other):
        return False
    if one.quantity is None or other.quantity is None:
        return one.quantity is other.quantity
    return comparable(one.quantity, other.quantity) and same_amount(one.quantity, other.quantity)


def _said_again_after(group: Sequence[_Said], correction: _Said) -> bool:
    """Whether what was taken back was promised once more afterwards: then both stand."""
    return any(_when(each) > _when(correction) and not each.statement.takes_back for each in group)


def _otherwise(entry: Entry, entries: Sequence[Entry]) -> tuple[int, ...]:
    amount = entry.promise.quantity
    if amount is None or entry.product is None:
        return ()
    others = []
    for other in entries:
        different = other.promise.quantity
        if (
            other.number != entry.number
            and different is not None
            and other.product is not None
            and other.product.product_id == entry.product.product_id
            and other.promise.category == entry.promise.category
            and akin(other.promise, entry.promise)
            and comparable(amount, different)
            and not same_amount(amount, different)
            and other.number not in (entry.corrected_by, *entry.corrects)
        ):
            others.append(other.number)
    return tuple(others)
