"""What cards on the screen show tells which product is on air, as inferred, together with what is said and never against events."""

import pytest

from archive.recording import EventKind, Product, ProductEvent, Recording
from archive.screen_readings import ScreenText
from archive.timeline import WallTime
from archive.transcript import Segment
from search.indexing import index_document
from search.on_screen import Cards, both

SHELF = [
    Product("scarf", "山羊绒围巾", "1号链接", ("围巾",), 29_900),
    Product("coat", "白鹅绒羽绒服", "2号链接", ("羽绒服",), 69_900),
    Product("rice", "五常大米", "3号链接", ("大米",), 8900),
    Product("cup", "不锈钢保温杯", "4号链接", ("保温杯",), 5900),
]
RECORDING = Recording("r1", None, None, None, None, None, 60_000, WallTime(0))


def line(text: str, start_s: int, end_s: int, top: float = 0.2, confidence: float = 0.98) -> ScreenText:
    return ScreenText(start_s * 1000, end_s * 1000, text, (0.1, top, 0.3, 0.08), confidence)


def shown(*lines: ScreenText, at_s: int = 5) -> dict[str, float]:
    return Cards(SHELF, lines).shown(at_s * 1000, at_s * 1000)


def test_a_card_with_a_title_or_a_link_shows_its_product() -> None:
    assert shown(line("山羊绒围巾", 0, 10)) == {"scarf": pytest.approx(0.88, abs=0.03)}
    assert list(shown(line("2号链接", 0, 10))) == ["coat"]
    assert shown(line("山羊绒围巾", 0, 10), at_s=15) == {}
    assert shown(line("感谢陪伴", 0, 10)) == {}


def test_a_card_speaks_before_a_bar_of_all_links_and_the_bar_alone_says_nothing() -> None:
    bar = [line(f"{n}号链接", 0, 40, 0.8) for n in range(1, 5)]
    assert shown(*bar) == {}
    assert list(shown(*bar, line("五常大米5kg", 0, 10), line("¥89", 0, 10, 0.4))) == ["rice"]


def test_two_cards_at_once_share_and_a_price_alone_is_too_weak() -> None:
    two = shown(line("山羊绒围巾", 0, 10), line("五常大米", 0, 10, 0.6))
    assert set(two) == {"scarf", "rice"} and max(two.values()) < 0.5
    assert shown(line("¥89", 0, 10)) == {}
    assert shown(line("大米", 0, 10), line("到手价89元", 0, 10))["rice"] > shown(line("大米", 0, 10))["rice"]


def test_what_stands_there_all_the_time_is_decoration() -> None:
    shown_then = Cards(SHELF, [line("山羊绒围巾专场", 0, 600), line("大米", 100, 200)]).shown(150_000, 150_000)
    assert shown_then == {"rice": pytest.approx(0.88, abs=0.03)}


def test_speech_and_screen_strengthen_each_other_and_take_from_what_only_one_says() -> None:
    assert both({"rice": 0.5}, {}) == {"rice": 0.5}
    assert both({"rice": 0.5}, {"rice": 0.8})["rice"] > 0.85
    against = both({"rice": 0.5}, {"coat": 0.8})
    assert against["coat"] == 0.8 and against["rice"] < 0.5


def test_words_about_an_unnamed_product_are_put_to_the_one_whose_card_stood_there_but_events_win() -> None:
    said = [Segment(1, None, 4000, 8000, "这个质保三年大家放心拍"), Segment(2, None, 21_000, 24_000, "这个假一赔十")]
    cards = [line("2号链接", 0, 15), line("白鹅绒羽绒服", 0, 15), line("五常大米", 20, 40)]
    units = index_document(RECORDING, said, SHELF, (), (), screen=cards).units
    assert [dict(unit.inferred).keys() for unit in units] == [{"coat"}, {"rice"}] and not any(unit.on_air for unit in units)
    events = [ProductEvent(EventKind.EXPLAIN_START, "cup", 0)]
    units = index_document(RECORDING, said, SHELF, events, (), screen=cards).units
    assert [(unit.on_air, unit.inferred) for unit in units] == [(frozenset({"cup"}), ()), (frozenset({"cup"}), ())]


def test_without_text_on_the_screen_nothing_changes() -> None:
    said = [Segment(1, None, 4000, 8000, "三号链接大米质保三年大家放心拍")]
    assert index_document(RECORDING, said, SHELF, (), ()) == index_document(RECORDING, said, SHELF, (), (), screen=())
