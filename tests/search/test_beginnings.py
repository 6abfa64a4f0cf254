"""Where moments begin and end, and what takes a claim back: what somebody hears who begins to play there."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from archive.transcript import Segment
from search.answer import Answer, ask
from search.indexes import Index, open_index
from search.indexing import index_recording
from search.thoughts import asks
from tests.search.sessions import recording

Lines = Sequence[tuple[float, float, str]]
STORY = ((0.0, 4.0, "昨天跟我表弟去钓鱼一条都没有钓到"), (5.0, 9.0, "晚饭还是我嫂子做的红烧茄子"))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path)
    yield opened
    opened.close()


def asked(index: Index, question: str, lines: Lines) -> Answer:
    segments = [Segment(n, None, int(start * 1000), int(end * 1000), text) for n, (start, end, text) in enumerate((*STORY, *lines), 1)]
    index_recording(index, recording(), segments, [], [], [], None)
    return ask(index, question)


def test_a_moment_begins_where_it_is_promised_not_where_the_thing_was_first_named(index: Index) -> None:
    lines = (
        (30.0, 34.0, "三号登山杖拿上来了大家看一下"),
        (34.2, 38.2, "这个颜色我觉得特别显年轻"),
        (38.5, 42.5, "你要是把登山杖杖尖磨平了一年之内免费给你换"),
        (42.8, 46.0, "换几次都可以的"),
    )
    best = asked(index, "登山杖杖尖磨平了免费换吗", lines).moments[0]
    assert best.start_ms == 38_500 and best.quote.endswith("换几次都可以的")


def test_a_condition_belongs_to_what_it_is_the_condition_of(index: Index) -> None:
    lines = ((30.0, 33.0, "如果你收到鱼缸玻璃有裂"), (33.05, 37.0, "当场拍照整缸再给你发一个不要钱"), (37.5, 40.0, "鱼缸我们都打木架的"))
    best = asked(index, "鱼缸玻璃裂了再发一个", lines).moments[0]
    assert best.start_ms == 30_000


def test_cues_that_break_in_the_middle_of_a_phrase_begin_with_its_first_part(index: Index) -> None:
    lines = (
        (30.0, 32.4, "反正天气也冷下来了嘛"),
        (32.5, 34.9, "这个电热毯我给你们保两年"),
        (34.9, 37.3, "的两年之内不热了寄回来"),
        (37.3, 39.7, "我给你换一床新的邮费算我"),
    )
    best = asked(index, "电热毯两年之内不热了换新的", lines).moments[0]
    assert best.start_ms == 32_500 and best.end_ms == 39_700


def test_a_correction_begins_with_the_words_that_take_back(index: Index) -> None:
    lines = (
        (30.0, 34.0, "帐篷的防水指数是五千毫米"),
        (50.0, 53.0, "哎不好意思我更正一下"),
        (53.1, 57.0, "帐篷的防水指数是三千毫米"),
    )
    best = asked(index, "帐篷防水指数多少毫米", lines).moments[0]
    assert best.start_ms == 50_000 and "三千" in best.quote and best.corrects_ms == 30_000


def test_an_amount_is_taken_back_by_an_amount(index: Index) -> None:
    lines = (
        (30.0, 34.0, "水壶一共送六个滤芯够用半年"),
        (34.5, 38.0, "滤芯水壶里头都是配好的"),
        (90.0, 94.0, "更正一下水壶够用不够用问滤芯客服不是问我"),
        (94.5, 98.0, "滤芯客服的电话在水壶盒子上"),
    )
    best = asked(index, "水壶送六个滤芯够用半年", lines).moments[0]
    assert "六个滤芯" in best.quote and best.corrects_ms is None


def test_an_answer_does_not_end_with_what_is_asked(index: Index) -> None:
    lines = (
        (30.0, 34.0, "免费上门全国两千个县都有我们的安装师傅"),
        (34.5, 38.0, "山东老王讲他们海岛上热水器给不给装"),
        (41.0, 45.0, "海岛也给装热水器的船票钱另外算"),
    )
    best = asked(index, "海岛上热水器给不给装", lines).moments[0]
    assert "船票钱另外算" in best.quote


@pytest.mark.parametrize(
    ("text", "is_question"),
    [
        ("这个能退吗", True),
        ("坏了管不管", True),
        ("有人问发什么快递", True),
        ("does it come with a charger", True),
        ("what is it made of?", True),
        ("坏了我们管", False),
        ("七天之内都可以退", False),
        ("it comes with a charger", False),
    ],
)
def test_what_asks_is_known_by_its_form(text: str, is_question: bool) -> None:
    assert asks(text) is is_question
