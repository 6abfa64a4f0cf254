"""Tokens become words: numbers, prices and names in one piece, marks with the word they stand by, nothing lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcribe.engines import HeardWord
from transcribe.said_words import beats, joined


def tokens(*texts: str) -> list[HeardWord]:
    return [HeardWord(100 * i, 100 * i + 100, text, 0.9 - 0.01 * i) for i, text in enumerate(texts)]


# Tokens as Whisper's tokenizer for Chinese cuts them.
@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (("只", "要", "2", "99", "元", ","), ["只", "要", "299", "元,"]),
        (("原", "价", "1", ",", "2", "99", "元", "!"), ["原", "价", "1,299", "元!"]),
        (("打", "3", ".", "5", "折"), ["打", "3.5", "折"]),
        (("i", "Phone", "15", " Pro", " Max", "到", "手", "价", "¥", "5", "999", "。"),
         ["iPhone15", " Pro", " Max", "到", "手", "价", "¥5999。"]),
        (("绒", "量", "90", "%", "😀", ",", "24", "小", "时", "……"), ["绒", "量", "90%", "😀,", "24", "小", "时……"]),
        (("20", "24", "年", "12", "月", " 18", ":", "30"), ["2024", "年", "12", "月", " 18:30"]),
        (("好的", "👨", "\u200d", "👩", "\u200d", "👧", " 500", "ml"), ["好的", "👨\u200d👩\u200d👧", " 500ml"]),
        (("Hello", ",", " it", "'s", " 3", ".", "5", " dollars", "."), ["Hello,", " it's", " 3.5", " dollars."]),
        (("他", "说", "“", "假", "一", "赔", "十", "”", "。"), ["他", "说", "“假", "一", "赔", "十”。"]),
        (("拍", "2", ",", "3", "件", "都", "行"), ["拍", "2,", "3", "件", "都", "行"]),
        (("。", "好"), ["。", "好"]),
        (("ok", "吗"), ["ok", "吗"]),
    ],
)  # fmt: skip
def test_what_is_said_as_one_is_one_word(parts: tuple[str, ...], words: list[str]) -> None:
    assert [word.text for word in joined(tokens(*parts))] == words


def test_a_joined_word_lasts_over_its_spoken_parts_and_is_as_sure_as_the_least_sure() -> None:
    (word,) = joined([HeardWord(0, 200, "2", 0.9), HeardWord(200, 600, "99", 0.4), HeardWord(900, 1000, "。", 0.1)])
    assert word == HeardWord(0, 600, "299。", 0.4)


@given(
    st.lists(
        st.sampled_from(["今天", "好", "2", "99", ".", ",", "%", "¥", "i", "Phone", " Pro", "。", "“", "”", "😀", "\u200d", "…", "-", "元"])
    )
)
def test_whatever_the_tokens_each_character_is_in_one_word_and_order_is_kept(parts: list[str]) -> None:
    words = joined(tokens(*parts))
    assert "".join(word.text for word in words) == "".join(parts)
    starts = [word.start_ms for word in words]
    assert starts == sorted(starts)
    assert all(word.end_ms >= word.start_ms for word in words)


@pytest.mark.parametrize(
    ("text", "said"),
    [("今天", (1.0, 1.0)), ("好的。", (1.0, 1.0)), ("299", (5.0,)), ("200元", (3.0,)), ("105", (4.0,)), ("90%", (5.0,)), (" hello", (2.0,)),
     ("kg", (2.0,)), ("VIP", (3.0,)), ("13800138000", (11.0,)), ("안녕", (1.0, 1.0))],
)  # fmt: skip
def test_syllables_are_counted_as_the_word_is_read_out(text: str, said: tuple[float, ...]) -> None:
    assert beats(text) == said


def test_marks_and_emoji_take_a_little_time_too() -> None:
    assert all(0 < sum(beats(text)) < 1 for text in ("。", "😀", "♪", "…"))
