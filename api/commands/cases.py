"""`liveproof case`: disputes from their intake to their review."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from api import case_printing
from api.commands.frame import Actor, AsJson, Recording, opened, reported
from api.printing import progress

case_app = typer.Typer(help="Disputes: open a case, rest it on moments and papers, take it through its stages.", no_args_is_help=True)
Case = Annotated[str, typer.Argument(help="Id of the case.")]


@case_app.command("open")
def case_open(
    title: Annotated[Optional[str], typer.Option(help="What the case is called.")] = None,  # noqa: UP045
    complaint: Annotated[Optional[Path], typer.Option(help="JSON: case_title, problem_class, text, demand.")] = None,  # noqa: UP045
    order: Annotated[Optional[Path], typer.Option(help="JSON: order_id, product_id, paid_at, amount_minor, buyer.")] = None,  # noqa: UP045
    text: Annotated[Optional[str], typer.Option(help="The complaint in the buyer's words.")] = None,  # noqa: UP045
    case_id: Annotated[Optional[str], typer.Option("--id", help="Id; default the next number.")] = None,  # noqa: UP045
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Open a case from a complaint and an order."""
    with reported(as_json), opened() as place:
        from api.intake import open_case

        case = open_case(place, case_id, title, text, complaint, order, actor or place.archive.settings.actor)
        case_printing.case_shown(case, as_json)


@case_app.command("add")
def case_add(
    case: Case,
    recording: Recording,
    from_: Annotated[str, typer.Option("--from", help="Start: milliseconds, or 1:13.5")],
    to: Annotated[str, typer.Option("--to", help="End: milliseconds, or 1:20")],
    purpose: Annotated[str, typer.Option(help="What it is to prove.")] = "",
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Rest a case on a span of a recording."""
    with reported(as_json), opened() as place:
        from api import operations
        from archive.timeline import parse_ms

        operations.add_moment(place, case, recording, parse_ms(from_), parse_ms(to), purpose, actor or place.archive.settings.actor)
        case_printing.case_shown(place.archive.cases.case(case), as_json)


@case_app.command("attach")
def case_attach(
    case: Case,
    file: Annotated[Path, typer.Argument(help="The paper, as it is.")],
    kind: Annotated[str, typer.Option(help="im_log, outbound, inspection, logistics, sign_off, photo, document, assistant, call, other.")],
    title: Annotated[str, typer.Option(help="What it is called; default the file's name.")] = "",
    purpose: Annotated[str, typer.Option(help="What it is to prove.")] = "",
    withheld: Annotated[bool, typer.Option("--withheld", help="Packages get its digest alone.")] = False,
    started_at: Annotated[Optional[str], typer.Option("--started-at", help="When a call began: 2026-11-18T20:00:00+08:00")] = None,  # noqa: UP045
    no_read: Annotated[bool, typer.Option("--no-read", help="Attach only; liveproof work reads or hears it later.")] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Add a paper or a call to a case: kept unchanged, hashed, and read or heard so that the case can be searched."""
    with reported(as_json), opened() as place, progress(as_json) as watch:
        from api.case_papers import attach_paper, start_reading
        from api.processing import open_jobs
        from archive.timeline import WallTime

        who, began = actor or place.archive.settings.actor, WallTime.parse(started_at) if started_at else None
        paper = attach_paper(
            place, case, file, kind, who, title=title, purpose=purpose, withheld=withheld, started_at=began, progress=watch
        )
        if not no_read:
            with open_jobs(place, watch) as jobs:
                jobs.wait(start_reading(jobs, case, paper))
        case_printing.attached(paper, as_json, place.archive.records.overview(case).get(paper.number))


@case_app.command("read")
def case_read(
    case: Case,
    number: Annotated[Optional[int], typer.Argument(min=1, help="Number of the attachment; default all papers.")] = None,  # noqa: UP045
    as_json: AsJson = False,
) -> None:
    """Read papers anew: a further version of their text; the older ones stay."""
    with reported(as_json), opened() as place, progress(as_json) as watch:
        from api.processing import open_jobs
        from api.record_reading import read_again, readable

        held = place.archive.cases.case(case).attachments
        standing = [paper.number for paper in held if paper.withdrawn_at is None and paper.recording_id is None]
        with open_jobs(place, watch) as jobs:
            for each in [readable(place, case, number).number] if number else standing:
                jobs.wait(read_again(jobs, case, each))
        case_printing.read(place.archive.cases.case(case), place.archive.records.overview(case), number, as_json)


@case_app.command("withdraw")
def case_withdraw(
    case: Case,
    number: Annotated[int, typer.Argument(min=1, help="Number of the attachment.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Take an attachment out of what a case rests on. It stays held, and its digest in every package."""
    with reported(as_json), opened() as place:
        from api.case_papers import withdraw_paper

        paper = withdraw_paper(place, case, number, reason, actor or place.archive.settings.actor)
        case_printing.attached(paper, as_json)


@case_app.command("step")
def case_step(
    case: Case,
    stage: Annotated[str, typer.Argument(help="intake, verification, proposal, execution, review or closed.")],
    text: Annotated[str, typer.Option(help="What was found or done; the reason, where the case goes back.")] = "",
    problem_class: Annotated[Optional[str], typer.Option("--class", help="intake: quality, service or subjective.")] = None,  # noqa: UP045
    finding: Annotated[Optional[str], typer.Option(help="verification: confirmed, partly_confirmed, refuted or unclear.")] = None,  # noqa: UP045
    decision: Annotated[Optional[str], typer.Option(help="proposal: refund, compensation, exchange, explanation, rejection, …")] = None,  # noqa: UP045
    amount_minor: Annotated[Optional[int], typer.Option(help="proposal, execution: amount in the minor unit, 29900 for ¥299.")] = None,  # noqa: UP045
    currency: Annotated[Optional[str], typer.Option(help="Currency of the amount, e.g. CNY.")] = None,  # noqa: UP045
    reference: Annotated[Optional[str], typer.Option(help="execution: number of the payment or parcel.")] = None,  # noqa: UP045
    root_cause: Annotated[Optional[str], typer.Option(help="review: description_unclear, host_misstatement, packing, …")] = None,  # noqa: UP045
    outcome: Annotated[Optional[str], typer.Option(help="closed: accepted, platform_arbitration, court or withdrawn.")] = None,  # noqa: UP045
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Take a case to its next stage, note something in the one it is in, or take it back with a reason."""
    with reported(as_json), opened() as place:
        from api.intake import take_step

        given = {
            "class": problem_class,
            "finding": finding,
            "decision": decision,
            "amount_minor": amount_minor,
            "currency": currency,
            "reference": reference,
            "root_cause": root_cause,
            "outcome": outcome,
        }
        detail = {name: value for name, value in given.items() if value is not None}
        case_printing.case_shown(take_step(place, case, stage, text, detail, actor or place.archive.settings.actor), as_json)


@case_app.command("show")
def case_show(case: Case, as_json: AsJson = False) -> None:
    """One case with its moments, papers and steps."""
    with reported(as_json), opened() as place:
        case_printing.case_shown(place.archive.cases.case(case), as_json, place.archive.records.overview(case))


@case_app.command("list")
def case_list(as_json: AsJson = False) -> None:
    """All cases, newest first."""
    with reported(as_json), opened() as place:
        case_printing.cases_listed(place.archive.cases.cases(), as_json)
