"""Rows of a recording read back as what they stand for, in the caller's transaction."""

from sqlalchemy import Connection, RowMapping, and_, func, select

from archive.admission import Source
from archive.recording import EventKind, Gap, Message, MessageKind, Part, Product, ProductEvent, Recording
from archive.schema import clock_maps, gaps, messages, parts, product_events, products, recordings, sources
from archive.timeline import ClockMap, ClockPiece, WallTime


def recording_held(connection: Connection, recording_id: str) -> Recording | None:
    """One recording with parts in order, each with its newest clock map; None if it isn't held."""
    row = connection.execute(select(recordings).where(recordings.c.id == recording_id)).mappings().first()
    return None if row is None else recording_of(connection, row)


def recording_of(connection: Connection, row: RowMapping) -> Recording:
    """The recording of a row of `recordings`."""
    newest = select(clock_maps.c.part, func.max(clock_maps.c.version).label("version")).where(clock_maps.c.recording_id == row["id"])
    latest = newest.group_by(clock_maps.c.part).subquery()
    held = connection.execute(
        select(parts, clock_maps)
        .join(clock_maps, and_(clock_maps.c.recording_id == parts.c.recording_id, clock_maps.c.part == parts.c.number))
        .join(latest, and_(latest.c.part == clock_maps.c.part, latest.c.version == clock_maps.c.version))
        .where(parts.c.recording_id == row["id"])
        .order_by(parts.c.number)
    ).mappings()
    missing = connection.execute(select(gaps).where(gaps.c.recording_id == row["id"]).order_by(gaps.c.start_ms)).mappings()
    return Recording(
        id=row["id"],
        platform=row["platform"],
        room=row["room"],
        host=row["host"],
        title=row["title"],
        started_at=_wall(row["started_at_ms"]),
        duration_ms=row["duration_ms"],
        admitted_at=WallTime(row["admitted_at_ms"]),
        parts=tuple(_part(part) for part in held),
        gaps=tuple(Gap(g["start_ms"], g["end_ms"], g["reason"], g["uncertainty_ms"]) for g in missing),
        kind=row["kind"],
        live=bool(row["live"]),
    )


def messages_brought(connection: Connection, recording_id: str) -> list[Message]:
    """Chat in time order, each line where it was laid when it came in: no later estimate of its file's clock is added."""
    query = select(messages).where(messages.c.recording_id == recording_id).order_by(messages.c.at_ms, messages.c.number)
    return [message_of(row) for row in connection.execute(query).mappings()]


def products_held(connection: Connection, recording_id: str) -> list[Product]:
    """The shelf in the order it was given."""
    query = select(products).where(products.c.recording_id == recording_id).order_by(products.c.position)
    return [_product(row) for row in connection.execute(query).mappings()]


def events_held(connection: Connection, recording_id: str) -> list[ProductEvent]:
    """What happened to products, in time order."""
    query = select(product_events).where(product_events.c.recording_id == recording_id)
    rows = connection.execute(query.order_by(product_events.c.at_ms, product_events.c.number)).mappings()
    return [ProductEvent(EventKind(r["event"]), r["product_id"], r["at_ms"], r["source"], r["inferred"]) for r in rows]


def sources_held(connection: Connection, recording_id: str) -> list[Source]:
    """The files beside the media, in the order of their numbers, which go from 1."""
    query = select(sources).where(sources.c.recording_id == recording_id).order_by(sources.c.number)
    return [Source(r["role"], r["digest"], r["size_bytes"], r["file_name"]) for r in connection.execute(query).mappings()]


def message_of(row: RowMapping) -> Message:
    """The message of a row of `messages`."""
    return Message(
        row["at_ms"],
        row["text"],
        row["author"],
        MessageKind(row["kind"]),
        row["raw_offset"],
        row["raw_wall"],
        row["uncertainty_ms"],
        row["source"],
        row["recalled"],
        row["source_number"],
        row["order_id"],
    )


def clock_of(row: RowMapping) -> ClockMap:
    """The clock map of a row of `clock_maps`."""
    pieces = tuple(ClockPiece(at, WallTime(wall), ppm, sure, off, how) for at, wall, ppm, sure, off, how in row["pieces"] or ())
    return ClockMap(row["starts_at_ms"], _wall(row["wall_start_ms"]), row["uncertainty_ms"], row["method"], row["version"], pieces)


def _part(row: RowMapping) -> Part:
    return Part(
        row["number"],
        row["digest"],
        row["size_bytes"],
        row["file_name"],
        row["duration_ms"],
        row["container"],
        row["probe"],
        clock_of(row),
        tuple(row["damage"]),
    )


def _wall(epoch_ms: int | None) -> WallTime | None:
    return None if epoch_ms is None else WallTime(epoch_ms)


def _product(row: RowMapping) -> Product:
    return Product(
        row["product_id"],
        row["title"],
        row["shelf_no"],
        tuple(row["aliases"]),
        row["price_minor"],
        row["currency"],
        row["listing_text"],
        row["more"],
    )
