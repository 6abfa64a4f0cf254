"""How a Latin name sounds when it is said in Mandarin: Nike → nai ke, Dyson → dai sen, Adidas → a di da si.

By the trade's habits of transliteration, roughly: letters become consonants and vowels as English, French and Italian names mostly read,
and each pair of them the syllable that is commonly written for it. What is compared with it is compared tolerantly, because recognisers
write 路路柠檬 for lululemon and people say names in several ways.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from search.readings import known_syllables
from search.sounds import fold_syllable

LONGEST: Final = 24
LIKELY: Final = 0.7
_CONSONANTS: Final = (
    ("sch", "sh"),
    ("tch", "ch"),
    ("chr", "kr"),
    ("sh", "sh"),
    ("ch", "ch"),
    ("ph", "f"),
    ("th", "s"),
    ("ck", "k"),
    ("qu", "kw"),
    ("gh", "g"),
    ("gn", "n"),
    ("kn", "n"),
    ("wh", "w"),
    ("wr", "r"),
    ("rh", "r"),
    ("dg", "j"),
    ("zz", "z"),
    ("x", "ks"),
    ("q", "k"),
)
_VOWELS: Final = {
    "eau": "o",
    "oeu": "e",
    "aie": "ei",
    "igh": "ai",
    "oo": "u",
    "ou": "u",
    "ow": "ao",
    "ee": "i",
    "ea": "i",
    "ie": "i",
    "ey": "i",
    "ei": "ai",
    "ai": "ei",
    "ay": "ei",
    "au": "o",
    "aw": "o",
    "eu": "ou",
    "ew": "u",
    "oe": "o",
    "ue": "u",
    "ui": "ui",
    "oa": "o",
    "uy": "ai",
    "a": "a",
    "e": "e",
    "i": "i",
    "o": "o",
    "u": "u",
    "y": "i",
}
_COLUMNS: Final = ["a", "e", "ei", "ai", "i", "o", "u", "ao", "ou", "an", "en", "in", "on", "un"]
_SYLLABLES: Final = {
    row.split()[0].replace("-", ""): dict(zip(_COLUMNS, row.split()[1:], strict=True))
    for row in (
        "b ba bei bei bai bi bo bu bao bo ban ben bin bang ben",
        "p pa pei pei pai pi po pu pao po pan pen pin peng peng",
        "m ma mei mei mai mi mo mu mao mou man men min meng meng",
        "f fa fei fei fai fei fu fu fu fu fan fen fen feng feng",
        "v wa wei wei wai wei wo fu wo wo fan wen wen wang wen",
        "w wa wei wei wai wei wo wu wo wo wan wen wen wang wen",
        "t ta te tai tai di tuo tu tao tou tan teng ting tong tun",
        "d da de dai dai di duo du dao dou dan deng ding dong dun",
        "n na nei nei nai ni nuo nu nao nou nan nen ning nong nun",
        "l la lei lei lai li luo lu lao lou lan lun lin long lun",
        "r la lei lei lai li luo lu lao lou lan lun lin long lun",
        "g jia ge gei gai ji ge gu gao gou gan geng jin gong gun",
        "k ka ke kai kai ji ke ku kao kou kan ken jin kong kun",
        "h ha he hei hai xi huo hu hao hou han heng xin hong hun",
        "j jia jie jie jia ji qiao zhu qiao qiu jian zhen jin qiong zhun",
        "ch qia qie qie chai qi qiao chu qiao qiu chan chen qin qiong chun",
        "sh xia xie xie xia xi xiao shu xiao xiu xiang xun xin xiong shun",
        "s sa sai sai sai xi suo su sao sou sang sen xin song sun",
        "z za ze zei zai qi zuo zu zao zou zan zen jin zong zun",
        "y ya ye ye ya yi yue you yao you yang yan yin yong yun",
        "- a ai ai ai yi ou wu ao ou an en yin ang wen",
    )
}
_ALONE: Final = {
    "b": "bu",
    "p": "pu",
    "m": "mu",
    "f": "fu",
    "v": "fu",
    "w": "wu",
    "t": "te",
    "d": "de",
    "n": "en",
    "l": "er",
    "r": "er",
    "g": "ge",
    "k": "ke",
    "h": "",
    "j": "qi",
    "ch": "qi",
    "sh": "shi",
    "s": "si",
    "z": "ci",
    "y": "yi",
}
_TOKEN: Final = re.compile("sh|ch|(?P<vowel>" + "|".join(sorted(map(re.escape, _VOWELS), key=len, reverse=True)) + ")|[a-z]")
_VOWEL_LETTERS: Final = "aeiouy"


class _Sound(NamedTuple):
    syllable: str
    weak: bool


@lru_cache(maxsize=8192)
def latin_sound(word: str) -> tuple[str, ...]:
    """Approximate Mandarin syllables of one Latin word; empty for what has no letters or is longer than a name."""
    return tuple(sound.syllable for sound in _sounds_of(word))


@lru_cache(maxsize=8192)
def _sounds_of(word: str) -> tuple[_Sound, ...]:
    plain = unicodedata.normalize("NFD", word.lower()).replace("’", "'").removeprefix("l'")
    letters = "".join(char for char in plain if "a" <= char <= "z")
    if not letters or len(letters) > LONGEST:
        return ()
    return tuple(_syllabify(_phonemes(letters)))


def _phonemes(letters: str) -> list[tuple[str, bool]]:
    """Consonants and vowels in order, each with whether it is a vowel."""
    # endings as they are said: Dyson, Celine, Nivea, Cartier; and Gucci
    letters = re.sub(r"cc(?=[ie])", "ch", re.sub(r"son$", "sen", re.sub(r"ine$", "in", letters)))
    letters = re.sub(r"(?<=[b-df-hj-np-tv-z])(?:i|e(?=a$))(?=a|er$)", "iY", letters)
    letters = re.sub(r"([b-df-hj-np-tv-z])\1", r"\1", letters)
    # c, g by what follows; y as i but before a vowel
    letters = re.sub(r"c(?=[eiy])", "s", letters)
    letters = re.sub(r"(?<=[a-z])g(?=e$|es$|er)", "j", letters)
    letters = re.sub(r"c(?!h)", "k", letters).replace("kk", "k")
    letters = re.sub(r"(?<=.)y(?=[aeou])|^y(?=[aeiou])", "Y", letters)
    # a silent e at the end makes the vowel before it long: Nike, Cate, Rose
    long = re.search(r"([aiuo])([b-df-hj-np-tv-z])e$", letters)
    if long and len(letters) > 3:
        letters = letters[: long.start()] + {"a": "ei", "i": "I", "u": "u", "o": "o"}[long[1]] + long[2]
    elif re.search(r"[^aeiouyY]e$", letters) and len(letters) > 4:
        letters = letters[:-1]
    for written, spoken in _CONSONANTS:
        letters = letters.replace(written, spoken)
    # ai of a stressed first syllable: Dyson, Cyber
    letters = re.sub(r"^([b-df-hj-np-tv-z]{1,2})y(?=[b-df-hj-np-tv-z][aeiou])", r"\1I", letters)
    phonemes: list[tuple[str, bool]] = []
    at = 0
    while at < len(letters):
        if letters[at] in "IY":
            phonemes.append(("ai", True) if letters[at] == "I" else ("y", False))
            at += 1
            continue
        match = _TOKEN.match(letters, at)
        if not match:
            at += 1
            continue
        phonemes.append((_VOWELS[match[0]], True) if match["vowel"] else (match[0], False))
        at = match.end()
    return phonemes


def _syllabify(phonemes: list[tuple[str, bool]]) -> list[_Sound]:
    sounds: list[_Sound] = []
    at = 0
    while at < len(phonemes):
        sound, is_vowel = phonemes[at]
        if not is_vowel and (at + 1 == len(phonemes) or not phonemes[at + 1][1]):
            alone = _ALONE.get(sound, "")
            # l and r before a consonant or at the end are weak or not said at all
            if alone and not (sound in "rh" and at):
                sounds.append(_Sound(alone, True))
            at += 1
            continue
        initial, vowel = (sound, phonemes[at + 1][0]) if not is_vowel else ("", sound)
        at += 1 if is_vowel else 2
        nasal = at < len(phonemes) and phonemes[at][0] in ("n", "m") and (at + 1 == len(phonemes) or not phonemes[at + 1][1])
        if nasal:
            at += 1
            if at < len(phonemes) and phonemes[at][0] == "g" and (at + 1 == len(phonemes) or not phonemes[at + 1][1]):
                at += 1
        sounds.extend(_spoken(initial, vowel, nasal))
    return sounds


def _spoken(initial: str, vowel: str, nasal: bool) -> list[_Sound]:
    row = _SYLLABLES.get(initial, _SYLLABLES[""])
    if vowel == "ui":
        return [_Sound(row["u"], False), _Sound(_SYLLABLES[""]["in" if nasal else "i"], False)]
    if not nasal:
        return [_Sound(row[vowel], False)]
    column = {"a": "an", "e": "en", "i": "in", "o": "on", "u": "un"}.get(vowel)
    return [_Sound(row[column], False)] if column else [_Sound(row[vowel], False), _Sound("en", True)]


def _likenesses(table: dict[float, str]) -> dict[frozenset[str], float]:
    return {frozenset(pair.split("/")): worth for worth, pairs in table.items() for pair in pairs.split()}


_INITIALS: Final = ["zh", "ch", "sh", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x", "r", "z", "c", "s", "y", "w"]
_ALIKE: Final = _likenesses(
    {
        1.0: "z/zh c/ch s/sh",
        0.9: "n/l",
        0.8: "b/p d/t g/k l/r j/q q/ch x/sh x/s zh/ch y/-",
        0.7: "j/zh q/c z/c z/s j/g x/h f/w w/-",
        0.6: "j/z c/s q/x q/k f/h",
        0.5: "n/r j/x h/k y/w h/-",
        0.4: "f/b w/b y/j m/n",
    }
)
_NUCLEI: Final = {
    **{"iao": "ao", "uai": "ai", "ua": "a", "ia": "a", "uo": "o"},
    **{"ie": "ei", "ue": "ei", "ve": "ei", "ui": "ei", "iu": "ou"},
}
_NEAR: Final = _likenesses(
    {
        0.9: "o/ou",
        0.8: "ai/ei u/v ao/ou er/e",
        0.7: "e/o e/ei i/v u/o u/ou o/ao",
        0.6: "a/ai a/ao a/o a/e e/ai i/ei i/e",
        0.5: "i/ai u/e er/a er/o",
        0.4: "er/ei er/ai i/u ao/u",
    }
)


@lru_cache(maxsize=2048)
def _parts(syllable: str) -> tuple[str, str, bool]:
    """Initial, nucleus and whether it ends in a nasal: qiang → q, a, True."""
    initial = next((each for each in _INITIALS if syllable.startswith(each)), "")
    final = syllable[len(initial) :]
    nasal = final.endswith(("n", "ng"))
    nucleus = final.rstrip("g").rstrip("n") if nasal else final
    if initial in ("y", "w") and nasal and nucleus == "":
        nucleus = "e"
    nucleus = _NUCLEI.get(nucleus, nucleus)
    if nasal and nucleus in ("ei", "u") and final in ("ian", "uan", "iong"):
        nucleus = "a"
    return initial or "-", nucleus or "e", nasal


@lru_cache(maxsize=65536)
def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    first, second = _parts(one), _parts(other)
    initial = 1.0 if first[0] == second[0] else _ALIKE.get(frozenset((first[0], second[0])), 0.0)
    nucleus = 1.0 if first[1] == second[1] else _NEAR.get(frozenset((first[1], second[1])), 0.1)
    if first[2] != second[2]:
        nucleus *= 0.7
    # consonants carry a name, vowels change with who says it
    return initial * (0.55 + 0.45 * nucleus) if initial else 0.15 * nucleus


@lru_cache(maxsize=8192)
def likely_syllables(word: str, at: int = 0, least: float = 0.5) -> Mapping[str, float]:
    """Syllables, folded and not, by which the `at`th of a Latin word may be heard, with how surely; empty where it has none.

    Of a weak first one, which may go unheard, those of the next as well.
    """
    meant = _sounds_of(word)[at : at + 2]
    wanted = meant[: 2 if at == 0 and meant and meant[0].weak else 1]
    found: dict[str, float] = {}
    for heard in _every_syllable() if wanted else ():
        likeness = max(_alike(each.syllable, heard) for each in wanted)
        if likeness >= least:
            found[heard] = likeness
    return found


@lru_cache(maxsize=1)
def _every_syllable() -> frozenset[str]:
    whole = {each for each in known_syllables() if len(each) > 1 or each in ("a", "e", "o")}
    return frozenset(whole | {fold_syllable(each) for each in whole})


_WEAK_GAP: Final = 0.35
_GAP: Final = 0.85
_WEAK_SYLLABLES: Final = frozenset(["si", "te", "de", "er", "ke", "ge", "fu", "pu", "bu", "mu", "ci", "en", "shi", "qi", "le"])


def sounds_like(latin: str, syllables: Sequence[str]) -> float:
    """How well spoken syllables (toneless, folded or not) fit a Latin word, 0…1; from LIKELY on they may well be it.

    Of 126 transliterations in use (兰蔻, 沙发, 威士忌) 71 % reach LIKELY and 79 % 0.6; of other Chinese words as long 0.13 % and 0.46 % do.
    """
    return _likeness(latin, tuple(syllables))


@lru_cache(maxsize=16384)
def _likeness(latin: str, heard: tuple[str, ...]) -> float:
    meant = _sounds_of(latin)
    if not meant or not heard or len(heard) > 2 * len(meant) + 1:
        return 0.0
    row = [0.0]
    for syllable in heard:
        row.append(row[-1] + (_WEAK_GAP if syllable in _WEAK_SYLLABLES else _GAP))
    for sound in meant:
        skipped = _WEAK_GAP if sound.weak else _GAP
        fresh = [row[0] + skipped]
        for at, syllable in enumerate(heard):
            added = _WEAK_GAP if syllable in _WEAK_SYLLABLES else _GAP
            fresh.append(min(row[at] + 1 - _alike(sound.syllable, syllable), row[at + 1] + skipped, fresh[at] + added))
        row = fresh
    return max(0.0, 1.0 - row[-1] / max(len(heard), sum(1.0 if not sound.weak else 0.6 for sound in meant)))


def heard_as(latin: str, sounds: Sequence[str], least: float = LIKELY) -> list[tuple[int, int, float]]:
    """Where in a text's syllables (one a character) a Latin word may have been said: start, end and likeness, best first, not overlapping.

    Words of one syllable are not looked for: too much sounds like them.
    """
    meant = _sounds_of(latin)
    if len(meant) < 2:
        return []
    lengths = range(max(2, len(meant) - 1), len(meant) + 2)
    found = []
    for start, first in enumerate(sounds):
        if not first or max(_alike(meant[0].syllable, first), _alike(meant[1].syllable, first) if meant[0].weak else 0.0) < 0.5:
            continue
        for length in lengths:
            window = tuple(sounds[start : start + length])
            if len(window) == length and all(len(each) > 1 or each in ("a", "e", "o") for each in window):
                likeness = _likeness(latin, window)
                if likeness >= least:
                    found.append((start, start + length, likeness))
    kept: list[tuple[int, int, float]] = []
    for span in sorted(found, key=lambda each: (-each[2], each[0])):
        if all(span[1] <= start or end <= span[0] for start, end, _ in kept):
            kept.append(span)
    return kept
