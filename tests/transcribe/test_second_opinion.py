"""Two recognisers compared: how they write the same is no disagreement, another number is, and no word of either is lost."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.comparing import as_spoken
from archive.transcript import Segment, Word
from transcribe.second_opinion import AGREES_FROM, Compared, compare


def heard(*lines: tuple[int, str]) -> list[Segment]:
    """Lines of (start in ms, text), a quarter of a second a character, with a word a character."""
    said = []
    for number, (start, text) in enumerate(lines, 1):
        words = tuple(Word(start + 250 * at, start + 250 * at + 250, char) for at, char in enumerate(text))
        said.append(Segment(number, 1, start, start + 250 * len(text), text, words))
    return said


def between(one: str, other: str) -> tuple[float, str | None]:
    (judged,) = compare(heard((0, one)), heard((0, other)) if other else [], as_spoken).judged
    return judged.agreement, judged.otherwise


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("到手价299元", "到手价二百九十九元"),
        ("到手价299元", "到手价两百九十九元。"),
        ("一共160块", "一共一百六块"),
        ("打95折", "打九五折"),
        ("這條手鐲支持鑒定", "这条手镯支持鉴定"),
        ("好的，大家晚上好！", "好的大家晚上好"),
        ("支持七天无理由退货", "支持7天无理由退货"),
        ("Size M 100%", "size m 百分之百"),
    ],
)
def test_another_way_to_write_the_same_is_full_agreement(one: str, other: str) -> None:
    assert between(one, other) == (1.0, None)
    assert between(other, one) == (1.0, None)


def test_another_character_of_the_same_sound_is_agreement_of_a_lower_grade() -> None:
    agreement, otherwise = between("里面填的都是白鹅容", "里面填的都是白鹅绒")
    assert AGREES_FROM <= agreement < 1 and otherwise is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("这个手镯我们支持假一赔十", "这个手镯我们支持假一赔四"),
        ("这一款羽绒被质保三年", "这一款羽绒被质保两年"),
        ("今天到手价299元大家可以放心拍", "今天到手价199元大家可以放心拍"),
        ("拆封以后不支持七天无理由退货", "拆封以后支持七天无理由退货"),
        ("这个链接里面没有运费险大家注意", "这个链接里面有运费险大家注意"),
        ("这一条是百分之百山羊绒的围巾", "这一条是百分之百山羊毛的围巾"),
    ],
)
def test_another_number_negation_or_material_is_doubt_however_much_else_is_shared(one: str, other: str) -> None:
    agreement, otherwise = between(one, other)
    assert otherwise == other and 0.5 < agreement < 1
    assert between(other, one)[1] == one


def test_a_small_difference_that_promises_nothing_is_agreement() -> None:
    agreement, otherwise = between("我们接着往下看看这个", "我们接下来往下看看这个")
    assert agreement >= AGREES_FROM and otherwise is None


def test_something_else_altogether_and_nothing_at_all_are_disagreement() -> None:
    assert between("请不吝点赞订阅转发打赏", "这个杯子可以放冰箱")[0] < 0.4
    assert between("请不吝点赞订阅转发打赏", "") == (0.0, "")
    assert between("。。。", "") == (1.0, None)


def test_segments_that_are_cut_elsewhere_agree_and_keep_their_own_words() -> None:
    first = heard((0, "大家晚上好欢迎来到直播间"), (4000, "今天先看一号链接"))
    second = heard((0, "大家晚上好"), (1250, "欢迎来到直播间今天"), (4500, "先看一号链接"))
    compared = compare(first, second, as_spoken)
    assert [(judged.number, judged.agreement, judged.otherwise) for judged in compared.judged] == [(1, 1.0, None), (2, 1.0, None)]
    assert compared.heard_only == ()


def test_the_others_words_stand_at_the_segment_they_belong_to() -> None:
    first = heard((0, "这一款质保三年。"), (3000, "那个那个手镯假一赔十"), (8000, "大家可以去拍"))
    second = heard((0, "这一款质保五年，那个手镯，假一赔四！"), (8000, "大家可以去拍"))
    judged = compare(first, second, as_spoken).judged
    assert [each.otherwise for each in judged] == ["这一款质保五年，", "那个手镯，假一赔四！", None]


def test_of_two_equal_phrases_the_one_at_its_time_is_compared() -> None:
    first = heard((0, "质保三年"), (20_000, "质保三年"))
    compared = compare(first, heard((20_000, "质保三年")), as_spoken)
    assert [(judged.agreement, judged.otherwise) for judged in compared.judged] == [(0.0, ""), (1.0, None)]


def test_what_the_second_alone_heard_is_told_with_its_time() -> None:
    compared = compare(heard((0, "质保三年")), heard((0, "质保三年"), (9000, "假一赔十。")), as_spoken)
    assert [(only.start_ms, only.end_ms, only.text) for only in compared.heard_only] == [(9000, 10_250, "假一赔十。")]
    assert compared.judged[0].otherwise is None


LINES = st.lists(st.tuples(st.integers(0, 20_000), st.text("质保三年299 不没，。假一赔十abcAB", max_size=12)), max_size=4)


def sentences(lines: Sequence[tuple[int, str]]) -> list[Segment]:
    return heard(*sorted(lines))


@settings(max_examples=60, deadline=None)
@given(LINES, LINES)
def test_whatever_was_heard_every_segment_is_judged_once_within_bounds(one: list[tuple[int, str]], other: list[tuple[int, str]]) -> None:
    compared: Compared = compare(sentences(one), sentences(other), as_spoken)
    assert [judged.number for judged in compared.judged] == [segment.number for segment in sentences(one)]
    assert all(0 <= judged.agreement <= 1 for judged in compared.judged)
    assert all(judged.otherwise is not None for judged in compared.judged if judged.agreement < AGREES_FROM)
    said = [char for _, text in other for char in text]
    told = [char for judged in compared.judged for char in judged.otherwise or ""] + [c for only in compared.heard_only for c in only.text]
    assert all(told.count(char) <= said.count(char) for char in set(told) - {" "})


@settings(max_examples=30, deadline=None)
@given(LINES)
def test_whoever_hears_the_same_agrees(lines: list[tuple[int, str]]) -> None:
    compared = compare(sentences(lines), sentences(lines), as_spoken)
    assert all(judged == type(judged)(judged.number, 1.0, None) for judged in compared.judged) and compared.heard_only == ()
