"""How text sounds: toneless pinyin syllables with what recognisers and accents confuse folded together.

Folded: zh/z, ch/c, sh/s, n/l (before a final), ing/in, eng/en, ang/an; with `f_h` also f/h. Tones are dropped.

Why these: over the 19,019 two-character and 4,868 three-character words that both jieba's and pypinyin's dictionaries hold, a toneless
key of two syllables stands for 1.60 words on average, and for 2.11 with these folds (ang/an costs most, 0.20 of it); three syllables
stay one word (1.02). Further ones are regional, not what recognisers of Mandarin confuse, and each makes keys poorer: f/h 2.17, r/l
2.13, ong/en 2.24, all three 2.37. So f/h is a choice of the caller, and the others are left apart.
"""

import re
from functools import lru_cache
from itertools import pairwise

from search.readings import known_syllables, other_readings, read_aloud

_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"))
_NASALS = (("ing", "in"), ("eng", "en"), ("ang", "an"))
_LATIN_RUN = re.compile(r"[a-z]+")


@lru_cache(maxsize=4096)
def fold_syllable(syllable: str, *, f_h: bool = False) -> str:
    """`zhang` → `zan`, `nv` → `lv`, `sheng` → `sen`."""
    for written, folded in _INITIALS:
        if syllable.startswith(written):
            syllable = folded + syllable[len(written) :]
            break
    if syllable[:1] == "n" and len(syllable) > 1:
        syllable = "l" + syllable[1:]
    if f_h and syllable[:1] == "f":
        syllable = "h" + syllable[1:]
    for written, folded in _NASALS:
        if syllable.endswith(written):
            return syllable[: -len(written)] + folded
    return syllable


def syllables(folded_text: str) -> list[str]:
    """One toneless, unfolded syllable per character of already folded text; Latin characters stand for themselves, others give ''."""
    return read_aloud(folded_text)


def sound_bigrams(sounds: list[str]) -> list[str]:
    """Overlapping pairs of folded syllables, as single ASCII tokens; Latin characters take no part."""
    folded = [fold_syllable(sound) if len(sound) > 1 or sound in ("a", "e", "o") else "" for sound in sounds]
    return [f"{one}_{other}".replace("_", "0") for one, other in pairwise(folded) if one and other]


def other_sound_bigrams(folded_text: str) -> dict[str, str]:
    """Pairs as of `sound_bigrams` that arise where a character can be read otherwise and no phrase decides how (行 as hang, 长 as zhang),
    each with the pair of the commoner reading that it stands for.

    For questions: text is indexed by its commoner reading, so whoever types or says the other one is found by these.
    """
    sounds = syllables(folded_text)
    pairs: dict[str, str] = {}
    for at, readings in other_readings(folded_text, sounds).items():
        before, after = sounds[max(0, at - 1) : at], sounds[at + 1 : at + 2]
        common = sound_bigrams([*before, sounds[at], *after])
        for reading in readings:
            pairs |= dict(zip(sound_bigrams([*before, reading, *after]), common, strict=False))
    return {pair: stood for pair, stood in pairs.items() if pair != stood}


@lru_cache(maxsize=4096)
def read_pinyin(latin: str) -> tuple[str, ...]:
    """Syllables of pinyin typed without Chinese (`guohang` → guo, hang); empty if the letters are no pinyin. Longest syllables first."""
    known = known_syllables()
    ends: dict[int, tuple[str, ...]] = {len(latin): ()}
    for start in range(len(latin) - 1, -1, -1):
        for length in range(6, 0, -1):
            rest = ends.get(start + length)
            if rest is not None and latin[start : start + length] in known:
                candidate = (latin[start : start + length], *rest)
                if start not in ends or len(candidate) < len(ends[start]):
                    ends[start] = candidate
    return ends.get(0, ())


def typed_sounds(folded_text: str) -> list[str]:
    """As `syllables`, but Latin runs that are pinyin count as the syllables they spell (what buyers type: `mian dan`, `zhi颈椎病`)."""
    sounds: list[str] = []
    at = 0
    for match in _LATIN_RUN.finditer(folded_text):
        spelled = read_pinyin(match[0]) if len(match[0]) > 1 else ()
        if spelled and not any(len(syllable) == 1 for syllable in spelled):
            sounds.extend(sound for sound in syllables(folded_text[at : match.start()]) if sound)
            sounds.extend(spelled)
            at = match.end()
    return sounds + [sound for sound in syllables(folded_text[at:]) if sound]
