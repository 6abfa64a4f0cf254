"""`liveproof upload`: a session's files to a LiveProof server on another machine."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from api import printing
from api.commands.frame import AsJson, reported
from api.settings import api_settings

if TYPE_CHECKING:
    from api.uploading import Uploaded
    from archive.digest import Json


def upload(
    to: Annotated[str, typer.Option("--to", help="The server's address, e.g. https://liveproof.example.com; user:password@ goes along.")],
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
    as_json: AsJson = False,
) -> None:
    """Send a session's files to a LiveProof server and have them admitted there.

    Interrupted in any way, the same command goes on from the bytes that the server has. The files stay as they are.
    """
    with reported(as_json):
        from api.uploading import UploadRequest
        from api.uploading import upload as send
        from archive.timeline import WallTime

        if started_at:
            WallTime.parse(started_at)
        given = {"id": recording_id, "started_at": started_at, "platform": platform, "room": room, "host": host, "title": title}
        about = {name: value for name, value in given.items() if value is not None}
        request = UploadRequest(tuple(media or ()), tuple(chat or ()), captions, products, events, about)
        with _progress(as_json) as (sending, waiting):
            uploaded = send(request, to, api_settings(), sending, waiting)
        _print(uploaded, as_json)


def _print(uploaded: "Uploaded", as_json: bool) -> None:
    held, files = uploaded.recording, uploaded.files
    if as_json:
        sent: list[Json] = [
            {"role": f.role, "file": f.file, "bytes": f.size_bytes, "digest": f"sha256:{f.sha256}", "found_bytes": f.found_bytes}
            for f in files
        ]
        printing.as_json({**held, "already_held": uploaded.already_held, "files": sent})
        return
    out = printing.console()
    key = "upload.held" if uploaded.already_held else "upload.admitted"
    out.print(printing.say(key, recording=held.get("recording")), style="bold", markup=False)
    for f in files:
        out.print(f"  {f.file} · {f.size_bytes / (1 << 20):.1f} MiB · sha256:{f.sha256}", markup=False)
    notes = held.get("notes")
    for note in notes if isinstance(notes, list) else ():
        out.print(f"  ! {note}", style="yellow", markup=False)
    if files:
        out.print(printing.say("upload.compared"), markup=False)


@contextmanager
def _progress(quiet: bool) -> Iterator[tuple[Callable[[str, int, int], None], Callable[[str, float], None]]]:
    """A bar for each file on standard error, and a line for each wait; the line alone where no terminal is."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    shown = Console(stderr=True, soft_wrap=True, highlight=False)

    def waiting(why: str, seconds: float) -> None:
        if not quiet:
            shown.print(printing.say("upload.waiting", why=why, seconds=f"{seconds:.0f}"), markup=False)

    if quiet or not sys.stderr.isatty():
        yield (lambda _name, _done, _total: None), waiting
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=shown) as bars:
        tasks: dict[str, TaskID] = {}

        def sending(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done)

        yield sending, waiting
