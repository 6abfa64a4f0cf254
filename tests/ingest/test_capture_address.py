"""Addresses of live streams: which are captured, and that nothing secret of them is ever shown."""

import pytest

from archive.errors import LiveProofError
from ingest.capture_address import parse_address
from ingest.errors import AddressRefused


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "concat:a.ts|b.ts",
        "subfile,,start,0,end,10,,:/etc/passwd",
        "pipe:0",
        "data:video/mp4;base64,AAAA",
        "ftp://example.com/a.flv",
        "srt://example.com:9000",
        "unix:/run/docker.sock",
        "http:///live.m3u8",
        "https://",
        "https://ex\nample.com/live.m3u8",
        "https://example.com/live stream.m3u8",
        "https://example.com/\x00live.m3u8",
        "https://example.com/\u202elive.m3u8",
        "https://example.com:99999/live.m3u8",
        "https://[::1/live.m3u8",
        "https://example.com/" + "a" * 9000,
        "",
    ],
)
def test_an_address_of_another_protocol_or_with_hidden_marks_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        parse_address(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://live.example.com/a/room.m3u8", "https://live.example.com/a/room.m3u8"),
        ("https://ann:pw0rd@live.example.com:8443/room.flv?wsSecret=abc123&t=1", "https://live.example.com:8443/room.flv?…"),
        ("rtmp://push.example.com/live/room_key_7734200", "rtmp://push.example.com/live/…"),
        ("rtsp://10.0.0.5:554/cam/main", "rtsp://10.0.0.5:554/cam/…"),
        ("https://e.com/token=s3cr3t/room.m3u8", "https://e.com/…/room.m3u8"),
        ("https://e.com/0123456789abcdef0123456789abcdef/room.m3u8", "https://e.com/…/room.m3u8"),
        ("http://[::1]:8080/room.flv", "http://[::1]:8080/room.flv"),
    ],
)
def test_what_is_shown_of_an_address_holds_no_secret(url: str, shown: str) -> None:
    assert parse_address(url).shown == shown
    assert shown in repr(parse_address(url))


def test_a_programs_words_are_masked_too() -> None:
    address = parse_address("https://ann:pw0rd@e.com/room.flv?wsSecret=abc123&t=9999", ["Cookie: sid=s3ss10n"])
    said = "Opening 'https://ann:pw0rd@e.com/room.flv?wsSecret=abc123&t=9999': wsSecret abc123 refused for sid=s3ss10n with pw0rd"
    masked = address.masked(said)
    assert not any(secret in masked for secret in ("pw0rd", "abc123", "s3ss10n", "9999"))
    rtmp = parse_address("rtmp://e.com/live/room_key_7734200")
    assert "room_key_7734200" not in rtmp.masked("Server error: stream room_key_7734200 not found at rtmp://e.com/live/room_key_7734200")


@pytest.mark.parametrize("header", ["no colon", "Bad Name: x", "Cookie: a\r\nHost: evil", "Referer: 直播", ": x"])
def test_a_header_that_could_say_more_than_it_seems_is_refused(header: str) -> None:
    with pytest.raises(AddressRefused):
        parse_address("https://e.com/live.m3u8", [header])


def test_headers_are_kept_as_given_and_counted() -> None:
    assert parse_address("https://e.com/a", ["Referer: https://e.com/r", "Cookie:a=b"]).headers == (
        ("Referer", "https://e.com/r"),
        ("Cookie", "a=b"),
    )
    with pytest.raises(LiveProofError):
        parse_address("https://e.com/a", ["A: b"] * 51)


def test_the_same_room_is_known_again_by_another_visit() -> None:
    first, second = parse_address("https://e.com/room.flv?sign=1"), parse_address("https://E.com/room.flv?sign=2")
    assert first.place == second.place
    assert first.digest != second.digest
    assert parse_address("https://e.com/other.flv").place != first.place
