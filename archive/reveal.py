"""Showing who a case's complainant is: the buyer of its order and nobody else, with a reason, and an entry in the log each time (G9).

The log and the table hold the pseudonym, never the name. From then on the case's packages call that person 投诉人.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select

from archive.case import Case
from archive.digest import Json
from archive.errors import InvalidReveal, RevealRefused
from archive.opening import Archive
from archive.pseudonyms import Pseudonyms, pseudonym_secret
from archive.redaction import buyer_key, mask
from archive.row_claims import claim
from archive.schema import reveals
from archive.timeline import WallTime

REASON_MIN_CHARS, REASON_MAX_CHARS = 10, 500


@dataclass(frozen=True, slots=True)
class Reveal:
    """That a pseudonym of a case was first shown to be the complainant's: why, by whom, when."""

    case_id: str
    pseudonym: str
    reason: str
    actor: str
    at: WallTime

    def as_json(self) -> dict[str, Json]:
        return {"case": self.case_id, "pseudonym": self.pseudonym, "reason": self.reason, "actor": self.actor, "at": self.at.iso()}


@dataclass(frozen=True, slots=True)
class Revealed:
    """What a reveal gives to who asked: the name behind the pseudonym."""

    reveal: Reveal
    name: str


def reveal(archive: Archive, case_id: str, who: str | None, reason: str, actor: str) -> Revealed:
    """Show who stands behind a pseudonym (or is named, or, with None, bought the case's order); each call is logged, and may be repeated.

    InvalidReveal without a reason of 10 to 500 characters or a named actor; RevealRefused where the actor may not reveal or `who` isn't
    the complainant; NotFound for an unknown case. Personal data in the reason is masked before it is kept.
    """
    case = archive.cases.case(case_id)
    said = reason.strip()
    if not REASON_MIN_CHARS <= len(said) <= REASON_MAX_CHARS:
        raise InvalidReveal(f"a reveal needs a reason of {REASON_MIN_CHARS} to {REASON_MAX_CHARS} characters, which the log will keep")
    if not actor.strip():
        raise InvalidReveal("a reveal needs to know who asks: name yourself with --actor or LIVEPROOF_ACTOR")
    allowed = archive.settings.may_reveal
    if allowed and actor not in allowed:
        raise RevealRefused(f"{actor} may not reveal a complainant: LIVEPROOF_REVEALERS names who may")
    hidden = Pseudonyms(pseudonym_secret(archive.home), case.id)
    buyers = {hidden.pseudonym(name): name for name in complainants(case)}
    if not buyers:
        raise RevealRefused(f"the order of case {case_id} names no buyer, so nobody can be shown to be the complainant")
    pseudonym = next(iter(buyers)) if who is None else who if who in buyers else hidden.pseudonym(who)
    if pseudonym not in buyers:
        raise RevealRefused(f"only the buyer of case {case_id}'s order can be revealed; other viewers stay pseudonymous")
    shown = _without(said, buyers)
    now = archive.clock()
    with archive.database.writing() as connection:
        archive.custody.queue(connection)
        mine = (reveals.c.case_id == case.id, reveals.c.pseudonym == pseudonym)
        if connection.execute(select(reveals.c.pseudonym).where(*mine)).first() is None:
            connection.execute(insert(reveals).values(case_id=case.id, pseudonym=pseudonym, reason=shown, actor=actor, at_ms=now.epoch_ms))
        rows: list[Json] = [claim(connection, reveals, case_id=case.id, pseudonym=pseudonym)]
        archive.custody.append(connection, actor, "reveal", case.id, {"pseudonym": pseudonym, "reason": shown, "rows": rows})
    return Revealed(Reveal(case.id, pseudonym, shown, actor, now), buyers[pseudonym])


def reveals_of(archive: Archive, case_id: str) -> list[Reveal]:
    """The case's reveals, oldest first."""
    query = select(reveals).where(reveals.c.case_id == case_id).order_by(reveals.c.at_ms, reveals.c.pseudonym)
    with archive.database.reading() as connection:
        rows = connection.execute(query).mappings().all()
    return [Reveal(r["case_id"], r["pseudonym"], r["reason"], r["actor"], WallTime(r["at_ms"])) for r in rows]


def pseudonyms_of(archive: Archive, case: Case) -> Pseudonyms:
    """What people of this case are called: viewers by pseudonyms, the revealed complainant 投诉人, the hosts of its sessions by name."""
    hosts = {archive.catalog.recording(recording_id).host for recording_id in {moment.recording_id for moment in case.moments}}
    revealed = [each.pseudonym for each in reveals_of(archive, case.id)]
    return Pseudonyms(pseudonym_secret(archive.home), case.id, revealed, [host for host in hosts if host])


def complainants(case: Case) -> list[str]:
    """Every name and id by which the case's order knows its buyer."""
    return list(dict.fromkeys(_buyers(case.order)))


def _buyers(record: Mapping[str, Json]) -> Iterator[str]:
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from _buyers(value)
        elif buyer_key(key) and isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            yield str(value)


def _without(reason: str, buyers: Mapping[str, str]) -> str:
    """The reason as it may be kept: names of the buyer are pseudonyms, other personal data is masked."""
    for pseudonym, name in sorted(buyers.items(), key=lambda each: -len(each[1])):
        reason = reason.replace(name, pseudonym)
    return mask(reason).text
