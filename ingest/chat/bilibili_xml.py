"""Danmaku XML: Bilibili's own and its recorders' dialects. `<d p="offset s,mode,size,colour,sent,pool,user,id[,…]">text</d>`.

| dialect           | told by                             | slot 5 (sent) | author              | other elements                      |
|-------------------|-------------------------------------|---------------|---------------------|-------------------------------------|
| bilibili          | no head, hashed sender, message id  | s             | slot 7, a hash      |                                     |
| bililive_recorder | `<BililiveRecorderRecordInfo`       | s             | `user`, else slot 7 | sc, gift, guard: `ts` in s          |
| blrec             | `<record_start_time>`               | ms            | `user`, else slot 7 | sc, gift, guard, toast              |
| bililive_tools    | `<video_start_time>`                | ms            | `user`, else slot 7 | sc, gift, guard: `ts`, ms from 1970 |
| recorder          | biliup, DouyinLiveRecorder: no head | s or ms       | `user`, else slot 7 | s, o: `timestamp`, wall clock only  |

Seconds and milliseconds since 1970 are told apart by size, so that a recorder that changes its mind is still read. A file that is no
well-formed XML (text not escaped, end missing) is read again record by record; what has no end is left out and noted.
"""

import html
import math
import mmap
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from archive.digest import CHUNK_BYTES
from archive.recording import Message, MessageKind
from archive.timeline import WallTime
from ingest.chat import ChatContext, ChatHeader
from ingest.clock import parse_wall
from ingest.errors import InvalidContent
from ingest.input_file import InputFile, storable
from ingest.products import MAX_OFFSET_MS

if TYPE_CHECKING:
    from lxml.etree import ParserTarget

OFFSET_UNCERTAINTY_MS = 1000
WALL_UNCERTAINTY_MS = 3000
NEIGHBOUR_UNCERTAINTY_MS = 60_000
_SENT_SAMPLES = 200

_RECORDS = ("d", "gift", "sc", "guard", "toast", "s", "o")
_ATTRIBUTES = rb"""(?:\s+[\w:.-]{1,64}\s*=\s*(?:"[^"]{0,65536}"|'[^']{0,65536}'))*"""
_TOKEN = re.compile(rb"<(/?)(d|gift|sc|guard|toast|s|o)(" + _ATTRIBUTES + rb")\s*(/?)>")
_ATTRIBUTE = re.compile(r"""([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_DIALECTS = (
    ("bililive_recorder", b"<BililiveRecorderRecordInfo"),
    ("blrec", b"<record_start_time>"),
    ("bililive_tools", b"<video_start_time>"),
)


@dataclass(frozen=True, slots=True)
class _Record:
    tag: str
    attributes: Mapping[str, str]
    text: str


class BilibiliXml:
    """The family's reader."""

    name = "bilibili_xml"

    def detect(self, head: bytes) -> bool:
        text = _head_text(head)
        if not text.lstrip("\ufeff\x00 \t\r\n").startswith("<"):
            return False
        return bool(re.search(r"<i[\s>/]", text)) and not re.search(r"<html|<!DOCTYPE\s+html", text, re.IGNORECASE)

    def header(self, head: bytes, zone: tzinfo) -> ChatHeader:
        text = _head_text(head)
        info = re.search(r"<BililiveRecorderRecordInfo\s([^<>]{0,4000})>", text)
        if info:
            told = _attributes(info[1])
            start = parse_wall(told.get("start_time", ""), zone)
            return ChatHeader(start, "bilibili", _known(told.get("roomid")), _known(told.get("name")), _known(told.get("title")))
        start = parse_wall(_element(text, "record_start_time") or _element(text, "video_start_time") or "", zone)
        return ChatHeader(
            started_at=start if start and start.epoch_ms > 0 else None,
            platform=_element(text, "platform"),
            room=_element(text, "room_id"),
            host=_element(text, "user_name"),
            title=_element(text, "room_title"),
        )

    def read(self, file: InputFile, context: ChatContext) -> Iterator[Message]:
        with file.path.open("rb") as stream:
            head = stream.read(64 << 10)
        dialect = next((name for name, mark in _DIALECTS if mark in head), "")
        records = _reader(file, context)
        first = list(islice((record for record in records() if record.tag == "d"), _SENT_SAMPLES))
        placing = _Placing(dialect or ("bilibili" if _is_main_site(first) else "recorder"), context, _wall_start(first, context))
        for record in records():
            message = placing.message(record)
            if message:
                yield message
        if placing.unplaced:
            context.note(f"{file.name}: {placing.unplaced} entries without a time that can be read were left out")
        if placing.cut:
            context.note(
                f"{file.name}: {placing.cut} texts longer than {context.message_max_chars} characters were cut; the file keeps them"
            )


class _Placing:
    """Turns records into messages; remembers the last offset for entries that carry no time that can be laid on the line."""

    def __init__(self, dialect: str, context: ChatContext, wall_start: WallTime | None) -> None:
        self._source = f"bilibili_xml/{dialect}"
        self._context = context
        self._wall_start = wall_start
        self._last_ms = 0
        self.unplaced = 0
        self.cut = 0

    def message(self, record: _Record) -> Message | None:
        if record.tag == "d":
            return self._chat(record)
        kind, text = _paid_text(record)
        who = record.attributes
        author = who.get("user") or who.get("username") or who.get("uid")
        raw = who.get("ts") or who.get("timestamp")
        placed = self._by_written_time(raw)
        if placed is None:
            self.unplaced += 1
            return None
        at_ms, uncertainty_ms, is_wall = placed
        raw_offset, raw_wall = (None, raw) if is_wall else (raw, None)
        return self._message(at_ms, text, author, kind, raw_offset, raw_wall, uncertainty_ms)

    def _chat(self, record: _Record) -> Message | None:
        slots = record.attributes.get("p", "").split(",")
        offset_ms = _offset_ms(slots[0])
        if offset_ms is None:
            self.unplaced += 1
            return None
        self._last_ms = offset_ms
        author = record.attributes.get("user") or (slots[6] if len(slots) > 6 else None)
        sent = slots[4] if len(slots) > 4 else None
        return self._message(offset_ms, record.text, author, MessageKind.CHAT, slots[0], sent, OFFSET_UNCERTAINTY_MS)

    def _by_written_time(self, raw: str | None) -> tuple[int, int, bool] | None:
        """(ms from the file's start, uncertainty, whether it was wall time) of a gift or the like."""
        number = _number(raw)
        if number is None:
            return None
        wall = _epoch_ms(number)
        if wall is None:
            offset_ms = _offset_ms(raw or "")
            return None if offset_ms is None else (offset_ms, OFFSET_UNCERTAINTY_MS, False)
        if self._wall_start is None:
            return self._last_ms, NEIGHBOUR_UNCERTAINTY_MS, True
        at_ms = wall - self._wall_start.epoch_ms
        return (at_ms, WALL_UNCERTAINTY_MS, True) if abs(at_ms) <= MAX_OFFSET_MS else None

    def _message(
        self,
        offset_ms: int,
        text: str,
        author: str | None,
        kind: MessageKind,
        raw_offset: str | None,
        raw_wall: str | None,
        uncertainty_ms: int,
    ) -> Message:
        limit = self._context.message_max_chars
        if len(text) > limit:
            self.cut += 1
        return Message(
            at_ms=self._context.starts_at_ms + offset_ms,
            text=storable(text[:limit]),
            author=storable(author[:200]) if author else None,
            kind=kind,
            raw_offset=storable(raw_offset[:100]) if raw_offset else None,
            raw_wall=storable(raw_wall[:100]) if raw_wall else None,
            uncertainty_ms=uncertainty_ms,
            source=self._source,
        )


def _paid_text(record: _Record) -> tuple[MessageKind, str]:
    told = record.attributes
    paid = told.get("type", "") if record.tag == "s" else record.tag
    if paid in ("sc", "super_chat"):
        return MessageKind.PAID, record.text
    if paid in ("guard", "toast", "guard_buy"):
        what = told.get("giftname") or told.get("role_name") or f"guard {told.get('level', '')}".strip()
        count = told.get("count") or told.get("num") or "1"
        return MessageKind.PAID, record.text or f"{what} ×{count}"
    if paid == "gift":
        count = told.get("giftcount") or told.get("num") or told.get("cnt") or "1"
        return MessageKind.GIFT, f"{told.get('giftname') or record.text} ×{count}"
    return MessageKind.SYSTEM, record.text


def _reader(file: InputFile, context: ChatContext) -> Callable[[], Iterator[_Record]]:
    """How to read the file: strictly, or record by record where its XML is broken."""
    flaw = _flaw(file)
    if flaw is None:
        return lambda: _well_formed(file)
    broken = sum(1 for record in _recovered(file) if record is None)
    # The parser quotes names from the file, whatever they hold.
    why = storable(flaw)[:200]
    context.note(f"{file.name} is no well-formed XML ({why}): its entries were read one by one, {broken} without an end were left out")
    return lambda: (record for record in _recovered(file) if record is not None)


class _NoDoctype:
    """Takes what the parser finds and keeps nothing. No dialect has a document type, and entities can be made to explode."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise InvalidContent(f"{self._path} declares a document type, which no danmaku file does: it was not read further")

    def close(self) -> None:
        return None


def _flaw(file: InputFile) -> str | None:
    """What keeps the file from being well-formed XML, None if it is."""
    from lxml import etree

    # A target need not take every event; the stubs say it must.
    target: ParserTarget = _NoDoctype(file.path)  # type: ignore[assignment]
    parser = etree.XMLParser(target=target, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        with file.path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                parser.feed(chunk)
        parser.close()
    except etree.XMLSyntaxError as error:
        return str(error.msg)
    # A target is not stopped by what is wrong with namespaces, but reading element by element is.
    wrong = list(parser.feed_error_log)
    return wrong[0].message if wrong else None


def _well_formed(file: InputFile) -> Iterator[_Record]:
    """Every record of a file that `_flaw` found none in, in constant memory."""
    from lxml import etree

    with file.path.open("rb") as stream:
        for _event, element in etree.iterparse(
            stream, tag=_RECORDS, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        ):
            yield _Record(element.tag, dict(element.attrib), "".join(element.itertext()))
            element.clear()
            parent = element.getparent()
            while parent is not None and element.getprevious() is not None:
                del parent[0]


def _recovered(file: InputFile) -> Iterator[_Record | None]:
    """Entries found by their own start and end, None for each that has no end. Linear in the file's size."""
    with file.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        encoding = _encoding(content)
        opened: re.Match[bytes] | None = None
        for token in _TOKEN.finditer(content):
            closes, tag, attributes, empty = token.groups()
            if closes:
                if opened and opened[2] == tag:
                    yield _record(opened, content[opened.end() : min(token.start(), opened.end() + CHUNK_BYTES)], encoding)
                    opened = None
            elif empty:
                yield _record(token, b"", encoding)
            elif attributes:
                if opened:
                    yield None
                opened = token
        if opened:
            yield None


def _record(token: re.Match[bytes], text: bytes, encoding: str) -> _Record:
    return _Record(token[2].decode(), _attributes(token[3].decode(encoding, "replace")), _unescaped(text.decode(encoding, "replace")))


def _attributes(text: str) -> dict[str, str]:
    return {name: html.unescape(double or single) for name, double, single in _ATTRIBUTE.findall(text)}


def _unescaped(text: str) -> str:
    """The five entities of XML and numbered ones; HTML's many names stay as they are, for a viewer may have typed them."""
    return re.sub(r"&(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9a-fA-F]{1,6});", lambda found: html.unescape(found[0]), text)


def _encoding(content: mmap.mmap) -> str:
    sample = content[: 1 << 20]
    try:
        sample[: sample.rfind(b">") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"


def _wall_start(records: list[_Record], context: ChatContext) -> WallTime | None:
    """The wall time of offset 0: as known, else the median of send time less offset over the first messages that carry both."""
    if context.wall_start:
        return context.wall_start
    starts = []
    for record in records:
        slots = record.attributes.get("p", "").split(",")
        offset_ms, sent = _offset_ms(slots[0]), _number(slots[4]) if len(slots) > 4 else None
        wall = _epoch_ms(sent) if sent is not None else None
        if offset_ms is not None and wall is not None:
            starts.append(wall - offset_ms)
    return WallTime(round(median(starts))) if starts else None


def _is_main_site(first: list[_Record]) -> bool:
    """The site's own files hash the sender and number the message; recorders without a head write plain ids and 0."""
    slots = [record.attributes.get("p", "").split(",") for record in first if set(record.attributes) == {"p"}]
    return bool(slots) and len(slots) == len(first) and all(len(found) >= 8 and found[7] != "0" for found in slots)


def _offset_ms(text: str) -> int | None:
    seconds = _number(text)
    if seconds is None or abs(seconds * 1000) > MAX_OFFSET_MS:
        return None
    return round(seconds * 1000)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _epoch_ms(number: float) -> int | None:
    """Milliseconds since 1970 where the number can only be that, from seconds or ms; None for an offset."""
    if 10**9 <= number < 10**11:
        return round(number * 1000)
    return round(number) if 10**12 <= number < 10**14 else None


def _element(text: str, name: str) -> str | None:
    found = re.search(rf"<{name}>([^<]{{0,500}})</{name}>", text)
    return _known(html.unescape(found[1])) if found else None


def _known(text: str | None) -> str | None:
    clean = storable(text or "").strip()
    return clean or None


def _head_text(head: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if head.startswith(mark):
            return head.decode(encoding, "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return head[: head.rfind(b">") + 1].decode(encoding)
        except UnicodeDecodeError:
            continue
    return head.decode("utf-8", "replace")
