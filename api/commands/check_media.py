"""`liveproof check-media`: decode a recording again and say what of it can't be heard or seen."""

from typing import Annotated

import typer

from api import printing
from api.commands.frame import Actor, AsJson, Recording, opened, reported


def check_media(
    recording: Recording,
    every_picture: Annotated[bool, typer.Option("--every-picture", help="Decode every picture, not the key pictures alone.")] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Decode a recording's sound and pictures and keep what is damaged, as a further check."""
    with reported(as_json), opened() as place:
        from api.custody_keeping import keep_custody
        from api.media_checking import check_recording

        with printing.progress(as_json) as watch:
            check_recording(place, recording, every_picture, actor or place.archive.settings.actor, watch)
        keep_custody(place.archive)
        printing.shown(place, recording, as_json)
