"""`liveproof jobs`: what is being done and how far it is; stop it, let it go on, put it first."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.frame import Actor, AsJson, opened, reported

if TYPE_CHECKING:
    from api.job_reports import JobReport
    from api.workplace import Workplace

FOLLOW_S = 2.0
LISTED_MAX = 200

JobId = Annotated[str, typer.Argument(help="Id of a job, as jobs lists them; or of a recording: its newest job.")]

jobs_app = typer.Typer(help="Jobs: what is being done, how far it is, when it will be done.", invoke_without_command=True)


@jobs_app.callback()
def jobs_default(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are done, and earlier attempts.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="List again and again until nothing is under way.")] = False,
    as_json: AsJson = False,
) -> None:
    """Without a further word: what is under way, what failed and what was cancelled."""
    if context.invoked_subcommand is not None:
        return
    with reported(as_json), opened() as place:
        from api.job_printing import following, listed

        if follow and not as_json:
            with following() as show:
                while any(report.job.under_way for report in show(_listed(place, everything))):
                    time.sleep(FOLLOW_S)
            return
        listed(_listed(place, everything), as_json)


@jobs_app.command("show")
def show(job: JobId, as_json: AsJson = False) -> None:
    """One job: what it does, how far it is, what went wrong."""
    with reported(as_json), opened() as place:
        from api.job_printing import shown
        from api.job_reports import find_job, report_of

        shown(report_of(find_job(place.job_board, job), place.archive.clock()), as_json)


@jobs_app.command("cancel")
def cancel(job: JobId, actor: Actor = None, as_json: AsJson = False) -> None:
    """Stop a job at the end of its batch. Nothing takes it up again until it is retried or something new comes."""
    with reported(as_json), opened() as place:
        from api import job_printing, job_steering

        job_printing.steered("job.cancelled", job_steering.cancel(place, job, actor or place.archive.settings.actor), as_json)


@jobs_app.command("retry")
def retry(job: JobId, actor: Actor = None, as_json: AsJson = False) -> None:
    """Let a failed or cancelled job go on after its last finished step, in whichever process runs jobs."""
    with reported(as_json), opened() as place:
        from api import job_printing, job_steering

        job_printing.steered("job.retried", job_steering.retry(place, job, actor or place.archive.settings.actor), as_json)


@jobs_app.command("first")
def first(job: JobId, actor: Actor = None, as_json: AsJson = False) -> None:
    """Have a recording heard before the others; live ones and those in dispute still go before it."""
    with reported(as_json), opened() as place:
        from api import job_printing, job_steering

        job_printing.steered("job.put_first", job_steering.put_first(place, job, actor or place.archive.settings.actor), as_json)


def _listed(place: "Workplace", everything: bool) -> "list[JobReport]":
    """Running ones first, then those that wait, then those that ended, each newest first."""
    from api.job_reports import report_of

    board, now = place.job_board, place.archive.clock()
    under_way = board.jobs(states=("running", "waiting"), limit=LISTED_MAX)
    ended = board.jobs(states=("done", "failed", "cancelled"), limit=LISTED_MAX)
    if not everything:
        newest: dict[tuple[str, str], int] = {}
        for job in (*under_way, *ended):
            newest[job.kind, job.subject] = max(job.attempt, newest.get((job.kind, job.subject), 0))
        ended = [job for job in ended if job.state != "done" and job.attempt == newest[job.kind, job.subject]]
    reports = [report_of(job, now) for job in (*under_way, *ended)]
    return sorted(reports, key=lambda report: (not report.job.under_way, report.waits is not None, report.job.state == "waiting"))
