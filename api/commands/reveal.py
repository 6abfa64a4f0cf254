"""`liveproof reveal`: showing who a case's complainant is, with a reason and an entry in the custody log each time (G9)."""

from typing import Annotated, Optional

import typer

from api import printing
from api.commands.frame import Actor, AsJson, opened, reported


def reveal(
    case: Annotated[str, typer.Argument(help="Id of the case.")],
    who: Annotated[Optional[str], typer.Argument(help="Pseudonym or name; default the buyer of the case's order.")] = None,  # noqa: UP045
    reason: Annotated[str, typer.Option("--reason", help="Why the name is needed, 10 characters or more; the custody log keeps it.")] = "",
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Show who the complainant is. Only the buyer of the case's order can be shown; from then on packages call them 投诉人."""
    with reported(as_json), opened() as place:
        from archive import reveal as revealing

        shown = revealing.reveal(place.archive, case, who, reason, actor or place.archive.settings.actor)
        if as_json:
            printing.as_json({**shown.reveal.as_json(), "name": shown.name})
            return
        said = printing.say("reveal.shown", pseudonym=shown.reveal.pseudonym, name=shown.name, case=case, actor=shown.reveal.actor)
        printing.console().print(said, markup=False)
