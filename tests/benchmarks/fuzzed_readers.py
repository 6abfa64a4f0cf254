"""What the guided fuzzing reads and what must hold of it: every chat format, every caption format, and platforms' shelf dumps.

`read` of a reader takes a file's bytes and returns; a LiveProofError that names the file is a fair end of a reading, and whatever else is
raised is a failure: another exception, or an AssertionError for something that was returned and may not be. Limits are set low, so that
small files reach them.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from zlib import crc32

from archive.digest import Json, canonical_json
from archive.errors import LiveProofError
from archive.recording import Message, Product, ProductEvent
from archive.timeline import WallTime
from ingest.captions import read_captions
from ingest.chat import CHINA, ChatContext, ChatFormat, formats, json_records
from ingest.chat_files import read_messages, recognise
from ingest.cue import Cue
from ingest.errors import UnknownFormat
from ingest.input_file import InputFile, check_file, decode
from ingest.lrc import read_lrc
from ingest.products import MAX_OFFSET_MS, MAX_PRICE_MINOR, events_from, products_from
from ingest.settings import IngestSettings
from ingest.shelf_dumps import is_dump, read_dump
from ingest.tables import read_rows
from ingest.whisper_json import read_whisper
from tests.ingest.written_chats import ASS_HEAD, SAMPLES, START

Found = TypeVar("Found")
NAME = "fuzzed.dat"
LIMITS = IngestSettings(message_max_chars=300, chat_max_messages=1000, captions_max_cues=500, table_max_rows=200, field_max_chars=2000)
FORMATS = {known.name: known for known in formats()}
_SHELF = (Product("scarf", "羊绒围巾", "1", more={"promotion_id": "3600001", "platform_product_id": 88001}), Product("cup", "保温杯"))
# Pieces of this many characters cut every record of a small file.
_TINY_PIECE = 13


@dataclass(frozen=True, slots=True)
class FuzzedReader:
    """`seeds` are whole files of the format, `read(folder, content)` writes one into `folder` and reads it."""

    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[Path, bytes], None]


def readers() -> tuple[FuzzedReader, ...]:
    """Every reader, by name: the chat formats, `captions_…`, `shelf_dumps` and `shelf_rows`."""
    return (
        *(FuzzedReader(name, _seeds(name), _chat_reader(known)) for name, known in FORMATS.items()),
        *(FuzzedReader(name, seeds, _read_captions) for name, seeds in CAPTIONS.items()),
        FuzzedReader("shelf_dumps", SHELF_DUMPS, _read_shelf),
        FuzzedReader("shelf_rows", SHELF_ROWS, _read_rows),
    )


def readers_of(folder: Path, content: bytes) -> list[str]:
    """Names of the readers whose format a sample file is."""
    file = _written(folder, content)
    found: list[str] = []
    with suppress(UnknownFormat):
        found.extend(chat.format.name for chat in recognise([file], [], CHINA) if chat.format)
    with suppress(LiveProofError):
        found.append(f"captions_{read_captions(file, IngestSettings()).format}")
    if is_dump(file):
        found.append("shelf_dumps")
    return found


def _seeds(name: str) -> tuple[bytes, ...]:
    return (*(content for sample, content in SAMPLES.items() if sample.partition(":")[0] == name), *_DIALECTS.get(name, ()))


def _written(folder: Path, content: bytes) -> InputFile:
    path = folder / NAME
    path.write_bytes(content)
    return check_file(path, "chat", 1 << 30, may_be_empty=True)


def _chat_reader(known: ChatFormat) -> Callable[[Path, bytes], None]:
    in_pieces = any(seed.startswith((b"{", b"[")) for seed in _seeds(known.name))

    def read(folder: Path, content: bytes) -> None:
        """By the format itself, whatever the file looks like; JSON in tiny pieces, to the same end; and as the gate reads it."""
        file = _written(folder, content)
        if not content:
            # The gate hands no format an empty file.
            return
        notes: list[str] = []
        start = START if crc32(content) % 3 else None
        context = ChatContext(0, start, LIMITS.message_max_chars, notes.append)
        whole = _outcome(lambda: tuple(known.read(file, context)))
        if in_pieces:
            large, json_records._PIECE_CHARS = json_records._PIECE_CHARS, _TINY_PIECE
            try:
                pieced = _outcome(lambda: tuple(known.read(file, context)))
            finally:
                json_records._PIECE_CHARS = large
            # What is too deep or broken may be found so sooner or later.
            same = whole == pieced or (isinstance(whole, str) and isinstance(pieced, str))
            assert same, f"read whole {str(whole)[:300]}, in pieces {str(pieced)[:300]}"
        if isinstance(whole, tuple):
            _check_messages(whole, MAX_OFFSET_MS)
        taken = _outcome(lambda: _as_the_gate_reads(file, start, notes))
        if isinstance(taken, tuple):
            # The file's start may lie as far from the recording's as a message from the file's.
            _check_messages(taken, 2 * MAX_OFFSET_MS)
            assert list(taken) == sorted(taken, key=lambda message: message.at_ms)
        _check_notes(notes)

    return read


def _as_the_gate_reads(file: InputFile, start: WallTime | None, notes: list[str]) -> tuple[Message, ...]:
    chats = recognise([file], [], CHINA)
    for text in (chats[0].header.platform, chats[0].header.room, chats[0].header.host, chats[0].header.title):
        _check_text(text or "")
    return read_messages(chats, (), start, LIMITS, notes.append)


def _outcome(reading: Callable[[], Found]) -> Found | str:
    """What was read, or what the refusal says; anything but a LiveProofError goes through."""
    try:
        return reading()
    except LiveProofError as refused:
        said = str(refused)
        assert NAME in said, f"the refusal doesn't name the file: {said[:300]!r}"
        assert len(said) < 2000, f"{len(said)} characters of refusal"
        said.encode()
        return f"{type(refused).__name__}: {said}"


def _check_messages(messages: tuple[Message, ...], reach_ms: int) -> None:
    for message in messages:
        for text in (message.text, message.author, message.raw_offset, message.raw_wall, message.source):
            _check_text(text or "")
        assert type(message.at_ms) is int and abs(message.at_ms) <= reach_ms, f"at {message.at_ms} ms"
        assert type(message.uncertainty_ms) is int and message.uncertainty_ms >= 0, f"± {message.uncertainty_ms} ms"
        assert len(message.text) <= LIMITS.message_max_chars, f"{len(message.text)} characters of text"
        assert len(message.author or "") <= 200, f"{len(message.author or '')} characters of author"
        assert max(len(message.raw_offset or ""), len(message.raw_wall or "")) <= 100, "raw times longer than 100 characters"
        assert type(message.recalled) is bool and message.source


def _check_text(text: str) -> None:
    """What every database takes: no NUL, no half of a surrogate pair."""
    assert type(text) is str and "\x00" not in text, f"{text[:80]!r}"
    text.encode()


def _check_notes(notes: list[str]) -> None:
    for note in notes:
        _check_text(note)
        assert len(note) < 2000, f"{len(note)} characters of note"


def _read_captions(folder: Path, content: bytes) -> None:
    """As the gate reads it, and as LRC and as Whisper's JSON, whatever it looks like."""
    file = _written(folder, content)
    first_pts = None if crc32(content) % 2 else 900_000
    found = _outcome(lambda: read_captions(file, LIMITS, first_pts))
    if not isinstance(found, str):
        assert found.content == content and found.segments
        assert [segment.number for segment in found.segments] == list(range(1, len(found.segments) + 1))
        cues = [Cue(each.start_ms, each.end_ms, each.text, each.words, each.confidence) for each in found.segments]
        assert cues == sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))
        assert all(cue.text.strip() == cue.text != "" and cue.end_ms >= cue.start_ms for cue in cues)
        _check_cues(cues)
    try:
        text, _ = decode(content, str(file.path))
    except UnknownFormat:
        return
    for reader in (read_lrc, read_whisper):
        forced = _outcome(lambda reader=reader: reader(text, file))  # type: ignore[misc]
        if isinstance(forced, list):
            _check_cues([cue._replace(text="") for cue in forced])


def _check_cues(cues: list[Cue]) -> None:
    for cue in cues:
        _check_text(cue.text)
        assert type(cue.start_ms) is int and 0 <= cue.start_ms <= MAX_OFFSET_MS, f"starts at {cue.start_ms} ms"
        assert type(cue.end_ms) is int and 0 <= cue.end_ms <= MAX_OFFSET_MS, f"ends at {cue.end_ms} ms"
        assert cue.confidence is None or 0 <= cue.confidence <= 1, f"confidence {cue.confidence}"
        assert list(cue.words) == sorted(cue.words, key=lambda word: word.start_ms)
        for word in cue.words:
            _check_text(word.text)
            assert type(word.start_ms) is int and type(word.end_ms) is int and 0 <= word.start_ms <= word.end_ms, f"{word}"
            assert word.probability is None or 0 <= word.probability <= 1, f"{word}"


def _read_shelf(folder: Path, content: bytes) -> None:
    """Told whether it is a dump, read as one whatever it looks like, and laid on a recording's time line."""
    file = _written(folder, content)
    is_dump(file)
    notes: list[str] = []
    laid = _outcome(lambda: read_dump(file, LIMITS, notes.append).laid(_SHELF, START, notes.append))
    if not isinstance(laid, str):
        _check_shelf(*laid)
    _check_notes(notes)


def _read_rows(folder: Path, content: bytes) -> None:
    """The neutral rows, as a shelf and as what was on air."""
    file = _written(folder, content)
    rows = _outcome(lambda: read_rows(file, content, LIMITS))
    if isinstance(rows, str):
        return
    shelf = _outcome(lambda: products_from(rows))
    events = _outcome(lambda: events_from(rows, (), START))
    _check_shelf(() if isinstance(shelf, str) else shelf, ())
    for event in () if isinstance(events, str) else events:
        _check_text(event.product_id + event.source)
        assert type(event.at_ms) is int and abs(event.at_ms) <= MAX_OFFSET_MS, f"{event}"


def _check_shelf(products: tuple[Product, ...], events: tuple[ProductEvent, ...]) -> None:
    for product in products:
        for text in (product.product_id, product.title, product.currency, product.shelf_no or "", product.listing_text, *product.aliases):
            _check_text(text)
        canonical_json(product.more)
        assert product.product_id and product.title and len(product.currency) == 3, f"{product}"
        assert product.price_minor is None or (type(product.price_minor) is int and 0 <= product.price_minor <= MAX_PRICE_MINOR), (
            f"{product}"
        )
        assert "\\u0000" not in json.dumps(product.more)
    known = {product.product_id for product in products}
    assert len(known) == len(products)
    for event in events:
        assert event.product_id in known, f"{event}"
        assert type(event.at_ms) is int and abs(event.at_ms) <= MAX_OFFSET_MS, f"{event}"
    assert [event.at_ms for event in events] == sorted(event.at_ms for event in events)


_SENT = f'<d p="1.5,1,25,16777215,{START.epoch_ms // 1000 + 1},0,910000001,0" user="雨后">会起球吗 &amp;</d>'
# What recorders write of themselves at the head of the family of danmaku files, and what else than chat they write.
_DIALECTS: dict[str, tuple[bytes, ...]] = {
    "bilibili_xml": (
        (
            '<?xml version="1.0" encoding="utf-8"?>\n<i>\n<BililiveRecorder version="2.6" /><BililiveRecorderRecordInfo roomid="77" '
            f'title="&quot;专场&quot;" start_time="2026-11-18T20:00:00.0000000+08:00" />\n{_SENT}<sc ts="2.5" user="熊" price="3">好</sc>'
            '<gift ts="3" user="猫" giftname="小花花" giftcount="3" /><guard ts="4" user="老王" level="3" count="1" />\n</i>\n'
        ).encode(),
        (
            "<i><metadata><user_name>小鹿</user_name><room_id>77</room_id><record_start_time>2026-11-18T20:00:00+08:00</record_start_time>"
            f'</metadata>{_SENT}<toast ts="{START.epoch_ms // 1000 + 9}" user="老王" role_name="舰长" num="2"/>'
            f'<s timestamp="{START.epoch_ms // 1000 + 7}" username="老王" price="1" type="gift" num="5" giftname="花"></s></i>'
        ).encode(),
    ),
}
_WORDS: list[Json] = [
    {"word": "这条", "start": 1.0, "end": 1.42, "probability": 0.9},
    {"word": "围巾", "start": 1.4, "end": 1.8, "score": 1},
]
_SEGMENTS: list[Json] = [
    {"id": 0, "start": 1.0, "end": 2.5, "text": " 这条围巾百分之百山羊绒", "avg_logprob": -0.1, "words": _WORDS},
    {"id": 1, "start": 3, "end": 4, "text": "假一赔十", "words": None},
]
_CPP: Json = {"transcription": [{"timestamps": {"from": "00:00:01,000"}, "offsets": {"from": 1000, "to": 2500}, "text": " 到手价"}]}
CAPTIONS: dict[str, tuple[bytes, ...]] = {
    "captions_srt": (
        "1\n00:00:01,000 --> 00:00:02,500\n这条围巾百分之百山羊绒\n\n2\n00:00:03,000 --> 00:00:04,000\n<i>假一赔十</i>\n支持\n".encode(),
        "00:01.000 --> 00:02.500\r\n{\\an8}到手价\r\n\r\n".encode("utf-16"),
        "1\n00:00:01,000 --> 00:00:02,500\n百分之百山羊绒\n".encode("gbk"),
    ),
    "captions_vtt": (
        (
            "WEBVTT - 直播\n\nSTYLE\n::cue { color: red }\n\nNOTE 两行\n注释\n\nintro\n00:01.000 --> 00:02.500 align:start\n"
            "<v 主播>这条围巾<b>百分之百</b>山羊绒\n\n01:00:05.000 --> 01:00:06.000\n<00:00:05.500>买一送一 &amp; 包邮 &lt;3\n"
        ).encode(),
        (
            "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:8589900000,LOCAL:00:00:00.000\n\n00:01.000 --> 00:02.500\n到手\n\n"
            "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:01:00:00.000,MPEGTS:865408\n\n01:00:01.000 --> 01:00:02.500\n299\n"
        ).encode(),
    ),
    "captions_ass": (
        (
            f"{ASS_HEAD}Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,不是字幕\n"
            "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\b1}假一赔十{\\b0}\\N支持鉴定{\\p1}m 0 0 l 1 1{\\p0}\n"
        ).encode(),
        (
            "[Script Info]\nScriptType: v4.00\n\n[V4 Styles]\nFormat: Name, PrimaryColour, Alignment\nStyle: Default,65535,2\n\n[Events]\n"
            "Format: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
            "Dialogue: Marked=0,0:00:01.00,0:00:02.50,Default,,0,0,0,,到手\n\n[Fonts]\n"
        ).encode(),
    ),
    "captions_lrc": (
        "[ti:专场]\n[offset:+500]\n[00:01.00]<00:01.00>这条<00:01.40>围巾\n[00:03.5][00:08.50]假一赔十\n[00:04.000]\n[00:06:25]到手价\n接着\n".encode(),
    ),
    "captions_whisper": tuple(
        json.dumps(document, ensure_ascii=False, indent=1).encode()
        for document in ({"segments": _SEGMENTS, "language": "zh"}, _SEGMENTS, _CPP)
    ),
}
_DOUYIN: Json = {
    "common": {"method": "WebcastProductChangeMessage", "msgId": "7292026903731442726", "createTime": str(START.epoch_ms + 5000)},
    "updateProductInfoList": [
        {"promotionId": "3600001", "index": 1, "explainType": 1},
        {"promotionId": "99", "index": 2, "explainType": 0},
    ],
}
_BILIBILI: Json = {
    "cmd": "SHOPPING_EXPLAIN_CARD",
    "data": {
        "goods_id": 5,
        "goods_name": "羊绒围巾",
        "goods_price": "259.90",
        "goods_sort_id": 1,
        "timestamp": START.epoch_ms // 1000 + 60,
    },
}
_TIKTOK: Json = {
    "type": "OecLiveShoppingEvent",
    "common": {"create_time": START.epoch_ms + 90_000, "message_id": 7292026903731442726},
    "pop_product": {"product_id": "17291", "title": "Wool scarf", "price": {"amount": "12,99", "currency": "usd"}},
}
_SIGNED: Json = {"receivedAt": START.epoch_ms, "popProduct": {"productId": "7", "title": "x", "price": "129.000₫"}}
SHELF_DUMPS: tuple[bytes, ...] = (
    "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in (_DOUYIN, _BILIBILI, _TIKTOK, _SIGNED)).encode(),
    json.dumps([_TIKTOK, {"payload": _DOUYIN}, _BILIBILI], ensure_ascii=False, indent=1).encode(),
    (json.dumps({"Type": 9, "Data": json.dumps(_DOUYIN)}) + "\n").encode(),
)
SHELF_ROWS: tuple[bytes, ...] = (
    "product_id,title,shelf_no,aliases,price_minor,currency,listing_text,color\np1,羊绒围巾,1,围巾|披肩,29900,CNY,百分之百山羊绒,灰\n".encode(),
    json.dumps([{"product_id": "p1", "title": "羊绒围巾", "aliases": ["围巾"], "price_minor": 29900, "sku": {"a": ["x"]}}]).encode(),
    b"event,product_id,at_ms,source,inferred\ncard_shown,p1,1000,x,true\nexplain_end,p1,2000,,0\n",
    "".join(
        json.dumps(row) + "\n"
        for row in (
            {"product_id": "p1", "from": "00:01:00", "to": "00:02:00.5"},
            {"product_id": "p1", "event": "listed", "at": "2026-11-18T20:00:09+08:00", "time_base": "wall"},
        )
    ).encode(),
)
