"""What time it was in captured media: arrivals with backlog, date-times true and false, and where a stretch lies after a break."""

import random

from ingest.capture_clock import Before, Placed, StretchClock, clock_map, gap_before, origin_at, place, thinned

ON_AIR = 1_795_003_200_000


def arriving(since_ms: int, seconds: int, delay_ms: int = 400, backlog_ms: int = 0, seed: int = 1) -> StretchClock:
    """Media that was on air from `since_ms` on; what lies before the connection came in one burst of `backlog_ms`."""
    dice = random.Random(seed)
    connected = since_ms + backlog_ms
    samples = []
    for at in range(0, seconds * 1000, 500):
        wall = max(since_ms + at, connected) + delay_ms + round(abs(dice.gauss(0, 300)))
        samples.append((at, ON_AIR + wall))
    return StretchClock(arrived=samples)


def test_a_burst_of_old_seconds_does_not_shift_the_clock() -> None:
    for backlog in (0, 5000, 10_000):
        origin = origin_at(arriving(0, 60, backlog_ms=backlog), 0)
        assert origin is not None
        assert abs(origin.wall_ms - ON_AIR) <= 600
        assert origin.uncertainty_ms >= abs(origin.wall_ms - ON_AIR)


def test_a_date_time_wins_where_arrivals_do_not_contradict_it() -> None:
    clock = arriving(0, 60, delay_ms=6000)
    clock.told = [(at, ON_AIR + at + 20) for at in range(0, 60_000, 2000)]
    origin = origin_at(clock, 30_000)
    assert origin is not None
    assert (origin.by_told, origin.wall_ms) == (True, ON_AIR + 20)
    assert origin.uncertainty_ms < 1000


def test_a_date_time_from_the_future_or_from_yesterday_is_left_aside() -> None:
    for wrong in (3_600_000, -86_400_000):
        clock = arriving(0, 60)
        clock.told = [(at, ON_AIR + at + wrong) for at in range(0, 60_000, 2000)]
        origin = origin_at(clock, 30_000)
        assert origin is not None
        assert not origin.by_told
        assert abs(origin.wall_ms - ON_AIR) <= 600


def test_few_arrivals_are_trusted_less() -> None:
    many, few = origin_at(arriving(0, 60), 0), origin_at(arriving(0, 1), 0)
    assert many
    assert few
    assert few.uncertainty_ms > many.uncertainty_ms
    assert origin_at(StretchClock(), 0) is None


def before(clock: StretchClock, line_ms: int, end_ms: int) -> Before:
    return Before(clock, Placed(line_ms), end_ms - line_ms, line_ms, end_ms, None)


def test_a_gap_is_as_long_as_the_clocks_say() -> None:
    first, second = arriving(0, 30, seed=1), arriving(42_000, 30, backlog_ms=3000, seed=2)
    placed = place(second, 20_000, before(first, 0, 30_000))
    gap = gap_before(placed, 0, 30_000, "connection_lost")
    assert gap is not None
    assert abs(gap.end_ms - 42_000) <= 600
    assert gap.uncertainty_ms is not None
    assert abs(gap.end_ms - 42_000) <= gap.uncertainty_ms <= 2000


def test_replayed_seconds_overlap_and_leave_no_gap() -> None:
    first, second = arriving(0, 30, seed=1), arriving(26_000, 30, backlog_ms=6000, seed=2)
    placed = place(second, 20_000, before(first, 0, 30_000))
    assert abs(placed.line_ms - 26_000) <= 600
    assert gap_before(placed, 0, 30_000, "connection_lost") is None


def test_time_stamps_that_go_on_place_a_stretch_exactly() -> None:
    first, second = arriving(0, 30), arriving(31_234, 30, delay_ms=9000)
    second.follows_ms = 30_020
    assert place(second, 0, before(first, 5000, 35_000)) == Placed(35_020)


def test_a_clock_that_would_put_a_stretch_before_the_last_is_not_believed() -> None:
    placed = place(arriving(-3_600_000, 30), 0, before(arriving(0, 30), 0, 30_000))
    assert placed.line_ms == 30_000
    assert placed.gap_uncertainty_ms >= 3_600_000


def test_a_stretch_without_any_clock_lies_behind_the_last() -> None:
    placed = place(StretchClock(), 0, Before(None, None, 0, 0, 30_000, (0, ON_AIR)))
    assert placed.line_ms == 30_000
    assert placed.gap_uncertainty_ms >= 10_000


def test_after_a_restart_the_held_part_tells_where_a_stretch_lies() -> None:
    placed = place(arriving(95_000, 30), 20_000, Before(None, None, 0, 60_000, 90_000, (60_000, ON_AIR + 60_400)))
    assert abs(placed.line_ms - 95_000) <= 600


def test_a_parts_clock_counts_from_its_own_beginning() -> None:
    found = clock_map(arriving(0, 60), Placed(100_000), 20_000, 10_000)
    assert found.starts_at_ms == 120_000
    assert found.method == "capture"
    assert found.wall_start is not None
    assert abs(found.wall_start.epoch_ms - (ON_AIR + 20_000)) <= 600


def test_samples_are_thinned_to_those_that_count() -> None:
    samples = arriving(0, 600).arrived
    kept = thinned(samples, 50)
    assert len(kept) <= 50
    assert min(wall - at for at, wall in kept) == min(wall - at for at, wall in samples)
