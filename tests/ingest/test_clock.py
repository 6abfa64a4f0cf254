"""Parts on the recording's time line and on the wall clock, from recorders' file names, a given start, chat heads, or lengths alone."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.recording import Gap
from archive.timeline import WallTime
from ingest.clock import PartTiming, align, name_time, parse_wall, recorder_zone
from ingest.errors import InvalidRequest

CHINA = ZoneInfo("Asia/Shanghai")
START = WallTime.parse("2026-11-18T20:00:00+08:00")


@pytest.mark.parametrize(
    "name, wall, step_ms",
    [
        ("录制-7734200-20261118-200000-250-暖岚专场.flv", "2026-11-18T20:00:00.250+08:00", 1),
        ("blive_7734200_2026-11-18-200000.flv", "2026-11-18T20:00:00+08:00", 1000),
        ("小鹿学姐2026-11-18 20_00_00换季专场.flv", "2026-11-18T20:00:00+08:00", 1000),
        ("小鹿_2026年11月18日20点05分.flv", "2026-11-18T20:05:00+08:00", 60_000),
        ("小鹿_换季专场_2026-11-18_20-00-00_000.ts", "2026-11-18T20:00:00+08:00", 1000),
        ("小鹿_2026-11-18_20-00-00.ts", "2026-11-18T20:00:00+08:00", 1000),
        ("2026-11-18 20-00-00-838 直播.mp4", "2026-11-18T20:00:00.838+08:00", 1),
    ],
)
def test_recorders_names_tell_the_wall_clock(name: str, wall: str, step_ms: int) -> None:
    found = name_time(name, CHINA)
    assert found is not None
    assert (found.wall, found.step_ms) == (WallTime.parse(wall), step_ms)


@pytest.mark.parametrize(
    "name",
    [
        "session.flv",
        "小鹿_2026-11-18_20-00-00_001.ts",  # a later segment: the time is the session's, not its own
        "录制-1-20261318-200000-000-x.flv",
        "录制-1-20261118-250000-000-x.flv",
        "order-20261118200000123.mp4",
        "",
    ],
)
def test_names_without_a_time_of_their_own_tell_none(name: str) -> None:
    assert name_time(name, CHINA) is None


def test_a_gap_between_parts_counts_on_the_time_line() -> None:
    parts = [PartTiming("录制-1-20261118-200000-000-x.flv", 60_000), PartTiming("录制-1-20261118-200140-250-x.flv", 30_000)]
    found = align(parts, None, CHINA)
    first, second = found.clocks
    assert (first.starts_at_ms, first.wall_start, first.uncertainty_ms, first.method) == (0, START, 1000, "file_name")
    assert (second.starts_at_ms, second.wall_start, second.method) == (100_250, START.plus_ms(100_250), "file_name")
    assert found.gaps == (Gap(60_000, 100_250, "between_parts"),)
    assert found.oddities == ((), ())


def test_an_overlap_is_placed_as_it_was_and_told() -> None:
    parts = [PartTiming("录制-1-20261118-200000-000-x.flv", 60_000), PartTiming("录制-1-20261118-200050-000-x.flv", 30_000)]
    found = align(parts, None, CHINA)
    assert found.clocks[1].starts_at_ms == 50_000
    assert found.gaps == ()
    assert found.oddities[1] == ("overlaps the part before it by 10000 ms",)


def test_names_in_whole_seconds_make_no_gap_smaller_than_a_second() -> None:
    parts = [PartTiming("blive_1_2026-11-18-200000.flv", 60_400), PartTiming("blive_1_2026-11-18-200101.flv", 30_000)]
    found = align(parts, None, CHINA)
    assert (found.clocks[1].starts_at_ms, found.gaps) == (60_400, ())
    assert found.clocks[1].wall_start == START.plus_ms(60_400)


def test_a_given_start_moves_the_whole_recording_and_names_keep_the_distance() -> None:
    given_start = START.plus_ms(7000)
    parts = [PartTiming("blive_1_2026-11-18-200000.flv", 60_000), PartTiming("blive_1_2026-11-18-200140.flv", 30_000)]
    first, second = align(parts, given_start, CHINA).clocks
    assert (first.wall_start, first.method, first.uncertainty_ms) == (given_start, "given", 1000)
    assert (second.starts_at_ms, second.wall_start, second.uncertainty_ms) == (100_000, given_start.plus_ms(100_000), 2000)


def test_without_any_time_parts_lie_end_to_end_and_get_less_sure() -> None:
    found = align([PartTiming(f"{n}.flv", 10_000) for n in range(3)], None, CHINA)
    assert [(c.starts_at_ms, c.wall_start, c.uncertainty_ms, c.method) for c in found.clocks] == [
        (0, None, 0, "unknown"),
        (10_000, None, 500, "unknown"),
        (20_000, None, 1000, "unknown"),
    ]


def test_later_segments_follow_by_the_sum_of_lengths() -> None:
    parts = [PartTiming(f"小鹿_2026-11-18_20-00-00_00{n}.ts", 10_000) for n in range(3)]
    clocks = align(parts, None, CHINA).clocks
    assert [c.method for c in clocks] == ["file_name", "sum_of_durations", "sum_of_durations"]
    assert [c.uncertainty_ms for c in clocks] == [1000, 1500, 2000]
    assert clocks[2].wall_start == START.plus_ms(20_000)


def test_chat_heads_tell_the_clock_where_names_do_not() -> None:
    parts = [PartTiming("a.flv", 10_000, START), PartTiming("b.flv", 10_000, START.plus_ms(15_000))]
    found = align(parts, None, CHINA)
    assert [(c.starts_at_ms, c.wall_start, c.method) for c in found.clocks] == [
        (0, START, "chat_header"),
        (15_000, START.plus_ms(15_000), "chat_header"),
    ]
    assert found.gaps == (Gap(10_000, 15_000, "between_parts"),)


def test_parts_out_of_order_are_refused_by_name() -> None:
    parts = [PartTiming("录制-1-20261118-200500-000-x.flv", 60_000), PartTiming("录制-1-20261118-200000-000-x.flv", 30_000)]
    with pytest.raises(InvalidRequest, match=r"200000-000-x\.flv starts no later than .*200500-000-x\.flv"):
        align(parts, None, CHINA)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="Mars/Olympus"):
        recorder_zone("Mars/Olympus")


@pytest.mark.parametrize("text", ["1795003200", "1795003200000", "1795003200000000", "2026-11-18T20:00:00+08:00", "2026-11-18 20:00:00"])
def test_start_times_in_chat_heads_are_read_in_every_unit(text: str) -> None:
    assert parse_wall(text, CHINA) == START


@given(st.text(max_size=60))
def test_no_text_breaks_the_readers_of_times(text: str) -> None:
    for found in (parse_wall(text, CHINA), parse_wall(text, ZoneInfo("UTC"))):
        assert found is None or isinstance(found.epoch_ms, int)
    named = name_time(text, CHINA)
    assert named is None or named.step_ms in (1, 1000, 60_000)


LENGTHS = st.lists(st.tuples(st.integers(1000, 20_000_000), st.integers(1, 10_000_000)), min_size=1, max_size=8)


@given(LENGTHS)
def test_wall_time_is_a_shift_of_the_time_line_and_gaps_fill_it(lengths: list[tuple[int, int]]) -> None:
    """For any lengths and pauses: each ms of a part maps to one wall time and back, and parts and gaps together leave nothing out."""
    at, parts = 0, []
    for duration_ms, pause_ms in lengths:
        parts.append(PartTiming("x.flv", duration_ms, START.plus_ms(at)))
        at += duration_ms + pause_ms
    found = align(parts, None, CHINA)
    covered = 0
    gaps = {gap.start_ms: gap for gap in found.gaps}
    for part, clock in zip(parts, found.clocks, strict=True):
        if clock.starts_at_ms - covered > 500:
            assert gaps.pop(covered).end_ms == clock.starts_at_ms
        for media_ms in (0, part.duration_ms // 2, part.duration_ms):
            recording_ms = clock.to_recording(media_ms)
            assert clock.to_media(recording_ms) == media_ms
            assert clock.to_wall(recording_ms) == START.plus_ms(recording_ms)
        covered = clock.starts_at_ms + part.duration_ms
    assert gaps == {}
