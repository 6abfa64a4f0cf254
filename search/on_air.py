"""The product on air as speech tells it, where no platform's events do: inferred, with a confidence, and never more than that.

A product comes on air when it is named: by an alias, its title, a word of its title, or the number of its link (三号链接, 3号链接,
第三个链接). It goes off when another is named, when nobody speaks for SILENCE_MS, or when it wasn't named again for UNNAMED_MS.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from archive.recording import Product, Recording
from archive.transcript import Segment
from search.chinese import fold
from search.numerals import NUMERAL_CHARS, say_integer
from search.products import Shelf
from search.sounds import syllables
from search.units import cut_units

SILENCE_MS = 90_000
UNNAMED_MS = 300_000
HALF_LIFE_MS = 180_000
LINK_WEIGHT = 0.95
OPENS = 0.65
CONFIRMED = 0.3
LEAST = 0.1
# What an events file marks as inferred says nothing of how sure it is.
IMPORTED_SURE = 0.8
_NUMERALS = "".join(sorted(NUMERAL_CHARS))
_LINK = re.compile(rf"(?:第([{_NUMERALS}]+)[号个]|([{_NUMERALS}]+)号)的?(?:链接|连结|连接)|(?:链接|连结|连接)([{_NUMERALS}]+)(?!个)")
_SHELF_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of speech with the products named in it, by how surely (0…1]."""

    start_ms: int
    end_ms: int
    named: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class InferredSpan:
    """A product that speech puts on air from `start_ms` to `end_ms`. `named_ms`: when it was named, in order, with how surely then."""

    product_id: str
    start_ms: int
    end_ms: int
    confidence: float
    named_ms: tuple[tuple[int, float], ...]

    def confidence_at(self, at_ms: int) -> float:
        """How sure it is at a moment, 0…1: as when it was last named, halving every HALF_LIFE_MS since; 0 outside the span."""
        if not self.start_ms <= at_ms < self.end_ms:
            return 0.0
        named_at, sure = next((named for named in reversed(self.named_ms) if named[0] <= at_ms), self.named_ms[0])
        return float(sure * 0.5 ** (max(at_ms - named_at, 0) / HALF_LIFE_MS))


def links_said(folded: str, shelf: Mapping[str, str]) -> dict[str, float]:
    """Products by the numbers of their links in folded text. `shelf`: product id by spoken number (三)."""
    found: dict[str, float] = {}
    for match in _LINK.finditer(folded):
        number = match[1] or match[2] or match[3]
        # 一二号链接 is two links, 十二号链接 one.
        for each in (number,) if number in shelf else tuple(number):
            if each in shelf:
                found[shelf[each]] = LINK_WEIGHT
    return found


def spoken_numbers(products: Sequence[Product]) -> dict[str, str]:
    """Product id by shelf number as it is spoken; a number that two products bear names neither."""
    numbers: dict[str, list[str]] = {}
    for product in products:
        written = _SHELF_NUMBER.search(product.shelf_no or "")
        if written and len(written[0]) <= 4:
            numbers.setdefault(say_integer(int(written[0])), []).append(product.product_id)
    return {number: ids[0] for number, ids in numbers.items() if len(ids) == 1}


def infer_spans(spoken: Sequence[Said]) -> tuple[InferredSpan, ...]:
    """Spans in the order in which they begin. Several products named at once are on air together, and each is less sure."""
    done: list[InferredSpan] = []
    air = OnAir(ended=done.append)
    for said in spoken:
        air.hear(said)
    air.end()
    return tuple(sorted(done, key=lambda span: (span.start_ms, span.product_id)))


@dataclass(frozen=True, slots=True)
class AirNow:
    """What is on air at a moment, as it was heard so far: for each product when it was named, in order, with how surely then."""

    named_ms: tuple[tuple[str, tuple[tuple[int, float], ...]], ...] = ()
    last_end_ms: int | None = None


class OnAir:
    """Follows talk, stretch by stretch in the order of time. `ended` is told each span that is over, with all that named it."""

    def __init__(self, now: AirNow | None = None, ended: Callable[[InferredSpan], object] | None = None) -> None:
        self._on = {product_id: list(named) for product_id, named in now.named_ms} if now else {}
        self._last_end_ms = now.last_end_ms if now else None
        self._ended = ended

    @property
    def now(self) -> AirNow:
        """All that what comes next depends on."""
        return AirNow(tuple((product_id, tuple(named)) for product_id, named in self._on.items()), self._last_end_ms)

    def hear(self, said: Said) -> None:
        for product_id in list(self._on):
            silent = self._last_end_ms is not None and said.start_ms - self._last_end_ms > SILENCE_MS
            unnamed_ms = self._on[product_id][-1][0] + UNNAMED_MS
            if silent or said.start_ms > unnamed_ms:
                self._close(product_id, min(self._last_end_ms or said.start_ms, unnamed_ms))
        self._last_end_ms = max(self._last_end_ms or 0, said.end_ms)
        # A word that several titles share tells something only of what is on air already, or where nothing is.
        heard = {product_id: strength for product_id, strength in said.named.items() if strength >= OPENS}
        heard = heard or {product_id: strength for product_id, strength in said.named.items() if product_id in self._on or not self._on}
        if not heard:
            return
        for product_id in [each for each in self._on if each not in heard]:
            self._close(product_id, said.start_ms)
        total = sum(heard.values())
        for product_id, strength in heard.items():
            before = max((sure for at_ms, sure in self._on.get(product_id, ()) if at_ms >= said.start_ms - UNNAMED_MS), default=0.0)
            sure = strength * strength / total
            # Named again, it is surer than named once.
            sure = min(max(sure, before) + CONFIRMED * strength * (1 - before), 0.95) if before else sure * 0.8
            named = self._on.setdefault(product_id, [])
            if self._ended is None:  # what was named longer ago makes nothing surer any more
                named[:] = [each for each in named if each[0] >= said.start_ms - UNNAMED_MS]
            named.append((said.start_ms, round(sure, 3)))

    def sure_at(self, at_ms: int) -> dict[str, float]:
        """The products on air when what was heard last began, by confidence: as when each was last named, halving every HALF_LIFE_MS."""
        found: dict[str, float] = {}
        for product_id, named in self._on.items():
            named_at, sure = named[-1]
            if at_ms < named_at + UNNAMED_MS:
                found[product_id] = round(float(sure * 0.5 ** (max(at_ms - named_at, 0) / HALF_LIFE_MS)), 3)
        return {product_id: sure for product_id, sure in found.items() if sure >= LEAST}

    def end(self) -> None:
        """Nothing more comes."""
        for product_id in list(self._on):
            self._close(product_id, min(self._last_end_ms or 0, self._on[product_id][-1][0] + UNNAMED_MS))

    def _close(self, product_id: str, end_ms: int) -> None:
        named = self._on.pop(product_id)
        if self._ended and end_ms > named[0][0]:
            self._ended(InferredSpan(product_id, named[0][0], end_ms, max(sure for _, sure in named), tuple(named)))


def on_air_in(recording: Recording, segments: Sequence[Segment], products: Sequence[Product]) -> tuple[InferredSpan, ...]:
    """What was on air when, from a transcript and a shelf alone."""
    shelf, numbers = Shelf(products), spoken_numbers(products)
    spoken = []
    for unit in cut_units(recording, segments):
        folded = fold(unit.text).text
        spoken.append(Said(unit.start_ms, unit.end_ms, shelf.named_in(folded, syllables(folded)) | links_said(folded, numbers)))
    return infer_spans(spoken)
