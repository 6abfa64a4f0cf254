"""How long everything is kept: `retain_until` = max(stream end, last linked order) + 3 years, or longer where a rule asks for more.

A computation is a version of its own, logged, and none is earlier than the one before. The store's objects are locked until then; on an
S3 server with object lock no one can undo that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy import Connection, func, insert, select

from archive import holdings
from archive.atomic_write import write_bytes_whole
from archive.catalog import Catalog
from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json
from archive.errors import InvalidTime, LiveProofError, NotFound
from archive.holdings import Kind
from archive.holds import Hold, Holds
from archive.object_store import ObjectStore
from archive.purging import Purged, PurgePlan, Purging, Tombstone
from archive.recording import Recording
from archive.retention_rules import BEIJING, Anchor, Rule, longest
from archive.row_claims import claim
from archive.schema import case_attachments, case_steps, cases, custody_entries, packages, retentions
from archive.timeline import Clock, WallTime

DAY_MS = 24 * 3600_000
FIRST_LOCK_MS = 7 * DAY_MS
REFRESHED_IN = "retention-refreshed"
ORDER_FIELDS = ("paid_at", "completed_at")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """When a retention ends and what it rests on: each rule that applies, with law, article and effective date, and what it counts from."""

    until: WallTime
    basis: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class RetentionVersion:
    """One computation that was recorded for a recording."""

    recording_id: str
    version: int
    until: WallTime
    basis: tuple[Json, ...]
    set_at: WallTime


class Retention:
    """Retention, holds and purges of one archive."""

    def __init__(
        self,
        database: Database,
        custody: CustodyLog,
        catalog: Catalog,
        store: ObjectStore,
        rules: Sequence[Rule],
        home: Path,
        clock: Clock,
    ) -> None:
        self._database = database
        self._custody = custody
        self._catalog = catalog
        self._store = store
        self._clock = clock
        self._home = home
        self.rules = tuple(rules)
        self._holds = Holds(database, custody, store, clock)
        self._purging = Purging(database, custody, store, self._holds, self, home, clock)

    def first_lock(self) -> WallTime:
        """Until when an object is locked as it is written, before anything is known of what it belongs to: a week from now."""
        return self._clock().plus_ms(FIRST_LOCK_MS)

    def until(self, recording_id: str) -> WallTime:
        """When the recording's retention ends: as recorded, or as it would be now, whichever is later. NotFound if it isn't held."""
        with self._database.reading() as connection:
            return self.ends(connection, "recording", recording_id)

    def due(self, kind: Kind, subject: str) -> Due:
        """What the rules ask for now. NotFound if the recording or case isn't held."""
        with self._database.reading() as connection:
            return self._due(connection, kind, subject)

    def versions(self, recording_id: str) -> list[RetentionVersion]:
        """Every computation recorded, oldest first; those of purged recordings stay."""
        query = select(retentions).where(retentions.c.recording_id == recording_id).order_by(retentions.c.version)
        with self._database.reading() as connection:
            return [
                RetentionVersion(r["recording_id"], r["version"], WallTime(r["until_ms"]), tuple(r["basis"]), WallTime(r["set_at_ms"]))
                for r in connection.execute(query).mappings()
            ]

    def refresh(self, recording_id: str, actor: str) -> WallTime:
        """Compute a recording's retention anew, record it if it is later, and lock its objects and those of its cases. Can be repeated.

        NotFound if it isn't held; StoreUnavailable where the store doesn't answer: then run it again.
        """
        # Locked before it is recorded: whoever is killed in between leaves nothing recorded that isn't locked.
        with self._database.reading() as connection:
            locked = self._due(connection, "recording", recording_id).until
        self._lock("recording", recording_id, locked)
        with self._database.writing() as connection:
            self._custody.queue(connection)
            due = self._due(connection, "recording", recording_id)
            version, recorded = self._recorded(connection, recording_id)
            until = due.until
            if recorded is not None and recorded >= due.until:
                until = recorded
            else:
                self._record(connection, recording_id, version + 1, due, actor)
        if until > locked:
            self._lock("recording", recording_id, until)
        with self._database.reading() as connection:
            on_it = holdings.cases_on(connection, recording_id)
        for case_id in on_it:
            self._lock_case(case_id)
        return until

    def refresh_case(self, case_id: str, actor: str) -> WallTime:
        """Refresh every recording of a case, whose order or moments may have changed, and lock its papers; until when those are locked."""
        with self._database.reading() as connection:
            resting_on = holdings.recordings_of(connection, case_id)
        for recording_id in resting_on:
            self.refresh(recording_id, actor)
        return self._lock_case(case_id)

    def refresh_all(self, actor: str) -> int:
        """Refresh everything held; how many recordings. What a crash or an unreachable store left unlocked is locked now."""
        with self._database.reading() as connection:
            held, opened = holdings.ids(connection, "recording"), holdings.ids(connection, "case")
        for recording_id in held:
            self.refresh(recording_id, actor)
        for case_id in opened:
            self._lock_case(case_id)
        return len(held)

    def secure(self, kind: Kind, subject: str, actor: str) -> None:
        """Refresh after something was committed, which stands whatever happens here: what hinders it is logged, and the daily refresh
        does it. Until then the first lock holds."""
        try:
            if kind == "recording":
                self.refresh(subject, actor)
            else:
                self.refresh_case(subject, actor)
        except LiveProofError as error:
            log.error("retention.not_refreshed", kind=kind, subject=subject, error=str(error))

    def refresh_if_due(self, actor: str) -> bool:
        """`refresh_all` once a day, over restarts; whether it was done now."""
        place, now = self._home / REFRESHED_IN, self._clock()
        try:
            age = now.epoch_ms - int(place.read_text("ascii"))
        except (OSError, ValueError):
            age = DAY_MS
        if 0 <= age < DAY_MS:
            return False
        self.refresh_all(actor)
        write_bytes_whole(place, str(now.epoch_ms).encode("ascii"))
        return True

    def place_hold(self, kind: Kind, subject: str, reason: str, actor: str) -> Hold:
        """Hold a recording, or a case with its recordings, attachments and packages. NotFound, InvalidHold."""
        return self._holds.place(kind, subject, reason, actor)

    def release_hold(self, hold_id: str, reason: str, actor: str) -> Hold:
        """Release a hold. NotFound, InvalidHold."""
        return self._holds.release(hold_id, reason, actor)

    def holds(self, *, released: bool = False) -> list[Hold]:
        """Holds that stand, oldest first; with `released` also those that don't any more."""
        return self._holds.all(released=released)

    def plan_purge(self, now: WallTime | None = None) -> PurgePlan:
        """What a purge would remove at `now`, and why it would keep the rest. Changes nothing."""
        return self._purging.plan(now or self._clock())

    def purge(self, plan: PurgePlan, actor: str, reason: str = "retention ended") -> Purged:
        """Remove what the plan shows, leaving tombstones. PlanChanged where that is no longer what would be removed now."""
        return self._purging.purge(plan, actor, reason)

    def tombstones(self) -> list[Tombstone]:
        """What was purged, oldest first."""
        return self._purging.tombstones()

    def ends(self, connection: Connection, kind: Kind, subject: str, now: WallTime | None = None) -> WallTime:
        """As `until`, of a recording or a case, in the caller's transaction. Where only what ends before `now` matters, one look at what
        is recorded does for the rest."""
        if kind == "recording":
            recorded = self._recorded(connection, subject)[1]
            if recorded is not None and now is not None and recorded > now:
                return recorded
            due = self._due(connection, kind, subject).until
            return due if recorded is None else max(due, recorded)
        resting_on = [self.ends(connection, "recording", each, now) for each in holdings.recordings_of(connection, subject)]
        return max([self._due(connection, kind, subject).until, *resting_on])

    def _due(self, connection: Connection, kind: Kind, subject: str) -> Due:
        if kind == "recording":
            recording = self._catalog.recording(subject)
            anchors = [_stream_end(recording, self._last_brought(connection, recording))]
            platform = recording.platform
            for case_id in holdings.cases_on(connection, subject):
                anchors += self._orders(connection, case_id)
        else:
            anchors, platform = [self._last_act(connection, subject), *self._orders(connection, subject)], None
        until, basis = longest(self.rules, platform, anchors)
        return Due(until, tuple(basis))

    def _orders(self, connection: Connection, case_id: str) -> list[Anchor]:
        """The times of a case's order. One that can't be read or lies ahead is left out: a lock that it set could never be undone."""
        order = connection.execute(select(cases.c.order).where(cases.c.id == case_id)).scalar()
        latest = self._clock().plus_ms(DAY_MS)
        anchors = []
        for name in ORDER_FIELDS:
            at = _order_time(order.get(name)) if isinstance(order, Mapping) else None
            if at is not None and at <= latest:
                anchors.append(Anchor("order", at, f"{name} of case {case_id}"))
            elif isinstance(order, Mapping) and order.get(name):
                log.warning("retention.order_time_left_out", case=case_id, field=name)
        return anchors

    def _last_act(self, connection: Connection, case_id: str) -> Anchor:
        opened = connection.execute(select(cases.c.opened_at_ms).where(cases.c.id == case_id)).scalar()
        if opened is None:
            raise NotFound(f"there is no case {case_id}: liveproof case list shows those that are open")
        acts = [opened]
        for column, owner in (
            (case_steps.c.at_ms, case_steps.c.case_id),
            (case_attachments.c.added_at_ms, case_attachments.c.case_id),
            (packages.c.built_at_ms, packages.c.case_id),
        ):
            last = connection.execute(select(func.max(column)).where(owner == case_id)).scalar()
            acts.append(last or 0)
        return Anchor("case", WallTime(max(acts)), "last act in the case")

    def _last_brought(self, connection: Connection, recording: Recording) -> WallTime:
        """When the recording was admitted, or last grew."""
        query = select(func.max(custody_entries.c.at_ms)).where(custody_entries.c.subject == recording.id)
        grown = connection.execute(query.where(custody_entries.c.action == "extend")).scalar()
        return max(recording.admitted_at, WallTime(grown or 0))

    def _recorded(self, connection: Connection, recording_id: str) -> tuple[int, WallTime | None]:
        """Newest version and the latest end of all, 0 and None before the first."""
        query = select(func.max(retentions.c.version), func.max(retentions.c.until_ms)).where(retentions.c.recording_id == recording_id)
        version, until_ms = connection.execute(query).one()
        return (version, WallTime(until_ms)) if version else (0, None)

    def _record(self, connection: Connection, recording_id: str, version: int, due: Due, actor: str) -> None:
        connection.execute(
            insert(retentions).values(
                recording_id=recording_id,
                version=version,
                until_ms=due.until.epoch_ms,
                basis=list(due.basis),
                set_at_ms=self._clock().epoch_ms,
            )
        )
        detail: dict[str, Json] = {"version": version, "until": due.until.iso(), "basis": list(due.basis)}
        rows = [claim(connection, retentions, recording_id=recording_id, version=version)]
        self._custody.append(connection, actor, "retain", recording_id, {**detail, "rows": rows})

    def _lock_case(self, case_id: str) -> WallTime:
        """Lock a case's papers until the latest of its recordings; until its own end where it rests on none."""
        with self._database.reading() as connection:
            resting_on = holdings.recordings_of(connection, case_id)
            ends = [self.ends(connection, "recording", each) for each in resting_on] or [self.ends(connection, "case", case_id)]
        self._lock("case", case_id, max(ends))
        return max(ends)

    def _lock(self, kind: Kind, subject: str, until: WallTime) -> None:
        """Lock the subject's objects in the store, and hold those that a standing hold covers."""
        with self._database.reading() as connection:
            digests = holdings.objects_of(connection, kind, subject)
            held = bool(self._holds.on(connection, kind, subject))
        for digest in sorted(digests):
            try:
                if until > self._clock():
                    self._store.retain(digest, until)
                if held:
                    self._store.hold(digest, True)
            except NotFound:
                # Not this method's to mend: verification says that it is missing.
                log.error("retention.object_missing", subject=subject, kind=kind, object=digest)


def _stream_end(recording: Recording, brought: WallTime) -> Anchor:
    """When the stream ended, at the latest that its clocks allow; when the last of it was brought where that is unknown or, by a wrong
    clock, lies after. While it is live that is where it stands."""
    ends = [end.plus_ms(part.clock.uncertainty_at(part.end_ms)) for part in recording.parts if (end := part.clock.to_wall(part.end_ms))]
    if not ends and recording.started_at is not None:
        ends = [recording.started_at.plus_ms(recording.duration_ms)]
    if ends and max(ends) <= brought.plus_ms(DAY_MS):
        return Anchor("stream_end", max(ends), "stream end")
    return Anchor("stream_end", brought, "admission, the end of the stream being unknown")


def _order_time(value: Json) -> WallTime | None:
    """An order's time, in Beijing where it names no zone, as shops export it; None where it can't be read."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        return WallTime.of(moment if moment.tzinfo else moment.replace(tzinfo=BEIJING))
    except (ValueError, OverflowError, InvalidTime):
        return None
