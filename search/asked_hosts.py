"""Which host a question names as the one who speaks, by name or by sound. A host's name that is only a word of it is none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from archive.simplified import simplified_throughout
from search.sounds import fold_syllable, syllables

LEAST_CHARS = 2
_CALLED = "姐哥妈爸叔嫂总妹弟"
_BEFORE = re.compile(
    r"(?:主播|带货的?|达人|博主|老板娘?|host(?:ess)?|streamer|anchor|named|called)\s*(?:叫|是|名叫|[:：「“\"(（])?\s*$", re.IGNORECASE
)
_AFTER = re.compile(
    r"\s*(?:学姐|老师|姐姐?|哥哥?|嫂子|妈妈?|主播|老板娘?|那边|他们?|她们?|本人|自己|家|的)*(?:当时|那天|那晚|上次|昨晚|昨天|前天|之前|明明|可是|亲口|一直|都|也|还|在|是不是|有没有|到底){0,3}"
    r"(?:直播|说|讲|承诺|保证|答应|宣称|提过|介绍|播|吹|拍胸脯|卖|带货|那场|家买|家的)"
    r"|(?:'s)?\s+(?:live\s*stream|stream|live|show|said|says|promised|claimed|guaranteed|told|mentioned|stated|ever|clearly)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class HostNamed:
    """`name` as the archive has it, `words` as the question writes it. `how`: name or sound."""

    name: str
    words: str
    how: str


def host_named(text: str, hosts: Sequence[str]) -> HostNamed | None:
    """The host whose words are asked for; the longest name where several stand there. None where none does, or it is said of no one."""
    plain = simplified_throughout(text)
    if len(plain) != len(text):
        return None
    lower, sounds = plain.lower(), None
    for host in sorted(hosts, key=lambda name: (-len(name), name)):
        for name in _called(host):
            if at := _spoken_of(lower, name):
                return HostNamed(host, text[at[0] : at[1]], "name")
    for host in sorted(hosts, key=lambda name: (-len(name), name)):
        heard = _sound(host)
        if not heard:
            continue
        sounds = sounds or [fold_syllable(sound) for sound in syllables(lower)]
        for start in range(len(sounds) - len(heard) + 1):
            if tuple(sounds[start : start + len(heard)]) == heard and _speaks(lower, start, start + len(heard)):
                return HostNamed(host, text[start : start + len(heard)], "sound")
    return None


@lru_cache(maxsize=4096)
def _called(host: str) -> tuple[str, ...]:
    """The name in simplified script and lower case, and without what people call anyone by: 小满姐 is 小满 too."""
    name = simplified_throughout(host).lower().strip()
    bare = name[:-1] if name[-1:] in _CALLED and len(name) > LEAST_CHARS and name[0] not in "老大" else name
    return tuple(each for each in dict.fromkeys((name, bare)) if len(each) >= LEAST_CHARS)


@lru_cache(maxsize=4096)
def _sound(host: str) -> tuple[str, ...]:
    name = simplified_throughout(host).strip()
    if len(name) < LEAST_CHARS or any(char.isascii() for char in name):
        return ()
    return tuple(fold_syllable(sound) for sound in syllables(name))


def _spoken_of(plain: str, name: str) -> tuple[int, int] | None:
    at = plain.find(name)
    while at >= 0:
        if _speaks(plain, at, at + len(name)):
            return at, at + len(name)
        at = plain.find(name, at + 1)
    return None


def _speaks(plain: str, start: int, end: int) -> bool:
    if _latin_goes_on(plain, start) or _latin_goes_on(plain, end):
        return False
    return bool(_BEFORE.search(plain[max(0, start - 16) : start]) or _AFTER.match(plain, end))


def _latin_goes_on(text: str, at: int) -> bool:
    return 0 < at < len(text) and all(char.isascii() and char.isalnum() for char in text[at - 1 : at + 1])
