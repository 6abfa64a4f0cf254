"""`liveproof transcribe`: hear a recording anew, or have another recogniser hear what its transcript says."""

from typing import Annotated, Literal, Optional

import typer

from api import printing
from api.commands.frame import AsJson, Recording, opened, reported
from api.settings import api_settings

Engine = Literal["faster-whisper", "openai-whisper"]


def transcribe(
    recording: Recording,
    model: Annotated[Optional[str], typer.Option(help="Name, CTranslate2 folder or .pt file; default LIVEPROOF_WHISPER_MODEL.")] = None,  # noqa: UP045
    engine: Annotated[Optional[Engine], typer.Option(help="faster-whisper or openai-whisper; default LIVEPROOF_WHISPER_ENGINE.")] = None,  # noqa: UP045
    language: Annotated[Optional[str], typer.Option(help="zh, en, ja, … or auto; default LIVEPROOF_WHISPER_LANGUAGE.")] = None,  # noqa: UP045
    beam: Annotated[Optional[int], typer.Option(min=1, max=20, help="Hypotheses followed; default LIVEPROOF_WHISPER_BEAM.")] = None,  # noqa: UP045
    second: Annotated[
        bool, typer.Option("--second-opinion", help="Have another recogniser hear it and mark where the two disagree; no words change.")
    ] = False,
    from_: Annotated[Optional[str], typer.Option("--from", help="Second opinion: from here, in milliseconds or 1:00.")] = None,  # noqa: UP045
    to: Annotated[Optional[str], typer.Option("--to", help="Second opinion: up to here.")] = None,  # noqa: UP045
    segments: Annotated[Optional[str], typer.Option(help="Second opinion: only on these segments, by number, e.g. 3,4.")] = None,  # noqa: UP045
    as_json: AsJson = False,
) -> None:
    """Hear a recording anew: a further transcript version; the older ones stay, and so do people's edits.

    What is given here is kept with the job, so that a killed one goes on alike when liveproof work takes it up.
    """
    with reported(as_json), opened() as place:
        from api.processing import open_jobs, transcribe_again
        from api.second_opinions import start_second_opinion
        from api.told_settings import settings_with
        from api.transcript_printing import second_opinion_lines, waiting_lines
        from archive.timeline import parse_ms
        from archive.transcripts import machine_version
        from ingest.errors import InvalidRequest

        place.archive.catalog.recording(recording)
        if not second and (from_ or to or segments):
            raise InvalidRequest("--from, --to and --segments say what --second-opinion is wanted on: a recording is heard anew as a whole")
        with printing.progress(as_json) as watch, open_jobs(place, watch) as jobs:
            if second:
                if language or beam:
                    place.transcribe_settings = settings_with(place.transcribe_settings, language=language, beam=beam)
                spans = (parse_ms(from_) if from_ else None, parse_ms(to) if to else None)
                started = start_second_opinion(jobs, place, recording, *spans, numbers(segments), engine, model)
                jobs.wait(str(started["job"]))
            else:
                settings = settings_with(place.transcribe_settings, model=model, engine=engine, language=language, beam=beam)
                jobs.wait(transcribe_again(jobs, recording, settings))
        printing.shown(place, recording, as_json)
        newest = None if as_json else place.archive.transcripts.latest(recording)
        if newest:
            machine = place.archive.transcripts.version(recording, machine_version(newest))
            for line in (*second_opinion_lines(machine, api_settings().language), *waiting_lines(newest, api_settings().language)):
                printing.console().print(f"  {line}", markup=False)


def numbers(given: str | None) -> list[int]:
    """`3,4` as numbers. InvalidRequest for anything else."""
    from ingest.errors import InvalidRequest

    pieces = [piece.strip() for piece in (given or "").split(",") if piece.strip()]
    if not all(piece.isascii() and piece.isdecimal() for piece in pieces):
        raise InvalidRequest(f"--segments takes numbers with commas between them, e.g. 3,4, not {given}")
    return [int(piece) for piece in pieces]
