"""Brands by other names, Latin names by how they are said, characters that are read in two ways."""

import time
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.brands import brand_names
from search.chinese import fold
from search.latin_sounds import LIKELY, heard_as, latin_sound, sounds_like
from search.sounds import fold_syllable, other_sound_bigrams, sound_bigrams, syllables


def brands_in(text: str, *, heard: bool = False) -> dict[str, tuple[str, ...]]:
    folded = fold(text).text
    return {hit.brand: hit.others for hit in brand_names(folded, syllables(folded) if heard else None)}


@pytest.mark.parametrize(
    ("text", "brand", "other"),
    [
        ("戴森吹风机", "Dyson", "dyson"),
        ("Dyson hair dryer", "Dyson", "戴森"),
        ("欧莱雅的精华", "L'Oréal", "loreal"),
        ("loreal 精华", "L'Oréal", "欧莱雅"),
        ("L'Oréal Paris", "L'Oréal", "欧莱雅"),
        ("杨树林口红", "Yves Saint Laurent", "ysl"),
        ("YSL 小金条", "Yves Saint Laurent", "圣罗兰"),
        ("神仙水多少钱", "SK-II", "sk ii"),
        ("Lululemon瑜伽裤", "lululemon", "露露乐蒙"),
        ("lulu lemon 的裤子", "lululemon", "露露柠檬"),
        ("louis vuitton包", "Louis Vuitton", "驴牌"),
        ("小棕瓶", "Estée Lauder", "estee lauder"),
        ("耐克運動鞋", "Nike", "nike"),
        ("ＮＩＫＥ鞋", "Nike", "耐克"),
        ("李宁的鞋", "李宁", "lining"),
    ],
)
def test_a_brand_is_known_by_its_other_names(text: str, brand: str, other: str) -> None:
    assert other in brands_in(text)[brand]


@pytest.mark.parametrize(
    ("text", "brand"), [("路路柠檬的裤子", "lululemon"), ("带森吹风机", "Dyson"), ("兰寇小黑瓶", "Lancôme"), ("非利浦", "Philips")]
)
def test_a_misheard_brand_is_known_by_its_sound(text: str, brand: str) -> None:
    assert brand in brands_in(text, heard=True)


@pytest.mark.parametrize("text", ["nikelab", "绿色凯迪", "the others", "一年质保", "今天天气不错", "scoach", "macaron"])
def test_parts_of_words_are_no_brands(text: str) -> None:
    assert brands_in(text) == {}


def test_a_brand_that_is_a_common_word_counts_less() -> None:
    (fruit,), (maker,) = brand_names("苹果很甜"), brand_names("戴森很好")
    assert fruit.weight < maker.weight


def test_hundreds_of_brands_with_no_name_twice() -> None:
    table = tomllib.loads(files("search").joinpath("rules/brands.toml").read_text("utf-8"))
    brands = {brand.removesuffix("?"): names for group in table.values() for brand, names in group.items()}
    assert len(brands) == sum(map(len, table.values())) >= 250
    named: dict[str, str] = {}
    for brand, names in brands.items():
        for name in {each.removesuffix("?").lower() for each in (brand, *names.split())}:
            assert named.setdefault(name, brand) == brand, name


@given(st.text(max_size=60))
@settings(deadline=None)  # dictionaries are read once
def test_hits_lie_in_the_text_and_name_others(text: str) -> None:
    folded = fold(text).text
    for hit in brand_names(folded, syllables(folded)):
        assert 0 <= hit.start < hit.end <= len(folded)
        assert hit.others and 0 < hit.weight <= 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Nike", "nai ke"),
        ("Dyson", "dai sen"),
        ("Adidas", "a di da si"),
        ("Sony", "suo ni"),
        ("Gucci", "gu qi"),
        ("Prada", "pu la da"),
        ("Bosch", "bo shi"),
        ("Pandora", "pan duo la"),
        ("Philips", "fei li pu si"),
        ("Puma", "pu ma"),
    ],
)
def test_a_latin_name_is_said_as_the_trade_says_it(name: str, said: str) -> None:
    assert latin_sound(name) == tuple(said.split())


_SAID = (
    "Nike 耐克|Dyson 戴森|Dyson 代森|Adidas 阿迪达斯|lululemon 露露乐蒙|lululemon 路路柠檬|"
    "Philips 飞利浦|Sony 索尼|Casio 卡西欧|Siemens 西门子|Puma 彪马|Prada 普拉达|"
    "Fendi 芬迪|Patagonia 巴塔哥尼亚|Barbie 芭比|Disney 迪士尼|Oreo 奥利奥|Ferrero 费列罗|"
    "Tiffany 蒂芙尼|Rolex 劳力士|Omega 欧米茄|Nikon 尼康|Cartier 卡地亚|Nivea 妮维雅|"
    "Pandora 潘多拉|Burberry 巴宝莉|Skechers 斯凯奇|Descente 迪桑特|Intel 英特尔|Kappa 卡帕"
)


@pytest.mark.parametrize("pair", _SAID.split("|"))
def test_a_latin_name_sounds_like_what_is_said_for_it(pair: str) -> None:
    latin, spoken = pair.split()
    assert sounds_like(latin, syllables(spoken)) >= LIKELY


def test_other_brands_do_not_sound_like_it() -> None:
    pairs = [pair.split() for pair in _SAID.split("|")]
    alike = [
        (latin, spoken)
        for latin, _ in pairs
        for other, spoken in pairs
        if other != latin and sounds_like(latin, syllables(spoken)) >= LIKELY
    ]
    # Nikon and 耐克 do sound alike
    assert len(alike) <= 0.01 * len(pairs) ** 2, alike


def test_a_latin_name_is_found_where_it_was_said() -> None:
    folded = fold("姐妹们今天路路柠檬的裤子两百九").text
    ((start, end, _),) = heard_as("lululemon", syllables(folded))
    assert folded[start:end] == "路路柠檬"
    assert heard_as("lululemon", syllables(fold("今天的裤子两百九").text)) == []


@given(st.text(max_size=40), st.lists(st.sampled_from(["nai", "ke", "", "a", "shuang", "x"]), max_size=6))
@settings(deadline=None)
def test_likeness_is_a_share_whatever_is_compared(word: str, sounds: list[str]) -> None:
    assert 0.0 <= sounds_like(word, sounds) <= 1.0
    assert all(0 <= start < end <= len(sounds) for start, end, _ in heard_as(word, sounds))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("重新", "chong xin"),
        ("重量", "zhong liang"),
        ("增长", "zeng zhang"),
        ("长度", "chang du"),
        ("还款", "huan kuan"),
        ("还有", "hai you"),
        ("银行", "yin hang"),
        ("行李", "xing li"),
        ("音乐", "yin yue"),
        ("快乐", "kuai le"),
        ("空调", "kong tiao"),
        ("色调", "se diao"),
        ("便宜", "pian yi"),
        ("方便", "fang bian"),
    ],
)
def test_a_phrase_decides_how_its_characters_are_read(text: str, read: str) -> None:
    assert syllables(text) == read.split()


@pytest.mark.parametrize(("said", "heard"), [("重新发", "从新发"), ("还款", "环款"), ("便宜", "偏宜"), ("音乐", "音月")])
def test_a_misheard_heteronym_shares_its_sounds(said: str, heard: str) -> None:
    # 从 and 虫 are no more alike than cong and chong are folded
    assert [fold_syllable(each) for each in syllables(said)] == [fold_syllable(each) for each in syllables(heard)]


@pytest.mark.parametrize(("asked", "said"), [("这件薄的", "这件伯的"), ("壳坏了", "翘坏了"), ("他还我", "他环我"), ("壳裂了", "翘裂了")])
def test_the_other_reading_is_looked_for_too(asked: str, said: str) -> None:
    pairs = set(sound_bigrams(syllables(said)))
    assert not pairs <= set(sound_bigrams(syllables(asked)))
    assert pairs & set(other_sound_bigrams(asked))


def test_a_phrase_that_decides_leaves_no_other_reading() -> None:
    assert other_sound_bigrams("银行") == {}


def test_looking_up_is_quick_enough_for_every_question() -> None:
    folded = fold("主播说过羽绒服是百分之九十五白鹅绒充绒量两百克到手两百九十九七天无理由退货质保三年吗").text
    sounds = syllables(folded)
    brand_names(folded, sounds)
    begun = time.process_time()
    for _ in range(200):
        syllables(folded)
        brand_names(folded)
        sounds_like("lululemon", ("lu", "lu", "ning", "meng"))
    # some 0.07 ms a round alone; room for a loaded machine
    assert (time.process_time() - begun) / 200 < 0.002
