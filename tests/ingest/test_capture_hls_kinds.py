"""HLS of every make: fragmented MP4, encrypted, sound of its own, codecs that TS can't hold, broken time stamps; held to the frame."""

import functools
import http.server
import secrets
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.programs import ffmpeg_program
from archive.timeline import WallTime
from ingest.capture import Capture, CaptureOrder, Happening
from ingest.capture_address import parse_address
from ingest.capture_spool import CaptureNote, Spool, spool_of
from ingest.errors import AddressRefused
from ingest.settings import IngestSettings
from tests.simulators.live_server import drawn_session, frame_digests

SETTINGS = IngestSettings(capture_stall_s=2, capture_connect_s=2)
HLS = ("-f", "hls", "-hls_time", "2", "-hls_list_size", "0")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_session(tmp_path_factory.mktemp("drawn") / "drawn.flv", 8)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address it is served at."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def ffmpeg(*arguments: object) -> None:
    subprocess.run([ffmpeg_program(), "-v", "error", "-y", *map(str, arguments)], check=True, timeout=60)


def captured(home: Path, url: str) -> tuple[Spool, list[Happening], str]:
    spool = spool_of(home, "room")
    spool.open(CaptureNote(recording="room", place_digest="", address_digest="", shown=""))
    told: list[Happening] = []
    order = CaptureOrder(parse_address(url), 5, for_s=40, give_up_s=10)
    outcome = Capture(order, spool, SETTINGS, WallTime.now, False, told.append).run()
    return spool, told, outcome


def frames(spool: Spool) -> list[str]:
    return [digest for stretch in spool.stretches() for path in stretch.files() for digest in frame_digests(path)]


def test_fragmented_mp4_is_held_whole(source: Path, served: tuple[Path, str], tmp_path: Path) -> None:
    folder, root = served
    ffmpeg("-i", source, "-c", "copy", *HLS, "-hls_segment_type", "fmp4", folder / "room.m3u8")
    spool, _, outcome = captured(tmp_path, root + "/room.m3u8")
    assert outcome == "ended"
    assert frames(spool) == frame_digests(source)


def test_an_encrypted_stream_is_held_in_the_clear(source: Path, served: tuple[Path, str], tmp_path: Path) -> None:
    folder, root = served
    (folder / "the.key").write_bytes(secrets.token_bytes(16))
    (tmp_path / "info").write_text(f"the.key\n{folder / 'the.key'}\n{secrets.token_hex(16)}\n")
    ffmpeg("-i", source, "-c", "copy", *HLS, "-hls_key_info_file", tmp_path / "info", folder / "room.m3u8")
    assert "AES-128" in (folder / "room.m3u8").read_text()
    spool, _, outcome = captured(tmp_path, root + "/room.m3u8")
    assert outcome == "ended"
    assert frames(spool) == frame_digests(source)


def test_a_codec_that_ts_can_not_hold_goes_to_matroska(source: Path, served: tuple[Path, str], tmp_path: Path) -> None:
    folder, root = served
    ffmpeg("-i", source, "-c:v", "copy", "-c:a", "flac", "-strict", "-2", *HLS, "-hls_segment_type", "fmp4", folder / "room.m3u8")
    spool, told, outcome = captured(tmp_path, root + "/room.m3u8")
    assert outcome == "ended"
    assert [happening.detail for happening in told if happening.word == "container"] == ["flac"]
    assert {path.suffix for stretch in spool.stretches() for path in stretch.files()} == {".mkv"}
    assert frames(spool) == frame_digests(source)


def test_sound_of_its_own_is_joined_by_ffmpeg(source: Path, served: tuple[Path, str], tmp_path: Path) -> None:
    folder, root = served
    ffmpeg("-i", source, "-map", "0:v", "-c", "copy", *HLS, folder / "picture.m3u8")
    ffmpeg("-i", source, "-map", "0:a", "-c", "copy", *HLS, folder / "sound.m3u8")
    (folder / "room.m3u8").write_text(
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,URI="sound.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=900,AUDIO="a"\npicture.m3u8\n'
    )
    spool, told, outcome = captured(tmp_path, root + "/room.m3u8")
    assert outcome == "ended"
    assert [set(happening.detail.split(", ")) for happening in told if happening.word == "connected"] == [{"h264", "aac"}]
    assert frames(spool) == frame_digests(source)


def test_time_stamps_that_begin_anew_begin_a_stretch(source: Path, served: tuple[Path, str], tmp_path: Path) -> None:
    folder, root = served
    for name in ("a", "b"):
        ffmpeg("-i", source, "-c", "copy", *HLS, "-hls_segment_filename", folder / f"{name}%d.ts", folder / f"{name}.m3u8")
    first = (folder / "a.m3u8").read_text().replace("#EXT-X-ENDLIST\n", "")
    second = (folder / "b.m3u8").read_text().partition("#EXTINF")[2]
    # Encoders that begin anew don't always say so.
    (folder / "room.m3u8").write_text(f"{first}#EXTINF{second}")
    spool, _, outcome = captured(tmp_path, root + "/room.m3u8")
    assert outcome == "ended"
    assert len(spool.stretches()) == 2
    assert spool.stretches()[1].clock().follows_ms is None
    assert frames(spool) == frame_digests(source) * 2


def test_a_stream_that_can_not_be_decrypted_is_refused(served: tuple[Path, str], tmp_path: Path) -> None:
    folder, root = served
    (folder / "room.m3u8").write_text('#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"\n#EXTINF:2,\na.ts\n')
    with pytest.raises(AddressRefused):
        captured(tmp_path, root + "/room.m3u8")


def test_a_playlist_can_lead_nowhere_but_to_web_addresses(served: tuple[Path, str], tmp_path: Path) -> None:
    folder, root = served
    (folder / "room.m3u8").write_text("#EXTM3U\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n")
    spool = spool_of(tmp_path, "room")
    spool.open(CaptureNote(recording="room", place_digest="", address_digest="", shown=""))
    order = CaptureOrder(parse_address(root + "/room.m3u8"), 5, give_up_s=3)
    assert Capture(order, spool, SETTINGS, WallTime.now, False, lambda _: None).run() == "given_up"
    assert spool.stretches() == []
