"""Ranking: windows over all stretches at once, where a moment begins and ends, what is taken back, and channels left out."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.recording import Message
from archive.transcript import Segment
from search.answer import ask
from search.channels import CHANNELS, Channel
from search.chinese import is_chinese
from search.corrections import corrections_first
from search.coverage import confidence, likelihood, was_said
from search.indexes import Index, open_index
from search.indexing import index_document, index_recording
from search.matching import Field, Stretch, hits_of
from search.query import understand
from search.ranking import Span
from search.windows import LONGEST_MS, SAME_SHARE, SILENCE_MS, RunMaximum, windows_of
from tests.search.sessions import recording

Lines = Sequence[tuple[int, int, str]]


def stretch(name: str, lines: Lines, messages: Sequence[Message] = ()) -> Stretch:
    """Lines of (start ms, end ms, text) as units."""
    segments = [Segment(number, None, start, end, text) for number, (start, end, text) in enumerate(lines, 1)]
    return Stretch(name, index_document(recording(name), segments, [], [], messages).units)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path)
    yield opened
    opened.close()


def talk(index: Index, *lines: tuple[float, float, str], name: str = "evening", chat: Sequence[Message] = ()) -> None:
    segments = [Segment(n, None, int(start * 1000), int(end * 1000), text) for n, (start, end, text) in enumerate(lines, 1)]
    index_recording(index, recording(name), segments, [], [], chat, None)


@st.composite
def sessions(draw: st.DrawFn) -> list[Stretch]:
    """Some stretches of lines with pauses long and short."""
    made = []
    for number in range(draw(st.integers(1, 3))):
        at, lines = 0, []
        for length, pause in draw(st.lists(st.tuples(st.integers(500, 6_000), st.integers(0, 6_000)), min_size=1, max_size=9)):
            lines.append((at, at + length, "说"))
            at += length + pause
        made.append(stretch(f"r{number}", lines))
    return made


@given(sessions())
def test_windows_are_all_runs_of_one_stretch_that_are_short_enough_and_span_no_silence(made: list[Stretch]) -> None:
    field = Field(made)
    found = windows_of(field)
    wanted = set()
    for first in range(len(field.units)):
        for last in range(first, len(field.units)):
            inside = [unit.unit for unit in field.units[first : last + 1]]
            joined = all(after.start_ms - before.end_ms <= SILENCE_MS for before, after in pairwise(inside))
            short = first == last or inside[-1].end_ms - inside[0].start_ms <= LONGEST_MS
            if field.stretch_at[first] == field.stretch_at[last] and joined and short:
                wanted.add((first, last))
    assert set(zip(found.first.tolist(), found.last.tolist(), strict=True)) == wanted


@given(sessions(), st.randoms(use_true_random=False))
def test_the_most_of_every_window_is_the_most_of_its_rows(made: list[Stretch], random: "np.random.Generator") -> None:
    field = Field(made)
    windows = windows_of(field)
    values = np.array([random.random() for _ in field.units])
    brute = [values[first : last + 1].max() for first, last in zip(windows.first, windows.last, strict=True)]
    assert RunMaximum(values).over(windows).tolist() == brute


@given(sessions(), st.randoms(use_true_random=False), st.integers(1, 12))
def test_the_best_windows_share_little_time_and_nothing_better_was_left_out(
    made: list[Stretch], random: "np.random.Generator", limit: int
) -> None:
    windows = windows_of(Field(made))
    score = np.array([random.random() for _ in windows.first])
    kept = windows.best(score, limit)

    def alike(one: int, other: int) -> bool:
        shared = min(windows.end_ms[one], windows.end_ms[other]) - max(windows.start_ms[one], windows.start_ms[other])
        lengths = windows.end_ms - windows.start_ms
        return bool(windows.stretch[one] == windows.stretch[other] and shared > SAME_SHARE * max(min(lengths[one], lengths[other]), 1))

    assert [score[each] for each in kept] == sorted((score[each] for each in kept), reverse=True)
    assert not any(alike(one, other) for at, one in enumerate(kept) for other in kept[:at])
    for each in set(range(len(score))) - set(kept):
        better = [other for other in kept if score[other] >= score[each]]
        assert any(alike(each, other) for other in better) or len(better) == limit


def test_nothing_is_found_across_the_border_of_two_recordings() -> None:
    parted = Field([stretch("a", [(0, 3_000, "我们这个质")]), stretch("b", [(0, 3_000, "保三年啊")])])
    joined = Field([stretch("a", [(0, 3_000, "我们这个质"), (3_000, 6_000, "保三年啊")])])
    assert not parted.find_text("质保")
    assert not parted.find_sound(("zi", "bao"))
    assert joined.find_text("质保")
    assert joined.find_sound(("zi", "bao"))


def test_what_a_recording_holds_does_not_depend_on_what_else_is_ranked() -> None:
    question = understand("质保几年")
    one = stretch("a", [(0, 3_000, "这个质保三年"), (3_100, 6_000, "放心拍")])
    other = stretch("b", [(0, 3_000, "那个质保两年")])
    alone, together = hits_of(Field([one]), question), hits_of(Field([other, one]), question)
    assert together[-len(one.units) :].tolist() == alone.tolist()


def test_a_moment_runs_on_to_the_condition_of_what_it_promises(index: Index) -> None:
    talk(
        index,
        (5, 9, "来看这个净水器"),
        (10, 15, "漏水泡了地板我们赔你五十万"),
        (15.3, 21, "前提是我们师傅装的自己装的不赔"),
        (30, 33, "点点关注"),
    )
    moment = ask(index, "漏水泡了地板赔不赔").moments[0]
    assert (moment.start_ms, moment.end_ms) == (10_000, 21_000)


def test_a_moment_stays_short_enough_to_listen_to(index: Index) -> None:
    talk(index, *((at, at + 2.9, "质保三年" if at == 30 else f"这是第{at}句闲话") for at in range(0, 90, 3)))
    moment = ask(index, "质保几年").moments[0]
    assert "质保三年" in moment.quote
    assert moment.end_ms - moment.start_ms <= 20_000


def test_words_of_the_question_in_a_sentence_that_asks_nothing_are_its_answer() -> None:
    asked = [Message(1_000, "刻名字的能换吗", "a")]
    said = [(3_000, 6_000, "有人问刻名字的能换吗"), (6_200, 9_000, "刻名字的质量问题还是给换"), (9_200, 12_000, "大家放心")]
    units = stretch("a", said, asked).units
    assert [unit.reads_question for unit in units] == [True, False, False]
    assert all(unit.question for unit in units)


def test_what_takes_it_back_in_the_same_words_comes_first_and_says_what_it_takes_back(index: Index) -> None:
    talk(
        index,
        (10, 14, "面膜一盒是二十片"),
        (15, 18, "今天拍一发三"),
        (100, 104, "刚才说错了面膜一盒是十片不是二十片"),
        (104.3, 107, "不好意思大家别记错"),
        (200, 203, "点点关注"),
    )
    first, *others = ask(index, "面膜一盒几片").moments
    assert "说错了" in first.quote
    assert first.corrects_ms is not None and first.corrects_ms <= 14_000
    assert any("一盒是二十片" in moment.quote for moment in others)


def test_a_channel_left_out_finds_nothing_by_itself(index: Index) -> None:
    talk(index, (5, 8, "晚上好"), (10, 13, "里面填的都是白鹅容"), (30, 33, "点点关注"))
    by_sound = ask(index, "白鹅绒").moments[0]
    assert any(reason.kind == "sound" for reason in by_sound.why)
    deaf = ask(index, "白鹅绒", without=frozenset({"sounds"}))
    assert not any(reason.kind == "sound" for moment in deaf.moments for reason in moment.why)


@pytest.mark.parametrize("channel", CHANNELS)
def test_search_goes_on_without_any_one_channel(index: Index, channel: Channel) -> None:
    talk(index, (5, 8, "晚上好"), (10, 13, "这个质保三年坏了免费换新"), (30, 33, "点点关注"))
    assert "质保三年" in ask(index, "质保三年吗", without=frozenset({channel})).moments[0].quote


def test_the_more_of_a_question_is_held_the_surer_it_was_said() -> None:
    said = [was_said({"base": share, "concepts": share}) for share in np.linspace(0, 1, 21)]
    assert said == sorted(said)
    assert not said[0] and said[-1]
    order = ("low", "medium", "high")
    sure = [order.index(confidence({"base": share, "concepts": share}, risky=False)) for share in np.linspace(0, 1, 21)]
    assert sure == sorted(sure)
    assert not was_said({"base": 0.0, "near": 1.0}), "nearness of meaning alone proves nothing"


def test_less_is_denied_in_a_language_that_the_decision_was_not_fitted_on() -> None:
    shares = [{"base": share, "concepts": share} for share in np.linspace(0, 1, 41)]
    denied = [[not was_said(each, in_chinese=chinese) for each in shares] for chinese in (True, False)]
    assert sum(denied[0]) > sum(denied[1]) > 0
    assert is_chinese("质保三年吗") and is_chinese("dyson质保") and not is_chinese("how long is the warranty")
    assert not is_chinese("保証は何年ですか")


def test_of_a_long_complaint_less_must_be_held_to_be_answered() -> None:
    held = {"base": 0.3, "around": 0.4, "concepts": 0.3, "near": 0.1}
    assert likelihood(held | {"length": 1.0}) > likelihood(held | {"length": 0.25})


def test_what_is_said_around_a_span_speaks_for_it_and_an_unknown_meaning_takes_nothing() -> None:
    alone = {"base": 0.3, "around": 0.3, "length": 0.5}
    assert likelihood(alone | {"around": 0.6}) > likelihood(alone)
    assert likelihood(alone) == pytest.approx(likelihood({"base": 0.3}))
    assert abs(likelihood(alone) - likelihood(alone | {"near": 0.25})) < 0.2


def test_what_takes_a_claim_back_answers_as_surely_as_the_claim() -> None:
    claim = Span("evening", 1, 1, 30_000, 34_000, 1.0, {"base": 0.8, "around": 0.8, "near": 0.3, "taken_back": 0.0, "length": 1.0})
    back = Span("evening", 3, 4, 60_000, 66_000, 0.8, {"base": 0.3, "around": 0.3, "near": 0.0, "taken_back": 1.0, "length": 1.0})
    first, second = corrections_first([claim, back])
    assert first.parts["corrects_ms"] == 30_000 and second is claim
    assert likelihood(first.parts) == likelihood(claim.parts) > likelihood(back.parts)


def test_a_claim_found_by_its_amount_is_not_taken_back_by_words_without_one() -> None:
    claim = Span("evening", 1, 1, 30_000, 34_000, 1.0, {"base": 0.8, "quantities": 1.0, "taken_back": 0.0})
    back = Span("evening", 3, 4, 60_000, 66_000, 0.9, {"base": 0.5, "quantities": 0.0, "taken_back": 1.0})
    assert corrections_first([claim, back])[0] is claim
    other_amount = replace(back, parts={**back.parts, "quantities": 0.2})
    assert corrections_first([claim, other_amount])[0].parts["corrects_ms"] == 30_000
