"""Simplified script for reading: what is converted, what must not be, and that every character keeps its place."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.simplified import reading_of, simplified, simplified_throughout

HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("這條圍巾是純羊絨的", "这条围巾是纯羊绒的"),
        ("七天無理由退貨，運費險我們出", "七天无理由退货，运费险我们出"),
        ("三百九十九塊兩件，還送髮夾", "三百九十九块两件，还送发夹"),
        ("説好嘅保養，喺香港發貨", "说好嘅保养，喺香港发货"),
        ("客服已經回覆了", "客服已经回复了"),
    ],
)
def test_what_hosts_in_hong_kong_and_taiwan_say_is_read_in_simplified_script(said: str, read: str) -> None:
    assert simplified(said) == read
    assert reading_of(said) == read


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("洗乾淨以後再用", "洗干净以后再用"),
        ("乾隆年間的皇后", "乾隆年间的皇后"),
        ("這不是乾貨是幹練", "这不是干货是干练"),
        ("頭髮和發票", "头发和发票"),
        ("沈先生從瀋陽來", "沈先生从沈阳来"),
        ("宮商角徵羽，特徵明顯", "宫商角徵羽，特征明显"),
        ("聲名狼藉不是藉口", "声名狼藉不是借口"),
        ("站在瞭望台上瞭解", "站在瞭望台上了解"),
    ],
)
def test_characters_with_several_readings_go_by_the_phrase(said: str, read: str) -> None:
    assert simplified(said) == read


@pytest.mark.parametrize(
    "text",
    [
        "这条围巾是纯羊绒的，七天无理由退货",
        "原著里说的，效果显著，别捏坏了",
        "乾隆、沈阳、覆盖、瞭望、哩哩啦啦",
        "皇后、里程、台面、几个、只有、面条、后面",
        "100% pure cashmere, free returns",
        "정품 보장 七日",
        "東京の図書館で純正品を買う",
        "この商品は 純正品 です",
        "",
        "\n\n",
    ],
)
def test_simplified_text_and_other_languages_stay_as_they_are(text: str) -> None:
    assert simplified(text) == text
    assert reading_of(text) is None


def test_japanese_beside_chinese_stays_while_the_chinese_is_read() -> None:
    assert simplified("這是日本進口的。東京の図書館。真的很軟") == "这是日本进口的。東京の図書館。真的很软"
    assert simplified("七天無理由退貨 東京の図書館") == "七天无理由退货 東京の図書館"


def test_for_matching_question_and_text_come_out_alike_whatever_stands_beside() -> None:
    assert simplified_throughout("図書館") in simplified_throughout("東京の図書館です")


@given(st.text(st.one_of(HAN, st.characters()), max_size=60))
def test_every_character_keeps_its_place(text: str) -> None:
    for converted in (simplified(text), simplified_throughout(text)):
        assert len(converted) == len(text)
        assert [i for i, char in enumerate(text) if char.isascii()] == [i for i, char in enumerate(converted) if char.isascii()]


def test_threads_share_one_converter() -> None:
    said = [f"第{number}條圍巾是純羊絨" for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(simplified, said)) == [f"第{number}条围巾是纯羊绒" for number in range(400)]
