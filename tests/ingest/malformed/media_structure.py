"""Media cut short at every structure, with garbled heads, swapped and nested boxes, and sizes that can't be."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from ingest.admission import IngestRequest
from tests.ingest.malformed.case import ENDINGS, Case, Outcome, Whole, media_of

Change = Callable[[bytes], bytes]
_NESTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"edts", b"dinf")


def boxes(content: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int, bytes]]:
    """(offset, size, type) of every box of an MP4, those inside others too."""
    at, end = start, len(content) if end is None else end
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", content, at)
        if size < 8:
            return
        yield at, size, kind
        if kind in _NESTS:
            yield from boxes(content, at + 8, at + size)
        at += size


def flv_tags(content: bytes) -> Iterator[tuple[int, int]]:
    at = 13
    while at + 11 <= len(content):
        size = 11 + int.from_bytes(content[at + 1 : at + 4], "big")
        yield at, size
        at += size + 4


def ebml_elements(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(offset, length of head, size) of the elements at one level of a Matroska file."""
    at = start
    while at + 2 < end:
        id_length = 9 - content[at].bit_length()
        size_length = 9 - content[at + id_length].bit_length()
        size = int.from_bytes(content[at + id_length : at + id_length + size_length], "big") & ((1 << (7 * size_length)) - 1)
        head = id_length + size_length
        yield at, head, size
        at += head + size


def cuts_of(ending: str, content: bytes) -> list[int]:
    """Where a file of this container is cut: before and within each structure, but for the many that are alike."""
    if "mp4" in ending:
        found = [offset + part for offset, size, _ in boxes(content) for part in (0, 4, 8, size // 2)]
        return thinned(found, 26)
    if ending == "flv":
        found = [
            1,
            3,
            5,
            9,
            11,
            *(offset + part for offset, size in list(flv_tags(content))[:5] for part in (0, 1, 5, 11, size // 2, size)),
        ]
        return thinned(found, 24)
    if ending == "mkv":
        (_, head, size), (segment, segment_head, _) = list(ebml_elements(content, 0, len(content)))[:2]
        inner = ebml_elements(content, segment + segment_head, len(content))
        return thinned([1, head, head + size // 2, segment, *(at + part for at, _, _ in inner for part in (0, 2, 6, 40))], 20)
    if ending == "ts":
        return [1, 4, 187, 188, 189, 376, 400, 564, 188 * 12, 188 * 40 + 90]
    return [1, 4, 12, 36, 44, 60, 200, len(content) // 2, len(content) - 1]


def thinned(cuts: list[int], most: int) -> list[int]:
    ordered = sorted(set(cuts))
    return ordered if len(ordered) <= most else [ordered[round(n * (len(ordered) - 1) / (most - 1))] for n in range(most)]


# Which structures a file has is only known once it is made, so cuts are named by number.
_CUTS = {"flv": 24, "mp4": 26, "frag.mp4": 26, "front.mp4": 26, "mkv": 20, "ts": 10, "mp3": 9, "wav": 9, "ogg": 9}


def _cut(ending: str, number: int) -> Case:
    def make(folder: Path, whole: Whole) -> IngestRequest:
        content = whole[ending].read_bytes()
        cuts = [cut for cut in cuts_of(ending, content) if 0 < cut < len(content)]
        return media_of(folder, f"cut.{ending}", content[: cuts[number % len(cuts)]])

    return Case("media cut short", f"{ending} at {number}", make)


def _changed(kind: str, name: str, ending: str, change: Change, outcome: Outcome = "either") -> Case:
    def make(folder: Path, whole: Whole) -> IngestRequest:
        return media_of(folder, f"changed.{ending}", change(whole[ending].read_bytes()))

    return Case(kind, f"{ending}: {name}", make, outcome)


def _garbled(content: bytes, start: int, end: int) -> bytes:
    return content[:start] + bytes((byte * 7 + 13) & 255 for byte in content[start:end]) + content[end:]


_GARBLED: dict[str, Change] = {
    "the first 8 bytes zeroed": lambda c: bytes(8) + c[8:],
    "the first 64 bytes zeroed": lambda c: bytes(64) + c[64:],
    "the first 1000 bytes garbled": lambda c: _garbled(c, 0, 1000),
    "bytes 16 to 300 garbled": lambda c: _garbled(c, 16, 300),
    "a third in the middle zeroed": lambda c: c[: len(c) // 3] + bytes(len(c) // 3) + c[2 * (len(c) // 3) :],
    "the second half garbled": lambda c: _garbled(c, len(c) // 2, len(c)),
    "1000 bytes of something in front": lambda c: b"\xa5" * 1000 + c,
    "twice in one file": lambda c: c + c,
    "every 97th byte changed": lambda c: bytes(b ^ 0xFF if n % 97 == 96 else b for n, b in enumerate(c)),
}


def _box(content: bytes, kind: bytes) -> tuple[int, int]:
    return next((offset, size) for offset, size, found in boxes(content) if found == kind)


def _field(kind: bytes, offset: int, value: bytes) -> Change:
    def change(content: bytes) -> bytes:
        at = _box(content, kind)[0] + offset
        return content[:at] + value + content[at + len(value) :]

    return change


def _swapped(content: bytes) -> bytes:
    """moov's first two children change places with its last two."""
    start, size = _box(content, b"moov")
    inner = [
        content[at : at + length]
        for at, length, _ in boxes(content, start + 8, start + size)
        if content[at + 4 : at + 8] in (b"mvhd", b"trak", b"udta")
    ]
    tops = [piece for piece in inner if not any(piece is not other and piece in other for other in inner)]
    return content[: start + 8] + b"".join(reversed(tops)) + content[start + 8 + sum(map(len, tops)) :]


def _nested(kind: bytes, depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = struct.pack(">I4s", len(content) + 8, kind) + content
    return content


def _deep_moov(content: bytes) -> bytes:
    start, _ = _box(content, b"moov")
    return content[:start] + _nested(b"moov", 20_000) + content[start:]


def _vint(value: int) -> bytes:
    return (value | 1 << 56).to_bytes(8, "big")


def _deep_tags(content: bytes) -> bytes:
    tag = b""
    for _ in range(5000):
        tag = b"\x67\xc8" + _vint(len(tag)) + tag
    return content + b"\x12\x54\xc3\x67" + _vint(len(tag)) + tag


def _amf_bomb(content: bytes) -> bytes:
    """A script tag whose objects lie 60 000 deep."""
    body = b"\x02\x00\x0aonMetaData" + b"\x03\x00\x01a" * 60_000
    tag = b"\x12" + len(body).to_bytes(3, "big") + bytes(7) + body
    return content[:13] + tag + struct.pack(">I", len(tag)) + content[13:]


_HUGE = b"\xff\xff\xff\xff"
_SIZES: tuple[tuple[str, str, Change], ...] = (
    ("front.mp4", "stsz counts four billion samples", _field(b"stsz", 16, _HUGE)),
    ("front.mp4", "a sample of four gigabytes", _field(b"stsz", 20, _HUGE)),
    ("front.mp4", "stts counts four billion entries", _field(b"stts", 12, _HUGE)),
    ("front.mp4", "stts lasts for years a sample", _field(b"stts", 20, b"\x7f\xff\xff\xff")),
    ("front.mp4", "stco counts four billion chunks", _field(b"stco", 12, _HUGE)),
    ("front.mp4", "a chunk far behind the file's end", _field(b"stco", 16, b"\xff\xff\xff\x00")),
    ("front.mp4", "moov is larger than the file", _field(b"moov", 0, b"\x7f\xff\xff\xff")),
    ("front.mp4", "mdat is larger than the file", _field(b"mdat", 0, _HUGE)),
    ("front.mp4", "a box of no size", _field(b"trak", 0, bytes(4))),
    ("front.mp4", "a box of one byte", _field(b"mdia", 0, b"\x00\x00\x00\x01")),
    ("front.mp4", "mvhd lasts for 136 years", _field(b"mvhd", 24, _HUGE)),
    ("front.mp4", "a timescale of nought", _field(b"mdhd", 20, bytes(4))),
    ("front.mp4", "boxes in another order", _swapped),
    ("front.mp4", "20 000 boxes inside each other", _deep_moov),
    ("front.mp4", "an unknown codec", _field(b"stsd", 20, b"zzzz")),
    ("front.mp4", "64-bit size beyond anything", lambda c: c + struct.pack(">I4sQ", 1, b"free", (1 << 63) - 1)),
    ("frag.mp4", "a fragment of four billion samples", _field(b"trun", 12, _HUGE)),
    ("frag.mp4", "a fragment that lies at the end of time", _field(b"tfdt", 12, b"\x7f" + b"\xff" * 7)),
    ("mkv", "an element of 72 petabytes", lambda c: c + b"\x1f\x43\xb6\x75" + b"\x01" + b"\xff" * 6 + b"\xfe"),
    ("mkv", "tags 5 000 deep", _deep_tags),
    ("mkv", "no known element at all", lambda c: c[:40] + b"\xec" * 2000),
    ("flv", "a tag of 16 MiB", lambda c: c[:14] + b"\xff\xff\xff" + c[17:]),
    ("flv", "objects 60 000 deep", _amf_bomb),
    ("flv", "a header that never ends", lambda c: c[:5] + b"\x7f\xff\xff\xff" + c[9:]),
    ("wav", "declared empty", lambda c: c[:40] + bytes(4) + c[44:]),
    ("wav", "declared endless", lambda c: c[:4] + _HUGE + c[8:]),
    ("wav", "no channel", lambda c: c[:22] + bytes(2) + c[24:]),
    ("wav", "four billion samples a second", lambda c: c[:24] + _HUGE + c[28:]),
    ("ogg", "a page of another stream in the middle", lambda c: c[: len(c) // 2] + b"OggS" + bytes(200) + c[len(c) // 2 :]),
    ("mp3", "an ID3 tag of 256 MiB", lambda c: b"ID3\x03\x00\x00\x7f\x7f\x7f\x7f" + c),
    ("ts", "a program map of nothing", lambda c: c[:188] + c[188 * 3 :]),
    ("ts", "every sync byte gone", lambda c: bytes(0 if n % 188 == 0 else b for n, b in enumerate(c))),
    ("ts", "every second packet gone", lambda c: b"".join(c[n : n + 188] for n in range(0, len(c), 376))),
    ("ts", "packets backwards", lambda c: b"".join(c[n : n + 188] for n in range(len(c) - 188, -1, -188))),
)

STRUCTURE: tuple[Case, ...] = (
    *(_cut(ending, number) for ending in ENDINGS for number in range(_CUTS[ending])),
    *(_changed("media with garbled bytes", name, ending, change) for ending in ENDINGS for name, change in _GARBLED.items()),
    *(_changed("media with impossible sizes and nesting", name, ending, change) for ending, name, change in _SIZES),
)
