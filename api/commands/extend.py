"""`liveproof extend`: later parts, chat, shelf or captions of a recording that is held, or the word that it is over."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from api import printing
from api.commands.frame import Actor, AsJson, Recording, opened, reported


def extend(
    recording: Recording,
    media: Annotated[Optional[list[Path]], typer.Option("--media", help="Later media file; again for more, in order.")] = None,  # noqa: UP045
    chat: Annotated[Optional[list[Path]], typer.Option("--chat", help="Chat log; again for more.")] = None,  # noqa: UP045
    products: Annotated[Optional[Path], typer.Option("--products", help="The shelf, where none is held.")] = None,  # noqa: UP045
    events: Annotated[Optional[Path], typer.Option("--events", help="What was on air when, where that isn't held.")] = None,  # noqa: UP045
    captions: Annotated[Optional[Path], typer.Option("--captions", help="Captions, where none are held.")] = None,  # noqa: UP045
    close: Annotated[bool, typer.Option("--close", help="Nothing more will come: the room is not live any more.")] = False,
    no_process: Annotated[bool, typer.Option("--no-process", help="Take in only; liveproof work carries on later.")] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Let a recording grow by what came later, then transcribe and index what is new.

    Files that it holds already are skipped, so that running it again changes nothing.
    """
    with reported(as_json):
        from api import operations
        from api.custody_keeping import keep_custody
        from api.processing import open_jobs, process_or_index
        from ingest.extension import ExtendRequest

        request = ExtendRequest(tuple(media or ()), tuple(chat or ()), products, events, captions, closes=close)
        with opened() as place:
            with printing.progress(as_json) as watch:
                extended = operations.extend(place, recording, request, actor or place.archive.settings.actor, watch)
                held = operations.holding(place, recording)
                if not no_process and (held.recording.has_media or held.transcript):
                    with open_jobs(place, watch) as jobs:
                        jobs.wait(process_or_index(jobs, recording))
                keep_custody(place.archive)
            printing.extended(place, extended, not no_process, as_json)
