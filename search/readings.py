"""How characters are read aloud: one toneless pinyin syllable each, with what a phrase decides (重新 chong xin, 银行 yin hang).

From pypinyin's dictionaries, read once into plain tables: its own segmentation takes most of the time that it takes, and only the
phrases that read a character unlike it is read alone decide anything.
"""

from collections import defaultdict
from functools import cache, lru_cache
from typing import Final, NamedTuple

# Characters that speech reads in two ways and that no phrase around them decides; the commoner reading stands in the tables.
# What questions hold is looked for by both.
_TWO_READINGS: Final = (
    "重zhong/chong 长chang/zhang 还hai/huan 行xing/hang 乐le/yue 调tiao/diao 藏cang/zang 薄bao/bo 血xue/xie 壳ke/qiao 色se/shai 率lv/shuai "
    "柏bai/bo 盛sheng/cheng 传chuan/zhuan 参can/shen 差cha/chai 称cheng/chen 弹tan/dan 都dou/du 给gei/ji 会hui/kuai 降jiang/xiang 卡ka/qia "
    "落luo/la 露lu/lou 模mo/mu 便bian/pian 单dan/shan 石shi/dan 熟shu/shou 系xi/ji 削xue/xiao 粘zhan/nian 和he/huo 朝chao/zhao 曾ceng/zeng "
    "解jie/xie 折zhe/she 嚼jiao/jue 剥bo/bao 大da/dai 巷xiang/hang 塞sai/se"
)
_ALSO_READ: Final = {entry[0]: tuple(entry[1:].split("/")) for entry in _TWO_READINGS.split()}
# Phrases of the trade that the dictionary of phrases lacks.
_TRADE: Final = (
    "还款huan/kuan 还钱huan/qian 还货huan/huo 退还tui/huan 返还fan/huan 归还gui/huan 重发chong/fa 重拍chong/pai "
    "重做chong/zuo 重寄chong/ji 重买chong/mai 重下chong/xia 重修chong/xiu 行价hang/jia 长胖zhang/pang 长痘zhang/dou 长高zhang/gao "
    "长斑zhang/ban 长霉zhang/mei 长虫zhang/chong 长肉zhang/rou 调货diao/huo 调包diao/bao 薄荷bo/he 薄款bao/kuan 便宜pian/yi "
    "卡子qia/zi 露馅lou/xian 掉色diao/shai 弹力tan/li 弹性tan/xing 参茶shen/cha 海参hai/shen 人参ren/shen 党参dang/shen 花参hua/shen "
    "盛饭cheng/fan 血燕xue/yan 色差se/cha 差评cha/ping 差价cha/jia 降价jiang/jia 称重cheng/zhong 称心chen/xin 石斛shi/hu 模具mu/ju"
)
_LONGEST: Final = 6


class Readings(NamedTuple):
    """`phrases` by their first character, longest first: what is written and how each of its characters is read."""

    alone: dict[str, str]
    phrases: dict[str, tuple[tuple[str, tuple[str, ...]], ...]]


@lru_cache(maxsize=1)
def _tables() -> Readings:
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT
    from pypinyin.contrib.tone_convert import to_normal

    @cache
    def toneless(syllable: str) -> str:
        return str(to_normal(syllable, v_to_u=False))

    alone = {chr(code): toneless(read.split(",", 1)[0]) for code, read in PINYIN_DICT.items()}
    phrases: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for written, readings in PHRASES_DICT.items():
        if not 2 <= len(written) <= _LONGEST or len(readings) != len(written):
            continue
        read = tuple(toneless(each[0]) for each in readings)
        if any(alone.get(char) != syllable for char, syllable in zip(written, read, strict=True)):
            phrases[written[0]].append((written, read))
    for entry in _TRADE.split():
        phrases[entry[0]].append((entry[:2], tuple(entry[2:].split("/"))))
    return Readings(alone, {first: tuple(sorted(found, key=lambda each: -len(each[0]))) for first, found in phrases.items()})


@lru_cache(maxsize=1)
def known_syllables() -> frozenset[str]:
    """Every syllable that a common character is read as."""
    return frozenset(read for char, read in _tables().alone.items() if "\u4e00" <= char <= "\u9fff")


def read_aloud(text: str) -> list[str]:
    """One toneless syllable for each character of folded text; Latin letters and digits stand for themselves, others give ''."""
    alone, phrases = _tables()
    sounds: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        read = next((read for written, read in phrases.get(char, ()) if text.startswith(written, at)), None)
        if read:
            sounds.extend(read)
            at += len(read)
            continue
        sounds.append(alone.get(char, "") or (char if char.isascii() and char.isalnum() else ""))
        at += 1
    return sounds


def other_readings(text: str, sounds: list[str]) -> dict[int, tuple[str, ...]]:
    """For places in folded text whose character can also be read otherwise, those readings. `sounds` as `read_aloud` gives them."""
    _, phrases = _tables()
    decided: set[int] = set()
    for at, char in enumerate(text):
        if at not in decided:
            found = next((written for written, _ in phrases.get(char, ()) if text.startswith(written, at)), "")
            decided.update(range(at, at + len(found)))
    return {
        at: tuple(each for each in _ALSO_READ[char] if each != sounds[at])
        for at, char in enumerate(text)
        if char in _ALSO_READ and at not in decided
    }
