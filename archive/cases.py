"""Cases (纠纷): what a buyer complains of, the moments found for it and the packages built from it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json
from archive.errors import AlreadyHeld, InvalidTime, NotFound
from archive.row_claims import claim
from archive.schema import case_moments, cases, packages
from archive.timeline import Clock, WallTime


@dataclass(frozen=True, slots=True)
class CaseMoment:
    """A span of a recording that a case rests on; `quote` is the transcript's words, `purpose` what it is to prove."""

    number: int
    recording_id: str
    start_ms: int
    end_ms: int
    quote: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Case:
    """One dispute. `order` holds what the order record says, e.g. order_id, paid_at, amount_minor, buyer."""

    id: str
    title: str
    complaint: str
    problem_class: str | None
    demand: str | None
    order: Mapping[str, Json]
    product_id: str | None
    status: str
    opened_at: WallTime
    moments: tuple[CaseMoment, ...] = ()


@dataclass(frozen=True, slots=True)
class BuiltPackage:
    """A package that was built for a case: `digest` names the object that holds the ZIP."""

    id: str
    case_id: str
    digest: str
    size_bytes: int
    built_at: WallTime


class CaseFile:
    """Reads and writes of cases; every change is in the custody log."""

    def __init__(self, database: Database, custody: CustodyLog, clock: Clock) -> None:
        self._database = database
        self._custody = custody
        self._clock = clock

    def open(
        self,
        case_id: str | None,
        title: str,
        complaint: str,
        actor: str,
        *,
        problem_class: str | None = None,
        demand: str | None = None,
        order: Mapping[str, Json] | None = None,
        product_id: str | None = None,
    ) -> Case:
        """Open a case; without an id it gets the next number. AlreadyHeld if the id is taken."""
        now = self._clock()
        try:
            with self._database.writing() as connection:
                given = case_id or self._next_id(connection)
                connection.execute(
                    insert(cases).values(
                        id=given,
                        title=title,
                        problem_class=problem_class,
                        complaint=complaint,
                        demand=demand,
                        order=dict(order or {}),
                        product_id=product_id,
                        status="open",
                        opened_at_ms=now.epoch_ms,
                    )
                )
                detail: dict[str, Json] = {"title": title, "order_id": (order or {}).get("order_id")}
                self._custody.append(connection, actor, "case.open", given, {**detail, "rows": [claim(connection, cases, id=given)]})
        except IntegrityError as error:
            raise AlreadyHeld(f"case {case_id} exists already: choose another id") from error
        return self.case(given)

    def add_moment(self, case_id: str, recording_id: str, start_ms: int, end_ms: int, quote: str, purpose: str, actor: str) -> CaseMoment:
        """Rest the case on a span. Adding the same span again gives the one that stands."""
        if not 0 <= start_ms < end_ms:
            raise InvalidTime(f"a moment must end after it starts: {start_ms} to {end_ms} ms")
        for known in self.case(case_id).moments:
            if (known.recording_id, known.start_ms, known.end_ms) == (recording_id, start_ms, end_ms):
                return known
        with self._database.writing() as connection:
            count = connection.execute(select(func.count()).select_from(case_moments).where(case_moments.c.case_id == case_id)).scalar_one()
            moment = CaseMoment(count + 1, recording_id, start_ms, end_ms, quote, purpose)
            connection.execute(
                insert(case_moments).values(
                    case_id=case_id,
                    number=moment.number,
                    recording_id=recording_id,
                    start_ms=start_ms,
                    end_ms=end_ms,
                    quote=quote,
                    purpose=purpose,
                )
            )
            self._custody.append(
                connection,
                actor,
                "case.moment",
                case_id,
                {
                    "recording": recording_id,
                    "start_ms": start_ms,
                    "end_ms": end_ms,
                    "quote": quote,
                    "rows": [claim(connection, case_moments, case_id=case_id, number=moment.number)],
                },
            )
        return moment

    def record_package(self, package_id: str, case_id: str, digest: str, size_bytes: int, actor: str) -> BuiltPackage:
        """Note a built package and its digest."""
        built = BuiltPackage(package_id, case_id, digest, size_bytes, self._clock())
        with self._database.writing() as connection:
            connection.execute(
                insert(packages).values(
                    id=built.id, case_id=case_id, digest=digest, size_bytes=size_bytes, built_at_ms=built.built_at.epoch_ms
                )
            )
            detail: dict[str, Json] = {"package": package_id, "digest": digest, "bytes": size_bytes}
            self._custody.append(
                connection, actor, "package.built", case_id, {**detail, "rows": [claim(connection, packages, id=package_id)]}
            )
        return built

    def case(self, case_id: str) -> Case:
        """One case with its moments in order. NotFound if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(select(cases).where(cases.c.id == case_id)).mappings().first()
            if row is None:
                raise NotFound(f"there is no case {case_id}: liveproof case list shows those that are open")
            held = connection.execute(select(case_moments).where(case_moments.c.case_id == case_id).order_by(case_moments.c.number))
            moments = tuple(
                CaseMoment(m["number"], m["recording_id"], m["start_ms"], m["end_ms"], m["quote"], m["purpose"]) for m in held.mappings()
            )
            return Case(
                row["id"],
                row["title"],
                row["complaint"],
                row["problem_class"],
                row["demand"],
                row["order"],
                row["product_id"],
                row["status"],
                WallTime(row["opened_at_ms"]),
                moments,
            )

    def cases(self) -> list[Case]:
        """All cases, newest first."""
        with self._database.reading() as connection:
            ids = [row.id for row in connection.execute(select(cases.c.id).order_by(cases.c.opened_at_ms.desc(), cases.c.id))]
        return [self.case(case_id) for case_id in ids]

    def packages(self, case_id: str) -> list[BuiltPackage]:
        query = select(packages).where(packages.c.case_id == case_id).order_by(packages.c.built_at_ms, packages.c.id)
        with self._database.reading() as connection:
            return [
                BuiltPackage(r["id"], r["case_id"], r["digest"], r["size_bytes"], WallTime(r["built_at_ms"]))
                for r in connection.execute(query).mappings()
            ]

    def _next_id(self, connection: Connection) -> str:
        count = connection.execute(select(func.count()).select_from(cases)).scalar_one()
        while True:
            count += 1
            if connection.execute(select(cases.c.id).where(cases.c.id == f"case-{count:04}")).first() is None:
                return f"case-{count:04}"
