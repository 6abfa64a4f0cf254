"""`liveproof screen-text`: what stood on the screen of a recording, when and where, and reading it now."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from api import printing
from api.commands.frame import Actor, AsJson, Recording, opened, reported
from api.messages import named
from api.settings import api_settings

if TYPE_CHECKING:
    from archive.digest import Json

LINES_SHOWN = 400


def screen_text(
    recording: Recording,
    read: Annotated[bool, typer.Option("--read", help="Read its pictures now, as a further version.")] = False,
    begin: Annotated[Optional[str], typer.Option("--from", help="From this moment of the recording, e.g. 1:13.5.")] = None,  # noqa: UP045
    end: Annotated[Optional[str], typer.Option("--to", help="Up to this moment.")] = None,  # noqa: UP045
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Show the lines that stood on the screen, with times and boxes (left, top, width, height in percent of the picture)."""
    with reported(as_json), opened() as place:
        from api.custody_keeping import keep_custody
        from api.operations import index
        from api.screen_reading import read_screen
        from api.screens import screen_text_json
        from archive.timeline import parse_ms

        if read:
            with printing.progress(as_json) as watch:
                read_screen(place, recording, actor or place.archive.settings.actor, watch)
            if place.archive.transcripts.newest_version(recording):
                index(place, recording)
            keep_custody(place.archive)
        told = screen_text_json(place, recording, parse_ms(begin) if begin else None, parse_ms(end) if end else None)
        if as_json:
            printing.as_json(told)
        else:
            _show(recording, told)
            for part in place.archive.catalog.recording(recording).parts:
                if part.times_joined:
                    _say("screen.jumps", number=part.number)


def _show(recording: str, told: "Mapping[str, Json]") -> None:
    from archive.timeline import format_ms

    readings, texts = told["readings"], told["texts"]
    if not isinstance(readings, list) or not isinstance(texts, list) or not readings:
        _say("screen.unread", recording=recording)
        return
    for reading in readings:
        _reading(reading)
    for line in texts[:LINES_SHOWN]:
        box = " ".join(f"{100 * share:.0f}" for share in line["box"])
        sure = f"{line['confidence']:.0%}" if line["confidence"] is not None else "—"
        _say("screen.line", start=format_ms(line["start_ms"]), end=format_ms(line["end_ms"]), text=line["text"], box=box, sure=sure)
    if len(texts) > LINES_SHOWN:
        _say("screen.more", count=len(texts) - LINES_SHOWN)


def _reading(reading: "Mapping[str, Json]") -> None:
    if not reading["frames"]:
        _say("screen.no_pictures", number=reading["part"])
        return
    told = {name: reading[name] for name in ("frames", "lines", "version", "engine", "engine_version")}
    _say("screen.part", number=reading["part"], **told)
    parameters = reading["parameters"]
    notes = parameters.get("notes") if isinstance(parameters, Mapping) else None
    left_out = notes.get("left_out") if isinstance(notes, Mapping) else None
    if isinstance(left_out, Mapping) and left_out:
        language = api_settings().language
        counts = [f"{named('screen_left_out', why, language)} {count}" for why, count in left_out.items()]
        _say("screen.left_out", counts=" · ".join(counts))


def _say(key: str, **values: object) -> None:
    printing.console().print(printing.say(key, **values), markup=False, highlight=False)
