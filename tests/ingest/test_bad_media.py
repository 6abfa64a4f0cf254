"""Media that can't be taken are refused by name, and nothing is half admitted; damage that leaves something to see is described."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive.errors import LiveProofError, StorageFull
from archive.opening import Archive, open_archive
from archive.programs import ffmpeg_program
from archive.settings import ArchiveSettings
from ingest.admission import IngestRequest, admit
from ingest.errors import FileChanged, InputTooLarge, InvalidRequest, NotMedia, UnreadableFile
from ingest.input_file import check_file
from ingest.media_probe import MediaProbe, probe
from ingest.settings import IngestSettings
from tests.archive.generated_media import remux

Flv = Callable[..., Path]


def probed(path: Path) -> MediaProbe:
    return probe(check_file(path, "media", 1 << 40))


def refused(archive: Archive, path: Path, error: type[LiveProofError]) -> str:
    with pytest.raises(error) as raised:
        admit(archive, IngestRequest((path,)), "tester")
    assert path.name in str(raised.value)
    return str(raised.value)


@pytest.mark.usefixtures("unchanged")
def test_a_missing_file_is_refused(archive: Archive, tmp_path: Path) -> None:
    assert "there is no media file" in refused(archive, tmp_path / "nothing.flv", UnreadableFile)


@pytest.mark.usefixtures("unchanged")
def test_an_empty_file_is_refused(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "empty.flv").touch()
    assert "is empty" in refused(archive, tmp_path / "empty.flv", UnreadableFile)


@pytest.mark.usefixtures("unchanged")
def test_a_folder_is_refused(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "录像").mkdir()
    assert "is a folder" in refused(archive, tmp_path / "录像", UnreadableFile)


@pytest.mark.usefixtures("unchanged")
def test_a_pipe_is_refused_without_waiting_for_it(archive: Archive, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.flv")
    assert "device or pipe" in refused(archive, tmp_path / "pipe.flv", UnreadableFile)


@pytest.mark.usefixtures("unchanged")
def test_a_dangling_link_and_a_name_that_cannot_be_are_refused(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "link.flv").symlink_to(tmp_path / "gone.flv")
    refused(archive, tmp_path / "link.flv", UnreadableFile)
    with pytest.raises(UnreadableFile):
        admit(archive, IngestRequest((Path("nul\x00.flv"),)), "tester")
    with pytest.raises(UnreadableFile):
        admit(archive, IngestRequest((tmp_path / ("x" * 300),)), "tester")


@pytest.fixture
def locked_file(originals: list[Path]) -> Iterator[Path]:
    """A recording that this process has no right to read, also where the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="lp-locked-", dir="/tmp"))
    folder.chmod(0o755)
    file = folder / "locked.flv"
    file.write_bytes(originals[0].read_bytes())
    file.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield file
    if root:
        os.seteuid(0)
    file.unlink()
    folder.rmdir()


def test_an_unreadable_file_is_refused(locked_file: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"locked\.flv may not be read"):
        check_file(locked_file, "media", 1 << 30)


NOT_MEDIA = {
    "words.flv": "直播回放\n".encode() * 3000,
    "noise.mp4": bytes(os.urandom(1 << 16)),
    "zeros.ts": bytes(1 << 16),
    "page.mkv": b"<!doctype html><html><body>404</body></html>" * 50,
    "archive.flv": b"PK\x03\x04" + bytes(5000),
    "playlist.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "concat.txt": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "captions.srt": b"1\n00:00:01,000 --> 00:00:02,000\nhello\n",
}


@pytest.mark.parametrize("name", NOT_MEDIA)
@pytest.mark.usefixtures("unchanged")
def test_what_is_no_media_is_refused_whatever_it_is_called(archive: Archive, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(NOT_MEDIA[name])
    refused(archive, tmp_path / name, NotMedia)


@pytest.mark.usefixtures("unchanged")
def test_a_picture_is_no_recording(archive: Archive, flv: Flv, tmp_path: Path) -> None:
    picture = tmp_path / "shot.png"
    subprocess.run([ffmpeg_program(), "-v", "error", "-i", str(flv()), "-frames:v", "1", str(picture)], check=True, timeout=60)
    refused(archive, picture, NotMedia)


@pytest.mark.usefixtures("unchanged")
def test_a_header_with_nothing_after_it_is_refused(archive: Archive, originals: list[Path], tmp_path: Path) -> None:
    (tmp_path / "head.flv").write_bytes(originals[0].read_bytes()[:200])
    refused(archive, tmp_path / "head.flv", NotMedia)


@pytest.mark.usefixtures("unchanged")
def test_an_mp4_cut_off_before_its_index_is_refused(archive: Archive, flv: Flv, tmp_path: Path) -> None:
    whole = remux(flv(), tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    assert "cut off before its index" in refused(archive, tmp_path / "cut.mp4", NotMedia)


@pytest.mark.usefixtures("unchanged")
def test_one_bad_part_keeps_the_good_ones_out(archive: Archive, flv: Flv, tmp_path: Path) -> None:
    (tmp_path / "bad.flv").write_bytes(b"FLV" + bytes(3000))
    with pytest.raises(NotMedia, match=r"bad\.flv"):
        admit(archive, IngestRequest((flv(), tmp_path / "bad.flv")), "tester")


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_truncated_flv_is_admitted_with_its_real_length_and_its_damage(
    archive: Archive, originals: list[Path], tmp_path: Path, share: float
) -> None:
    whole = originals[2].read_bytes()
    cut = tmp_path / "cut.flv"
    cut.write_bytes(whole[: int(len(whole) * share)])
    (part,) = admit(archive, IngestRequest((cut,)), "tester").recording.parts
    full = probed(originals[2]).duration_ms
    assert 0 < part.duration_ms < full
    assert part.damage
    if full - part.duration_ms > 1100:
        assert part.damage[0].startswith("tail_missing ")
    assert archive.store.path(part.digest).read_bytes() == cut.read_bytes()


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "flv"])
def test_lengths_and_streams_are_those_of_the_packets(flv: Flv, tmp_path: Path, ending: str) -> None:
    found = probed(remux(flv("source.flv"), tmp_path / f"remuxed.{ending}"))
    assert abs(found.duration_ms - 4000) < 100
    assert found.damage == ()
    (video,) = [stream for stream in found.streams if stream.kind == "video"]
    (audio,) = [stream for stream in found.streams if stream.kind == "audio"]
    assert (video.codec, video.width, video.height, video.fps, video.packets) == ("h264", 160, 120, 25.0, 100)
    assert (audio.codec, audio.rate, audio.channels) == ("aac", 44100, 1)


def test_an_flv_whose_header_was_never_finished_has_its_packets_length(flv: Flv, tmp_path: Path) -> None:
    """As a recorder leaves it that is killed: the header says 0 s."""
    live = tmp_path / "live.flv"
    command = [ffmpeg_program(), "-v", "error", "-i", str(flv()), "-c", "copy", "-flvflags", "no_duration_filesize", str(live)]
    subprocess.run(command, check=True, timeout=60)
    assert abs(probed(live).duration_ms - 4000) < 100


def test_sound_alone_and_picture_alone_are_media(flv: Flv, tmp_path: Path) -> None:
    for name, drop in (("sound.m4a", "-vn"), ("picture.mp4", "-an")):
        command = [ffmpeg_program(), "-v", "error", "-i", str(flv()), drop, "-c", "copy", str(tmp_path / name)]
        subprocess.run(command, check=True, timeout=60)
        assert len(probed(tmp_path / name).streams) == 1


def test_a_time_stamp_jump_is_described(flv: Flv, tmp_path: Path) -> None:
    """Two takes in one file, the second an hour on, as after a wrong time stamp from the platform."""
    first, second, joined = tmp_path / "a.ts", tmp_path / "b.ts", tmp_path / "joined.ts"
    remux(flv(), first)
    command = [ffmpeg_program(), "-v", "error", "-i", str(flv("b.flv", 1)), "-c", "copy", "-output_ts_offset", "3600", str(second)]
    subprocess.run(command, check=True, timeout=60)
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    found = probed(joined)
    assert any(damage.startswith("times_forward count=1 ") for damage in found.damage)
    assert abs(found.duration_ms - 7000) < 300, "an MPEG-TS goes on where it was, as it is played"


@pytest.mark.usefixtures("unchanged")
def test_the_same_file_twice_is_refused(archive: Archive, flv: Flv) -> None:
    with pytest.raises(InvalidRequest, match="named twice"):
        admit(archive, IngestRequest((flv(), flv())), "tester")


def test_the_same_bytes_under_two_names_are_refused_before_the_catalog(archive: Archive, flv: Flv) -> None:
    with pytest.raises(InvalidRequest, match="same bytes"):
        admit(archive, IngestRequest((flv("a.flv"), flv("b.flv"))), "tester")
    assert archive.catalog.recordings() == [] and archive.custody.head() is None


@pytest.mark.usefixtures("unchanged")
def test_files_beyond_the_limits_are_refused(archive: Archive, flv: Flv) -> None:
    with pytest.raises(InputTooLarge, match="more than the 1000 that are allowed"):
        admit(archive, IngestRequest((flv(),)), "tester", settings=IngestSettings(media_max_bytes=1000))
    with pytest.raises(InputTooLarge, match="2 media files"):
        admit(archive, IngestRequest((flv("a.flv"), flv("b.flv", 1))), "tester", settings=IngestSettings(parts_max=1))


def test_a_disk_without_room_is_told_before_anything_is_written(flv: Flv, tmp_path: Path) -> None:
    full = open_archive(ArchiveSettings(home=tmp_path / "full", free_space_margin_bytes=1 << 60))
    with pytest.raises(StorageFull, match="nothing was admitted"):
        admit(full, IngestRequest((flv(),)), "tester")
    assert full.catalog.recordings() == [] and list(full.store.digests()) == []
    full.close()


@pytest.mark.usefixtures("unchanged")
def test_a_file_that_is_still_written_to_is_refused(archive: Archive, flv: Flv) -> None:
    growing = flv()

    def recorder_goes_on(step: str, done: int, total: int) -> None:
        with growing.open("ab") as stream:
            stream.write(b"more")

    short = flv("other.flv", 1)
    with pytest.raises(FileChanged, match="wait until the recorder has closed it"):
        admit(archive, IngestRequest((short, growing)), "tester", recorder_goes_on)
