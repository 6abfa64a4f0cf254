"""`liveproof watch`: a folder that recorders write into, taken in by itself."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from api import printing
from api.commands.frame import Actor, AsJson, opened, reported

if TYPE_CHECKING:
    from api.watching import Told, Watcher
    from api.workplace import Workplace
    from archive.jobs import Jobs


def watch(
    folder: Annotated[Path, typer.Argument(help="The folder that recorders write into.")],
    once: Annotated[bool, typer.Option("--once", "--now-if-quiet", help="Admit what is closed now, then end: for cron.")] = False,
    whole_sessions: Annotated[
        bool, typer.Option("--whole-sessions", help="With --once: leave sessions that a further part may still come of.")
    ] = False,
    as_it_grows: Annotated[
        bool, typer.Option("--as-it-grows", help="Admit a session from its first closed part on, and add each further part as it closes.")
    ] = False,
    platform: Annotated[Optional[str], typer.Option(help="douyin, taobao, kuaishou, bilibili, …")] = None,  # noqa: UP045
    host: Annotated[Optional[str], typer.Option(help="Who hosts everything in this folder.")] = None,  # noqa: UP045
    no_process: Annotated[bool, typer.Option("--no-process", help="Admit only; liveproof work carries on later.")] = False,
    actor: Actor = None,
    as_json: AsJson = False,
) -> None:
    """Admit a recorder's files once they are closed, with their chat, and make them searchable.

    Parts of one session become one recording when its last part has been quiet for LIVEPROOF_WATCH_SESSION_GAP_S; what comes later is
    added to it. With --json each event is one line. Killed at any time, the next run goes on.
    """
    with reported(as_json), opened() as place, printing.progress(as_json) as watch_progress:
        from api.custody_keeping import keep_custody, keeping_custody
        from api.processing import open_jobs
        from api.watching import WatchRequest, watching
        from ingest.settings import ingest_settings

        def tell(told: "Told") -> None:
            _print(told, as_json)

        settings = ingest_settings()
        request = WatchRequest(folder, actor or place.archive.settings.actor, whole_sessions or not once, platform, host, as_it_grows)
        with watching(place, request, settings, tell, watch_progress) as watcher:
            if once:
                admitted = watcher.round()
                waiting = [] if no_process else list(dict.fromkeys([*admitted, *_unprocessed(place, watcher)]))
                if waiting:
                    with open_jobs(place, watch_progress) as jobs:
                        _wait_for_all(jobs, waiting)
                keep_custody(place.archive)
                if watcher.failures:
                    raise watcher.failures[0]
                if not as_json:
                    printing.console().print(printing.say("watch.round", count=len(admitted)), markup=False)
            elif no_process:
                with keeping_custody(place.archive):
                    _forever(place, watcher, None, settings.watch_poll_s)
            else:
                with open_jobs(place, watch_progress) as jobs, keeping_custody(place.archive):
                    _forever(place, watcher, jobs, settings.watch_poll_s)


def _forever(place: "Workplace", watcher: "Watcher", jobs: "Jobs | None", poll_s: int) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    from api.processing import process_or_index
    from archive.errors import LiveProofError
    from archive.jobs import JobFailed

    waiting = list(dict.fromkeys([*watcher.round(), *_unprocessed(place, watcher)]))
    under_way: dict[str, str] = {}
    while True:
        try:
            if jobs:
                # What came in while its job was under way may have come too late for it: a further one takes it up then.
                later = [recording for recording in waiting if recording in under_way.values()]
                under_way.update({process_or_index(jobs, recording): recording for recording in waiting if recording not in later})
                for job in jobs.list() if under_way else ():
                    if job.id in under_way and job.state in ("done", "failed", "cancelled"):
                        del under_way[job.id]
                        if job.state == "failed":
                            watcher.fail(JobFailed(f"job {job.id} failed: {job.error}; liveproof work tries it again"))
                waiting = later
            time.sleep(poll_s)
            waiting = list(dict.fromkeys([*waiting, *watcher.round()]))
        except (LiveProofError, OSError, SQLAlchemyError) as error:
            watcher.fail(error)
            time.sleep(poll_s)


def _unprocessed(place: "Workplace", watcher: "Watcher") -> list[str]:
    """Recordings of this folder that a killed run left unprocessed, and those just admitted."""
    from api.processing import is_set_aside, unprocessed

    known = watcher.recordings()
    left = [recording for recording in unprocessed(place) if recording in known] if known else []
    return [recording for recording in left if not is_set_aside(place, recording)]


def _wait_for_all(jobs: "Jobs", recordings: list[str]) -> None:
    """Every job is waited for; then the first failure is raised."""
    from api.processing import process_or_index
    from archive.errors import LiveProofError

    failed: LiveProofError | None = None
    for job in [process_or_index(jobs, recording) for recording in recordings]:
        try:
            jobs.wait(job)
        except LiveProofError as error:
            failed = failed or error
    if failed:
        raise failed


def _print(told: "Told", as_json: bool) -> None:
    if as_json:
        event = {"event": told.word, "files": list(told.paths), "recording": told.recording, "detail": told.detail or None}
        typer.echo(json.dumps(event, ensure_ascii=False))
        return
    files = ", ".join(told.paths)
    text = printing.say(f"watch.{told.word}", files=files, recording=told.recording or "", detail=told.detail)
    printing.console().print(text, markup=False, style=None if told.word in ("admitted", "held", "extended", "closed") else "yellow")
