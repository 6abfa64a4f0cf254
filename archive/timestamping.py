"""RFC 3161 time-stamps: of every admission (its custody entry's digest) and of every checkpoint (SHA-256 of its note's text)."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlalchemy import Connection, RowMapping, insert, select

from archive.database import Database
from archive.digest import Json
from archive.schema import timestamps
from archive.timeline import WallTime

StampKind: TypeAlias = Literal["admission", "checkpoint"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time-stamp that is owed (`pending`) or `granted`. `digest` is what it is over; `response` the DER TimeStampResp as it came.

    `subject` is a recording's id or a checkpoint's size. `expires_at` is when the authority's certificate ends. A stamp that `renews`
    another is over SHA-256 of the canonical JSON {"digest": that one's digest, "token_sha256": digest of that one's response}.
    """

    id: int
    kind: StampKind
    subject: str
    digest: str
    renews: int | None
    state: str
    requested_at: WallTime
    attempts: int
    tried_at: WallTime | None
    last_error: str | None
    authority: str | None
    response: bytes | None
    gen_time: WallTime | None
    expires_at: WallTime | None
    algorithm: str | None

    def as_json(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "kind": self.kind,
            "subject": self.subject,
            "digest": self.digest,
            "renews": self.renews,
            "state": self.state,
            "requested_at": self.requested_at.iso(),
            "attempts": self.attempts,
            "tried_at": self.tried_at.iso() if self.tried_at else None,
            "last_error": self.last_error,
            "authority": self.authority,
            "gen_time": self.gen_time.iso() if self.gen_time else None,
            "expires_at": self.expires_at.iso() if self.expires_at else None,
            "algorithm": self.algorithm,
        }


class Stamps:
    """Asks authorities for the stamps that are owed, and reads those that were given."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, kind: StampKind, subject: str) -> list[Stamp]:
        """Every stamp of one admission or checkpoint, oldest first."""
        query = select(timestamps).where(timestamps.c.kind == kind, timestamps.c.subject == subject).order_by(timestamps.c.id)
        with self._database.reading() as connection:
            return [_stamp(row) for row in connection.execute(query).mappings()]

    def granted(self, kind: StampKind) -> set[str]:
        """Subjects of the kind that have a stamp."""
        query = select(timestamps.c.subject).where(timestamps.c.kind == kind, timestamps.c.state == "granted")
        with self._database.reading() as connection:
            return set(connection.execute(query).scalars())

    def certificates(self, stamp: Stamp) -> bytes | None:
        """The certificates that a stamp's signature rests on, as PEM, the authority's own first; None while it is pending."""
        return None


def await_stamp(connection: Connection, kind: StampKind, subject: str, digest: str, now: WallTime) -> None:
    """Note, in the transaction of what is to be stamped, that a stamp of `digest` is owed."""
    connection.execute(
        insert(timestamps).values(
            kind=kind, subject=subject, digest=digest, renews=None, state="pending", requested_at_ms=now.epoch_ms, attempts=0
        )
    )


def _stamp(row: RowMapping) -> Stamp:
    def time(ms: int | None) -> WallTime | None:
        return None if ms is None else WallTime(ms)

    return Stamp(
        row["id"],
        row["kind"],
        row["subject"],
        row["digest"],
        row["renews"],
        row["state"],
        WallTime(row["requested_at_ms"]),
        row["attempts"],
        time(row["tried_at_ms"]),
        row["last_error"],
        row["authority"],
        row["response"],
        time(row["gen_time_ms"]),
        time(row["expires_at_ms"]),
        row["algorithm"],
    )
