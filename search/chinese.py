"""How Chinese text is folded and cut for indexing. What is shown is never touched: everything here keeps the way back to the source.

Digits are said out loud before cutting (28天, 二十八天 and the misheard 二食八天 then share their bigrams and sounds), and traditional
characters are taken as simplified ones (純羊絨 and 纯羊绒 are then the same word).
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from archive.simplified import simplified_throughout
from search.english import GRAMMAR, base_forms
from search.lexicon import groups
from search.numerals import NUMERAL_CHARS, say_decimal, say_digits

_FILLERS = (
    "的 了 啊 呢 吧 吗 嘛 呀 哦 哈 嗯 哎 哟 么 呗 啦 喽 我 你 他 她 它 我们 你们 他们 咱 咱们 大家 您 这 那 这个 那个 这些 那些 这里 那里 "
    "就 就是 是 也 都 还 又 再 在 有 和 跟 与 把 被 给 让 对 从 到 着 过 得 地 很 太 会 要 能 可以 可 之 以 及 而 但 但是 所以 因为 如果 "
    "一个 一下 什么 怎么 怎样 哪 哪个 多少 几 谁 为什么 是不是 有没有 没有 不 没 别 上 下 里 中 个 说 讲 说过 讲过 主播 直播 直播间 当时 "
    "现在 时候 然后 已经 只 才 用 去 来 做 想 人 家 家里 自己 东西 一 二"
)
FILLERS = frozenset(_FILLERS.split())
TAUGHT_CHARS = 4
TAUGHT_FREQUENCY = 2000
_UNIT_CHARS = frozenset("年月天日周时秒元块毛斤克米升度倍个件包盒袋片瓶支双套号次名点")
TRADE_WORDS = "主播 直播间 链接 花洒 粉丝团 小黄车 到手价 净水器 扫地机 充电宝 拉杆箱 羽绒服 羽绒被 蚕丝被 面膜 精华 气垫"
_NUMBER_CHARS = NUMERAL_CHARS | frozenset("点分之")
_WRITTEN_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_ENGLISH = (
    "host say said ever get got go going gonna wanna gotta okay ok yeah yes yep um uh hmm hey hi hello guys guy folks everyone everybody "
    "lovely darling honey babe oh wow well right like know mean let lets thing things something anything kind sort bit lot lots much many "
    "actually basically literally today tonight tomorrow"
)
_ENGLISH_FILLERS = GRAMMAR | frozenset(_ENGLISH.split())


@dataclass(frozen=True, slots=True)
class Folded:
    """Text as indexed. `origins[i]` is the offset in the source of the character that `text[i]` came from."""

    text: str
    origins: tuple[int, ...]


def normalise(text: str) -> str:
    """NFKC, lower case and simplified script, character by character."""
    return fold(text, verbalise=False).text


def fold(text: str, *, verbalise: bool = True) -> Folded:
    """NFKC, lower case, simplified script, without punctuation and spaces between Chinese; with `verbalise` digits are said in Chinese,
    两 is 二 and English words stand in their base form."""
    chars: list[str] = []
    origins: list[int] = []
    for offset, char in enumerate(simplified_throughout(text)):
        for folded in unicodedata.normalize("NFKC", char).lower():
            chars.append(folded)
            origins.append(offset)
    plain = "".join(chars)
    if not verbalise:
        return Folded(plain, tuple(origins))
    plain, origins = _in_base_form(plain, origins)
    spoken: list[str] = []
    kept: list[int] = []
    at = 0
    while at < len(plain):
        match = _WRITTEN_NUMBER.match(plain, at) if plain[at].isdecimal() and plain[at].isascii() else None
        if match:
            words, end = _say_written(plain, match)
            spoken.extend(words)
            kept.extend([origins[at]] * len(words))
            at = end
            continue
        char = "二" if plain[at] in "两俩" else plain[at]
        if char.isalnum() or (spoken and char.isspace() and _is_latin(spoken[-1])):
            spoken.append(char if char.isalnum() else " ")
            kept.append(origins[at])
        elif spoken and _is_latin(spoken[-1]):
            spoken.append(" ")
            kept.append(origins[at])
        at += 1
    return Folded("".join(spoken), tuple(kept))


def _in_base_form(plain: str, origins: list[int]) -> tuple[str, list[int]]:
    """English words without their inflection, each letter with the offset of the one in its place or, beyond the last, of that."""
    text, kept, at = "", [], 0
    for start, end, base in base_forms(plain):
        text += plain[at:start] + base
        kept += [*origins[at:start], *(origins[min(start + place, end - 1)] for place in range(len(base)))]
        at = end
    return (text + plain[at:], kept + origins[at:]) if at else (plain, origins)


def _say_written(plain: str, match: re.Match[str]) -> tuple[str, int]:
    written = match[0].replace(",", "")
    end = match.end()
    if plain[end : end + 1] == "%":
        return "百分之" + say_decimal(written), end + 1
    if len(written) == 4 and plain[end : end + 1] == "年" and written[:2] in ("19", "20"):
        return say_digits(written), end
    return say_decimal(written), end


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def is_chinese(folded: str) -> bool:
    """Whether there are Chinese characters and no kana or hangul: it is then read as Mandarin."""
    return bool(re.search("[\u4e00-\u9fff]", folded)) and not re.search("[\u3040-\u30ff\uac00-\ud7af]", folded)


class Segmenter(Protocol):
    """The parts of `rjieba` that are used."""

    def cut(self, text: str, hmm: bool) -> list[str]: ...
    def cut_for_search(self, text: str, hmm: bool) -> list[str]: ...
    def has_word(self, word: str) -> bool: ...


@lru_cache(maxsize=1)
def _segmenter() -> Segmenter:
    return _taught_segmenter()[0]


@lru_cache(maxsize=1)
def _taught_segmenter() -> tuple[Segmenter, frozenset[str]]:
    """The segmenter's dictionary with the trade's words, which a general one lacks (主播, 花呗, 包邮); and these."""
    import rjieba

    segmenter = rjieba.Jieba()
    taught = set()
    for group in groups().values():
        for term in group.terms:
            if (
                2 <= len(term) <= TAUGHT_CHARS
                and not term.isascii()
                and not segmenter.has_word(term)
                and len(segmenter.cut(term, False)) == len(term)
            ):
                segmenter.add_word(term, None, None)
                taught.add(term)
    for word in TRADE_WORDS.split():
        segmenter.add_word(word, TAUGHT_FREQUENCY, None)
    return segmenter, frozenset(taught)


@lru_cache(maxsize=50_000)
def is_word(text: str) -> bool:
    """Whether the segmenter's dictionary holds this word."""
    return bool(_segmenter().has_word(text))


def is_general_word(text: str) -> bool:
    """Whether any talk may have this word: the dictionary holds it, and not because the trade's words were added."""
    return is_word(text) and text not in _taught_segmenter()[1]


def words(folded: str) -> list[str]:
    """Words of folded text, in order, as `rjieba`'s dictionary cuts for search (long words also give their parts); no guessed words."""
    return [word.strip() for word in _segmenter().cut_for_search(folded, False) if word.strip()]


def whole_words(folded: str) -> list[str]:
    """All of folded text, cut into whole words; what the dictionary lacks comes in single characters."""
    return list(_segmenter().cut(folded, False))


def content_words(folded: str) -> list[str]:
    """Whole words that carry meaning: no particles, pronouns, talk about talking or numbers (quantities and sounds carry those)."""
    cut = (word.strip() for word in _segmenter().cut(folded, False))
    return [word for word in cut if word and word not in FILLERS and word not in _ENGLISH_FILLERS and not _is_number(word)]


def _is_number(word: str) -> bool:
    return set(word) <= _NUMBER_CHARS or (set(word[:-1]) <= NUMERAL_CHARS and word[-1] in _UNIT_CHARS)


def bigrams(folded: str) -> list[str]:
    """Overlapping character pairs within runs of Chinese; a Latin run counts as one token; a lone character as itself."""
    grams: list[str] = []
    for run in re.findall(r"[a-z0-9]+|[^\sa-z0-9]+", folded):
        if _is_latin(run[0]) or len(run) == 1:
            grams.append(run)
        else:
            grams.extend(run[i : i + 2] for i in range(len(run) - 1))
    return grams
