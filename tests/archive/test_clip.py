"""Clips: exact to the picture, provable to the packet, refused where nothing is held."""

import json
import subprocess
from pathlib import Path

import av
import pytest

from archive.clip import cut_clip, screenshot, verify_proof_clip
from archive.errors import InvalidTime, NoMediaHeld, NotFound, TooLarge, VerificationFailed
from archive.media_proof import prove_media, read_clip
from archive.opening import Archive
from archive.programs import ffprobe_program
from archive.verifier.clips import check_proof_clip, read_with_ffprobe
from tests.archive.generated_media import FPS, beep_starts_ms, number_on, pictures_of
from tests.archive.held import admit

FRAME_MS = 1000 // FPS
CONTAINERS = ("flv", "mp4", "mkv", "ts")


def first_picture_offset_ms(path: Path) -> int:
    """Media time of picture 0: B-frames shift it in some containers."""
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return round(1000 * (frame.time or 0) - (container.start_time or 0) / 1000)


@pytest.mark.parametrize("ending", CONTAINERS)
@pytest.mark.parametrize(("from_ms", "to_ms"), [(3333, 6100), (0, 1500), (8010, 11990)])
def test_a_view_clip_begins_and_ends_where_it_was_asked_to(
    archive: Archive, media: dict[str, Path], tmp_path: Path, ending: str, from_ms: int, to_ms: int
) -> None:
    admit(archive, "r1", [media[ending]])
    clip = cut_clip(archive, "r1", from_ms, to_ms, tmp_path / "clip.mp4", "tester")
    shift = first_picture_offset_ms(media[ending])
    pictures = pictures_of(clip.view)
    for at_ms, number in (pictures[0], pictures[len(pictures) // 2], pictures[-1]):
        assert abs(from_ms + at_ms - (shift + number * FRAME_MS)) <= FRAME_MS
    assert shift + pictures[0][1] * FRAME_MS - max(from_ms, shift) in range(-FRAME_MS, FRAME_MS + 1)
    with av.open(str(clip.view)) as container:
        assert abs((container.duration or 0) / 1000 - (to_ms - from_ms)) <= 50
        assert "Derived" in container.metadata["comment"]


def test_sound_in_a_view_clip_stays_with_its_pictures(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["flv"]])
    clip = cut_clip(archive, "r1", 3000, 6000, tmp_path / "clip.mp4", "tester")
    heard = beep_starts_ms(clip.view)
    assert all(abs(at - due) <= 60 for at, due in zip(heard, (500, 2200), strict=True))


@pytest.mark.parametrize("ending", CONTAINERS)
def test_a_proof_clip_of_every_container_verifies(archive: Archive, media: dict[str, Path], tmp_path: Path, ending: str) -> None:
    admit(archive, "r1", [media[ending]])
    clip = cut_clip(archive, "r1", 3500, 5200, tmp_path / "clip.mp4", "tester")
    assert clip.proof_clip.name == ("clip.proof.ts" if ending == "ts" else "clip.proof.mp4")
    assert clip.proof_from_ms <= 3500
    assert clip.proof_to_ms >= 5200
    assert clip.proof_to_ms - clip.proof_from_ms <= 2 * 40 * FRAME_MS + 1
    assert "packets" in verify_proof_clip(clip.proof_clip, clip.proof)
    if ffprobe_program():
        assert "packets" in check_proof_clip(read_with_ffprobe(clip.proof_clip), json.loads(clip.proof.read_bytes())).english


def test_flv_mp4_and_mkv_of_the_same_packets_have_the_same_payloads_in_their_proofs(media: dict[str, Path]) -> None:
    payloads = [[digest for _, digest, _ in read_clip(media[ending]).packets] for ending in ("flv", "mp4", "mkv")]
    assert sorted(payloads[0]) == sorted(payloads[1]) == sorted(payloads[2])


def test_a_proof_is_the_same_each_time_it_is_made(media: dict[str, Path]) -> None:
    assert prove_media(media["flv"]) == prove_media(media["flv"])
    assert prove_media(media["flv"]).root != prove_media(media["other"]).root


def test_a_part_with_sound_alone_is_cut_and_proved(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    sound = tmp_path / "sound.m4a"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(media["mp4"]), "-vn", "-c", "copy", str(sound)], check=True, timeout=60)
    admit(archive, "r1", [sound])
    clip = cut_clip(archive, "r1", 3100, 6100, tmp_path / "clip.mp4", "tester")
    assert verify_proof_clip(clip.proof_clip, clip.proof)
    with pytest.raises(NoMediaHeld, match="sound only"):
        screenshot(archive, "r1", 3100, tmp_path / "shot.png", "tester")


def test_a_second_part_is_cut_on_the_recordings_time_line(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    recording = admit(archive, "r1", [media["flv"], media["other"]], gap_ms=3000)
    start = recording.parts[1].start_ms
    clip = cut_clip(archive, "r1", start + 4000, start + 5000, tmp_path / "clip.mp4", "tester")
    assert clip.part == 2
    assert abs(pictures_of(clip.view)[0][1] - 400 - (4000 - first_picture_offset_ms(media["other"])) / FRAME_MS) <= 1


def test_a_screenshot_shows_the_picture_of_its_moment(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["flv"]])
    screenshot(archive, "r1", 4700, tmp_path / "shot.png", "tester")
    with av.open(str(tmp_path / "shot.png")) as container:
        number = number_on(next(container.decode(video=0)).to_ndarray(format="gray"))
    assert abs(number - (4700 - first_picture_offset_ms(media["flv"])) / FRAME_MS) <= 1


def test_exports_are_in_the_custody_log(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["flv"]])
    clip = cut_clip(archive, "r1", 3500, 5200, tmp_path / "clip.mp4", "ann")
    screenshot(archive, "r1", 3500, tmp_path / "shot.png", "ann")
    entries = list(archive.custody.entries(["r1"]))
    assert [entry.action for entry in entries] == ["admit", "media.root", "clip.export", "screenshot.export"]
    assert entries[2].actor == "ann"
    assert json.loads(entries[2].detail)["proof_clip_digest"] == clip.proof_clip_digest


def test_the_media_root_is_logged_once(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "r1", [media["flv"]])
    cut_clip(archive, "r1", 3500, 5200, tmp_path / "a.mp4", "ann")
    cut_clip(archive, "r1", 6000, 7000, tmp_path / "b.mp4", "ann")
    assert [entry.action for entry in archive.custody.entries(["r1"])].count("media.root") == 1


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "said"),
    [
        (5000, 4000, "end after it starts"),
        (-5, 100, "end after"),
        (99_000, 99_500, "outside"),
        (13_000, 13_500, "gap"),
        (11_000, 13_500, "gap"),
    ],
)
def test_a_span_that_is_not_held_is_refused_with_a_reason(
    archive: Archive, media: dict[str, Path], tmp_path: Path, from_ms: int, to_ms: int, said: str
) -> None:
    admit(archive, "r1", [media["flv"], media["other"]], gap_ms=3000)
    with pytest.raises(InvalidTime, match=said):
        cut_clip(archive, "r1", from_ms, to_ms, tmp_path / "clip.mp4", "tester")
    assert not list(tmp_path.glob("clip*"))


def test_a_span_over_two_parts_is_told_where_to_cut(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    recording = admit(archive, "r1", [media["flv"], media["other"]])
    with pytest.raises(InvalidTime, match=f"cut 11000 to {recording.parts[0].end_ms} and {recording.parts[1].start_ms} to 14000"):
        cut_clip(archive, "r1", 11_000, 14_000, tmp_path / "clip.mp4", "tester")


def test_captions_alone_unknown_recordings_and_endless_spans_are_refused(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    admit(archive, "captions", [])
    admit(archive, "r1", [media["flv"]])
    with pytest.raises(NoMediaHeld, match="captions only"):
        cut_clip(archive, "captions", 0, 1000, tmp_path / "clip.mp4", "tester")
    with pytest.raises(NotFound):
        cut_clip(archive, "r2", 0, 1000, tmp_path / "clip.mp4", "tester")
    with pytest.raises(TooLarge):
        cut_clip(archive, "r1", 0, 10_000_000, tmp_path / "clip.mp4", "tester")


def test_a_part_changed_in_the_store_gives_no_proof_clip(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    recording = admit(archive, "r1", [media["flv"]])
    cut_clip(archive, "r1", 3500, 5200, tmp_path / "a.mp4", "tester")
    stored = archive.store.path(recording.parts[0].digest)
    stored.chmod(0o644)
    stored.write_bytes(media["other"].read_bytes())
    with pytest.raises(VerificationFailed):
        cut_clip(archive, "r1", 3500, 5200, tmp_path / "b.mp4", "tester")
