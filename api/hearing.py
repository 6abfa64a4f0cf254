"""Hearing what nobody heard yet of a recording: durable steps, one a batch of windows, and a transcript version that goes on from the last.

A workflow looks once what there is to hear, so that it does the same after kill -9; what comes later is the next job's. Steps take and
give plain JSON.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

import structlog
from dbos import DBOS

from api.heard_parts import HeardParts, heard_parts
from api.operations import Progress
from api.workplace import Workplace
from archive.digest import Json
from archive.errors import NoMediaHeld
from archive.recording import Part, Recording
from transcribe.audio import Sound
from transcribe.kept import plan_from_json, plan_to_json, segments_from_json, segments_to_json
from transcribe.seams import Carried, Line, end_of, is_last, joined_sound, line_of, part_after
from transcribe.speech_regions import Window
from transcribe.transcription import joined, provenance_of, sound_of, transcribe_batch, windows_of

LOOK: Final = "look"

log = structlog.get_logger(__name__)

_hearing = threading.Lock()  # one batch at a time: engines use every core already

Place = Callable[[], Workplace]
Plan = Mapping[str, Json]


def hear_new_parts(place: Place, recording_id: str, tell: Progress, again: bool = False) -> None:
    """Steps of a workflow: hear the parts that no transcript speaks for, or all of them `again`, and store what was heard.

    NoMediaHeld where neither media nor words are held.
    """
    seen: dict[str, Json] = DBOS.run_step({"name": LOOK}, _look, place(), recording_id, again)
    numbers, carried = cast(list[int], seen["parts"]), seen["carried"]
    plans: list[Plan] = []
    heard: list[list[list[Json]]] = []
    if seen["tail"]:
        tail: Plan = DBOS.run_step({"name": "plan the end carried over"}, _plan_tail, place(), recording_id, carried)
        plans.append(tail)
        heard.append(_hear(place, recording_id, "carried", tail, tell))
        DBOS.run_step({"name": "let go of the end carried over"}, _let_go_of_sound, place(), recording_id, _parts_of(tail))
        carried = None
    before: list[int] = []
    for number, following in zip(numbers, [*numbers[1:], None], strict=False):
        plan: Plan = DBOS.run_step({"name": f"plan {number}"}, _plan, place(), recording_id, number, following, carried, tell)
        # Until here the sound of the part before was needed for what its end left to this one.
        DBOS.run_step({"name": f"let go of sound before {number}"}, _let_go_of_sound, place(), recording_id, before)
        heard.append(_hear(place, recording_id, str(number), plan, tell))
        plans.append(plan)
        before = _parts_of(plan)
        carried = plan["carried"] or (None if len(before) > 1 else carried)
    DBOS.run_step({"name": "let go of sound"}, _let_go_of_sound, place(), recording_id, before)
    if plans:
        arguments = (place(), recording_id, plans, heard, carried, again, DBOS.workflow_id or "")
        DBOS.run_step({"name": "store transcript"}, _store, *arguments)


def unheard(workplace: Workplace, recording_id: str) -> bool:
    """Whether a recording has parts, or an end of one, that are to be heard and were not."""
    seen = _seen(workplace, workplace.archive.catalog.recording(recording_id))
    return bool(seen["parts"] or seen["tail"])


def _hear(place: Place, recording_id: str, name: str, plan: Plan, tell: Progress) -> list[list[Json]]:
    count: int = DBOS.run_step({"name": f"batches {name}"}, _batch_count, place(), plan)
    return [DBOS.run_step({"name": f"hear {name}.{n}"}, _hear_batch, place(), recording_id, plan, n, tell) for n in range(count)]


def _look(workplace: Workplace, recording_id: str, again: bool) -> dict[str, Json]:
    """`as_of`: the last custody entry that brought something; `parts` to hear in order of time; `carried` from before, `tail`: alone."""
    catalog = workplace.archive.catalog
    as_of = catalog.as_of(recording_id)
    recording = catalog.recording(recording_id)
    if not recording.has_media and (again or workplace.archive.transcripts.newest_version(recording_id) == 0):
        raise NoMediaHeld(f"recording {recording_id} holds captions only: there is no sound to transcribe")
    return {"as_of": as_of, **_seen(workplace, recording, again)}


def _seen(workplace: Workplace, recording: Recording, again: bool = False) -> dict[str, Json]:
    before = HeardParts(frozenset(), None) if again else heard_parts(workplace.archive, recording)
    new = sorted((part for part in recording.parts if part.number not in before.parts), key=lambda part: part.start_ms)
    tail = False
    if before.carried:
        ended = _part(recording, before.carried.part)
        following = part_after(recording, ended)
        waits = following is None and recording.live and is_last(recording, ended)
        tail = not waits and (following is None or following.number in before.parts)
    carried = before.carried.as_json() if before.carried else None
    return {"parts": [part.number for part in new], "carried": carried, "tail": tail}


def _plan(workplace: Workplace, recording_id: str, number: int, following: int | None, carried: Json, tell: Progress) -> dict[str, Json]:
    """`following`: the part that this job hears next; `carried`: the end that is still to be heard of a part before."""
    recording = workplace.archive.catalog.recording(recording_id)
    part, left = _part(recording, number), Carried.of(carried)
    before = None
    if left:
        ended = _part(recording, left.part)
        follower = part_after(recording, ended)
        before = (ended, left) if follower and follower.number == number else None
    tell("plan", number - 1, number)
    line = line_of(part, before)
    free = left is None or before is not None
    with _hearing:
        sound = _sound_of_line(workplace, recording, line)
        may_carry = free and _goes_on(workplace, recording, part, following)
        plan = windows_of(line, sound, workplace.transcribe_settings, workplace.engine, may_carry=may_carry)
    tell("plan", number, number)
    return plan_to_json(plan)


def _goes_on(workplace: Workplace, recording: Recording, part: Part, following: int | None) -> bool:
    """Whether what runs into the part's end will be heard with the part behind it: by this job, or by a later one."""
    after = part_after(recording, part)
    if following is not None:
        return after is not None and after.number == following
    if after is not None:
        return after.number not in heard_parts(workplace.archive, recording).parts
    return recording.live and is_last(recording, part)


def _plan_tail(workplace: Workplace, recording_id: str, carried: Json) -> dict[str, Json]:
    recording = workplace.archive.catalog.recording(recording_id)
    left = Carried.of(carried)
    if left is None:
        raise ValueError("nothing was carried over")
    line = Line((end_of(_part(recording, left.part), left),))
    with _hearing:
        sound = _sound_of_line(workplace, recording, line)
        return plan_to_json(windows_of(line, sound, workplace.transcribe_settings, workplace.engine))


def _batch_count(workplace: Workplace, plan: Plan) -> int:
    return len(_batches(workplace, plan))


def _batches(workplace: Workplace, plan: Plan) -> list[tuple[Window, ...]]:
    return plan_from_json(plan).batches(workplace.transcribe_settings.whisper_batch)


def _hear_batch(workplace: Workplace, recording_id: str, plan: Plan, batch: int, tell: Progress) -> list[Json]:
    recording = workplace.archive.catalog.recording(recording_id)
    planned, batches = plan_from_json(plan), _batches(workplace, plan)
    with _hearing:
        sound = _sound_of_line(workplace, recording, planned.line)
        if sound is None:
            return []
        segments = transcribe_batch(sound, planned.line, batches[batch], workplace.engine)
    tell(f"transcribe {planned.part}", batch + 1, len(batches))
    return segments_to_json(segments)


def _parts_of(plan: Plan) -> list[int]:
    return [piece.part for piece in plan_from_json(plan).line.pieces]


def _let_go_of_sound(workplace: Workplace, recording_id: str, numbers: Sequence[int]) -> None:
    for part in workplace.archive.catalog.recording(recording_id).parts:
        for file in _scratch(workplace).glob(f"{part.digest.removeprefix('sha256:')}.*") if part.number in numbers else ():
            file.unlink(missing_ok=True)


def _store(
    workplace: Workplace, recording_id: str, plans: list[Plan], heard: list[list[list[Json]]], carried: Json, again: bool, job: str
) -> int:
    transcripts = workplace.archive.transcripts
    for version, known in transcripts.provenances(recording_id).items():
        if known.parameters.get("job") == job:
            return version  # killed between the commit and the step's own record: it stands already
    parts = [
        joined(plan_from_json(plan), [segments_from_json(batch) for batch in batches]) for plan, batches in zip(plans, heard, strict=True)
    ]
    provenance = provenance_of(workplace.engine, workplace.transcribe_settings, workplace.archive.clock())
    about: dict[str, Json] = {"job": job, "parts": sorted({part.part for part in parts})}
    if carried:
        about["carried"] = carried
    store = transcripts.add if again else transcripts.go_on
    stored = store(
        recording_id,
        replace(provenance, parameters={**provenance.parameters, **about}),
        [segment for part in parts for segment in part.segments],
        [span for part in parts for span in part.speech],
        [span for part in parts for span in part.skipped],
        workplace.archive.settings.actor,
    )
    log.info("transcribed", recording=recording_id, version=stored.version, segments=len(stored.segments), parts=about["parts"])
    return stored.version


def _part(recording: Recording, number: int) -> Part:
    return next(part for part in recording.parts if part.number == number)


def _sound_of_line(workplace: Workplace, recording: Recording, line: Line) -> Sound | None:
    first, last = line.pieces[0], line.pieces[-1]
    whole = _part(recording, last.part)
    if len(line.pieces) == 1 and (last.media_ms, last.length_ms) == (0, whole.duration_ms):
        return _sound(workplace, whole)
    name = f"{whole.digest.removeprefix('sha256:')}.after-{first.part}-{first.media_ms}.sound"
    scratch = _scratch(workplace) / name
    if scratch.exists():
        return Sound.held(scratch)
    return joined_sound(line, [_sound(workplace, _part(recording, piece.part)) for piece in line.pieces], scratch)


def _sound(workplace: Workplace, part: Part) -> Sound | None:
    scratch = _scratch(workplace) / f"{part.digest.removeprefix('sha256:')}.sound"
    if not part.may_sound:
        return None
    return sound_of(workplace.archive.store.path(part.digest), scratch, workplace.transcribe_settings, times_joined=part.times_joined)


def _scratch(workplace: Workplace) -> Path:
    folder = workplace.archive.home / "scratch"
    folder.mkdir(exist_ok=True)
    return folder
