"""What a job heard becomes a transcript version, read out of the spool batch by batch: in memory are times, spans and a few batches.

What the spool has lost, or what another recogniser than the present one wrote, is heard again here, so that a job ends well in any case.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import cast

import numpy as np
import structlog

from api.expected_words import ExpectedWords
from api.heard_spool import HeardSpool
from api.line_hearing import Asked, batch_count, heard_batch, let_go_of_sound, plan_of, told_in
from api.operations import Progress
from api.telling_voices import labels_for
from api.workplace import Workplace
from archive.digest import Json
from archive.transcript import Segment
from transcribe.kept import segments_from_json
from transcribe.loops import marked_loops
from transcribe.transcription import provenance_of

BATCHES_AT_HAND = 16

log = structlog.get_logger(__name__)

Batch = Callable[[int], Sequence[Segment]]


def store_heard(
    workplace: Workplace, recording_id: str, plans: Sequence[Mapping[str, Json]], carried: Json, again: bool, job: str, tell: Progress
) -> int:
    """The version's number. Nothing is stored twice for one `job`; the spool goes when the version stands."""
    transcripts = workplace.archive.transcripts
    for version, known in transcripts.provenances(recording_id).items():
        if known.parameters.get("job") == job:
            _let_go(workplace, recording_id, plans)
            return version  # killed between the commit and the step's own record: it stands already
    asked = [Asked.of(plan) for plan in plans]
    batches = [(each, number) for each in asked for number in range(batch_count(workplace, recording_id, each))]
    voices = labels_for(workplace, recording_id, asked, again, tell)
    said_by = [batch for line in voices.lines for batch in line] if voices else None

    @lru_cache(maxsize=BATCHES_AT_HAND)
    def batch(index: int) -> Sequence[Segment]:
        segments = segments_from_json(heard_batch(workplace, recording_id, *batches[index], tell))
        if said_by is None:
            return segments
        return [replace(segment, speaker=label) for segment, label in zip(segments, said_by[index], strict=True)]

    order = _order(batch, len(batches))
    numbers: list[Json] = [*sorted({each.line.pieces[-1].part for each in asked})]
    about: dict[str, Json] = {"job": job, "parts": numbers, **({"carried": carried} if carried else {})}
    if voices:
        about["speakers"] = voices.parameters
    provenance = provenance_of(workplace.engine, asked[0].settings_in(workplace), workplace.archive.clock())
    if provenance.parameters.get("expected_words"):
        # Instead of that some were: which words in which spans.
        told = (told_in(each, plan_of(workplace, recording_id, each).windows) for each in asked)
        about["expected_words"] = ExpectedWords.told(window for windows in told for window in windows).as_json()
    spans = [(plan.speech, plan.skipped) for plan in (plan_of(workplace, recording_id, each) for each in asked)]
    stored = transcripts.store_heard(
        recording_id,
        replace(provenance, parameters={**provenance.parameters, **about}),
        marked_loops(_in_order(batch, order)),
        [span for speech, _ in spans for span in speech],
        [span for _, skipped in spans for span in skipped],
        workplace.archive.settings.actor,
        anew=again,
    )
    _let_go(workplace, recording_id, plans)
    log.info("transcribed", recording=recording_id, version=stored.version, segments=stored.segments, parts=about["parts"])
    return stored.version


def _order(batch: Batch, count: int) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
    """Rows of (batch, place in it) in order of the segments' times; equal ones as they were heard."""
    found = array("q")
    for index in range(count):
        for place, segment in enumerate(batch(index)):
            found.extend((index, place, segment.start_ms, segment.end_ms))
    rows = np.frombuffer(found, np.int64).reshape(-1, 4)
    return cast("np.ndarray[tuple[int, int], np.dtype[np.int64]]", rows[np.lexsort((rows[:, 3], rows[:, 2])), :2])


def _in_order(batch: Batch, order: "np.ndarray[tuple[int, int], np.dtype[np.int64]]") -> Iterator[Segment]:
    for index, place in order:
        yield batch(int(index))[int(place)]


def _let_go(workplace: Workplace, recording_id: str, plans: Sequence[Mapping[str, Json]]) -> None:
    """Remove what was kept for this; also sound that had to be decoded again."""
    HeardSpool.of(workplace.archive.home, recording_id).discard()
    let_go_of_sound(workplace, recording_id, [part for plan in plans for part in Asked.of(plan).parts])
