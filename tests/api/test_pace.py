"""When something will be done: arithmetic that rests on the last minutes and says nothing rather than something wrong."""

from hypothesis import given
from hypothesis import strategies as st

from api.pace import KEPT, WINDOW_MS, Pace, percent

steady = st.tuples(st.integers(1, 5000), st.integers(1, 60_000), st.integers(2, 40))


def paced(step: int, every_ms: int, times: int, starts_ms: int = 0) -> Pace:
    pace = Pace()
    for n in range(times):
        pace.mark(starts_ms + n * every_ms, n * step)
    return pace


@given(steady, st.integers(0, 10_000_000))
def test_at_a_steady_pace_the_time_left_is_what_is_left_by_the_pace(given_pace: tuple[int, int, int], left: int) -> None:
    step, every_ms, times = given_pace
    pace, now, done = paced(step, every_ms, times), (times - 1) * every_ms, (times - 1) * step
    told = pace.left_ms(now, done + left)
    assert told is not None
    assert abs(told - left * every_ms / step) <= 1


@given(steady, st.integers(0, 100_000), st.integers(0, 100_000))
def test_more_to_do_takes_no_less_time(given_pace: tuple[int, int, int], fewer: int, more: int) -> None:
    step, every_ms, times = given_pace
    pace, now = paced(step, every_ms, times), (times - 1) * every_ms
    totals = sorted(((times - 1) * step + fewer, (times - 1) * step + fewer + more))
    first, second = (pace.left_ms(now, total) for total in totals)
    assert first is not None and second is not None and 0 <= first <= second


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=50), st.integers(0, 10**10), st.integers(0, 10**10))
def test_whatever_is_marked_it_never_fails_and_never_says_less_than_nothing(marks: list[tuple[int, int]], later: int, total: int) -> None:
    pace = Pace()
    for at_ms, done in marks:
        pace.mark(at_ms, done)
    now = max((at for at, _ in marks), default=0) + later
    left, speed = pace.left_ms(now, total), pace.speed_milli(now)
    assert (left is None) == (speed is None)
    assert left is None or (left >= 0 and speed is not None and speed >= 0)


@given(st.integers(1, 100), st.integers(10, 60))
def test_a_slow_start_is_forgotten_after_some_minutes(slowness: int, batches: int) -> None:
    every_ms = WINDOW_MS // 5
    pace = Pace()
    pace.mark(0, 0)
    begins = slowness * 3600_000
    for n in range(batches):
        pace.mark(begins + n * every_ms, 1 + n * 1000)
    now = begins + (batches - 1) * every_ms
    assert pace.speed_milli(now) == 1000 * 1000 // every_ms


def test_batches_of_many_minutes_are_told_of_too() -> None:
    pace = paced(1000, 20 * 60_000, 3 * KEPT)
    assert pace.left_ms((3 * KEPT - 1) * 20 * 60_000, 3 * KEPT * 1000) == 20 * 60_000


def test_nothing_is_said_before_something_was_done() -> None:
    pace = Pace()
    assert pace.left_ms(0, 100) is None
    pace.mark(0, 0)
    pace.mark(5000, 0)
    assert pace.left_ms(9000, 100) is None and pace.speed_milli(9000) is None
    pace.mark(10_000, 50)
    assert pace.left_ms(10_000, 100) == 10_000


def test_between_marks_the_time_left_runs_down() -> None:
    pace = paced(10, 1000, 5)
    assert (pace.left_ms(4000, 80), pace.left_ms(4600, 80), pace.left_ms(60_000, 80)) == (4000, 3400, 0)


def test_a_long_silence_makes_the_rest_slower_and_not_due_at_once() -> None:
    pace = paced(10, 1000, 5)
    silent_until = 4000 + 2 * WINDOW_MS
    speed = pace.speed_milli(silent_until)
    assert speed is not None and speed < 1
    assert pace.left_ms(silent_until, 80) == silent_until


def test_work_begun_anew_is_timed_anew() -> None:
    pace = paced(10, 1000, 5)
    pace.mark(10_000, 0)
    assert pace.left_ms(10_000, 80) is None
    pace.mark(11_000, 40)
    assert pace.left_ms(11_000, 80) == 1000


@given(st.integers(-5, 10**12), st.integers(-5, 10**12))
def test_percents_are_whole_and_100_means_done(done: int, total: int) -> None:
    told = percent(done, total)
    assert 0 <= told <= 100
    assert (told == 100) == (total <= 0 or done >= total)
