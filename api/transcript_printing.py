"""What stands beneath a transcript's lines: a second recogniser's words, the machine's where people edited, why a line is in doubt."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from api.messages import message, named
from archive.carried_edits import to_look_at
from archive.digest import Json
from archive.timeline import format_ms
from archive.transcript import Segment, doubts
from archive.transcripts import HUMAN, edits_of, machine_version
from transcribe.second_opinion import SECOND_OPINION

if TYPE_CHECKING:
    from api.workplace import Workplace
    from archive.transcript import Transcript


def edits_by_segment(workplace: "Workplace", transcript: "Transcript") -> dict[int, dict[str, Json]]:
    """By segment: its last edit, as who, when, why and the `machine`'s own words. Empty where nobody edited it."""
    if transcript.provenance.engine != HUMAN:
        return {}
    heard = workplace.archive.transcripts.version(transcript.recording_id, machine_version(transcript))
    machine = {segment.number: segment.text for segment in heard.segments}
    last = {number: edit for edit in edits_of(transcript) if isinstance(number := edit["segment"], int)}
    return {
        number: {"by": edit["by"], "at": edit["at"], "reason": edit["reason"], "machine": machine.get(number, "")}
        for number, edit in last.items()
    }


def beneath(segment: Segment, edit: Mapping[str, Json] | None, language: str) -> list[str]:
    """Lines for people, in the order in which they are shown."""
    lines = []
    if found := doubts(segment.risk):
        lines.append(message("list.between", language).join(named("risk", risk, language) for risk in found))
    if segment.heard_otherwise is not None:
        key = "command.heard_otherwise" if segment.heard_otherwise else "command.heard_nothing"
        lines.append(message(key, language, text=segment.heard_otherwise))
    if edit:
        lines.append(message("command.edited_line", language, **edit))
    return lines


def waiting_lines(transcript: "Transcript", language: str) -> list[str]:
    """Edits of earlier versions that are to be looked at, each a line."""
    left = to_look_at(transcript)
    heading = [message("command.to_look_at", language, count=len(left))] if left else []
    return heading + [message("command.waiting_edit", language, **{**edit, "start": _clock(edit["start_ms"])}) for edit in left]


def second_opinion_lines(transcript: "Transcript", language: str) -> Sequence[str]:
    """What a second opinion said in all; nothing where none was asked."""
    opinion = transcript.provenance.parameters.get(SECOND_OPINION)
    return [message("command.second_opinion", language, **opinion)] if isinstance(opinion, Mapping) else []


def _clock(ms: Json) -> str:
    return format_ms(ms) if isinstance(ms, int) else "?"
