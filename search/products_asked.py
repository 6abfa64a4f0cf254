"""Which products of a shelf a question names: by title, alias, shelf number, the platform's id, by sound, in pinyin, or misspelt.

A shelf is prepared once and kept; a question then costs a few set intersections a shelf.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from archive.personal_data import half_width
from archive.recording import Product
from archive.simplified import simplified_throughout
from search.asked_time import find_times
from search.brands import brand_names
from search.chinese import fold, is_word, whole_words
from search.foreign_names import could_hold_names, foreign_names, may_be_name, spelled_in
from search.numerals import read_numeral, say_integer
from search.products import ALIAS_WEIGHT, ANY_TITLE, HEARD_AS, SHELF_WEIGHT, TITLE_WORD_WEIGHT, latin_title_words, name_sound, title_words
from search.sounds import fold_syllable, read_pinyin, syllables
from search.typos import deletions, one_edit_apart, transposed

LONGEST_NAME = 24
LONGEST_SOUND = 8
MISSPELT = 0.75
OTHER_BRAND_NAME = 0.9
MOST_BRANDS = 3
IN_LONGER_WORD = 0.6
SHELVES_KEPT = 4096
LEAST_MISSPELT_LATIN = 4
LEAST_TRANSPOSED = 3
LEAST_SHORTENED = 5
LEAST_ID = 6
_LATIN = re.compile(r"[a-z][a-z0-9]*")
_N = r"(\d{1,4}|[一二三四五六七八九十百两]{1,4})"
_SHELF_NUMBER = re.compile(
    rf"第?{_N}(?:号|个)?\s*链接|链接\s*第?{_N}号?|(?<![月第\d年]){_N}号(?!电池|线|楼|仓|院|机房|字|客服|桌)"
    r"|\b(?:link|item|product|number|no\.?)\s*#?\s*(\d{1,4})\b(?!\s*(?:%|kg|g|ml|cm|days?|years?|months?))|#\s*(\d{1,4})(?!\d)"
)
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class NamedProduct:
    """`weight` 0…1. `how`: alias, title, word (of the title), shelf_no, id, sound, typo, brand, order; `text`: its name there."""

    product_id: str
    title: str
    weight: float
    how: str
    text: str


@dataclass(frozen=True, slots=True)
class _Name:
    product: int
    text: str
    weight: float
    how: str


_Key = tuple[tuple[str, str, tuple[str, ...], str | None], ...]


class AskedNames:
    """A question prepared for looking products up in it. `also`: a name known otherwise, such as an order's product."""

    def __init__(self, text: str, also: str = "") -> None:
        self.folded = fold(text).text
        self.also = fold(also).text
        self.pieces = _pieces_of(self.folded)
        self.also_pieces = _pieces_of(self.also)
        self.brand_pieces = frozenset[str]().union(*map(_pieces_of, _with_other_brands(self.folded))) - self.pieces
        self.sounds = _sounds_of(self.folded)
        latin = {word for word in _LATIN.findall(self.folded) if len(word) >= LEAST_MISSPELT_LATIN}
        self.misspelt = {key: word for word in latin for key in deletions(word)}
        self.numbers = _numbers_in(text)
        self.spoken = syllables(self.folded)
        self.stretches = could_hold_names(self.folded)
        self.latin_names = [name for name in foreign_names(self.folded) if name.isascii()]
        self._edges: list[tuple[int, int]] | None = None
        self._spelled: dict[str, bool] = {}
        self._places: dict[str, tuple[int, int] | None] = {}

    def place(self, name: str) -> tuple[int, int] | None:
        """Where the name stands as one: not inside a Latin word, nor across the border of Chinese ones."""
        if name not in self._places:
            self._places[name] = self._find(name)
        return self._places[name]

    def spells(self, latin: str) -> bool:
        """Whether characters stand in the question that a Latin name may be written with."""
        if latin not in self._spelled:
            self._spelled[latin] = bool(spelled_in(latin, self.folded, self.spoken, self.stretches))
        return self._spelled[latin]

    def _find(self, name: str) -> tuple[int, int] | None:
        at = self.folded.find(name)
        while at >= 0:
            end = at + len(name)
            if not (_joins(self.folded, at) or _joins(self.folded, end)) and not self._crosses(at, end):
                return at, end
            at = self.folded.find(name, at + 1)
        return None

    def is_part(self, start: int, end: int) -> bool:
        """Whether a longer word of the dictionary begins with what stands there: 牛奶 in 牛奶糖."""
        return any(first <= start and end < last and first == start for first, last in self._words())

    def _crosses(self, start: int, end: int) -> bool:
        return any(first < start < last < end for first, last in self._words())

    def _words(self) -> list[tuple[int, int]]:
        if self._edges is None:
            self._edges, at = [], 0
            for word in whole_words(self.folded):
                if len(word) > 1 and not word.isascii():
                    self._edges.append((at, at + len(word)))
                at += len(word)
        return self._edges


class _Shelf:
    """A shelf prepared: names by their text, by their sound, by how they may be misspelt, by shelf number."""

    def __init__(self, key: _Key) -> None:
        self.ids = [product_id for product_id, _, _, _ in key]
        self.titles = [title for _, title, _, _ in key]
        self.names: dict[str, list[_Name]] = defaultdict(list)
        self.sounds: dict[str, list[_Name]] = defaultdict(list)
        self.misspelt: dict[str, list[_Name]] = defaultdict(list)
        self.latin: dict[str, set[str]] = defaultdict(set)
        self.numbers: dict[str, list[int]] = defaultdict(list)
        words = [title_words(title) | latin_title_words(title) | _brands_in(title) for _, title, _, _ in key]
        shared: dict[str, int] = defaultdict(int)
        for found in words:
            for word in found:
                shared[word] += 1
        for number, (product_id, title, aliases, shelf_no) in enumerate(key):
            for alias in aliases:
                self._add(_Name(number, fold(alias).text, ALIAS_WEIGHT, "alias"))
            if title != product_id:
                self._add(_Name(number, fold(title).text, ALIAS_WEIGHT, "title"))
            for word in words[number]:
                self._add(_Name(number, word, TITLE_WORD_WEIGHT / shared[word], "word"))
            if len(product_id) >= LEAST_ID:
                self.names[fold(product_id).text].append(_Name(number, fold(product_id).text, 1.0, "id"))
            if (written := _DIGITS.search(shelf_no or "")) and len(written[0]) <= 4:
                self.numbers[say_integer(int(written[0]))].append(number)
        self.latin_names = tuple(text for text in self.names if text.isascii() and may_be_name(text))
        self.spelled_names = [
            (text, syllables(text), stretches)
            for text in self.names
            if not any(char.isascii() for char in text) and (stretches := could_hold_names(text))
        ]
        self.keys = frozenset(self.names)
        self.sound_keys = frozenset(self.sounds)
        self.misspelt_keys = frozenset(self.misspelt)
        self.latin_keys = frozenset(self.latin)

    def _add(self, name: _Name) -> None:
        if len(name.text) < 2:
            return
        self.names[name.text].append(name)
        if sound := name_sound(name.text):
            self.sounds["|".join(sound)].append(name)
        if not any(char.isascii() for char in name.text):
            if len(name.text) >= LEAST_TRANSPOSED:
                for written in transposed(name.text):
                    self.misspelt[written].append(name)
            if len(name.text) >= LEAST_SHORTENED:
                for written in deletions(name.text) - {name.text}:
                    self.misspelt[written].append(name)
        for word in _LATIN.findall(name.text):
            if len(word) >= LEAST_MISSPELT_LATIN and word not in ANY_TITLE:
                for key in deletions(word):
                    self.latin[key].add(word)


def named_products(asked: AskedNames, products: Sequence[Product]) -> list[NamedProduct]:
    """Products of the shelf that the question names, surest first, each once."""
    shelf = _shelf(tuple((each.product_id, each.title, each.aliases, each.shelf_no) for each in products))
    found: dict[int, tuple[float, str, str]] = {}

    def add(name: _Name, weight: float, how: str) -> None:
        if name.product not in found or found[name.product][0] < weight:
            found[name.product] = weight, how, name.text

    hidden: list[tuple[int, int]] = []
    for text in sorted(shelf.keys & asked.pieces, key=lambda each: (-len(each), each)):
        place = asked.place(text)
        if place is None:
            continue
        if any(start <= place[0] and place[1] <= end and place != (start, end) for start, end in hidden):
            continue
        hidden.append(place)
        for name in shelf.names[text]:
            add(name, name.weight * (IN_LONGER_WORD if len(text) == 2 and asked.is_part(*place) else 1.0), name.how)
    for number in asked.numbers & shelf.numbers.keys():
        # a number that two products bear names neither
        if len(shelf.numbers[number]) == 1:
            add(_Name(shelf.numbers[number][0], number + "号", SHELF_WEIGHT, "shelf_no"), SHELF_WEIGHT, "shelf_no")
    for sound in shelf.sound_keys & asked.sounds.keys():
        start, end = asked.sounds[sound]
        written = asked.folded[start:end]
        if (len(written) == 2 and is_word(written)) or any(
            start < last and first < end and end - start <= last - first for first, last in hidden
        ):
            continue
        for name in shelf.sounds[sound]:
            add(name, name.weight * HEARD_AS, "sound")
    for written in shelf.misspelt_keys & asked.pieces:
        for name in shelf.misspelt[written]:
            add(name, name.weight * MISSPELT, "typo")
    for key in shelf.latin_keys & asked.misspelt.keys():
        for word in shelf.latin[key]:
            if word != asked.misspelt[key] and one_edit_apart(word, asked.misspelt[key]):
                for name in shelf.names.get(word, ()):
                    add(name, name.weight * MISSPELT, "typo")
    for text in shelf.keys & asked.brand_pieces:
        for name in shelf.names[text]:
            add(name, name.weight * OTHER_BRAND_NAME, "brand")
    for text in filter(asked.spells, shelf.latin_names if asked.stretches else ()):
        for name in shelf.names[text]:
            add(name, name.weight * HEARD_AS, "sound")
    for text, spoken, stretches in shelf.spelled_names if asked.latin_names else ():
        places = [place for latin in asked.latin_names for place in spelled_in(latin, text, spoken, stretches)]
        whole = any(place.end - place.start == len(text) for place in places)
        for name in shelf.names[text] if places else ():
            add(name, (name.weight if whole else min(name.weight, TITLE_WORD_WEIGHT)) * HEARD_AS, "sound")
    if not found and asked.also:
        for text in shelf.keys & asked.also_pieces:
            for name in shelf.names[text]:
                add(name, name.weight, "order")
    named = [NamedProduct(shelf.ids[product], shelf.titles[product], *how) for product, how in found.items()]
    return sorted(named, key=lambda each: (-each.weight, each.product_id))


@lru_cache(maxsize=SHELVES_KEPT)
def _shelf(key: _Key) -> _Shelf:
    return _Shelf(key)


def _brands_in(title: str) -> set[str]:
    folded = fold(title).text
    return {folded[hit.start : hit.end] for hit in brand_names(folded)}


def _pieces_of(folded: str) -> frozenset[str]:
    return frozenset(
        folded[start:end] for start in range(len(folded)) for end in range(start + 2, min(start + LONGEST_NAME, len(folded)) + 1)
    )


def _with_other_brands(folded: str) -> list[str]:
    """The question with each brand by its other names: 戴森吹风机 for Dyson 吹风机."""
    return [
        (folded[: hit.start] + other + folded[hit.end :].lstrip()) for hit in brand_names(folded)[:MOST_BRANDS] for other in hit.others[:4]
    ]


def _sounds_of(folded: str) -> dict[str, tuple[int, int]]:
    """Every run of 2…8 syllables with where it stands; Latin that is pinyin counts as the syllables that it spells."""
    heard: list[tuple[str, int, int]] = []
    at = 0
    for match in _LATIN.finditer(folded):
        spelled = read_pinyin(match[0]) if len(match[0]) > 2 else ()
        if spelled and all(len(syllable) > 1 for syllable in spelled):
            heard += _syllables_at(folded, at, match.start())
            heard += [(fold_syllable(syllable), *match.span()) for syllable in spelled]
            at = match.end()
    heard += _syllables_at(folded, at, len(folded))
    runs: dict[str, tuple[int, int]] = {}
    for first in range(len(heard)):
        for last in range(first + 1, min(first + LONGEST_SOUND, len(heard))):
            runs.setdefault("|".join(sound for sound, _, _ in heard[first : last + 1]), (heard[first][1], heard[last][2]))
    return runs


def _syllables_at(folded: str, start: int, end: int) -> list[tuple[str, int, int]]:
    sounds = syllables(folded[start:end])
    return [(fold_syllable(sound), start + n, start + n + 1) for n, sound in enumerate(sounds) if sound and not folded[start + n].isascii()]


def _numbers_in(text: str) -> set[str]:
    """Shelf numbers that the question names, as they are spoken; days of the month are none."""
    plain = half_width(simplified_throughout(text)).lower()
    times = find_times(text)
    numbers = set()
    for match in _SHELF_NUMBER.finditer(plain):
        written = next(group for group in match.groups() if group)
        if any(time.start < match.end() and match.start() < time.end for time in times):
            continue
        if written.isdecimal():
            numbers.add(say_integer(int(written)))
        elif (numeral := read_numeral(written.replace("两", "二"), 0)) and numeral.end == len(written):
            numbers.add(say_integer(int(numeral.value)))
    return numbers


def _joins(text: str, at: int) -> bool:
    """Whether a Latin word goes on over this place."""
    return 0 < at < len(text) and all(char.isascii() and char.isalnum() for char in text[at - 1 : at + 1])
