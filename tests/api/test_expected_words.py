"""Names that a recogniser is told: cut from the shelf's titles, by what was on air when, and never a promise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from api.errors import HouseWordsUnusable
from api.expected_words import LEAD_MS, MOST_WORDS, ExpectedWords, expected_words, house_words
from api.telling_words import telling_words, told_name
from archive.catalog import Catalog
from archive.recording import EventKind, Message, MessageKind, Product, ProductEvent, Recording
from archive.timeline import WallTime

NOW = WallTime.parse("2026-11-20T10:00:00+08:00")
MINUTE = 60_000
GOODS = "洁面 脐橙 大闸蟹 鱼油 钙片 叶黄素 褪黑素 卸妆油 护膝 蛋白粉 云雾茶 脫毛膏"
CLAIMS = "控油 出油 刮油 补水 美白 去屑 护肝 生发 毫无效果 赣南 阳澄湖 五常 卡粉 不卡粉 漏液 防漏液 西湖龙井"
HOUR = 60 * MINUTE
SCARF = Product("p1", "【2026秋冬新款】100%山羊绒围巾女加厚保暖礼盒装", "1号链接", ("羊绒围脖",), 29900)
JADE = Product("p2", "和田玉手镯 假一赔十 支持鉴定", "2号链接", (), 199900, listing_text="品牌：玉满堂 产地：新疆")
CREAM = Product("p3", "珀莱雅红宝石面霜抗皱紧致50ml 官方旗舰店正品", "3号链接", ("小红瓶",), more={"brand": "珀莱雅"})
RECORDING = Recording("r1", "抖音", "room", "小满", "冬日围巾专场", NOW, HOUR, NOW)


class Held:
    """What a catalog holds of one recording."""

    def __init__(self, products: tuple[Product, ...], events: tuple[ProductEvent, ...] = (), messages: tuple[Message, ...] = ()) -> None:
        self._held = products, events, messages

    def products(self, recording_id: str) -> tuple[Product, ...]:
        return self._held[0]

    def events(self, recording_id: str) -> tuple[ProductEvent, ...]:
        return self._held[1]

    def messages(self, recording_id: str) -> tuple[Message, ...]:
        return self._held[2]


def expected(
    *products: Product,
    events: tuple[ProductEvent, ...] = (),
    messages: tuple[Message, ...] = (),
    recording: Recording = RECORDING,
    house: tuple[str, ...] = (),
    to_ms: int = HOUR,
) -> ExpectedWords:
    return expected_words(cast(Catalog, Held(products, events, messages)), recording, 0, to_ms, house)


def explained(product: str, start_ms: int, end_ms: int) -> tuple[ProductEvent, ProductEvent]:
    return ProductEvent(EventKind.EXPLAIN_START, product, start_ms), ProductEvent(EventKind.EXPLAIN_END, product, end_ms)


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("【2026秋冬新款】100%山羊绒围巾女加厚保暖礼盒装", ["山羊绒围巾"]),
        ("雅诗兰黛（Estee Lauder）小棕瓶精华液50ml", ["雅诗兰黛", "Estee Lauder", "小棕瓶精华液"]),
        ("戴森V12吸尘器Dyson 官方旗舰店正品", ["戴森", "吸尘器", "Dyson"]),
        ("珀莱雅红宝石面霜抗皱紧致", ["珀莱雅红宝石面霜"]),
        ("和田玉手镯 假一赔十 支持鉴定", ["和田玉手镯"]),
        ("304不锈钢保温杯大容量500ml", ["不锈钢保温杯"]),
        ("純羊絨圍巾女加厚", ["羊絨圍巾"]),
        ("儿童纯棉四件套", []),
        ("质保三年七天无理由退货", []),
        ("カシミヤ マフラー", ["カシミヤ", "マフラー"]),
        ("", []),
    ],
)
def test_a_title_is_cut_to_what_it_names(title: str, told: list[str]) -> None:
    assert telling_words(title) == told


def test_a_very_long_title_is_read_as_far_as_titles_go() -> None:
    assert telling_words("羊绒围巾 " + "很长" * 100_000) == telling_words("羊绒围巾 " + "很长" * 100)


@pytest.mark.parametrize("name", ["羊绒围巾", "三只松鼠", "小棕瓶", "SK-II", "Estee Lauder", "防晒霜", "小满"])
def test_a_name_that_people_gave_is_told_as_it_is(name: str) -> None:
    assert told_name(name) == [name]


@pytest.mark.parametrize("name", GOODS.split())
def test_goods_are_told_though_the_lexicon_knows_them_by_what_they_do_or_where_they_grow(name: str) -> None:
    assert told_name(name) == [name] and telling_words(name) == [name]


@pytest.mark.parametrize("claim", CLAIMS.split())
def test_what_goods_do_or_where_they_are_from_is_never_told(claim: str) -> None:
    assert told_name(claim) == [] and telling_words(claim) == []


def test_of_a_title_with_an_origin_only_the_fruit_is_told() -> None:
    assert telling_words("赣南脐橙 10斤装") == ["脐橙"] and telling_words("正宗阳澄湖大闸蟹") == ["大闸蟹"]


def test_what_is_on_air_is_the_likeliest_and_a_little_before_and_after_too() -> None:
    events = (*explained("p1", 10 * MINUTE, 20 * MINUTE), *explained("p2", 20 * MINUTE, 30 * MINUTE))
    words = expected(SCARF, JADE, CREAM, events=events)
    assert words.within(15 * MINUTE, 15 * MINUTE + 20_000)[:2] == ("羊绒围脖", "山羊绒围巾")
    assert words.within(25 * MINUTE, 25 * MINUTE + 20_000)[0] == "和田玉手镯"
    about_to = words.within(10 * MINUTE - LEAD_MS, 10 * MINUTE - LEAD_MS + 10_000)
    assert about_to[0] == "羊绒围脖"
    changing = words.within(20 * MINUTE - 14_000, 20 * MINUTE + 14_000)
    assert {"和田玉手镯", "羊绒围脖", "山羊绒围巾"} <= set(changing[:4])


def test_every_window_of_thirty_seconds_is_told_all_that_is_on_air_in_it() -> None:
    events = tuple(event for n in range(40) for event in explained(f"q{n}", n * 20_000, (n + 1) * 20_000))
    names = ["围巾", "手镯", "面霜", "吸尘器", "净水器", "手表", "皮带", "毛衣", "衬衫", "帽子"]
    shelf = [Product(f"q{n}", f"{names[n % 10]}{names[(n // 10 + n + 1) % 10]}", None) for n in range(40)]
    words = expected(*shelf, events=events)
    for start in range(0, 40 * 20_000 - 28_000, 7_000):
        on_air = {shelf[n].title for n in range(40) if n * 20_000 < start + 28_000 and (n + 1) * 20_000 > start}
        assert on_air <= set(words.within(start, start + 28_000)[: len(on_air) + 2])


def test_host_brand_title_and_the_rest_of_the_shelf_come_after() -> None:
    (words,) = expected(SCARF, CREAM, JADE).lists
    assert words.index("小满") < words.index("和田玉手镯")
    assert {"小满", "珀莱雅", "玉满堂", "冬日围巾"} <= set(words)
    assert "小红瓶" in words and not any("链接" in word for word in words)


def test_house_words_are_told_in_every_recording() -> None:
    (words,) = expected(house=("海蓝之谜",), recording=replace(RECORDING, host=None, title=None)).lists
    assert words == ("海蓝之谜",)


def test_what_several_viewers_ask_about_comes_before_the_rest_where_no_platform_says_what_is_on_air() -> None:
    asking = (Message(30 * MINUTE, "那个小紅瓶還有嗎", "甲"), Message(30 * MINUTE + 9_000, "小红瓶怎么用", "乙"))
    one = (Message(30 * MINUTE, "小红瓶还有吗", "甲"), Message(30 * MINUTE + 9_000, "小红瓶小红瓶", "甲"))
    bought = (replace(asking[0], kind=MessageKind.GIFT), replace(asking[1], recalled=True))
    words = expected(SCARF, JADE, CREAM, messages=asking)
    assert words.within(31 * MINUTE, 31 * MINUTE + 20_000)[0] == "小红瓶"
    assert words.within(5 * MINUTE, 5 * MINUTE + 20_000)[0] != "小红瓶"
    for nothing in (one, bought):
        assert len(expected(SCARF, JADE, CREAM, messages=nothing).lists) == 1


def test_what_is_told_fits_a_prompt_however_large_the_shelf() -> None:
    shelf = [Product(str(n), f"{chr(0x4E00 + n % 5000)}{chr(0x5200 + n % 3000)}围巾{chr(0x6000 + n % 2000)}", None) for n in range(3000)]
    asking = tuple(Message(n * 50, shelf[n % 3000].title, str(n)) for n in range(50_000))
    words = expected(*shelf, messages=asking)
    for told in words.lists:
        assert len(told) <= MOST_WORDS and sum(map(len, told)) <= 60 and len(set(told)) == len(told)


def test_a_product_known_by_its_id_alone_is_not_told() -> None:
    assert expected(Product("38712", "38712", None), recording=replace(RECORDING, host=None, title=None)) == ExpectedWords()


def test_the_same_catalog_expects_the_same_and_it_survives_being_kept() -> None:
    events = (*explained("p1", 10 * MINUTE, 20 * MINUTE), *explained("p2", 20 * MINUTE, 30 * MINUTE))
    words = expected(SCARF, JADE, CREAM, events=events)
    assert words == expected(SCARF, JADE, CREAM, events=events)
    assert ExpectedWords.of(words.as_json()) == words
    assert ExpectedWords.of(None) == ExpectedWords()


def test_what_was_told_is_kept_short_windows_after_one_another_with_the_same_words_are_one_span() -> None:
    told = ExpectedWords.told([(40_000, 60_000, ("手镯",)), (0, 20_000, ("围巾",)), (21_000, 39_000, ("围巾",)), (70_000, 80_000, ())])
    assert told.as_json() == {"lists": [["围巾"], ["手镯"]], "spans": [[0, 39_000, 0], [40_000, 60_000, 1]]}


def test_outside_of_what_was_planned_nothing_is_expected() -> None:
    words = expected(SCARF, to_ms=MINUTE)
    assert words.within(0, 20_000) and words.within(2 * MINUTE, 3 * MINUTE) == ()


@pytest.fixture
def names(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def written(content: str | bytes) -> Path:
        file = tmp_path / "names.txt"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return written


def test_house_words_are_read_one_a_line(names: Callable[[str | bytes], Path]) -> None:
    assert house_words(names("\ufeff# 本店\n珀莱雅\n\nEstee Lauder  # brand\r\n珀莱雅\n")) == ("珀莱雅", "Estee Lauder")
    assert house_words(None) == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("珀莱雅\n假一赔十\n", "line 2: “假一赔十” holds a number or a promise"),
        ("终身质保", "promise"),
        ("3号链接", "number"),
        ("珀莱雅红宝石面霜超大容量限量版本家庭装", "line 1"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("长" * 40_000, "65536 bytes"),
        ("\n".join(f"Brand {chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(300)), "at most 200"),
    ],
)
def test_a_house_word_that_cannot_be_told_is_named_with_its_line(
    names: Callable[[str | bytes], Path], content: str | bytes, why: str
) -> None:
    with pytest.raises(HouseWordsUnusable, match=why):
        house_words(names(content))


def test_a_file_of_house_words_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HouseWordsUnusable, match=r"none\.txt"):
        house_words(tmp_path / "none.txt")
