"""Whom to believe where clocks contradict each other: a person, the recorder's machine, or the platform whose chat is answered."""

from zoneinfo import ZoneInfo

import pytest

from archive.clocks import ChatShift
from archive.recording import Message, Part, Recording
from archive.timeline import ClockMap, ClockPiece, WallTime
from ingest.chat.placing import UNKNOWN_START_UNCERTAINTY_MS
from ingest.clock_witnesses import ClockEstimate, Witness, estimate_clocks, raw_wall_ms, recorder_witness
from tests.ingest.test_clock_answers import demo_speech
from tests.simulators.same_session import LENGTH_MS, STARTED, viewers_lines

CHINA = ZoneInfo("Asia/Shanghai")
LATE_MS = 40_000


def recording(clock: ClockMap, file_name: str = "session.flv") -> Recording:
    part = Part(1, "sha256:0", 1, file_name, LENGTH_MS, "flv", None, clock)
    return Recording("r", None, None, None, None, clock.wall_start, LENGTH_MS, STARTED.plus_ms(3_600_000), (part,))


def chat(placed_late_ms: int = 0, sent_late_ms: int = 0, uncertainty_ms: int = 1000, dated: bool = True) -> list[Message]:
    """The demo's chat: laid on the line too late by one figure, its own times of day too late by the other."""
    return [
        Message(
            line.at_ms + placed_late_ms,
            line.text,
            line.user,
            raw_wall=str(STARTED.plus_ms(line.at_ms + sent_late_ms).epoch_ms) if dated else None,
            uncertainty_ms=uncertainty_ms,
            source="douyin_messages",
            source_number=1,
        )
        for line in viewers_lines()
    ]


def told(clock: ClockMap, messages: list[Message], *witnesses: Witness, held: dict[int, ChatShift] | None = None) -> ClockEstimate:
    return estimate_clocks(recording(clock), messages, held or {}, demo_speech(), witnesses, CHINA, 1)


def said(method: str, late_ms: int = 0, uncertainty_ms: int = 1000) -> Witness:
    return Witness(method, STARTED.plus_ms(late_ms), uncertainty_ms)


def clock(method: str, late_ms: int = 0, uncertainty_ms: int = 1000) -> ClockMap:
    return ClockMap(0, STARTED.plus_ms(late_ms), uncertainty_ms, method)


def holds_truth(found: ClockMap) -> bool:
    return found.wall_start is not None and abs(found.wall_start.epoch_ms - STARTED.epoch_ms) <= found.uncertainty_ms


def test_a_clock_that_the_platform_agrees_with_stays() -> None:
    found = told(clock("file_name"), chat())
    assert (found.decision, found.clocks, found.shifts) == ("confirmed", {}, ())


def test_where_nothing_told_the_time_of_day_the_platform_does() -> None:
    found = told(ClockMap(0, None, 0, "unknown"), chat(uncertainty_ms=UNKNOWN_START_UNCERTAINTY_MS))
    assert found.decision == "taken"
    assert found.clocks[1].method == "chat_answers"
    assert 8_000 <= found.clocks[1].uncertainty_ms <= 12_000
    assert holds_truth(found.clocks[1])


def test_a_chats_head_gives_way_to_its_messages_own_times() -> None:
    found = told(clock("chat_header", LATE_MS, 2000), chat())
    assert found.decision == "taken"
    assert holds_truth(found.clocks[1])


def test_a_wrong_start_that_somebody_gave_gives_way_where_recorder_and_platform_agree() -> None:
    found = told(clock("given", LATE_MS), chat(placed_late_ms=-LATE_MS), said("file_name"))
    assert found.decision == "other_taken"
    assert (found.clocks[1].wall_start, found.clocks[1].uncertainty_ms, found.clocks[1].method) == (STARTED, 1000, "file_name")
    assert found.shifts[0].shift_ms == pytest.approx(LATE_MS, abs=found.shifts[0].uncertainty_ms)


def test_person_and_recorder_together_stand_against_late_chat() -> None:
    found = told(clock("given"), chat(LATE_MS, LATE_MS), said("file_name"))
    assert (found.decision, found.clocks) == ("kept", {})
    assert found.shifts[0].shift_ms == pytest.approx(-LATE_MS, abs=found.shifts[0].uncertainty_ms)


def test_file_names_and_chat_heads_are_one_machine_and_count_once() -> None:
    found = told(clock("file_name"), chat(LATE_MS, LATE_MS), said("chat_header", 0, 2000))
    assert found.decision == "disputed"


@pytest.mark.parametrize("held_late_ms, chat_late_ms", [(0, LATE_MS), (LATE_MS, 0)])
def test_where_nobody_else_knows_the_uncertainty_covers_whichever_is_right(held_late_ms: int, chat_late_ms: int) -> None:
    messages = chat(placed_late_ms=chat_late_ms - held_late_ms, sent_late_ms=chat_late_ms)
    found = told(clock("given", held_late_ms), messages)
    assert found.decision == "disputed"
    assert found.clocks[1].wall_start == STARTED.plus_ms(held_late_ms)
    assert holds_truth(found.clocks[1])
    assert found.clocks[1].uncertainty_ms < LATE_MS + 15_000
    again = told(found.clocks[1], messages)
    assert (again.decision, again.clocks) == ("confirmed", {})


@pytest.mark.parametrize("method", ["anchors", "time_subtitle", "capture"])
def test_what_was_seen_second_by_second_no_chat_changes(method: str) -> None:
    assert told(clock(method, LATE_MS), chat()).decision == "looked_at"
    pieces = (ClockPiece(0, STARTED, 0, 1000, 0, method),)
    assert told(ClockMap(0, STARTED, 1000, method, 2, pieces), chat(sent_late_ms=LATE_MS)).clocks == {}


def test_offsets_late_alone_move_the_chat_and_leave_the_clock() -> None:
    found = told(clock("file_name"), chat(placed_late_ms=LATE_MS))
    assert (found.decision, found.clocks) == ("confirmed", {})
    (shift,) = found.shifts
    assert shift.source == 1
    assert shift.shift_ms == pytest.approx(-LATE_MS, abs=shift.uncertainty_ms)


def test_chat_without_times_of_day_tells_nothing_of_the_clock_and_is_moved_all_the_same() -> None:
    found = told(ClockMap(0, None, 0, "unknown"), chat(placed_late_ms=LATE_MS, dated=False))
    assert (found.decision, found.clocks) == ("nothing_told", {})
    assert len(found.shifts) == 1


def test_an_estimate_made_again_moves_nothing_twice() -> None:
    first = told(clock("file_name"), chat(placed_late_ms=LATE_MS)).shifts[0]
    held = ChatShift(1, 1, first.shift_ms, first.uncertainty_ms, "chat_answers", first.basis, STARTED)
    assert told(clock("file_name"), chat(placed_late_ms=LATE_MS), held={1: held}).shifts == ()


def test_chat_whose_start_was_unknown_becomes_as_sure_as_it_was_measured() -> None:
    found = told(clock("file_name"), chat(placed_late_ms=-30_000, uncertainty_ms=UNKNOWN_START_UNCERTAINTY_MS))
    (shift,) = found.shifts
    stored = ChatShift(1, 1, shift.shift_ms, shift.uncertainty_ms, "chat_answers", shift.basis, STARTED)
    assert stored.uncertainty_of(UNKNOWN_START_UNCERTAINTY_MS) < 20_000
    assert stored.uncertainty_of(60_000) == 60_000 + shift.uncertainty_ms


@pytest.mark.parametrize(
    "raw, source, wall",
    [
        ("1795003235", "bilibili_xml/recorder", 1795003235_000),
        ("1795003235123", "tiktok_live", 1795003235123),
        ("1795003235123456", "youtube_live_chat", 1795003235123),
        ("2026-11-18T12:00:35Z", "twitch_downloader", 1795003235_000),
        ("2026-11-18 20:00:35", "im_csv", 1795003235_000),
        ("7292026903731442726", "douyin_barrage_grab", 1697807317_000),
        ("", "jsonl", None),
        ("soon", "jsonl", None),
    ],
)
def test_messages_own_times_of_day_are_read_as_each_format_writes_them(raw: str, source: str, wall: int | None) -> None:
    assert raw_wall_ms(Message(0, "x", None, raw_wall=raw, source=source), CHINA) == wall


def test_file_names_tell_the_start_of_the_recording_from_any_part() -> None:
    named = recording(clock("given"), "录制-1-20261118-200000-500-x.flv")
    assert recorder_witness(named, CHINA) == Witness("file_name", STARTED.plus_ms(500), 1000)
    assert recorder_witness(recording(clock("given")), CHINA) is None


def test_all_parts_move_together_and_keep_what_they_were_less_sure_of() -> None:
    parts = tuple(
        Part(
            n, f"sha256:{n}", 1, f"{n}.flv", LENGTH_MS // 2, "flv", None, ClockMap((n - 1) * LENGTH_MS // 2, None, 500 * (n - 1), "unknown")
        )
        for n in (1, 2)
    )
    whole = Recording("r", None, None, None, None, None, LENGTH_MS, WallTime(STARTED.epoch_ms + 3_600_000), parts)
    found = estimate_clocks(whole, chat(), {}, demo_speech(), (), CHINA, 1)
    first, second = found.clocks[1], found.clocks[2]
    assert first.wall_start is not None
    assert second.wall_start == first.wall_start.plus_ms(LENGTH_MS // 2)
    assert second.uncertainty_ms == first.uncertainty_ms + 500
