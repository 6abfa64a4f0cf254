"""`liveproof models`: the speech and sentence models."""

from typing import Annotated

import typer

from api import printing
from api.commands.frame import AsJson, opened, reported

models_app = typer.Typer(help="Speech and sentence models: what each setting needs and where it is.", invoke_without_command=True)


@models_app.callback()
def models_default(context: typer.Context, as_json: AsJson = False) -> None:
    """Without a further word: the list."""
    if context.invoked_subcommand is None:
        models_list(as_json)


@models_app.command("fetch")
def models_fetch(
    name: Annotated[str, typer.Argument(help="tiny, base, small, medium, large-v3, large-v3-turbo, …")], as_json: AsJson = False
) -> None:
    """Download a speech model into LIVEPROOF_HOME/models, whole or not at all; its size is said first."""
    with reported(as_json), opened() as place:
        from transcribe.models import fetch_model

        def announce(model: str, size_bytes: int) -> None:
            typer.echo(printing.say("command.fetching", model=model, mb=size_bytes // 1_000_000), err=True)

        fetched = fetch_model(name, place.archive.home, announce)
        printing.model_fetched(fetched.name, str(fetched.path), fetched.digest(), as_json)


@models_app.command("check")
def models_check(as_json: AsJson = False) -> None:
    """Load the speech model and the sentence model that the settings name, as a job would."""
    with reported(as_json), opened() as place:
        engine, embedder = place.engine, place.embedder
        printing.models_checked(engine.model, engine.model_digest, embedder.name if embedder else None, as_json)


@models_app.command("list")
def models_list(as_json: AsJson = False) -> None:
    """What models are needed, where each was found, and what to do about those that weren't."""
    with reported(as_json), opened() as place:
        from api.model_inventory import inventory

        printing.models_listed(inventory(place), as_json)
