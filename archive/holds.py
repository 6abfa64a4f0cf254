"""Legal holds on recordings and cases: while one stands, nothing that it covers can be purged, whatever its age (G4)."""

from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from archive import holdings
from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json
from archive.errors import InvalidHold, NotFound
from archive.holdings import Kind
from archive.object_store import ObjectStore
from archive.row_claims import claim
from archive.schema import holds
from archive.timeline import Clock, WallTime

REASON_MAX_CHARS = 500


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold, standing while `released_at` is None."""

    id: str
    kind: Kind
    subject: str
    reason: str
    placed_by: str
    placed_at: WallTime
    released_by: str | None = None
    released_at: WallTime | None = None
    release_reason: str | None = None

    def as_json(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "kind": self.kind,
            "subject": self.subject,
            "reason": self.reason,
            "placed_by": self.placed_by,
            "placed_at": self.placed_at.iso(),
            "released_by": self.released_by,
            "released_at": self.released_at.iso() if self.released_at else None,
            "release_reason": self.release_reason,
        }


class Holds:
    """Places and releases holds, with an entry each in the custody log, and passes them on to the store's objects."""

    def __init__(self, database: Database, custody: CustodyLog, store: ObjectStore, clock: Clock) -> None:
        self._database = database
        self._custody = custody
        self._store = store
        self._clock = clock

    def place(self, kind: Kind, subject: str, reason: str, actor: str) -> Hold:
        """Hold a recording or a case. NotFound if it isn't held here, InvalidHold without a reason."""
        _check(reason)
        with self._database.writing() as connection:
            # In the log's turn, so that no purge of the subject is under way between the look and the row.
            self._custody.queue(connection)
            if not holdings.exists(connection, kind, subject):
                raise NotFound(f"no {kind} {subject} is held, so it can't be put under a hold")
            count = connection.execute(select(func.count()).select_from(holds)).scalar_one()
            hold = Hold(f"hold-{count + 1:04}", kind, subject, reason.strip(), actor, self._clock())
            connection.execute(
                insert(holds).values(
                    id=hold.id,
                    subject_kind=kind,
                    subject=subject,
                    reason=hold.reason,
                    placed_by=actor,
                    placed_at_ms=hold.placed_at.epoch_ms,
                )
            )
            detail: dict[str, Json] = {"hold": hold.id, "kind": kind, "reason": hold.reason, "rows": [claim(connection, holds, id=hold.id)]}
            self._custody.append(connection, actor, "hold.place", subject, detail)
            digests = holdings.covered(connection, kind, subject)
        for digest in sorted(digests):
            if self._store.has(digest):
                self._store.hold(digest, True)
        return hold

    def release(self, hold_id: str, reason: str, actor: str) -> Hold:
        """Release a hold; one that was released stays as it was. What no other hold covers is free again. NotFound for an unknown id."""
        _check(reason)
        with self._database.writing() as connection:
            self._custody.queue(connection)
            hold = self._read(connection, hold_id)
            if hold.released_at is None:
                change = {"released_by": actor, "released_at_ms": self._clock().epoch_ms, "release_reason": reason.strip()}
                connection.execute(update(holds).where(holds.c.id == hold_id).values(**change))
                detail: dict[str, Json] = {"hold": hold_id, "kind": hold.kind, "reason": reason.strip()}
                self._custody.append(
                    connection, actor, "hold.release", hold.subject, {**detail, "rows": [claim(connection, holds, id=hold_id)]}
                )
                hold = self._read(connection, hold_id)
            free = holdings.covered(connection, hold.kind, hold.subject) - self.covered(connection)
            # Before the commit, so that a hold placed meanwhile on the same objects comes after this and stands.
            for digest in sorted(free):
                if self._store.has(digest):
                    self._store.hold(digest, False)
        return hold

    def all(self, *, released: bool = False) -> list[Hold]:
        """Holds that stand, oldest first; with `released` also those that don't any more."""
        query = select(holds).order_by(holds.c.placed_at_ms, holds.c.id)
        if not released:
            query = query.where(holds.c.released_at_ms.is_(None))
        with self._database.reading() as connection:
            return [_hold(row) for row in connection.execute(query).mappings()]

    def on(self, connection: Connection, kind: Kind, subject: str) -> list[str]:
        """Ids of the standing holds that cover a recording or case; a recording is also covered by those of the cases on it."""
        subjects: list[tuple[str, str]] = [(kind, subject)]
        if kind == "recording":
            subjects += [("case", case_id) for case_id in holdings.cases_on(connection, subject)]
        standing = connection.execute(select(holds.c.id, holds.c.subject_kind, holds.c.subject).where(holds.c.released_at_ms.is_(None)))
        return sorted(row.id for row in standing if (row.subject_kind, row.subject) in subjects)

    def covered(self, connection: Connection) -> set[str]:
        """Every digest that some standing hold covers."""
        found: set[str] = set()
        standing = connection.execute(select(holds.c.subject_kind, holds.c.subject).where(holds.c.released_at_ms.is_(None))).all()
        for row in standing:
            found |= holdings.covered(connection, row.subject_kind, row.subject)
        return found

    def _read(self, connection: Connection, hold_id: str) -> Hold:
        row = connection.execute(select(holds).where(holds.c.id == hold_id)).mappings().first()
        if row is None:
            raise NotFound(f"there is no hold {hold_id}: liveproof hold list shows those that stand")
        return _hold(row)


def _check(reason: str) -> None:
    if not 0 < len(reason.strip()) <= REASON_MAX_CHARS:
        raise InvalidHold(f"a hold is placed and released with a reason of at most {REASON_MAX_CHARS} characters")


def _hold(row: RowMapping) -> Hold:
    released = row["released_at_ms"]
    return Hold(
        row["id"],
        row["subject_kind"],
        row["subject"],
        row["reason"],
        row["placed_by"],
        WallTime(row["placed_at_ms"]),
        row["released_by"],
        None if released is None else WallTime(released),
        row["release_reason"],
    )
