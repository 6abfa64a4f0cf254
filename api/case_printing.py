"""What the command line shows of cases and transcripts: JSON for programs, lines for people."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from api import answers, case_answers, record_words
from api.messages import named
from api.printing import as_json, console, print_answer, print_moment, say, told_line
from api.settings import api_settings
from api.transcript_printing import beneath, second_opinion_lines, waiting_lines
from archive.case_attachments import given_as
from archive.digest import Json
from archive.simplified import reading_of
from archive.timeline import format_ms
from archive.transcripts import edits_of

if TYPE_CHECKING:
    from api.case_search import CaseAnswer
    from archive.case import Attachment, Case
    from archive.case_record import RecordReading
    from archive.transcript import Transcript


def case_shown(case: "Case", json_wanted: bool, readings: "Mapping[int, RecordReading] | None" = None) -> None:
    """`readings`: what was read of the attachments, by number, where that is to be shown."""
    if json_wanted:
        as_json(case_answers.case_json(case) if readings is None else record_words.read_case_json(case, readings))
        return
    out = console()
    out.print(f"{case.id}  {case.title}", style="bold")
    out.print(say("command.case", complaint=case.complaint, demand=case.demand or "—", product=case.product_id or "—"))
    for moment in case.moments:
        out.print(f"  {moment.number}. {moment.recording_id} {format_ms(moment.start_ms)}–{format_ms(moment.end_ms)} 「{moment.quote}」")
    for paper in case.attachments:
        given = named("given", given_as(paper), api_settings().language)
        out.print(f"  + {paper.number}. {named('paper', paper.kind, api_settings().language)} · {paper.title} · {paper.digest} · {given}")
        if readings is not None:
            _print_read(out, paper, readings.get(paper.number))
    for step in case.steps:
        said = " · ".join(filter(None, (step.text, *(_step_field(name, value) for name, value in step.detail.items()))))
        out.print(
            f"  → {named('stage', step.stage.value, api_settings().language)} · {step.at.iso()} · {step.actor}"
            + (f" · {said}" if said else "")
        )


def _print_read(out: Console, paper: "Attachment", reading: "RecordReading | None") -> None:
    words = record_words.read_words(paper, reading, api_settings().language)
    if words:
        out.print("      " + say("list.between").join(words), markup=False)


def _step_field(name: str, value: Json) -> str:
    language = api_settings().language
    return f"{named('step_field', name, language)} {named('step_value', str(value), language)}"


def transcript_shown(transcript: "Transcript", json_wanted: bool, edits: Mapping[int, Mapping[str, Json]]) -> None:
    """`edits` as `transcript_printing.edits_by_segment` tells them."""
    if json_wanted:
        segments: list[Json] = [
            {
                "number": s.number,
                "start_ms": s.start_ms,
                "end_ms": s.end_ms,
                "text": s.text,
                **answers.read_as("text_simplified", s.text),
                "risk": list(s.risk),
                "speaker": s.speaker,
                "heard_otherwise": s.heard_otherwise,
                **({"edit": edits[s.number]} if s.number in edits else {}),
            }
            for s in transcript.segments
        ]
        as_json({**answers.transcript_json(transcript), "segments": segments})
        return
    out = console()
    p = transcript.provenance
    count = len(transcript.segments)
    out.print(say("command.transcript", version=transcript.version, segments=count, engine=p.engine, model=p.model), style="bold")
    if told := told_line(transcript):
        out.print("  " + told, style="dim", markup=False)
    for s in transcript.segments:
        mark = "*" if s.risk else " "
        voice = f"[{say('speaker.voice', number=s.speaker)}] " if s.speaker else ""
        out.print(f"  {s.number:>5} {mark} {format_ms(s.start_ms)}–{format_ms(s.end_ms)}  {voice}{s.text}", markup=False)
        if read := reading_of(s.text):
            out.print(f"          {say('script.simplified', text=read)}", style="dim", markup=False)
        for line in beneath(s, edits.get(s.number), api_settings().language):
            out.print(f"          {line}", style="yellow" if s.heard_otherwise is not None else "dim", markup=False)
    for line in (*second_opinion_lines(transcript, api_settings().language), *waiting_lines(transcript, api_settings().language)):
        out.print(f"  {line}", style="yellow", markup=False)


def transcript_edited(transcript: "Transcript", segment: int, json_wanted: bool) -> None:
    edit = edits_of(transcript)[-1]
    if json_wanted:
        as_json({**answers.transcript_json(transcript), "edit": dict(edit)})
        return
    console().print(
        say("command.edited", version=transcript.version, segment=segment, before=edit["before"], after=edit["after"]), markup=False
    )


def cases_listed(found: "Sequence[Case]", json_wanted: bool) -> None:
    if json_wanted:
        as_json({"cases": [case_answers.case_json(case) for case in found]})
        return
    out = console()
    for case in found:
        out.print(f"{case.id}  {case.title}  ({len(case.moments)})")
    if not found:
        out.print(say("command.no_cases"))


def read(case: "Case", readings: "Mapping[int, RecordReading]", number: int | None, json_wanted: bool) -> None:
    """What was read of a case's papers, or of one."""
    papers = [paper for paper in case.attachments if number in (None, paper.number)]
    if json_wanted:
        told = {paper.number: record_words.reading_json(readings[paper.number]) for paper in papers if paper.number in readings}
        as_json({"case": case.id, "readings": {str(each): reading for each, reading in told.items()}})
        return
    out = console()
    for paper in papers:
        out.print(say("command.read", number=paper.number, title=paper.title), markup=False)
        _print_read(out, paper, readings.get(paper.number))


def case_answered(question: str, answer: "CaseAnswer", json_wanted: bool) -> None:
    """What the host said, then what was said in calls, then what stands in papers; each says which it is."""
    if json_wanted:
        as_json(record_words.case_answer_json(answer))
        return
    out, language = console(), api_settings().language
    print_answer(out, question, answer.on_air)
    if answer.calls.coverage.recordings:
        out.print("  " + say("command.calls"), style="bold")
        for moment in answer.calls.moments:
            print_moment(out, moment, dim=not moment.answers)
        if answer.calls.doubtful:
            out.print("  " + say("answer.doubtful"), style="yellow")
        for moment in answer.calls.doubtful:
            print_moment(out, moment, dim=True)
    out.print("  " + say("command.papers" if answer.papers else "command.papers_none"), style="bold")
    for hit in answer.papers:
        out.print(Text(f"  「{' '.join(hit.quote.split())}」", style="bold" if hit.hit.answers else "dim"))
        what = named("what", hit.hit.what, language)
        out.print(f"    {hit.paper.number}. {record_words.where_words(hit, language)} · {what}", markup=False)
    if answer.unread:
        out.print("  " + say("command.papers_unread", numbers=", ".join(map(str, answer.unread))), style="yellow")


def attached(paper: "Attachment", json_wanted: bool, reading: "RecordReading | None" = None) -> None:
    if json_wanted:
        told = record_words.reading_json(reading) if reading else None
        as_json({**case_answers.attachment_json(paper), "reading": told})
        return
    given = named("given", given_as(paper), api_settings().language)
    key = "command.withdrawn" if paper.withdrawn_at else "command.attached"
    console().print(say(key, number=paper.number, title=paper.title, digest=paper.digest, given=given), markup=False)
    if not paper.withdrawn_at:
        _print_read(console(), paper, reading)
