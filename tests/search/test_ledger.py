"""The promise ledger: what was promised of which product, how often, what was taken back, and how it stands to the listing."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.recording import EventKind, Product, ProductEvent
from archive.transcript import Segment
from search.answer import ask
from search.indexes import Filter, Index, open_index
from search.indexing import index_document
from search.ledger import Entry, ledger
from tests.search.sessions import recording

FRYER = Product("p1", "可视空气炸锅 6L", "1", ("空气炸锅", "炸锅"), 39900, "CNY", "容量6升。整机质保1年。不支持七天无理由退货。顺丰包邮")
COOKER = Product("p2", "球釜电饭煲 4L", "2", ("电饭煲",), 59900, "CNY", "")
Line = tuple[int, str]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path)
    yield opened
    opened.close()


def said(index: Index, *lines: Line, name: str = "evening", risk: tuple[str, ...] = ()) -> None:
    """Indexes lines of (second, words); the fryer is on air for the first ten minutes, then the cooker."""
    segments = [
        replace(Segment(number, None, second * 1000, second * 1000 + 4000, words, (), None, None), risk=risk)
        for number, (second, words) in enumerate(lines)
    ]
    events = [
        ProductEvent(EventKind.EXPLAIN_START, "p1", 0),
        ProductEvent(EventKind.EXPLAIN_END, "p1", 600_000),
        ProductEvent(EventKind.EXPLAIN_START, "p2", 600_000),
    ]
    index.replace(index_document(recording(name), segments, [FRYER, COOKER], events, []), None)


def entries(index: Index, category: str | None = None, **wanted: str) -> list[Entry]:
    return list(ledger(index, Filter(category=category, **wanted)).entries)


def test_what_is_promised_twice_is_one_entry_with_both_times(index: Index) -> None:
    said(index, (10, "这个空气炸锅整机质保三年"), (200, "我再说一遍炸锅质保3年放心拍"))
    (entry,) = entries(index, "warranty")
    assert entry.product == FRYER
    assert entry.promise.quantity is not None and entry.promise.quantity.describe() == "P3Y"
    assert [each.start_ms for each in entry.statements] == [10_000, 200_000]
    assert entry.statements[0].quote == "这个空气炸锅整机质保三年"


def test_a_later_correction_is_linked_to_what_it_takes_back(index: Index) -> None:
    said(index, (10, "这个空气炸锅整机质保三年"), (300, "更正一下刚才说错了炸锅整机质保是两年"))
    three, two = entries(index, "warranty")
    assert three.corrected_by == two.number and not three.stands
    assert two.corrects == (three.number,) and two.stands


def test_what_is_promised_again_after_it_was_taken_back_stands_again(index: Index) -> None:
    taken_back = (300, "更正一下刚才说错了炸锅整机质保是两年")
    said(index, (10, "这个空气炸锅整机质保三年"), taken_back, (500, "厂长同意了炸锅就给大家整机质保三年"))
    three = next(each for each in entries(index, "warranty") if each.promise.quantity and each.promise.quantity.describe() == "P3Y")
    assert three.stands and len(three.statements) == 2


def test_another_amount_without_a_correction_is_told_on_both_sides(index: Index) -> None:
    said(index, (10, "这个空气炸锅整机质保三年"), (300, "炸锅整机质保两年啊放心"))
    three, two = entries(index, "warranty")
    assert three.otherwise == (two.number,) and two.otherwise == (three.number,)
    assert three.stands and two.stands


def test_what_the_listing_says_otherwise_is_flagged_with_its_words(index: Index) -> None:
    said(index, (10, "这个空气炸锅整机质保三年"), (60, "炸锅支持七天无理由退货"), (100, "炸锅顺丰包邮给你发"), (700, "电饭煲质保五年"))
    verdicts = {(each.promise.category, each.listing.verdict): each.listing.listed for each in entries(index)}
    assert verdicts["warranty", "differs"] == "整机质保1年"
    assert verdicts["return", "differs"] == "不支持七天无理由退货"
    assert verdicts["shipping", "as_listed"] == "顺丰包邮"
    assert verdicts["warranty", "no_listing"] is None


def test_the_price_is_held_against_the_shelfs_price(index: Index) -> None:
    said(index, (10, "炸锅今天到手价只要两百九十九"), (60, "炸锅到手价三百九十九块"))
    assert {each.promise.quantity.describe(): each.listing.verdict for each in entries(index, "price") if each.promise.quantity} == {
        "299 CNY": "differs",
        "399 CNY": "as_listed",
    }


def test_one_thought_may_promise_several_things(index: Index) -> None:
    said(index, (10, "炸锅质保三年顺丰包邮假一赔十"))
    assert {each.promise.category for each in entries(index)} >= {"warranty", "shipping", "compensation"}


def test_a_ledger_of_a_product_holds_no_other_products_promises(index: Index) -> None:
    said(index, (10, "这个空气炸锅整机质保三年"), (700, "电饭煲质保五年"), name="one")
    said(index, (20, "空气炸锅质保三年"), (720, "电饭煲质保五年"), name="two")
    (entry,) = entries(index, product="p2")
    assert entry.product == COOKER
    assert [each.recording for each in entry.statements] == ["one", "two"]


def test_tales_and_questions_that_are_read_out_are_no_promises(index: Index) -> None:
    said(index, (10, "我闺蜜以前在别家买的锅用了一年就坏了"), (30, "有人问炸锅质保几年"), (60, "点点关注扣一"))
    assert entries(index) == []
    assert ledger(index, Filter(), least_firm=0.0).entries


def test_words_in_doubt_are_marked_and_can_be_left_out(index: Index) -> None:
    said(index, (10, "这个空气炸锅整机质保三年"), risk=("low_probability",))
    (entry,) = entries(index, "warranty")
    assert entry.statements[0].doubtful
    assert ledger(index, Filter(), sure_only=True).entries == ()


def test_an_empty_ledger_still_says_what_was_read_for_it(index: Index) -> None:
    said(index, (10, "大家晚上好"))
    found = ledger(index, Filter())
    assert found.entries == () and found.searched.recordings == 1 and found.searched.transcribed_ms == 4_000


@pytest.mark.parametrize(
    ("words", "category", "polarity"),
    [
        ("炸锅不包邮的啊邮费自己出", "shipping", "denied"),
        ("炸锅顺丰包邮给你发", "shipping", "affirmed"),
        ("偏远地区包邮没有的啊", "shipping", "denied"),
        ("炸锅是不是正品是不是专柜正品你自己验", "authenticity", "affirmed"),
        ("炸锅不是终身质保", "warranty", "denied"),
        ("炸锅头层牛皮的把手一整条没有接头", "material", "affirmed"),
    ],
)
def test_a_denial_is_told_from_a_question_and_from_what_else_is_not_there(index: Index, words: str, category: str, polarity: str) -> None:
    said(index, (10, words))
    found = ledger(index, Filter(category=category), least_firm=0.0).entries
    assert {each.promise.polarity for each in found} == {polarity}


@pytest.mark.parametrize(
    ("words", "category", "amount"),
    [
        ("炸锅质保不是三年是两年", "warranty", "P2Y"),
        ("炸锅质保是两年不是三年", "warranty", "P2Y"),
        ("炸锅质保不是一年不是两年是整整五年", "warranty", "P5Y"),
        ("炸锅质保从两年改成三年", "warranty", "P3Y"),
        ("炸锅质保是不是三年,对三年", "warranty", "P3Y"),
        ("炸锅不是终身质保", "warranty", None),
        ("炸锅不是七天是三十天都可以退货", "return", "30 d"),
        ("炸锅平时卖三百九十九今天到手价一百九十九", "price", "199 CNY"),
        ("炸锅不要九十九到手价只要五十九", "price", "59 CNY"),
        ("炸锅原价三百九十九", "price", None),
        ("这个炸锅我用了三年了坏了给你换新", "warranty", None),
        ("The warranty on the fryer is not one year, it is two years", "warranty", "P2Y"),
        ("not 30 days, you have 60 days to return the fryer", "return", "60 d"),
        ("the fryer's price is $59 instead of $99", "price", "59 USD"),
        ("it retails for $99 but your price tonight is $59", "price", "59 USD"),
    ],
)
def test_of_several_amounts_the_one_that_is_promised_counts(index: Index, words: str, category: str, amount: str | None) -> None:
    said(index, (10, words))
    found = ledger(index, Filter(category=category), least_firm=0.0).entries
    told = {each.promise.quantity.describe() if each.promise.quantity else None for each in found}
    assert told == {amount}


@pytest.mark.parametrize(("words", "category"), [("炸锅里面是一块不锈钢板", "material"), ("炸锅上门安装带一根管子", "service")])
def test_that_there_is_one_of_something_measures_nothing(index: Index, words: str, category: str) -> None:
    said(index, (10, words))
    assert all(each.promise.quantity is None for each in ledger(index, Filter(category=category), least_firm=0.0).entries)


def test_an_answer_tells_the_amount_that_stands(index: Index) -> None:
    said(index, (10, "炸锅质保不是三年是两年"))
    promise = ask(index, "炸锅质保几年").moments[0].promise
    assert promise is not None and promise.quantity is not None and promise.quantity.describe() == "P2Y"
