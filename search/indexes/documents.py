"""How index documents are written as JSON rows and read back."""

import json
from collections.abc import Sequence
from decimal import Decimal

import orjson

from archive.catalog_json import pieces_json
from archive.recording import Gap, Message, MessageKind, Part, Product, Recording
from archive.timeline import ClockMap, ClockPiece, WallTime
from search.passages import IndexedUnit, LinkedClaim, Mention
from search.promises import Claim, Promise
from search.quantities import Bound, Quantity, QuantityKind
from search.units import Unit

Row = dict[str, object]
_NOTHING: frozenset[str] = frozenset()


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _wall(wall: WallTime | None) -> int | None:
    return wall.epoch_ms if wall else None


def _as_wall(epoch_ms: int | None) -> WallTime | None:
    return WallTime(epoch_ms) if epoch_ms is not None else None


def write_quantity(quantity: Quantity | None) -> list[object] | None:
    if quantity is None:
        return None
    upper = str(quantity.upper) if quantity.upper is not None else None
    row: list[object] = [quantity.kind.value, str(quantity.value), quantity.unit, str(quantity.number), quantity.start, quantity.end, upper]
    # Most say an exact amount: what isn't there is read as such.
    return [*row, quantity.bound.value, quantity.per] if quantity.bound or quantity.per else row


def read_quantity(row: list[str] | None) -> Quantity | None:
    if row is None:
        return None
    kind, value, unit, number, start, end, upper, *limits = row
    bound, per = limits or ("", "")
    return Quantity(
        QuantityKind(kind),
        Decimal(value),
        unit,
        Decimal(number),
        int(start),
        int(end),
        Decimal(upper) if upper is not None else None,
        Bound(bound),
        per,
    )


def write_recording(recording: Recording, as_of: int = 0, embedder: str = "") -> str:
    parts: list[list[object]] = [
        [
            part.number,
            part.digest,
            part.size_bytes,
            part.file_name,
            part.duration_ms,
            part.container,
            part.clock.starts_at_ms,
            _wall(part.clock.wall_start),
            part.clock.uncertainty_ms,
            part.clock.method,
            part.clock.version,
            pieces_json(part.clock),
        ]
        for part in recording.parts
    ]
    gaps: list[list[object]] = [[gap.start_ms, gap.end_ms, gap.reason] for gap in recording.gaps]
    return _dump(
        {
            "id": recording.id,
            "platform": recording.platform,
            "room": recording.room,
            "host": recording.host,
            "title": recording.title,
            "started_at": _wall(recording.started_at),
            "duration_ms": recording.duration_ms,
            "admitted_at": recording.admitted_at.epoch_ms,
            "parts": parts,
            "gaps": gaps,
            **({"kind": recording.kind} if recording.kind else {}),
            **({"live": True} if recording.live else {}),
            "as_of": as_of,
            "embedder": embedder,
        }
    )


def read_recording(body: str) -> Recording:
    """A part's probe isn't kept here: the archive has it."""
    row = json.loads(body)
    parts = tuple(
        Part(number, digest, size, name, duration, container, None, _read_clock(*clock))
        for number, digest, size, name, duration, container, *clock in row["parts"]
    )
    return Recording(
        row["id"],
        row["platform"],
        row["room"],
        row["host"],
        row["title"],
        _as_wall(row["started_at"]),
        row["duration_ms"],
        WallTime(row["admitted_at"]),
        parts,
        tuple(Gap(*gap) for gap in row["gaps"]),
        row.get("kind"),
        row.get("live", False),
    )


def read_marks(body: str) -> tuple[int, str]:
    """(as_of, embedder) of a recording's row; those written before there were any have none."""
    row = json.loads(body)
    return row.get("as_of", 0), row.get("embedder", "")


def _read_clock(
    starts: int, wall: int | None, uncertainty: int, method: str, version: int, pieces: Sequence[tuple[int, int, int, int, int, str]] = ()
) -> ClockMap:
    """Documents written before clocks had pieces have none."""
    read = tuple(ClockPiece(at, WallTime(then), ppm, sure, off, how) for at, then, ppm, sure, off, how in pieces)
    return ClockMap(starts, _as_wall(wall), uncertainty, method, version, read)


def write_unit(unit: IndexedUnit) -> str:
    """One line of JSON: lists in the order of the fields, so that hundreds are read in a moment."""
    plain = unit.unit
    row = [
        plain.number,
        plain.segment,
        plain.part,
        plain.start_ms,
        plain.end_ms,
        plain.text,
        _wall(plain.wall_start),
        plain.uncertainty_ms,
        plain.risk,
        plain.confidence,
        plain.opens_thought,
        unit.folded,
        " ".join(unit.sounds) if unit.sounds else None,
        [[each.concept, each.weight, each.heard_as] for each in unit.mentions],
        [write_quantity(quantity) for quantity in unit.quantities],
        sorted(unit.on_air),
        unit.named,
        unit.inferred,
        unit.question,
        unit.reads_question,
    ]
    return orjson.dumps(row).decode()


def read_unit(body: str | bytes) -> IndexedUnit:
    row = orjson.loads(body)
    (number, segment, part, start, end, text, wall, uncertainty, risk, confidence, opens) = row[:11]
    (folded, sounds, mentions, quantities, on_air, named, inferred, question, reads) = row[11:]
    return IndexedUnit(
        Unit(number, segment, part, start, end, text, _as_wall(wall), uncertainty, tuple(risk), confidence, opens),
        folded,
        () if sounds is None else tuple(sounds.split(" ")),
        tuple(Mention(*mention) for mention in mentions) if mentions else (),
        tuple(quantity for quantity in map(read_quantity, quantities) if quantity) if quantities else (),
        frozenset(on_air) if on_air else _NOTHING,
        tuple((product, weight) for product, weight in named) if named else (),
        tuple((product, weight) for product, weight in inferred) if inferred else (),
        question,
        reads,
    )


def write_claim(linked: LinkedClaim) -> str:
    claim, promise = linked.claim, linked.claim.promise
    return _dump(
        [
            claim.first,
            claim.last,
            claim.start_ms,
            claim.end_ms,
            sorted(claim.products),
            promise.category,
            promise.polarity,
            write_quantity(promise.quantity),
            promise.condition,
            promise.topics,
            promise.is_correction,
            linked.corrects,
            claim.doubtful,
            claim.firmness,
        ]
    )


def read_claim(body: str) -> LinkedClaim:
    first, last, start, end, products, category, polarity, quantity, condition, topics, is_correction, corrects, doubtful, firmness = (
        json.loads(body)
    )
    promise = Promise(category, polarity, read_quantity(quantity), condition, tuple(topics), is_correction)
    return LinkedClaim(Claim(first, last, start, end, frozenset(products), promise, doubtful=doubtful, firmness=firmness), corrects)


def write_product(product: Product) -> str:
    return _dump(
        [product.product_id, product.title, product.shelf_no, product.aliases, product.price_minor, product.currency, product.listing_text]
    )


def read_product(body: str) -> Product:
    product_id, title, shelf_no, aliases, price, currency, listing = json.loads(body)
    return Product(product_id, title, shelf_no, tuple(aliases), price, currency, listing)


def read_message(at_ms: int, text: str, kind: str, uncertainty_ms: int) -> Message:
    return Message(at_ms, text, None, MessageKind(kind), uncertainty_ms=uncertainty_ms)
