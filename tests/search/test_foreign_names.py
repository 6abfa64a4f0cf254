"""Foreign names that no table knows: said in Mandarin and written in characters, or the other way round."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.recording import Product
from search.answer import Answer, ask
from search.chinese import fold
from search.foreign_names import could_hold_names, foreign_names, name_pairs, spelled_in
from search.indexes import Index, open_index
from search.indexing import index_recording
from search.products import Shelf
from search.products_asked import AskedNames, named_products
from search.query import understand
from search.sounds import syllables
from tests.search.sessions import TALK, recording, segments
from tests.search.varied_sessions import _CLAIMS, _TALK

_WORDS = (
    "table window garden market summer winter better little middle simple paper water silver golden picture number letter story morning "
    "evening travel driver engine battery carton polish basket dinner camera soda quality promise minute tomorrow brother kitchen yellow "
    "holiday season balance corner finger pocket ribbon saddle temple velvet walnut zipper anchor bamboo candle dragon feather hammer"
)
ENGLISH = _WORDS.split()


def spelled(name: str, text: str) -> list[str]:
    folded = fold(text).text
    return [folded[each.start : each.end] for each in spelled_in(name, folded, syllables(folded))]


@pytest.mark.parametrize(
    ("name", "said", "written"),
    [
        ("vexaro", "这个维克萨罗吹风机质保三年", "维克萨罗"),
        ("kolvina", "姐妹们科尔维娜的精华到货了", "科尔维娜"),
        ("marvello", "我们马维洛这个锅", "马维洛"),
        ("dyson", "戴森的吹风机", "戴森"),
        ("max mara", "这是马克斯玛拉同款", "马克斯玛拉"),
        ("tessadora", "特萨朵拉面霜", "特萨朵拉"),
    ],
)
def test_what_a_recogniser_wrote_for_a_name_is_that_name(name: str, said: str, written: str) -> None:
    assert spelled(name, said) == [written]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sony", "我说你听"),
        ("bosch", "不是这样的"),
        ("coach", "不要客气"),
        ("fiji", "坐飞机来的"),
        ("garden", "假的我赔"),
        ("stanley", "十天里给你发"),
        ("winter", "有什么问题"),
        ("hermes", "还没睡的宝宝"),
    ],
)
def test_words_of_any_talk_are_no_names_however_they_sound(name: str, said: str) -> None:
    assert spelled(name, said) == []


def test_english_words_are_hardly_found_in_mandarin_talk() -> None:
    talk = [text for _, text in TALK] + [claim.format(n="三") for claim in _CLAIMS] + list(_TALK)
    found = {(word, text) for word in ENGLISH for text in talk if spelled(word, text)}
    assert len(found) <= 1, found


@given(st.text(max_size=60), st.sampled_from(["vexaro", "dyson", "a", "", "xq"]))
@settings(deadline=None)  # dictionaries are read once
def test_names_lie_in_the_text_whatever_it_is(text: str, name: str) -> None:
    folded = fold(text).text
    assert all(0 <= start < end <= len(folded) for start, end in could_hold_names(folded))
    found = spelled_in(name, folded, syllables(folded))
    assert all(0 <= each.start < each.end <= len(folded) and 0 < each.likeness <= 1 for each in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(0 < sure <= 1 for sure in name_pairs(name).values())


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("vexaro 吹风机质保几年", ["vexaro"]),
        ("max mora 大衣", ["max mora"]),
        ("维克萨罗的吹风机", ["维克萨罗"]),
        ("warranty on the returns", []),
        ("山羊绒围巾质保三年", []),
    ],
)
def test_a_question_tells_which_of_its_words_may_be_names(asked: str, names: list[str]) -> None:
    assert foreign_names(fold(asked).text) == names


def test_a_name_of_characters_is_one_word_of_the_question() -> None:
    assert [term.text for term in understand("维克萨罗吹风机的质保").terms if term.names] == ["维克萨罗"]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path)
    yield opened
    opened.close()


def asked(index: Index, said: str, question: str) -> Answer:
    lines = [(at, text) for at, text in TALK if at < 60 or at > 100]
    index_recording(index, recording(), segments(((70, "来看一下这个"), (75, said), (80, "喜欢的直接拍"), *lines)), [], [], [], None)
    return ask(index, question)


@pytest.mark.parametrize(
    ("said", "question", "why"),
    [
        ("我们家维克萨罗是三防的", "Vexaro 是三防的吗", "vexaro≈维克萨罗"),
        ("我们家vexaro是三防的", "维克萨罗是三防的吗", "维克萨罗≈vexaro"),
        ("我们家马克斯玛拉是三防的", "MaxMara是三防的吗", "maxmara≈马克斯玛拉"),
    ],
)
def test_who_asks_in_one_script_finds_what_was_written_in_the_other(index: Index, said: str, question: str, why: str) -> None:
    moment = asked(index, said, question).moments[0]
    assert said in moment.quote
    assert why in [reason.detail for reason in moment.why if reason.kind == "sound"]


def test_a_name_alone_is_enough_to_find_it(index: Index) -> None:
    assert "维克萨罗" in asked(index, "我们家维克萨罗是三防的", "Vexaro").moments[0].quote


def test_what_is_not_heard_stays_not_heard(index: Index) -> None:
    assert "quandel" in asked(index, "我们家维克萨罗是三防的", "Quandel 是三防的吗").not_heard
    assert "vexaro" not in asked(index, "我们家维克萨罗是三防的", "Vexaro 是三防的吗").not_heard


DRYER = Product("d1", "Vexaro Pro 吹风机", "1", ("Vexaro",))
CREAM = Product("c1", "科尔维娜面霜", "2", ("科尔维娜",))


def test_a_shelfs_latin_name_is_heard_in_characters() -> None:
    def named(text: str) -> dict[str, float]:
        folded = fold(text).text
        return Shelf([DRYER, CREAM]).named_in(folded, syllables(folded))

    heard, plain = named("这个维克萨罗吹风机"), named("这个Vexaro吹风机")
    assert 0.5 < heard["d1"] < plain["d1"]
    assert named("这个维修一下就好了") == {}
    assert named("我们vexarox的东西") == {}, "inside another word"


@pytest.mark.parametrize(("asked_for", "product"), [("维克萨罗质保几年", "d1"), ("kolvina 面霜是正品吗", "c1"), ("Vexaro质保几年", "d1")])
def test_a_question_names_a_product_in_the_other_script(asked_for: str, product: str) -> None:
    assert named_products(AskedNames(asked_for), [DRYER, CREAM])[0].product_id == product


TWO = (Product("three", "水杯", "3", ("水杯",)), Product("thirteen", "书桌", "13", ("书桌",)))


@pytest.mark.parametrize(
    ("said", "products"),
    [
        ("来三号链接", {"three"}),
        ("三号姐妹们可以拍了", {"three"}),
        ("十三号链接上了", {"thirteen"}),
        ("13号可以拍了", {"thirteen"}),
        ("二十三号可以拍了", set()),
        ("三号和十三号一起拍", {"three", "thirteen"}),
        ("十二月三号之前都有效", set()),
        ("下个月三号统一发", set()),
        ("三号晚上八点再来", set()),
        ("三号电池两节", set()),
    ],
)
def test_a_shelf_number_is_neither_part_of_another_nor_a_day(said: str, products: set[str]) -> None:
    assert Shelf(TWO).named_in(fold(said).text).keys() == products
