"""What the command line shows: JSON for programs, tables and quotes for people."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from api import answers, operations
from api.damage_words import check_words, damage_words
from api.exits import explain
from api.messages import message, named
from api.settings import api_settings
from api.understood_json import understood_json
from api.understood_words import understood_line
from archive.digest import Json
from archive.errors import LiveProofError
from archive.simplified import reading_of
from archive.timeline import format_ms
from archive.told_words import told_words

if TYPE_CHECKING:
    from api.workplace import Workplace
    from archive.case import BuiltPackage
    from archive.clip import Clip
    from archive.transcript import Transcript
    from archive.verification import VerificationReport
    from ingest.admission import Admitted
    from ingest.extension import Extended
    from search.answer import Answer
    from search.moments import Moment

Watch = Callable[[str, int, int], None]
# Time left is reckoned from so many seconds: a batch of windows may take some minutes.
PACE_S = 300.0
SCREEN_LINES_SHOWN, TOLD_SHOWN = 6, 24


def say(key: str, **values: object) -> str:
    """A text of the catalogue in this process's language."""
    return message(key, api_settings().language, **values)


def console() -> Console:
    """Standard output; plain where it is no terminal."""
    return Console(highlight=False, soft_wrap=True)


def as_json(value: Json) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


@contextmanager
def progress(quiet: bool = False) -> Iterator[Watch]:
    """Progress bars on standard error, one a step; nothing where nobody looks."""
    if quiet or not sys.stderr.isatty():
        yield operations.ignore_progress
        return
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *times)
    with Progress(*columns, console=Console(stderr=True), transient=False, speed_estimate_period=PACE_S) as bars:
        tasks: dict[str, TaskID] = {}

        def watch(step: str, done: int, total: int) -> None:
            if step not in tasks:
                what, _, which = step.partition(" ")
                tasks[step] = bars.add_task(f"{named('step', what, api_settings().language)} {which}", total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield watch


def ingested(place: "Workplace", admitted: "Admitted", processed: bool, json_wanted: bool) -> None:
    """What is held now, and what was mended or left out on the way in."""
    held = operations.holding(place, admitted.recording.id)
    if json_wanted:
        as_json({**answers.holding_json(held), "already_held": admitted.already_held, "notes": list(admitted.notes)})
        return
    out = console()
    key = "command.already_held" if admitted.already_held else "command.admitted"
    out.print(say(key, recording=admitted.recording.id), style="bold")
    _describe(out, held)
    for note in admitted.notes:
        out.print(f"  ! {note}", style="yellow")
    if not processed:
        out.print(say("command.process_later"))


def extended(place: "Workplace", grown: "Extended", processed: bool, json_wanted: bool) -> None:
    """What came, and what is held now."""
    held = operations.holding(place, grown.recording.id)
    if json_wanted:
        came: dict[str, Json] = {"new_parts": list(grown.new_parts), "new_messages": grown.new_messages}
        as_json({**answers.holding_json(held), **came, "already_held": grown.already_held, "notes": list(grown.notes)})
        return
    out = console()
    key = "command.nothing_new" if grown.already_held else "command.extended"
    counts = {"parts": len(grown.new_parts), "messages": grown.new_messages}
    out.print(say(key, recording=grown.recording.id, **counts), style="bold")
    _describe(out, held)
    for note in grown.notes:
        out.print(f"  ! {note}", style="yellow")
    if not processed:
        out.print(say("command.process_later"))


def worked(done: Sequence[str], failed: Mapping[str, LiveProofError], json_wanted: bool) -> None:
    if json_wanted:
        problems: dict[str, Json] = {subject: explain(error) for subject, error in failed.items()}
        as_json({"processed": list(done), **({"failed": problems} if failed else {})})
        return
    if done or not failed:
        console().print(say("command.worked", count=len(done), recordings=", ".join(done)) if done else say("command.nothing_to_do"))
    for subject, error in failed.items():
        console().print(say("command.not_worked", subject=subject, problem=explain(error)), markup=False, style="red")


def shown(place: "Workplace", recording_id: str, json_wanted: bool) -> None:
    held = operations.holding(place, recording_id)
    if json_wanted:
        as_json(answers.holding_json(held))
        return
    out = console()
    out.print(f"{held.recording.title or recording_id}", style="bold")
    _describe(out, held)


def status(place: "Workplace", json_wanted: bool) -> None:
    from api.model_inventory import missing_model

    held = [operations.holding(place, recording.id) for recording in place.archive.catalog.recordings()]
    open_cases = len(place.archive.cases.cases())
    head = place.archive.custody.head()
    unheard = sum(one.transcript is None and one.recording.has_media for one in held)
    lacking = missing_model(place) if unheard else None
    if json_wanted:
        as_json(
            {
                "home": str(place.archive.home),
                "recordings": [answers.holding_json(one) for one in held],
                "cases": open_cases,
                "custody_entries": head.seq if head else 0,
                "custody_head": head.digest if head else None,
                "waiting_for_model": {"recordings": unheard, "problem": lacking} if lacking else None,
            }
        )
        return
    out = console()
    if lacking:
        out.print(say("models.waiting", count=unheard, problem=lacking), style="yellow", markup=False)
    out.print(say("command.home", home=place.archive.home, entries=head.seq if head else 0, cases=open_cases))
    if not held:
        out.print(say("command.empty"))
        return
    table = Table(box=None, pad_edge=False)
    for key in ("recording", "started", "length", "parts", "chat", "transcript"):
        table.add_column(say(f"column.{key}"))
    for one in held:
        recording = one.recording
        started, _ = recording.wall_at(0)
        table.add_row(
            recording.id,
            started.iso() if started else "—",
            format_ms(recording.duration_ms),
            str(len(recording.parts)),
            str(one.messages),
            _transcript_state(one),
        )
    out.print(table)


def answered(question: str, answer: "Answer", json_wanted: bool) -> None:
    if json_wanted:
        as_json(answers.answer_json(answer))
        return
    print_answer(console(), question, answer)


def print_answer(out: Console, question: str, answer: "Answer") -> None:
    """One question's answer as an agent reads it."""
    out.print(Text("? " + question, style="bold cyan"))
    if answer.understood and (line := understood_line(understood_json(answer.understood), api_settings().language)):
        out.print(Text("  " + line, style="dim"))
    if not answer.found:
        out.print(Text("  " + say("answer.unsure" if answer.doubtful else "answer.none"), style="bold yellow"))
        if answer.not_heard:
            out.print("  " + say("command.never_heard", terms="、".join(answer.not_heard)))
        if answer.moments:
            out.print("  " + say("command.nearest"))
    for moment in answer.moments:
        print_moment(out, moment, dim=not moment.answers)
    if answer.doubtful:
        out.print(Text("  " + say("answer.doubtful"), style="bold yellow"))
        for moment in answer.doubtful:
            print_moment(out, moment, dim=True)
    out.print("  " + coverage_line(answer))
    if answer.coverage.unsearched:
        out.print("  " + say("command.unsearched", recordings=", ".join(answer.coverage.unsearched)), style="yellow")
    if answer.coverage.live:
        out.print("  " + say("command.still_live", recordings=", ".join(answer.coverage.live)), style="yellow")


def print_moment(out: Console, moment: "Moment", dim: bool = False) -> None:
    """Quote, where, when, product, promise, how sure and why."""
    facts = answers.moment_json(moment)
    out.print(Text(f"  「{moment.quote}」", style="dim" if dim else "bold green"))
    if reading := reading_of(moment.quote):
        out.print("    " + say("script.simplified", text=reading), style="dim", markup=False)
    wall = f"{moment.wall_start.iso()} ±{moment.uncertainty_ms / 1000:g} s" if moment.wall_start else say("command.wall_unknown")
    part = say("command.part", part=moment.part) + " · " if moment.part else ""
    out.print(f"    {moment.recording} · {part}{format_ms(moment.start_ms)}–{format_ms(moment.end_ms)} · {wall}")
    words = answers.words_for(facts, api_settings().language)
    out.print("    " + " · ".join(words), style="dim" if dim else None)
    if moment.screen and not dim:
        texts = list(dict.fromkeys(answers.unnamed(line.text) for line in moment.screen))
        more = f" … +{len(texts) - SCREEN_LINES_SHOWN}" if len(texts) > SCREEN_LINES_SHOWN else ""
        out.print("    " + say("screen.beside", lines=" · ".join(texts[:SCREEN_LINES_SHOWN]) + more), style="dim", markup=False)


def coverage_line(answer: "Answer") -> str:
    """How much was held, heard and in doubt."""
    c = answer.coverage
    line = say(
        "command.coverage",
        held=format_ms(c.held_ms),
        transcribed=format_ms(c.transcribed_ms),
        risky=format_ms(c.risky_ms),
        missing=format_ms(c.missing_ms),
        recordings=c.recordings,
    )
    return line + say("command.coverage_unheard", unheard=format_ms(c.unheard_ms)) if c.unheard_ms else line


def clipped(made: "Clip", json_wanted: bool) -> None:
    if json_wanted:
        as_json(answers.clip_json(made))
        return
    out = console()
    out.print(say("command.clip", file=made.view, start=format_ms(made.from_ms), end=format_ms(made.to_ms)), style="bold")
    if made.proof_clip is None:
        out.print(say("command.clip_withheld"))
    else:
        out.print(say("command.clip_proof", clip=made.proof_clip, proof=made.proof))


def packaged(built: "BuiltPackage", out_file: Path, json_wanted: bool) -> None:
    if json_wanted:
        as_json({"package": built.id, "case": built.case_id, "file": str(out_file), "digest": built.digest, "bytes": built.size_bytes})
        return
    console().print(say("command.package", file=out_file, mib=f"{built.size_bytes / (1 << 20):.1f}", digest=built.digest))


def verified(report: "VerificationReport", json_wanted: bool) -> None:
    if json_wanted:
        as_json(answers.report_json(report))
        return
    print_report(console(), report)


def print_report(out: Console, report: "VerificationReport", failures_only: bool = False) -> None:
    """Every numbered check in plain language."""
    for number, check in enumerate(report.checks, 1):
        if failures_only and check.passed:
            continue
        mark = {True: Text("✓ ", style="green"), False: Text("✗ ", style="bold red"), None: Text("– ", style="yellow")}[check.passed]
        where = f" · {check.file}" if check.file and check.passed is False else ""
        out.print(
            Text.assemble(
                f"  {number:>2} ",
                mark,
                check.title.split(" / ")[_column()],
                (where, "bold"),
                "" if not check.detail else f": {check.said(api_settings().language)}",
            )
        )
    out.print(Text("  " + say("verify.passed" if report.passed else "verify.failed"), style="bold green" if report.passed else "bold red"))


def _describe(out: Console, held: operations.Holding) -> None:
    recording = held.recording
    started, uncertainty = recording.wall_at(0)
    wall = f"{started.iso()} ±{uncertainty / 1000:g} s" if started else say("command.wall_unknown")
    media = say("command.parts", count=len(recording.parts)) if recording.has_media else say("command.no_media")
    out.print(f"  {recording.id} · {format_ms(recording.duration_ms)} · {wall} · {media}")
    for part in recording.parts:
        out.print(f"    {part.number}. {part.file_name} · {format_ms(part.duration_ms)} · {part.digest}")
        for damage in part.damage:
            out.print(f"       ! {damage_words(damage, api_settings().language)}", style="yellow")
        for words in check_words(held.checks.get(part.number), api_settings().language):
            out.print(f"       {words}", style="yellow" if words.startswith("!") else "dim")
    for gap in recording.gaps:
        out.print("    " + say("command.gap", start=format_ms(gap.start_ms), end=format_ms(gap.end_ms), reason=_reason(gap.reason)))
    out.print("  " + say("command.beside", messages=held.messages, products=held.products, transcript=_transcript_state(held)))
    if held.transcript and (told := told_line(held.transcript)):
        out.print("  " + told, style="dim", markup=False)


def told_line(transcript: "Transcript") -> str:
    """Which words its recogniser was told to expect, of very many the first ones; empty where it was told none."""
    words = told_words(transcript) or ()
    more = f" … +{len(words) - TOLD_SHOWN}" if len(words) > TOLD_SHOWN else ""
    return say("expected.told", words=say("list.between").join(words[:TOLD_SHOWN]) + more) if words else ""


def _column() -> int:
    """Checks are titled in both languages, Chinese first."""
    return 0 if api_settings().language == "zh" else 1


def _reason(reason: str) -> str:
    return named("gap", reason, api_settings().language)


def _transcript_state(held: operations.Holding) -> str:
    if held.transcript is None:
        return say("command.not_transcribed")
    p = held.transcript.provenance
    return say(
        "command.transcript", version=held.transcript.version, segments=len(held.transcript.segments), engine=p.engine, model=p.model
    )
