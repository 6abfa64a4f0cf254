"""Captions that say the time of day are a clock and never a transcript, whether they are given or lie beside the media."""

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from archive.opening import Archive
from archive.timeline import WallTime
from ingest.admission import IngestRequest, admit
from ingest.clock_subtitles import TimedText, is_time_subtitle, subtitle_clock
from ingest.errors import InvalidContent
from ingest.extension import ExtendRequest, extend

CHINA = ZoneInfo("Asia/Shanghai")
START = WallTime.parse("2026-11-18T20:00:00+08:00")
CHINA_MS = 8 * 3_600_000


def cue_text(wall_ms: float) -> str:
    return WallTime(int(wall_ms) // 1000 * 1000 + CHINA_MS).iso()[:19].replace("T", " ")


def written(path: Path, count: int, start: WallTime = START, sleeps_ms: float = 1000.0) -> Path:
    """As ihmily/DouyinLiveRecorder writes them: cue n from n to n + 1 s, its text the time of day, one loop every `sleeps_ms`."""
    stamp = "{:02}:{:02}:{:02},000".format
    cues = [
        f"{n + 1}\n{stamp(n // 3600, n // 60 % 60, n % 60)} --> {stamp((n + 1) // 3600, (n + 1) // 60 % 60, (n + 1) % 60)}\n"
        f"{cue_text(start.epoch_ms + n * sleeps_ms)}\n"
        for n in range(count)
    ]
    path.write_text("\n".join(cues), "utf-8")
    return path


def cues(count: int, sleeps_ms: float = 1000.0, start_ms: float = START.epoch_ms) -> list[TimedText]:
    return [TimedText(n * 1000, cue_text(start_ms + n * sleeps_ms)) for n in range(count)]


def test_they_are_told_by_what_they_say() -> None:
    assert is_time_subtitle(cues(10))
    assert is_time_subtitle([*cues(20), TimedText(21_000, "欢迎来到直播间")])
    assert not is_time_subtitle(cues(2))
    assert not is_time_subtitle([TimedText(n * 1000, "今天是 2026-11-18 20:00:00 的专场") for n in range(10)])
    assert not is_time_subtitle([TimedText(n, f"{2026}-13-40 25:61:00") for n in range(10)])
    assert not is_time_subtitle(list(reversed(cues(60))))
    assert not is_time_subtitle([])


def test_a_steady_writer_gives_the_second() -> None:
    clock = subtitle_clock(cues(600, start_ms=START.epoch_ms + 370), CHINA, 0, 600_000)
    assert clock is not None
    wall = clock.to_wall(300_000)
    assert wall is not None
    assert abs(wall.epoch_ms - START.plus_ms(370 + 300_000).epoch_ms) <= clock.uncertainty_at(300_000) <= 2000


def test_a_writer_that_falls_behind_is_unsure_by_what_it_drifts() -> None:
    """Its count of seconds runs slow by 2 ms a loop: after an hour the cue is 7.2 s early, and nobody can tell which drifts."""
    clock = subtitle_clock(cues(3600, sleeps_ms=1002.0), CHINA, 0, 3_600_000)
    assert clock is not None
    for at in (0, 1_800_000, 3_599_000):
        wall = clock.to_wall(at)
        assert wall is not None
        assert abs(wall.epoch_ms - (START.epoch_ms + at)) <= clock.uncertainty_at(at)
        assert abs(wall.epoch_ms - (START.epoch_ms + at * 1.002)) <= clock.uncertainty_at(at)


def test_a_minute_that_was_not_recorded_is_a_step() -> None:
    kept = [
        each if each.start_ms < 300_000 else TimedText(each.start_ms, cue_text(START.epoch_ms + each.start_ms + 60_000))
        for each in cues(600)
    ]
    clock = subtitle_clock(kept, CHINA, 0, 600_000)
    assert clock is not None
    after = clock.to_wall(400_000)
    assert after is not None
    assert abs(after.epoch_ms - START.plus_ms(460_000).epoch_ms) <= clock.uncertainty_at(400_000) < 2500


def test_one_beside_the_media_is_its_clock_and_kept_with_it(archive: Archive, flv: Callable[..., Path], tmp_path: Path) -> None:
    media = flv("小鹿_2026-11-18_20-00-03_000.ts")
    written(media.with_suffix(".srt"), 4)
    admitted = admit(archive, IngestRequest(media=(media,)), "ann")
    (part,) = admitted.recording.parts
    assert part.clock.method == "time_subtitle"
    wall = part.clock.to_wall(0)
    assert wall is not None
    assert abs(wall.epoch_ms - START.epoch_ms) <= part.clock.uncertainty_ms <= 2000
    assert admitted.captions is None
    assert archive.transcripts.latest(admitted.recording.id) is None
    assert [source.role for source in archive.catalog.sources(admitted.recording.id)] == ["time_subtitle"]
    again = admit(archive, IngestRequest(media=(media,)), "ann")
    assert again.already_held and again.recording == admitted.recording


def test_one_given_as_captions_is_a_clock_too_and_says_so(archive: Archive, flv: Callable[..., Path], tmp_path: Path) -> None:
    admitted = admit(archive, IngestRequest(media=(flv(),), captions=written(tmp_path / "time.srt", 4)), "ann")
    assert admitted.recording.parts[0].clock.method == "time_subtitle"
    assert admitted.captions is None
    assert any("taken for a clock" in note for note in admitted.notes)


def test_parts_with_time_subtitles_leave_the_gap_between_them(archive: Archive, flv: Callable[..., Path]) -> None:
    first, second = flv("a.flv", 0), flv("b.flv", 1)
    written(first.with_suffix(".srt"), 4)
    written(second.with_suffix(".srt"), 3, START.plus_ms(44_000))
    held = admit(archive, IngestRequest(media=(first, second)), "ann").recording
    assert held.parts[1].start_ms == pytest.approx(44_000, abs=1000)
    assert [gap.reason for gap in held.gaps] == ["between_parts"]
    assert {part.clock.method for part in held.parts} == {"time_subtitle"}


def test_a_start_that_somebody_gave_stands_over_it(archive: Archive, flv: Callable[..., Path]) -> None:
    media = flv("a.flv")
    written(media.with_suffix(".srt"), 4)
    held = admit(archive, IngestRequest(media=(media,), started_at=START.plus_ms(5000)), "ann").recording
    assert (held.parts[0].clock.method, held.parts[0].clock.wall_start) == ("given", START.plus_ms(5000))


def test_whose_clock_it_is_must_be_known(archive: Archive, flv: Callable[..., Path], tmp_path: Path, unchanged: None) -> None:
    with pytest.raises(InvalidContent, match="it is a clock"):
        admit(archive, IngestRequest(media=(flv("a.flv", 0), flv("b.flv", 1)), captions=written(tmp_path / "c.srt", 4)), "ann")
    with pytest.raises(InvalidContent, match="it is a clock"):
        admit(archive, IngestRequest(captions=written(tmp_path / "c.srt", 4)), "ann")


def test_nobodys_other_files_beside_the_media_are_read_or_complained_about(archive: Archive, flv: Callable[..., Path]) -> None:
    media = flv("a.flv")
    media.with_suffix(".ass").write_bytes(b"\xff\xfe2026-11-18 20:00:00 \x00 not a subtitle")
    media.with_suffix(".srt").write_text("1\n00:00:00,000 --> 00:00:02,000\n大家好\n", "utf-8")
    held = admit(archive, IngestRequest(media=(media,)), "ann")
    assert held.recording.parts[0].clock.method == "unknown"
    assert archive.catalog.sources(held.recording.id) == []


def test_a_grown_recording_takes_none_for_words(archive: Archive, flv: Callable[..., Path], tmp_path: Path) -> None:
    held = admit(archive, IngestRequest(media=(flv("a.flv", 0),)), "ann").recording
    with pytest.raises(InvalidContent, match="time of day"):
        extend(archive, held.id, ExtendRequest(captions=written(tmp_path / "t.srt", 4)), "ann")
    assert archive.transcripts.latest(held.id) is None
