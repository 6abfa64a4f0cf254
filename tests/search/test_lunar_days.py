"""Festivals that follow the moon, as days of the common calendar and in questions."""

from datetime import date, datetime

import pytest

from archive.timeline import WallTime
from search.asked_time import find_times
from search.lunar_days import FIRST_YEAR, LUNAR_FESTIVALS, day_of_festival, last_festival
from search.settings import SearchSettings

ZONE = SearchSettings(question_time_zone="Asia/Shanghai").question_zone
NOW = WallTime.parse("2026-11-22T15:00:00+08:00")


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("春节", date(2026, 2, 17)),
        ("除夕", date(2026, 2, 16)),
        ("元宵", date(2026, 3, 3)),
        ("端午", date(2026, 6, 19)),
        ("七夕", date(2026, 8, 19)),
        ("中秋", date(2026, 9, 25)),
        ("重阳", date(2026, 10, 18)),
        ("大年初三", date(2025, 1, 31)),
        ("中秋", date(2020, 10, 1)),
        ("春节", date(2035, 2, 8)),
    ],
)
def test_a_lunar_festival_has_its_day_in_each_year(name: str, day: date) -> None:
    assert day_of_festival(name, day.year) == day


def test_festivals_move_within_the_month_that_the_moon_leaves_them() -> None:
    earliest = {"春节": (1, 21), "端午": (5, 27), "七夕": (7, 30), "中秋": (9, 7), "重阳": (10, 1)}
    for name, (month, first) in earliest.items():
        for year in range(FIRST_YEAR, FIRST_YEAR + 16):
            day = day_of_festival(name, year)
            assert day is not None and 0 <= (day - date(year, month, first)).days <= 31
    assert all(day_of_festival(name, 2019) is None and day_of_festival(name, 2036) is None for name in LUNAR_FESTIVALS)


def test_the_last_one_is_meant() -> None:
    assert last_festival("中秋", date(2026, 9, 24)) == date(2025, 10, 6)
    assert last_festival("中秋", date(2026, 9, 25)) == date(2026, 9, 25)
    assert last_festival("春节", date(2040, 1, 1)) is None


@pytest.mark.parametrize(
    ("asked", "begins"),
    [
        ("中秋那场直播说的月饼礼盒", ["09-24"]),
        ("去年中秋节那场说的", ["2025-10-05"]),
        ("端午节直播说包邮", ["06-18"]),
        ("除夕那晚直播说的红包", ["02-15"]),
        ("元宵节下的单", ["03-02"]),
        ("七夕那场说买一送一", ["08-18"]),
        ("2025年春节期间直播说的", ["2025-01-08"]),
        ("what did the host say in the chinese new year stream", ["02-16"]),
    ],
)
def test_a_question_may_name_its_day_by_the_moon(asked: str, begins: list[str]) -> None:
    (found,) = find_times(asked)
    told = [datetime.fromtimestamp(window.since.epoch_ms / 1000, ZONE) for window in found.windows(NOW, ZONE)]
    assert [day.strftime("%Y-%m-%d" if len(begin) > 5 else "%m-%d") for day, begin in zip(told, begins, strict=True)] == begins


@pytest.mark.parametrize("asked", ["中秋月饼礼盒退货", "七夕礼盒的口红是正品吗", "端午粽子多久发货"])
def test_a_festival_that_names_goods_is_no_time(asked: str) -> None:
    assert find_times(asked) == []
