"""The shelf and what was explained when, from dumps of what platforms send to their rooms' viewers, as JSON or JSON lines.

| platform | record | product | when |
| --- | --- | --- | --- |
| douyin | `ProductChangeMessage{updateProductInfoList[{promotionId, index, explainType}]}` | an id, no more | `common.createTime` |
| bilibili | `{"cmd": "SHOPPING_EXPLAIN_CARD", "data": {goods_id, goods_name, goods_price, …}}` | id, title, price in yuan | `timestamp` |
| tiktok | `OecLiveShoppingEvent{pop_product{product_id, title, price}}` | id, title, price as shown | `common.create_time` |

Names may be in camelCase or snake_case, and a record may lie in envelopes of whoever dumped it; what else a room's dump holds is passed
over. Platforms say when an explanation begins, and hardly when it ends: it ends with the next card, and that end is marked inferred.
Douyin's explainType isn't documented: 1 is read as being explained, anything else as not.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from archive.digest import Json
from archive.recording import EventKind, Product, ProductEvent
from archive.timeline import WallTime
from ingest.chat import read_head
from ingest.chat.json_records import head_records, records
from ingest.chat.placing import epoch_ms, id_time_ms
from ingest.chat.text_stream import TextStream, mentions
from ingest.errors import InputTooLarge, InvalidContent
from ingest.input_file import InputFile
from ingest.products import MAX_OFFSET_MS, MAX_PRICE_MINOR
from ingest.settings import IngestSettings
from ingest.tables import Row, quoted

BILIBILI_CARD = "SHOPPING_EXPLAIN_CARD"
_DOUYIN_LIST = ("updateProductInfoList", "update_product_info_list")
_TIKTOK_POP = ("pop_product", "popProduct")
_MARKS = (BILIBILI_CARD, *_DOUYIN_LIST, *_TIKTOK_POP)
_TIMES = ("createTime", "create_time")
_DUMP_TIMES = ("timestamp", "send_time", "sendTime", "receivedAt", "received_at", "ts", *_TIMES)
_MESSAGE_IDS = ("msgId", "msg_id", "messageId", "message_id")
_JOINED_BY = ("platform_product_id", "promotion_id")
_DEPTH = 6
_EXPLAINED = "1"
_SIGNS = {"US$": "USD", "$": "USD", "£": "GBP", "€": "EUR", "RM": "MYR", "฿": "THB", "₫": "VND", "Rp": "IDR", "₱": "PHP", "S$": "SGD"}
_WHOLE_UNITS = frozenset({"VND", "JPY", "KRW", "CLP"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one record says of one product."""

    key: str
    title: str | None = None
    price_minor: int | None = None
    currency: str | None = None
    more: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Change:
    """One record: which products it shows as being explained, and which it names as not. `wall_ms` is since 1970; None: unknown."""

    place: str
    platform: str
    wall_ms: int | None
    shown: tuple[_Seen, ...]
    named: tuple[_Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class ShelfDump:
    """A dump's records in the file's order."""

    file: InputFile
    changes: tuple[_Change, ...]

    def products(self) -> tuple[Product, ...]:
        """Every product that the dump names; those without a title are known by their id alone."""
        found: dict[str, Product] = {}
        for change in self.changes:
            for seen in (*change.shown, *change.named):
                known = found.get(seen.key)
                if known is None or (known.title == seen.key and seen.title):
                    found[seen.key] = _product(seen, change.platform)
        return tuple(found.values())

    def laid(
        self, shelf: Sequence[Product], wall_zero: WallTime | None, note: Callable[[str], None]
    ) -> tuple[tuple[Product, ...], tuple[ProductEvent, ...]]:
        """(the shelf with what it lacked, events in time order), joined by product_id, platform_product_id or promotion_id.

        A promotion of several products on the shelf puts all of them on air. InvalidContent where nothing tells when the recording
        began, where no record says when it was sent, or where every record is far from the recording.
        """
        joined = _Joined(shelf)
        added = [product for product in self.products() if joined.add(product)]
        bare = [product.product_id for product in added if product.title == product.product_id]
        if bare:
            note(f"{self.file.name}: products known only by their id, for no shelf names them: {len(bare)}, the first is {bare[0]}")
        if len(added) > len(bare) and shelf:
            note(f"{self.file.name}: products that were not on the shelf, taken from the cards: {len(added) - len(bare)}")
        return (*shelf, *added), tuple(_events(self._placed(wall_zero, note), joined))

    def _placed(self, wall_zero: WallTime | None, note: Callable[[str], None]) -> list[tuple[int, _Change]]:
        if not self.changes:
            return []
        if wall_zero is None:
            raise InvalidContent(
                f"{self.changes[0].place}: it says when it was sent by the wall clock, but the time the recording started isn't known: "
                "give --started-at"
            )
        timed = [(change.wall_ms - wall_zero.epoch_ms, change) for change in self.changes if change.wall_ms is not None]
        placed = [(at_ms, change) for at_ms, change in timed if abs(at_ms) <= MAX_OFFSET_MS]
        if not placed:
            what = (
                f"it was sent more than {MAX_OFFSET_MS // 3_600_000} hours from the recording's start: is --started-at right?"
                if timed
                else "nothing in it tells when it was sent, nor in any other"
            )
            raise InvalidContent(f"{self.changes[0].place}: {what}")
        if left := len(self.changes) - len(placed):
            note(f"{self.file.name}: changes of the shelf left out, for no time of this recording can be read in them: {left}")
        return sorted(placed, key=lambda each: each[0])


def is_dump(file: InputFile) -> bool:
    """Whether a file holds platforms' shelf records, by what is in it; rows of the neutral format are none, whatever they mention."""
    head = read_head(file)
    if not any(mentions(file, mark.encode(), mark.encode("utf-16-le"), mark.encode("utf-16-be")) for mark in _MARKS):
        return False
    found = head_records(head)
    # A long record may not stand whole in the head.
    text = head.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    return text[:1] in (b"{", b"[") and not any(
        isinstance(row, dict) and "product_id" in row and {"event", "title"} & set(row) for row in found
    )


def read_dump(file: InputFile, settings: IngestSettings, note: Callable[[str], None]) -> ShelfDump:
    """Reads a dump. InvalidContent names file and record of what is wrong, InputTooLarge a dump of more than the rows allowed."""
    changes: list[_Change] = []
    for number, record in records(TextStream(file, note), note):
        place = f"{file.path}, record {number}"
        for change in _changes_in(record, place, settings.field_max_chars, ()):
            changes.append(change)
            if len(changes) > settings.table_max_rows:
                raise InputTooLarge(f"{file.path} holds more than the {settings.table_max_rows} changes of the shelf that are allowed")
    file.check_unchanged()
    return ShelfDump(file, tuple(changes))


def _changes_in(value: Json, place: str, max_chars: int, around: tuple[dict[str, Json], ...]) -> Iterator[_Change]:
    """The shelf's changes anywhere in a record; `around` are the objects that hold it, the innermost last."""
    if len(around) > _DEPTH:
        return
    if isinstance(value, str):
        # Some recorders write the message into the record as text.
        if value.startswith("{") and any(mark in value for mark in _MARKS):
            try:
                inner: Json = json.loads(value, strict=False, parse_constant=lambda _name: None)
            except (ValueError, RecursionError) as error:
                raise InvalidContent(f"{place}: the JSON in one of its texts can't be read: {str(error)[:100]}") from error
            yield from _changes_in(inner, place, max_chars, around)
        return
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict | str):
                yield from _changes_in(item, place, max_chars, around)
        return
    if not isinstance(value, dict):
        return
    chain = (*around, value)
    command = value.get("cmd")
    if isinstance(command, str) and command.startswith(BILIBILI_CARD):
        yield _bilibili(Row(place, value, max_chars), max_chars, chain)
    elif (name := next((name for name in _DOUYIN_LIST if name in value), None)) is not None:
        yield _douyin(Row(place, value, max_chars), name, max_chars, chain)
    elif (name := next((name for name in _TIKTOK_POP if name in value), None)) is not None:
        if value[name] is not None:
            yield _tiktok(Row(place, value, max_chars), name, max_chars, chain)
    else:
        for inner_value in value.values():
            if isinstance(inner_value, dict | list | str):
                yield from _changes_in(inner_value, place, max_chars, chain)


def _bilibili(row: Row, max_chars: int, chain: tuple[dict[str, Json], ...]) -> _Change:
    data = row.fields.get("data")
    if not isinstance(data, dict):
        raise row.wrong("data", "a card's data must be an object with goods_id")
    card = Row(row.place, data, max_chars)
    more: dict[str, Json] = {name: text for name in ("goods_max_price", "goods_sort_id", "selling_point") if (text := card.text(name))}
    price = _minor(card, "goods_price", "CNY")
    seen = _Seen(_id(card, "goods_id"), card.text("goods_name"), price, "CNY" if price is not None else None, more)
    return _Change(row.place, "bilibili", _wall_ms(row, (*chain, data)), (seen,))


def _douyin(row: Row, name: str, max_chars: int, chain: tuple[dict[str, Json], ...]) -> _Change:
    listed = row.fields[name]
    if not isinstance(listed, list):
        raise row.wrong(name, "must be a list of products")
    shown: list[_Seen] = []
    named: list[_Seen] = []
    for item in listed:
        if not isinstance(item, dict):
            raise row.wrong(name, "each product in it must be an object with promotionId")
        entry = Row(row.place, item, max_chars)
        key = _id(entry, "promotionId" if "promotionId" in item else "promotion_id")
        index = entry.text("index")
        more: dict[str, Json] = {"promotion_id": key, "index": index} if index else {"promotion_id": key}
        seen = _Seen(key, more=more)
        explained = entry.text("explainType" if "explainType" in item else "explain_type") == _EXPLAINED
        (shown if explained else named).append(seen)
    return _Change(row.place, "douyin", _wall_ms(row, chain), tuple(shown), tuple(named))


def _tiktok(row: Row, name: str, max_chars: int, chain: tuple[dict[str, Json], ...]) -> _Change:
    popped = row.fields[name]
    if not isinstance(popped, dict):
        raise row.wrong(name, "must be an object with product_id")
    card = Row(row.place, popped, max_chars)
    key = _id(card, "product_id" if "product_id" in popped else "productId")
    nested = popped.get("price")
    if isinstance(nested, dict):
        card = Row(row.place, {**popped, **nested}, max_chars)
    shown = "price" if not isinstance(card.fields.get("price"), dict) else "amount"
    currency = _currency(card, shown)
    price = _minor(card, shown, currency) if currency else None
    raw = card.text(shown)
    more: dict[str, Json] = {"price_shown": raw} if raw else {}
    return _Change(row.place, "tiktok", _wall_ms(row, chain), (_Seen(key, card.text("title"), price, currency, more),))


def _id(row: Row, name: str) -> str:
    key = row.required_text(name)
    if key == "0":
        raise row.wrong(name, "0 is no product's id")
    return key


def _currency(row: Row, price: str) -> str | None:
    named = row.text("currency") or row.text("currency_code") or row.text("currencyCode")
    if named:
        return named.upper() if len(named) == 3 and named.isascii() and named.isalpha() else None
    shown = row.text(price) or ""
    # The longest sign first: S$ holds $.
    return next((_SIGNS[sign] for sign in sorted(_SIGNS, key=len, reverse=True) if shown.startswith(sign) or shown.endswith(sign)), None)


def _minor(row: Row, name: str, currency: str) -> int | None:
    """A price as shown, in the currency's minor unit; None where there is none."""
    shown = row.text(name)
    if shown is None:
        return None
    digits = "".join(char for char in shown if char.isascii() and (char.isdigit() or char in ".,-"))
    if currency in _WHOLE_UNITS or currency == "IDR":
        digits = digits.replace(".", "").replace(",", "")
    elif len(digits) > 2 and digits[-3] == "," and "." not in digits:
        digits = digits.replace(",", ".")
    try:
        amount = Decimal(digits.replace(",", "")) * (1 if currency in _WHOLE_UNITS else 100)
    except InvalidOperation:
        raise row.wrong(name, f"{shown[:40]} is no price") from None
    if not 0 <= amount <= MAX_PRICE_MINOR:
        raise row.wrong(name, f"{shown[:40]} is no price that can be")
    return int(amount.to_integral_value())


def _wall_ms(row: Row, chain: tuple[dict[str, Json], ...]) -> int | None:
    """When a record was sent: by its `common`, itself, what it lies in, else its message id; None: unknown. InvalidContent for no time."""
    levels = list(reversed(chain))
    commons = [
        found for level in levels for name in ("common", "baseMessage", "base_message") if isinstance(found := level.get(name), dict)
    ]
    for names, holders in ((_TIMES, commons), (_DUMP_TIMES, levels)):
        for holder in holders:
            for name in names:
                # Protobuf's JSON writes 0 for a time that wasn't set.
                if (raw := holder.get(name)) in (None, "", 0, "0"):
                    continue
                if (wall_ms := epoch_ms(raw)) is None:
                    raise row.wrong(name, f"{quoted(raw)} is no time since 1970")
                return wall_ms
    ids = (holder.get(name) for holder in (*commons, *levels) for name in _MESSAGE_IDS)
    return next((found for found in map(id_time_ms, ids) if found is not None), None)


def _product(seen: _Seen, platform: str) -> Product:
    return Product(
        seen.key,
        seen.title or seen.key,
        price_minor=seen.price_minor,
        currency=seen.currency or "CNY",
        more={**seen.more, "platform": platform},
    )


class _Joined:
    """Which products of the shelf a platform's id means."""

    def __init__(self, shelf: Sequence[Product]) -> None:
        self._own: dict[str, tuple[str, ...]] = {product.product_id: (product.product_id,) for product in shelf}
        self._others: list[dict[str, tuple[str, ...]]] = []
        for name in _JOINED_BY:
            meant: dict[str, tuple[str, ...]] = {}
            for product in shelf:
                key = product.more.get(name)
                if isinstance(key, str | int) and not isinstance(key, bool):
                    meant[str(key)] = (*meant.get(str(key), ()), product.product_id)
            self._others.append(meant)

    def add(self, product: Product) -> bool:
        """Whether the product was on no shelf, and now is."""
        if self.of(product.product_id):
            return False
        self._own[product.product_id] = (product.product_id,)
        return True

    def of(self, key: str) -> tuple[str, ...]:
        return next((meant[key] for meant in (self._own, *self._others) if key in meant), ())


def _events(placed: Sequence[tuple[int, _Change]], joined: _Joined) -> Iterator[ProductEvent]:
    explained: dict[str, tuple[str, ...]] = {}
    listed: set[str] = set()
    prices: dict[str, int] = {}
    for at_ms, change in placed:
        for seen in change.named:
            if seen.key in explained:
                for product_id in explained.pop(seen.key):
                    yield ProductEvent(EventKind.EXPLAIN_END, product_id, at_ms, change.platform)
            elif seen.key not in listed:
                for product_id in joined.of(seen.key):
                    yield ProductEvent(EventKind.LISTED, product_id, at_ms, change.platform)
            listed.add(seen.key)
        shown = {seen.key: joined.of(seen.key) for seen in change.shown}
        if shown:
            still = {product_id for products in shown.values() for product_id in products}
            for key in [key for key in explained if key not in shown]:
                for product_id in explained.pop(key):
                    if product_id not in still:
                        yield ProductEvent(EventKind.EXPLAIN_END, product_id, at_ms, change.platform, inferred=True)
        for seen in change.shown:
            listed.add(seen.key)
            for product_id in shown[seen.key]:
                yield ProductEvent(EventKind.CARD_SHOWN, product_id, at_ms, change.platform)
                if seen.key not in explained:
                    yield ProductEvent(EventKind.EXPLAIN_START, product_id, at_ms, change.platform)
                if seen.price_minor is not None and prices.get(product_id, seen.price_minor) != seen.price_minor:
                    yield ProductEvent(EventKind.PRICE_CHANGE, product_id, at_ms, change.platform)
                if seen.price_minor is not None:
                    prices[product_id] = seen.price_minor
            explained[seen.key] = shown[seen.key]
