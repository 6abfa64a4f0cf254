"""Reading HLS playlists (RFC 8216): the media playlist of a live stream, and the best variant of a master playlist.

A playlist comes from a server that is not trusted: sizes and counts are bounded, and what can't be captured as it is is refused.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urljoin

from ingest.errors import AddressRefused, StreamUnavailable

SEGMENTS_MAX = 50_000
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')


@dataclass(frozen=True, slots=True)
class Key:
    """How segments are encrypted: AES-128 in CBC mode. `iv` None: the segment's sequence number."""

    url: str
    iv: bytes | None


@dataclass(frozen=True, slots=True)
class MediaSegment:
    """One entry of a media playlist. `told_ms` is its PROGRAM-DATE-TIME in ms since 1970, also where an earlier entry implies it."""

    sequence: int
    url: str
    duration_ms: int
    told_ms: int | None = None
    discontinuity: bool = False
    missing: bool = False
    key: Key | None = None
    map_url: str | None = None
    map_range: tuple[int, int] | None = None
    byte_range: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """A live stream's window as it stands. `ended`: nothing will be added."""

    segments: tuple[MediaSegment, ...]
    first_sequence: int
    target_ms: int
    ended: bool


@dataclass(frozen=True, slots=True)
class MasterPlaylist:
    """`best_url` is the variant of the most bits a second; `separate_sound` that its sound comes from a playlist of its own."""

    best_url: str
    separate_sound: bool


@dataclass(slots=True)
class _State:
    """What tags say of the segments that follow them."""

    duration_ms: int = 0
    told_ms: int | None = None
    discontinuity: bool = False
    missing: bool = False
    key: Key | None = None
    map_url: str | None = None
    map_range: tuple[int, int] | None = None
    range: tuple[int, int] | None = None
    range_end: int = 0
    segments: list[MediaSegment] = field(default_factory=list)


def is_playlist(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"#EXTM3U")


def parse_playlist(content: bytes, url: str) -> MediaPlaylist | MasterPlaylist:
    """What a playlist says; `url` is where it came from. StreamUnavailable if it is none, AddressRefused for what can't be captured."""
    if not is_playlist(content):
        raise StreamUnavailable("what the server sent in place of the playlist is none")
    lines = [line.strip() for line in content.decode("utf-8", "replace").splitlines()]
    if any(line.startswith("#EXT-X-STREAM-INF") for line in lines):
        return _master(lines, url)
    return _media(lines, url)


def _master(lines: list[str], url: str) -> MasterPlaylist:
    sounds = {
        said.get("GROUP-ID")
        for said in (_attributes(line) for line in lines if line.startswith("#EXT-X-MEDIA:"))
        if said.get("TYPE") == "AUDIO" and said.get("URI")
    }
    variants: list[tuple[int, str, bool]] = []
    waiting: dict[str, str] | None = None
    for line in lines:
        if line.startswith("#EXT-X-STREAM-INF:"):
            waiting = _attributes(line)
        elif line and not line.startswith("#") and waiting is not None:
            variants.append((_int(waiting.get("BANDWIDTH", "0")), urljoin(url, line), waiting.get("AUDIO") in sounds))
            waiting = None
    if not variants:
        raise StreamUnavailable("the playlist names no variant to capture")
    _, best, separate = max(variants, key=lambda variant: variant[0])
    return MasterPlaylist(best, separate)


def _media(lines: list[str], url: str) -> MediaPlaylist:
    state = _State()
    first, target_ms, ended = 0, 10_000, False
    for line in lines:
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-MEDIA-SEQUENCE":
            first = _int(value)
        elif tag == "#EXT-X-TARGETDURATION":
            target_ms = min(max(_milliseconds(value), 100), 600_000)
        elif tag == "#EXT-X-ENDLIST":
            ended = True
        elif line and not line.startswith("#"):
            _add(state, first + len(state.segments), urljoin(url, line))
        else:
            _note(state, tag, value, url)
    return MediaPlaylist(tuple(state.segments), first, target_ms, ended)


def _note(state: _State, tag: str, value: str, url: str) -> None:
    if tag == "#EXTINF":
        state.duration_ms = _milliseconds(value.partition(",")[0])
    elif tag == "#EXT-X-PROGRAM-DATE-TIME":
        state.told_ms = _date_time(value)
    elif tag == "#EXT-X-DISCONTINUITY":
        state.discontinuity = True
    elif tag == "#EXT-X-GAP":
        state.missing = True
    elif tag == "#EXT-X-KEY":
        state.key = _key(value, url)
    elif tag == "#EXT-X-MAP":
        said = _attributes(value)
        state.map_url = urljoin(url, said.get("URI", ""))
        state.map_range = _range(said["BYTERANGE"], 0) if "BYTERANGE" in said else None
    elif tag == "#EXT-X-BYTERANGE":
        state.range = _range(value, state.range_end)


def _add(state: _State, sequence: int, url: str) -> None:
    if len(state.segments) >= SEGMENTS_MAX:
        raise StreamUnavailable(f"the playlist has more than {SEGMENTS_MAX} segments: it is no live stream's")
    state.segments.append(
        MediaSegment(
            sequence,
            url,
            state.duration_ms,
            state.told_ms,
            state.discontinuity,
            state.missing,
            state.key,
            state.map_url,
            state.map_range,
            state.range,
        )
    )
    # A date-time holds on until the next discontinuity (RFC 8216, 4.3.2.6).
    state.told_ms = None if state.told_ms is None else state.told_ms + state.duration_ms
    state.range_end = state.range[1] + 1 if state.range else 0
    state.duration_ms, state.discontinuity, state.missing, state.range = 0, False, False, None


def _key(value: str, url: str) -> Key | None:
    said = _attributes(value)
    method = said.get("METHOD", "NONE")
    if method == "NONE":
        return None
    if method != "AES-128" or said.get("KEYFORMAT", "identity") != "identity":
        raise AddressRefused(f"the stream is encrypted by {method[:20]}: it can't be captured as it comes")
    iv = said.get("IV", "")
    return Key(urljoin(url, said.get("URI", "")), bytes.fromhex(iv[2:].zfill(32)) if re.fullmatch(r"0[xX][0-9a-fA-F]{1,32}", iv) else None)


def _attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


def _range(text: str, follows: int) -> tuple[int, int] | None:
    length, at, offset = text.strip().partition("@")
    start = _int(offset) if at else follows
    return (start, start + _int(length) - 1) if _int(length) else None


def _date_time(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    # Without a zone it says nothing that could be compared.
    return round(moment.timestamp() * 1000) if moment.tzinfo else None


def _milliseconds(text: str) -> int:
    try:
        seconds = float(text)
    except ValueError:
        return 0
    return round(1000 * seconds) if 0 <= seconds < 86_400 else 0


def _int(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
