"""Playback files: what browsers can seek in, with the part's own times, the original untouched."""

import subprocess
import threading
from pathlib import Path

import av
import pytest

from archive.digest import digest_file
from archive.errors import NotFound, ProgramFailed, StorageFull
from archive.opening import Archive, open_archive
from archive.programs import ffmpeg_program
from archive.recording import Part
from archive.rendition import is_made, is_quick, playback_file
from archive.settings import ArchiveSettings
from archive.timeline import ClockMap

PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=10:duration=4"]
SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:duration=4"]
H264_AAC = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac"]


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return open_archive(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0))


def held(archive: Archive, file: Path) -> Part:
    digest, size = archive.store.put_file(file)
    return Part(1, digest, size, file.name, 4000, file.suffix[1:], {}, ClockMap(0, None, 0, "unknown"))


def made(folder: Path, name: str, *arguments: str) -> Path:
    subprocess.run([ffmpeg_program(), "-v", "error", "-y", *arguments, folder / name], check=True, timeout=60)
    return folder / name


def boxes(file: Path) -> list[str]:
    found, data, at = [], file.read_bytes(), 0
    while at + 8 <= len(data):
        found.append(data[at + 4 : at + 8].decode())
        at += int.from_bytes(data[at : at + 4]) or len(data)
    return found


def packets(file: Path, kind: str) -> list[bytes]:
    with av.open(str(file)) as container:
        return [bytes(packet) for packet in container.demux(getattr(container.streams, kind)[0]) if packet.size]


@pytest.mark.parametrize("name", ["part.flv", "part.mkv", "part.mp4"])
def test_h264_and_aac_are_copied_into_a_seekable_mp4(archive: Archive, tmp_path: Path, name: str) -> None:
    source = made(tmp_path, name, *PICTURE, *SOUND, *H264_AAC)
    before = digest_file(source)
    part = held(archive, source)
    file = playback_file(archive, part)
    order = [box for box in boxes(file) if box in ("moov", "mdat", "moof")]
    assert order == ["moov", "mdat"]
    assert packets(file, "audio") == packets(source, "audio")
    assert len(packets(file, "video")) == 40
    assert digest_file(archive.store.path(part.digest)) == before


def test_a_transport_stream_that_starts_late_plays_from_zero(archive: Archive, tmp_path: Path) -> None:
    source = made(tmp_path, "part.ts", *PICTURE, *SOUND, *H264_AAC, "-output_ts_offset", "30")
    with av.open(str(playback_file(archive, held(archive, source)))) as container:
        assert container.streams.video[0].start_time is not None
        assert abs(float(container.streams.video[0].start_time * container.streams.video[0].time_base)) < 0.15
        assert container.duration is not None and 3.8 < container.duration / av.time_base < 4.3


def test_what_browsers_do_not_play_is_encoded_anew(archive: Archive, tmp_path: Path) -> None:
    source = made(tmp_path, "part.mkv", *PICTURE, *SOUND, "-c:v", "mpeg4", "-c:a", "pcm_s16le")
    with av.open(str(playback_file(archive, held(archive, source)))) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.audio[0].codec_context.name == "aac"


X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p"]
VP9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"]
SOURCES = {
    "hevc.mp4": ([*PICTURE, *SOUND, *X265, "-c:a", "aac"], "h264", "aac"),
    "ten-bits.mkv": ([*PICTURE, *SOUND, "-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-c:a", "aac"], "h264", "aac"),
    "youtube.mkv": ([*PICTURE, *SOUND, *VP9, "-pix_fmt", "yuv420p", "-c:a", "libopus"], "vp9", "aac"),
    "vp9-444.webm": ([*PICTURE, *SOUND, *VP9, "-pix_fmt", "yuv444p", "-c:a", "libopus"], "h264", "aac"),
    "tv.ts": ([*PICTURE, *SOUND, "-c:v", "mpeg2video", "-c:a", "mp2"], "h264", "aac"),
    "call.mp3": ([*SOUND, "-c:a", "libmp3lame"], None, "mp3"),
    "call.wav": ([*SOUND, "-c:a", "pcm_s16le"], None, "aac"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_of_every_codec_browsers_get_one_they_play_and_what_they_play_is_copied(archive: Archive, tmp_path: Path, name: str) -> None:
    arguments, picture, sound = SOURCES[name]
    source = made(tmp_path, name, *arguments)
    part = held(archive, source)
    assert not is_made(archive, part)
    assert is_quick(archive, part) == (picture in (None, "vp9"))
    with av.open(str(playback_file(archive, part))) as container:
        assert [stream.codec_context.name for stream in container.streams.video] == ([picture] if picture else [])
        assert [stream.codec_context.pix_fmt for stream in container.streams.video] == (["yuv420p"] if picture else [])
        assert [stream.codec_context.name.removesuffix("float") for stream in container.streams.audio] == [sound]
    if picture == "vp9":
        assert packets(playback_file(archive, part), "video") == packets(source, "video")
    assert is_made(archive, part)


def test_a_rendition_that_would_fill_the_disk_is_refused_before_it_is_begun(tmp_path: Path) -> None:
    archive = open_archive(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0))
    part = held(archive, made(tmp_path, "part.flv", *PICTURE, *SOUND, *H264_AAC))
    archive.close()
    full = open_archive(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=1 << 60))
    with pytest.raises(StorageFull, match=r"part\.flv"):
        playback_file(full, part)
    assert not list(full.home.glob("renditions/*"))
    full.close()


def test_sound_alone_is_playable(archive: Archive, tmp_path: Path) -> None:
    source = made(tmp_path, "part.flv", *SOUND, "-c:a", "aac")
    with av.open(str(playback_file(archive, held(archive, source)))) as container:
        assert len(container.streams.audio) == 1
        assert not container.streams.video


def test_a_file_that_browsers_play_already_is_not_copied(archive: Archive, tmp_path: Path) -> None:
    source = made(tmp_path, "part.mp4", *PICTURE, *SOUND, *H264_AAC, "-movflags", "+faststart")
    part = held(archive, source)
    assert playback_file(archive, part) == archive.store.path(part.digest)


def test_a_fragmented_mp4_is_made_whole(archive: Archive, tmp_path: Path) -> None:
    source = made(tmp_path, "part.mp4", *PICTURE, *SOUND, *H264_AAC, "-movflags", "frag_keyframe+empty_moov")
    assert "moof" not in boxes(playback_file(archive, held(archive, source)))


def test_several_askers_get_one_file_and_nothing_half_written_is_left(archive: Archive, tmp_path: Path) -> None:
    part = held(archive, made(tmp_path, "part.flv", *PICTURE, *SOUND, *H264_AAC))
    found: list[Path] = []
    askers = [threading.Thread(target=lambda: found.append(playback_file(archive, part))) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(timeout=60)
    assert len(found) == 4 and len(set(found)) == 1
    assert [file.name for file in (archive.home / "renditions").iterdir()] == [found[0].name]


def test_bytes_that_are_no_media_are_refused_by_the_files_name(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "broken.flv").write_bytes(b"FLV but not really" * 100)
    with pytest.raises(ProgramFailed, match=r"broken\.flv"):
        playback_file(archive, held(archive, tmp_path / "broken.flv"))
    assert not list((archive.home).glob("renditions/*"))


def test_a_part_whose_bytes_are_gone_is_not_found(archive: Archive) -> None:
    gone = Part(1, "sha256:" + "0" * 64, 1, "gone.flv", 4000, "flv", {}, ClockMap(0, None, 0, "unknown"))
    with pytest.raises(NotFound):
        playback_file(archive, gone)
