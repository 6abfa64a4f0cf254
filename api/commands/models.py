"""`liveproof models`: which models there are, fetching them, taking them in from a stick, and holding them to their manifests."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from api import model_printing, printing
from api.commands.frame import AsJson, opened, reported
from api.settings import api_settings

if TYPE_CHECKING:
    from api.model_fetching import Download

models_app = typer.Typer(
    help="Models for speech, search by meaning and telling voices apart: which are here, fetch, take in, check.",
    invoke_without_command=True,
)
Name = Annotated[str, typer.Argument(help="tiny, base, small, medium, large-v3, large-v3-turbo, bge-small-zh-v1.5, voices-campplus-zh, …")]


@models_app.callback()
def models_default(context: typer.Context, as_json: AsJson = False) -> None:
    """Without a further word: the list."""
    if context.invoked_subcommand is None:
        models_list(as_json=as_json)


@models_app.command("list")
def models_list(
    digests: Annotated[bool, typer.Option("--digests", help="Also what each file's bytes digest to; reads all of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """What models are needed, where each was found, and what to do about those that weren't."""
    with reported(as_json), opened() as place:
        from api.model_inventory import inventory

        model_printing.listed(inventory(place, with_digests=digests), as_json)


@models_app.command("fetch")
def models_fetch(
    name: Name,
    revision: Annotated[Optional[str], typer.Option(help="Another commit, branch or tag than the one known here.")] = None,  # noqa: UP045
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree to the size without being asked; needed where nobody can be.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Only say how to bring it here without a network.")] = False,
    as_json: AsJson = False,
) -> None:
    """Download a model into LIVEPROOF_HOME/models: its size is said first, and what lands there is whole and compared with its digests.

    A download that broke off is gone on with. HF_ENDPOINT names another address of the hub (https://hf-mirror.com), HF_TOKEN a token.
    """
    with reported(as_json), opened() as place:
        from api.model_fetching import fetch, plan_download
        from api.model_inventory import published, where_held

        home = place.archive.home
        model = published(name, home)
        if offline:
            typer.echo(model_printing.offline(model, api_settings().language))
            return
        if held := where_held(model, home):
            model_printing.already(model.name, held, as_json)
            return
        download = plan_download(model, home, revision)
        _agree(download, yes)
        with printing.progress(as_json) as watch:
            manifest = fetch(download, place.archive.clock, place.archive.settings.free_space_margin_bytes, watch)
        model_printing.fetched(manifest, download.target, as_json)


@models_app.command("add")
def models_add(
    name: Annotated[str, typer.Argument(help="What to call it here; a known name (small, …) is then found by it.")],
    source: Annotated[Path, typer.Argument(help="Folder, .pt, .onnx, or a .tar, .tar.gz or .zip of one.")],
    as_json: AsJson = False,
) -> None:
    """Take a model in from a disk or a stick: it is loaded first, then copied whole or not at all."""
    with reported(as_json), opened() as place:
        from api.model_taking import take_in

        home = place.archive.home
        kind, manifest = take_in(name, source, home, place.archive.clock, place.archive.settings.free_space_margin_bytes)
        model_printing.taken_in(kind, manifest, home / "models" / name, as_json)


@models_app.command("remove")
def models_remove(name: Name, as_json: AsJson = False) -> None:
    """Remove a model from LIVEPROOF_HOME/models; transcripts that name it stay."""
    with reported(as_json), opened() as place:
        from api.model_taking import take_away

        model_printing.removed(name, take_away(name, place.archive.home), as_json)


@models_app.command("check")
def models_check(as_json: AsJson = False) -> None:
    """Compare every model here with its manifest, and load those that the settings name, as a job would."""
    with reported(as_json), opened() as place:
        from api.errors import ModelChanged
        from api.model_taking import compare_all

        compared = compare_all(place.archive.home)
        model_printing.compared(compared, as_json)
        changed = [f"{each.name} ({', '.join(each.changed)})" for each in compared if each.changed]
        if changed:
            raise ModelChanged(
                f"changed since they were taken in: {'; '.join(changed)}. Remove each with “liveproof models remove NAME” and fetch it anew"
            )
        model_printing.loaded(place, compared, as_json)


def _agree(download: "Download", yes: bool) -> None:
    """Say what would come and how large it is; ModelNotTaken if nobody agrees to it."""
    from api.errors import ModelNotTaken

    model_printing.planned(download)
    if yes:
        return
    if not sys.stdin.isatty():
        raise ModelNotTaken(
            f"nothing was downloaded: “liveproof models fetch {download.model.name} --yes” agrees to the size where nobody is asked"
        )
    if not typer.confirm(printing.say("models.agree"), err=True):
        raise ModelNotTaken("nothing was downloaded, as was wished")
