"""Which product is meant: named in speech or question (title, alias, shelf number, also by sound), or on air by what events say.

Without shelf, events or names everything here is empty, and ranking stays neutral.
"""

import bisect
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from archive.recording import EventKind, Product, ProductEvent
from search.chinese import FILLERS, fold, is_word, words
from search.foreign_names import could_hold_names, may_be_name, spelled_in
from search.numerals import NUMERAL_CHARS, say_integer
from search.sounds import fold_syllable, syllables

ALIAS_WEIGHT = 1.0
SHELF_WEIGHT = 0.9
TITLE_WORD_WEIGHT = 0.7
HEARD_AS = 0.8
SHELVES_KEPT = 4096
LEAST_LATIN = 3
# Words of titles that name no product.
_ANY_TITLE_WORDS = "pro max plus mini new hot set box pcs pack size color style for with and the kg ml spf vip hd usb led"
ANY_TITLE = frozenset(_ANY_TITLE_WORDS.split())
_LATIN = re.compile(r"[a-z][a-z0-9]*")
_SHELF_NUMBER = re.compile(r"\d+")
# 十二月三号, 三号晚上发货: a day of the month. 三号电池, 三号楼: what else bears numbers.
_MONTH_BEFORE = re.compile(r"月份?的?$")
_DAY_AFTER = re.compile(
    r"(?!链接|连结|连接)(?:这天|那天|当天|早上|早晨|上午|中午|下午|傍晚|晚上|凌晨|夜里|晚|早|[一二三四五六七八九十]点|之?前|以前|之?后|以后|左右|开始|截止|到期|"
    r"统一|才能|陆续|安排|发货|发出|出货|到货|电池|线|楼|仓|院|机房|字|客服|桌|门|店|机位)"
)


@dataclass(frozen=True, slots=True)
class _Name:
    product_id: str
    text: str
    weight: float
    sound: tuple[str, ...]


class Shelf:
    """Finds a shelf's products in folded text."""

    def __init__(self, products: Sequence[Product]) -> None:
        self.products = {product.product_id: product for product in products}
        self._names = _names_of(tuple((each.product_id, each.title, each.aliases, each.shelf_no) for each in products))
        self._latin = [name for name in self._names if name.text.isascii() and may_be_name(name.text)]

    def spoken_names(self, product_ids: Mapping[str, float], folded: str) -> list[tuple[int, int]]:
        """Where in folded text these products' names stand, as spans."""
        return [(at, at + len(name.text)) for name in self._names if name.product_id in product_ids for at in _places(name.text, folded)]

    def named_in(self, folded: str, sounds: Sequence[str] | None = None) -> dict[str, float]:
        """Product ids named in folded text, with how surely (0…1]. A name inside a longer name found at that place doesn't count."""
        found: dict[str, float] = {}
        taken = [False] * len(folded)
        heard = "|" + "|".join(fold_syllable(sound) for sound in sounds) + "|" if sounds else ""
        for name in self._names:
            at = -1
            if name.text in folded:
                at = next((at for at in _places(name.text, folded) if not all(taken[at : at + len(name.text)])), -1)
            if at >= 0:
                found[name.product_id] = max(found.get(name.product_id, 0.0), name.weight)
                if len(name.text) > 1:
                    # the same letters may name several products (two cups): only longer names hide shorter ones
                    taken[at + 1 : at + len(name.text) - 1] = [True] * (len(name.text) - 2)
                    taken[at] = taken[at + len(name.text) - 1] = len(name.text) > 2 or taken[at]
            elif heard and name.sound and "|" + "|".join(name.sound) + "|" in heard:
                position = heard.count("|", 0, heard.index("|" + "|".join(name.sound) + "|"))
                written = folded[position : position + len(name.sound)]
                if len(name.sound) > 2 or not is_word(written):
                    found[name.product_id] = max(found.get(name.product_id, 0.0), name.weight * HEARD_AS)
        if sounds and self._latin and (stretches := could_hold_names(folded)):
            for latin in self._latin:
                if spelled := spelled_in(latin.text, folded, sounds, stretches):
                    sure = latin.weight * HEARD_AS * max(each.likeness for each in spelled)
                    found[latin.product_id] = max(found.get(latin.product_id, 0.0), sure)
        return found


def _places(name: str, folded: str) -> Iterator[int]:
    """Where a name stands as one: 三号 not in 十三号 nor as a day, a Latin one not inside another word."""
    at = folded.find(name)
    while at >= 0:
        end = at + len(name)
        parted = not (_is_latin(folded, at - 1) and _is_latin(folded, at)) and not (_is_latin(folded, end - 1) and _is_latin(folded, end))
        if parted and (not name.endswith("号") or _is_shelf_number(folded, at, end)):
            yield at
        at = folded.find(name, at + 1)


def _is_latin(text: str, at: int) -> bool:
    return 0 <= at < len(text) and text[at].isascii() and text[at].isalpha()


def _is_shelf_number(folded: str, start: int, end: int) -> bool:
    return (start == 0 or folded[start - 1] not in NUMERAL_CHARS) and not (
        _MONTH_BEFORE.search(folded, max(0, start - 4), start) or _DAY_AFTER.match(folded, end)
    )


@lru_cache(maxsize=SHELVES_KEPT)
def _names_of(shelf: tuple[tuple[str, str, tuple[str, ...], str | None], ...]) -> list[_Name]:
    """All names of (id, title, aliases, shelf number) each, longest first. A title's word that n products share weighs 1/n."""
    words_of = {product_id: title_words(title) | latin_title_words(title) for product_id, title, _, _ in shelf}
    shared = Counter(word for found in words_of.values() for word in found)
    names: dict[tuple[str, str], float] = {}
    for product_id, title, aliases, shelf_no in shelf:
        number = _SHELF_NUMBER.search(shelf_no or "")
        # A product known only by its id bears it as title: nobody says it, and a short one is a number that is said of anything.
        titles = (title,) if title != product_id else ()
        entries = [(fold(alias).text, ALIAS_WEIGHT) for alias in (*aliases, *titles)]
        if number and len(number[0]) <= 4:
            entries.append((say_integer(int(number[0])) + "号", SHELF_WEIGHT))
        entries += [(word, TITLE_WORD_WEIGHT / shared[word]) for word in words_of[product_id]]
        for text, weight in entries:
            if len(text) >= 2:
                names[product_id, text] = max(names.get((product_id, text), 0.0), weight)
    return sorted(
        (_Name(product_id, text, weight, name_sound(text)) for (product_id, text), weight in names.items()),
        key=lambda name: (-len(name.text), -name.weight),
    )


def title_words(title: str) -> set[str]:
    """Chinese words of a title that may name the product."""
    return {
        word
        for word in words(fold(title).text)
        if len(word) >= 2 and word not in FILLERS and not set(word) & NUMERAL_CHARS and not word.isascii()
    }


def latin_title_words(title: str) -> set[str]:
    """Latin words of a title that may name the product: Vexaro in Vexaro Pro 吹风机."""
    return {word for word in _LATIN.findall(fold(title).text) if len(word) >= LEAST_LATIN and word not in ANY_TITLE}


def name_sound(text: str) -> tuple[str, ...]:
    """A name's folded syllables; empty for one that isn't looked for by sound."""
    if any(char.isascii() for char in text) or text.endswith("号"):
        return ()
    return tuple(fold_syllable(sound) for sound in syllables(text))


class AirTimes:
    """What events say was on air when: the products being explained; where nobody marks explanations, the product whose card was shown
    last.

    Only what a platform said has begun counts, or with `inferred` only what somebody inferred; it ends by either.
    """

    def __init__(self, events: Iterable[ProductEvent], *, inferred: bool = False) -> None:
        in_order = sorted(events, key=lambda each: each.at_ms)
        marking = (EventKind.EXPLAIN_START, EventKind.EXPLAIN_END)
        self.marks = any(event.event in marking and event.inferred == inferred for event in in_order)
        self._times: list[int] = []
        self._then: list[frozenset[str]] = []
        explained: set[str] = set()
        card: str | None = None
        for event in in_order:
            if event.inferred != inferred and event.event in (EventKind.EXPLAIN_START, EventKind.CARD_SHOWN):
                continue
            match event.event:
                case EventKind.EXPLAIN_START:
                    explained.add(event.product_id)
                case EventKind.EXPLAIN_END | EventKind.DELISTED:
                    explained.discard(event.product_id)
                    card = None if card == event.product_id else card
                case EventKind.CARD_SHOWN:
                    card = event.product_id
                case _:
                    continue
            self._times.append(event.at_ms)
            self._then.append(frozenset(explained) if self.marks else frozenset((card,) if card else ()))

    def __bool__(self) -> bool:
        """Whether anything ever was on air."""
        return any(self._then)

    def at(self, at_ms: int) -> frozenset[str]:
        at = bisect.bisect_right(self._times, at_ms)
        return self._then[at - 1] if at else frozenset()
