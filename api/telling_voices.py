"""Which voice said what of a line that was heard: a step after hearing, kept in the recording's spool until the version is stored.

Lines follow each other: each goes on with the voices of the one before. Where a recording grows, the voices of its earlier parts are learnt
again from the segments that carry their labels; no voiceprint is kept, here or in a transcript, once a job is over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import structlog
from dbos import DBOS

from api.heard_spool import HeardSpool
from api.line_hearing import Asked, Place, batch_count, ears, heard_batch, let_go_of_sound, part_of, sound_of_line
from api.operations import Progress
from api.standings import recogniser_turn
from api.workplace import Workplace
from archive.digest import Json, digest_json
from archive.transcript import Segment
from transcribe.audio import Samples, Sound
from transcribe.kept import segments_from_json
from transcribe.seams import Line, line_of
from transcribe.speakers import SpeakerTeller, Voice, labels_of

# A voice of earlier parts is learnt again from so much of it, at most from so many segments of its newest parts.
LEARNT_MS, LEARNT_FROM = 20_000, 8
# More of one segment says no more about who speaks.
LISTENED_MS = 20_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a line: the number of each segment's voice, batch by batch, and the voices met until its end.

    `known`: labels of the voices that earlier versions met, by number; `taken`: all labels that they use.
    """

    numbers: Sequence[Sequence[int | None]]
    voices: Sequence[Voice]
    known: Mapping[int, str]
    taken: Sequence[str]

    def as_json(self) -> dict[str, Json]:
        return {
            "numbers": [list(batch) for batch in self.numbers],
            "voices": [voice.as_json() for voice in self.voices],
            "known": [[number, label] for number, label in self.known.items()],
            "taken": list(self.taken),
        }

    @classmethod
    def of(cls, kept: Mapping[str, Json]) -> "Told":
        """What `as_json` wrote."""
        known = {cast(int, number): cast(str, label) for number, label in cast(Sequence[Sequence[Json]], kept["known"])}
        voices = [Voice.of(voice) for voice in cast(Sequence[Json], kept["voices"])]
        return cls(cast(Sequence[Sequence[int | None]], kept["numbers"]), voices, known, cast(Sequence[str], kept["taken"]))


@dataclass(frozen=True, slots=True)
class Labels:
    """What a version says of its voices: `parameters` for its provenance, and the label of each segment by line, batch and place in it."""

    parameters: Mapping[str, Json]
    lines: Sequence[Sequence[Sequence[str | None]]]


def tell_voices(place: Place, recording_id: str, name: str, plans: Sequence[Mapping[str, Json]], again: bool, tell: Progress) -> None:
    """A step of a workflow, after the newest of `plans` was heard and while its sound is at hand."""
    DBOS.run_step({"name": f"tell voices {name}"}, _tell_newest, place(), recording_id, plans, again, tell)


def labels_for(workplace: Workplace, recording_id: str, asked: Sequence[Asked], again: bool, tell: Progress) -> Labels | None:
    """The labels of all that a job heard; None where voices are not told apart. What is not kept any more is told again."""
    teller = workplace.speakers
    if teller is None or not asked:
        return None
    told = [_told(workplace, teller, recording_id, asked[: count + 1], again, tell) for count in range(len(asked))]
    last = told[-1]
    labels = labels_of(last.voices, last.known, last.taken)
    talk_ms: dict[str, Json] = {labels[voice.number]: voice.ms for voice in last.voices if voice.number not in last.known}
    lines = [[[None if number is None else labels[number] for number in batch] for batch in line.numbers] for line in told]
    return Labels({**teller.parameters, "new_voices_ms": talk_ms}, lines)


def _tell_newest(workplace: Workplace, recording_id: str, plans: Sequence[Mapping[str, Json]], again: bool, tell: Progress) -> int | None:
    """How many voices were met so far; None where voices are not told apart."""
    teller = workplace.speakers
    if teller is None:
        return None
    return len(_told(workplace, teller, recording_id, [Asked.of(plan) for plan in plans], again, tell).voices)


def _told(workplace: Workplace, teller: SpeakerTeller, recording_id: str, asked: Sequence[Asked], again: bool, tell: Progress) -> Told:
    """Of the last of `asked`: kept, or told now and kept."""
    spool, name = HeardSpool.of(workplace.archive.home, recording_id), f"{_key(workplace, teller, asked, again)}.voices"
    kept = spool.read(name)
    if isinstance(kept, Mapping):
        return Told.of(kept)
    if len(asked) > 1:
        before = _told(workplace, teller, recording_id, asked[:-1], again, tell)
        voices, known, taken = list(before.voices), before.known, before.taken
    else:
        voices, known, taken = ([], {}, []) if again else _of_earlier_parts(workplace, teller, recording_id, asked[0])
    line, count = asked[-1], batch_count(workplace, recording_id, asked[-1])
    # Only their times are held: a line may be hours long. Before the turn, since what is kept no more is heard in a turn of its own.
    batches = [_times(heard_batch(workplace, recording_id, line, number, tell)) for number in range(count)]
    numbers: list[int | None] = []
    with recogniser_turn(workplace, recording_id):
        sound = sound_of_line(workplace, recording_id, line) if any(batches) else None
        if sound:
            numbers = teller.tell(_sounds(sound, line.line, [span for batch in batches for span in batch]), voices)
    waiting = iter(numbers)
    told = Told([[next(waiting) for _ in batch] for batch in batches], voices, known, taken)
    spool.begin(recording_id)
    spool.keep(name, told.as_json())
    log.info("voices.told_apart", recording=recording_id, parts=line.parts, segments=len(numbers), voices=len(voices))
    return told


def _key(workplace: Workplace, teller: SpeakerTeller, asked: Sequence[Asked], again: bool) -> str:
    """All that decides who is told to have said what."""
    whole: dict[str, Json] = {"lines": [each.key for each in asked], "ears": ears(workplace.engine), "again": again}
    return digest_json({**whole, "teller": teller.parameters}).removeprefix("sha256:")[:24]


def _times(batch: Sequence[Json]) -> list[tuple[int, int]]:
    return [(segment.start_ms, segment.end_ms) for segment in segments_from_json(batch)]


def _sounds(sound: Sound, line: Line, spans: Sequence[tuple[int, int]]) -> Iterator[Samples]:
    for start, end in spans:
        start_ms, end_ms = line.ms_of(start), line.ms_of(end)
        yield sound.read(start_ms, min(end_ms, start_ms + LISTENED_MS))


def _of_earlier_parts(
    workplace: Workplace, teller: SpeakerTeller, recording_id: str, first: Asked
) -> tuple[list[Voice], dict[int, str], list[str]]:
    """The voices that the newest version knows, learnt again from their newest segments; their labels; all labels that it uses.

    A voice of which there is too little is not among the voices, but its label stays taken.
    """
    transcripts = workplace.archive.transcripts
    if not any("speakers" in known.parameters for known in transcripts.provenances(recording_id).values()):
        return [], {}, []
    latest = transcripts.latest(recording_id)
    samples: dict[str, list[Segment]] = {}
    for segment in latest.segments if latest else ():
        if segment.speaker and segment.part is not None and segment.end_ms - segment.start_ms >= teller.min_ms:
            samples.setdefault(segment.speaker, []).append(segment)
    chosen = {label: _newest(segments) for label, segments in samples.items()}
    spoken: dict[str, list[Samples]] = {label: [] for label in chosen}
    recording = workplace.archive.catalog.recording(recording_id)
    for number in sorted({segment.part for segments in chosen.values() for segment in segments if segment.part is not None}):
        part = part_of(recording, number)
        alone = Asked(line_of(part), (part.digest,), False, {})
        with recogniser_turn(workplace, recording_id):
            sound = sound_of_line(workplace, recording_id, alone)
            if sound:
                for label, segments in chosen.items():
                    there = [(segment.start_ms, segment.end_ms) for segment in segments if segment.part == number]
                    spoken[label] += _sounds(sound, alone.line, there)
        if number not in first.parts:
            let_go_of_sound(workplace, recording_id, [number])
    voices = [teller.learn(number, spoken[label]) for number, label in enumerate(chosen)]
    known = {voice.number: label for voice, label in zip(voices, chosen, strict=True) if voice}
    return [voice for voice in voices if voice], known, list(samples)


def _newest(segments: Sequence[Segment]) -> list[Segment]:
    """Enough of a voice's newest segments to know it by."""
    chosen: list[Segment] = []
    for segment in reversed(segments):
        if len(chosen) == LEARNT_FROM or sum(each.end_ms - each.start_ms for each in chosen) >= LEARNT_MS:
            break
        chosen.append(segment)
    return chosen
