"""The custody log: who did what to which evidence, when, as a hash chain (G4).

Entry n's digest covers its own fields and entry n-1's digest, so that a changed, swapped or removed entry breaks every later one:

    digest(n) = SHA-256(canonical JSON of {seq, at, actor, action, subject, detail, previous})

A cut tail is found against signed heads (`archive.checkpoints`) and their copies kept elsewhere (`archive.witnesses`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, insert, select, text

from archive.database import Database
from archive.digest import Json, canonical_json, digest_json
from archive.errors import NotFound, VerificationFailed
from archive.schema import custody_entries
from archive.timeline import Clock, WallTime

GENESIS = "sha256:" + "0" * 64
_LOCK_KEY = 0x4C50_0002


@dataclass(frozen=True, slots=True)
class CustodyEntry:
    """One line of the log. `detail` is canonical JSON text, hashed as it stands."""

    seq: int
    at: WallTime
    actor: str
    action: str
    subject: str
    detail: str
    previous: str
    digest: str

    def expected_digest(self) -> str:
        """What `digest` must be, from the other fields."""
        return digest_json(
            {
                "seq": self.seq,
                "at": self.at.iso(),
                "actor": self.actor,
                "action": self.action,
                "subject": self.subject,
                "detail": self.detail,
                "previous": self.previous,
            }
        )

    def as_json(self) -> dict[str, Json]:
        return {
            "seq": self.seq,
            "at": self.at.iso(),
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "detail": self.detail,
            "previous": self.previous,
            "digest": self.digest,
        }


class CustodyLog:
    """Appends inside the caller's transaction, so that an act and its entry stand or fall together."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def append(self, connection: Connection, actor: str, action: str, subject: str, detail: Mapping[str, Json]) -> CustodyEntry:
        """Add an entry. Writers are held apart: by SQLite's write lock, on PostgreSQL by an advisory lock for the transaction."""
        self.queue(connection)
        last = connection.execute(
            select(custody_entries.c.seq, custody_entries.c.digest).order_by(custody_entries.c.seq.desc()).limit(1)
        ).first()
        seq, previous = (last.seq + 1, last.digest) if last else (1, GENESIS)
        draft = CustodyEntry(seq, self._clock(), actor, action, subject, canonical_json(detail).decode(), previous, "")
        entry = replace(draft, digest=draft.expected_digest())
        connection.execute(
            insert(custody_entries).values(
                seq=entry.seq,
                at_ms=entry.at.epoch_ms,
                actor=entry.actor,
                action=entry.action,
                subject=entry.subject,
                detail=entry.detail,
                previous=entry.previous,
                digest=entry.digest,
            )
        )
        return entry

    def queue(self, connection: Connection) -> None:
        """Wait until no other writer is under way, so that what is read next still holds when this transaction writes."""
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})

    def record(self, actor: str, action: str, subject: str, detail: Mapping[str, Json]) -> CustodyEntry:
        """Add an entry in a transaction of its own."""
        with self._database.writing() as connection:
            return self.append(connection, actor, action, subject, detail)

    def entries(self, subjects: Iterable[str] | None = None) -> Iterator[CustodyEntry]:
        """All entries in order, or those about the given subjects."""
        query = select(custody_entries).order_by(custody_entries.c.seq)
        if subjects is not None:
            query = query.where(custody_entries.c.subject.in_(list(subjects)))
        with self._database.reading() as connection:
            for row in connection.execute(query).mappings():
                yield entry_of(row)

    def page(self, after: int = 0, limit: int = 1000, subject: str | None = None) -> list[CustodyEntry]:
        """At most `limit` entries behind number `after`, of one subject if it is given."""
        query = select(custody_entries).where(custody_entries.c.seq > after).order_by(custody_entries.c.seq).limit(limit)
        if subject is not None:
            query = query.where(custody_entries.c.subject == subject)
        with self._database.reading() as connection:
            return [entry_of(row) for row in connection.execute(query).mappings()]

    def entry(self, seq: int) -> CustodyEntry:
        """One entry by its number. NotFound if the log has none."""
        found = self.page(seq - 1, 1)
        if not found or found[0].seq != seq:
            raise NotFound(f"the custody log has no entry {seq}: liveproof custody log lists those that it has")
        return found[0]

    def head(self) -> CustodyEntry | None:
        """The last entry: keep its digest elsewhere, and no earlier one can be changed unnoticed."""
        with self._database.reading() as connection:
            row = connection.execute(select(custody_entries).order_by(custody_entries.c.seq.desc()).limit(1)).mappings().first()
        return entry_of(row) if row else None

    def verify(self) -> int:
        """Check the whole chain; how many entries stand. VerificationFailed names the first that doesn't."""
        return verify_chain(self.entries())


def verify_chain(entries: Iterable[CustodyEntry], count: int = 0, previous: str = GENESIS) -> int:
    """Check that entries follow each other from the first one on, or from entry `count`, whose digest is `previous`; the last one's number.

    VerificationFailed names the entry that doesn't.
    """
    for entry in entries:
        if entry.seq != count + 1:
            raise VerificationFailed(f"custody log: entry {count + 1} is missing, entry {entry.seq} stands in its place")
        if entry.previous != previous:
            raise VerificationFailed(f"custody log: entry {entry.seq} does not follow entry {count}: one of them was changed or swapped")
        if entry.expected_digest() != entry.digest:
            raise VerificationFailed(f"custody log: entry {entry.seq} ({entry.action} {entry.subject}) was changed after it was written")
        json.loads(entry.detail)
        previous, count = entry.digest, count + 1
    return count


def entry_of(row: RowMapping) -> CustodyEntry:
    """An entry from its row in `custody_entries`."""
    return CustodyEntry(
        row["seq"], WallTime(row["at_ms"]), row["actor"], row["action"], row["subject"], row["detail"], row["previous"], row["digest"]
    )
