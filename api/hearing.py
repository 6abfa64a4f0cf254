"""Hearing what nobody heard yet of a recording: durable steps, one a batch of windows, and a transcript version that goes on from the last.

A workflow looks once what there is to hear, so that it does the same after kill -9; what comes later is the next job's. Steps take and
give plain JSON, and little of it: a recording of ten hours has thousands of them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from dbos import DBOS

from api.heard_parts import HeardParts, heard_parts
from api.heard_storing import store_heard
from api.line_hearing import Asked, Place, ask, batch_count, heard_batch, let_go_of_sound, part_of, plan_of
from api.operations import Progress
from api.telling_voices import tell_voices
from api.workplace import Workplace
from archive.digest import Json
from archive.errors import NoMediaHeld
from archive.recording import Part, Recording
from transcribe.seams import Carried, Line, end_of, is_last, left_to, line_of, part_after

LOOK: Final = "look"

Kept = Mapping[str, Json]


def hear_new_parts(
    place: Place, recording_id: str, tell: Progress, again: bool = False, hears: Callable[[Sequence[int]], None] = lambda numbers: None
) -> None:
    """Steps of a workflow: hear the parts that no transcript speaks for, or all of them `again`, and store what was heard.

    Steps keep what was asked and how much of it there is; the words are in the recording's spool (`api.heard_spool`) until they are stored.
    `hears` is told which parts these are, in order, each time the workflow comes by. NoMediaHeld where neither media nor words are held.
    """
    seen: dict[str, Json] = DBOS.run_step({"name": LOOK}, _look, place(), recording_id, again)
    numbers, carried = cast(list[int], seen["parts"]), seen["carried"]
    hears(numbers)
    plans: list[Kept] = []
    if seen["tail"]:
        tail: Kept = DBOS.run_step({"name": "plan the end carried over"}, _plan_tail, place(), recording_id, carried)
        _hear(place, recording_id, "carried", tail, tell)
        plans.append(tail)
        tell_voices(place, recording_id, "carried", plans, again, tell)
        DBOS.run_step({"name": "let go of the end carried over"}, let_go_of_sound, place(), recording_id, _parts_of(tail))
        carried = None
    before: list[int] = []
    for number, following in zip(numbers, [*numbers[1:], None], strict=False):
        pinned = _settings_of(plans)
        plan: Kept = DBOS.run_step({"name": f"plan {number}"}, _plan, place(), recording_id, number, following, carried, pinned, tell)
        # Until here the sound of the part before was needed for what its end left to this one.
        DBOS.run_step({"name": f"let go of sound before {number}"}, let_go_of_sound, place(), recording_id, before)
        _hear(place, recording_id, str(number), plan, tell)
        plans.append(plan)
        tell_voices(place, recording_id, str(number), plans, again, tell)
        before = _parts_of(plan)
        carried = plan["carried"] or (None if len(before) > 1 else carried)
    DBOS.run_step({"name": "let go of sound"}, let_go_of_sound, place(), recording_id, before)
    if plans:
        arguments = (place(), recording_id, plans, carried, again, DBOS.workflow_id or "", tell)
        DBOS.run_step({"name": "store transcript"}, store_heard, *arguments)


def unheard(workplace: Workplace, recording_id: str) -> bool:
    """Whether a recording has parts, or an end of one, that are to be heard and were not."""
    seen = _seen(workplace, workplace.archive.catalog.recording(recording_id))
    return bool(seen["parts"] or seen["tail"])


def _hear(place: Place, recording_id: str, name: str, plan: Kept, tell: Progress) -> None:
    for number in range(cast(int, plan["batches"])):
        DBOS.run_step({"name": f"hear {name}.{number}"}, _hear_batch, place(), recording_id, plan, number, tell)


def _hear_batch(workplace: Workplace, recording_id: str, plan: Kept, number: int, tell: Progress) -> int:
    """How many segments were heard; they are kept."""
    asked = Asked.of(plan)
    heard = heard_batch(workplace, recording_id, asked, number, tell)
    tell(f"transcribe {asked.parts[-1]}", number + 1, cast(int, plan["batches"]))
    return len(heard)


def _parts_of(plan: Kept) -> list[int]:
    return Asked.of(plan).parts


def _settings_of(plans: Sequence[Kept]) -> Mapping[str, Json]:
    """What the job's first plan was made with, which then holds for all; empty before it."""
    return Asked.of(plans[0]).settings if plans else {}


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
        ended = part_of(recording, before.carried.part)
        following = part_after(recording, ended)
        waits = following is None and recording.live and is_last(recording, ended)
        tail = not waits and (following is None or following.number in before.parts)
    carried = before.carried.as_json() if before.carried else None
    return {"parts": [part.number for part in new], "carried": carried, "tail": tail}


def _plan(
    workplace: Workplace,
    recording_id: str,
    number: int,
    following: int | None,
    carried: Json,
    pinned: Mapping[str, Json],
    tell: Progress,
) -> dict[str, Json]:
    """`following`: the part that this job hears next; `carried`: the end that is still to be heard of a part before."""
    recording = workplace.archive.catalog.recording(recording_id)
    part, left = part_of(recording, number), Carried.of(carried)
    before = left_to(recording, part, left)
    tell("plan", number - 1, number)
    may_carry = (left is None or before is not None) and _goes_on(workplace, recording, part, following)
    kept = _planned(workplace, recording_id, ask(workplace, recording, line_of(part, before), may_carry, pinned))
    tell("plan", number, number)
    return kept


def _planned(workplace: Workplace, recording_id: str, asked: Asked) -> dict[str, Json]:
    """What was asked, how many `batches` that is, and what of its end is `carried` over."""
    plan = plan_of(workplace, recording_id, asked)
    carried = plan.carried.as_json() if plan.carried else None
    return {**asked.as_json(), "batches": batch_count(workplace, recording_id, asked), "carried": carried}


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
    line = Line((end_of(part_of(recording, left.part), left),))
    return _planned(workplace, recording_id, ask(workplace, recording, line, False, {}))
