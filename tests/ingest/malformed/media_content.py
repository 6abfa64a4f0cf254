"""Media whose container is whole and whose content is not what a recording is: no sound, no picture, no frame, no time, too much of it."""

from collections.abc import Callable
from pathlib import Path

from ingest.admission import IngestRequest
from tests.ingest.malformed.case import Case, Outcome, Whole, ffmpeg, media_of, put
from tests.ingest.malformed.media_structure import flv_tags

Make = Callable[[Path, Whole], IngestRequest]


def with_flv_times(content: bytes, change: Callable[[int, int], int]) -> bytes:
    """An FLV whose every tag of sound or picture has the time in ms that `change(number, ms)` gives it."""
    made, number = bytearray(content), 0
    for at, _ in flv_tags(content):
        if made[at] in (8, 9):
            ms = int.from_bytes(made[at + 4 : at + 7], "big") | made[at + 7] << 24
            changed = change(number, ms) & 0xFFFFFFFF
            made[at + 4 : at + 8] = (changed & 0xFFFFFF).to_bytes(3, "big") + bytes([changed >> 24])
            number += 1
    return bytes(made)


def _flv(change: Callable[[int, int], int]) -> Make:
    return lambda folder, whole: media_of(folder, "times.flv", with_flv_times(whole["flv"].read_bytes(), change))


def _by_ffmpeg(target: str, *arguments: str, source: str = "flv") -> Make:
    def make(folder: Path, whole: Whole) -> IngestRequest:
        ffmpeg("-i", whole[source], *arguments, folder / target)
        return IngestRequest((folder / target,))

    return make


def _text(name: str, content: bytes) -> Make:
    return lambda folder, _: media_of(folder, name, content)


def _renamed(ending: str, name: str) -> Make:
    return lambda folder, whole: media_of(folder, name, whole[ending].read_bytes())


def _two(first: str, second: str, skip: int, name: str) -> Make:
    return lambda folder, whole: media_of(folder, name, whole[first].read_bytes() + whole[second].read_bytes()[skip:])


def _ts_turning(folder: Path, whole: Whole) -> IngestRequest:
    ffmpeg("-i", whole["flv"], "-c", "copy", "-output_ts_offset", "95442.7", folder / "turn.ts")
    return IngestRequest((folder / "turn.ts",))


def _late_clock(folder: Path, whole: Whole) -> IngestRequest:
    """A Matroska whose unit of time is a thousand seconds, not a millisecond: two seconds become weeks."""
    content = whole["mkv"].read_bytes()
    scale = b"\x2a\xd7\xb1\x83\x0f\x42\x40"
    assert scale in content
    return media_of(folder, "weeks.mkv", content.replace(scale, b"\x2a\xd7\xb1\x83\xff\xff\xff", 1))


def _no_frames(folder: Path, whole: Whole) -> IngestRequest:
    ffmpeg("-i", whole["flv"], "-c", "copy", "-frames:v", "0", "-an", folder / "none.mkv")
    return IngestRequest((folder / "none.mkv",))


def _one_bad_part(folder: Path, whole: Whole) -> IngestRequest:
    good = put(folder, "good.flv", whole["flv"].read_bytes())
    return IngestRequest((good, put(folder, "bad.flv", b"FLV" + bytes(3000))))


def _encrypted(folder: Path, whole: Whole) -> IngestRequest:
    key = "0123456789abcdef0123456789abcdef"
    protect = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key, "-encryption_kid", key)
    ffmpeg("-i", whole["flv"], "-c", "copy", *protect, folder / "locked.mp4")
    return IngestRequest((folder / "locked.mp4",))


_COVER = ("-map", "0:a", "-map", "0:v", "-frames:v", "1", "-c:v", "mjpeg", "-c:a", "libmp3lame", "-disposition:v", "attached_pic")
_UNSTEADY = ("-vf", "select='not(mod(n,5))+lt(n,20)'", "-vsync", "vfr", "-c:a", "copy")
_NEGATIVE = ("-c", "copy", "-output_ts_offset", "-1.5", "-avoid_negative_ts", "disabled")
_STREAMS: tuple[tuple[str, Make, Outcome], ...] = (
    ("no sound", _by_ffmpeg("mute.mp4", "-an", "-c", "copy"), "admitted"),
    ("no sound, in FLV", _by_ffmpeg("mute.flv", "-an", "-c", "copy"), "admitted"),
    ("no sound, in MPEG-TS", _by_ffmpeg("mute.ts", "-an", "-c", "copy"), "admitted"),
    ("no picture", _by_ffmpeg("blind.mp4", "-vn", "-c", "copy"), "admitted"),
    ("no picture, in FLV", _by_ffmpeg("blind.flv", "-vn", "-c", "copy"), "admitted"),
    ("no frame", _no_frames, "refused"),
    ("a single frame", _by_ffmpeg("one.mp4", "-an", "-frames:v", "1", "-c", "copy"), "either"),
    ("a still picture", _by_ffmpeg("still.png", "-frames:v", "1"), "refused"),
    ("sound with a cover", _by_ffmpeg("cover.mp3", *_COVER), "admitted"),
    ("three sounds", _by_ffmpeg("three.mkv", "-map", "0:v", "-map", "0:a", "-map", "0:a", "-map", "0:a", "-c", "copy"), "admitted"),
    ("frames at no steady rate", _by_ffmpeg("vfr.mp4", *_UNSTEADY), "admitted"),
    ("pictures of 2 × 2", _by_ffmpeg("tiny.mp4", "-vf", "scale=2:2", "-c:a", "copy"), "admitted"),
    ("an encrypted file", _encrypted, "either"),
)  # fmt: skip
_TIMES: tuple[tuple[str, Make, Outcome], ...] = (
    ("50 hours, sparse", _flv(lambda n, ms: ms * 90_000), "admitted"),
    ("1 000 000 seconds", _flv(lambda n, ms: ms * 500_000), "admitted"),
    ("49 days", _flv(lambda n, ms: ms * 1_900_000), "refused"),
    ("weeks by the unit of time", _late_clock, "either"),
    ("every packet at the same time", _flv(lambda n, ms: 1000), "either"),
    ("times that only go back", _flv(lambda n, ms: 4000 - ms), "either"),
    ("times at random", _flv(lambda n, ms: (n * 7919) % 4001), "either"),
    ("times at random over weeks", _flv(lambda n, ms: (n * 2_654_435_761) % (1 << 31)), "either"),
    ("a jump of an hour ahead", _flv(lambda n, ms: ms + (3_600_000 if ms > 1000 else 0)), "admitted"),
    ("a jump of an hour back", _flv(lambda n, ms: ms + (0 if ms > 1000 else 3_600_000)), "admitted"),
    ("one packet astray by a day", _flv(lambda n, ms: 86_400_000 if n == 30 else ms), "admitted"),
    ("a clock of 24 bits that turns over", _flv(lambda n, ms: (ms + (1 << 24) - 900) % (1 << 24)), "admitted"),
    ("a clock of 32 bits that turns over", _flv(lambda n, ms: (ms + (1 << 32) - 900) % (1 << 32)), "admitted"),
    ("an MPEG-TS clock that turns over", _ts_turning, "admitted"),
    ("a session that begins again", _two("flv", "flv", 13, "again.flv"), "admitted"),
    ("an MPEG-TS that begins again", _two("ts", "ts", 0, "again.ts"), "admitted"),
    ("negative times", _by_ffmpeg("negative.ts", *_NEGATIVE), "either"),
    ("negative times in MP4", _by_ffmpeg("negative.mp4", *_NEGATIVE), "either"),
)  # fmt: skip
_NOT_MEDIA: tuple[tuple[str, Make, Outcome], ...] = (
    ("a playlist that reads /etc/passwd", _text("list.m3u8", b"#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"), "refused"),
    ("a playlist that asks a host", _text("list.mp4", b"#EXTM3U\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"), "refused"),
    ("a list of files", _text("concat.mp4", b"ffconcat version 1.0\nfile '/etc/passwd'\n"), "refused"),
    ("a session description", _text("live.sdp", b"v=0\nm=video 5004 RTP/AVP 96\nc=IN IP4 127.0.0.1\na=rtpmap:96 H264/90000\n"), "refused"),
    ("an SVG with an entity", _text("a.flv", b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>'), "refused"),
    ("a ZIP", _text("a.mp4", b"PK\x03\x04" + bytes(4000)), "refused"),
    ("words in GBK", _text("a.ts", "直播回放".encode("gbk") * 2000), "refused"),
    ("words in UTF-16", _text("a.mkv", "直播回放".encode("utf-16") * 2000), "refused"),
    ("zeros alone", _text("zeros.flv", bytes(1 << 20)), "refused"),
    ("nothing", _text("empty.mp4", b""), "refused"),
    ("one byte", _text("one.flv", b"F"), "refused"),
    ("a head of FLV alone", _text("head.flv", b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"), "refused"),
    ("MP4 under the name of FLV", _renamed("mp4", "wrong.flv"), "admitted"),
    ("MPEG-TS under the name of MP4", _renamed("ts", "wrong.mp4"), "admitted"),
    ("FLV under the name of text", _renamed("flv", "wrong.txt"), "admitted"),
    ("FLV under no ending", _renamed("flv", "wrong"), "admitted"),
    ("MP4 behind FLV in one file", _two("flv", "mp4", 0, "mixed.flv"), "admitted"),
    ("a good part and a bad one", _one_bad_part, "refused"),
)  # fmt: skip

CONTENT: tuple[Case, ...] = (
    *(Case("media with odd streams", *told) for told in _STREAMS),
    *(Case("media with absurd, turning and jumping times", *told) for told in _TIMES),
    *(Case("what is no media, or another than its name says", *told) for told in _NOT_MEDIA),
)
