"""The command `liveproof`: what an agent, a script or an assistant types."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from api import printing
from api.commands.capture import capture
from api.commands.cases import case_app
from api.commands.check_media import check_media
from api.commands.clock import clock
from api.commands.custody import custody_app
from api.commands.extend import extend
from api.commands.frame import Actor, AsJson, Recording, opened, reported
from api.commands.jobs import jobs_app
from api.commands.judge import judge_app
from api.commands.models import models_app
from api.commands.promises import promises
from api.commands.retention import hold_app, purge, retention_app, store_app
from api.commands.reveal import reveal
from api.commands.screen_text import screen_text
from api.commands.transcribe import transcribe
from api.commands.transcripts import transcript_app
from api.commands.upload import upload
from api.commands.watch import watch
from api.exits import exit_code_of
from api.messages import message
from api.settings import api_settings

if TYPE_CHECKING:
    from api.workplace import Workplace

app = typer.Typer(
    name="liveproof",
    help="Keeps livestream recordings as evidence and finds the second in which the host promised it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(case_app, name="case")
app.add_typer(custody_app, name="custody")
app.add_typer(jobs_app, name="jobs")
app.add_typer(judge_app, name="judge")
app.add_typer(models_app, name="models")
app.add_typer(retention_app, name="retention")
app.add_typer(hold_app, name="hold")
app.add_typer(store_app, name="store")
app.command()(check_media)
app.command()(capture)
app.command()(clock)
app.command()(extend)
app.command()(promises)
app.command()(purge)
app.command()(reveal)
app.command(name="screen-text")(screen_text)
app.command()(transcribe)
app.command()(upload)
app.command()(watch)
app.add_typer(transcript_app, name="transcript")


def main() -> None:
    """Entry of the console script."""
    app()


@app.command()
def ingest(
    media: Annotated[Optional[list[Path]], typer.Argument(help="Media files; several are the parts of one session, in order.")] = None,  # noqa: UP045
    recording_id: Annotated[Optional[str], typer.Option("--id", help="Id to hold it under; default: made from the content.")] = None,  # noqa: UP045
    chat: Annotated[Optional[list[Path]], typer.Option("--chat", help="Chat log; again for each part.")] = None,  # noqa: UP045
    captions: Annotated[Optional[Path], typer.Option("--captions", help="SRT, VTT, ASS, LRC, Whisper JSON; alone: no media held.")] = None,  # noqa: UP045
    products: Annotated[Optional[Path], typer.Option("--products", help="The shelf, JSON or CSV.")] = None,  # noqa: UP045
    events: Annotated[Optional[Path], typer.Option("--events", help="What was on air when, JSON or CSV.")] = None,  # noqa: UP045
    started_at: Annotated[Optional[str], typer.Option("--started-at", help="2026-11-18T20:00:00+08:00")] = None,  # noqa: UP045
    platform: Annotated[Optional[str], typer.Option(help="douyin, taobao, kuaishou, bilibili, …")] = None,  # noqa: UP045
    room: Annotated[Optional[str], typer.Option(help="Room id on the platform.")] = None,  # noqa: UP045
    host: Annotated[Optional[str], typer.Option(help="Who hosted.")] = None,  # noqa: UP045
    title: Annotated[Optional[str], typer.Option(help="The session's title.")] = None,  # noqa: UP045
    no_process: Annotated[bool, typer.Option("--no-process", help="Admit only; liveproof work carries on later.")] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Admit a session's recording and what came with it, then transcribe and index it.

    Running it again with the same files finds what is held and carries on where a killed run stopped.
    """
    with reported(as_json):
        from api import operations
        from api.custody_keeping import keep_custody
        from archive.timeline import WallTime
        from ingest.admission import IngestRequest
        from transcribe.errors import ModelMissing

        request = IngestRequest(
            media=tuple(media or ()),
            recording_id=recording_id,
            chat=tuple(chat or ()),
            captions=captions,
            products=products,
            events=events,
            started_at=WallTime.parse(started_at) if started_at else None,
            platform=platform,
            room=room,
            host=host,
            title=title,
        )
        with opened() as place:
            with printing.progress(as_json) as watch:
                admitted = operations.ingest(place, request, actor or place.archive.settings.actor, watch)
                try:
                    if not no_process:
                        _process(place, admitted.recording.id, watch)
                except ModelMissing:
                    # The recording is held all the same; its words come once a model is here.
                    if not as_json:
                        printing.ingested(place, admitted, False, False)
                    raise
                finally:
                    keep_custody(place.archive)
            printing.ingested(place, admitted, not no_process, as_json)


@app.command()
def work(
    forever: Annotated[bool, typer.Option("--forever", help="Stay and take up what comes in.")] = False,
    as_json: AsJson = False,
) -> None:
    """Do what is left: jobs that a killed process left behind, and recordings not yet transcribed or indexed."""
    with reported(as_json), opened() as place, printing.progress(as_json) as watch:
        from api.backlog import Backlog
        from api.custody_keeping import keeping_custody
        from api.processing import open_jobs

        with open_jobs(place, watch, of_many=True) as jobs, keeping_custody(place.archive):
            backlog = Backlog(place, jobs)
            if forever:
                backlog.work_on()
            backlog.work_off()
        printing.worked(backlog.done, backlog.failed, as_json)
        for error in backlog.failed.values():
            raise typer.Exit(exit_code_of(error))


@app.command()
def search(
    question: Annotated[str, typer.Argument(help="In the buyer's words, e.g. 主播有没有说假一赔十")],
    recording: Annotated[Optional[str], typer.Option(help="Only in this recording.")] = None,  # noqa: UP045
    product: Annotated[Optional[str], typer.Option(help="Only about this product (product_id).")] = None,  # noqa: UP045
    host: Annotated[Optional[str], typer.Option(help="Only sessions of this host.")] = None,  # noqa: UP045
    since: Annotated[Optional[str], typer.Option(help="Only what was said from this time on.")] = None,  # noqa: UP045
    until: Annotated[Optional[str], typer.Option(help="Only what was said before this time.")] = None,  # noqa: UP045
    platform: Annotated[Optional[str], typer.Option(help="Only sessions on this platform.")] = None,  # noqa: UP045
    room: Annotated[Optional[str], typer.Option(help="Only sessions of this room.")] = None,  # noqa: UP045
    category: Annotated[Optional[str], typer.Option(help="Only what speaks of this category of promise, e.g. warranty or 质保.")] = None,  # noqa: UP045
    ordered_at: Annotated[Optional[str], typer.Option(help="When the order was made: the session then, or the last before.")] = None,  # noqa: UP045
    case: Annotated[Optional[str], typer.Option(help="In this case: its sessions, its calls and its papers.")] = None,  # noqa: UP045
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many moments.")] = 5,
    doubtful: Annotated[bool, typer.Option("--doubtful", help="Count words in doubt as said, behind what was surely said.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find the seconds in which the host promised it, or say that it was not said, with coverage."""
    with reported(as_json), opened() as place:
        if case is not None:
            from api.case_printing import case_answered
            from api.case_search import search_case
            from ingest.errors import InvalidRequest

            if any((recording, product, host, since, until, platform, room, category, ordered_at)):
                raise InvalidRequest(
                    "a case is searched as a whole: leave out --recording, --product, --host, --since, --until, --platform, --room, "
                    "--category and --ordered-at"
                )
            case_answered(question, search_case(place, question, case, limit=limit, include_doubtful=doubtful), as_json)
            return
        from api import operations
        from archive.timeline import WallTime

        answer = operations.search(
            place,
            question,
            recording=recording,
            product=product,
            host=host,
            since=WallTime.parse(since) if since else None,
            until=WallTime.parse(until) if until else None,
            platform=platform,
            room=room,
            category=category,
            ordered_at=WallTime.parse(ordered_at) if ordered_at else None,
            limit=limit,
            include_doubtful=doubtful,
        )
        printing.answered(question, answer, as_json)


@app.command()
def show(recording: Recording, as_json: AsJson = False) -> None:
    """What is held of a recording: parts, times, gaps, chat, shelf, transcript."""
    with reported(as_json), opened() as place:
        printing.shown(place, recording, as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Every recording held and how far it is."""
    with reported(as_json), opened() as place:
        printing.status(place, as_json)


@app.command()
def clip(
    recording: Recording,
    from_: Annotated[str, typer.Option("--from", help="Start: milliseconds, or 1:13.5")],
    to: Annotated[str, typer.Option("--to", help="End: milliseconds, or 1:20")],
    out: Annotated[Path, typer.Option("-o", "--out", help="File to write, .mp4; the proof clip and proof go beside it.")],
    captions: Annotated[bool, typer.Option("--captions", help="Burn the transcript in.")] = False,
    clock: Annotated[bool, typer.Option("--clock", help="Burn the time of day in, with its uncertainty.")] = False,
    lang: Annotated[str, typer.Option(help="zh or en: language of what is burned in beside the words.")] = "zh",
    bleep: Annotated[Optional[list[str]], typer.Option("--bleep", help="FROM-TO or auto: a tone instead of the sound; repeatable.")] = None,  # noqa: UP045
    blur: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--blur", help="x,y,w,h[,from,to] in pixels and ms: a region made unrecognisable; repeatable."),
    ] = None,
    with_proof: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--with-proof/--no-proof", help="Also the proof clip; default: unless something is bleeped or blurred."),
    ] = None,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Cut a clip to watch, and beside it the stream-copied proof clip with its proof.

    A bleeped or blurred clip comes without the proof clip, which holds what was taken out. `--bleep auto` covers phone numbers, addresses
    and the like where the transcript has them: listen to it before handing it on.
    """
    with reported(as_json), opened() as place:
        from api import operations
        from archive.clip import Blur, Burn
        from archive.timeline import parse_ms, parse_span

        made = operations.clip(
            place,
            recording,
            parse_ms(from_),
            parse_ms(to),
            out,
            actor or place.archive.settings.actor,
            burn=Burn(captions, clock, lang) if captions or clock else None,
            bleep=[parse_span(span) for span in bleep or () if span != "auto"],
            bleep_spoken="auto" in (bleep or ()),
            blur=[Blur.parse(region) for region in blur or ()],
            with_proof=with_proof,
        )
        printing.clipped(made, as_json)


@app.command()
def package(
    case: Annotated[str, typer.Argument(help="Id of the case.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="ZIP file to write.")],
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Build a case's evidence package: clips with proofs, transcript, chat, custody extract, report, verifier."""
    with reported(as_json), opened() as place:
        from api import operations

        with printing.progress(as_json) as watch:
            built = operations.package(place, case, out, actor or place.archive.settings.actor, watch)
        printing.packaged(built, out, as_json)


@app.command()
def verify(
    file: Annotated[Optional[Path], typer.Argument(help="An evidence package.")] = None,  # noqa: UP045
    archive: Annotated[bool, typer.Option("--archive", help="Check everything held instead.")] = False,
    key: Annotated[
        str | None, typer.Option(help="The archive's signing key or its id, where you know it; the package is held to it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a package offline, needing neither archive nor network; or the whole archive."""
    with reported(as_json):
        from archive.errors import LiveProofError
        from archive.verification import verify_archive, verify_package

        if archive == (file is not None):
            raise LiveProofError(message("command.verify_what", api_settings().language))
        if file is not None:
            report = verify_package(file, key)
        else:
            with opened() as place:
                report = verify_archive(place.archive)
        printing.verified(report, as_json)
        if not report.passed:
            raise typer.Exit(9)


@app.command()
def serve(
    host: Annotated[Optional[str], typer.Option(help="Address; default LIVEPROOF_BIND, 127.0.0.1.")] = None,  # noqa: UP045
    port: Annotated[Optional[int], typer.Option(min=0, max=65535, help="Port; default LIVEPROOF_PORT, 8700.")] = None,  # noqa: UP045
) -> None:
    """Serve the page and the HTTP API."""
    with reported(), opened() as place:
        from api.serving import serve_forever

        settings = api_settings()
        serve_forever(place, host or settings.bind, settings.port if port is None else port)


@app.command()
def demo(
    home: Annotated[Path, typer.Option(help="Where the demo keeps its archive.")] = Path("demo-home"),
    serve_page: Annotated[bool, typer.Option("--serve/--no-serve", help="End by serving the page.")] = True,
) -> None:
    """The whole main job on the demo session: ingest, ask, clip, package, verify, tamper."""
    with reported():
        from api.demo import run_demo

        run_demo(home, serve_page)


def _process(place: "Workplace", recording_id: str, watch: printing.Watch) -> None:
    from api.processing import open_jobs, process_or_index

    with open_jobs(place, watch) as jobs:
        jobs.wait(process_or_index(jobs, recording_id))


if __name__ == "__main__":
    main()
