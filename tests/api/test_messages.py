"""The catalogue of texts: both languages whole and alike in what they take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.answers import product_words
from api.messages import MESSAGES, catalogue, language_of, message, named, placeholders
from archive.digest import Json


def test_both_languages_take_the_same_values() -> None:
    differing = [key for key, (chinese, english) in MESSAGES.items() if placeholders(chinese) != placeholders(english)]
    assert differing == []


# The example question and the switch to the other language are meant to be read as they are.
SHOWN_IN_THE_OTHER = {"page.placeholder", "page.language", "page.language_label"}


def test_no_text_is_empty_and_chinese_texts_are_chinese_where_english_ones_have_words() -> None:
    for key, (chinese, english) in MESSAGES.items():
        assert chinese.strip() and english.strip(), key
        assert key in SHOWN_IN_THE_OTHER or not any("\u4e00" <= letter <= "\u9fff" for letter in english), (
            f"{key}: Chinese in the English text"
        )


def test_a_message_is_filled_in_both_languages() -> None:
    assert message("answer.found", "zh", count=3) == "找到 3 处"
    assert message("answer.found", "en", count=3) == "3 found"


def test_an_unknown_key_or_a_missing_value_is_an_error_and_no_silent_blank() -> None:
    with pytest.raises(KeyError):
        message("no.such.key", "zh")
    with pytest.raises(KeyError):
        message("answer.found", "en")


def test_a_name_without_a_word_stays_as_it_is() -> None:
    assert named("promise", "warranty", "zh") == "质保"
    assert named("promise", "未分类", "en") == "未分类"


def test_the_page_is_given_only_its_own_texts() -> None:
    assert set(catalogue("zh", "page.")) == {key for key in MESSAGES if key.startswith("page.")}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh-CN;q=0.8", "en"),
        ("zh;q=0.2, en;q=0.7", "en"),
        ("fr-FR, zh-TW;q=0.5", "zh"),
        ("zh;q=0", "en"),
        ("de", "en"),
        (None, "en"),
    ],
)
def test_the_language_follows_accept_language(header: str | None, language: str) -> None:
    assert language_of(header) == language


@given(st.text(max_size=200))
def test_any_header_gives_a_language(header: str) -> None:
    assert language_of(header) in ("zh", "en")


def test_a_product_that_was_inferred_is_said_to_be_with_how_sure_and_never_as_on_air() -> None:
    inferred: dict[str, Json] = {"title": "鹅绒被", "how": "inferred", "confidence": 0.62}
    assert product_words(inferred, "en") == ["鹅绒被 (inferred from the talk, 62% sure)"]
    assert product_words(inferred, "zh") == ["鹅绒被（由上下文推断，把握 62%）"]
    assert product_words({**inferred, "how": "on_air", "confidence": None}, "en") == ["鹅绒被 (on air then)"]
