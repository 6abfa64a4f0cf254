"""An admission or an extension written: its rows, the custody entry that claims them and the time-stamp it is owed, in one transaction."""

from collections.abc import Mapping

from sqlalchemy import Connection, Table, delete, func, insert, null, select, update

from archive.admission import Admission, Extension, MediaRoot, Source
from archive.catalog_json import clocks_json, content_digest, event_json, gap_json, message_json, part_json, pieces_json, product_json
from archive.catalog_rows import events_held, messages_brought, products_held, recording_held, sources_held
from archive.custody import CustodyLog
from archive.digest import Json
from archive.errors import GrownMeanwhile, NotFound
from archive.recording import Gap, Message, Part, Product, ProductEvent, Recording
from archive.row_claims import claim
from archive.schema import clock_maps, gaps, messages, parts, product_events, products, recordings, sources
from archive.timestamping import await_stamp

_OF_RECORDING = (parts, clock_maps, gaps, sources, messages, products, product_events)


def write_admission(connection: Connection, custody: CustodyLog, admission: Admission, actor: str) -> None:
    """Make a recording. IntegrityError where its id is taken."""
    recording = admission.recording
    _insert_recording(connection, recording)
    _insert_parts(connection, recording.id, recording.parts)
    _insert_gaps(connection, recording.id, recording.gaps)
    _insert_messages(connection, recording.id, admission.messages, 0)
    _insert_shelf(connection, recording.id, admission.products, admission.events)
    _insert_sources(connection, recording.id, admission.sources, 0)
    detail = {
        **_brought(recording.parts, admission.sources, admission.media_roots),
        "messages": len(admission.messages),
        "products": len(admission.products),
        "events": len(admission.events),
        "content_digest": content_digest(recording, admission.messages, admission.products, admission.events),
        "rows": _claims(connection, recording.id, _OF_RECORDING),
    }
    entry = custody.append(connection, actor, "admit", recording.id, detail)
    await_stamp(connection, "admission", recording.id, entry.digest, entry.at)


def write_extension(connection: Connection, custody: CustodyLog, extension: Extension, actor: str) -> Recording:
    """Let a recording grow; as it then stands. Entry `extend`: the new parts, sources and clocks, the gaps, length and digest of the whole.

    NotFound if it isn't held any more; GrownMeanwhile if it isn't as the extension saw it, in which case nothing is written.
    """
    recording_id = extension.based_on.id
    custody.queue(connection)
    _must_stand_as_seen(connection, extension)
    _insert_parts(connection, recording_id, extension.parts)
    _insert_messages(connection, recording_id, extension.messages, _highest_message(connection, recording_id))
    _insert_shelf(connection, recording_id, extension.products, extension.events)
    _insert_sources(connection, recording_id, extension.sources, extension.sources_before)
    changed: list[Table] = []
    if extension.gaps != extension.based_on.gaps:
        connection.execute(delete(gaps).where(gaps.c.recording_id == recording_id))
        _insert_gaps(connection, recording_id, extension.gaps)
        changed.append(gaps)
    now_is = {"duration_ms": extension.duration_ms, "live": extension.live or None}
    connection.execute(update(recordings).where(recordings.c.id == recording_id).values(now_is))
    changed += [parts, clock_maps] if extension.parts else []
    changed += [
        table
        for table, rows in (
            (sources, extension.sources),
            (messages, extension.messages),
            (products, extension.products),
            (product_events, extension.events),
        )
        if rows
    ]
    grown = recording_held(connection, recording_id)
    if grown is None:
        raise NotFound(f"recording {recording_id} is not held any more")
    chat, shelf = messages_brought(connection, recording_id), products_held(connection, recording_id)
    detail: dict[str, Json] = {
        **_brought(extension.parts, extension.sources, extension.media_roots),
        "messages": len(extension.messages),
        "products": len(extension.products),
        "events": len(extension.events),
        "gaps": [gap_json(gap) for gap in extension.gaps],
        "duration_ms": extension.duration_ms,
        "live": extension.live,
        "content_digest": content_digest(grown, chat, shelf, events_held(connection, recording_id)),
        "rows": _claims(connection, recording_id, changed),
    }
    entry = custody.append(connection, actor, "extend", recording_id, detail)
    await_stamp(connection, "admission", recording_id, entry.digest, entry.at)
    return grown


def sources_json(held: tuple[Source, ...] | list[Source]) -> list[Json]:
    """Source files as the custody log holds them."""
    return [{"role": s.role, "digest": s.digest, "bytes": s.size_bytes, "file": s.file_name} for s in held]


def _must_stand_as_seen(connection: Connection, extension: Extension) -> None:
    seen = extension.based_on
    now = recording_held(connection, seen.id)
    if now is None:
        raise NotFound(f"recording {seen.id} is not held any more: it was purged meanwhile")
    same = [part.digest for part in now.parts] == [part.digest for part in seen.parts]
    same = same and (now.gaps, now.duration_ms, now.live) == (seen.gaps, seen.duration_ms, seen.live)
    same = same and len(sources_held(connection, seen.id)) == extension.sources_before
    taken = (extension.products and products_held(connection, seen.id)) or (extension.events and events_held(connection, seen.id))
    if not same or taken:
        raise GrownMeanwhile(f"recording {seen.id} grew meanwhile by what another process brought: nothing was written, bring it again")


def _highest_message(connection: Connection, recording_id: str) -> int:
    return connection.execute(select(func.max(messages.c.number)).where(messages.c.recording_id == recording_id)).scalar() or 0


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


def _insert_parts(connection: Connection, recording_id: str, new: tuple[Part, ...]) -> None:
    for part in new:
        connection.execute(insert(parts).values(recording_id=recording_id, **part_json(part)))
        connection.execute(
            insert(clock_maps).values(
                recording_id=recording_id,
                part=part.number,
                version=part.clock.version,
                starts_at_ms=part.clock.starts_at_ms,
                wall_start_ms=part.clock.wall_start.epoch_ms if part.clock.wall_start else None,
                uncertainty_ms=part.clock.uncertainty_ms,
                method=part.clock.method,
                pieces=pieces_json(part.clock) or null(),
                basis=dict(part.clock.basis) if part.clock.basis else null(),
            )
        )


def _insert_gaps(connection: Connection, recording_id: str, missing: tuple[Gap, ...]) -> None:
    _insert(connection, gaps, recording_id, [gap_json(gap) for gap in missing])


def _insert_messages(connection: Connection, recording_id: str, new: tuple[Message, ...], before: int) -> None:
    rows: list[dict[str, Json]] = [
        {"number": n, **message_json(m), "source_number": m.source_number, "order_id": m.order_id} for n, m in enumerate(new, before + 1)
    ]
    _insert(connection, messages, recording_id, rows)


def _insert_shelf(connection: Connection, recording_id: str, shelf: tuple[Product, ...], on_air: tuple[ProductEvent, ...]) -> None:
    _insert(connection, products, recording_id, [{"position": n, **product_json(p)} for n, p in enumerate(shelf, 1)])
    _insert(connection, product_events, recording_id, [{"number": n, **event_json(e)} for n, e in enumerate(on_air, 1)])


def _insert_sources(connection: Connection, recording_id: str, new: tuple[Source, ...], before: int) -> None:
    rows: list[dict[str, Json]] = [
        {"number": n, "role": s.role, "digest": s.digest, "size_bytes": s.size_bytes, "file_name": s.file_name}
        for n, s in enumerate(new, before + 1)
    ]
    _insert(connection, sources, recording_id, rows)


def _insert(connection: Connection, table: Table, recording_id: str, rows: list[dict[str, Json]]) -> None:
    if rows:
        connection.execute(insert(table), [{"recording_id": recording_id, **row} for row in rows])


def _brought(new: tuple[Part, ...], files: tuple[Source, ...], roots: Mapping[int, MediaRoot]) -> dict[str, Json]:
    return {
        "parts": [_logged_part(part, roots.get(part.number)) for part in new],
        "sources": sources_json(files),
        "clocks": clocks_json(new),
    }


def _logged_part(part: Part, media: MediaRoot | None) -> dict[str, Json]:
    logged: dict[str, Json] = {"number": part.number, "digest": part.digest, "bytes": part.size_bytes, "file": part.file_name}
    return logged if media is None else {**logged, "media_root": media.root, "leaves": media.leaves}


def _claims(connection: Connection, recording_id: str, changed: tuple[Table, ...] | list[Table]) -> list[Json]:
    return [claim(connection, recordings, id=recording_id), *(claim(connection, table, recording_id=recording_id) for table in changed)]
