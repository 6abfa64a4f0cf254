"""Folding, cutting and sounding out text, with the way back to the source kept."""

from hypothesis import given, settings
from hypothesis import strategies as st

from search.chinese import bigrams, content_words, fold
from search.sounds import fold_syllable, read_pinyin, sound_bigrams, syllables, typed_sounds


def test_written_and_spoken_numbers_fold_to_the_same_text() -> None:
    assert fold("28天见效").text == fold("二十八天见效").text
    assert fold("95%").text == fold("百分之九十五").text
    assert fold("两百九十九").text == fold("299").text


def test_folding_keeps_where_each_character_came_from() -> None:
    text = "满 299元,ＶＩＰ送"
    folded = fold(text)
    assert folded.text == "满二百九十九元vip送"
    assert [text[origin] for origin in folded.origins][-4:] == ["Ｖ", "Ｉ", "Ｐ", "送"]


@given(st.text(max_size=80))
def test_origins_never_leave_the_text_or_go_backwards(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.origins)
    assert list(folded.origins) == sorted(folded.origins)
    assert all(0 <= origin < len(text) for origin in folded.origins)


@given(st.text(max_size=80))
@settings(deadline=None)  # dictionaries are read once
def test_every_folded_character_has_one_sound(text: str) -> None:
    folded = fold(text).text
    assert len(syllables(folded)) == len(folded)


def test_fillers_and_bare_numbers_are_no_content() -> None:
    assert content_words(fold("主播有没有说过质保三年").text) == ["质保"]


def test_bigrams_do_not_cross_into_latin() -> None:
    assert bigrams("送iphone手机壳") == ["送", "iphone", "手机", "机壳"]


def test_misheard_words_share_their_sounds() -> None:
    for said, heard in [("质保", "制宝"), ("鹅绒", "鹅容"), ("正品", "挣频"), ("牛奶", "刘来"), ("差价", "茶价")]:
        assert sound_bigrams(syllables(said)) == sound_bigrams(syllables(heard)), said


def test_accents_fold_and_other_sounds_do_not() -> None:
    assert fold_syllable("zhang") == fold_syllable("zan")
    assert fold_syllable("feng") != fold_syllable("heng")
    assert fold_syllable("feng", f_h=True) == fold_syllable("heng", f_h=True)
    assert fold_syllable("ning") == fold_syllable("lin")


def test_pinyin_typed_by_a_buyer_sounds_like_the_words() -> None:
    assert read_pinyin("guohang") == ("guo", "hang")
    assert read_pinyin("gorex") == ()
    assert typed_sounds("mian dan") == ["mian", "dan"]
