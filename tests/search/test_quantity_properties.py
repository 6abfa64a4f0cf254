"""What holds of quantities in any text: places, round trips, keys, scripts and widths, time."""

import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.indexes.documents import read_quantity, write_quantity
from search.numerals import say_integer
from search.quantities import Bound, Quantity, QuantityKind, comparable, find_quantities, same_amount
from search.quantity_units import UNITS

SPOKEN = Path(__file__).parent / "spoken_quantities.txt"
_TALK = st.text(
    st.one_of(
        st.sampled_from(
            "零〇一二两俩三四五六七八九十百千万亿点半几多来第双终当次隔买拍送发块元毛分角斤两米年个月天日周时小钟倍赔折码成度升克拉之到至号前后上下内外"
            "0123456789.,-/:*x+%‰°℃㎏①¼￥$€£₩'\"gGkKwWmlhtTbB spfrm 亻\n\u3000２９萬塊兩"
        ),
        st.characters(),
    ),
    max_size=60,
)
_FIGURES = st.text(st.sampled_from("零一二两三五九十百千万亿点块年月天半多到0123456789.,-"), max_size=40)


def rows() -> list[list[str]]:
    lines = (line for line in SPOKEN.read_text("utf-8").splitlines() if line.strip() and not line.startswith("#"))
    return [([cell.strip() for cell in line.split("|")] + [""] * 7)[:7] for line in lines]


@pytest.mark.parametrize("row", rows(), ids=lambda row: "_".join(row[:2]))
def test_what_is_said_is_read_with_its_value_and_unit(row: list[str]) -> None:
    text, said, kind, value, unit, upper, bound = row
    found = find_quantities(text)
    if said == "-":
        assert found == []
        return
    (quantity,) = [each for each in found if text[each.start : each.end] == said]
    expected = QuantityKind(kind), Decimal(value), unit, Decimal(upper) if upper else None, Bound(bound)
    assert (quantity.kind, quantity.value, quantity.unit, quantity.upper, quantity.bound) == expected


def test_the_table_is_long_and_knows_every_kind() -> None:
    assert len(rows()) >= 250
    assert {row[2] for row in rows()} - {""} == set(QuantityKind)


@given(st.one_of(_TALK, _FIGURES, st.text(max_size=80)))
def test_places_lie_in_the_text_and_never_overlap(text: str) -> None:
    end = 0
    for quantity in find_quantities(text):
        assert end <= quantity.start < quantity.end <= len(text)
        assert text[quantity.start : quantity.end].strip()
        assert quantity.key.isascii() and quantity.key.isalnum()
        assert all(key.isascii() and key.isalnum() for key in quantity.keys)
        assert quantity.upper is None or quantity.upper > quantity.value or quantity.value < 0
        assert quantity.describe() and quantity.value.is_finite()
        end = quantity.end


@given(_TALK, st.sampled_from(["", "我们家的", "请听好,", "这个呀\n"]), st.sampled_from(["", "。", ",好吧", "\n我跟大家说"]))
def test_talk_around_changes_nothing(text: str, before: str, after: str) -> None:
    # "…" is no part of any quantity, so what touches the text is known
    alone = find_quantities(f"…{text}…")
    within = find_quantities(f"{before}…{text}…{after}")
    assert [(each.key, each.start + len(before)) for each in alone] == [(each.key, each.start) for each in within]


@given(st.integers(1, 99_999_999))
def test_any_integer_of_pieces_is_the_same_spoken_and_written(number: int) -> None:
    spoken, written = find_quantities(f"有{say_integer(number)}件"), find_quantities(f"有{number}件")
    assert [each.key for each in spoken] == [each.key for each in written] == [f"qcount{number}u4ef6"]


@given(st.integers(1, 999_999), st.integers(0, 99))
def test_money_is_the_same_spoken_and_written_to_the_fen(yuan: int, fen: int) -> None:
    written = f"到手{yuan}.{fen:02}元"
    jiao, rest = divmod(fen, 10)
    parts = (f"{say_integer(jiao)}毛" if jiao else "零" if rest else "") + (f"{say_integer(rest)}分" if rest else "")
    spoken = f"到手{say_integer(yuan)}块{parts}"
    by_hand = yuan * 100 + fen
    assert [each.value for each in find_quantities(written)] == [by_hand]
    assert [each.value for each in find_quantities(spoken)] == [by_hand]


@given(st.sampled_from(sorted(name for name in UNITS if not name.isascii())), st.integers(11, 1899))
def test_any_unit_is_the_same_behind_spoken_and_written_numbers(name: str, number: int) -> None:
    written, spoken = find_quantities(f"约{number}{name}。"), find_quantities(f"约{say_integer(number)}{name}。")
    assert [each.key for each in written] == [each.key for each in spoken]
    assert len(written) == 1 or name in ("月龄",)


@settings(deadline=None)  # a converter is loaded once
@given(st.sampled_from([row[0] for row in rows()]))
def test_width_and_script_do_not_matter(text: str) -> None:
    from opencc import OpenCC

    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)
    plain = [each.key for each in find_quantities(text)]
    assert [each.key for each in find_quantities(wide)] == plain
    traditional = OpenCC("s2t").convert(text)
    if len(traditional) == len(text):
        assert [each.key for each in find_quantities(traditional)] == plain


@given(st.one_of(_TALK, st.sampled_from([row[0] for row in rows()])))
def test_a_quantity_survives_being_stored(text: str) -> None:
    for quantity in find_quantities(text):
        stored = write_quantity(quantity)
        assert stored is not None
        assert read_quantity(stored) == quantity


def key(text: str) -> str:
    (quantity,) = find_quantities(text)
    return quantity.key


def test_one_key_for_one_amount() -> None:
    assert key("1年") == key("十二个月") == key("12 months")
    assert key("1年") != key("365天")
    assert key("48小时内") == key("两天") == key("48h")
    assert key("299块") == key("¥299") != key("$299")
    assert key("三到五天") != key("三天")
    assert key("五斤") == key("2.5kg") != key("五块")
    assert key("半价") == key("五折") == key("50% off")
    assert key("买一送一") == key("拍一发二")


def test_a_range_is_found_by_itself_and_by_both_ends() -> None:
    (span,) = find_quantities("三到五天")
    assert set(span.keys) == {span.key, key("三天"), key("五天")}


def one(text: str) -> Quantity:
    (quantity,) = find_quantities(text)
    return quantity


def test_money_of_other_countries_is_never_yuan() -> None:
    for other in ("$299", "299美元", "299日元", "HK$299", "299港币", "€299"):
        assert not same_amount(one("299元"), one(other))
        assert not comparable(one("299元"), one(other))


def test_for_life_contradicts_three_years_and_equals_only_itself() -> None:
    assert comparable(one("终身质保"), one("质保三年"))
    assert not same_amount(one("终身质保"), one("质保三年"))
    assert same_amount(one("终身质保"), one("终生保修"))
    assert not same_amount(one("当天发"), one("24小时发"))


def test_what_an_offer_sends_is_what_is_sent() -> None:
    assert same_amount(one("买二送一"), one("送一件"))
    assert not same_amount(one("拍一发五"), one("拍一发三"))


@pytest.mark.parametrize("text", ["山羊容28天", "二食八天淡斑", "零点五克拉", "质保三年", "１２￥"])
def test_the_words_as_heard_stay_as_they_are(text: str) -> None:
    before = text.encode()
    find_quantities(text)
    assert text.encode() == before


def test_a_misheard_numeral_is_not_guessed() -> None:
    assert [each.number for each in find_quantities("二食八天")] == [8]
    assert [each.number for each in find_quantities("四天发货")] == [4]


@pytest.mark.parametrize(
    "piece",
    [
        *("一", "1", "零", "一百", "1.", "一点", "3到", "百分之", "万一", "一万", "1,000", "亿万", "¥", "三年零", "买一送", "5'"),
        *("第", "几十", "十一点", "a1", "一三", "1天到", "一块"),
    ],
)
def test_time_grows_with_length_only(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        best = 9.0
        for _ in range(3):
            begun = time.process_time()
            find_quantities(text)
            best = min(best, time.process_time() - begun)
        return best

    # unloaded, 10 000 characters take 1–100 ms; a quadratic reader would take 16 times as long for four times the text
    short, long = seconds(2_500), seconds(10_000)
    assert long < 0.5
    assert long < 9 * short + 0.02
