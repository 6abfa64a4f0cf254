"""`liveproof case`: disputes from their intake on."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from api import printing
from api.commands.frame import Actor, AsJson, Recording, opened, reported

case_app = typer.Typer(help="Disputes: open a case, rest it on moments, look at it.", no_args_is_help=True)


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
        printing.case_shown(case, as_json)


@case_app.command("add")
def case_add(
    case: Annotated[str, typer.Argument(help="Id of the case.")],
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
        printing.case_shown(place.archive.cases.case(case), as_json)


@case_app.command("show")
def case_show(case: Annotated[str, typer.Argument(help="Id of the case.")], as_json: AsJson = False) -> None:
    """One case with its moments."""
    with reported(as_json), opened() as place:
        printing.case_shown(place.archive.cases.case(case), as_json)


@case_app.command("list")
def case_list(as_json: AsJson = False) -> None:
    """All cases, newest first."""
    with reported(as_json), opened() as place:
        printing.cases_listed(place.archive.cases.cases(), as_json)
