"""RFC 3161 time-stamps: of every admission and extension (its custody entry's digest) and of every checkpoint (SHA-256 of its note's text).

A stamp is owed from the moment that what it is over is committed, and asked for beside the work, so that no admission waits for an
authority. It is renewed before its authority's certificate or an algorithm ends, for as long as what it speaks for must be kept.
"""

import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

import structlog
from sqlalchemy import Connection, RowMapping, exists, func, insert, or_, select, text, update

from archive.admission import BROUGHT_BY
from archive.database import Database
from archive.digest import Json, digest_bytes, digest_json
from archive.errors import NotFound, VerificationFailed
from archive.schema import custody_entries, holds, recordings, retentions, timestamps
from archive.settings import ArchiveSettings
from archive.time_stamp_token import StampRefused, Token, Trust, algorithms_end, embedded_pem, load_trust, read_token, write_request
from archive.timeline import Clock, WallTime
from archive.web_post import PeerUnavailable, post, shown_url

_HOUR_MS = 3600 * 1000
_DAY_MS = 24 * _HOUR_MS
_FIRST_PAUSE_MS = 60 * 1000
_LONGEST_PAUSE_MS = 6 * _HOUR_MS
_FAILURES_MAX = 3
_BATCH = 1000
_LOCK_KEY = 0x4C50_0003

log = structlog.get_logger(__name__)


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
    response_digest: str | None
    gen_time: WallTime | None
    expires_at: WallTime | None
    algorithm: str | None

    def ends_at(self) -> WallTime:
        """When a granted stamp ceases to be strong: the first end of its certificates or algorithms."""
        end = algorithms_end((self.algorithm or "").split())
        return min(self.expires_at, end) if self.expires_at else end

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


@dataclass(frozen=True, slots=True)
class StampCounts:
    """How many stamps are owed and given. `failing`: owed ones that were tried in vain; `last_error`: what the newest try said."""

    pending: int
    granted: int
    failing: int
    last_error: str | None


class Stamps:
    """Asks authorities for the stamps that are owed, and reads those that were given."""

    def __init__(self, database: Database, settings: ArchiveSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._authorities = tuple(settings.tsa_urls.get_secret_value().replace(",", " ").split())
        self._adopted = False
        self._renewals_at: WallTime | None = None

    def tick(self) -> int:
        """Ask for what is owed and due, renew what is about to end; how many stamps were given. Takes at most `custody_budget_s`.

        An authority that fails leaves the stamp owed, to be tried again after 1, 2, 4 … minutes, at most 6 hours. StampRefused only
        if the trusted roots can't be read.
        """
        if not self._authorities:
            return 0
        trust = load_trust(self._settings)
        deadline = time.monotonic() + self._settings.custody_budget_s
        if not self._adopted:
            self._adopt()
            self._adopted = True
        self._renew_due(self._clock())
        granted, down = 0, Counter[str]()
        for stamp in self._to_try(self._clock()):
            if time.monotonic() >= deadline or all(down[url] >= _FAILURES_MAX for url in self._authorities):
                break
            if self._claim(stamp):
                granted += self._try(stamp, trust, deadline, down)
        return granted

    def of(self, kind: StampKind, subject: str) -> list[Stamp]:
        """Every stamp of one admission or checkpoint, oldest first."""
        query = select(timestamps).where(timestamps.c.kind == kind, timestamps.c.subject == subject).order_by(timestamps.c.id)
        with self._database.reading() as connection:
            return [_stamp(row) for row in connection.execute(query).mappings()]

    def all(self, after: int = 0, limit: int | None = None) -> list[Stamp]:
        """Stamps in the order of their ids, those after `after`."""
        query = select(timestamps).where(timestamps.c.id > after).order_by(timestamps.c.id).limit(limit)
        with self._database.reading() as connection:
            return [_stamp(row) for row in connection.execute(query).mappings()]

    def stamp(self, number: int) -> Stamp:
        """One stamp by its id. NotFound if there is none."""
        found = self.all(number - 1, 1)
        if not found or found[0].id != number:
            raise NotFound(f"there is no time-stamp {number}: liveproof custody stamps lists those that are held or owed")
        return found[0]

    def granted(self, kind: StampKind) -> set[str]:
        """Subjects of the kind that have a stamp."""
        query = select(timestamps.c.subject).where(timestamps.c.kind == kind, timestamps.c.state == "granted")
        with self._database.reading() as connection:
            return set(connection.execute(query).scalars())

    def counts(self) -> StampCounts:
        with self._database.reading() as connection:
            counted = connection.execute(select(timestamps.c.state, func.count()).group_by(timestamps.c.state)).all()
            by_state: dict[str, int] = {row[0]: row[1] for row in counted}
            owed = timestamps.c.state == "pending", timestamps.c.last_error.is_not(None)
            failing = connection.execute(select(func.count()).select_from(timestamps).where(*owed)).scalar_one()
            newest = select(timestamps.c.last_error).where(*owed).order_by(timestamps.c.tried_at_ms.desc()).limit(1)
            error = connection.execute(newest).scalar()
        return StampCounts(by_state.get("pending", 0), by_state.get("granted", 0), failing, error)

    def verify(self, stamp: Stamp) -> Token:
        """Check a granted stamp at its genTime. StampRefused says what fails; VerificationFailed if the row says something else."""
        if stamp.response is None:
            raise StampRefused(f"time-stamp {stamp.id} is still pending")
        if digest_bytes(stamp.response) != stamp.response_digest:
            # A few bytes of a token, such as version numbers, are under no signature.
            raise VerificationFailed(f"time-stamp {stamp.id} is not the answer that came: its bytes were changed")
        token = read_token(stamp.response, stamp.digest, None, load_trust(self._settings))
        if token.gen_time != stamp.gen_time or (stamp.expires_at and stamp.expires_at > token.expires_at):
            raise VerificationFailed(
                f"time-stamp {stamp.id} is of {token.gen_time.iso()} and ends {token.expires_at.iso()}: not as its row says"
            )
        if stamp.renews is not None and stamp.digest != renewal_digest(self.stamp(stamp.renews)):
            raise VerificationFailed(f"time-stamp {stamp.id} is not over the stamp {stamp.renews} that it is to renew")
        return token

    def certificates(self, stamp: Stamp) -> bytes | None:
        """The certificates that a stamp's signature rests on, as PEM, the authority's own first and the root last; None while pending.

        Those inside the response alone, without a root, where it doesn't lead to a root that is trusted now.
        """
        if stamp.response is None:
            return None
        try:
            return self.verify(stamp).pem()
        except VerificationFailed as error:
            log.warning("stamp_doubtful", stamp=stamp.id, error=str(error))
            return embedded_pem(stamp.response)

    def due(self, now: WallTime) -> list[Stamp]:
        """Granted stamps that end within the margin, have no successor yet, and whose subject must still be kept; at most 1000."""
        successor = timestamps.alias()
        near = now.plus_ms(self._settings.tsa_renewal_margin_days * _DAY_MS)
        with self._database.reading() as connection:
            kinds = connection.execute(select(timestamps.c.algorithm).where(timestamps.c.state == "granted").distinct()).scalars()
            ending = [kind for kind in kinds if kind and algorithms_end(kind.split()) <= near]
            query = (
                select(timestamps.c.id, timestamps.c.kind, timestamps.c.subject)
                .where(timestamps.c.state == "granted", ~exists().where(successor.c.renews == timestamps.c.id))
                .where(or_(timestamps.c.expires_at_ms <= near.epoch_ms, timestamps.c.algorithm.in_(ending)))
                .order_by(timestamps.c.expires_at_ms, timestamps.c.id)
            )
            needed = (row.id for row in connection.execute(query) if _must_be_kept(connection, row.kind, row.subject, now))
            numbers = list(islice(needed, _BATCH))
        return [self.stamp(number) for number in numbers]

    def _renew_due(self, now: WallTime) -> None:
        """Owe the renewals that are due; looked for once an hour."""
        if self._renewals_at is None or self._renewals_at.plus_ms(_HOUR_MS) <= now:
            for stamp in self.due(now):
                self._renew(stamp)
            self._renewals_at = now

    def _adopt(self) -> None:
        """Own up to what was logged before there were stamps, or by a program that knows none."""
        owed = (
            select(custody_entries.c.subject, custody_entries.c.digest)
            .where(custody_entries.c.action.in_(BROUGHT_BY))
            .where(~exists().where(timestamps.c.kind == "admission", timestamps.c.digest == custody_entries.c.digest))
        )
        with self._database.writing() as connection:
            _one_at_a_time(connection)
            for row in connection.execute(owed).all():
                await_stamp(connection, "admission", row.subject, row.digest, self._clock())

    def _renew(self, old: Stamp) -> None:
        with self._database.writing() as connection:
            _one_at_a_time(connection)
            if connection.execute(select(timestamps.c.id).where(timestamps.c.renews == old.id)).first() is None:
                await_stamp(connection, old.kind, old.subject, renewal_digest(old), self._clock(), renews=old.id)

    def _to_try(self, now: WallTime) -> Iterator[Stamp]:
        """Owed stamps whose turn it is: those never tried first."""
        query = (
            select(timestamps)
            .where(timestamps.c.state == "pending")
            .order_by(func.coalesce(timestamps.c.tried_at_ms, 0), timestamps.c.id)
            .limit(_BATCH)
        )
        with self._database.reading() as connection:
            waiting = [_stamp(row) for row in connection.execute(query).mappings()]
        return (stamp for stamp in waiting if stamp.tried_at is None or stamp.tried_at.plus_ms(_pause_ms(stamp.attempts)) <= now)

    def _claim(self, stamp: Stamp) -> bool:
        """Take a stamp's turn; False where another process was faster."""
        mine = timestamps.c.id == stamp.id, timestamps.c.state == "pending", timestamps.c.attempts == stamp.attempts
        with self._database.writing() as connection:
            turn = update(timestamps).where(*mine).values(attempts=stamp.attempts + 1, tried_at_ms=self._clock().epoch_ms)
            return connection.execute(turn).rowcount == 1

    def _try(self, stamp: Stamp, trust: Trust, deadline: float, down: Counter[str]) -> bool:
        """Ask one authority after the other until one gives a valid stamp; whether one did."""
        problems = []
        for url in self._authorities:
            if stamp.authority not in (None, shown_url(url)):
                continue
            left_s = min(self._settings.tsa_timeout_s, deadline - time.monotonic())
            if left_s <= 0 or down[url] >= _FAILURES_MAX:
                continue
            try:
                response, token = self._ask(url, stamp, trust, left_s)
            except (PeerUnavailable, StampRefused) as error:
                down[url] += _FAILURES_MAX if isinstance(error, PeerUnavailable) else 1
                problems.append(f"{shown_url(url)}: {error}")
                continue
            self._keep(stamp, url, response, token)
            return True
        if problems:
            log.warning("stamp_pending", stamp=stamp.id, subject=stamp.subject, problems=problems)
            with self._database.writing() as connection:
                connection.execute(
                    update(timestamps)
                    .where(timestamps.c.id == stamp.id, timestamps.c.state == "pending")
                    .values(last_error="; ".join(problems)[:2000])
                )
        return False

    def _ask(self, url: str, stamp: Stamp, trust: Trust, timeout_s: float) -> tuple[bytes, Token]:
        nonce = secrets.randbits(63)
        request = write_request(stamp.digest, nonce)
        limit = self._settings.tsa_answer_max_bytes
        response = post(url, request, "application/timestamp-query", "application/timestamp-reply", timeout_s, limit)
        token = read_token(response, stamp.digest, nonce, trust)
        if stamp.renews is not None:
            old = self.stamp(stamp.renews)
            if token.ends_at() <= old.ends_at():
                raise StampRefused(f"its stamp ends on {token.ends_at().iso()[:10]}, no later than the one that it would renew")
        return response, token

    def _keep(self, stamp: Stamp, url: str, response: bytes, token: Token) -> None:
        """Write the stamp down; with `tsa_all`, owe one of each other authority too."""
        with self._database.writing() as connection:
            _one_at_a_time(connection)
            connection.execute(
                update(timestamps)
                .where(timestamps.c.id == stamp.id, timestamps.c.state == "pending")
                .values(
                    state="granted",
                    authority=shown_url(url),
                    response=response,
                    response_digest=digest_bytes(response),
                    gen_time_ms=token.gen_time.epoch_ms,
                    expires_at_ms=token.expires_at.epoch_ms,
                    algorithm=" ".join(token.algorithms),
                    last_error=None,
                )
            )
            if self._settings.tsa_all and stamp.renews is None:
                same = timestamps.c.kind == stamp.kind, timestamps.c.subject == stamp.subject, timestamps.c.renews.is_(None)
                asked = set(connection.execute(select(timestamps.c.authority).where(*same)).scalars())
                for other in self._authorities:
                    if shown_url(other) not in asked:
                        await_stamp(connection, stamp.kind, stamp.subject, stamp.digest, self._clock(), authority=shown_url(other))


def renewal_digest(old: Stamp) -> str:
    """What a renewal is over: SHA-256 of the canonical JSON {"digest": what the old stamp is over, "token_sha256": of its response}.

    After RFC 4998 §5.2 (time-stamp renewal), in a form that sha256sum and a text editor can make.
    """
    if old.response is None:
        raise VerificationFailed(f"time-stamp {old.id} is still pending: there is nothing to renew")
    return digest_json({"digest": old.digest, "token_sha256": digest_bytes(old.response)})


def await_stamp(
    connection: Connection,
    kind: StampKind,
    subject: str,
    digest: str,
    now: WallTime,
    renews: int | None = None,
    authority: str | None = None,
) -> None:
    """Note, in the transaction of what is to be stamped, that a stamp of `digest` is owed, by a certain authority if one is named."""
    connection.execute(
        insert(timestamps).values(
            kind=kind,
            subject=subject,
            digest=digest,
            renews=renews,
            state="pending",
            requested_at_ms=now.epoch_ms,
            attempts=0,
            authority=authority,
        )
    )


def _one_at_a_time(connection: Connection) -> None:
    """Keep two processes from renewing the same stamp; SQLite's write lock does so by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})


def _pause_ms(attempts: int) -> int:
    return min(_FIRST_PAUSE_MS << max(0, min(attempts, 20) - 1), _LONGEST_PAUSE_MS)


def _must_be_kept(connection: Connection, kind: str, subject: str, now: WallTime) -> bool:
    """Whether anything that a stamp speaks for is still to be kept: its recording; for a checkpoint, any recording at all."""
    held = select(recordings.c.id)
    kept = select(func.max(retentions.c.until_ms))
    on_hold = select(holds.c.id).where(holds.c.released_at_ms.is_(None))
    if kind == "admission":
        held = held.where(recordings.c.id == subject)
        kept = kept.where(retentions.c.recording_id == subject)
    if connection.execute(held.limit(1)).first() is None:
        return False
    until_ms = connection.execute(kept).scalar()
    return until_ms is None or until_ms > now.epoch_ms or connection.execute(on_hold.limit(1)).first() is not None


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
        row["response_digest"],
        time(row["gen_time_ms"]),
        time(row["expires_at_ms"]),
        row["algorithm"],
    )
