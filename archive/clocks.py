"""How a recording's clocks were estimated, again and again: every version of its clock maps and of its chat's shifts stays (G2, G7).

A further estimate is a further version with its custody entry `clock`; the newest one holds. Neither the media's place on the recording's
time line nor a message's raw time is ever touched: what changes is only what the wall clock is believed to have been, and where a chat
file lies beside the speech.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from sqlalchemy import Connection, RowMapping, insert, null, select

from archive.catalog_json import pieces_json
from archive.catalog_rows import clock_of
from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json, canonical_json
from archive.errors import InvalidClock, NotFound
from archive.row_claims import claim
from archive.schema import clock_maps, parts, recordings, source_clocks, sources
from archive.timeline import Clock, ClockMap, WallTime

DAY_MS = 24 * 3_600_000
PIECES_MAX = 500
RATE_PPM_MAX = 50_000
UNCERTAINTY_MAX_MS = 7 * DAY_MS
SHIFT_MAX_MS = 7 * DAY_MS
VERSIONS_MAX = 1_000
BASIS_MAX_BYTES = 1 << 20
EARLIEST = WallTime.parse("2005-01-01T00:00:00Z")
"""Nobody streamed live before."""


@dataclass(frozen=True, slots=True)
class ClockVersion:
    """One estimate of a part's clock. `basis`: what it rests on, {} for the one that the admission made; `made_at` None there."""

    part: int
    clock: ClockMap
    basis: Mapping[str, Json]
    made_at: WallTime | None


@dataclass(frozen=True, slots=True)
class ChatShift:
    """One estimate of how far a chat file lies from the speech: `shift_ms` is added to its messages' times as admitted.

    `source` is the file's number among the recording's sources. `basis` may hold {"start_unknown": {"was_ms", "now_ms"}}: messages whose
    uncertainty is `was_ms` had it because nothing told where the file began, and have `now_ms` now that it is measured.
    """

    source: int
    version: int
    shift_ms: int
    uncertainty_ms: int
    method: str
    basis: Mapping[str, Json]
    made_at: WallTime

    def uncertainty_of(self, own_ms: int) -> int:
        """Half-width of a message's time once shifted, from the one it was admitted with."""
        unknown = self.basis.get("start_unknown")
        if isinstance(unknown, Mapping) and own_ms == unknown.get("was_ms"):
            now_ms = unknown.get("now_ms")
            own_ms = now_ms if isinstance(now_ms, int) else own_ms
        return own_ms + self.uncertainty_ms


class ClockCatalog:
    """Reads and adds versions of clock maps and of chat shifts."""

    def __init__(self, database: Database, custody: CustodyLog, clock: Clock) -> None:
        self._database = database
        self._custody = custody
        self._clock = clock

    def maps(self, recording_id: str) -> list[ClockVersion]:
        """Every clock map of a recording, by part and version."""
        query = select(clock_maps).where(clock_maps.c.recording_id == recording_id).order_by(clock_maps.c.part, clock_maps.c.version)
        with self._database.reading() as connection:
            return [_version(row) for row in connection.execute(query).mappings()]

    def shifts(self, recording_id: str) -> list[ChatShift]:
        """Every shift of a recording's chat files, by source and version."""
        query = select(source_clocks).where(source_clocks.c.recording_id == recording_id)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(source_clocks.c.source, source_clocks.c.version)).mappings()
            return [_shift(row) for row in found]

    def add_maps(
        self, recording_id: str, clocks: Mapping[int, ClockMap], basis: Mapping[str, Json], actor: str, expected: int | None = None
    ) -> list[ClockVersion]:
        """Store a further version of the clock of each part named, as one act. Versions are given here; `starts_at_ms` must be as admitted.

        NotFound for an unknown recording or part. InvalidClock for a clock that can't be, or where `expected`, the highest version that the
        estimate was made against, is no longer the highest.
        """
        _check_basis(basis)
        with self._database.writing() as connection:
            self._custody.queue(connection)
            _check_held(connection, recording_id)
            made_at = self._clock()
            newest = _newest_maps(connection, recording_id)
            if expected is not None and max((clock.version for clock in newest.values()), default=0) != expected:
                raise InvalidClock(f"the clock of recording {recording_id} was estimated again meanwhile: look at it and try again")
            lengths = _lengths(connection, recording_id)
            added: list[ClockVersion] = []
            for number, clock in sorted(clocks.items()):
                if number not in newest:
                    raise NotFound(f"recording {recording_id} has no part {number}: it has {len(newest)}")
                check_clock(clock, lengths[number], made_at)
                if clock.starts_at_ms != newest[number].starts_at_ms:
                    raise InvalidClock(f"part {number} lies at {newest[number].starts_at_ms} ms of the recording: that never changes")
                _check_count(newest[number].version)
                further = replace(clock, version=newest[number].version + 1)
                _insert_map(connection, recording_id, number, further, basis, made_at)
                added.append(ClockVersion(number, further, basis, made_at))
            detail: dict[str, Json] = {
                "clocks": [_map_json(version) for version in added],
                "basis": dict(basis),
                "rows": [claim(connection, clock_maps, recording_id=recording_id)],
            }
            self._custody.append(connection, actor, "clock", recording_id, detail)
        return added

    def add_shift(
        self,
        recording_id: str,
        source: int,
        shift_ms: int,
        uncertainty_ms: int,
        method: str,
        basis: Mapping[str, Json],
        actor: str,
    ) -> ChatShift:
        """Store how far a chat file lies from the speech, as a further version. It counts from the times as admitted, not from the shift
        before. NotFound for an unknown recording, or a source that is no chat; InvalidClock for a shift that can't be."""
        _check_basis(basis)
        if abs(shift_ms) > SHIFT_MAX_MS or not 0 <= uncertainty_ms <= UNCERTAINTY_MAX_MS:
            raise InvalidClock(
                f"a shift of {shift_ms} ms ± {uncertainty_ms} ms is more than the {SHIFT_MAX_MS // DAY_MS} days that are allowed"
            )
        with self._database.writing() as connection:
            self._custody.queue(connection)
            _check_held(connection, recording_id)
            chosen = (sources.c.recording_id == recording_id, sources.c.number == source)
            if connection.execute(select(sources.c.role).where(*chosen)).scalar() != "chat":
                raise NotFound(f"source {source} of recording {recording_id} is no chat file")
            same = (source_clocks.c.recording_id == recording_id, source_clocks.c.source == source)
            versions = connection.execute(select(source_clocks.c.version).where(*same)).scalars().all()
            _check_count(max(versions, default=0))
            shift = ChatShift(source, max(versions, default=0) + 1, shift_ms, uncertainty_ms, method, basis, self._clock())
            connection.execute(
                insert(source_clocks).values(
                    recording_id=recording_id,
                    source=source,
                    version=shift.version,
                    shift_ms=shift_ms,
                    uncertainty_ms=uncertainty_ms,
                    method=method,
                    basis=dict(basis),
                    made_at_ms=shift.made_at.epoch_ms,
                )
            )
            detail: dict[str, Json] = {
                "shift": {
                    "source": source,
                    "version": shift.version,
                    "shift_ms": shift_ms,
                    "uncertainty_ms": uncertainty_ms,
                    "method": method,
                },
                "basis": dict(basis),
                "rows": [claim(connection, source_clocks, recording_id=recording_id)],
            }
            self._custody.append(connection, actor, "clock", recording_id, detail)
        return shift


def newest_shifts(connection: Connection, recording_id: str) -> dict[int, ChatShift]:
    """The shift that holds for each chat file that has one, by its number among the recording's sources."""
    query = select(source_clocks).where(source_clocks.c.recording_id == recording_id).order_by(source_clocks.c.version)
    return {row["source"]: _shift(row) for row in connection.execute(query).mappings()}


def only_chat(connection: Connection, recording_id: str) -> int | None:
    """The number of the recording's only chat file, None where it has none or several."""
    query = select(sources.c.number).where(sources.c.recording_id == recording_id, sources.c.role == "chat").limit(2)
    found = connection.execute(query).scalars().all()
    return found[0] if len(found) == 1 else None


def check_clock(clock: ClockMap, duration_ms: int, now: WallTime) -> None:
    """InvalidClock for a map that can't be true: pieces out of order or not from 0, a clock that runs back or much too fast, times in
    which nobody streamed live or that are still to come."""
    if not 0 <= clock.uncertainty_ms <= UNCERTAINTY_MAX_MS:
        raise InvalidClock(f"an uncertainty of {clock.uncertainty_ms} ms can't be: give 0 to {UNCERTAINTY_MAX_MS}")
    pieces = clock.pieces
    if len(pieces) > PIECES_MAX:
        raise InvalidClock(f"{len(pieces)} pieces of one part's clock are more than the {PIECES_MAX} that are allowed")
    if pieces and pieces[0].media_from_ms != 0:
        raise InvalidClock("the first piece of a clock begins at media time 0")
    for piece in pieces:
        if abs(piece.rate_ppm) > RATE_PPM_MAX:
            raise InvalidClock(f"a clock that is {piece.rate_ppm / 10_000:+.1f} % fast can't be: {RATE_PPM_MAX // 10_000} % is the most")
        if not 0 <= piece.uncertainty_ms <= UNCERTAINTY_MAX_MS or piece.residual_ms < 0:
            raise InvalidClock(f"an uncertainty of {piece.uncertainty_ms} ms can't be: give 0 to {UNCERTAINTY_MAX_MS}")
    for before, after in pairwise(pieces):
        if after.media_from_ms <= before.media_from_ms:
            raise InvalidClock("the pieces of a clock follow each other in media time")
        if after.wall < before.wall:
            raise InvalidClock("the pieces of a clock follow each other in wall time: it can't run back")
    for wall in (clock.to_wall(clock.starts_at_ms), clock.to_wall(clock.starts_at_ms + duration_ms)):
        if wall is not None and not EARLIEST <= wall <= now.plus_ms(DAY_MS):
            raise InvalidClock(f"{_shown(wall)} can't be when it was on air: it lies before {EARLIEST.iso()[:4]} or in the future")


def _shown(wall: WallTime) -> str:
    return wall.iso() if 0 <= wall.epoch_ms < 253_402_300_800_000 else f"{wall.epoch_ms} ms"


def _check_basis(basis: Mapping[str, Json]) -> None:
    size = len(canonical_json(dict(basis)))
    if size > BASIS_MAX_BYTES:
        raise InvalidClock(f"what a clock rests on may take {BASIS_MAX_BYTES} bytes, this takes {size}")


def _check_count(version: int) -> None:
    if version >= VERSIONS_MAX:
        raise InvalidClock(f"{VERSIONS_MAX} estimates are the most that one clock may have")


def _check_held(connection: Connection, recording_id: str) -> None:
    if connection.execute(select(recordings.c.id).where(recordings.c.id == recording_id)).first() is None:
        raise NotFound(f"no recording {recording_id} is held: liveproof status lists those that are")


def _newest_maps(connection: Connection, recording_id: str) -> dict[int, ClockMap]:
    query = select(clock_maps).where(clock_maps.c.recording_id == recording_id).order_by(clock_maps.c.version)
    return {row["part"]: _version(row).clock for row in connection.execute(query).mappings()}


def _lengths(connection: Connection, recording_id: str) -> dict[int, int]:
    query = select(parts.c.number, parts.c.duration_ms).where(parts.c.recording_id == recording_id)
    return {row.number: row.duration_ms for row in connection.execute(query)}


def _insert_map(
    connection: Connection, recording_id: str, part: int, clock: ClockMap, basis: Mapping[str, Json], made_at: WallTime
) -> None:
    connection.execute(
        insert(clock_maps).values(
            recording_id=recording_id,
            part=part,
            version=clock.version,
            starts_at_ms=clock.starts_at_ms,
            wall_start_ms=clock.wall_start.epoch_ms if clock.wall_start else None,
            uncertainty_ms=clock.uncertainty_ms,
            method=clock.method,
            pieces=pieces_json(clock) or null(),
            basis=dict(basis),
            made_at_ms=made_at.epoch_ms,
        )
    )


def _map_json(version: ClockVersion) -> dict[str, Json]:
    clock = version.clock
    return {
        "part": version.part,
        "version": clock.version,
        "wall_start_ms": clock.wall_start.epoch_ms if clock.wall_start else None,
        "uncertainty_ms": clock.uncertainty_ms,
        "method": clock.method,
        "pieces": pieces_json(clock),
    }


def _version(row: RowMapping) -> ClockVersion:
    made_at = None if row["made_at_ms"] is None else WallTime(row["made_at_ms"])
    return ClockVersion(row["part"], clock_of(row), row["basis"] or {}, made_at)


def _shift(row: RowMapping) -> ChatShift:
    return ChatShift(
        row["source"],
        row["version"],
        row["shift_ms"],
        row["uncertainty_ms"],
        row["method"],
        row["basis"],
        WallTime(row["made_at_ms"]),
    )
