"""Decoding a part says which of its sound can't be heard and which pictures can't be seen, at the media time where that is."""

import subprocess
from pathlib import Path

import pytest

from archive.media_checks import Finding
from archive.programs import ffmpeg_program
from archive.recording import Part
from archive.timeline import ClockMap
from ingest.input_file import check_file
from ingest.media_check import check_part
from ingest.media_probe import probe

SECONDS = 20


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 s of noise under moving pictures, a key picture every two seconds: there is something in every packet to be damaged."""
    target = tmp_path_factory.mktemp("noisy") / "noisy.mp4"
    sound, pictures = f"anoisesrc=d={SECONDS}:c=pink:r=44100", f"testsrc2=s=320x240:r=25:d={SECONDS}"
    ffmpeg("-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound, "-c:v", "libx264", "-g", "50", "-c:a", "aac", "-b:a", "96k", target)
    return target


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([ffmpeg_program(), "-v", "error", "-y", *map(str, arguments)], check=True, timeout=60)


def packed(source: Path, target: Path) -> Path:
    ffmpeg("-i", source, "-c", "copy", target)
    return target


def hurt(source: Path, target: Path, from_share: float, to_share: float) -> Path:
    """A copy in which every byte of a stretch of the file is another, as a disk leaves it."""
    content = bytearray(source.read_bytes())
    start, end = int(len(content) * from_share), int(len(content) * to_share)
    content[start:end] = bytes(byte ^ 0x5A for byte in content[start:end])
    target.write_bytes(content)
    return target


def checked(path: Path, every_picture: bool = False, **more: object) -> tuple[Finding, ...]:
    found = probe(check_file(path, "media", 1 << 40))
    part = Part(1, "", 0, path.name, found.duration_ms, found.container, found.as_json(), ClockMap(0, None, 0, "unknown"), found.damage)
    return check_part(path, part, every_picture=every_picture, **{"timeout_s": 60, **more})  # type: ignore[arg-type]


def lost_ms(findings: tuple[Finding, ...], *kinds: str) -> int:
    return sum(found.to_ms - found.from_ms for found in findings if found.what in kinds)


@pytest.mark.parametrize("every_picture", [False, True], ids=["key pictures", "every picture"])
@pytest.mark.parametrize("ending", ["mp4", "flv", "mkv", "ts"])
def test_a_whole_file_has_nothing_found(noisy: Path, tmp_path: Path, ending: str, every_picture: bool) -> None:
    assert checked(packed(noisy, tmp_path / f"whole.{ending}"), every_picture) == ()


@pytest.mark.parametrize("ending", ["mp4", "flv", "mkv", "ts"])
def test_sound_that_a_disk_damaged_is_told_where_it_lies(noisy: Path, tmp_path: Path, ending: str) -> None:
    """A tenth of the file from a third on: about two seconds around the seventh."""
    findings = checked(hurt(packed(noisy, tmp_path / f"whole.{ending}"), tmp_path / f"hurt.{ending}", 0.3, 0.4))
    assert 1000 < lost_ms(findings, "unheard", "silent") < 6000
    assert all(4500 < found.from_ms < found.to_ms < 11_500 for found in findings if found.what != "unseen"), findings


def test_pictures_between_key_pictures_are_only_found_where_every_one_is_decoded(noisy: Path, tmp_path: Path) -> None:
    """Sound and key pictures are left whole here: a few bytes of one picture in the middle of a group are changed."""
    damaged = tmp_path / "picture.mp4"
    content = bytearray(noisy.read_bytes())
    import av

    with av.open(str(noisy)) as container:
        pictures = [packet for packet in container.demux(video=0) if packet.size and packet.pos is not None]
    hit = next(n for n in range(70, 95) if not pictures[n].is_keyframe and pictures[n].size > 400)
    position = pictures[hit].pos or 0
    content[position + 60 : position + 300] = b"\xff" * 240
    damaged.write_bytes(content)
    assert checked(damaged) == ()
    unseen = [found for found in checked(damaged, every_picture=True) if found.what == "unseen"]
    assert unseen and 2000 < unseen[0].from_ms < 4100 and unseen[-1].to_ms <= 4600


def test_a_part_without_sound_was_not_heard_at_all(noisy: Path, tmp_path: Path) -> None:
    ffmpeg("-i", noisy, "-an", "-c", "copy", tmp_path / "mute.mp4")
    (silent,) = checked(tmp_path / "mute.mp4")
    assert (silent.what, silent.from_ms) == ("silent", 0) and silent.to_ms == pytest.approx(SECONDS * 1000, abs=100)


def test_sound_that_pauses_and_ends_early_was_not_heard_there(noisy: Path, tmp_path: Path) -> None:
    paused = tmp_path / "paused.mkv"
    ffmpeg("-i", packed(noisy, tmp_path / "whole.mkv"), "-c", "copy", "-bsf:a", "noise=drop='between(pts*tb,3,5)+gt(pts*tb,15)'", paused)
    findings = [(found.what, round(found.from_ms, -2), round(found.to_ms, -2)) for found in checked(paused)]
    assert findings == [("silent", 3000, 5000), ("silent", 15_000, 20_000)]


def test_a_session_that_begins_again_is_checked_on_its_joined_time(noisy: Path, tmp_path: Path) -> None:
    flv = packed(noisy, tmp_path / "whole.flv")
    hurt_flv = hurt(flv, tmp_path / "hurt.flv", 0.3, 0.35)
    (tmp_path / "twice.flv").write_bytes(flv.read_bytes() + hurt_flv.read_bytes()[13:])
    findings = checked(tmp_path / "twice.flv")
    assert findings and all(20_000 + 4500 < found.from_ms < 20_000 + 11_500 for found in findings)


def test_a_check_that_takes_too_long_says_what_it_left(noisy: Path) -> None:
    times = iter([0.0, 0.0, 100.0])
    (left,) = checked(noisy, now=lambda: next(times))
    assert left.what == "unchecked" and 0 < left.from_ms < left.to_ms and "LIVEPROOF_MEDIA_CHECK_TIMEOUT_S" in left.said


def test_memory_of_findings_is_bounded(noisy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.media_check.FINDINGS_MAX", 0)
    (more,) = [found for found in checked(hurt_twice(noisy)) if found.what == "more"]
    assert more.count >= 1 and more.said == "unheard"


def hurt_twice(noisy: Path) -> Path:
    return hurt(noisy, noisy.with_name("hurt-for-limits.mp4"), 0.3, 0.4)
