"""Segments end where sentences do, at pauses, or at the best place of a long stretch; never inside a word or a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.sentence_cuts import LONGEST_CHARS, LONGEST_MS, TimedWord, pieces


def said(*texts: str, word_ms: int = 200, pauses: dict[int, int] | None = None, segments: tuple[int, ...] = ()) -> list[TimedWord]:
    """Words one after the other; `pauses`: silence in ms before the word of this index; `segments`: where the recogniser's own begin."""
    words, at = [], 0
    for index, text in enumerate(texts):
        at += (pauses or {}).get(index, 0)
        words.append(TimedWord(at, at + word_ms, text, sum(index >= first for first in segments)))
        at += word_ms
    return words


def cut(words: list[TimedWord]) -> list[str]:
    return ["".join(word.text for word in words[first:last]) for first, last in pieces(words)]


@pytest.mark.parametrize(
    ("words", "sentences"),
    [
        (["质保", "三年。", "坏了", "换新。"], ["质保三年。", "坏了换新。"]),
        (["会", "起球", "吗？", "不会！", "放心"], ["会起球吗？", "不会！", "放心"]),
        (["嗯……", "好"], ["嗯……", "好"]),
        (["包邮；", "退货", "自理;", "谢谢"], ["包邮；", "退货自理;", "谢谢"]),
        (["“假一", "赔十。”", "记住"], ["“假一赔十。”", "记住"]),
        (["打", "3.5", "折,", "好"], ["打3.5折,好"]),
        (["Ask", " Dr.", " Smith", " now.", " Yes", " it", " is."], ["Ask Dr. Smith now.", " Yes it is."]),
        ([" J.", " Smith", " pays", " 3.5", " dollars.", " OK"], [" J. Smith pays 3.5 dollars.", " OK"]),
        (["返金", "できます。", "はい"], ["返金できます。", "はい"]),
        (["환불", " 됩니다.", " 네"], ["환불 됩니다.", " 네"]),
    ],
)
def test_a_sentence_ends_at_its_mark_and_nowhere_else(words: list[str], sentences: list[str]) -> None:
    assert cut(said(*words)) == sentences


def test_a_pause_cuts_and_so_does_the_recogniser_s_own_segment() -> None:
    assert cut(said("今", "天", "包", "邮", pauses={2: 900})) == ["今天", "包邮"]
    assert cut(said("今", "天", "包", "邮", segments=(2,))) == ["今天", "包邮"]


@pytest.mark.parametrize("words", [("只要", "299", "元"), ("打", "3.5", "折"), ("第", "3", "号"), ("一百", "九十九", "块")])
def test_a_number_and_what_it_counts_stay_together_over_the_recogniser_s_segments(words: tuple[str, ...]) -> None:
    assert cut(said(*words, segments=(1, 2)))[-1].endswith("".join(words[1:]) if words[0] != "第" else "".join(words))


def test_figures_and_their_unit_are_not_parted_by_a_pause() -> None:
    assert cut(said("只要", "1,299", "元", "包邮", pauses={2: 900})) == ["只要1,299元包邮"]


def test_a_long_stretch_without_marks_is_cut_at_its_pauses() -> None:
    words = list("今天这款羽绒服充绒量九十克" * 8)
    found = pieces(said(*words, pauses={26: 300, 52: 300, 78: 300}))
    assert [first for first, _ in found] == [0, 52]
    assert [first for first, _ in pieces(said(*words, word_ms=300, pauses={26: 300, 52: 300, 78: 300}))] == [0, 26, 52, 78]


def test_a_long_stretch_is_cut_behind_a_comma_rather_than_beside_it() -> None:
    words = ["羽绒服", "很", "暖和"] * 12
    words[17] = "暖和，"
    assert 18 in {first for first, _ in pieces(said(*words, word_ms=350))}


def test_an_even_stretch_is_never_cut_inside_of_a_chinese_word() -> None:
    text = "我们家的羽绒服质量特别好支持七天无理由退货" * 4
    found = cut(said(*text))
    assert len(found) > 1
    assert not any(piece.startswith(("绒服", "服", "量", "持", "理由", "由", "货")) for piece in found)


@st.composite
def speech(draw: st.DrawFn) -> list[TimedWord]:
    texts = draw(
        st.lists(
            st.sampled_from(["好", "今天", "299", "元", "3.5", "折", "。", "好。", " ok.", " Dr.", "，", "一", "百", "😀"]), max_size=90
        )
    )
    pauses = {index: draw(st.integers(0, 1500)) for index in draw(st.lists(st.integers(0, 89), max_size=5))}
    return said(*texts, word_ms=draw(st.integers(20, 400)), pauses=pauses, segments=tuple(draw(st.lists(st.integers(0, 89), max_size=4))))


@given(speech())
def test_whatever_is_said_no_word_is_lost_or_doubled_and_no_figure_parted_from_its_unit(words: list[TimedWord]) -> None:
    found = pieces(words)
    assert [index for first, last in found for index in range(first, last)] == list(range(len(words)))
    for first, _ in found[1:]:
        assert not (words[first - 1].text[-1].isdecimal() and words[first].text in {"元", "折", "299", "3.5"})


@given(st.integers(1, 300), st.integers(50, 500))
def test_what_can_be_cut_is_not_too_long(count: int, word_ms: int) -> None:
    words = said(*("好" if index % 3 else "嗯，" for index in range(count)), word_ms=word_ms)
    for first, last in pieces(words):
        assert words[last - 1].end_ms - words[first].start_ms <= LONGEST_MS
        assert sum(len(word.text) for word in words[first:last]) <= LONGEST_CHARS
