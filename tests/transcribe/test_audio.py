"""Sound arrives at the right sample, in bounded pieces, and what can't be decoded is refused by name."""

from pathlib import Path

import numpy as np
import pytest

from archive.errors import MissingProgram
from tests.transcribe.worlds import click_at, ffmpeg
from transcribe.audio import Sound, decode_blocks, ffmpeg_program, has_sound, hold_sound
from transcribe.errors import SoundUnreadable

PICTURES = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=4")


def held(source: Path, folder: Path) -> Sound:
    return hold_sound(source, folder / "sound.s16", program=ffmpeg_program(), timeout_s=60, max_hours=1)


def loudest_ms(sound: Sound) -> float:
    return float(np.abs(sound.read(0, sound.duration_ms)).argmax()) / 16


def test_a_click_is_heard_at_its_millisecond(tmp_path: Path) -> None:
    sound = held(click_at(tmp_path / "click.wav", 1234, 4000), tmp_path)
    assert sound.sample_count == 64_000
    assert 1234 <= loudest_ms(sound) < 1235


def test_sound_that_starts_after_the_picture_keeps_its_delay(tmp_path: Path) -> None:
    late = tmp_path / "late.mkv"
    ffmpeg(*PICTURES, "-itsoffset", "0.7", "-i", click_at(tmp_path / "click.wav", 1000, 3000), "-c:v", "libx264", "-c:a", "pcm_s16le", late)
    assert loudest_ms(held(late, tmp_path)) == pytest.approx(1700, abs=2)


@pytest.mark.parametrize("container", ["flv", "ts", "mp4"])
def test_the_delay_survives_in_every_container_that_recorders_write(tmp_path: Path, container: str) -> None:
    late = tmp_path / f"late.{container}"
    ffmpeg(*PICTURES, "-itsoffset", "0.7", "-i", click_at(tmp_path / "click.wav", 1000, 3000), "-c:v", "libx264", "-c:a", "aac", late)
    # FLV and TS don't say how much of AAC's first frame (64 ms at 16 kHz) is priming.
    assert loudest_ms(held(late, tmp_path)) == pytest.approx(1700, abs=70)


def test_a_hole_in_the_time_stamps_becomes_silence(tmp_path: Path) -> None:
    whole, holed = click_at(tmp_path / "click.wav", 3000, 4000), tmp_path / "holed.mkv"
    ffmpeg("-i", whole, "-af", "aselect='not(between(t,1,2))'", "-c:a", "pcm_s16le", holed)
    assert loudest_ms(held(holed, tmp_path)) == pytest.approx(3000, abs=2)


def test_blocks_are_bounded_and_join_to_the_whole(tmp_path: Path) -> None:
    source = click_at(tmp_path / "click.wav", 100, 3500)
    blocks = list(decode_blocks(source, program=ffmpeg_program(), timeout_s=60, block_ms=1000))
    assert [len(block) for block in blocks] == [32_000, 32_000, 32_000, 16_000]
    sound = held(source, tmp_path)
    assert np.array_equal(np.concatenate(list(sound.blocks(700))), sound.read(0, 3500))


def test_reading_beyond_the_sound_gives_what_there_is(tmp_path: Path) -> None:
    sound = held(click_at(tmp_path / "click.wav", 100, 1000), tmp_path)
    assert len(sound.read(900, 5000)) == 1600
    assert len(sound.read(5000, 6000)) == 0


def test_a_finished_scratch_file_is_not_decoded_again(tmp_path: Path) -> None:
    source = click_at(tmp_path / "click.wav", 100, 1000)
    first = held(source, tmp_path)
    source.unlink()
    assert held(source, tmp_path) == first


def test_a_file_without_sound_says_so(tmp_path: Path) -> None:
    mute = tmp_path / "mute.mp4"
    ffmpeg(*PICTURES, "-c:v", "libx264", mute)
    assert not has_sound(mute)


def test_a_file_that_is_no_media_is_refused_by_name(tmp_path: Path) -> None:
    text = tmp_path / "notes.flv"
    text.write_text("this is no recording\n" * 50)
    with pytest.raises(SoundUnreadable, match=r"notes\.flv"):
        has_sound(text)
    with pytest.raises(SoundUnreadable, match=r"notes\.flv"):
        held(text, tmp_path)
    assert list(tmp_path.glob("sound*")) == []


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SoundUnreadable, match=r"gone\.flv"):
        has_sound(tmp_path / "gone.flv")


def test_decoding_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    hang = tmp_path / "ffmpeg"
    hang.write_text("#!/bin/sh\nexec sleep 30\n")
    hang.chmod(0o755)
    with pytest.raises(SoundUnreadable, match="longer than"):
        list(decode_blocks(tmp_path / "any.flv", program=str(hang), timeout_s=0.2))


def test_more_sound_than_allowed_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SoundUnreadable, match="more than 0 h"):
        hold_sound(click_at(tmp_path / "c.wav", 1, 900), tmp_path / "s", program=ffmpeg_program(), timeout_s=60, max_hours=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.wav"]


def test_a_configured_ffmpeg_that_is_none_is_named() -> None:
    with pytest.raises(MissingProgram, match="no-such-ffmpeg"):
        ffmpeg_program("no-such-ffmpeg")


def test_the_wheels_ffmpeg_stands_in_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "imageio_ffmpeg" in ffmpeg_program()
