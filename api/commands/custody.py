"""`liveproof custody`: the log itself, its signed checkpoints, proofs, time-stamps and keys."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from api import printing
from api.commands.frame import Actor, AsJson, opened, reported

custody_app = typer.Typer(help="The custody log: entries, signed checkpoints, proofs, witnesses, time-stamps, keys.", no_args_is_help=True)
ENTRIES = 50


@custody_app.command("log")
def log(
    after: Annotated[int, typer.Option(min=0, help="Only entries behind this number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = ENTRIES,
    subject: Annotated[Optional[str], typer.Option(help="Only entries about this recording, case, …")] = None,  # noqa: UP045
    checkpoints: Annotated[bool, typer.Option("--checkpoints", help="List the checkpoints instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Who did what to which evidence, when; or the checkpoints that were signed."""
    with reported(as_json), opened() as place:
        out = printing.console()
        if checkpoints:
            made = [each for each in place.archive.checkpoints.all() if each.size > after][:limit]
            if as_json:
                printing.as_json({"checkpoints": [each.as_json() for each in made]})
            for each in made if not as_json else ():
                out.print(f"{each.size:>8}  {each.at.iso()}  {each.key_id}  {each.root}", markup=False)
            return
        found = place.archive.custody.page(after, limit + 1, subject)
        if as_json:
            printing.as_json({"entries": [entry.as_json() for entry in found[:limit]], "more": len(found) > limit})
            return
        for entry in found[:limit]:
            out.print(f"{entry.seq:>8}  {entry.at.iso()}  {entry.actor}  {entry.action}  {entry.subject}", markup=False)
        if len(found) > limit:
            out.print(printing.say("custody.more", seq=found[limit - 1].seq), markup=False)
        if not found:
            out.print(printing.say("custody.empty"), markup=False)


@custody_app.command("status")
def status(as_json: AsJson = False) -> None:
    """How well the log is anchored: last checkpoint, witnesses, time-stamps."""
    with reported(as_json), opened() as place:
        from api.custody import anchoring

        said = anchoring(place.archive)
        if as_json:
            printing.as_json(said.as_json())
            return
        out, say = printing.console(), printing.say
        latest = said.latest
        if latest is None:
            out.print(say("custody.no_checkpoint"), markup=False)
        else:
            out.print(say("custody.checkpoint", size=latest.size, at=latest.at.iso(), key_id=latest.key_id), markup=False)
            if said.entries > latest.size:
                out.print(say("custody.uncovered", count=said.entries - latest.size), markup=False)
        for state in said.witnesses:
            out.print(say("custody.witness", witness=state.witness, size=state.size, owed=state.owed), markup=False)
            if state.last_error:
                out.print(say("custody.failed", error=state.last_error), markup=False)
        if not said.witnesses:
            out.print(say("custody.no_witness"), markup=False)
        out.print(say("custody.stamps", granted=said.stamps.granted, pending=said.stamps.pending), markup=False)
        if said.stamps.last_error:
            out.print(say("custody.failed", error=said.stamps.last_error), markup=False)
        if not said.has_authority:
            out.print(say("custody.no_authority"), markup=False)


@custody_app.command("checkpoint")
def checkpoint(
    note: Annotated[bool, typer.Option("--note", help="Print the signed text itself, to keep elsewhere.")] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Sign the log as it stands, and bring the checkpoint to witnesses and time-stamping authorities."""
    with reported(as_json), opened() as place:
        from api.custody_keeping import keep_custody

        made = place.archive.checkpoints.make(actor or place.archive.settings.actor)
        keep_custody(place.archive)
        if as_json:
            printing.as_json(made.as_json())
        elif note:
            typer.echo(made.note, nl=False)
        else:
            printing.console().print(printing.say("custody.checkpoint", size=made.size, at=made.at.iso(), key_id=made.key_id), markup=False)


@custody_app.command("verify")
def verify(as_json: AsJson = False) -> None:
    """Check the log alone: chain, checkpoints, witnesses' copies, time-stamps."""
    with reported(as_json), opened() as place:
        from archive.verification import custody_report

        report = custody_report(place.archive, chain=True)
        printing.verified(report, as_json)
        if not report.passed:
            raise typer.Exit(9)


@custody_app.command("proof")
def proof(
    seq: Annotated[int, typer.Argument(min=1, help="Number of the entry.")],
    size: Annotated[Optional[int], typer.Option(min=1, help="Size of the checkpoint; default the first that covers it.")] = None,  # noqa: UP045
    as_json: AsJson = False,
) -> None:
    """Prove that an entry is under a signed checkpoint; --json gives the path."""
    with reported(as_json), opened() as place:
        from archive.custody_proofs import prove_inclusion

        made = prove_inclusion(place.archive, seq, size)
        if as_json:
            printing.as_json(made.as_json())
            return
        values = {"seq": seq, "action": made.entry.action, "subject": made.entry.subject, "size": made.checkpoint.size}
        printing.console().print(printing.say("custody.proof", count=len(made.path), **values), markup=False)


@custody_app.command("consistency")
def consistency(
    old: Annotated[int, typer.Argument(min=1, help="Size of the older checkpoint.")],
    new: Annotated[Optional[int], typer.Argument(min=1, help="Size of the newer one; default the latest.")] = None,  # noqa: UP045
    as_json: AsJson = False,
) -> None:
    """Prove that a checkpoint continues an earlier one; --json gives the path."""
    with reported(as_json), opened() as place:
        from archive.custody_proofs import prove_consistency

        made = prove_consistency(place.archive, old, new)
        if as_json:
            printing.as_json(made.as_json())
            return
        said = printing.say("custody.consistency", old=made.old.size, new=made.new.size, count=len(made.path))
        printing.console().print(said, markup=False)


@custody_app.command("stamps")
def stamps(
    stamp: Annotated[Optional[int], typer.Argument(min=1, help="Number of one stamp, to write it out.")] = None,  # noqa: UP045
    out: Annotated[Optional[Path], typer.Option("-o", "--out", help="Write the stamp here (.tsr), its certificates beside it.")] = None,  # noqa: UP045
    after: Annotated[int, typer.Option(min=0, help="Only stamps behind this number.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = ENTRIES,
    as_json: AsJson = False,
) -> None:
    """RFC 3161 time-stamps, held and owed; one can be written out for `openssl ts -verify`."""
    with reported(as_json), opened() as place:
        from archive.atomic_write import write_bytes_whole

        held = place.archive.stamps
        found = [held.stamp(stamp)] if stamp is not None else held.all(after, limit)
        if stamp is not None and out is not None and found[0].response is not None:
            beside = out.with_suffix(".pem")
            write_bytes_whole(out, found[0].response)
            write_bytes_whole(beside, held.certificates(found[0]) or b"")
            if not as_json:
                printing.console().print(printing.say("custody.stamp_written", file=out, certificates=beside), markup=False)
        if as_json:
            printing.as_json({"stamps": [each.as_json() for each in found]})
            return
        for each in found:
            values = {
                "id": each.id,
                "kind": printing.say(f"custody.kind.{each.kind}"),
                "subject": each.subject,
                "state": printing.say(f"custody.state.{each.state}"),
                "at": (each.gen_time or each.requested_at).iso(),
                "authority": each.authority or each.last_error or "",
            }
            printing.console().print(printing.say("custody.stamp", **values), markup=False)


@custody_app.command("key")
def key(
    rotate: Annotated[bool, typer.Option("--rotate", help="Take on another key.")] = False,
    to: Annotated[Optional[Path], typer.Option("--to", help="PEM file of the new key; default one is made.")] = None,  # noqa: UP045
    reason: Annotated[str, typer.Option(help="Why, for the log.")] = "",
    lost: Annotated[
        bool, typer.Option("--lost", help="The present key is lost: the new one goes without its word, and verify says so.")
    ] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Public keys that checkpoints were signed with, in the form that other readers of signed notes take."""
    with reported(as_json), opened() as place:
        from api.custody import key_json

        log = place.archive.checkpoints
        if rotate:
            who = actor or place.archive.settings.actor
            log.rotate(who, reason, to, lost)
            if place.archive.settings.signing_key is None:
                log.make(who)
        keys = log.logged_keys()
        if as_json:
            printing.as_json({"keys": [key_json(each) for each in keys]})
            return
        out = printing.console()
        if rotate:
            out.print(printing.say("custody.key.rotated", key_id=keys[-1].key_id), markup=False)
        for each in keys:
            said = key_json(each)
            out.print(printing.say("custody.key", key_id=each.key_id, seq=each.seq, verifier=said["verifier_key"]), markup=False)
            if not each.endorsed:
                out.print(printing.say("custody.key.unendorsed", reason=each.reason or "—"), markup=False)
        if not keys:
            out.print(printing.say("custody.no_checkpoint"), markup=False)
