"""Times in questions: which days they may mean, whether of the session or the order, and which sessions that leaves."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.recording import Product, Recording
from archive.timeline import ClockMap, WallTime
from search.asked_filters import Narrowed, narrowed
from search.asked_time import TimeRole, find_times
from search.indexes import Filter, Index, open_index
from search.indexing import index_recording
from search.query import understand
from search.settings import SearchSettings
from tests.search.sessions import DUVET, SILK, chat, events, recording, segments

ZONE = SearchSettings(question_time_zone="Asia/Shanghai").question_zone
NOW = WallTime.parse("2026-11-22T15:00:00+08:00")  # a Sunday


def days(asked: str, now: WallTime = NOW) -> list[str]:
    found = find_times(asked)
    return (
        []
        if not found
        else [datetime.fromtimestamp(w.since.epoch_ms / 1000, ZONE).strftime("%m-%d %H:%M") for w in found[0].windows(now, ZONE)]
    )


@pytest.mark.parametrize(
    ("asked", "begins"),
    [
        ("上周三那场说质保三年", ["11-11 00:00"]),
        ("周三那场说质保三年", ["11-18 00:00"]),
        ("昨晚直播说的买一送一", ["11-21 17:00"]),
        ("前天直播间说的羊绒", ["11-20 00:00"]),
        ("11月18号 质保几年", ["11-18 00:00"]),
        ("十一月十八号晚上八点半那场", ["11-18 20:00"]),
        ("12月1号那场", ["12-01 00:00"]),
        ("28号那场", ["10-28 00:00"]),
        ("18号晚上八点直播说的", ["11-18 19:30"]),
        ("18号八点直播说的", ["11-18 07:30", "11-18 19:30"]),
        ("双十一那天说的保价", ["11-10 00:00"]),
        ("今年618那场说的赠品", ["06-17 00:00"]),
        ("2026-11-18 说的质保", ["11-18 00:00"]),
        ("２０２６年１１月１８日那场", ["11-18 00:00"]),
        ("last Wednesday's stream said free returns", ["11-18 00:00", "11-11 00:00"]),
        ("did the host say 3 year warranty on 18 Nov", ["11-18 00:00"]),
        ("what was said on November 18th at 8pm", ["11-18 19:30"]),
        ("上個月直播說的贈品", ["10-01 00:00"]),
    ],
)
def test_a_time_means_the_last_such_time_that_was(asked: str, begins: list[str]) -> None:
    assert days(asked) == begins
    assert find_times(asked)[0].role is TimeRole.SESSION


@pytest.mark.parametrize(
    ("asked", "begins"),
    [
        ("我11月18号晚上九点下的单", "11-18 20:30"),
        ("我5月23号在你们直播间买的豆浆机,打过几次", "05-23 00:00"),
        ("三天前下的单", "11-19 00:00"),
        ("下单时间2026-11-18 21:03:22,说好送小样", "11-18 21:03"),
        ("去年双十一买的", "11-10 00:00"),
        ("I bought it two weeks ago", "11-07 00:00"),
    ],
)
def test_when_the_order_was_made_is_told_from_when_it_was_said(asked: str, begins: str) -> None:
    assert [time.role for time in find_times(asked)] == [TimeRole.ORDER]
    assert days(asked)[0] == begins


@pytest.mark.parametrize(
    "asked",
    [
        "昨天收到货是坏的",
        "用了三天前面就坏了",
        "保价到双十一",
        "双十一东北大米降价了给不给补钱",
        "下午三点前下单当天发货",
        "3号链接质保几年",
        "1.5米跌落不坏",
        "28天淡斑",
        "七天无理由",
        "质保到2027年1月1日",
        "净重2.5斤",
        "it arrived yesterday broken",
        "618元包邮",
    ],
)
def test_other_times_and_numbers_are_part_of_what_is_asked(asked: str) -> None:
    assert find_times(asked) == []


def test_the_time_takes_no_part_in_the_words_looked_for() -> None:
    question = understand("我11月18号晚上九点下的单,说好质保三年")
    assert [quantity.describe() for quantity in question.quantities] == ["P3Y"]
    assert not any("月" in term.text or "晚" in term.text for term in question.terms)


def test_the_zone_is_a_setting() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        SearchSettings(question_time_zone="Mars/Base")
    there = SearchSettings(question_time_zone="America/New_York").question_zone
    time = find_times("11月18号那场说的")[0]
    assert time.windows(NOW, there)[0].since == time.windows(NOW, ZONE)[0].since.plus_ms(13 * 3600 * 1000)


@settings(max_examples=200, deadline=None)
@given(st.text(st.one_of(st.sampled_from("0123456789年月日号天前上周三晚点半那场下单-/.: 双十一去今"), st.characters()), max_size=40))
def test_times_are_looked_for_in_any_text(text: str) -> None:
    for time in find_times(text):
        assert 0 <= time.start < time.end <= len(text)
        assert all(window.since < window.until for window in time.windows(NOW, ZONE))


@pytest.fixture
def week(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path)
    for name, host, started, shelf in (
        ("tuesday", "小满姐", "2026-11-17T20:00:00+08:00", [DUVET, SILK]),
        ("wednesday", "小满姐", "2026-11-18T20:00:00+08:00", [DUVET, SILK]),
        ("thursday", "大刘", "2026-11-19T20:00:00+08:00", [Product("pot", "电饭煲", "1")]),
    ):
        index_recording(opened, recording(name, host, WallTime.parse(started)), segments(), shelf, events(), chat(), None)
    yield opened
    opened.close()


def ask(index: Index, text: str, wanted: Filter = Filter(calls=False), ordered_at: WallTime | None = None) -> Narrowed:  # noqa: B008
    return narrowed(index, text, wanted, now=NOW, zone=ZONE, ordered_at=ordered_at)


def test_a_time_of_a_session_leaves_the_sessions_that_ran_then(week: Index) -> None:
    told = ask(week, "周三那场说质保三年")
    assert told.wanted.among == ("wednesday",)
    assert told.time is not None and told.time.applied
    assert told.wider == Filter(calls=False), "where nothing is found there, all are searched"


def test_a_time_without_a_session_filters_nothing_and_is_told(week: Index) -> None:
    told = ask(week, "1月3号那场说质保三年")
    assert told.wanted == Filter(calls=False)
    assert told.time is not None and not told.time.applied and told.time.sessions == ()


def test_an_order_leads_to_the_session_on_air_then_or_the_last_before_never_a_later_one(week: Index) -> None:
    assert ask(week, "11月18号晚上八点下的单 质保三年").wanted.among == ("wednesday",)
    assert ask(week, "11月18号下午三点下的单 质保三年").wanted.among == ("tuesday",)
    minute_before = WallTime.parse("2026-11-18T19:58:00+08:00")
    assert ask(week, "质保三年", ordered_at=minute_before).wanted.among == ("tuesday",)
    assert ask(week, "质保三年", ordered_at=WallTime.parse("2026-11-10T12:00:00+08:00")).wanted.among == ()


def test_an_order_of_a_product_leads_to_a_session_that_sold_it(week: Index) -> None:
    later = WallTime.parse("2026-11-20T12:00:00+08:00")
    assert ask(week, "蚕丝被质保几年", ordered_at=later).wanted.among == ("wednesday",)
    assert ask(week, "电饭煲质保几年", ordered_at=later).wanted.among == ("thursday",)
    assert set(ask(week, "质保几年", ordered_at=later).wanted.among or ()) == {"wednesday", "thursday"}, "the last of each host"


def test_an_unsure_clock_counts_for_the_session(week: Index, tmp_path: Path) -> None:
    started = WallTime.parse("2026-11-21T20:00:00+08:00")
    part = replace(recording("unsure", "老周", started), parts=())
    sure = Recording(part.id, part.platform, "other", part.host, part.title, started, part.duration_ms, part.admitted_at)
    index_recording(week, with_clock(sure, 120_000), segments(), [], [], [], None)
    just_before = WallTime.parse("2026-11-21T19:59:00+08:00")
    assert "unsure" in (ask(week, "质保三年", ordered_at=just_before).wanted.among or ())
    assert "unsure" not in (ask(week, "质保三年", ordered_at=WallTime.parse("2026-11-21T19:50:00+08:00")).wanted.among or ())


def with_clock(held: Recording, unsure_ms: int) -> Recording:
    from archive.recording import Part

    clock = ClockMap(0, held.started_at, unsure_ms, "file_name")
    return replace(held, parts=(Part(1, "sha256:0", 1, "a.flv", held.duration_ms, "flv", {}, clock),))


def test_a_host_named_as_the_one_who_speaks_leaves_that_hosts_sessions(week: Index) -> None:
    for asked in ("大刘说过质保三年吗", "主播大刘承诺的质保", "大流说过质保三年", "host 大刘 said warranty"):
        told = ask(week, asked)
        assert told.wanted.host == "大刘", asked
        assert told.host is not None and told.host.applied
    assert ask(week, "小满说过质保三年").wanted.host == "小满姐"


def test_a_hosts_name_that_speaks_of_nobody_filters_nothing(week: Index) -> None:
    assert ask(week, "大刘海造型夹质保几年").wanted.host is None
    assert ask(week, "质保三年").host is None


def test_a_host_who_holds_no_such_session_is_told_and_filters_nothing(week: Index) -> None:
    told = ask(week, "大刘说过质保三年", Filter(recording="tuesday", calls=False))
    assert told.wanted.host is None
    assert told.host is not None and not told.host.applied
