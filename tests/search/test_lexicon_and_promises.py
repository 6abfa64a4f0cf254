"""The concept lexicon and the promises read with it; products named, on air and inferred."""

import time
from collections import Counter
from importlib.resources import files

import pytest

from archive.recording import EventKind, Product, ProductEvent
from search.chinese import fold
from search.concepts import lexicon_of, load_lexicon
from search.lexicon import LexiconMistake, groups, read_groups
from search.products import AirTimes, Shelf
from search.promises import promise_in
from search.quantities import find_quantities
from search.sounds import syllables

LEXICON = files("search").joinpath("lexicon")
NAMED = 'zh = "质保"\nen = "warranty"\n'


def test_the_lexicon_covers_the_trade_and_every_concept_can_be_named() -> None:
    lexicon = load_lexicon()
    assert len(lexicon.concepts) >= 600
    assert len(lexicon.by_term) >= 5000
    assert all(lexicon.label(name, "zh") and lexicon.label(name, "en").isascii() for name in lexicon.concepts)


def test_no_two_concepts_share_a_name_for_people() -> None:
    for language in ("zh", "en"):
        shared = Counter(load_lexicon().label(name, language) for name in groups())
        assert [label for label, times in shared.items() if times > 1] == []


def test_every_term_is_found_in_a_text_of_itself_as_all_its_concepts() -> None:
    lexicon = load_lexicon()
    lost = [
        term
        for term, names in lexicon.by_term.items()
        if {hit.concept for hit in lexicon.find(term) if (hit.start, hit.end) == (0, len(term))} < set(names)
    ]
    assert lost == []


def test_related_concepts_lead_somewhere_else_with_a_weight_below_that_of_what_is_asked() -> None:
    concepts = load_lexicon().concepts
    links = [(name, other, weight) for name, concept in concepts.items() for other, weight in concept.related.items()]
    assert len(links) >= 600
    assert all(other in concepts and other != name and 0.1 <= weight <= 0.8 for name, other, weight in links)


def test_the_lexicon_is_read_in_a_moment() -> None:
    start = time.process_time()
    lexicon_of(read_groups({group.file: LEXICON.joinpath(group.file).read_text("utf-8") for group in groups().values()}))
    assert time.process_time() - start < 1.5


@pytest.mark.parametrize("said", ["以后有机会再来玩", "宝宝们晚上好", "六个月以前我来过这里", "昨天看电视看到很晚", "下了一场大雨路不好走"])
def test_everyday_talk_is_about_no_goods(said: str) -> None:
    assert load_lexicon().find(fold(said).text) == []


@pytest.mark.parametrize(
    ("complaint", "promised"),
    [
        ("拿去检测是腈纶", "百分之百山羊绒"),
        ("鉴定出来是大叶紫檀", "正宗小叶紫檀老料"),
        ("洗了一水就缩水了", "我们这个不缩水的"),
        ("盖了一晚上到处跑绒", "双层锁绒不钻绒"),
        ("煎个蛋都粘锅", "真正的不粘"),
        ("吃了拉肚子", "吃出问题我们赔"),
        ("切开里面是黑的全是烂果", "坏果包赔"),
        ("用了一个月斑还在", "二十八天见效"),
        ("脸上起红疹", "敏感肌都能用"),
        ("没检测出头层是二层皮", "头层牛皮"),
        ("保质期只剩一个月", "都是最新日期"),
        ("没充两次电池就鼓包", "五千毫安的电池续航一整天"),
        ("吸铁石能吸住", "三零四不锈钢"),
        ("is it real leather", "头层牛皮"),
        ("the sweater is pilling", "不起球"),
    ],
)
def test_a_complaint_about_goods_leads_to_what_was_promised_of_them(complaint: str, promised: str) -> None:
    lexicon = load_lexicon()
    asked = {hit.concept for hit in lexicon.find(fold(complaint).text)}
    sought = asked | {other for name in asked for other in lexicon.concepts[name].related}
    assert sought & {hit.concept for hit in lexicon.find(fold(promised).text)}


def test_a_term_is_in_at_most_three_groups() -> None:
    crowded = {term: names for term, names in load_lexicon().by_term.items() if len(names) > 3}
    assert crowded == {}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('host = "质保"\ncategory = "luck"', "category 'luck'"),
        ('host = "质保"\nrelated = "c:0.5"', "'c', which is no group"),
        ('host = "质保"\nrelated = "a:0.5"', "'a', which is itself"),
        ('host = "质保"\nrelated = "b:0.9"', "'b' is 0.9"),
        ('host = "质保"\nrelated = "b:0.5 b:0.4"', "'b' twice"),
        ('host = "质保"\nrelated = "b"', "not written name:weight"),
        ('host = "质保"\nbuyer = "保修 質保"', "'質保' is there twice"),
        ('host = "我们家的东西坏了都给您修三年"', "has 14 characters"),
        ('host = "counterrevolutionary_antidisestablishment"', "has 41 characters"),
        ('host = "。。"', "has 0 characters"),
        ("", "has no terms"),
        ('host = "质保"\nweight = "1"', "unknown keys: weight"),
        ("host = 1", "no table of texts"),
    ],
)
def test_a_mistake_in_the_lexicon_is_told_with_file_and_group(written: str, told: str) -> None:
    with pytest.raises(LexiconMistake, match=r"^goods\.toml \[a\]: ") as mistake:
        lexicon_of(read_groups({"goods.toml": f'[a]\n{NAMED}{written}\n[b]\n{NAMED}host = "退款"'}))
    assert told in str(mistake.value)


@pytest.mark.parametrize("name", ["", 'zh = "质保"\n', 'en = "warranty"\n', 'zh = " "\nen = "warranty"\n'])
def test_a_group_without_a_name_for_people_is_a_mistake(name: str) -> None:
    with pytest.raises(LexiconMistake, match="no name for people"):
        read_groups({"goods.toml": f'[a]\n{name}host = "质保"'})


def test_a_group_in_two_files_is_a_mistake() -> None:
    with pytest.raises(LexiconMistake, match=r"more\.toml \[a\]: is in goods\.toml already"):
        read_groups({"goods.toml": f'[a]\n{NAMED}host = "质保"', "more.toml": f'[a]\n{NAMED}host = "保修"'})


def test_a_concept_has_a_name_for_people_in_both_languages() -> None:
    lexicon = lexicon_of(read_groups({"goods.toml": '[odd_smell]\nhost = "没味道"\nzh = "异味"\nen = "odd smell"'}))
    assert [lexicon.label("odd_smell", language) for language in ("zh", "zh-CN", "en")] == ["异味", "异味", "odd smell"]
    assert lexicon.label("gone_since", "zh") == "gone since"


def test_a_concept_knows_the_promises_its_complaint_is_about() -> None:
    lexicon = lexicon_of(read_groups({"goods.toml": f'[fibre]\n{NAMED}host = "腈纶"\nrelated = "wool:0.7"\n[wool]\n{NAMED}host = "羊毛"'}))
    assert lexicon.concepts["fibre"].related == {"wool": 0.7}
    assert lexicon.concepts["wool"].related == {}


@pytest.mark.parametrize(
    ("host", "buyer"),
    [
        ("我们三年质保", "坏了不给修"),
        ("不起球的", "洗了一次都是毛球起毛球了"),
        ("买贵了退差价", "隔天降价"),
        ("拍一发三", "只收到一个"),
        ("来回运费我出都有运费险", "退货邮费谁出"),
    ],
)
def test_what_hosts_and_buyers_say_meets_in_a_concept(host: str, buyer: str) -> None:
    lexicon = load_lexicon()
    assert {hit.concept for hit in lexicon.find(fold(host).text)} & {hit.concept for hit in lexicon.find(fold(buyer).text)}


def test_a_misheard_term_counts_unless_it_is_a_word_of_its_own() -> None:
    lexicon = load_lexicon()
    misheard, other = fold("制宝三年").text, fold("使用三年").text
    assert any(hit.concept == "warranty" and hit.heard_as for hit in lexicon.find(misheard, syllables(misheard)))
    assert not any(hit.concept == "trial" for hit in lexicon.find(other, syllables(other)))


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("我们的白鹅容给您", {"down"}),  # same tones
        ("我们的鹅冗给您", {"down"}),  # other tones, but no words around it claim the characters
        ("我们现在讲一下", set()),  # 在讲 meets 再降 by chance
        ("过一会或者明天", set()),  # 会或 meets 回货, and 或者 is a word
    ],
)
def test_two_syllables_that_meet_by_chance_are_no_mishearing(said: str, heard: set[str]) -> None:
    heard_for = {"down": "鹅绒", "price_drop": "再降", "restock": "回货"}
    written = "\n".join(f'[{name}]\n{NAMED}host = "{term}"' for name, term in heard_for.items())
    lexicon = lexicon_of(read_groups({"goods.toml": written}))
    folded = fold(said).text
    assert {hit.concept for hit in lexicon.find(folded, syllables(folded)) if hit.heard_as} == heard


@pytest.mark.parametrize(
    ("said", "category", "quantity", "polarity"),
    [
        ("整机质保三年", "warranty", "P3Y", "affirmed"),
        ("拆封了就不能退货", "return", None, "denied"),
        ("四十八小时之内发货", "shipping", "48 h", "affirmed"),
        ("假一赔十", "compensation", "10 ×", "affirmed"),
        ("不是终身质保就是三年", "warranty", "P3Y", "mixed"),
        ("这款只换不修质保三年特别好用", "warranty", "P3Y", "affirmed"),
        ("百分之九十五的白鹅绒", "material", "95 %", "affirmed"),
        ("五常核心产区的米", "origin", None, "affirmed"),
    ],
)
def test_a_promise_has_category_quantity_and_polarity(said: str, category: str, quantity: str | None, polarity: str) -> None:
    promise = promise_in(said, load_lexicon().find(fold(said).text), find_quantities(said))
    assert promise is not None
    assert (promise.category, promise.quantity.describe() if promise.quantity else None, promise.polarity) == (category, quantity, polarity)


def test_a_condition_is_quoted_from_the_transcript() -> None:
    said = "如果是质量问题,三年之内免费换新"
    promise = promise_in(said, load_lexicon().find(fold(said).text), find_quantities(said))
    assert promise is not None
    assert promise.condition is not None
    assert promise.condition in said


def test_small_talk_promises_nothing() -> None:
    said = "我昨天晚上吃火锅排队排了很久"
    assert promise_in(said, load_lexicon().find(fold(said).text), find_quantities(said)) is None


CUP = Product("cup", "儿童保温水杯 316", "5号链接", ("水杯",))
DESK = Product("desk", "升降学习桌 1.2米", "4", ("书桌",))


@pytest.mark.parametrize(
    ("said", "product"), [("这个水杯", "cup"), ("来5号链接", "cup"), ("四号链接来了", "desk"), ("学习桌", "desk"), ("随杯", "cup")]
)
def test_a_product_is_named_by_alias_title_or_shelf_number(said: str, product: str) -> None:
    folded = fold(said).text
    found = Shelf([CUP, DESK]).named_in(folded, syllables(folded))
    assert max(found, key=lambda each: found[each]) == product


def test_on_air_follows_explanations_and_else_the_last_card() -> None:
    def event(kind: EventKind, product: str, at: int) -> ProductEvent:
        return ProductEvent(kind, product, at)

    explained = [event(EventKind.EXPLAIN_START, "a", 10), event(EventKind.EXPLAIN_START, "b", 20), event(EventKind.EXPLAIN_END, "a", 30)]
    assert [AirTimes(explained).at(at) for at in (5, 15, 25, 35)] == [frozenset(), frozenset("a"), frozenset("ab"), frozenset("b")]
    cards = [event(EventKind.CARD_SHOWN, "a", 10), event(EventKind.CARD_SHOWN, "b", 20)]
    assert [AirTimes(cards).at(at) for at in (5, 15, 25)] == [frozenset(), frozenset("a"), frozenset("b")]
    assert AirTimes([]).at(5) == frozenset()


def test_a_term_inside_a_word_that_is_excepted_is_not_meant() -> None:
    written = f'[herbs]\n{NAMED}host = "破壁 灵芝"\nexcept = "破壁机"\n[ganoderma]\n{NAMED}host = "破壁灵芝"'
    lexicon = lexicon_of(read_groups({"goods.toml": written}))
    assert lexicon.find("这台破壁机") == []
    assert {hit.concept for hit in lexicon.find("破壁的灵芝")} == {"herbs"}


@pytest.mark.parametrize(
    ("said", "no_concept"),
    [
        ("对我刚说的", "bad_attitude"),
        ("你要是用了就知道", "trial"),
        ("这个破壁机特别好", "herbs"),
        ("线下不好做", "linen"),
        ("人家送来的", "extra_gift"),
        ("不管什么牌子", "not_allowed"),
        ("我说漏了一句", "damaged_in_transit"),
    ],
)
def test_words_of_any_talk_raise_no_concept_by_chance(said: str, no_concept: str) -> None:
    folded = fold(said).text
    assert no_concept not in {hit.concept for hit in load_lexicon().find(folded, syllables(folded))}
