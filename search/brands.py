"""Brands by their other names: who asks for Dyson finds 戴森, and who asks for 杨树林 finds YSL.

The names are in `rules/brands.toml`. Everything is looked up in tables that are built once; text is folded as for indexing.
"""

import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from search.chinese import fold, is_word
from search.sounds import fold_syllable, syllables

COMMON_WORD_WEIGHT = 0.5
HEARD_WEIGHT = 0.7


@dataclass(frozen=True, slots=True)
class BrandHit:
    """A brand named at `start:end` of folded text. `others`: its other names, folded as text is. `heard_as`: only the sound matches.

    `weight`: 1, less for a name that is a common word too (苹果) or that only sounds like it.
    """

    brand: str
    start: int
    end: int
    others: tuple[str, ...]
    weight: float = 1.0
    heard_as: bool = False


@dataclass(frozen=True, slots=True)
class _Names:
    """`by_first`: names by their first character, longest first, each with its brands and whether it is a common word."""

    spellings: Mapping[str, tuple[str, ...]]
    by_first: Mapping[str, tuple[tuple[str, str, bool], ...]]
    by_sound: Mapping[tuple[str, ...], tuple[tuple[str, str], ...]]


@lru_cache(maxsize=1)
def _names() -> _Names:
    spellings: dict[str, tuple[str, ...]] = {}
    by_first: dict[str, list[tuple[str, str, bool]]] = defaultdict(list)
    by_sound: dict[tuple[str, ...], list[tuple[str, str]]] = defaultdict(list)
    for brand, names in _read().items():
        spellings[brand] = tuple(dict.fromkeys(name for name, _ in names))
        for name, common in dict(reversed(names)).items():
            by_first[name[0]].append((name, brand, common))
            if 2 <= len(name) <= 6 and not any(char.isascii() for char in name) and not common:
                by_sound[tuple(fold_syllable(sound) for sound in syllables(name))].append((name, brand))
    return _Names(
        spellings,
        {first: tuple(sorted(found, key=lambda each: (-len(each[0]), each[1]))) for first, found in by_first.items()},
        {sound: tuple(found) for sound, found in by_sound.items()},
    )


def _read() -> dict[str, list[tuple[str, bool]]]:
    text = files("search").joinpath("rules/brands.toml").read_text("utf-8")
    found: dict[str, list[tuple[str, bool]]] = {}
    for brands in tomllib.loads(text).values():
        for brand, written in brands.items():
            names: list[tuple[str, bool]] = []
            for name in (brand, *written.split()):
                common = name.endswith("?")
                names += [(spelled, common) for spelled in _spelled(name.removesuffix("?").replace("_", " "))]
            found[brand.removesuffix("?")] = names
    return found


def _spelled(name: str) -> Iterator[str]:
    """A name as folded text holds it, with accents and without, in one word too."""
    bare = "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))
    for spelled in (name, bare):
        folded = fold(spelled).text.strip()
        if folded:
            yield folded
        if " " in folded and len(folded) > 4:
            yield folded.replace(" ", "")


def brand_names(text: str, sounds: Sequence[str] | None = None) -> tuple[BrandHit, ...]:
    """Brands named in folded text, left to right, each with its other names. With `sounds` (one syllable a character) misheard ones too.

    Of names at one place the longest counts; a Latin name counts as a whole word only.
    """
    names = _names()
    hits: list[BrandHit] = []
    at = 0
    while at < len(text):
        found = [entry for entry in names.by_first.get(text[at], ()) if text.startswith(entry[0], at) and _whole(text, at, len(entry[0]))]
        if found:
            name = found[0][0]
            hits.extend(
                BrandHit(brand, at, at + len(name), _without(names.spellings[brand], name), COMMON_WORD_WEIGHT if common else 1.0)
                for written, brand, common in found
                if written == name
            )
            at += len(name)
            continue
        at += 1
    if sounds is not None:
        hits.extend(_heard(text, sounds, hits))
        hits.sort(key=lambda hit: hit.start)
    return tuple(hits)


def _heard(text: str, sounds: Sequence[str], known: Sequence[BrandHit]) -> Iterator[BrandHit]:
    names = _names()
    folded = [fold_syllable(sound) for sound in sounds]
    taken = {at for hit in known for at in range(hit.start, hit.end)}
    for length in (6, 5, 4, 3, 2):
        for start in range(len(folded) - length + 1):
            found = names.by_sound.get(tuple(folded[start : start + length]))
            if not found or not taken.isdisjoint(range(start, start + length)):
                continue
            # 西门 and 细门: of two syllables only what is no word itself
            if length == 2 and is_word(text[start : start + length]):
                continue
            taken.update(range(start, start + length))
            for name, brand in found:
                others = (name, *_without(names.spellings[brand], name))
                yield BrandHit(brand, start, start + length, others, HEARD_WEIGHT / len(found), True)


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(each for each in names if each != name)


def _whole(text: str, at: int, length: int) -> bool:
    """Whether a Latin name is no part of a longer word; Chinese ones stand anywhere."""

    def latin(place: int) -> bool:
        return 0 <= place < len(text) and text[place].isascii() and text[place].isalpha()

    end = at + length
    return not (latin(at) and latin(at - 1)) and not (latin(end - 1) and latin(end))
