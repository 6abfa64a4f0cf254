"""What a recording's chat says of its clocks, and whom to believe where clocks contradict each other.

Held against the speech that answers it (ingest/clock_answers.py), chat tells two things. Its places on the time line: a file whose messages
lie plainly too late or too early gets a shift. And, where messages carry the time of day, the media's wall clock, with the platform's
servers as witness. Three kinds of witness know when media time 0 was: a person (`given`), the recorder's machine (file names, the chat's
head) and the platform (messages' own times). Where the platform contradicts the clock that is held by more than both uncertainties:

| held was told by               | and                                      | then                                                         |
|--------------------------------|------------------------------------------|--------------------------------------------------------------|
| nobody (`unknown`)             |                                          | the platform's word is taken, method chat_answers            |
| the chat's head alone          | it tells when the chat began, no more    | the platform's word is taken, method chat_answers            |
| a person or the recorder       | the other of them agrees with the platform | the other one's word is taken                              |
| a person or the recorder       | the other of them agrees with what is held | what is held stays; the chat alone is moved                |
| a person or the recorder       | nobody else knows                        | what is held stays, with an uncertainty that covers both     |
| someone who looked, second by second (anchors, time_subtitle, capture) | | what is held stays                                           |

Estimates count from what was admitted, never from one another, so that trying again changes nothing.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from archive.clocks import DAY_MS, EARLIEST, ChatShift
from archive.digest import Json
from archive.recording import Message, MessageKind, Recording
from archive.timeline import ClockMap, WallTime
from archive.transcript import Segment
from ingest.chat.placing import UNKNOWN_START_UNCERTAINTY_MS, WALL_UNCERTAINTY_MS, epoch_ms, id_time_ms, written_ms
from ingest.clock import FILE_NAME_UNCERTAINTY_MS, name_time
from ingest.clock_answers import (
    ANSWER_DELAY_MS,
    ANSWER_DELAY_UNCERTAINTY_MS,
    REACH_MS,
    AnswerLag,
    Asked,
    answer_lag,
)

METHOD = "chat_answers"
LOOKED_AT = ("anchors", "time_subtitle", "capture")
RAW_STEP_MS = 500
"""Messages' wall times are written in whole seconds, cut off."""
_VIEWERS = (MessageKind.CHAT, MessageKind.PAID)


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who says that media time 0 of the recording was at `start`, give or take `uncertainty_ms`. `method` as in ClockMap."""

    method: str
    start: WallTime
    uncertainty_ms: int

    def agrees(self, other: "Witness") -> bool:
        return abs(self.start.epoch_ms - other.start.epoch_ms) <= self.uncertainty_ms + other.uncertainty_ms

    def as_json(self) -> dict[str, Json]:
        return {"method": self.method, "start": self.start.iso(), "uncertainty_ms": self.uncertainty_ms}


@dataclass(frozen=True, slots=True)
class ShiftEstimate:
    """How far a chat file lies from the speech, against its times as admitted."""

    source: int
    shift_ms: int
    uncertainty_ms: int
    basis: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ClockEstimate:
    """What is to be stored: further clock maps (none: the clock stays) with what they rest on, and shifts of chat files.

    `decision`: nothing_told, confirmed, taken, other_taken, kept, disputed, looked_at.
    """

    clocks: Mapping[int, ClockMap]
    basis: Mapping[str, Json]
    shifts: tuple[ShiftEstimate, ...]
    decision: str
    speech: AnswerLag


def estimate_clocks(
    recording: Recording,
    brought: Sequence[Message],
    shifts: Mapping[int, ChatShift],
    said: Sequence[Segment],
    witnesses: Sequence[Witness],
    zone: tzinfo,
    only_chat: int | None,
) -> ClockEstimate:
    """What the chat tells. `brought`: messages at their times as admitted; `shifts`: those that hold; `witnesses`: who else knows, beside
    the clock that is held; `only_chat`: the source that messages belong to which name none."""
    asked = [message for message in brought if message.kind in _VIEWERS and not message.recalled]
    moved = _shifts(recording, asked, shifts, said, only_chat)
    lag, platform = _platform(recording, asked, said, zone)
    clocks, basis, decision = _decided(recording, platform, witnesses)
    basis = {**basis, "decision": decision, "answers": lag_json(lag)} if clocks else {}
    return ClockEstimate(clocks, basis, moved, decision, lag)


def recorder_witness(recording: Recording, zone: tzinfo) -> Witness | None:
    """What the file names say; None where none holds a time of its own."""
    starts: list[int] = []
    step_ms = FILE_NAME_UNCERTAINTY_MS
    for part in recording.parts:
        named = name_time(part.file_name, zone)
        if named:
            starts.append(named.wall.epoch_ms - part.start_ms)
            step_ms = max(step_ms, named.step_ms)
    return Witness("file_name", WallTime(round(statistics.median(starts))), step_ms) if starts else None


def lag_json(lag: AnswerLag) -> dict[str, Json]:
    """What the answers told, and how surely; with the delay that was taken off."""
    told: dict[str, Json] = {
        "lag_ms": lag.lag_ms,
        "error_ms": lag.error_ms,
        "questions": lag.questions,
        "answers": lag.answers,
        "by_chance": lag.by_chance,
        "rival": lag.rival,
        "delay_ms": ANSWER_DELAY_MS,
        "delay_uncertainty_ms": ANSWER_DELAY_UNCERTAINTY_MS,
    }
    return told if lag.why is None else {**told, "why": lag.why}


def raw_wall_ms(message: Message, zone: tzinfo) -> int | None:
    """The wall time that a message itself carries, in ms since 1970; None where it has none that can be read."""
    raw = (message.raw_wall or "").strip()
    if not raw:
        return None
    if raw.isascii() and raw.isdigit():
        return id_time_ms(raw) if len(raw) >= 18 and not message.source.startswith("youtube") else epoch_ms(raw)
    found = written_ms(raw, zone)
    return found[0] if found else None


def _shifts(
    recording: Recording, asked: Sequence[Message], held: Mapping[int, ChatShift], said: Sequence[Segment], only_chat: int | None
) -> tuple[ShiftEstimate, ...]:
    """Files that lie elsewhere than where they are held to lie. A file too short to tell goes by all files of its format together."""
    by_source: dict[int, list[Message]] = {}
    for message in asked:
        source = message.source_number if message.source_number is not None else only_chat
        if source is not None:
            by_source.setdefault(source, []).append(message)
    formats: dict[str, list[int]] = {}
    for source, messages in by_source.items():
        formats.setdefault(messages[0].source, []).append(source)
    found: list[ShiftEstimate] = []
    for sources in formats.values():
        together: AnswerLag | None = None
        for source in sources:
            lag, with_others = _lag(recording, by_source[source], said), False
            if lag.lag_ms is None and len(sources) > 1:
                together = together or _lag(recording, [m for each in sources for m in by_source[each]], said)
                lag, with_others = together, True
            shift = _shift(source, by_source[source], held.get(source), lag, sources if with_others else [])
            if shift:
                found.append(shift)
    return tuple(found)


def _shift(
    source: int, messages: Sequence[Message], held: ChatShift | None, lag: AnswerLag, together: Sequence[int]
) -> ShiftEstimate | None:
    if lag.lag_ms is None:
        return None
    shift_ms, uncertainty_ms = lag.lag_ms - ANSWER_DELAY_MS, lag.error_ms + ANSWER_DELAY_UNCERTAINTY_MS
    own_ms = round(statistics.median(message.uncertainty_ms for message in messages))
    unknown = own_ms >= UNKNOWN_START_UNCERTAINTY_MS
    now_ms, sure_ms = (held.shift_ms, held.uncertainty_ms) if held else (0, own_ms)
    if not (unknown and held is None) and abs(shift_ms - now_ms) <= uncertainty_ms + sure_ms:
        return None
    basis: dict[str, Json] = {"answers": lag_json(lag)}
    if together:
        basis["together_with"] = list(together)
    if unknown:
        basis["start_unknown"] = {"was_ms": UNKNOWN_START_UNCERTAINTY_MS, "now_ms": WALL_UNCERTAINTY_MS}
    return ShiftEstimate(source, shift_ms, uncertainty_ms, basis)


def _lag(recording: Recording, messages: Sequence[Message], said: Sequence[Segment]) -> AnswerLag:
    unknown = any(message.uncertainty_ms >= UNKNOWN_START_UNCERTAINTY_MS for message in messages)
    reach_ms = max(REACH_MS, min(recording.duration_ms, DAY_MS // 2)) if unknown else REACH_MS
    return answer_lag([Asked(message.at_ms, message.text) for message in messages], said, reach_ms)


def _platform(recording: Recording, asked: Sequence[Message], said: Sequence[Segment], zone: tzinfo) -> tuple[AnswerLag, Witness | None]:
    """The platform's word on when media time 0 was."""
    latest = recording.admitted_at.plus_ms(DAY_MS)
    dated = [(wall, m) for m in asked if (wall := raw_wall_ms(m, zone)) and EARLIEST.epoch_ms <= wall <= latest.epoch_ms]
    start, _ = recording.wall_at(0)
    if not dated or not recording.parts:
        return AnswerLag(None, 0, 0, 0.0, 0.0, 0.0, "few_questions"), None
    zero_ms = start.epoch_ms if start else round(statistics.median(wall - message.at_ms for wall, message in dated))
    reach_ms = REACH_MS if start else max(REACH_MS, min(recording.duration_ms, DAY_MS // 2))
    lag = answer_lag([Asked(wall + RAW_STEP_MS - zero_ms, message.text) for wall, message in dated], said, reach_ms)
    if lag.lag_ms is None:
        return lag, None
    uncertainty_ms = ANSWER_DELAY_UNCERTAINTY_MS + lag.error_ms + RAW_STEP_MS
    return lag, Witness(METHOD, WallTime(zero_ms + ANSWER_DELAY_MS - lag.lag_ms), uncertainty_ms)


def _decided(
    recording: Recording, platform: Witness | None, witnesses: Sequence[Witness]
) -> tuple[Mapping[int, ClockMap], Mapping[str, Json], str]:
    """The table above: clocks to be stored (none: what is held stays), what they rest on, and the decision."""
    if platform is None or not recording.parts:
        return {}, {}, "nothing_told"
    first = recording.parts[0].clock
    if first.method in LOOKED_AT or any(part.clock.pieces for part in recording.parts):
        return {}, {}, "looked_at"
    held = Witness(first.method, first.wall_start, first.uncertainty_ms) if first.wall_start else None
    others = [witness for witness in witnesses if held is None or witness.method != held.method]
    basis: dict[str, Json] = {
        "held": held.as_json() if held else None,
        "platform": platform.as_json(),
        "others": [witness.as_json() for witness in others],
    }
    if held is None:
        return _all_at(recording, platform), basis, "taken"
    if held.agrees(platform):
        return {}, {}, "confirmed"
    if held.method in ("chat_header", METHOD):
        better = next((witness for witness in others if witness.method != "chat_header" and witness.agrees(platform)), platform)
        return _all_at(recording, better), basis, "taken"
    for_platform = [witness for witness in others if witness.agrees(platform)]
    for_held = [witness for witness in others if witness.agrees(held)]
    if for_platform and not for_held:
        return _all_at(recording, min(for_platform, key=lambda witness: witness.uncertainty_ms)), basis, "other_taken"
    if for_held and not for_platform and _independent(held, for_held):
        return {}, {}, "kept"
    apart_ms = abs(held.start.epoch_ms - platform.start.epoch_ms) + platform.uncertainty_ms
    return _all_at(recording, replace(held, uncertainty_ms=apart_ms)), basis, "disputed"


def _independent(held: Witness, supporters: Sequence[Witness]) -> bool:
    """Whether one of those who agree is of another kind: file names and chat heads are both the recorder's machine."""
    machine = ("file_name", "chat_header", "sum_of_durations")
    return any((held.method in machine) != (witness.method in machine) for witness in supporters)


def _all_at(recording: Recording, witness: Witness) -> dict[int, ClockMap]:
    """Every part's clock by one witness of the recording's start: parts keep distances, and what they were less sure of than part 1."""
    first = recording.parts[0].clock
    return {
        part.number: ClockMap(
            part.start_ms,
            witness.start.plus_ms(part.start_ms - first.starts_at_ms),
            witness.uncertainty_ms + max(0, part.clock.uncertainty_ms - first.uncertainty_ms),
            witness.method,
        )
        for part in recording.parts
    }
