"""Cases as they are stored: opened, rested on moments and papers, taken from stage to stage. Every change is in the custody log.

The log says what was done and holds the rows to a keyed digest; the words themselves stay out of it, because its entries leave the
archive inside packages, where a buyer's complaint has no business unmasked (G9).
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, RowMapping, func, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from archive.case import Attachment, BuiltPackage, Case, CaseMoment, CaseStep
from archive.case_stages import Stage, check_step, class_of, stage_of
from archive.custody import CustodyLog
from archive.database import Database
from archive.digest import Json
from archive.errors import AlreadyHeld, InvalidCase, InvalidTime, NotFound
from archive.redaction import mask
from archive.row_claims import claim
from archive.schema import case_attachments, case_moments, case_steps, cases, packages
from archive.timeline import Clock, WallTime

ID = re.compile(r"[\w.-]{1,100}")
LINE_MAX_CHARS, TEXT_MAX_CHARS = 500, 20_000
ORDER_FIELDS_MAX = 50
PER_CASE_MAX = 500


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
        """Open a case at intake; without an id it gets the next number. AlreadyHeld if the id is taken, InvalidCase for overlong fields."""
        _check_new(case_id, title, complaint, problem_class, demand, order or {}, product_id)
        now, kind = self._clock(), class_of(problem_class)
        try:
            with self._database.writing() as connection:
                self._custody.queue(connection)
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
                        status=Stage.INTAKE.value,
                        opened_at_ms=now.epoch_ms,
                    )
                )
                first = CaseStep(1, Stage.INTAKE, now, actor, "", {"class": kind} if kind else {})
                connection.execute(insert(case_steps).values(case_id=given, **_step_values(first)))
                rows: list[Json] = [claim(connection, cases, id=given), claim(connection, case_steps, case_id=given, number=1)]
                self._custody.append(connection, actor, "case.open", given, {"stage": Stage.INTAKE.value, "class": kind, "rows": rows})
        except IntegrityError as error:
            raise AlreadyHeld(f"case {case_id} exists already: choose another id") from error
        return self.case(given)

    def add_moment(self, case_id: str, recording_id: str, start_ms: int, end_ms: int, quote: str, purpose: str, actor: str) -> CaseMoment:
        """Rest the case on a span. Adding the same span again gives the one that stands."""
        if not 0 <= start_ms < end_ms:
            raise InvalidTime(f"a moment must end after it starts: {start_ms} to {end_ms} ms")
        _check_length("purpose", purpose, LINE_MAX_CHARS)
        with self._database.writing() as connection:
            self._custody.queue(connection)
            held = self._case(connection, case_id).moments
            for known in held:
                if (known.recording_id, known.start_ms, known.end_ms) == (recording_id, start_ms, end_ms):
                    return known
            _check_count("moments", len(held))
            moment = CaseMoment(len(held) + 1, recording_id, start_ms, end_ms, quote, purpose)
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
            detail: dict[str, Json] = {"number": moment.number, "recording": recording_id, "start_ms": start_ms, "end_ms": end_ms}
            rows: list[Json] = [claim(connection, case_moments, case_id=case_id, number=moment.number)]
            self._custody.append(connection, actor, "case.moment", case_id, {**detail, "rows": rows})
        return moment

    def take_step(self, case_id: str, stage: Stage, text: str, actor: str, detail: Mapping[str, Json] | None = None) -> CaseStep:
        """Take the case to a stage, or note something in the one it is in. InvalidCase if it can't go there or the step lacks a field."""
        now = self._clock()
        with self._database.writing() as connection:
            self._custody.queue(connection)
            case = self._case(connection, case_id)
            _check_count("steps", len(case.steps))
            checked = check_step(stage_of(case.status), stage, text, detail or {}, [step.detail for step in case.steps])
            step = CaseStep(len(case.steps) + 1, stage, now, actor, text, checked)
            connection.execute(insert(case_steps).values(case_id=case_id, **_step_values(step)))
            connection.execute(update(cases).where(cases.c.id == case_id).values(status=stage.value))
            rows: list[Json] = [claim(connection, cases, id=case_id), claim(connection, case_steps, case_id=case_id, number=step.number)]
            said: dict[str, Json] = {"number": step.number, "from": case.status, "stage": stage.value}
            self._custody.append(connection, actor, "case.step", case_id, {**said, "rows": rows})
        return step

    def add_attachment(self, case_id: str, paper: Attachment) -> Attachment:
        """Note a paper whose bytes are in the store; its number and time are given here. The same bytes again give the one that stands."""
        with self._database.writing() as connection:
            self._custody.queue(connection)
            held = self._case(connection, case_id).attachments
            for known in held:
                if known.digest == paper.digest and known.withdrawn_at is None:
                    return known
            _check_count("attachments", len(held))
            added = replace(paper, number=len(held) + 1, added_at=self._clock())
            connection.execute(
                insert(case_attachments).values(
                    case_id=case_id,
                    number=added.number,
                    kind=added.kind,
                    title=added.title,
                    purpose=added.purpose,
                    digest=added.digest,
                    size_bytes=added.size_bytes,
                    file_name=added.file_name,
                    media_type=added.media_type,
                    withheld=added.withheld,
                    added_at_ms=added.added_at.epoch_ms,
                    added_by=added.added_by,
                    recording_id=added.recording_id,
                )
            )
            detail: dict[str, Json] = {"number": added.number, "kind": added.kind, "digest": added.digest, "bytes": added.size_bytes}
            rows: list[Json] = [claim(connection, case_attachments, case_id=case_id, number=added.number)]
            call: dict[str, Json] = {"recording": added.recording_id} if added.recording_id else {}
            more: dict[str, Json] = {**call, "media_type": added.media_type, "withheld": added.withheld, "rows": rows}
            self._custody.append(connection, added.added_by, "case.attach", case_id, {**detail, **more})
        return added

    def withdraw_attachment(self, case_id: str, number: int, reason: str, actor: str) -> Attachment:
        """Take a paper out of what the case rests on; it stays held, with who and why. Twice is once. InvalidCase without a reason."""
        if not reason.strip():
            raise InvalidCase("a withdrawn attachment needs a reason")
        _check_length("reason", reason, LINE_MAX_CHARS)
        with self._database.writing() as connection:
            self._custody.queue(connection)
            known = next((a for a in self._case(connection, case_id).attachments if a.number == number), None)
            if known is None:
                raise NotFound(f"case {case_id} has no attachment {number}")
            if known.withdrawn_at is not None:
                return known
            gone = replace(known, withdrawn_at=self._clock(), withdrawn_by=actor, withdrawn_reason=reason)
            connection.execute(
                update(case_attachments)
                .where(case_attachments.c.case_id == case_id, case_attachments.c.number == number)
                .values(
                    withdrawn_at_ms=gone.withdrawn_at.epoch_ms if gone.withdrawn_at else None, withdrawn_by=actor, withdrawn_reason=reason
                )
            )
            rows: list[Json] = [claim(connection, case_attachments, case_id=case_id, number=number)]
            self._custody.append(connection, actor, "case.withdraw", case_id, {"number": number, "digest": gone.digest, "rows": rows})
        return gone

    def record_package(self, package_id: str, case_id: str, digest: str, size_bytes: int, actor: str) -> BuiltPackage:
        """Note a built package and its digest."""
        built = BuiltPackage(package_id, case_id, digest, size_bytes, self._clock())
        with self._database.writing() as connection:
            self._custody.queue(connection)
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
        """One case with its moments, papers and steps in order. NotFound if there is none."""
        with self._database.reading() as connection:
            return self._case(connection, case_id)

    def cases(self) -> list[Case]:
        """All cases, newest first."""
        with self._database.reading() as connection:
            ids = connection.execute(select(cases.c.id).order_by(cases.c.opened_at_ms.desc(), cases.c.id)).scalars().all()
            return [self._case(connection, case_id) for case_id in ids]

    def in_dispute(self, recording_id: str) -> bool:
        """Whether a case that is not closed rests on a moment of the recording, or has it as a call."""
        with self._database.reading() as connection:
            for table, stands in ((case_moments, true()), (case_attachments, case_attachments.c.withdrawn_at_ms.is_(None))):
                query = select(cases.c.id).join(table, table.c.case_id == cases.c.id).where(table.c.recording_id == recording_id, stands)
                if connection.execute(query.where(cases.c.status != Stage.CLOSED.value).limit(1)).first():
                    return True
        return False

    def packages(self, case_id: str) -> list[BuiltPackage]:
        query = select(packages).where(packages.c.case_id == case_id).order_by(packages.c.built_at_ms, packages.c.id)
        with self._database.reading() as connection:
            return [
                BuiltPackage(r["id"], r["case_id"], r["digest"], r["size_bytes"], WallTime(r["built_at_ms"]))
                for r in connection.execute(query).mappings()
            ]

    def _case(self, connection: Connection, case_id: str) -> Case:
        row = connection.execute(select(cases).where(cases.c.id == case_id)).mappings().first()
        if row is None:
            raise NotFound(f"there is no case {case_id}: liveproof case list shows those that are open")
        moments = connection.execute(select(case_moments).where(case_moments.c.case_id == case_id).order_by(case_moments.c.number))
        papers = connection.execute(
            select(case_attachments).where(case_attachments.c.case_id == case_id).order_by(case_attachments.c.number)
        )
        steps = connection.execute(select(case_steps).where(case_steps.c.case_id == case_id).order_by(case_steps.c.number))
        return Case(
            row["id"],
            row["title"],
            row["complaint"],
            row["problem_class"],
            row["demand"],
            row["order"],
            row["product_id"],
            stage_of(row["status"]).value,
            WallTime(row["opened_at_ms"]),
            tuple(
                CaseMoment(m["number"], m["recording_id"], m["start_ms"], m["end_ms"], m["quote"], m["purpose"]) for m in moments.mappings()
            ),
            tuple(_attachment(paper) for paper in papers.mappings()),
            tuple(
                CaseStep(s["number"], Stage(s["stage"]), WallTime(s["at_ms"]), s["actor"], s["text"], s["detail"]) for s in steps.mappings()
            ),
        )

    def _next_id(self, connection: Connection) -> str:
        count = connection.execute(select(func.count()).select_from(cases)).scalar_one()
        while True:
            count += 1
            if connection.execute(select(cases.c.id).where(cases.c.id == f"case-{count:04}")).first() is None:
                return f"case-{count:04}"


def _check_new(
    case_id: str | None,
    title: str,
    complaint: str,
    problem_class: str | None,
    demand: str | None,
    order: Mapping[str, Json],
    product_id: str | None,
) -> None:
    if case_id is not None and (not ID.fullmatch(case_id) or mask(case_id).spans):
        raise InvalidCase(
            "the id of a case has 1 to 100 letters, digits, dots, hyphens and underscores, and nobody's number: it is on every page"
        )
    for name, text, longest in (
        ("title", title, LINE_MAX_CHARS),
        ("complaint", complaint, TEXT_MAX_CHARS),
        ("problem_class", problem_class, LINE_MAX_CHARS),
        ("demand", demand, LINE_MAX_CHARS),
        ("product_id", product_id, LINE_MAX_CHARS),
    ):
        _check_length(name, text or "", longest)
    if len(order) > ORDER_FIELDS_MAX:
        raise InvalidCase(f"the order has {len(order)} fields, and at most {ORDER_FIELDS_MAX} are kept")
    for name in order:
        if len(name) > 100 or mask(name).spans:
            raise InvalidCase(f"the order has a field named {name[:40]!r}: names are short and are shown as they are")


def _check_length(name: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise InvalidCase(f"{name} has {len(text)} characters, and at most {longest} are kept")


def _check_count(what: str, count: int) -> None:
    if count >= PER_CASE_MAX:
        raise InvalidCase(f"a case has at most {PER_CASE_MAX} {what}: open a further case for more")


def _step_values(step: CaseStep) -> dict[str, Json]:
    return {
        "number": step.number,
        "stage": step.stage.value,
        "at_ms": step.at.epoch_ms,
        "actor": step.actor,
        "text": step.text,
        "detail": dict(step.detail),
    }


def _attachment(row: RowMapping) -> Attachment:
    return Attachment(
        row["number"],
        row["kind"],
        row["title"],
        row["purpose"],
        row["digest"],
        row["size_bytes"],
        row["file_name"],
        row["media_type"],
        row["withheld"],
        WallTime(row["added_at_ms"]),
        row["added_by"],
        WallTime(row["withdrawn_at_ms"]) if row["withdrawn_at_ms"] is not None else None,
        row["withdrawn_by"],
        row["withdrawn_reason"],
        row["recording_id"],
    )
