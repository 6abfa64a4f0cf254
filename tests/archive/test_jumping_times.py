"""Clips, screenshots and renditions of parts whose time stamps jump ahead, turn over or begin again: the pictures of the right moment."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import pytest

from archive.admission import Admission
from archive.clip import Blur, cut_clip, screenshot, verify_proof_clip
from archive.errors import TimesNotRetold, VerificationFailed
from archive.media_proof import prove_media, read_clip
from archive.opening import Archive
from archive.programs import ffmpeg_program
from archive.recording import Part, Recording
from archive.rendition import is_made, playback_file
from archive.timeline import ClockMap
from archive.verifier.clips import ClipContent, check_proof_clip
from archive.verifier.outcomes import Wrong
from ingest.input_file import check_file
from ingest.media_probe import probe
from tests.archive.generated_media import FPS, beep_starts_ms, make_media, number_on, pictures_of
from tests.archive.held import STARTED, open_test_archive
from tests.ingest.test_packet_times import with_flv_times

FRAME_MS = 1000 // FPS
HALF_S = 8
TURN_OF_TS_S = (1 << 33) / 90_000
FLV_HEAD = 13
BEEP_MS = 2500


@dataclass(frozen=True)
class Jumping:
    """A file of two halves, pictures numbered on through both, whose times jump between them; the second half beeps at 2.5 s."""

    path: Path
    root: str


def _in_ts(source: Path, target: Path, offset_s: float) -> bytes:
    command = [ffmpeg_program(), "-v", "error", "-y", "-i", source, "-c", "copy", "-output_ts_offset", f"{offset_s:.3f}", target]
    subprocess.run(list(map(str, command)), check=True, timeout=60)
    return target.read_bytes()


@pytest.fixture(scope="session")
def halves(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("halves")
    first = make_media(folder / "a.flv", HALF_S, [1000])
    return first, make_media(folder / "b.flv", HALF_S, [BEEP_MS], first_frame=HALF_S * FPS)


@pytest.fixture(scope="session", params=["ts-forward", "ts-turn", "flv-again", "flv-there-and-back"])
def jumping(request: pytest.FixtureRequest, halves: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Jumping:
    folder = tmp_path_factory.mktemp(request.param)
    first, second = halves
    if request.param == "flv-again":
        path = folder / "again.flv"
        path.write_bytes(first.read_bytes() + second.read_bytes()[FLV_HEAD:])
    elif request.param == "flv-there-and-back":
        # As a co-host who joins and leaves makes it: ten minutes ahead in the middle of a group, and back in the middle of another.
        later = with_flv_times(second, folder / "later.flv", lambda _, ms: ms + HALF_S * 1000)
        whole = folder / "whole.flv"
        whole.write_bytes(first.read_bytes() + later.read_bytes()[FLV_HEAD:])
        path = with_flv_times(whole, folder / "there.flv", lambda _, ms: ms + (600_000 if 5300 < ms < 12_100 else 0))
    else:
        starts = (100, 4000) if request.param == "ts-forward" else (TURN_OF_TS_S - 200, 0)
        path = folder / "jump.ts"
        path.write_bytes(
            b"".join(_in_ts(half, folder / f"{n}.ts", at) for n, (half, at) in enumerate(zip((first, second), starts, strict=True)))
        )
    return Jumping(path, prove_media(path).root)


def admit_probed(archive: Archive, path: Path, starts_at_ms: int = 0, **changed: int) -> Part:
    """Admit a file with what its probe found, as ingest does."""
    found = probe(check_file(path, "media", 1 << 40))
    assert found.joined
    digest, size = archive.store.put_file(path)
    clock = ClockMap(starts_at_ms, STARTED.plus_ms(starts_at_ms), 500, "given")
    duration_ms = changed.get("duration_ms", found.duration_ms)
    part = Part(1, digest, size, path.name, duration_ms, found.container, found.as_json(), clock, found.damage)
    recording = Recording("r1", "douyin", "房间1", "小美", "专场", STARTED, part.end_ms, archive.clock(), (part,), ())
    archive.catalog.admit(Admission(recording), "tester")
    return part


def numbers_of(path: Path) -> list[int]:
    return [number for _, number in pictures_of(path)]


def number_at(media_ms: int, first_ms: int) -> float:
    """The number of the picture on screen at a moment, where picture 0 is shown at `first_ms`."""
    return (media_ms - first_ms) / FRAME_MS


def first_picture_ms(path: Path) -> int:
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return round(1000 * (frame.time or 0) - (container.start_time or 0) / 1000)


SPANS = [(3300, 5100), (7100, 9200), (10_400, 13_700)]


@pytest.mark.parametrize(("from_ms", "to_ms"), SPANS, ids=["before", "across", "behind"])
def test_a_clip_before_across_and_behind_a_jump_holds_the_pictures_of_its_span(
    archive: Archive, jumping: Jumping, tmp_path: Path, from_ms: int, to_ms: int
) -> None:
    admit_probed(archive, jumping.path)
    shift = first_picture_ms(jumping.path)
    clip = cut_clip(archive, "r1", from_ms, to_ms, tmp_path / "clip.mp4", "tester")
    shown = pictures_of(clip.view)
    numbers = [number for _, number in shown]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    for at_ms, number in (shown[0], shown[len(shown) // 2], shown[-1]):
        assert abs(number - number_at(from_ms + at_ms, shift)) <= 1.5
    assert abs(len(numbers) - (to_ms - from_ms) / FRAME_MS) <= 2

    assert "packets" in verify_proof_clip(clip.proof_clip, clip.proof)
    document = json.loads(clip.proof.read_bytes())
    assert document["media_root"] == jumping.root
    proven = numbers_of(clip.proof_clip)
    assert proven == list(range(proven[0], proven[0] + len(proven)))
    assert proven[0] <= numbers[0]
    assert proven[-1] >= numbers[-1]
    assert abs(proven[0] - number_at(document["clip_starts_ms"], shift)) <= 1.5
    assert document["clip_starts_ms"] == clip.proof_from_ms <= from_ms + FRAME_MS
    assert clip.proof_to_ms >= to_ms - FRAME_MS
    assert clip.proof_to_ms - clip.proof_from_ms <= to_ms - from_ms + 2 * 40 * FRAME_MS


@pytest.mark.parametrize("at_ms", [4100, 7990, 8300, 12_500])
def test_a_screenshot_behind_a_jump_shows_its_moment(archive: Archive, jumping: Jumping, tmp_path: Path, at_ms: int) -> None:
    admit_probed(archive, jumping.path)
    screenshot(archive, "r1", at_ms, tmp_path / "shot.png", "tester")
    with av.open(str(tmp_path / "shot.png")) as container:
        number = number_on(next(container.decode(video=0)).to_ndarray(format="gray"))
    assert abs(number - number_at(at_ms, first_picture_ms(jumping.path))) <= 1.5


def test_a_rendition_plays_on_joined_time_with_its_sound(archive: Archive, jumping: Jumping) -> None:
    part = admit_probed(archive, jumping.path, 5000)
    assert not is_made(archive, part)
    made = playback_file(archive, part)
    assert is_made(archive, part)
    shift = first_picture_ms(jumping.path)
    shown = pictures_of(made)
    assert [number for _, number in shown] == list(range(2 * HALF_S * FPS))
    for at_ms, number in shown[:: 2 * FPS]:
        assert abs(number - number_at(at_ms, shift)) <= 1.5
    heard = beep_starts_ms(made)
    assert heard == [pytest.approx(1000 + shift, abs=120), pytest.approx(HALF_S * 1000 + BEEP_MS + shift, abs=120)]


def test_sound_of_a_clip_across_a_jump_stays_with_its_pictures(archive: Archive, jumping: Jumping, tmp_path: Path) -> None:
    admit_probed(archive, jumping.path)
    clip = cut_clip(archive, "r1", 7000, 12_000, tmp_path / "clip.mp4", "tester")
    due = HALF_S * 1000 + BEEP_MS - 7000 + first_picture_ms(jumping.path)
    assert beep_starts_ms(clip.view) == [pytest.approx(due, abs=120)]
    assert beep_starts_ms(clip.proof_clip)[-1] == pytest.approx(due + 7000 - clip.proof_from_ms, abs=200)


def test_edits_behind_a_jump_are_made_where_they_were_asked_for(archive: Archive, jumping: Jumping, tmp_path: Path) -> None:
    admit_probed(archive, jumping.path)
    plain = cut_clip(archive, "r1", 10_000, 12_000, tmp_path / "plain.mp4", "tester")
    blurred = cut_clip(archive, "r1", 10_000, 12_000, tmp_path / "b.mp4", "tester", blur=[Blur(20, 50, 60, 60, 10_500, 11_500)])
    assert numbers_of(blurred.view) == numbers_of(plain.view)


def test_shifts_that_close_no_jump_fail_the_proof(archive: Archive, jumping: Jumping, tmp_path: Path) -> None:
    admit_probed(archive, jumping.path)
    clip = cut_clip(archive, "r1", 7100, 9200, tmp_path / "clip.mp4", "tester")
    document = json.loads(clip.proof.read_bytes())
    (count, shift), *rest = document["time_shifts"]["video"]
    document["time_shifts"]["video"] = [[count - 5, shift], [5, shift + 700], *rest]
    with pytest.raises(VerificationFailed, match="where no time stamp jumps"):
        verify_proof_clip(clip.proof_clip, document)
    del document["time_shifts"]
    with pytest.raises(VerificationFailed, match=r"another time|is not the recording's"):
        verify_proof_clip(clip.proof_clip, document)


def test_a_proof_that_moves_sound_away_from_its_pictures_fails(archive: Archive, jumping: Jumping, tmp_path: Path) -> None:
    admit_probed(archive, jumping.path)
    clip = cut_clip(archive, "r1", 7100, 9200, tmp_path / "clip.mp4", "tester")
    document = json.loads(clip.proof.read_bytes())
    extradata = read_clip(clip.proof_clip).extradata
    assert check_proof_clip(ClipContent(_as_told(document), extradata), document)
    document["time_shifts"]["audio"][-1][1] += 3000
    with pytest.raises(Wrong, match=r"moves (sound otherwise|audio)"):
        check_proof_clip(ClipContent(_as_told(document), extradata), document)


def _as_told(document: dict[str, Any]) -> list[tuple[str, str, float | None]]:
    """The packets of a clip that was written just as its proof says."""
    found = []
    for kind in ("video", "audio"):
        shifts = [shift for count, shift in document["time_shifts"][kind] for _ in range(count)]
        own = [packet for item in document["gops"] for packet in item["leaf"][kind]]
        told = [(kind, digest, float(at + shift)) for (digest, at), shift in zip(own, shifts, strict=True)]
        found += told if kind == "video" else sorted(told, key=lambda packet: packet[2])
    return found


def test_sound_alone_that_begins_again_is_cut_where_it_is_heard(archive: Archive, halves: tuple[Path, Path], tmp_path: Path) -> None:
    pieces = []
    for half in halves:
        command = [ffmpeg_program(), "-v", "error", "-y", "-i", half, "-vn", "-c", "copy", tmp_path / "sound.flv"]
        subprocess.run(list(map(str, command)), check=True, timeout=60)
        pieces.append((tmp_path / "sound.flv").read_bytes())
    again = tmp_path / "again.flv"
    again.write_bytes(pieces[0] + pieces[1][FLV_HEAD:])
    part = admit_probed(archive, again)
    due = HALF_S * 1000 + BEEP_MS
    assert beep_starts_ms(playback_file(archive, part)) == [pytest.approx(1000, abs=120), pytest.approx(due, abs=120)]
    clip = cut_clip(archive, "r1", 7000, 12_000, tmp_path / "clip.mp4", "tester")
    assert beep_starts_ms(clip.view) == [pytest.approx(due - 7000, abs=120)]
    assert verify_proof_clip(clip.proof_clip, clip.proof)


def test_a_line_that_does_not_end_where_the_part_does_is_refused(jumping: Jumping, tmp_path: Path) -> None:
    opened = open_test_archive(tmp_path / "other")
    part = admit_probed(opened, jumping.path, duration_ms=19_000)
    refused: list[Callable[[], object]] = [
        lambda: cut_clip(opened, "r1", 3000, 5000, tmp_path / "clip.mp4", "tester"),
        lambda: screenshot(opened, "r1", 3000, tmp_path / "shot.png", "tester"),
        lambda: playback_file(opened, part),
    ]
    for cut in refused:
        with pytest.raises(TimesNotRetold, match="part 1"):
            cut()
    assert not list(tmp_path.glob("*.mp4"))
    opened.close()


def test_the_joined_line_is_kept_and_made_anew_when_it_is_damaged(archive: Archive, jumping: Jumping, tmp_path: Path) -> None:
    admit_probed(archive, jumping.path)
    cut_clip(archive, "r1", 9000, 10_000, tmp_path / "a.mp4", "tester")
    (kept,) = (archive.home / "derived" / "joined-times").iterdir()
    before = kept.read_bytes()
    kept.write_bytes(b"{")
    again = cut_clip(archive, "r1", 9000, 10_000, tmp_path / "b.mp4", "tester")
    assert kept.read_bytes() == before
    assert abs(numbers_of(again.view)[0] - number_at(9000, first_picture_ms(jumping.path))) <= 1.5
