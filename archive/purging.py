"""Purges: recordings and cases whose retention has ended go, with their rows and objects; a tombstone and the custody entry stay.

A case and the recordings that it rests on go together or not at all. What is under a hold, under a lock of the store or still to be kept
goes by nobody's will. Rows go first, in one transaction with tombstone and entry, then objects; a crash between the two leaves objects
that no one names, which the next purge removes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import structlog
from sqlalchemy import ColumnElement, Connection, RowMapping, Table, delete, insert, select, update

from archive import holdings, schema
from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json, digest_json
from archive.errors import Locked, NotFound, PlanChanged
from archive.holdings import Kind
from archive.holds import Holds
from archive.object_store import ObjectLock, ObjectStore
from archive.row_claims import claim
from archive.schema import tombstones
from archive.timeline import Clock, WallTime

Subject: TypeAlias = tuple[Kind, str]
Why: TypeAlias = Literal["retention", "hold", "lock", "live", "case", "recording"]

# Children before parents; rows that hang on an id of their own go with that.
RECORDING_TABLES: tuple[Table, ...] = (
    schema.product_events,
    schema.products,
    schema.messages,
    schema.source_clocks,
    schema.sources,
    schema.gaps,
    schema.media_checks,
    schema.clock_maps,
    schema.parts,
)
OF_AN_ID: dict[Kind, tuple[tuple[Table, Table], ...]] = {
    "recording": ((schema.segments, schema.transcripts), (schema.screen_texts, schema.screen_readings)),
    "case": ((schema.record_texts, schema.record_readings),),
}
CASE_TABLES: tuple[Table, ...] = (schema.reveals, schema.case_steps, schema.case_attachments, schema.packages, schema.case_moments)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PurgeItem:
    """A recording or case that would go. `shared` are those of its objects that stay because something else names them."""

    kind: Kind
    subject: str
    until: WallTime
    digests: tuple[str, ...]
    shared: tuple[str, ...]
    size_bytes: int

    def as_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "subject": self.subject,
            "until": self.until.iso(),
            "digests": list(self.digests),
            "shared": list(self.shared),
            "bytes": self.size_bytes,
        }


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording or case that stays, and why: its retention still runs, a hold, a lock of the store, a room that is still live, or a case
    or recording that stays.

    `by` names the hold, case or recording; `until` when a retention or lock ends.
    """

    kind: Kind
    subject: str
    why: Why
    by: str | None
    until: WallTime | None

    def as_json(self) -> dict[str, Json]:
        until = self.until.iso() if self.until else None
        return {"kind": self.kind, "subject": self.subject, "why": self.why, "by": self.by, "until": until}


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """What a purge would do. `unfinished`: objects of earlier purges that are still in the store. `digest` stands for all that would go."""

    at: WallTime
    items: tuple[PurgeItem, ...]
    kept: tuple[Kept, ...]
    unfinished: tuple[str, ...]

    @property
    def digest(self) -> str:
        going: list[Json] = [item.as_json() for item in self.items]
        return digest_json({"items": going, "unfinished": list(self.unfinished)})

    def as_json(self) -> dict[str, Json]:
        return {
            "at": self.at.iso(),
            "digest": self.digest,
            "items": [item.as_json() for item in self.items],
            "kept": [kept.as_json() for kept in self.kept],
            "unfinished": list(self.unfinished),
        }


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge did: the subjects that went, the objects removed, and those that a lock keeps until a later purge."""

    items: tuple[PurgeItem, ...]
    removed: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What stays of a purged recording or case. `objects_gone_at` is None while objects of it are still to be removed."""

    kind: Kind
    subject: str
    purged_at: WallTime
    actor: str
    reason: str
    basis: Mapping[str, Json]
    digests: tuple[str, ...]
    objects_gone_at: WallTime | None

    def as_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "subject": self.subject,
            "purged_at": self.purged_at.iso(),
            "actor": self.actor,
            "reason": self.reason,
            "basis": self.basis,
            "digests": list(self.digests),
            "objects_gone_at": self.objects_gone_at.iso() if self.objects_gone_at else None,
        }


class Ends(Protocol):
    """What tells when a retention ends: an end before `now` is exact, one after it may be still later."""

    def ends(self, connection: Connection, kind: Kind, subject: str, now: WallTime) -> WallTime: ...


class Purging:
    """Plans and carries out purges."""

    def __init__(
        self, database: Database, custody: CustodyLog, store: ObjectStore, holds: Holds, retention: Ends, home: Path, clock: Clock
    ) -> None:
        self._database = database
        self._custody = custody
        self._store = store
        self._holds = holds
        self._retention = retention
        self._home = home
        self._clock = clock

    def plan(self, now: WallTime) -> PurgePlan:
        """What would go at `now`. The store is asked for the locks of everything whose time has come."""
        with self._database.reading() as connection:
            items, kept = self._sift(connection, now, ask_store=True)
            unfinished = {digest for stone in self._open(connection) for digest in self._still_there(connection, stone)}
        return PurgePlan(now, tuple(items), tuple(kept), tuple(sorted(unfinished)))

    def purge(self, plan: PurgePlan, actor: str, reason: str) -> Purged:
        """Always judged by the archive's clock, whatever `plan.at` says."""
        now = self._clock()
        present = self.plan(now)
        if present.digest != plan.digest:
            raise _changed(plan, present.digest)
        with self._database.writing() as connection:
            # Holds, moments and admissions are logged, so while this has the log's turn none can come between the look and the deed.
            self._custody.queue(connection)
            free = {(i.kind, i.subject, i.until, i.digests) for i in self._sift(connection, now, ask_store=False)[0]}
            if not {(i.kind, i.subject, i.until, i.digests) for i in present.items} <= free:
                raise _changed(plan, "not the one before")
            for item in sorted(present.items, key=lambda item: item.kind):  # a case before the recordings that its moments name
                self._bury(connection, item, now, actor, reason)
        removed, left = self._remove_objects(actor)
        return Purged(present.items, removed, left)

    def tombstones(self) -> list[Tombstone]:
        with self._database.reading() as connection:
            return [_tombstone(row) for row in connection.execute(_TOMBSTONES).mappings()]

    def _sift(self, connection: Connection, now: WallTime, ask_store: bool) -> tuple[list[PurgeItem], list[Kept]]:
        """What may go and what stays. Without the store's word, more may seem to go than does."""
        subjects: list[Subject] = [("case", each) for each in holdings.ids(connection, "case")]
        subjects += [("recording", each) for each in holdings.ids(connection, "recording")]
        ends: dict[Subject, WallTime] = {}
        kept: dict[Subject, Kept] = {}
        for kind, subject in subjects:
            ends[kind, subject] = self._retention.ends(connection, kind, subject, now)
            if standing := self._holds.on(connection, kind, subject) or self._holds_logged(kind, subject):
                kept[kind, subject] = Kept(kind, subject, "hold", standing[0], None)
            elif ends[kind, subject] > now:
                kept[kind, subject] = Kept(kind, subject, "retention", None, ends[kind, subject])
            elif kind == "recording" and holdings.is_live(connection, subject):
                kept[kind, subject] = Kept(kind, subject, "live", None, None)
        links = [(case_id, each) for kind, case_id in subjects if kind == "case" for each in holdings.recordings_of(connection, case_id)]
        bound: dict[str, ObjectLock | None] = {}
        while True:
            _keep_together(links, kept)
            items = self._items(connection, [each for each in subjects if each not in kept], ends)
            locked = self._locked(items, now, bound) if ask_store else []
            if not locked:
                return items, [kept[each] for each in subjects if each in kept]
            kept.update({(each.kind, each.subject): each for each in locked})

    def _items(self, connection: Connection, going: Sequence[Subject], ends: Mapping[Subject, WallTime]) -> list[PurgeItem]:
        items = []
        for kind, subject in going:
            objects = holdings.objects_of(connection, kind, subject)
            shared = holdings.named_elsewhere(connection, objects, going)
            size = sum(objects[digest] for digest in objects if digest not in shared)
            items.append(PurgeItem(kind, subject, ends[kind, subject], tuple(sorted(objects)), tuple(sorted(shared)), size))
        return items

    def _locked(self, items: Sequence[PurgeItem], now: WallTime, bound: dict[str, ObjectLock | None]) -> list[Kept]:
        """Those of `items` with an object that would go and that the store locks. `bound` remembers what the store said."""
        found = []
        for item in items:
            for digest in sorted(set(item.digests) - set(item.shared)):
                if digest not in bound:
                    try:
                        lock = self._store.retention(digest)
                        bound[digest] = lock if lock.binds(now) else None
                    except NotFound:
                        bound[digest] = None
                if (binding := bound[digest]) is not None:
                    found.append(Kept(item.kind, item.subject, "lock", digest, binding.until))
                    break
        return found

    def _holds_logged(self, kind: Kind, subject: str) -> list[str]:
        """Holds on the subject itself that the custody log knows as placed and not released, whatever became of their rows."""
        standing: set[str] = set()
        for entry in self._custody.entries([subject]):
            if entry.action in ("hold.place", "hold.release"):
                detail = json.loads(entry.detail)
                if detail.get("kind") == kind:
                    (standing.add if entry.action == "hold.place" else standing.discard)(str(detail.get("hold")))
        return sorted(standing)

    def _bury(self, connection: Connection, item: PurgeItem, now: WallTime, actor: str, reason: str) -> None:
        """Take the rows away, leave the tombstone, log both."""
        scopes = self._claimed(item)
        tables, itself, named = (
            (RECORDING_TABLES, schema.recordings, "recording_id") if item.kind == "recording" else (CASE_TABLES, schema.cases, "case_id")
        )
        for children, parents in OF_AN_ID[item.kind]:
            held = select(parents.c.id).where(parents.c[named] == item.subject)
            connection.execute(delete(children).where(_parent_of(children).in_(held)))
            connection.execute(delete(parents).where(parents.c[named] == item.subject))
        for table in tables:
            connection.execute(delete(table).where(table.c[named] == item.subject))
        connection.execute(delete(itself).where(itself.c.id == item.subject))
        basis: dict[str, Json] = {"until": item.until.iso(), "shared": list(item.shared)}
        key: dict[str, str | int] = {"subject_kind": item.kind, "subject": item.subject, "purged_at_ms": now.epoch_ms}
        connection.execute(insert(tombstones).values(**key, actor=actor, reason=reason, basis=basis, digests=list(item.digests)))
        rows = [claim(connection, schema.metadata.tables[name], **dict(of)) for name, of in scopes]
        detail: dict[str, Json] = {"kind": item.kind, "reason": reason, "until": item.until.iso(), "digests": list(item.digests)}
        self._custody.append(connection, actor, "purge", item.subject, {**detail, "rows": [*rows, claim(connection, tombstones, **key)]})

    def _claimed(self, item: PurgeItem) -> list[tuple[str, tuple[tuple[str, str | int], ...]]]:
        """(table, which rows) of every claim that the log makes about the subject's rows: each is now to claim that there are none."""
        of_subject = {table.name for table in (RECORDING_TABLES if item.kind == "recording" else CASE_TABLES)}
        of_subject |= {table.name for pair in OF_AN_ID[item.kind] for table in pair} | {f"{item.kind}s"}
        found: dict[tuple[str, tuple[tuple[str, str | int], ...]], None] = {}
        for entry in self._custody.entries([item.subject]):
            claimed = json.loads(entry.detail).get("rows")
            for each in claimed if isinstance(claimed, list) else ():
                if isinstance(each, dict) and each["table"] in of_subject:
                    found[each["table"], tuple(sorted(each["of"].items()))] = None
        return list(found)

    def _open(self, connection: Connection) -> list[Tombstone]:
        return [_tombstone(row) for row in connection.execute(_TOMBSTONES.where(tombstones.c.objects_gone_at_ms.is_(None))).mappings()]

    def _still_there(self, connection: Connection, stone: Tombstone) -> list[str]:
        """Objects of a tombstone that the store has and nothing names any more."""
        named = holdings.named_elsewhere(connection, stone.digests)
        return [digest for digest in stone.digests if digest not in named and self._store.has(digest)]

    def _remove_objects(self, actor: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Remove the objects of all tombstones that have some left; what was removed, and what a lock keeps."""
        removed: list[str] = []
        left: list[str] = []
        with self._database.reading() as connection:
            waiting = self._open(connection)
        for stone in waiting:
            with self._database.reading() as connection:
                there = self._still_there(connection, stone)
            for digest in there:
                try:
                    self._store.remove(digest)
                    removed.append(digest)
                except Locked as error:
                    log.warning("purge.object_left", object=digest, reason=str(error))
                    left.append(digest)
            if not set(there) & set(left):
                self._forget_derived(stone)
                self._close(stone, actor)
        return tuple(removed), tuple(left)

    def _forget_derived(self, stone: Tombstone) -> None:
        """Remove what was made from the objects and kept in the home."""
        for digest in stone.digests:
            name = digest.removeprefix("sha256:")
            for folder in ("derived/media-proofs", "derived/joined-times", "renditions", "scratch"):
                for file in (self._home / folder).glob(f"{name}.*"):
                    file.unlink(missing_ok=True)

    def _close(self, stone: Tombstone, actor: str) -> None:
        key: dict[str, str | int] = {"subject_kind": stone.kind, "subject": stone.subject, "purged_at_ms": stone.purged_at.epoch_ms}
        with self._database.writing() as connection:
            self._custody.queue(connection)
            change = update(tombstones).values(objects_gone_at_ms=self._clock().epoch_ms)
            for name, value in key.items():
                change = change.where(tombstones.c[name] == value)
            if connection.execute(change.where(tombstones.c.objects_gone_at_ms.is_(None))).rowcount:
                detail: dict[str, Json] = {"kind": stone.kind, "rows": [claim(connection, tombstones, **key)]}
                self._custody.append(connection, actor, "purge.objects", stone.subject, detail)


def _keep_together(links: Sequence[tuple[str, str]], kept: dict[Subject, Kept]) -> None:
    """Add to `kept` the recordings of cases that stay, and the cases on recordings that stay, until nothing changes."""
    changed = True
    while changed:
        changed = False
        for case_id, recording_id in links:
            case: Subject = ("case", case_id)
            recording: Subject = ("recording", recording_id)
            if case in kept and recording not in kept:
                kept[recording] = Kept("recording", recording_id, "case", case_id, kept[case].until)
                changed = True
            elif recording in kept and case not in kept:
                kept[case] = Kept("case", case_id, "recording", recording_id, kept[recording].until)
                changed = True


def _changed(plan: PurgePlan, now: str) -> PlanChanged:
    return PlanChanged(f"what a purge would remove is no longer what the plan {plan.digest} shows ({now}): look at a new plan first")


_TOMBSTONES = select(tombstones).order_by(tombstones.c.purged_at_ms, tombstones.c.subject_kind, tombstones.c.subject)


def _tombstone(row: RowMapping) -> Tombstone:
    gone = row["objects_gone_at_ms"]
    return Tombstone(
        row["subject_kind"],
        row["subject"],
        WallTime(row["purged_at_ms"]),
        row["actor"],
        row["reason"],
        row["basis"],
        tuple(row["digests"]),
        None if gone is None else WallTime(gone),
    )


def _parent_of(children: Table) -> ColumnElement[int]:
    """The column of a table of children that names their parent's id."""
    return next(column for column in children.c if column.foreign_keys)
