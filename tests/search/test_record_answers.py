"""Questions put to the papers of a case."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.case_record import RecordPiece
from search.errors import InvalidQuestion
from search.indexes import Index, open_index
from search.record_answer import ask_records
from search.records import record_document

CONTRACT = (
    RecordPiece({"page": 1, "line": 1}, "商品质保协议"),
    RecordPiece({"page": 1, "line": 2}, "一、本商品保修三年，自收货之日"),
    RecordPiece({"page": 1, "line": 3}, "起算，人为损坏不在此列。"),
    RecordPiece({"page": 2, "line": 1}, "二、七天内可无理由退货，运费由商家承担。"),
)
TALK = (
    RecordPiece({"sender": "小李", "role": "chat", "at": "2026-11-18T12:01:05Z"}, "质保几年啊"),
    RecordPiece({"sender": "客服", "role": "agent", "at": "2026-11-18T12:01:40Z"}, "亲，质保36个月的"),
)
OUTBOUND = (
    RecordPiece({"sheet": "出库", "row": 1}, "订单号\t商品\t数量"),
    RecordPiece({"sheet": "出库", "row": 2}, "D2026111\t羊绒围巾\t2"),
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path)
    opened.replace_record(record_document("case-1", 1, 1, "document", CONTRACT))
    opened.replace_record(record_document("case-1", 2, 1, "im", TALK))
    opened.replace_record(record_document("case-1", 3, 1, "document", OUTBOUND))
    opened.replace_record(record_document("case-2", 1, 1, "document", (RecordPiece({"line": 1}, "质保三年"),)))
    yield opened
    opened.close()


def test_a_clause_is_found_by_a_word_that_means_the_same_and_by_its_amount(index: Index) -> None:
    found = {hit.attachment: hit for hit in reversed(ask_records(index, "合同里有没有写质保三年", "case-1", 5))}
    assert (found[1].what, found[1].quote, found[1].answers) == ("document", CONTRACT[1].text, True)
    assert found[1].places == ({"page": 1, "line": 2},)
    assert (found[2].what, found[2].quote, found[2].answers) == ("im", "亲，质保36个月的", True), "36个月 is three years"


def test_a_term_that_a_line_breaks_in_two_is_found_and_both_lines_are_quoted(index: Index) -> None:
    (hit, *_) = ask_records(index, "收货之日起算", "case-1", 5)
    assert hit.quote == f"{CONTRACT[1].text}\n{CONTRACT[2].text}"
    assert [place["line"] for place in hit.places] == [2, 3]


def test_numbers_of_orders_and_goods_are_found_in_rows(index: Index) -> None:
    assert ask_records(index, "羊绒围巾 出库", "case-1", 5)[0].places == ({"sheet": "出库", "row": 2},)
    assert ask_records(index, "D2026111", "case-1", 5)[0].quote == OUTBOUND[1].text


def test_another_case_is_never_searched(index: Index) -> None:
    assert {hit.case_id for hit in ask_records(index, "质保三年", "case-1", 50)} == {"case-1"}
    assert [hit.quote for hit in ask_records(index, "质保三年", "case-2", 50)] == ["质保三年"]
    assert ask_records(index, "质保三年", "case-9", 50) == []


def test_nobody_is_named_in_the_index(index: Index) -> None:
    assert all("sender" not in unit.place for unit in index.record_units("case-1", 2, 0, 9))
    assert ask_records(index, "小李", "case-1", 5) == []


def test_what_was_said_in_a_paper_is_no_answer_to_what_the_host_said(index: Index) -> None:
    from search.answer import ask

    answer = ask(index, "质保三年")
    assert (answer.found, answer.moments, answer.coverage.recordings) == (False, (), 0)


def test_unrelated_papers_give_nothing(index: Index) -> None:
    assert ask_records(index, "是不是山羊皮做的手套", "case-1", 5) == []
    with pytest.raises(InvalidQuestion):
        ask_records(index, "？！", "case-1", 5)
