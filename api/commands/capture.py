"""`liveproof capture`: a live room, recorded and searchable while it is live."""

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from api import printing
from api.commands.frame import Actor, AsJson, opened, reported
from api.messages import named
from api.settings import api_settings
from archive.errors import InvalidTime
from archive.timeline import format_ms

if TYPE_CHECKING:
    from api.capture_admitting import CaptureTold
    from api.capturing import Captured, CaptureState, LiveCapture

STATUS_EVERY_S = 1.0
_UNITS = {"s": 1, "m": 60, "h": 3600}


def capture(
    url: Annotated[str, typer.Argument(help="The stream (HLS, HTTP-FLV, RTMP, RTSP), or a room's page with streamlink installed.")],
    recording_id: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--id", "--resume", help="Recording to capture into; one that a capture made is gone on with."),
    ] = None,
    header: Annotated[Optional[list[str]], typer.Option("--header", "-H", help="'Name: value', sent along; again for more.")] = None,  # noqa: UP045
    duration: Annotated[Optional[str], typer.Option("--for", help="End after this long: 90, 30m, 2h.")] = None,  # noqa: UP045
    give_up_after: Annotated[Optional[str], typer.Option("--give-up-after", help="End when nothing has come for this long.")] = None,  # noqa: UP045
    segment: Annotated[Optional[int], typer.Option("--segment", min=5, max=600, help="Seconds a part; default 60.")] = None,  # noqa: UP045
    platform: Annotated[Optional[str], typer.Option(help="douyin, taobao, kuaishou, bilibili, …")] = None,  # noqa: UP045
    room: Annotated[Optional[str], typer.Option(help="Room id on the platform.")] = None,  # noqa: UP045
    host: Annotated[Optional[str], typer.Option(help="Who hosts.")] = None,  # noqa: UP045
    title: Annotated[Optional[str], typer.Option(help="The session's title.")] = None,  # noqa: UP045
    no_process: Annotated[bool, typer.Option("--no-process", help="Capture and admit only; liveproof work has it heard.")] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Record a live room, packet for packet, and make it searchable while it is live.

    Connections that break are made anew, and what is missing is recorded as a gap. Ctrl-C, or SIGTERM, closes the part under way and ends
    the recording. With --json each event is one line.
    """
    with reported(as_json), ExitStack() as stack:
        from api.capturing import CaptureRequest, LiveCapture
        from api.custody_keeping import keeping_custody
        from ingest.capture_address import parse_address
        from ingest.settings import ingest_settings

        address = parse_address(url, header or ())
        for_s, give_up_s = _seconds(duration, "--for"), _seconds(give_up_after, "--give-up-after")
        place = stack.enter_context(opened())
        settings = ingest_settings()
        request = CaptureRequest(
            address,
            actor or place.archive.settings.actor,
            recording_id,
            segment or settings.capture_segment_s,
            for_s,
            give_up_s,
            platform,
            room,
            host,
            title,
        )
        jobs = None
        if not no_process:
            from api.processing import open_jobs

            jobs = stack.enter_context(open_jobs(place))
        live = LiveCapture(place, request, settings, jobs, lambda told: _print(told, as_json))
        stack.enter_context(keeping_custody(place.archive))
        _start(live, address.shown, as_json)
        with _stopping(live), _status(live.state, as_json):
            captured = live.run()
        _end(captured, live, as_json)


def _seconds(text: str | None, option: str) -> float | None:
    """90, 90s, 30m or 2h, in seconds."""
    if text is None:
        return None
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    try:
        seconds = float(number) * _UNITS[unit]
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 30 * 86_400:
        raise InvalidTime(f"{option} takes a time like 90, 30m or 2h, of at most 30 days")
    return seconds


@contextmanager
def _stopping(live: "LiveCapture") -> Iterator[None]:
    """The first ctrl-C or SIGTERM ends the capture in order; a further ctrl-C at once."""

    def stop(_number: int, _frame: object) -> None:
        live.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _status(state: "CaptureState", as_json: bool) -> Iterator[None]:
    """One line that follows the capture; only on a terminal."""
    if as_json or not sys.stdout.isatty():
        yield
        return
    from rich.status import Status

    over = threading.Event()
    with Status(_line(state), console=printing.console()) as shown:

        def follow() -> None:
            while not over.wait(STATUS_EVERY_S):
                shown.update(_line(state))

        threading.Thread(target=follow, name="status", daemon=True).start()
        try:
            yield
        finally:
            over.set()


def _line(state: "CaptureState") -> str:
    lag = f"{round(state.lags[-1].oldest_ms / 1000)} s" if state.lags else "–"
    return printing.say(
        "capture.status",
        live=printing.say("capture.live" if state.connected else "capture.away"),
        captured=format_ms(state.captured_ms).partition(".")[0],
        parts=state.parts,
        gaps=state.gaps,
        lost=round(state.lost_ms / 1000),
        lag=lag,
    )


def _start(live: "LiveCapture", shown: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"event": "started", "recording": live.recording_id, "detail": shown}, ensure_ascii=False))
    else:
        printing.console().print(printing.say("capture.started", recording=live.recording_id, detail=shown), markup=False)


def _print(told: "CaptureTold", as_json: bool) -> None:
    if as_json:
        event = {"event": told.word, "recording": told.recording, "part": told.part, "ms": told.ms, "detail": told.detail or None}
        typer.echo(json.dumps(event, ensure_ascii=False))
        return
    text = printing.say(
        f"capture.{told.word}",
        recording=told.recording,
        part=told.part,
        detail=told.detail,
        reason=named("gap", told.detail, api_settings().language),
        seconds=round((told.ms or 0) / 1000, 1),
    )
    quiet = told.word in ("connected", "admitted", "searchable", "recovered")
    printing.console().print(text, markup=False, style=None if quiet else "yellow")


def _end(captured: "Captured", live: "LiveCapture", as_json: bool) -> None:
    recording = captured.recording
    if as_json:
        worst = max((lag.oldest_ms for lag in captured.lags), default=None)
        typer.echo(
            json.dumps(
                {
                    "event": "over",
                    "recording": recording.id if recording else None,
                    "outcome": captured.outcome,
                    "parts": len(recording.parts) if recording else 0,
                    "gaps": [[gap.start_ms, gap.end_ms, gap.reason, gap.uncertainty_ms] for gap in recording.gaps] if recording else [],
                    "searchable_lag_ms": worst,
                },
                ensure_ascii=False,
            )
        )
        return
    why = named("ending", captured.outcome, api_settings().language)
    out = printing.console()
    if recording is None:
        out.print(printing.say("capture.nothing", why=why), markup=False)
        return
    out.print(
        printing.say("capture.over", why=why, recording=recording.id, parts=len(recording.parts), gaps=len(recording.gaps)), markup=False
    )
    if len(captured.lags) < live.state.parts:
        out.print(printing.say("capture.unheard"), markup=False)
