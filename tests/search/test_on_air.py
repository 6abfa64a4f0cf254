"""What was on air, told by speech alone: when a span begins and ends, how sure it is, and that it never passes for a fact."""

import random
from collections.abc import Sequence

import pytest

from archive.recording import EventKind, Product, ProductEvent
from archive.transcript import Segment
from search.chinese import fold
from search.indexing import index_document
from search.on_air import LEAST, SILENCE_MS, UNNAMED_MS, InferredSpan, OnAir, Said, infer_spans, links_said, on_air_in, spoken_numbers
from search.products import AirTimes, Shelf
from tests.search.sessions import DUVET, SILK, events, recording, segments

SHELF = (DUVET, SILK, Product("pillow", "乳胶枕", "3号链接"), Product("sheet", "全棉床单", "13"))
MINUTE = 60_000


def spans(*lines: tuple[int, str], shelf: Sequence[Product] = SHELF) -> list[tuple[str, int, int]]:
    found = on_air_in(recording(), segments(lines), shelf)
    return [(span.product_id, span.start_ms // 1000, span.end_ms // 1000) for span in found]


@pytest.mark.parametrize(
    "said, product",
    [
        ("好来看三号链接", "pillow"),
        ("来3号链接姐妹们", "pillow"),
        ("下面是第三个链接", "pillow"),
        ("第3号链接", "pillow"),
        ("三号的链接", "pillow"),
        ("点链接三", "pillow"),
        ("来十三号链接", "sheet"),
        ("我们看蚕丝被", "silk"),
        ("这个暖冬白鹅绒被", "duvet"),
    ],
)
def test_a_link_number_an_alias_or_a_title_puts_a_product_on_air(said: str, product: str) -> None:
    assert spans((10, said)) == [(product, 10, 13)]


@pytest.mark.parametrize("said", ["今天一共三个链接", "大家晚上好", "点点关注加个粉丝团", "链接三个都上了"])
def test_other_talk_puts_nothing_on_air(said: str) -> None:
    assert spans((10, said)) == []


def test_two_links_said_at_once_are_both_meant_and_a_number_that_two_products_bear_means_neither() -> None:
    assert set(links_said(fold("1、2号链接一起拍").text, spoken_numbers(SHELF))) == {"duvet", "silk"}
    twice = (*SHELF, Product("other", "毛毯", "3"))
    assert links_said(fold("三号链接").text, spoken_numbers(twice)) == {}


def test_a_span_ends_when_another_product_is_named() -> None:
    assert spans((10, "来看一号链接鹅绒被"), (20, "里面是白鹅绒"), (60, "好下面二号链接蚕丝被"), (70, "百分之百桑蚕丝")) == [
        ("duvet", 10, 60),
        ("silk", 60, 73),
    ]


def test_a_span_ends_where_nobody_speaks_for_long() -> None:
    back = 24 + SILENCE_MS // 1000 + 1
    assert spans((10, "来看一号链接"), (20, "很暖和"), (back, "我回来了")) == [("duvet", 10, 23)]
    assert spans((10, "来看一号链接"), (20, "很暖和"), (back - 20, "我回来了")) == [("duvet", 10, back - 17)]


def test_a_product_that_is_not_named_again_goes_off_air() -> None:
    talk = [Said(at, at + 3000, {"a": 1.0} if at == 0 else {}) for at in range(0, UNNAMED_MS + 10 * MINUTE, 20_000)]
    (span,) = infer_spans(talk)
    assert (span.start_ms, span.end_ms) == (0, UNNAMED_MS)


def test_a_word_that_several_titles_share_neither_ends_nor_opens_another_while_one_is_on_air() -> None:
    talk = [Said(0, 3000, {"a": 1.0}), Said(5000, 8000, {"a": 0.35, "b": 0.35}), Said(9000, 12_000, {"b": 0.35})]
    assert [(span.product_id, span.end_ms) for span in infer_spans(talk)] == [("a", 12_000)]


def test_products_named_together_are_on_air_together_and_each_is_less_sure() -> None:
    together = infer_spans([Said(0, 3000, {"a": 1.0, "b": 1.0})])
    (alone,) = infer_spans([Said(0, 3000, {"a": 1.0})])
    assert [span.product_id for span in together] == ["a", "b"]
    assert all(span.confidence < alone.confidence for span in together)


def test_confidence_grows_with_naming_and_fades_without() -> None:
    (once,) = infer_spans([Said(0, 3000, {"a": 0.9}), Said(50_000, 120_000, {})])
    (twice,) = infer_spans([Said(0, 3000, {"a": 0.9}), Said(50_000, 53_000, {"a": 0.9}), Said(60_000, 120_000, {})])
    assert once.confidence_at(0) > once.confidence_at(60_000) > once.confidence_at(110_000) > 0
    assert twice.confidence_at(60_000) > once.confidence_at(0)
    assert once.confidence_at(once.end_ms) == once.confidence_at(once.start_ms - 1) == 0


@pytest.mark.parametrize("times", [1, 2, 50])
def test_inference_is_never_certain(times: int) -> None:
    found = infer_spans([Said(at * 1000, at * 1000 + 900, {"a": 1.0}) for at in range(times)])
    assert all(0 < span.confidence < 1 for span in found)


def test_without_speech_or_shelf_nothing_is_on_air() -> None:
    assert infer_spans([]) == ()
    assert on_air_in(recording(), segments(), ()) == ()
    assert on_air_in(recording(), [Segment(1, None, 0, 1000, " ")], SHELF) == ()


def test_spans_of_a_product_that_comes_back_are_apart() -> None:
    found = spans((10, "来看一号链接"), (30, "来二号链接"), (50, "回到一号链接"))
    assert found == [("duvet", 10, 30), ("silk", 30, 50), ("duvet", 50, 53)]


def test_speech_is_asked_only_where_no_event_says_what_was_on_air() -> None:
    with_events = index_document(recording(), segments(), [DUVET, SILK], events(), []).units
    without = index_document(recording(), segments(), [DUVET, SILK], [], []).units
    assert not any(unit.inferred for unit in with_events) and any(unit.on_air for unit in with_events)
    assert any(unit.inferred for unit in without) and not any(unit.on_air for unit in without)


def test_events_that_somebody_inferred_never_stand_as_on_air() -> None:
    guessed = [ProductEvent(event.event, event.product_id, event.at_ms, "", True) for event in events()]
    units = index_document(recording(), segments(), [DUVET, SILK], guessed, []).units
    assert not any(unit.on_air for unit in units)
    warranty = next(unit for unit in units if "质保三年" in unit.unit.text)
    assert [product for product, _ in warranty.inferred] == ["duvet"]


def test_an_explanation_that_a_platform_began_and_the_next_card_ended_is_on_air_until_then() -> None:
    shown = [
        ProductEvent(EventKind.EXPLAIN_START, "a", 10),
        ProductEvent(EventKind.EXPLAIN_END, "a", 50, "", True),
        ProductEvent(EventKind.EXPLAIN_START, "b", 50),
    ]
    assert [AirTimes(shown).at(at) for at in (5, 20, 60)] == [frozenset(), frozenset("a"), frozenset("b")]
    assert AirTimes(shown, inferred=True).at(20) == frozenset()


def test_a_product_known_only_by_its_id_is_not_named_by_a_number_that_is_said() -> None:
    shelf = Shelf([Product("12", "12"), Product("cup", "保温杯")])
    assert shelf.named_in(fold("买12个保温杯").text) == {"cup": 1.0}


def test_a_span_knows_when_it_was_named() -> None:
    span = InferredSpan("a", 1000, 9000, 0.9, ((1000, 0.5), (4000, 0.9)))
    assert span.confidence_at(3999) < 0.5 < span.confidence_at(4000)


def test_what_is_told_while_talk_goes_on_is_what_the_spans_say_in_the_end() -> None:
    draw = random.Random(4)
    at, talk = 0, []
    for _ in range(600):
        at += draw.choice((2_000, 4_000, 30_000, 60_000, 120_000))
        named = {product: draw.choice((0.2, 0.7, 1.0)) for product in draw.sample("abc", draw.choice((0, 0, 0, 1, 1, 2)))}
        talk.append(Said(at, at + draw.choice((1_500, 3_500)), named))
    spans = infer_spans(talk)
    air = OnAir()
    for said in talk:
        air.hear(said)
        sure = {span.product_id: round(span.confidence_at(said.start_ms), 3) for span in spans if span.confidence_at(said.start_ms)}
        assert air.sure_at(said.start_ms) == {product: each for product, each in sure.items() if each >= LEAST}
        air = OnAir(air.now)
