"""The shelf and what was on air when, in the neutral format: one row a product, one row an event, as JSON or CSV.

products: product_id, title; optional shelf_no, aliases (list, or | between in CSV), price_minor (in the currency's minor unit), currency,
listing_text; every other column is kept in `more`.
product_events: event, product_id, and the time as `at_ms` (ms on the recording's time line), or `at`, or `from` and `to` (an explanation's
start and end) with `time_base` offset (ms, or 1:13.5) or wall (ISO 8601 with a zone); optional source, inferred.
"""

import re
from collections.abc import Collection, Sequence

from archive.errors import InvalidTime
from archive.recording import EventKind, Product, ProductEvent
from archive.timeline import WallTime, parse_ms
from ingest.input_file import storable
from ingest.tables import Row, quoted

MAX_PRICE_MINOR = 10**13
MAX_OFFSET_MS = 1000 * 3600 * 1000
_PRODUCT_FIELDS = {"product_id", "title", "shelf_no", "aliases", "price_minor", "currency", "listing_text"}
_CURRENCY = re.compile(r"[A-Z]{3}")


def products_from(rows: Sequence[Row]) -> tuple[Product, ...]:
    """The shelf. InvalidContent names file, row and field of what is wrong."""
    shelf: dict[str, Product] = {}
    for row in rows:
        product = _product(row)
        if product.product_id in shelf:
            raise row.wrong("product_id", f"{product.product_id[:60]} stands on the shelf twice")
        shelf[product.product_id] = product
    return tuple(shelf.values())


def _product(row: Row) -> Product:
    currency = (row.text("currency") or "CNY").upper()
    if not _CURRENCY.fullmatch(currency):
        raise row.wrong("currency", f"{currency[:20]} must be three letters, such as CNY")
    return Product(
        product_id=row.required_text("product_id"),
        title=row.required_text("title"),
        shelf_no=row.text("shelf_no"),
        aliases=row.texts("aliases"),
        price_minor=row.whole("price_minor", 0, MAX_PRICE_MINOR),
        currency=currency,
        listing_text=row.text("listing_text") or "",
        more={storable(name): row.kept(name) for name in row.fields if name not in _PRODUCT_FIELDS and row.has(name)},
    )


def events_from(rows: Sequence[Row], shelf: Collection[str], wall_zero: WallTime | None) -> tuple[ProductEvent, ...]:
    """Events in time order. `shelf` holds the ids that are known (empty: any goes); `wall_zero`: the recording's 0 ms."""
    events: list[ProductEvent] = []
    for row in rows:
        product_id = row.required_text("product_id")
        if shelf and product_id not in shelf:
            raise row.wrong("product_id", f"{product_id[:60]} is not among the products that were given")
        source, inferred = row.text("source") or "", row.truth("inferred")
        events.extend(ProductEvent(kind, product_id, at_ms, source, inferred) for kind, at_ms in _moments(row, wall_zero))
    return tuple(sorted(events, key=lambda event: event.at_ms))


def _moments(row: Row, wall_zero: WallTime | None) -> list[tuple[EventKind, int]]:
    if row.has("from") or row.has("to"):
        if row.text("event") not in (None, "explain", EventKind.EXPLAIN_START):
            raise row.wrong("event", "from and to go with explain; give other events one time, at")
        start, end = _time(row, "from", wall_zero), _time(row, "to", wall_zero)
        if end < start:
            raise row.wrong("to", "it ends before it starts")
        return [(EventKind.EXPLAIN_START, start), (EventKind.EXPLAIN_END, end)]
    try:
        kind = EventKind(row.required_text("event"))
    except ValueError:
        raise row.wrong("event", f"{quoted(row.fields['event'])} must be one of {', '.join(EventKind)}") from None
    return [(kind, _time(row, "at", wall_zero))]


def _time(row: Row, field: str, wall_zero: WallTime | None) -> int:
    if field == "at" and row.has("at_ms"):
        at_ms = row.whole("at_ms", 0, MAX_OFFSET_MS)
        return at_ms if at_ms is not None else 0
    written = row.text(field)
    if written is None:
        raise row.wrong("at_ms" if field == "at" else field, "is missing: say when, in ms from the recording's start")
    base = row.text("time_base") or "offset"
    try:
        if base == "offset":
            at_ms = parse_ms(written)
        elif base == "wall":
            if wall_zero is None:
                raise row.wrong("time_base", "is wall, but the time the recording started isn't known: give --started-at")
            at_ms = WallTime.parse(written).epoch_ms - wall_zero.epoch_ms
        else:
            raise row.wrong("time_base", f"{base[:60]} must be offset or wall")
    except (InvalidTime, OverflowError) as error:
        raise row.wrong(field, str(error)) from error
    if abs(at_ms) > MAX_OFFSET_MS:
        raise row.wrong(field, f"{written[:60]} lies more than 1000 hours from the recording's start")
    return at_ms
