"""Jobs as the command line shows them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table

from api.job_reports import report_json
from api.messages import named
from api.printing import as_json, console, say
from api.settings import api_settings
from archive.timeline import format_ms

if TYPE_CHECKING:
    from api.job_reports import JobReport

COLUMNS = ("job", "doing", "state", "percent", "speed", "left")


def listed(reports: "Sequence[JobReport]", json_wanted: bool) -> None:
    if json_wanted:
        as_json({"jobs": [report_json(report) for report in reports]})
    elif reports:
        console().print(_table(reports))
    else:
        console().print(say("job.none"))


@contextmanager
def following() -> "Iterator[Callable[[Sequence[JobReport]], Sequence[JobReport]]]":
    """A table that is drawn anew where people look, and printed again and again elsewhere; gives back what it is to show."""
    out = console()
    if not out.is_terminal:

        def show(reports: "Sequence[JobReport]") -> "Sequence[JobReport]":
            listed(reports, json_wanted=False)
            return reports

        yield show
        return
    with Live(console=out, auto_refresh=False) as live:

        def draw(reports: "Sequence[JobReport]") -> "Sequence[JobReport]":
            live.update(_table(reports) if reports else say("job.none"), refresh=True)
            return reports

        yield draw


def shown(report: "JobReport", json_wanted: bool) -> None:
    if json_wanted:
        as_json(report_json(report))
        return
    out, job = console(), report.job
    out.print(say("job.head", job=job.id, what=_kind(job.kind), state=_state(report)), markup=False, style="bold")
    if report.step and job.state != "done":
        out.print("  " + doing(report), markup=False)
    if report.in_ms and report.done is not None and report.total and job.state != "done":
        out.print(say("job.heard", done=format_ms(report.done), total=format_ms(report.total), percent=report.percent))
    elif report.percent is not None and job.state != "done":
        out.print(say("job.so_far", percent=report.percent))
    if report.state == "running":
        left = say("job.left", left=format_ms(report.left_ms)) if report.left_ms is not None else say("job.left_unknown")
        out.print("  " + (f"{_speed(report)} · {left}" if report.speed is not None else left))
    if report.state == "interrupted":
        out.print(say("job.interrupted"), style="yellow")
    out.print(say("job.worker", worker=job.worker or say("job.unknown"), attempt=job.attempt), markup=False)
    out.print(say("job.times", created=job.created_at.iso(), updated=job.updated_at.iso()))
    if job.ended_at:
        out.print(say("job.ended", ended=job.ended_at.iso()))
    whole = report_json(report)
    if isinstance(whole["cancelled"], dict) and job.state == "cancelled":
        out.print(say("job.cancelled_by", **whole["cancelled"]), markup=False)
    if whole["error"]:
        out.print(say("job.error", error=whole["error"]), markup=False, style="red")


def steered(key: str, report: "JobReport", json_wanted: bool) -> None:
    """What became of a job that somebody stopped, let go on or put first."""
    if json_wanted:
        as_json(report_json(report))
    else:
        console().print(say(key, job=report.job.id), markup=False)


def doing(report: "JobReport") -> str:
    """The step under way, in words."""
    if report.step is None:
        return _kind(report.job.kind)
    step = named("step", report.step, api_settings().language)
    return say("job.part", step=step, part=report.part) if report.part is not None else step


def _table(reports: "Sequence[JobReport]") -> Table:
    table = Table(box=None, pad_edge=False)
    for key in COLUMNS:
        right = key in ("percent", "speed", "left")
        table.add_column(say(f"column.{key}"), justify="right" if right else "left", overflow="fold", no_wrap=right)
    for report in reports:
        unknown = say("job.unknown")
        table.add_row(
            report.job.id,
            doing(report),
            _state(report),
            f"{report.percent} %" if report.percent is not None else unknown,
            _speed(report) if report.speed is not None else unknown,
            format_ms(report.left_ms) if report.left_ms is not None else unknown,
            style={"failed": "red", "interrupted": "yellow", "cancelled": "dim"}.get(report.state),
        )
    return table


def _state(report: "JobReport") -> str:
    state = say(f"job.waits.{report.waits}") if report.waits and report.state == "running" else say(f"job.state.{report.state}")
    return f"{state} · {say('job.first')}" if report.first and report.job.under_way else state


def _speed(report: "JobReport") -> str:
    return say("job.speed", speed=f"{report.speed:.1f}")


def _kind(kind: str) -> str:
    return named("job.kind", kind, api_settings().language)
