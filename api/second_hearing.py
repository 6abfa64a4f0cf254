"""A second recogniser hears what a transcript speaks of: durable steps as in `api.hearing`, then a version that says where the two differ.

Words and times of the first stay as they are; what the second wrote stands beside them where it disagrees. Nothing it alone heard becomes a
segment: it is told in the version's provenance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import structlog
from dbos import DBOS

from api.comparing import as_spoken
from api.heard_parts import heard_parts
from api.heard_spool import HeardSpool
from api.line_hearing import Asked, Place, ask, heard_batch, let_go_of_sound, part_of, plan_of
from api.operations import Progress
from api.workplace import Workplace
from archive.digest import Json
from archive.errors import NotFound
from archive.moment_evidence import HEARD_ONLY
from archive.recording import Recording
from archive.revised_transcript import Revision, heard_by, heard_by_parameters, numbered_stretches
from archive.transcript import Segment, Transcript
from archive.transcripts import machine_version
from transcribe.errors import NoSecondOpinion
from transcribe.kept import segments_from_json
from transcribe.seams import Carried, left_to, line_of, part_after
from transcribe.second_opinion import AGREES_FROM, SECOND_OPINION, HeardOnly, Judged, compare

WINDOWS_TOGETHER: Final = 8
HEARD_ONLY_TOLD: Final = 100
_OF_ONE_VERSION: Final = {"job", "continues", "heard_by", "parts", SECOND_OPINION}

log = structlog.get_logger(__name__)

Kept = Mapping[str, Json]
Spans = Sequence[tuple[int, int]]


def hear_second(place: Place, recording_id: str, wanted: Spans, tell: Progress) -> None:
    """Steps of a workflow: hear the `wanted` spans with the engine of `place`, judge the newest transcript by it, store what came out.

    Spans in ms on the recording's time line; none: all of it.
    """
    numbers: list[int] = DBOS.run_step({"name": "look for a second opinion"}, _look, place(), recording_id, wanted)
    plans: list[Kept] = []
    for number in numbers:
        plan: Kept = DBOS.run_step({"name": f"plan second {number}"}, _plan, place(), recording_id, number, plans[-1:], numbers, wanted)
        for batch in cast(list[int], plan["batches"]):
            DBOS.run_step({"name": f"hear second {number}.{batch}"}, _hear, place(), recording_id, plan, batch, tell)
        plans.append(plan)
    DBOS.run_step({"name": "store second opinion"}, _store, place(), recording_id, plans, wanted, DBOS.workflow_id or "", tell)


def wanted_spans(transcript: Transcript, spans: Spans, segments: Sequence[int]) -> list[tuple[int, int]]:
    """The spans and those of the segments with these numbers, in order. NotFound for a segment that is not there."""
    known = {segment.number: segment for segment in transcript.segments}
    missing = [number for number in segments if number not in known]
    if missing:
        raise NotFound(f"version {transcript.version} has no segment {missing[0]}: it has 1 to {len(known)}")
    return sorted({*spans, *((known[number].start_ms, known[number].end_ms) for number in segments)})


def _look(workplace: Workplace, recording_id: str, wanted: Spans) -> list[int]:
    """Numbers of the parts to hear, in order of time. The engine is loaded here, so that a model that is gone fails before any work."""
    recording = workplace.archive.catalog.recording(recording_id)
    if workplace.archive.transcripts.newest_version(recording_id) == 0:
        raise NoSecondOpinion(f"recording {recording_id} has no transcript yet: run liveproof work, then ask for a second opinion")
    parts = [part for part in recording.parts if part.may_sound and _within(part.start_ms, part.end_ms, wanted)]
    if not parts:
        raise NoSecondOpinion(f"no sound of recording {recording_id} is held there, so nothing can be heard again")
    _ = workplace.engine
    return [part.number for part in sorted(parts, key=lambda part: part.start_ms)]


def _plan(workplace: Workplace, recording_id: str, number: int, last: Sequence[Kept], numbers: list[int], wanted: Spans) -> Kept:
    """What is asked of a part, with what is carried over from the `last` plan, and which of its `batches` hold something wanted."""
    recording = workplace.archive.catalog.recording(recording_id)
    part, pinned = part_of(recording, number), Asked.of(last[0]).settings if last else {}
    before = left_to(recording, part, Carried.of(last[0]["carried"]) if last else None)
    after = part_after(recording, part)
    asked = ask(workplace, recording, line_of(part, before), after is not None and after.number in numbers, pinned)
    plan = plan_of(workplace, recording_id, asked)
    batches: list[Json] = [
        index
        for index, windows in enumerate(plan.batches(cast(int, asked.settings["whisper_batch"])))
        if any(_within(plan.line.at(w.regions[0].start_ms), plan.line.at(w.regions[-1].end_ms), wanted) for w in windows)
    ]
    return {**asked.as_json(), "batches": batches, "carried": plan.carried.as_json() if plan.carried else None}


def _hear(workplace: Workplace, recording_id: str, plan: Kept, batch: int, tell: Progress) -> int:
    """How many segments were heard; they are kept in the recording's spool."""
    asked, batches = Asked.of(plan), cast(list[int], plan["batches"])
    heard = heard_batch(workplace, recording_id, asked, batch, tell)
    tell(f"second {asked.parts[-1]}", batches.index(batch) + 1, len(batches))
    return len(heard)


@dataclass(slots=True)
class _Stretch:
    """Windows that are compared together, in ms on the recording's time line, with what the second heard in them."""

    start_ms: int
    end_ms: int
    heard: list[Segment]
    windows: int = 1


def _store(workplace: Workplace, recording_id: str, plans: Sequence[Kept], wanted: Spans, job: str, tell: Progress) -> int:
    """The version's number. Nothing is stored twice for one `job`."""
    transcripts = workplace.archive.transcripts
    for version, known in transcripts.provenances(recording_id).items():
        opinion = known.parameters.get(SECOND_OPINION)
        if isinstance(opinion, Mapping) and opinion.get("job") == job:
            return version  # killed between the commit and the step's own record: it stands already
    newest = transcripts.latest(recording_id)
    if newest is None:
        raise NoSecondOpinion(f"recording {recording_id} has no transcript any more")
    first = transcripts.version(recording_id, machine_version(newest))
    compared = [segment for segment in first.segments if _wanted(segment, wanted)]
    judged, alone = _judged(compared, _stretches(workplace, recording_id, plans, compared, tell))
    recording = workplace.archive.catalog.recording(recording_id)
    opinion_told = _told(workplace, recording, first, plans, wanted, judged, alone)

    def revised(machine: Transcript) -> Revision:
        texts = {segment.number: segment.text for segment in compared}
        said = [
            _marked(segment, judged[segment.number]) if texts.get(segment.number) == segment.text else segment
            for segment in machine.segments
        ]
        parameters = {name: value for name, value in machine.provenance.parameters.items() if name not in _OF_ONE_VERSION}
        before = machine.provenance.parameters.get(SECOND_OPINION)
        earlier = parameters.get("earlier_second_opinions")
        if before is not None:
            parameters["earlier_second_opinions"] = [*(earlier if isinstance(earlier, list) else []), before]
        parameters["parts"] = [*sorted(heard_parts(workplace.archive, recording).parts)]
        parameters |= heard_by_parameters(numbered_stretches(heard_by(machine)))
        parameters[SECOND_OPINION] = {**opinion_told, "of_version": machine.version, "job": job}
        provenance = replace(machine.provenance, parameters=parameters, created_at=workplace.archive.clock())
        return Revision(provenance, said, machine.speech, machine.skipped)

    stored = transcripts.revise(recording_id, revised, workplace.archive.settings.actor)
    HeardSpool.of(workplace.archive.home, recording_id).discard()
    let_go_of_sound(workplace, recording_id, [part for plan in plans for part in Asked.of(plan).parts])
    counts = {name: opinion_told[name] for name in ("compared", "agreeing", "disagreeing")}
    log.info("second_opinion", recording=recording_id, version=stored.version, engine=workplace.engine.name, **counts)
    return stored.version


def _stretches(
    workplace: Workplace, recording_id: str, plans: Sequence[Kept], first: Sequence[Segment], tell: Progress
) -> Iterator[_Stretch]:
    """The windows heard, in order of time; those that a segment of the first lies across are one stretch."""
    held: _Stretch | None = None
    for start_ms, end_ms, heard in _windows(workplace, recording_id, plans, tell):
        if held and held.windows < WINDOWS_TOGETHER and _across(first, held.end_ms, start_ms):
            held = _Stretch(held.start_ms, end_ms, [*held.heard, *heard], held.windows + 1)
            continue
        if held:
            yield held
        held = _Stretch(start_ms, end_ms, heard)
    if held:
        yield held


def _across(first: Sequence[Segment], end_ms: int, start_ms: int) -> bool:
    """Whether a segment lies across the pause between two windows."""
    return any(segment.start_ms < end_ms and segment.end_ms > start_ms for segment in first)


def _windows(workplace: Workplace, recording_id: str, plans: Sequence[Kept], tell: Progress) -> Iterator[tuple[int, int, list[Segment]]]:
    for kept in plans:
        asked = Asked.of(kept)
        plan, size = plan_of(workplace, recording_id, asked), cast(int, asked.settings["whisper_batch"])
        for batch in cast(list[int], kept["batches"]):
            segments = segments_from_json(heard_batch(workplace, recording_id, asked, batch, tell))
            for window in plan.windows[batch * size : (batch + 1) * size]:
                start_ms, end_ms = plan.line.at(window.regions[0].start_ms), plan.line.at(window.regions[-1].end_ms)
                yield start_ms, end_ms, [s for s in segments if start_ms <= (s.start_ms + s.end_ms) // 2 < end_ms]


def _judged(first: Sequence[Segment], stretches: Iterator[_Stretch]) -> tuple[dict[int, Judged], list[HeardOnly]]:
    """A verdict on every segment, by its number. Where the second was given no sound to hear, it heard nothing."""
    judged: dict[int, Judged] = {}
    alone: list[HeardOnly] = []
    for stretch in stretches:
        mine = [s for s in first if stretch.start_ms <= (s.start_ms + s.end_ms) // 2 < stretch.end_ms and s.number not in judged]
        compared = compare(mine, stretch.heard, as_spoken)
        judged |= {each.number: each for each in compared.judged}
        alone += compared.heard_only
    for segment in first:
        if segment.number not in judged:
            judged[segment.number] = compare([segment], [], as_spoken).judged[0]
    return judged, alone


def _marked(segment: Segment, judged: Judged) -> Segment:
    others = tuple(risk for risk in segment.risk if risk != SECOND_OPINION)
    risk = (*others, SECOND_OPINION) if judged.otherwise is not None else others
    return replace(segment, risk=risk, heard_otherwise=judged.otherwise)


def _told(
    workplace: Workplace,
    recording: Recording,
    first: Transcript,
    plans: Sequence[Kept],
    wanted: Spans,
    judged: Mapping[int, Judged],
    alone: Sequence[HeardOnly],
) -> dict[str, Json]:
    """What the version's provenance says of the second opinion (G7)."""
    engine, disagreeing = workplace.engine, sum(each.otherwise is not None for each in judged.values())
    spans = wanted or [(0, max(recording.duration_ms, max((s.end_ms for s in first.segments), default=0)))]
    only = [each for each in alone if _within(each.start_ms, each.end_ms, wanted)]
    return {
        "engine": engine.name,
        "version": engine.version,
        "model": engine.model,
        "digest": engine.model_digest,
        "parameters": {**engine.parameters, **(Asked.of(plans[0]).settings if plans else {})},
        "compared": len(judged),
        "agreeing": len(judged) - disagreeing,
        "disagreeing": disagreeing,
        "agreement": round(sum(each.agreement for each in judged.values()) / len(judged), 4) if judged else None,
        "agrees_from": AGREES_FROM,
        "spans": [[start, end] for start, end in spans],
        "heard_only": len(only),
        HEARD_ONLY: [[each.start_ms, each.end_ms, each.text] for each in only[:HEARD_ONLY_TOLD]],
    }


def _wanted(segment: Segment, wanted: Spans) -> bool:
    """Whether at least half of it lies in a wanted span."""
    middle = (segment.start_ms + segment.end_ms) // 2
    return not wanted or any(start <= middle < end for start, end in wanted)


def _within(start_ms: int, end_ms: int, wanted: Spans) -> bool:
    return not wanted or any(start_ms < end and end_ms > start for start, end in wanted)
