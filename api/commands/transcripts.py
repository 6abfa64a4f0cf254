"""`liveproof transcript`: what people do to transcripts. The machine's words stay whatever is done."""

from typing import Annotated, Optional

import typer

from api import case_printing
from api.commands.frame import Actor, AsJson, Recording, opened, reported

transcript_app = typer.Typer(help="Transcripts: read one, correct a segment.", no_args_is_help=True)


@transcript_app.command("show")
def transcript_show(
    recording: Recording,
    version: Annotated[Optional[int], typer.Option(min=1, help="Which version; default the newest.")] = None,  # noqa: UP045
    as_json: AsJson = False,
) -> None:
    """A transcript with the numbers of its segments."""
    with reported(as_json), opened() as place:
        from api.transcript_printing import edits_by_segment
        from archive.errors import NotFound

        place.archive.catalog.recording(recording)
        found = place.archive.transcripts.version(recording, version) if version else place.archive.transcripts.latest(recording)
        if found is None:
            raise NotFound(f"recording {recording} has no transcript yet: run liveproof work")
        case_printing.transcript_shown(found, as_json, edits_by_segment(place, found))


@transcript_app.command("edit")
def transcript_edit(
    recording: Recording,
    segment: Annotated[int, typer.Argument(min=1, help="Number of the segment, as transcript show prints it.")],
    text: Annotated[str, typer.Argument(help="What was really said.")],
    reason: Annotated[str, typer.Option(help="Why, e.g. heard three times.")],
    version: Annotated[Optional[int], typer.Option(min=1, help="Refuse if this is no longer the newest version.")] = None,  # noqa: UP045
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Correct a segment: a further version that names before, after, who, when and why. The machine's words stay (G7)."""
    with reported(as_json), opened() as place:
        from api.transcript_edits import edit_transcript

        edited = edit_transcript(place, recording, segment, text, reason, actor or place.archive.settings.actor, version)
        case_printing.transcript_edited(edited, segment, as_json)
