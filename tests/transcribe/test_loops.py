"""A line again and again, over windows heard each for itself: doubted where the recogniser was unsure or nobody repeats it so often."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.transcript import Segment
from transcribe.loops import REPETITION, alike, marked_loops


def heard(*lines: tuple[str, float]) -> list[Segment]:
    return [Segment(i, 1, i * 3000, i * 3000 + 2000, text, confidence=sure) for i, (text, sure) in enumerate(lines)]


def marked(segments: list[Segment]) -> list[bool]:
    return [REPETITION in segment.risk for segment in marked_loops(segments)]


def test_an_unsure_line_four_times_in_a_row_is_a_loop() -> None:
    lines = heard(("三号链接上架", 0.9), *[("谢谢观看", 0.4)] * 4, ("七天无理由退货", 0.9))
    assert marked(lines) == [False, True, True, True, True, False]


def test_a_host_may_say_a_thing_several_times() -> None:
    assert not any(marked(heard(*[("七天无理由退货", 0.85)] * 6)))


def test_nobody_says_the_same_line_eight_times() -> None:
    assert all(marked(heard(*[("欢迎来到直播间", 0.9)] * 8)))
    assert all(marked(heard(*[("欢迎来到直播间", 0.9)] * 40)))


def test_short_words_may_follow_one_another() -> None:
    assert not any(marked(heard(*[("对", 0.3)] * 12)))


def test_a_loop_may_change_a_word_and_goes_on_where_it_does() -> None:
    assert all(marked(heard(*[(f"欢迎大家来到{who}直播间", 0.4) for who in ("我们", "我的", "我们", "我的", "我们")])))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("谢谢大家的观看", "谢谢大家的观看", True),
        ("欢迎大家来到我们直播间", "欢迎大家来到我的直播间", True),
        ("这件两百九十九", "那件一百九十九", False),
        ("好", "对", False),
        ("七天无理由退货", "十五天无理由退货运费险", False),
    ],
)
def test_lines_are_alike_but_for_a_word_in_ten(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is same


def test_no_more_is_held_than_tells_a_loop() -> None:
    given_out = 0

    def endless() -> Iterator[Segment]:
        for number in range(10_000):
            assert number - given_out <= 10
            yield Segment(number, 1, number, number + 1, "欢迎来到直播间", confidence=0.9)

    for segment in marked_loops(endless()):
        given_out += 1
        assert segment.risk == (REPETITION,)


@given(st.lists(st.tuples(st.sampled_from(["谢谢观看", "七天无理由退货", "对", "三号链接"]), st.floats(0.1, 1)), max_size=40))
def test_every_segment_comes_out_once_in_order_and_only_its_marks_change(lines: list[tuple[str, float]]) -> None:
    segments = heard(*lines)
    found = list(marked_loops(segments))
    assert [(s.number, s.text, s.start_ms) for s in found] == [(s.number, s.text, s.start_ms) for s in segments]
