"""`liveproof clock`: what time of day a recording's moments were, how that is known and how surely, and setting it by hand."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from api import printing
from api.commands.frame import Actor, AsJson, Recording, opened, reported
from api.messages import message, named
from api.settings import api_settings

if TYPE_CHECKING:
    from api.clock_estimating import Estimated
    from api.workplace import Workplace
    from archive.recording import Part
    from archive.recording import Recording as HeldRecording

PIECES_SHOWN = 12


def clock(
    recording: Recording,
    anchor: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="PART@MEDIA=WALL, e.g. 1@0:10=2026-11-18T20:00:10+08:00±2: it was WALL then (± in s); repeatable."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Where an anchor's time was seen; it stands in the custody log.")] = "",
    only: Annotated[bool, typer.Option("--only", help="Forget the anchors set before.")] = False,
    from_subtitle: Annotated[Optional[Path], typer.Option(help="A time subtitle: captions that say the time of day.")] = None,  # noqa: UP045
    part: Annotated[Optional[int], typer.Option(min=1, help="The part that --from-subtitle is of.")] = None,  # noqa: UP045
    estimate: Annotated[bool, typer.Option("--estimate", help="Hold the chat against the speech that answers it, again.")] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Show a recording's clock: parts, pieces, ±, how it is known, every version; or set it. Nothing is overwritten."""
    with reported(as_json), opened() as place:
        from api.clock_shapes import clock_json, estimated_json
        from archive.errors import InvalidClock

        who = actor or place.archive.settings.actor
        held = place.archive.catalog.recording(recording)
        if sum((bool(anchor), from_subtitle is not None, estimate)) > 1:
            raise InvalidClock(message("clock.one_way", api_settings().language))
        done: Estimated | None = None
        if anchor:
            _anchor(place, held, anchor, reason, who, only)
        elif from_subtitle is not None:
            _by_subtitle(place, held, from_subtitle, part, who)
        elif estimate:
            from api.clock_setting import estimate_again

            done = estimate_again(place, recording, who)
        if as_json:
            printing.as_json({**clock_json(place, recording), **({"estimate": estimated_json(done)} if done else {})})
            return
        if done:
            why = named("clock_why", done.speech.why, api_settings().language) if done.speech.why else ""
            _say(f"clock_decision.{done.decision}", why=why)
        _show(place, recording)


def _anchor(place: "Workplace", held: "HeldRecording", anchors: list[str], reason: str, who: str, only: bool) -> None:
    from api.clock_setting import set_anchors
    from ingest.clock_anchors import parse_anchor

    set_anchors(place, held, [parse_anchor(text, held) for text in anchors], reason, who, only)


def _by_subtitle(place: "Workplace", held: "HeldRecording", file: Path, part: int | None, who: str) -> None:
    from api.clock_setting import set_by_subtitle
    from archive.errors import InvalidClock

    if part is None and len(held.parts) > 1:
        raise InvalidClock(message("clock.which_part", api_settings().language))
    set_by_subtitle(place, held, part or 1, file, who)


def _show(place: "Workplace", recording_id: str) -> None:
    from archive.timeline import format_ms

    archive = place.archive
    recording = archive.catalog.recording(recording_id)
    for held in recording.parts:
        _show_part(held)
    for gap in recording.gaps:
        _say("clock.gap", start=format_ms(gap.start_ms), end=format_ms(gap.end_ms), reason=_named("gap", gap.reason))
    for start, end in recording.overlaps:
        _say("clock.overlap", start=format_ms(start), end=format_ms(end))
    holding = {shift.source: shift for shift in archive.clocks.shifts(recording_id)}
    for number, source in enumerate(archive.catalog.sources(recording_id), 1):
        if source.role != "chat":
            continue
        shift = holding.get(number)
        if shift is None:
            _say("clock.chat_as_came", file=source.file_name)
            continue
        told = {"sure": f"{shift.uncertainty_ms / 1000:g}", "method": _named("clock_method", shift.method), "version": shift.version}
        _say("clock.chat", file=source.file_name, shift=f"{shift.shift_ms / 1000:+g}", **told)
    versions = archive.clocks.maps(recording_id)
    if any(version.clock.version > 1 for version in versions):
        _say("clock.history_head")
        for version in versions:
            wall = version.clock.to_wall(version.clock.starts_at_ms)
            _say(
                "clock.history",
                part=version.part,
                version=version.clock.version,
                wall=wall.iso() if wall else "—",
                sure=f"{version.clock.uncertainty_ms / 1000:g}",
                method=_named("clock_method", version.clock.method),
                made=version.made_at.iso() if version.made_at else printing.say("clock.at_admission"),
            )


def _show_part(part: "Part") -> None:
    from archive.timeline import format_ms

    known = part.clock
    span = {"start": format_ms(part.start_ms), "end": format_ms(part.end_ms), "version": known.version}
    _say("clock.part", number=part.number, file=part.file_name)
    wall = known.to_wall(part.start_ms)
    if wall is None:
        _say("clock.line_unknown", **span)
        return
    method = _named("clock_method", known.method)
    _say("clock.line", wall=wall.iso(), sure=f"{known.uncertainty_ms / 1000:g}", method=method, **span)
    for piece in known.pieces[:PIECES_SHOWN] if len(known.pieces) > 1 or any(piece.rate_ppm for piece in known.pieces) else ():
        _say(
            "clock.piece",
            media=format_ms(piece.media_from_ms),
            wall=piece.wall.iso(),
            sure=f"{piece.uncertainty_ms / 1000:g}",
            rate=f"{piece.rate_ppm:+}",
            residual=f"{piece.residual_ms / 1000:g}",
            method=_named("clock_method", piece.method),
        )
    if len(known.pieces) > PIECES_SHOWN:
        _say("clock.pieces_more", count=len(known.pieces) - PIECES_SHOWN)


def _named(kind: str, name: str) -> str:
    return named(kind, name, api_settings().language)


def _say(key: str, **values: object) -> None:
    printing.console().print(printing.say(key, **values), markup=False, highlight=False)
