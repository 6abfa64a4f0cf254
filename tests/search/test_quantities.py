"""Quantities: values and spans of what was said, the text itself untouched."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.numerals import read_numeral, say_integer
from search.quantities import QuantityKind, find_quantities, same_amount


@pytest.mark.parametrize(
    ("text", "said", "described"),
    [
        ("到手两百九十九", "两百九十九", "299 CNY"),
        ("二百九十九块", "二百九十九块", "299 CNY"),
        ("299元包邮", "299元", "299 CNY"),
        ("两块五一个", "两块五", "2.5 CNY"),
        ("九十九块九", "九十九块九", "99.9 CNY"),
        ("整机质保三年", "三年", "P3Y"),
        ("质保3年", "3年", "P3Y"),
        ("一年半", "一年半", "P18M"),
        ("四十八小时发货", "四十八小时", "48 h"),
        ("48h内发", "48h", "48 h"),
        ("百分之九十五白鹅绒", "百分之九十五", "95 %"),
        ("95%白鹅绒", "95%", "95 %"),
        ("百分百纯棉", "百分百", "100 %"),
        ("一米六五穿M", "一米六五", "1.65 m"),
        ("165cm", "165cm", "1.65 m"),
        ("2米3的床", "2米3", "2.3 m"),
        ("三斤八两", "三斤八两", "1.9 kg"),
        ("净重8.5斤", "8.5斤", "4.25 kg"),
        ("零点五克拉", "零点五克拉", "0.1 g"),
        ("一瓶五百毫升", "五百毫升", "500 ml"),
        ("耐一百八十度", "一百八十度", "180 °C"),
        ("假一赔十", "一赔十", "10 ×"),
        ("超标赔三倍", "三倍", "3 ×"),
        ("前五十名", "五十名", "50 名"),
        ("3年", "3年", "P3Y"),
    ],
)
def test_a_spoken_or_written_quantity_is_read_where_it_stands(text: str, said: str, described: str) -> None:
    found = [(text[quantity.start : quantity.end], quantity.describe()) for quantity in find_quantities(text)]
    assert (said, described) in found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("三年", "3年"),
        ("十二个月", "一年"),
        ("48小时", "两天"),
        ("三十天", "一个月"),
        ("两百九十九块", "299元"),
        ("一米六五", "165cm"),
        ("五斤", "2.5kg"),
    ],
)
def test_the_same_amount_is_recognised_across_forms(one: str, other: str) -> None:
    assert same_amount(find_quantities(one)[0], find_quantities(other)[0])


@pytest.mark.parametrize(("one", "other"), [("三年", "三天"), ("299元", "259元"), ("五斤", "五块"), ("三年", "两年")])
def test_other_amounts_stay_apart(one: str, other: str) -> None:
    assert not same_amount(find_quantities(one)[0], find_quantities(other)[0])


@pytest.mark.parametrize("text", ["千万别买", "十分好用", "说一下", "一样的", "2026年的新款"])
def test_words_that_only_look_like_numbers_are_left_alone(text: str) -> None:
    assert find_quantities(text) == []


def test_a_range_keeps_both_ends() -> None:
    (quantity,) = find_quantities("三到五天")
    assert (quantity.value, quantity.upper) == (Decimal(3 * 86400), Decimal(5 * 86400))


@given(st.integers(0, 99_999_999))
def test_every_integer_survives_being_said(number: int) -> None:
    spoken = say_integer(number)
    read = read_numeral(spoken, 0)
    assert read is not None
    assert (read.value, read.end) == (number, len(spoken))


@given(st.integers(1, 99_999_999))
def test_a_spoken_price_is_the_price(number: int) -> None:
    text = f"今天只要{say_integer(number)}块"
    (quantity,) = find_quantities(text)
    assert (quantity.kind, quantity.value) == (QuantityKind.MONEY, number * 100)


_TALK = st.text(
    st.one_of(st.sampled_from("零一二两三四五六七八九十百千万亿点半块元斤米年天倍赔分之%0123456789.,-到 ℃㎏①"), st.characters()),
    max_size=60,
)


@given(_TALK)
def test_spans_lie_inside_the_text_in_order_and_nothing_raises(text: str) -> None:
    end = 0
    for quantity in find_quantities(text):
        assert end <= quantity.start < quantity.end <= len(text)
        assert quantity.key.isalnum() or not quantity.unit.isalnum()
        assert quantity.describe()
        end = quantity.end
