"""Attack on G7: whoever writes the shelf tries to have a promise told to the recogniser, so that it is written as the host's words."""

import json
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.expected_words import expected_words
from api.telling_words import telling_words, told_name
from archive.catalog import Catalog
from archive.recording import Message, Product, Recording
from archive.timeline import WallTime

_WRITTEN = (
    "保真 包真 正品 正品保障 官方正品 假一赔十 假一罚十 假一赔三 缺一赔十 支持鉴定 专柜验货 包退 包换 包退包换 包赔 包邮 全国包邮 "
    "七天无理由 七天无理由退货 无理由退换 质保 质保三年 终身质保 保修 全国联保 终身保修 三年保修 只换不修 以换代修 坏了包赔 破损包赔 "
    "碎了包赔 运费险 免运费 免费 免费安装 免费试用 买一送一 加送 赠品 赠送 全网最低价 最低价 保价 价保 买贵退差价 秒杀价 特价 立减 "
    "免单 限量 假货 退一赔三 双倍赔偿 十倍赔偿 四十八小时发货 当天发货 顺丰 现货 百分之百 百分百 两百九十九元 三年 半价 五折 纯羊绒 "
    "纯棉 真丝 真皮 足金 无添加 零添加 进口 原装 原装进口 抗皱 美白 祛斑 见效 二十八天见效 根治 一号链接 三号链接 第一 顶级 100% "
    "299元 3年 28天 Guarantee Refund Genuine"
)
PROMISES = _WRITTEN.split()
TRADITIONAL = ("保固三年", "終身質保", "七天無理由退貨", "假一賠十", "買一送一", "純羊絨", "原裝進口", "運費險", "免費試用", "支持鑑定")
NAMES = ("羊绒围巾", "手镯", "小棕瓶", "Dyson", "面霜", "羽绒服", "扫地机", "和田玉", "小满", "圍巾")
JOINTS = ("", " ", "·", ".", "\u200b", "\u00ad", "|", "，", "-", "_", "  ")


@pytest.mark.parametrize("promise", [*PROMISES, *TRADITIONAL])
def test_a_promise_is_never_told_whatever_it_is_written_as(promise: str) -> None:
    spelled = [joint.join(promise) for joint in JOINTS] + [f"【{promise}】", f"{promise}围巾", f"围巾{promise}", promise.upper()]
    for written in spelled:
        for told in (*told_name(written), *telling_words(written)):
            assert promise not in told and not any(char.isdigit() for char in told), (written, told)
    assert told_name(promise) == []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from((*PROMISES, *TRADITIONAL, *NAMES)), st.sampled_from(JOINTS)), min_size=1, max_size=8))
def test_no_title_alias_brand_host_or_viewer_brings_a_promise_into_a_prompt(pieces: list[tuple[str, str]]) -> None:
    written = "".join(piece + joint for piece, joint in pieces)
    now = WallTime.parse("2026-11-20T10:00:00+08:00")
    product = Product(
        "p1", written, written[:20], (written, *(piece for piece, _ in pieces)), 29900, "CNY", f"品牌：{written}", {"brand": written}
    )
    chat = tuple(Message(at, piece, f"viewer {n}") for n, (piece, _) in enumerate(pieces) for at in (1000, 2000))

    class Held:
        def products(self, recording_id: str) -> tuple[Product, ...]:
            return (product,)

        def events(self, recording_id: str) -> tuple[()]:
            return ()

        def messages(self, recording_id: str) -> tuple[Message, ...]:
            return chat

    recording = Recording("r1", None, None, written, written, None, 60_000, now)
    expected = expected_words(cast(Catalog, Held()), recording, 0, 60_000)
    for told in (word for words in expected.lists for word in words):
        assert not any(char.isdigit() for char in told), (written, told)
        assert [promise for promise in (*PROMISES, *TRADITIONAL) if promise in told] == [], (written, told)
    assert len(json.dumps(expected.as_json())) < 20_000
