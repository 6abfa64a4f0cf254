"""One session as one file, as seven parts with 40 s missing, and with clocks that are wrong: the promise is found at the same wall time.

Within the uncertainty that is stated for it, in every way of recording. The words are the session's truth here;
`python -m tests.benchmarks.same_session_three_ways` hears them.
"""

from collections.abc import Iterator

import pytest

from archive.verification import verify_archive
from tests.benchmarks.same_session_three_ways import LATE_MS, Found, ThreeWays
from tests.simulators.same_session import PROMISED_MS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeWays]:
    made = ThreeWays(tmp_path_factory.mktemp("ways"), hear=False)
    yield made
    made.close()


@pytest.fixture(scope="module")
def found(ways: ThreeWays) -> dict[str, Found]:
    return {way.name: ways.found(way, number) for number, way in enumerate(ways.ways(), 1)}


def test_the_promise_lies_within_its_stated_uncertainty_however_the_session_was_recorded(found: dict[str, Found]) -> None:
    assert len(found) == 11
    assert {name: each.error_ms for name, each in found.items() if not each.holds} == {}
    assert all(abs(each.at_ms - PROMISED_MS) < 500 for each in found.values())


def test_one_file_and_seven_parts_agree_to_the_second_that_names_are_sure_of(found: dict[str, Found]) -> None:
    one, seven = found["1 file"], found["7 parts, 40 s missing"]
    assert one.uncertainty_ms == seven.uncertainty_ms == 1000
    assert abs(one.wall.epoch_ms - seven.wall.epoch_ms) < 200


@pytest.mark.parametrize(
    "name", ["1 file, chat offsets 40 s late", "1 file, chat by wall clock, 40 s late", "the same, and its start given"]
)
def test_chat_that_is_40_s_late_is_moved_back(found: dict[str, Found], name: str) -> None:
    (moved_ms,) = found[name].shifts.values()
    assert moved_ms == pytest.approx(-LATE_MS, abs=9_500)


def test_a_clock_that_others_bear_out_keeps_its_second_and_one_that_nobody_does_covers_both(found: dict[str, Found]) -> None:
    assert found["1 file, chat offsets 40 s late"].uncertainty_ms == 1000
    assert found["the same, and its start given"].uncertainty_ms == 1000
    assert LATE_MS < found["1 file, chat by wall clock, 40 s late"].uncertainty_ms < LATE_MS + 15_000
    assert LATE_MS < found["start given 40 s wrong, messages right"].uncertainty_ms < LATE_MS + 15_000


def test_a_wrong_start_is_mended_where_recorder_and_chat_agree(found: dict[str, Found]) -> None:
    for name in ("start given 40 s wrong, chat and head right", "start given 40 s wrong, recorder's names"):
        assert found[name].decision == "other_taken"
        assert found[name].uncertainty_ms <= 2000


def test_all_of_it_is_in_the_log(ways: ThreeWays, found: dict[str, Found]) -> None:
    assert found
    assert verify_archive(ways.place.archive, only=("rows", "claims", "custody")).passed
