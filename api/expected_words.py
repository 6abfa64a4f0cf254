"""Which names a recogniser is told to expect when: from the shelf, what was on air, host and title, what viewers asked about, house words.

Looked up once, when a line of sound is planned, and kept with the plan: so a batch that is heard again after a crash is told the same,
and a shelf that came later counts for the next hearing. What was told stands in the transcript's provenance (G7).
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, cast

import structlog

from api.errors import HouseWordsUnusable
from api.telling_words import LATIN_CHARS, may_be_told, telling_words, told_name
from archive.catalog import Catalog
from archive.digest import Json
from archive.recording import Message, MessageKind, Product, ProductEvent, Recording
from archive.simplified import simplified_throughout
from search.products import AirTimes

# As much as a prompt holds beside 28 s of fast speech: about 100 of Whisper's tokens, of which a Chinese character takes two.
MOST_WORDS, MOST_TOKENS = 40, 100
# A product counts this long before and after it is on air: more than half a window of 28 s, so that the middle of one tells it all.
LEAD_MS: Final = 15_000
ASKED_BUCKET_MS, ASKED_AFTER_MS, ASKED_BY, SHARED_BY = 60_000, 120_000, 2, 3
PRODUCTS_MAX, EVENTS_MAX, MESSAGES_MAX, SPANS_MAX = 1000, 5000, 200_000, 2000
HOUSE_MAX_BYTES, HOUSE_MAX_WORDS = 65_536, 200
_BRANDS: Final = ("brand", "brand_name", "品牌")
_LISTED_BRAND: Final = re.compile(r"品牌[:：\s]{0,2}([^\s，,。；;|/:：]{2,20})")

log = structlog.get_logger(__name__)

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ExpectedWords:
    """Lists of words, the likeliest first, and `spans` (start_ms, end_ms, which list) on the recording's time line, in order."""

    lists: tuple[tuple[str, ...], ...] = ()
    spans: tuple[tuple[int, int, int], ...] = ()

    def within(self, start_ms: int, end_ms: int) -> tuple[str, ...]:
        """What to expect in a window: the list for its middle, which knows all that is on air within `LEAD_MS` of it."""
        middle = (start_ms + end_ms) // 2
        at = bisect_right(self.spans, middle, key=lambda span: span[0]) - 1
        if at < 0 or middle >= self.spans[at][1]:
            return ()
        return self.lists[self.spans[at][2]]

    def as_json(self) -> dict[str, Json]:
        return {"lists": [list(words) for words in self.lists], "spans": [list(span) for span in self.spans]}

    @classmethod
    def of(cls, kept: Json) -> "ExpectedWords":
        """What `as_json` wrote; none where nothing was."""
        if not isinstance(kept, Mapping):
            return cls()
        lists, spans = cast(Sequence[Sequence[str]], kept["lists"]), cast(Sequence[tuple[int, int, int]], kept["spans"])
        return cls(tuple(map(tuple, lists)), tuple((start, end, at) for start, end, at in spans))

    @classmethod
    def told(cls, windows: Iterable[tuple[int, int, Sequence[str]]]) -> "ExpectedWords":
        """What was told in windows (start_ms, end_ms, words); those after one another with the same words count as one."""
        lists: dict[tuple[str, ...], int] = {}
        spans: list[tuple[int, int, int]] = []
        for start, end, words in sorted(windows, key=lambda window: window[:2]):
            if not words:
                continue
            at = lists.setdefault(tuple(words), len(lists))
            if spans and spans[-1][2] == at:
                spans[-1] = (spans[-1][0], max(spans[-1][1], end), at)
            else:
                spans.append((start, end, at))
        return cls(tuple(lists), tuple(spans))


def expected_words(catalog: Catalog, recording: Recording, from_ms: int, to_ms: int, house: Sequence[str] = ()) -> ExpectedWords:
    """What may be named from `from_ms` to `to_ms` of a recording. Depends on the catalog as it now stands, and on nothing else."""
    products = [product for product in catalog.products(recording.id) if product.title != product.product_id or product.aliases]
    shelf = {product.product_id: _names_of(product) for product in products[:PRODUCTS_MAX]}
    spoken = _on_air_spans(catalog.events(recording.id)[:EVENTS_MAX], from_ms, to_ms)
    asked = _asked_spans(shelf, catalog.messages(recording.id)[:MESSAGES_MAX], from_ms, to_ms)
    about = [*told_name(recording.host or ""), *(word for product in products[:PRODUCTS_MAX] for word in _brands(product))]
    about += telling_words(recording.title or "")
    everything = [word for names in shelf.values() for word in names]

    def words_at(middle: int) -> tuple[str, ...]:
        now = (name for each in _at(spoken, middle) for name in shelf.get(each, ()))
        wanted = (name for each in _at(asked, middle) for name in shelf.get(each, ()))
        return _fitting((*now, *house, *wanted, *about, *everything))

    borders = sorted({from_ms, to_ms, *(at for spans in (spoken, asked) for start, end, _ in spans for at in (start, end))})
    expected = ExpectedWords.told((start, end, words_at((start + end) // 2)) for start, end in pairwise(borders))
    log.info("words_expected", recording=recording.id, products=len(shelf), lists=len(expected.lists), spans=len(expected.spans))
    return expected


def house_words(file: Path | None) -> tuple[str, ...]:
    """Names that are told in every recording: one a line, `#` begins a remark. HouseWordsUnusable names the line that can't be told."""
    if file is None:
        return ()
    try:
        with file.open("rb") as stream:
            raw = stream.read(HOUSE_MAX_BYTES + 1)
        if len(raw) > HOUSE_MAX_BYTES:
            raise HouseWordsUnusable(f"{file} is longer than {HOUSE_MAX_BYTES} bytes: a recogniser can be told few names")
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise HouseWordsUnusable(f"{file}, which LIVEPROOF_HOUSE_WORDS names, can't be read as UTF-8 text: {error}") from error
    words: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        word = " ".join(line.split("#")[0].split())
        if not word:
            continue
        if len(word) > LATIN_CHARS or told_name(word) != [word]:
            why = "is no name, or too long" if may_be_told(word) else "holds a number or a promise, which is never told to a recogniser"
            raise HouseWordsUnusable(f"{file}, line {number}: “{word[:40]}” {why}")
        words[word] = None
    if len(words) > HOUSE_MAX_WORDS:
        raise HouseWordsUnusable(f"{file} has {len(words)} names, at most {HOUSE_MAX_WORDS} can be told")
    return tuple(words)


def _names_of(product: Product) -> list[str]:
    """The likeliest first: people say an alias rather than a title."""
    aliases = [word for alias in product.aliases for word in told_name(alias)]
    title = telling_words(product.title) if product.title != product.product_id else []
    return list(dict.fromkeys([*aliases, *title, *_brands(product)]))


def _brands(product: Product) -> list[str]:
    named = [str(product.more[name]) for name in _BRANDS if isinstance(product.more.get(name), str)]
    listed = _LISTED_BRAND.search(product.listing_text[:10_000])
    return [word for name in (*named, *((listed[1],) if listed else ())) for word in told_name(name)]


def _on_air_spans(events: Sequence[ProductEvent], from_ms: int, to_ms: int) -> list[tuple[int, int, str]]:
    """(start_ms, end_ms, product) within the stretch, longer by `LEAD_MS` at both ends than each was on air, as far as events say."""
    ordered = sorted(events, key=lambda event: event.at_ms)
    times = [time for time in dict.fromkeys(event.at_ms for event in ordered) if time < to_ms + LEAD_MS]
    found: dict[str, list[Span]] = defaultdict(list)
    said, supposed = AirTimes(ordered), AirTimes(ordered, inferred=True)
    for start, end in pairwise((*times, to_ms + LEAD_MS)):
        if end <= from_ms - LEAD_MS:
            continue
        for product in said.at(start) | supposed.at(start):
            found[product].append((start - LEAD_MS, end + LEAD_MS))
    return list(_clipped(found, from_ms, to_ms))


def _asked_spans(shelf: Mapping[str, Sequence[str]], messages: Sequence[Message], from_ms: int, to_ms: int) -> list[tuple[int, int, str]]:
    """(start_ms, end_ms, product) where at least two viewers wrote a name of it within a minute, until two minutes later."""
    by_start: dict[str, list[tuple[str, str]]] = defaultdict(list)
    shared: dict[str, set[str]] = defaultdict(set)
    for product, names in shelf.items():
        for name in names:
            shared[simplified_throughout(name).lower()].add(product)
    for name, whose in shared.items():
        if len(whose) <= SHARED_BY:
            by_start[name[:2]] += [(name, product) for product in sorted(whose)]
    askers: dict[tuple[int, str], set[str]] = defaultdict(set)
    for message in messages if by_start else ():
        if message.recalled or message.kind not in (MessageKind.CHAT, MessageKind.PAID):
            continue
        text = simplified_throughout(message.text[:200]).lower()
        for at in range(len(text) - 1):
            for name, product in by_start.get(text[at : at + 2], ()):
                if text.startswith(name, at):
                    askers[message.at_ms // ASKED_BUCKET_MS, product].add(message.author or "")
    found: dict[str, list[Span]] = defaultdict(list)
    for (bucket, product), who in sorted(askers.items()):
        if len(who) >= ASKED_BY:
            found[product].append((bucket * ASKED_BUCKET_MS, (bucket + 1) * ASKED_BUCKET_MS + ASKED_AFTER_MS))
    return list(_clipped(found, from_ms, to_ms))


def _clipped(found: Mapping[str, Sequence[Span]], from_ms: int, to_ms: int) -> Iterator[tuple[int, int, str]]:
    """Each product's spans within the stretch, those that touch made one; `SPANS_MAX` of them at most."""
    spans: list[tuple[int, int, str]] = []
    for product, its in found.items():
        joined: list[list[int]] = []
        for start, end in sorted(its):
            if joined and start <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], end)
            else:
                joined.append([start, end])
        spans += [(max(start, from_ms), min(end, to_ms), product) for start, end in joined if start < to_ms and end > from_ms]
    yield from sorted(spans)[:SPANS_MAX]


def _at(spans: Sequence[tuple[int, int, str]], at_ms: int) -> list[str]:
    """Products whose span holds a moment, those that began last first."""
    return [product for start, end, product in reversed(spans) if start <= at_ms < end]


def _fitting(words: Iterable[str]) -> tuple[str, ...]:
    """The first words that fit into a prompt, none twice and none that is part of one before it."""
    kept: list[str] = []
    room = MOST_TOKENS
    for word in dict.fromkeys(words):
        needs = 1 + (-(-len(word) // 2) if word.isascii() else 2 * len(word))
        if needs > room or any(word in other for other in kept):
            continue
        kept.append(word)
        room -= needs
        if len(kept) == MOST_WORDS:
            break
    return tuple(kept)
