"""How text sounds: toneless pinyin syllables with what recognisers and accents confuse folded together.

Folded: zh/z, ch/c, sh/s, n/l (before a final), ing/in, eng/en, ang/an; with `f_h` also f/h. Tones are dropped.
"""

import re
from functools import lru_cache
from itertools import pairwise

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
    from pypinyin import lazy_pinyin

    # a list from `errors` gives one entry a character; the package's type hints know strings only
    sounds: list[str] = lazy_pinyin(folded_text, errors=_latin_by_character)  # type: ignore[arg-type]
    return sounds if len(sounds) == len(folded_text) else [_sound_of(char) for char in folded_text]


@lru_cache(maxsize=20_000)
def toned(word: str) -> tuple[str, ...]:
    """Syllables of a word with their tones (`zhi4`, `bao3`), read without what stands around it."""
    from pypinyin import Style, lazy_pinyin

    return tuple(lazy_pinyin(word, style=Style.TONE3))


def _latin_by_character(run: str) -> list[str]:
    return [char if char.isascii() and char.isalnum() else "" for char in run]


@lru_cache(maxsize=20_000)
def _sound_of(char: str) -> str:
    from pypinyin import lazy_pinyin

    return "".join(lazy_pinyin(char, errors=lambda run: run if run.isascii() and run.isalnum() else ""))


def sound_bigrams(sounds: list[str]) -> list[str]:
    """Overlapping pairs of folded syllables, as single ASCII tokens; Latin characters take no part."""
    folded = [fold_syllable(sound) if len(sound) > 1 or sound in ("a", "e", "o") else "" for sound in sounds]
    return [f"{one}_{other}".replace("_", "0") for one, other in pairwise(folded) if one and other]


@lru_cache(maxsize=1)
def _known_syllables() -> frozenset[str]:
    from pypinyin import lazy_pinyin
    from pypinyin.constants import PINYIN_DICT

    return frozenset(lazy_pinyin("".join(map(chr, (code for code in PINYIN_DICT if 0x4E00 <= code <= 0x9FFF)))))


@lru_cache(maxsize=4096)
def read_pinyin(latin: str) -> tuple[str, ...]:
    """Syllables of pinyin typed without Chinese (`guohang` → guo, hang); empty if the letters are no pinyin. Longest syllables first."""
    known = _known_syllables()
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
