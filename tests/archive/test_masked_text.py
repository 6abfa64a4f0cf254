"""G9: text papers leave the archive without the people in them, whatever their format and encoding."""

import json

import pytest

from archive.masked_text import masked_text, people_of
from archive.redaction import Pseudonyms

PEOPLE = Pseudonyms(b"k" * 32, "case-1")
LI, WANG = PEOPLE.viewer("爱吃瓜的小李"), PEOPLE.viewer("老王头")


def test_senders_of_a_table_get_pseudonyms_wherever_they_are_named_and_the_shop_stays() -> None:
    text = "时间,发送人,内容\n1,爱吃瓜的小李,我电话13812345678\n2,旗舰店客服小美,爱吃瓜的小李 您好\n"
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        masked = masked_text(text.encode(encoding), "text/csv", PEOPLE)
        assert masked is not None
        assert masked.splitlines() == ["时间,发送人,内容", f"1,{LI},我电话〔手机号已隐去〕", f"2,旗舰店客服小美,{LI} 您好"]


def test_columns_that_hold_addresses_and_numbers_are_hidden_whatever_they_look_like() -> None:
    text = "运单号;收货人;收货地址;商品\nSF1;老王头;某处;手串\n"
    masked = masked_text(text.encode(), "text/csv", PEOPLE)
    assert masked is not None
    assert "老王头" not in masked and "某处" not in masked and "手串" in masked


@pytest.mark.parametrize("form", ["lines", "array", "nested"])
def test_json_in_every_shape_is_masked_through_and_through(form: str) -> None:
    rows = [
        {"sender": "爱吃瓜的小李", "text": "加微信 wxid_abc12345", "n": 1},
        {"sender": "客服", "text": "爱吃瓜的小李 好", "mobile": 13812345678},
    ]
    made = {
        "lines": "\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
        "array": json.dumps(rows, ensure_ascii=False),
        "nested": json.dumps({"chat": {"messages": rows}}, ensure_ascii=False),
    }[form]
    masked = masked_text(made.encode(), "application/json", PEOPLE)
    assert masked is not None
    for personal in ("爱吃瓜的小李", "wxid_abc12345", "13812345678"):
        assert personal not in masked
    assert LI in masked and "客服" in masked


def test_senders_of_plain_lines_are_found_in_the_forms_that_exports_have() -> None:
    text = "2026-11-18 20:01:00 爱吃瓜的小李: 在吗\n老王头(2026-11-18 20:02:00): 爱吃瓜的小李在\n客服小美：您好，老王头\n"
    masked = masked_text(text.encode(), "text/plain", PEOPLE)
    assert masked is not None
    assert "小李" not in masked and "老王" not in masked
    assert (masked.count(LI), masked.count(WANG)) == (2, 2)


def test_people_known_from_the_order_are_found_in_papers_that_do_not_say_who_wrote_them() -> None:
    known = people_of({"buyer": "老王头", "more": {"收货人": "王大明"}, "items": [{"buyer_nick": "瓜瓜"}], "sku": "手串"})
    assert known == {"老王头", "王大明", "瓜瓜"}
    masked = masked_text("签收：王大明签收，老王头来电".encode(), "text/plain", PEOPLE, known)
    assert masked is not None and "王大明" not in masked and "老王头" not in masked


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"\xff\xfe\x00", b"\x1b[2Jhello", bytes(33 << 20)])
def test_what_is_no_text_or_too_long_gives_none(content: bytes) -> None:
    assert masked_text(content, "text/plain", PEOPLE) is None


@pytest.mark.parametrize("media_type", ["text/csv", "application/json", "text/plain"])
def test_text_that_is_not_what_it_was_taken_for_is_masked_all_the_same(media_type: str) -> None:
    masked = masked_text('{"a": 1\n"未完, 电话13812345678'.encode(), media_type, PEOPLE)
    assert masked is not None and "13812345678" not in masked
