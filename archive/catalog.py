"""What is held: recordings with their parts, chat, shelf and source files. An admission is one transaction with its custody entry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, and_, func, insert, null, select
from sqlalchemy.exc import IntegrityError

from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json, digest_json
from archive.errors import AlreadyHeld, NotFound
from archive.recording import EventKind, Gap, Message, MessageKind, Part, Product, ProductEvent, Recording
from archive.row_claims import claim
from archive.schema import clock_maps, gaps, messages, parts, product_events, products, recordings, sources, tombstones
from archive.timeline import ClockMap, ClockPiece, WallTime
from archive.timestamping import await_stamp


@dataclass(frozen=True, slots=True)
class Source:
    """A file that came in beside the media, kept as it came. Roles: chat, captions, products, product_events."""

    role: str
    digest: str
    size_bytes: int
    file_name: str


@dataclass(frozen=True, slots=True)
class MediaRoot:
    """What the admit entry says of a part's media proof: its Merkle root, `sha256:…`, and how many leaves stand under it."""

    root: str
    leaves: int


@dataclass(frozen=True, slots=True)
class Admission:
    """Everything that one ingest brings in. `media_roots` are by part number."""

    recording: Recording
    messages: tuple[Message, ...] = ()
    products: tuple[Product, ...] = ()
    events: tuple[ProductEvent, ...] = ()
    sources: tuple[Source, ...] = ()
    media_roots: Mapping[int, MediaRoot] = field(default_factory=dict)


class Catalog:
    """Reads and writes of the tables that an admission fills."""

    def __init__(self, database: Database, custody: CustodyLog) -> None:
        self._database = database
        self._custody = custody

    def admit(self, admission: Admission, actor: str) -> None:
        """Write it all or nothing. AlreadyHeld if the recording's id is taken."""
        recording = admission.recording
        try:
            with self._database.writing() as connection:
                _insert_recording(connection, recording)
                _insert_rest(connection, admission)
                detail = {**_admission_detail(admission), "rows": _claims(connection, recording.id)}
                entry = self._custody.append(connection, actor, "admit", recording.id, detail)
                await_stamp(connection, "admission", recording.id, entry.digest, entry.at)
        except IntegrityError as error:
            if self.has(recording.id):
                raise AlreadyHeld(f"recording {recording.id} is already held: choose another --id, or ask for it with show") from error
            raise

    def has(self, recording_id: str) -> bool:
        with self._database.reading() as connection:
            return connection.execute(select(recordings.c.id).where(recordings.c.id == recording_id)).first() is not None

    def recording(self, recording_id: str) -> Recording:
        """One recording with parts in order, each with its newest clock map. NotFound if it isn't held."""
        with self._database.reading() as connection:
            row = connection.execute(select(recordings).where(recordings.c.id == recording_id)).mappings().first()
            if row is None:
                raise _not_held(connection, recording_id)
            return _recording(connection, row)

    def recordings(self) -> list[Recording]:
        """All recordings, newest session first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(recordings).order_by(recordings.c.started_at_ms.desc(), recordings.c.id)).mappings().all()
            return [_recording(connection, row) for row in rows]

    def ids(self) -> list[str]:
        """Ids of all recordings, newest session first."""
        with self._database.reading() as connection:
            return list(connection.execute(select(recordings.c.id).order_by(recordings.c.started_at_ms.desc(), recordings.c.id)).scalars())

    def holders_of(self, digest: str) -> list[tuple[str, int]]:
        """(recording id, part number) of every part with these bytes."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(parts.c.recording_id, parts.c.number).where(parts.c.digest == digest).order_by(parts.c.recording_id)
            )
            return [(row.recording_id, row.number) for row in rows]

    def messages(self, recording_id: str, from_ms: int | None = None, to_ms: int | None = None) -> list[Message]:
        """Chat in time order, ends included."""
        query = select(messages).where(messages.c.recording_id == recording_id).order_by(messages.c.at_ms, messages.c.number)
        if from_ms is not None:
            query = query.where(messages.c.at_ms >= from_ms)
        if to_ms is not None:
            query = query.where(messages.c.at_ms <= to_ms)
        with self._database.reading() as connection:
            return [_message(row) for row in connection.execute(query).mappings()]

    def products(self, recording_id: str) -> list[Product]:
        """The shelf in the order it was given."""
        query = select(products).where(products.c.recording_id == recording_id).order_by(products.c.position)
        with self._database.reading() as connection:
            return [_product(row) for row in connection.execute(query).mappings()]

    def product(self, recording_id: str, product_id: str) -> Product:
        """One product of a recording's shelf. NotFound if it isn't on it."""
        for product in self.products(recording_id):
            if product.product_id == product_id:
                return product
        raise NotFound(f"recording {recording_id} has no product {product_id} on its shelf")

    def events(self, recording_id: str) -> list[ProductEvent]:
        query = select(product_events).where(product_events.c.recording_id == recording_id)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(product_events.c.at_ms, product_events.c.number)).mappings()
            return [ProductEvent(EventKind(r["event"]), r["product_id"], r["at_ms"], r["source"], r["inferred"]) for r in rows]

    def sources(self, recording_id: str) -> list[Source]:
        query = select(sources).where(sources.c.recording_id == recording_id).order_by(sources.c.number)
        with self._database.reading() as connection:
            return [Source(r["role"], r["digest"], r["size_bytes"], r["file_name"]) for r in connection.execute(query).mappings()]

    def counts(self, recording_id: str) -> tuple[int, int]:
        """How many messages and products a recording has."""
        with self._database.reading() as connection:
            return (
                connection.execute(select(func.count()).select_from(messages).where(messages.c.recording_id == recording_id)).scalar_one(),
                connection.execute(select(func.count()).select_from(products).where(products.c.recording_id == recording_id)).scalar_one(),
            )


def _not_held(connection: Connection, recording_id: str) -> NotFound:
    of_it = (tombstones.c.subject_kind == "recording", tombstones.c.subject == recording_id)
    purged_at_ms = connection.execute(select(func.max(tombstones.c.purged_at_ms)).where(*of_it)).scalar()
    if purged_at_ms is None:
        return NotFound(f"no recording {recording_id} is held: liveproof status lists those that are")
    at = WallTime(purged_at_ms).iso()
    return NotFound(f"recording {recording_id} was purged at {at}, when its retention had ended: liveproof purge --tombstones says by whom")


def _insert_recording(connection: Connection, recording: Recording) -> None:
    connection.execute(
        insert(recordings).values(
            id=recording.id,
            platform=recording.platform,
            room=recording.room,
            host=recording.host,
            title=recording.title,
            started_at_ms=recording.started_at.epoch_ms if recording.started_at else None,
            duration_ms=recording.duration_ms,
            admitted_at_ms=recording.admitted_at.epoch_ms,
            kind=recording.kind,
            live=recording.live or None,
        )
    )
    for part in recording.parts:
        connection.execute(insert(parts).values(recording_id=recording.id, **_part_values(part)))
        connection.execute(
            insert(clock_maps).values(
                recording_id=recording.id,
                part=part.number,
                version=part.clock.version,
                starts_at_ms=part.clock.starts_at_ms,
                wall_start_ms=part.clock.wall_start.epoch_ms if part.clock.wall_start else None,
                uncertainty_ms=part.clock.uncertainty_ms,
                method=part.clock.method,
                pieces=pieces_json(part.clock) or null(),
            )
        )


def _insert_rest(connection: Connection, admission: Admission) -> None:
    recording_id = admission.recording.id
    batches = (
        (gaps, [_gap_values(g) for g in admission.recording.gaps]),
        (
            messages,
            [
                {"number": n, **_message_values(m), "source_number": m.source_number, "order_id": m.order_id}
                for n, m in enumerate(admission.messages, 1)
            ],
        ),
        (products, [{"position": n, **product_json(p)} for n, p in enumerate(admission.products, 1)]),
        (product_events, [{"number": n, **event_json(e)} for n, e in enumerate(admission.events, 1)]),
        (
            sources,
            [
                {"number": n, "role": s.role, "digest": s.digest, "size_bytes": s.size_bytes, "file_name": s.file_name}
                for n, s in enumerate(admission.sources, 1)
            ],
        ),
    )
    for table, rows in batches:
        if rows:
            connection.execute(insert(table), [{"recording_id": recording_id, **row} for row in rows])


def _admission_detail(admission: Admission) -> dict[str, Json]:
    return {
        "parts": [_logged_part(p, admission.media_roots.get(p.number)) for p in admission.recording.parts],
        "sources": [{"role": s.role, "digest": s.digest, "bytes": s.size_bytes, "file": s.file_name} for s in admission.sources],
        "messages": len(admission.messages),
        "products": len(admission.products),
        "events": len(admission.events),
        "clocks": clocks_json(admission.recording),
        "content_digest": content_digest(admission.recording, admission.messages, admission.products, admission.events),
    }


def _claims(connection: Connection, recording_id: str) -> list[Json]:
    of_recording = (parts, clock_maps, gaps, sources, messages, products, product_events)
    return [
        claim(connection, recordings, id=recording_id),
        *(claim(connection, table, recording_id=recording_id) for table in of_recording),
    ]


def _logged_part(part: Part, media: MediaRoot | None) -> dict[str, Json]:
    logged: dict[str, Json] = {"number": part.number, "digest": part.digest, "bytes": part.size_bytes, "file": part.file_name}
    return logged if media is None else {**logged, "media_root": media.root, "leaves": media.leaves}


def content_digest(recording: Recording, chat: Iterable[Message], shelf: Iterable[Product], on_air: Iterable[ProductEvent]) -> str:
    """Digest over every row of an admission but its clock maps, which get further versions: what verification holds the rows to (G2)."""
    return digest_json(
        {
            "id": recording.id,
            "about": [recording.platform, recording.room, recording.host, recording.title],
            "started_at_ms": recording.started_at.epoch_ms if recording.started_at else None,
            "duration_ms": recording.duration_ms,
            "admitted_at_ms": recording.admitted_at.epoch_ms,
            "parts": [_part_values(p) for p in sorted(recording.parts, key=lambda p: p.number)],
            "gaps": [[g.start_ms, g.end_ms, g.reason] for g in sorted(recording.gaps, key=lambda g: g.start_ms)],
            "messages": [_message_values(m) for m in sorted(chat, key=lambda m: m.at_ms)],
            "products": [product_json(p) for p in shelf],
            "events": [event_json(e) for e in sorted(on_air, key=lambda e: e.at_ms)],
        }
    )


def clocks_json(recording: Recording) -> list[Json]:
    """A recording's clock maps as the custody log holds them."""
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
        for part in sorted(recording.parts, key=lambda part: part.number)
    ]


def pieces_json(clock: ClockMap) -> list[Json]:
    """A clock's pieces as they are stored: [media_from_ms, wall_ms, rate_ppm, uncertainty_ms, residual_ms, method] each."""
    return [[p.media_from_ms, p.wall.epoch_ms, p.rate_ppm, p.uncertainty_ms, p.residual_ms, p.method] for p in clock.pieces]


def _gap_values(gap: Gap) -> dict[str, Json]:
    return {"start_ms": gap.start_ms, "end_ms": gap.end_ms, "reason": gap.reason, "uncertainty_ms": gap.uncertainty_ms}


def _part_values(part: Part) -> dict[str, Json]:
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


def _message_values(message: Message) -> dict[str, Json]:
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


def _recording(connection: Connection, row: RowMapping) -> Recording:
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


def _part(row: RowMapping) -> Part:
    pieces = tuple(ClockPiece(at, WallTime(wall), ppm, sure, off, how) for at, wall, ppm, sure, off, how in row["pieces"] or ())
    clock = ClockMap(row["starts_at_ms"], _wall(row["wall_start_ms"]), row["uncertainty_ms"], row["method"], row["version"], pieces)
    return Part(
        row["number"],
        row["digest"],
        row["size_bytes"],
        row["file_name"],
        row["duration_ms"],
        row["container"],
        row["probe"],
        clock,
        tuple(row["damage"]),
    )


def _wall(epoch_ms: int | None) -> WallTime | None:
    return None if epoch_ms is None else WallTime(epoch_ms)


def _message(row: RowMapping) -> Message:
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
