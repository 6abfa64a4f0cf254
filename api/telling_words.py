"""Which words of a shelf's names may be told to a recogniser: those that name a thing, and never what promises something about it.

A title is 30 characters of keywords: 【2026秋冬新款】100%山羊绒围巾女加厚保暖礼盒装 is told as 山羊绒围巾. No numbers, amounts or
prices, and no words that disputes turn on (保真, 七天无理由, 假一赔十, 质保三年, 正品, 美白, 进口, 纯…): what a recogniser is told makes
it likelier to be written, and a promise must never come into a host's mouth that way (G7).
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from archive.simplified import simplified_throughout
from search.chinese import is_general_word, whole_words
from search.concepts import load_lexicon
from search.quantities import QuantityKind, find_quantities

NAME_CHARS, LATIN_CHARS = 12, 30
TITLE_CHARS, PHRASE_CHARS, PHRASES = 200, 8, 6
# Promises wherever they stand; and those that count as whole words only, as 防晒 does in 防晒衬衫, but not in 防晒霜.
_PROMISED: Final = frozenset({"warranty", "return", "compensation", "price", "gift", "limited", "shipping", "authenticity"})
_PROMISED_ALONE: Final = _PROMISED | {"effect", "origin", "defect", "service"}
# Of words that say what something does or where it is from, those name goods and promise nothing that a general dictionary has and that
# end as goods do: 鱼油, 大闸蟹, 卸妆油, but neither 控油 nor 补水 nor 阳澄湖. What shops call goods and no dictionary holds is listed.
_NAMING: Final = frozenset({"effect", "origin"})
_GOODS: Final = re.compile(
    r"(?:鱼油|..[油粉素仪机器灯液贴]|.[霜膏乳片丸剂皂露枕垫蟹虾橙茶枣梨桃柚酒醋酱糖饼膝]"
    r"|.(?:胶囊|精华|面膜|火腿|燕窝|蜂蜜|木耳|珍珠|翡翠))$"
)
_CALLED: Final = frozenset({"洁面", "卸妆"})
_PROMISE: Final = re.compile(
    r"[包保][真修换退赔邮证障税运赢]|[假缺]一|一[赔罚]|[赔赠免罚]|无理由|退[一换货款]|无效|终身|永久|正品|正宗|官方|旗舰|专柜|原[装厂]|进口|特[价级等]|秒杀|"
    r"[零一二三四五六七八九半几打]折|[半低特优折原底]价|折扣|优惠|补贴|清仓|亏本|最[低高好强大]|第一|顶级|极品|唯一|国家级|\d|[%％￥¥$€]|guarant|refund|warrant|genuine|authentic|free|original|official",
    re.IGNORECASE,
)
_PURE: Final = tuple("纯真全足无零天")
_NUMBERED: Final = re.compile(r"第?[零〇一二三四五六七八九十百两]+号")
# What fills titles up and names nothing.
_FILLING = (
    "新款 款 同款 爆款 网红 热销 热卖 经典 时尚 简约 高端 高档 高级 轻奢 奢华 品质 优质 精品 百搭 韩版 欧美 日系 复古 ins 风 潮流 "
    "显瘦 宽松 修身 大码 男 女 男士 女士 男女 男款 女款 女式 男式 女长款 通用 情侣 儿童 宝宝 婴儿 学生 成人 老人 孕妇 妈妈 爸爸 春 "
    "夏 秋 冬 春季 夏季 秋季 冬季 秋冬 春秋 春夏 四季 冬天 夏天 加厚 加绒 加长 加大 加宽 保暖 轻薄 柔软 舒适 透气 亲肤 防水 防滑 "
    "耐用 便携 折叠 两用 多功能 家用 商用 车载 户外 办公室 大容量 小型 迷你 智能 全自动 自动 静音 礼盒 礼盒装 大礼包 礼物 送礼 "
    "节日 生日 套装 组合 装 件套 单人 双人 特大 超大 大号 小号 中号 鲜活 新鲜 现货 包装 独立 整箱 德国 法国 英国 美国 意大利 日本 "
    "韩国 泰国 澳洲 澳大利亚 新西兰 国产 产地 支持 公母 混装 直播 直播间 专场 专享 专属 福利 夜场 早场 粉丝 主播 今晚 今天 限时 "
    "限定 限量 新品 上新 首发 活动 款式 颜色 尺码 品牌 正版 店 专营店 店铺 的 和 与 及 之 用 纯 真 特级 天然"
)
_FILL: Final = frozenset(_FILLING.split())
_LATIN: Final = re.compile(r"[^a-z0-9]+")
_BRACKETED: Final = re.compile(r"[【\[〔{][^】\]〕}]*[】\]〕}]")
_WITH_NUMBER: Final = re.compile(r"[A-Za-z.+\-]*[0-9０-９][0-9０-９A-Za-z.+\-%％]*[%％℃°]?")
_RUN: Final = re.compile(r"[\u3400-\u9fff]+|[A-Za-z][A-Za-z&'’.\-]*(?: [A-Za-z][A-Za-z&'’.\-]*)*|[\u3040-\u30ff\uac00-\ud7af]+")


def telling_words(title: str) -> list[str]:
    """The names in a title, in its order and script, six at most; what can't be told of it is left out."""
    plain = _WITH_NUMBER.sub(" ", _BRACKETED.sub(" ", title[:TITLE_CHARS]))
    found: list[str] = []
    for run in _RUN.findall(plain):
        found += _phrases(run) if "\u3400" <= run[0] <= "\u9fff" else [run.strip(" .-'’&")]
    return [word for word in dict.fromkeys(found) if len(word) > 1 and may_be_told(word)][:PHRASES]


def told_name(name: str) -> list[str]:
    """A name that people gave (an alias, a brand, a host), as it is; where it is long, the names in it; none if it promises."""
    name = " ".join("".join(char for char in name if unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co")).split())
    longest = LATIN_CHARS if name.isascii() else NAME_CHARS
    if len(name) > longest:
        return telling_words(name)
    return [name] if len(name) > 1 and may_be_told(name) else []


def may_be_told(word: str) -> bool:
    """Whether a word promises nothing: it holds no number, and nothing that the lexicon of promises or the list above knows."""
    folded = unicodedata.normalize("NFKC", simplified_throughout(word)).lower()
    # Neither blanks nor points nor marks that nobody sees part a promise: 假.一.赔.十 is one.
    plain = "".join(char for char in folded if char.isalnum() or char in "%¥$€")
    if _PROMISE.search(plain) or _NUMBERED.search(plain) or _measures(plain):
        return False
    if any(char.isnumeric() and not char.isalpha() for char in word):
        return False
    always, alone = _promising()
    pieces = whole_words(plain)
    if any("".join(pieces[first:last]) in alone for first in range(len(pieces)) for last in range(first + 1, len(pieces) + 1)):
        return False
    latin = _LATIN.sub(" ", folded).split()
    if any(" ".join(latin[first:last]) in always for first in range(len(latin)) for last in range(first + 1, len(latin) + 1)):
        return False
    # a Latin term inside of a Latin name is none: brandhl names no courier
    pieces_of = (plain[at : at + size] for size in range(2, len(plain) + 1) for at in range(len(plain) - size + 1))
    return not any(piece in always for piece in pieces_of if not piece.isascii())


def _phrases(run: str) -> Iterable[str]:
    """Stretches of words that name something, 2 to 8 characters long: cut where a word is left out, and between words where too long."""
    phrase, at = "", 0
    for word in whole_words(simplified_throughout(run)):
        written = run[at : at + len(word)]
        at += len(word)
        left_out = word in _FILL or _is_claim(word)
        if left_out or len(phrase) + len(word) > PHRASE_CHARS:
            yield phrase
            phrase = ""
        if not left_out:
            phrase += written
    yield phrase


def _is_claim(word: str) -> bool:
    """A word of a title that promises, counts, or says how pure something is."""
    return (len(word) > 1 and not may_be_told(word)) or bool(find_quantities(word)) or word in _pure_materials()


def _measures(plain: str) -> bool:
    """Whether it says an amount of something else than pieces (三只松鼠 is a name): 半斤, 两米, 三年."""
    return any(quantity.kind is not QuantityKind.COUNT for quantity in find_quantities(plain))


@lru_cache(maxsize=1)
def _promising() -> tuple[frozenset[str], frozenset[str]]:
    """Terms of the lexicon that promise wherever they stand, and those that do alone."""
    concepts = load_lexicon().concepts.values()
    always = {term for concept in concepts if concept.category in _PROMISED for term in concept.terms if len(term) > 1} | _pure_materials()
    alone = {
        term
        for concept in concepts
        if concept.category in _PROMISED_ALONE
        for term in concept.terms
        if not (concept.category in _NAMING and _names_goods(term))
    }
    return frozenset(always), frozenset(alone)


def _names_goods(term: str) -> bool:
    return term in _CALLED or (bool(_GOODS.search(term)) and is_general_word(term))


@lru_cache(maxsize=1)
def _pure_materials() -> frozenset[str]:
    """纯羊绒, 真丝, 足金: materials that say how much of it there is."""
    concepts = load_lexicon().concepts.values()
    return frozenset(term for concept in concepts if concept.category == "material" for term in concept.terms if term[0] in _PURE)
