"""Hosts who are written down in traditional script are found by who asks in simplified script, and the other way round; quotes stay raw."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from opencc import OpenCC

from archive.case_record import RecordPiece
from archive.recording import Message, Product
from archive.screen_readings import ScreenText
from search.answer import ask
from search.chinese import fold
from search.indexes import Filter, Index, open_index
from search.indexing import index_document
from search.on_air import links_said
from search.quantities import find_quantities
from search.record_answer import ask_records
from search.records import record_document
from search.units import cut_units
from tests.search.sessions import DUVET, SILK, TALK, chat, events, recording, segments

_taiwan = OpenCC("s2tw")
SCARF = Product("scarf", "純羊絨圍巾", "3", ("羊絨圍巾",), 29900)
ABROAD = (
    (5, "歡迎來到直播間"),
    (12, "來看三號連結這條圍巾"),
    (16, "這個是百分之百純羊絨的"),
    (24, "七天無理由退貨運費險我們出"),
    (30, "只要兩百九十九塊錢兩條"),
    (40, "如果是會員的話再送髮夾"),
    (50, "今天的燈光很好"),
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def abroad(index: Index) -> Index:
    index.replace(index_document(recording(), segments(ABROAD), [SCARF], [], [Message(22_000, "可以退貨嗎", "a")]), None)
    return index


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("主播说是纯羊绒吗", "純羊絨"),
        ("主播說是純羊絨嗎", "純羊絨"),
        ("七天无理由退货", "七天無理由退貨"),
        ("299块两条", "兩百九十九塊錢兩條"),
        ("會員送髮夾", "會員的話再送髮夾"),
        ("会员送发夹", "會員的話再送髮夾"),
    ],
)
def test_either_script_finds_what_was_written_in_traditional_script_and_quotes_it_raw(abroad: Index, question: str, quote: str) -> None:
    answer = ask(abroad, question)
    assert answer.found
    assert quote in answer.moments[0].quote
    assert answer.not_heard == ()


def test_a_question_in_traditional_script_finds_simplified_words(index: Index) -> None:
    index.replace(index_document(recording(), segments(), [DUVET, SILK], events(), chat()), None)
    answer = ask(index, "這個鵝絨被質保三年嗎")
    assert answer.found
    assert "质保三年" in answer.moments[0].quote
    assert answer.moments[0].product and answer.moments[0].product.product_id == "duvet"


def test_a_session_means_the_same_in_either_script() -> None:
    abroad = [(at, _taiwan.convert(text)) for at, text in TALK]
    shelf = [replace(product, title=_taiwan.convert(product.title), aliases=()) for product in (DUVET, SILK)]
    here = index_document(recording(), segments(), [replace(product, aliases=()) for product in (DUVET, SILK)], events(), chat())
    there = index_document(recording(), segments(abroad), shelf, events(), chat())
    assert [unit.folded for unit in there.units] == [unit.folded for unit in here.units]
    assert [unit.mentions for unit in there.units] == [unit.mentions for unit in here.units]
    assert [unit.named for unit in there.units] == [unit.named for unit in here.units]
    assert [passage.words for passage in there.passages] == [passage.words for passage in here.passages]
    assert [linked.claim.promise.category for linked in there.claims] == [linked.claim.promise.category for linked in here.claims]
    assert [unit.unit.text for unit in there.units] == [_taiwan.convert(unit.unit.text) for unit in here.units]


def test_what_was_misheard_is_found_by_its_sound_in_either_script(index: Index) -> None:
    index.replace(index_document(recording(), segments(((5, "這個被子制寶三年"), (20, "明天見"))), [], [], []), None)
    assert ask(index, "质保三年").found


def test_a_promise_keeps_its_condition_in_the_words_that_were_written(abroad: Index) -> None:
    promises = [moment.promise for moment in ask(abroad, "会员送发夹").moments if moment.promise]
    assert "如果是會員的話再送髮夾" in [promise.condition for promise in promises]


def test_amounts_said_in_traditional_characters_are_read() -> None:
    said = "兩百九十九塊錢，三個月，兩條，半個小時，四十八個鐘頭"
    found = find_quantities(said)
    assert [quantity.describe() for quantity in found] == ["299 CNY", "P3M", "2 条", "30 min", "48 h"]
    assert said[found[0].start : found[0].end] == "兩百九十九塊錢"


def test_the_number_of_a_link_is_heard_in_traditional_script() -> None:
    assert links_said(fold("第三號連結").text, {"三": "scarf"}) == {"scarf": 0.95}


def test_a_turn_opens_a_thought_in_either_script() -> None:
    (_, turn) = cut_units(recording(), segments(((5, "這個很軟"), (8, "來看下一個"))))
    assert turn.opens_thought


def test_chat_in_the_other_script_is_joined_to_its_answer(abroad: Index) -> None:
    moment = ask(abroad, "可以退货吗").moments[0]
    assert "退貨" in moment.quote
    assert [line.text for line in moment.chat] == ["可以退貨嗎"]


def test_cards_on_the_screen_name_products_in_either_script() -> None:
    card = ScreenText(4_000, 60_000, "桑蠶絲子母被", (0.1, 0.8, 0.3, 0.1), 0.95)
    shown = index_document(recording(), segments(((5, "大家看這個"), (9, "特別軟"))), [DUVET, SILK], [], [], screen=[card])
    assert [[product for product, _ in unit.inferred] for unit in shown.units] == [["silk"], ["silk"]]


def test_papers_of_a_case_are_found_in_either_script(index: Index) -> None:
    index.replace_record(record_document("C-1", 1, 1, "document", [RecordPiece({"page": 1}, "本店承諾七天無理由退貨")]))
    (hit,) = ask_records(index, "七天无理由退货", "C-1", 5)
    assert hit.quote == "本店承諾七天無理由退貨"
    assert hit.answers


def test_an_index_of_an_older_format_is_emptied_to_be_built_again(tmp_path: Path) -> None:
    older = open_index(tmp_path)
    older.replace(index_document(recording(), segments(), [DUVET, SILK], events(), chat()), [[1.0, 0.0]] * _passages())
    older.replace_record(record_document("C-1", 1, 1, "document", [RecordPiece({"page": 1}, "七天无理由退货")]))
    assert older.nearest([1.0, 0.0], Filter(), 1)
    older.close()
    with sqlite3.connect(tmp_path / "search.sqlite") as db:
        db.execute("UPDATE meta SET version = 2")
    newer = open_index(tmp_path)
    assert newer.recordings(Filter()) == []
    assert newer.records() == {}
    assert newer.nearest([1.0, 0.0], Filter(), 1) == []
    newer.replace(index_document(recording(), segments(), [DUVET, SILK], events(), chat()), None)
    newer.close()
    again = open_index(tmp_path)
    assert ask(again, "质保三年").found
    again.close()


def _passages() -> int:
    return len(index_document(recording(), segments(), [DUVET, SILK], events(), chat()).passages)
