"""What every command shares: its common options, an open workplace, and errors as one line with the tabled exit code."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from api.exits import exit_code_of, explain
from api.messages import message
from api.settings import api_settings

if TYPE_CHECKING:
    from api.workplace import Workplace

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON on standard output.")]
Recording = Annotated[str, typer.Argument(help="Id of a recording, as ingest and status print it.")]
Actor = Annotated[Optional[str], typer.Option("--actor", help="Who the custody log names; default LIVEPROOF_ACTOR.")]  # noqa: UP045 - typer reads it at run time


@contextmanager
def reported(as_json: bool = False) -> Iterator[None]:
    """Turn what goes wrong into one clear line on standard error and the tabled exit code."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except KeyboardInterrupt:
        typer.echo("liveproof: " + message("command.interrupted", api_settings().language), err=True)
        raise typer.Exit(130) from None
    except Exception as error:
        text = explain(error)
        if as_json:
            print(json.dumps({"error": {"code": exit_code_of(error), "kind": type(error).__name__, "message": text}}, ensure_ascii=False))
        typer.echo(f"liveproof: {text}", err=True)
        raise typer.Exit(exit_code_of(error)) from error


@contextmanager
def opened() -> "Iterator[Workplace]":
    """The workplace of this command, closed at its end."""
    from api.workplace import open_workplace

    place = open_workplace()
    try:
        yield place
    finally:
        place.close()
