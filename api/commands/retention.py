"""`liveproof retention`, `hold`, `purge` and `store`: how long what is kept, what stands in the way of letting go, and letting go."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from api import printing
from api.commands.frame import Actor, AsJson, opened, reported
from api.messages import message
from api.settings import api_settings

if TYPE_CHECKING:
    from archive.digest import Json
    from archive.holdings import Kind
    from archive.holds import Hold
    from archive.object_store import LockReport
    from archive.purging import Purged, PurgePlan

retention_app = typer.Typer(help="How long recordings are kept, and by which law or policy.", no_args_is_help=True)
hold_app = typer.Typer(help="Legal holds: while one stands, nothing that it covers is purged.", no_args_is_help=True)
store_app = typer.Typer(help="The object store.", no_args_is_help=True)
SHOWN = 50

Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the custody log.")]


@retention_app.command("show")
def show(
    recording: Annotated[Optional[str], typer.Argument(help="Id of a recording; default all.")] = None,  # noqa: UP045
    as_json: AsJson = False,
) -> None:
    """Until when recordings are kept; of one, with the laws and policies that ask for it."""
    with reported(as_json), opened() as place:
        retention = place.archive.retention
        if recording is None:
            ends = {each: retention.until(each) for each in place.archive.catalog.ids()}
            if as_json:
                printing.as_json({"recordings": [{"recording": each, "until": until.iso()} for each, until in ends.items()]})
            for each, until in ends.items() if not as_json else ():
                _say("retention.until", recording=each, until=until.iso())
            return
        until, due, versions = retention.until(recording), retention.due("recording", recording), retention.versions(recording)
        if as_json:
            recorded: list[Json] = [{"version": v.version, "until": v.until.iso(), "set_at": v.set_at.iso()} for v in versions]
            printing.as_json({"recording": recording, "until": until.iso(), "basis": list(due.basis), "recorded": recorded})
            return
        _say("retention.until", recording=recording, until=until.iso())
        for entry in due.basis:
            if isinstance(entry, Mapping):
                event = printing.say(f"retention.event.{entry['from']}")
                if entry.get("law"):
                    cited = {"law": entry["law"], "article": entry["article"], "effective": entry["effective_from"]}
                    _say("retention.law", **cited, event=event, at=entry["at"], until=entry["until"])
                else:
                    _say("retention.policy", policy=entry["policy"], event=event, at=entry["at"], until=entry["until"])
        if versions:
            _say("retention.versions", count=len(versions), at=versions[-1].set_at.iso())
        else:
            _say("retention.unrecorded")


@retention_app.command("refresh")
def refresh(
    recording: Annotated[Optional[str], typer.Argument(help="Id of a recording; default all.")] = None,  # noqa: UP045
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Compute retentions anew and lock what they cover; what is locked already stays so."""
    with reported(as_json), opened() as place:
        who, retention = actor or place.archive.settings.actor, place.archive.retention
        if recording is None:
            count = retention.refresh_all(who)
        else:
            retention.refresh(recording, who)
            count = 1
        if as_json:
            printing.as_json({"refreshed": count})
        else:
            _say("retention.refreshed", count=count)


@retention_app.command("rules")
def rules(as_json: AsJson = False) -> None:
    """The table of rules: law, article, effective date, period."""
    with reported(as_json), opened() as place:
        table = place.archive.retention.rules
        if as_json:
            printing.as_json({"rules": [rule.as_json() for rule in table]})
            return
        for rule in table:
            events = "/".join(printing.say(f"retention.event.{event}") for event in rule.events)
            length = " ".join(
                printing.say(f"retention.{unit}", count=count) for unit, count in (("years", rule.years), ("days", rule.days)) if count
            )
            shown = {"rule": rule.id, "length": length, "events": events, "platforms": " ".join(rule.platforms)}
            if rule.law:
                _say("retention.rule_law", law=rule.law, article=rule.article, effective=rule.effective_from, **shown)
            else:
                _say("retention.rule_policy", policy=rule.policy, **shown)


@hold_app.command("place")
def place_hold(
    reason: Reason,
    recording: Annotated[Optional[str], typer.Option("--recording", help="Id of the recording to hold.")] = None,  # noqa: UP045
    case: Annotated[Optional[str], typer.Option("--case", help="Id of the case to hold, with its recordings and papers.")] = None,  # noqa: UP045
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Hold a recording, or a case with its recordings, attachments and packages."""
    with reported(as_json), opened() as place:
        from archive.errors import InvalidHold

        if (recording is None) == (case is None):
            raise InvalidHold(message("hold.what", api_settings().language))
        kind: Kind = "recording" if recording is not None else "case"
        hold = place.archive.retention.place_hold(kind, recording or case or "", reason, actor or place.archive.settings.actor)
        _show_hold(hold, "hold.placed", as_json)


@hold_app.command("release")
def release_hold(
    hold: Annotated[str, typer.Argument(help="Id of the hold, as place and list print it.")],
    reason: Reason,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Release a hold; what no other one covers may be purged once its retention ends."""
    with reported(as_json), opened() as place:
        released = place.archive.retention.release_hold(hold, reason, actor or place.archive.settings.actor)
        _show_hold(released, "hold.released", as_json)


@hold_app.command("list")
def list_holds(
    everything: Annotated[bool, typer.Option("--all", help="Also those that were released.")] = False, as_json: AsJson = False
) -> None:
    """Holds that stand, oldest first."""
    with reported(as_json), opened() as place:
        found = place.archive.retention.holds(released=everything)
        if as_json:
            printing.as_json({"holds": [hold.as_json() for hold in found]})
            return
        for hold in found:
            _show_hold(hold, "hold.released" if hold.released_at else "hold.standing", False)
        if not found:
            _say("hold.none")


def purge(
    yes: Annotated[Optional[str], typer.Option("--yes", help="Digest of the plan to carry out, as the dry run prints it.")] = None,  # noqa: UP045
    reason: Annotated[str, typer.Option(help="Stands on the tombstones and in the custody log.")] = "retention ended",
    tombstones: Annotated[bool, typer.Option("--tombstones", help="List what was purged instead.")] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Show what may go because its retention has ended; with --yes and the plan's digest, let it go. Tombstones stay."""
    with reported(as_json), opened() as place:
        if tombstones:
            stones = place.archive.retention.tombstones()
            if as_json:
                printing.as_json({"tombstones": [stone.as_json() for stone in stones]})
            for stone in stones if not as_json else ():
                shown = {"subject": stone.subject, "at": stone.purged_at.iso(), "actor": stone.actor, "reason": stone.reason}
                _say("tombstone.line", kind=_kind(stone.kind), count=len(stone.digests), **shown)
            return
        if yes is None:
            _show_plan(place.archive.retention.plan_purge(), as_json)
            return
        from api.purging import purge as carry_out

        _show_purged(carry_out(place, yes, actor or place.archive.settings.actor, reason), as_json)


@store_app.command("check")
def check_store(actor: Actor = None, as_json: AsJson = False) -> None:
    """Lock a canary and try to delete, shorten and overwrite it. Fails where the store only pretends to lock."""
    with reported(as_json), opened() as place:
        from archive.lock_check import check_lock
        from archive.object_store import assert_enforced

        report = check_lock(place.archive, actor, refuse=False)
        if as_json and report.enforced:
            printing.as_json(report.as_json())
        elif not as_json:
            _show_report(report)
        assert_enforced(report)


def _show_report(report: "LockReport") -> None:
    if report.enforced:
        _say("store.lock_server" if report.by == "server" else "store.lock_program", store=report.store, at=report.at.iso())
    for trial in report.trials:
        outcome = printing.say("store.withstood" if trial.withstood else "store.broken")
        _say("store.trial", name=trial.name, outcome=outcome, answer=trial.answer)


def _show_plan(plan: "PurgePlan", as_json: bool) -> None:
    if as_json:
        printing.as_json(plan.as_json())
        return
    if plan.items:
        _say("purge.would_head", count=len(plan.items))
    for item in plan.items:
        shown = {"kind": _kind(item.kind), "subject": item.subject, "until": item.until.iso(), "mib": item.size_bytes >> 20}
        _say("purge.would", objects=len(item.digests) - len(item.shared), shared=len(item.shared), **shown)
    if plan.unfinished:
        _say("purge.unfinished", count=len(plan.unfinished))
    if plan.kept:
        _say("purge.kept", count=len(plan.kept))
    for kept in plan.kept[:SHOWN]:
        until = kept.until.iso() if kept.until else "—"
        _say("purge.kept." + kept.why, kind=_kind(kept.kind), subject=kept.subject, by=kept.by or "", until=until)
    if plan.items or plan.unfinished:
        _say("purge.how", digest=plan.digest)
    else:
        _say("purge.nothing")


def _show_purged(done: "Purged", as_json: bool) -> None:
    if as_json:
        items: list[Json] = [item.as_json() for item in done.items]
        printing.as_json({"purged": items, "removed": list(done.removed), "left": list(done.left)})
        return
    _say("purge.done", count=len(done.items), objects=len(done.removed))
    if done.left:
        _say("purge.left", count=len(done.left))


def _show_hold(hold: "Hold", key: Literal["hold.placed", "hold.standing", "hold.released"], as_json: bool) -> None:
    if as_json:
        printing.as_json(hold.as_json())
        return
    shown = {"hold": hold.id, "kind": _kind(hold.kind), "subject": hold.subject}
    if key == "hold.placed":
        _say(key, reason=hold.reason, **shown)
    elif key == "hold.standing" or hold.released_at is None:
        _say("hold.standing", actor=hold.placed_by, at=hold.placed_at.iso(), reason=hold.reason, **shown)
    else:
        _say(key, actor=hold.released_by, at=hold.released_at.iso(), reason=hold.release_reason, **shown)


def _kind(kind: "Kind") -> str:
    return printing.say(f"kind.{kind}")


def _say(key: str, **values: object) -> None:
    printing.console().print(printing.say(key, **values), markup=False)
