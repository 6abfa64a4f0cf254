"""Words in doubt are kept and shown, but the host hasn't said them: told apart, ranked behind, counted in only where asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from archive.transcript import Segment
from search.answer import ask
from search.indexes import Index, open_index
from search.indexing import index_recording
from tests.search.sessions import DUVET, SILK, TALK, chat, events, recording, segments


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path)
    yield opened
    opened.close()


def doubting(said: Sequence[Segment], *words: str, risk: str = "low_probability") -> list[Segment]:
    """The same segments, those with any of the words in doubt."""
    return [replace(s, risk=(risk,)) if any(word in s.text for word in words) else s for s in said]


def evening(index: Index, *words: str, risk: str = "low_probability", lines: Sequence[tuple[int, str]] = TALK) -> Index:
    index_recording(index, recording(), doubting(segments(lines), *words, risk=risk), [DUVET, SILK], events(), chat(), None)
    return index


def test_what_only_doubtful_words_say_is_not_found_but_told_apart_with_why(index: Index) -> None:
    answer = ask(evening(index, "质保三年"), "主播有没有说过鹅绒被质保三年")
    assert not answer.found
    assert not any(moment.answers for moment in answer.moments)
    assert not any("质保三年" in moment.quote for moment in answer.moments)
    perhaps = answer.doubtful[0]
    assert "质保三年" in perhaps.quote and perhaps.doubtful and not perhaps.answers
    assert perhaps.risk == ("low_probability",) and perhaps.confidence == "low"
    assert perhaps.promise is not None and perhaps.promise.category == "warranty" and perhaps.promise_doubtful


def test_doubtful_words_count_where_that_is_asked_for_and_are_still_marked(index: Index) -> None:
    answer = ask(evening(index, "质保三年"), "主播有没有说过鹅绒被质保三年", include_doubtful=True)
    assert answer.found and answer.doubtful == ()
    assert "质保三年" in answer.moments[0].quote
    assert (answer.moments[0].answers, answer.moments[0].doubtful) == (True, True)


def test_a_humans_words_are_no_doubt(index: Index) -> None:
    answer = ask(evening(index, "质保三年", risk="edited_by_hand"), "主播有没有说过鹅绒被质保三年")
    assert answer.found and answer.doubtful == ()
    assert "质保三年" in answer.moments[0].quote and not answer.moments[0].doubtful
    assert answer.moments[0].risk == ("edited_by_hand",)
    assert answer.coverage.risky_ms == 0


def test_what_was_said_surely_comes_before_what_was_said_in_doubt(index: Index) -> None:
    lines = ((5, "晚上好"), (10, "鹅绒被质保三年没问题的鹅绒被质保三年"), (60, "我们这个被子的话是质保三年的"), (100, "点点关注"))
    evening(index, "没问题的", lines=lines)
    answer = ask(index, "鹅绒被质保三年吗")
    assert answer.found and [moment.start_ms for moment in answer.moments if moment.answers] == [60_000]
    assert [moment.start_ms for moment in answer.doubtful] == [10_000]
    counted = ask(index, "鹅绒被质保三年吗", include_doubtful=True).moments
    assert [(moment.start_ms, moment.doubtful) for moment in counted if moment.answers] == [(60_000, False), (10_000, True)]


def test_a_sure_answer_is_not_spoilt_by_doubtful_words_beside_it(index: Index) -> None:
    answer = ask(evening(index, "盖过了也可以退"), "主播有没有说过鹅绒被质保三年")
    assert answer.found
    moment = answer.moments[0]
    assert "质保三年" in moment.quote and "盖过了也可以退" not in moment.quote
    assert (moment.risk, moment.doubtful, moment.promise_doubtful) == ((), False, False)
    assert answer.doubtful == ()


def test_doubtful_words_between_sure_ones_are_marked_in_the_quote(index: Index) -> None:
    lines = ((5, "晚上好"), (10, "鹅绒被的质保"), (14, "嗯那个这个呢"), (18, "一共三年"), (60, "点点关注"))
    moment = ask(evening(index, "嗯那个", lines=lines), "鹅绒被质保三年吗").moments[0]
    assert moment.quote == "鹅绒被的质保 嗯那个这个呢 一共三年"
    assert moment.answers and not moment.doubtful and moment.risk == ("low_probability",)


def test_a_doubtful_correction_does_not_come_before_the_claim_but_is_told(index: Index) -> None:
    sure = ask(evening(index), "鹅绒被充绒量多少")
    assert "一千克不是一千两百克" in sure.moments[0].quote
    answer = ask(evening(index, "更正一下", "一千克不是"), "鹅绒被充绒量多少")
    assert "充绒量一千两百克" in answer.moments[0].quote
    assert any("一千克不是一千两百克" in moment.quote for moment in answer.doubtful)


def test_without_doubts_the_answer_is_the_same_whether_they_are_counted_in_or_not(index: Index) -> None:
    evening(index)
    for question in ("鹅绒被质保三年吗", "能不能机洗", "蚕丝被盖过能退吗", "可以用花呗分期吗", "什么时候发货"):
        assert ask(index, question) == ask(index, question, include_doubtful=True)
        assert ask(index, question).doubtful == ()


def test_a_promise_read_from_doubtful_words_of_a_sure_answer_is_marked(index: Index) -> None:
    lines = ((5, "晚上好"), (10, "手机屏幕看一下"), (14, "质保三年"), (18, "窗户外面下雪"), (60, "点点关注"))
    moment = ask(evening(index, "质保三年", lines=lines), "手机屏幕窗户外面下雪吗").moments[0]
    assert moment.quote == "手机屏幕看一下 质保三年 窗户外面下雪" and not moment.doubtful
    assert moment.promise is not None and moment.promise.category == "warranty" and moment.promise_doubtful
    surely = ask(evening(index, lines=lines), "手机屏幕窗户外面下雪吗").moments[0]
    assert surely.promise == moment.promise and not surely.promise_doubtful
