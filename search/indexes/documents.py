"""How index documents are written as JSON rows and read back."""

import json
from collections.abc import Sequence

import msgspec

from archive.catalog_json import pieces_json
from archive.recording import Gap, Message, MessageKind, Part, Product, Recording
from archive.timeline import ClockMap, ClockPiece, WallTime
from search.passages import IndexedUnit, LinkedClaim
from search.promises import Claim, Promise
from search.quantities import Quantity

Row = dict[str, object]
_UNIT_READER = msgspec.json.Decoder(IndexedUnit)
# A set is written in one order, so that what did not change is known by its bytes.
_UNIT_WRITER = msgspec.json.Encoder(order="deterministic")


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _wall(wall: WallTime | None) -> int | None:
    return wall.epoch_ms if wall else None


def _as_wall(epoch_ms: int | None) -> WallTime | None:
    return WallTime(epoch_ms) if epoch_ms is not None else None


def write_quantity(quantity: Quantity | None) -> list[object] | None:
    row: list[object] | None = msgspec.to_builtins(quantity)
    return row


def read_quantity(row: Sequence[object] | None) -> Quantity | None:
    return msgspec.convert(row, Quantity | None)


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
    return _UNIT_WRITER.encode(unit).decode()


def read_unit(body: str | bytes) -> IndexedUnit:
    return _UNIT_READER.decode(body)


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
