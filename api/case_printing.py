"""What the command line shows of cases and transcripts: JSON for programs, lines for people."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from api import answers
from api.messages import named
from api.printing import as_json, console, say
from api.settings import api_settings
from archive.case_attachments import given_as
from archive.digest import Json
from archive.timeline import format_ms
from archive.transcripts import edits_of

if TYPE_CHECKING:
    from archive.case import Attachment, Case
    from archive.transcript import Transcript


def case_shown(case: "Case", json_wanted: bool) -> None:
    if json_wanted:
        as_json(answers.case_json(case))
        return
    out = console()
    out.print(f"{case.id}  {case.title}", style="bold")
    out.print(say("command.case", complaint=case.complaint, demand=case.demand or "—", product=case.product_id or "—"))
    for moment in case.moments:
        out.print(f"  {moment.number}. {moment.recording_id} {format_ms(moment.start_ms)}–{format_ms(moment.end_ms)} 「{moment.quote}」")
    for paper in case.attachments:
        given = named("given", given_as(paper), api_settings().language)
        out.print(f"  + {paper.number}. {named('paper', paper.kind, api_settings().language)} · {paper.title} · {paper.digest} · {given}")
    for step in case.steps:
        said = " · ".join(filter(None, (step.text, *(_step_field(name, value) for name, value in step.detail.items()))))
        out.print(
            f"  → {named('stage', step.stage.value, api_settings().language)} · {step.at.iso()} · {step.actor}"
            + (f" · {said}" if said else "")
        )


def _step_field(name: str, value: Json) -> str:
    language = api_settings().language
    return f"{named('step_field', name, language)} {named('step_value', str(value), language)}"


def transcript_shown(transcript: "Transcript", json_wanted: bool) -> None:
    if json_wanted:
        segments: list[Json] = [
            {"number": s.number, "start_ms": s.start_ms, "end_ms": s.end_ms, "text": s.text, "risk": list(s.risk)}
            for s in transcript.segments
        ]
        as_json({**answers.transcript_json(transcript), "segments": segments})
        return
    out = console()
    p = transcript.provenance
    count = len(transcript.segments)
    out.print(say("command.transcript", version=transcript.version, segments=count, engine=p.engine, model=p.model), style="bold")
    for s in transcript.segments:
        mark = "*" if s.risk else " "
        out.print(f"  {s.number:>5} {mark} {format_ms(s.start_ms)}–{format_ms(s.end_ms)}  {s.text}", markup=False)


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
        as_json({"cases": [answers.case_json(case) for case in found]})
        return
    out = console()
    for case in found:
        out.print(f"{case.id}  {case.title}  ({len(case.moments)})")
    if not found:
        out.print(say("command.no_cases"))


def attached(paper: "Attachment", json_wanted: bool) -> None:
    if json_wanted:
        as_json(answers.attachment_json(paper))
        return
    given = named("given", given_as(paper), api_settings().language)
    key = "command.withdrawn" if paper.withdrawn_at else "command.attached"
    console().print(say(key, number=paper.number, title=paper.title, digest=paper.digest, given=given), markup=False)
