"""Rows of a recording as JSON: as they are stored, as the custody log holds them, and the digest over all of them."""

from collections.abc import Iterable

from archive.digest import Json, digest_json
from archive.recording import Gap, Message, Part, Product, ProductEvent, Recording
from archive.timeline import ClockMap


def content_digest(recording: Recording, chat: Iterable[Message], shelf: Iterable[Product], on_air: Iterable[ProductEvent]) -> str:
    """Digest over every row of an admission and its extensions but the clock maps, which get further versions: what verification holds
    the rows to (G2)."""
    return digest_json(
        {
            "id": recording.id,
            "about": [recording.platform, recording.room, recording.host, recording.title],
            "started_at_ms": recording.started_at.epoch_ms if recording.started_at else None,
            "duration_ms": recording.duration_ms,
            "admitted_at_ms": recording.admitted_at.epoch_ms,
            "parts": [part_json(p) for p in sorted(recording.parts, key=lambda p: p.number)],
            "gaps": [[g.start_ms, g.end_ms, g.reason] for g in sorted(recording.gaps, key=lambda g: g.start_ms)],
            "messages": [message_json(m) for m in sorted(chat, key=lambda m: m.at_ms)],
            "products": [product_json(p) for p in shelf],
            "events": [event_json(e) for e in sorted(on_air, key=lambda e: e.at_ms)],
        }
    )


def clocks_json(parts: Iterable[Part]) -> list[Json]:
    """The clock maps of parts as the custody log holds them."""
    return [
        {
            **({"pieces": pieces_json(part.clock)} if part.clock.pieces else {}),
            "part": part.number,
            "version": part.clock.version,
            "starts_at_ms": part.clock.starts_at_ms,
            "wall_start_ms": part.clock.wall_start.epoch_ms if part.clock.wall_start else None,
            "uncertainty_ms": part.clock.uncertainty_ms,
            "method": part.clock.method,
        }
        for part in sorted(parts, key=lambda part: part.number)
    ]


def pieces_json(clock: ClockMap) -> list[Json]:
    """A clock's pieces as they are stored: [media_from_ms, wall_ms, rate_ppm, uncertainty_ms, residual_ms, method] each."""
    return [[p.media_from_ms, p.wall.epoch_ms, p.rate_ppm, p.uncertainty_ms, p.residual_ms, p.method] for p in clock.pieces]


def gap_json(gap: Gap) -> dict[str, Json]:
    return {"start_ms": gap.start_ms, "end_ms": gap.end_ms, "reason": gap.reason, "uncertainty_ms": gap.uncertainty_ms}


def part_json(part: Part) -> dict[str, Json]:
    return {
        "number": part.number,
        "digest": part.digest,
        "size_bytes": part.size_bytes,
        "file_name": part.file_name,
        "duration_ms": part.duration_ms,
        "container": part.container,
        "probe": part.probe,
        "damage": list(part.damage),
    }


def message_json(message: Message) -> dict[str, Json]:
    """A message without the columns that came later: those are held by the row claims alone."""
    return {
        "at_ms": message.at_ms,
        "text": message.text,
        "author": message.author,
        "kind": message.kind.value,
        "raw_offset": message.raw_offset,
        "raw_wall": message.raw_wall,
        "uncertainty_ms": message.uncertainty_ms,
        "source": message.source,
        "recalled": message.recalled,
    }


def product_json(product: Product) -> dict[str, Json]:
    """One entry of the shelf, all of it; `price_minor` in the currency's minor unit."""
    return {
        "product_id": product.product_id,
        "title": product.title,
        "shelf_no": product.shelf_no,
        "aliases": list(product.aliases),
        "price_minor": product.price_minor,
        "currency": product.currency,
        "listing_text": product.listing_text,
        "more": product.more,
    }


def event_json(event: ProductEvent) -> dict[str, Json]:
    """What happened to a product, `at_ms` on the recording's time line."""
    return {
        "event": event.event.value,
        "product_id": event.product_id,
        "at_ms": event.at_ms,
        "source": event.source,
        "inferred": event.inferred,
    }
