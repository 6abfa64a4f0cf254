"""Foreign names across scripts: where characters may be what a recogniser wrote for a Latin name, and the other way round.

Sound alone proves nothing: of 240 Latin words nearly every one sounds like something in four hours of Mandarin talk. What a recogniser
writes for a name that it doesn't know are the characters of transliteration (维克萨罗), between words and with none that any talk has.
With that asked for as well, 4 of the 240 find anything there, while half of the transliterations in use are found.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise, product
from typing import Final, NamedTuple

from search.chinese import FILLERS, is_word, whole_words
from search.latin_sounds import latin_sound, likely_syllables, sounds_like
from search.numerals import NUMERAL_CHARS
from search.other_spellings import is_stop_word
from search.sounds import sound_bigrams
from search.typos import latin_words

LEAST_LETTERS: Final = 4
LONGEST: Final = 9
LEAST_WRITTEN: Final = 3
LEAST_UNKNOWN: Final = 2
MOST_PAIRS: Final = 24
MOST_SYLLABLES: Final = 6
SURE: Final = 0.8
CONTEXT: Final = 6
# Of how many syllables a name is, from which likeness on it is one, and how many of its characters must be used for names.
_ASKED: Final = {2: (0.9, 1.0), 3: (0.78, 0.6)}
_ASKED_OF_LONGER: Final = (0.7, 0.5)
_WORD_AS_WELL: Final = 0.95
_TRANSLITERATING: Final = frozenset(
    "阿埃艾奥安昂爱欧翁恩巴芭贝比毕彼宾滨波玻伯博布拜班邦鲍本查恰切奇齐契丘楚达妲戴黛丹当道德登邓蒂迪狄底丁杜多敦顿朵娥厄尔法菲费芬弗福佛夫"
    "芙范梵冯富噶盖甘冈戈哥格根古瓜圭葛哈海汉豪赫亨霍胡华惠基吉季加迦伽贾佳简杰捷金津京久娟君卡咖凯坎康考柯科克肯孔库夸奎坤昆拉喇莱赖兰朗劳勒"
    "雷蕾累利里莉丽力立历林琳留卢鲁露路伦罗洛萝珞吕马玛麦迈曼芒毛茂梅美莓门蒙孟米密咪缪摩莫墨默姆木穆牧慕那娜纳奈耐南楠内尼妮宁纽努怒诺帕潘"
    "庞培佩彭皮匹平珀坡泼普浦蒲乔琼冉让热瑞若萨撒莎赛桑瑟森沙山珊尚绍舍申圣胜史士世诗丝斯思司苏素孙索锁塔泰坦唐汤陶特滕藤提缇替廷汀通图土托陀"
    "瓦娃万旺威维薇韦魏卫温文沃乌伍武西希锡喜悉夏香肖欣辛雄休逊叙雪亚雅娅扬杨耶叶伊依怡益英尤于约赞泽扎詹哲珍芝朱卓兹佐祖谟蜜蔻碧仙狮奴宝馨菱"
    "塞维婷妃莲珂飒柏岚盟璞睐儿戈朗戴丽驰乐"
)
# Characters of any talk: where one stands, nobody wrote a name.
_OF_ANY_TALK: Final = (
    frozenset(
        "的了是我你他她它们这个就都也要会能好来去看说到给上下么吗呢吧啊哦嗯呀哎不没在有和跟把被让对从着过得很太最再又还只才用做想人家中大小少什怎哪"
        "谁为时候天年月日块钱买卖拍发货号链接款退换保修送包价元点分件装问讲听以但所因如果然后先前今明昨晚早题吃喝穿"
    )
    | NUMERAL_CHARS
    | frozenset(filler for filler in FILLERS if len(filler) == 1)
) - frozenset("地可之")
_NAMES, _TALK = "".join(_TRANSLITERATING - _OF_ANY_TALK), "".join(_OF_ANY_TALK)
_NAMING: Final = re.compile(rf"[{_NAMES}][^{_TALK}\s\x00-\x7f]?[{_NAMES}]")
_NO_TALK: Final = re.compile(rf"[^{_TALK}\s\x00-\x7f]{{2,}}")
_WRITTEN: Final = re.compile(f"[{_NAMES}]{{{LEAST_WRITTEN},}}")
_LATIN_NAME: Final = re.compile(rf"(?<![a-z0-9])[a-z]{{{LEAST_LETTERS},}}(?![a-z0-9])")
_SEVERAL: Final = re.compile(r"(?<![a-z0-9])[a-z]{2,}(?: [a-z]{2,}){1,2}(?![a-z0-9])")


class Spelled(NamedTuple):
    """`start:end` of a text may be the name, this surely (0…1]."""

    start: int
    end: int
    likeness: float


def could_hold_names(folded: str) -> tuple[tuple[int, int], ...]:
    """The stretches of folded text in which characters could stand for a foreign name; most talk has none."""
    return tuple(run.span() for run in _NO_TALK.finditer(folded) if _NAMING.search(folded, *run.span()))


def spelled_in(name: str, folded: str, sounds: Sequence[str], stretches: Sequence[tuple[int, int]] | None = None) -> list[Spelled]:
    """Where characters stand that a recogniser may have written for a Latin name, left to right, surest first of those that overlap.

    `sounds`: one toneless syllable a character. `stretches`: as `could_hold_names` gives them, where they are known.
    """
    meant = latin_sound(name)
    if len(meant) < 2:
        return []
    begins = likely_syllables(name)
    least, share = _ASKED.get(len(meant), _ASKED_OF_LONGER)
    found: list[Spelled] = []
    for first, last in could_hold_names(folded) if stretches is None else stretches:
        for start in range(first, last - 1):
            if sounds[start] not in begins:
                continue
            for end in range(start + max(2, len(meant) - 1), min(start + len(meant) + 1, last) + 1):
                heard = tuple(sounds[start:end])
                if not all(heard) or sum(char in _TRANSLITERATING for char in folded[start:end]) < share * (end - start):
                    continue
                likeness = sounds_like(name, heard)
                if likeness >= least and _stands_alone(folded, start, end, likeness):
                    found.append(Spelled(start, end, round(likeness, 2)))
    kept: list[Spelled] = []
    for each in sorted(found, key=lambda each: (-each.likeness, each.start)):
        if all(each.end <= other.start or other.end <= each.start for other in kept):
            kept.append(each)
    return sorted(kept)


def _stands_alone(folded: str, start: int, end: int, likeness: float) -> bool:
    """Whether no word reaches over its borders, and what stands there isn't itself a word that only happens to sound so."""
    if end - start == 2 and likeness < _WORD_AS_WELL and is_word(folded[start:end]):
        return False
    begin = max(0, start - CONTEXT)
    ends = frozenset(accumulate((len(word) for word in whole_words(folded[begin : end + CONTEXT])), initial=begin))
    return start in ends and end in ends


def latin_names(folded: str) -> list[str]:
    """Latin words of folded text that may be names, each once."""
    return list(dict.fromkeys(match[0] for match in _LATIN_NAME.finditer(folded) if len(match[0]) <= 24))


def written_names(folded: str) -> Iterator[str]:
    """Runs of transliterating characters that stand together for no other reason: 维克萨罗. They are one name."""
    for match in _WRITTEN.finditer(folded):
        words = whole_words(match[0])
        if len(match[0]) <= LONGEST and sum(len(word) == 1 for word in words) >= LEAST_UNKNOWN:
            yield match[0]


def spelled_as(sounds: Sequence[str], latin: str) -> float:
    """How surely a Latin word is the name that was written in characters of these toneless syllables, 0 where it isn't."""
    least, _ = _ASKED.get(len(latin_sound(latin)), _ASKED_OF_LONGER)
    likeness = sounds_like(latin, tuple(sounds))
    return round(likeness, 2) if likeness >= least else 0.0


@lru_cache(maxsize=4096)
def name_pairs(name: str) -> Mapping[str, float]:
    """Pairs of syllables, as `sound_bigrams` writes them, by which a Latin name may be heard, with how surely; likeliest first."""
    heard = [likely_syllables(name, at, SURE) for at in range(len(latin_sound(name)))]
    likeliest = [dict(sorted(each.items(), key=lambda item: (-item[1], item[0]))[:MOST_SYLLABLES]) for each in heard]
    found: dict[str, float] = {}
    for ones, others in pairwise(likeliest):
        for one, other in product(ones, others):
            for pair in sound_bigrams([one, other]):
                found[pair] = max(found.get(pair, 0.0), ones[one] * others[other])
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST_PAIRS])


def said_pairs(folded: str) -> list[str]:
    """Pairs of syllables of the Latin names in Chinese talk, so that who asks in characters finds them."""
    return [pair for name in latin_names(folded) for pair in sound_bigrams(list(latin_sound(name)))] if not folded.isascii() else []


def foreign_names(folded: str) -> list[str]:
    """What a question may name in the script in which it was not said: Latin words that neither English nor the trade has, and characters
    that are only put together for a name. Neighbouring Latin ones of a Chinese question are one: max mara."""
    latin = [word for word in latin_names(folded) if may_be_name(word)]
    for several in _SEVERAL.findall(folded) if not folded.isascii() else ():
        words = several.split()
        if any(map(_is_unknown, words)) and all(_is_unknown(word) or _is_short(word) for word in words):
            latin = [*(word for word in latin if word not in words), several]
    return [*latin, *written_names(folded)]


def may_be_name(word: str) -> bool:
    """Whether neither English grammar nor the lexicon knows a Latin word or, where it is several, one of them."""
    return len(word) >= LEAST_LETTERS and any(map(_is_unknown, word.split()))


def _is_unknown(word: str) -> bool:
    return word.isalpha() and word not in latin_words() and not is_stop_word(word)


def _is_short(word: str) -> bool:
    return len(word) < LEAST_LETTERS and not is_stop_word(word)
