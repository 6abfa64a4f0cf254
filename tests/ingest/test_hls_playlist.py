"""HLS playlists as servers send them, and as no server should."""

import pytest

from ingest.errors import AddressRefused, StreamUnavailable
from ingest.hls_playlist import SEGMENTS_MAX, MasterPlaylist, MediaPlaylist, parse_playlist

URL = "https://e.com/live/room.m3u8?token=1"
LIVE = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:1207
#EXT-X-PROGRAM-DATE-TIME:2026-11-18T20:00:00.500+08:00
#EXTINF:3.840,
a.ts?x=1
#EXTINF:4,title, with comma
https://cdn.e.com/b.ts
#EXT-X-DISCONTINUITY
#EXTINF:2.5,
/c.ts
"""


def media(text: str, url: str = URL) -> MediaPlaylist:
    found = parse_playlist(text.encode(), url)
    assert isinstance(found, MediaPlaylist)
    return found


def test_a_live_window_is_read_with_numbers_times_and_breaks() -> None:
    found = media(LIVE)
    assert (found.first_sequence, found.target_ms, found.ended) == (1207, 4000, False)
    assert [segment.sequence for segment in found.segments] == [1207, 1208, 1209]
    assert [segment.url for segment in found.segments] == [
        "https://e.com/live/a.ts?x=1",
        "https://cdn.e.com/b.ts",
        "https://e.com/c.ts",
    ]
    assert [segment.duration_ms for segment in found.segments] == [3840, 4000, 2500]
    start = 1795003200500
    assert [segment.told_ms for segment in found.segments] == [start, start + 3840, start + 7840]
    assert [segment.discontinuity for segment in found.segments] == [False, False, True]


def test_the_end_keys_maps_ranges_and_gaps_are_read() -> None:
    found = media(
        '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x10\n#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"\n#EXTINF:2,\n'
        "#EXT-X-BYTERANGE:50@100\nall.mp4\n#EXTINF:2,\n#EXT-X-BYTERANGE:30\nall.mp4\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-GAP\n#EXTINF:2,\n"
        "g.mp4\n#EXT-X-ENDLIST\n"
    )
    first, second, third = found.segments
    assert first.key is not None
    assert (first.key.url, first.key.iv) == ("https://e.com/live/k", (16).to_bytes(16, "big"))
    assert (first.map_url, first.map_range) == ("https://e.com/live/init.mp4", (0, 99))
    assert (first.byte_range, second.byte_range) == ((100, 149), (150, 179))
    assert (third.key, third.missing, found.ended) == (None, True, True)


def test_a_master_playlist_leads_to_the_variant_of_most_bits() -> None:
    master = (
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="sound.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=100\nlow.m3u8\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=900,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a"\nhigh.m3u8\n'
    )
    assert parse_playlist(master.encode(), URL) == MasterPlaylist("https://e.com/live/high.m3u8", True)


def test_a_time_without_a_zone_says_nothing() -> None:
    assert media("#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:2026-11-18T20:00:00\n#EXTINF:2,\na.ts\n").segments[0].told_ms is None


@pytest.mark.parametrize("content", [b"", b"<html>", b"#EXTINF:1,\na.ts", b"\x00" * 100])
def test_what_is_no_playlist_is_not_taken_for_one(content: bytes) -> None:
    with pytest.raises(StreamUnavailable):
        parse_playlist(content, URL)


def test_absurd_numbers_do_no_harm() -> None:
    found = media("#EXTM3U\n#EXT-X-TARGETDURATION:nan\n#EXT-X-MEDIA-SEQUENCE:" + "9" * 400 + "\n#EXTINF:-5,\na.ts\n#EXTINF:1e400,\nb.ts\n")
    assert found.first_sequence == 0
    assert [segment.duration_ms for segment in found.segments] == [0, 0]
    assert 100 <= found.target_ms <= 600_000


def test_encryption_that_cannot_be_undone_and_endless_lists_are_refused() -> None:
    with pytest.raises(AddressRefused, match="SAMPLE-AES"):
        media('#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"\n#EXTINF:1,\na.ts\n')
    with pytest.raises(StreamUnavailable, match="segments"):
        media("#EXTM3U\n" + "#EXTINF:1,\na.ts\n" * (SEGMENTS_MAX + 1))
