"""Whatever a recorder or an editor does to a file, each sound is heard at its time and none is cancelled away."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.transcribe.worlds import ffmpeg
from transcribe.audio import Samples, ffmpeg_program, hold_sound, mixed

# AAC begins with up to 1024 samples of priming, which FLV, TS and MKV as ffmpeg 5 writes it don't tell of.
PRIMING_MS = 24
BEEPS_MS = (1500, 3000)


def beeps(path: Path, at_ms: Sequence[int] = BEEPS_MS, duration_ms: int = 4000, rate: int = 48_000, channels: int = 1) -> Path:
    """Silence with beeps of 20 ms."""
    samples = np.zeros((duration_ms * rate // 1000, channels), np.float32)
    for ms in at_ms:
        begin, length = ms * rate // 1000, 20 * rate // 1000
        samples[begin : begin + length] = 0.9 * np.sin(2 * np.pi * 1000 * np.arange(length) / rate)[:, None]
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return path


def pictures(seconds: int = 4) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc=size=64x48:rate=30:duration={seconds}")


def heard(source: Path) -> tuple[list[float], int]:
    """Where beeps begin, and how long the sound is, in ms."""
    scratch = source.with_suffix(".sound")
    sound = hold_sound(source, scratch, program=ffmpeg_program(), timeout_s=60, max_hours=1)
    loud = np.flatnonzero(np.abs(sound.read(0, sound.duration_ms)) > 0.3) / 16
    starts = [float(ms) for n, ms in enumerate(loud) if n == 0 or ms - loud[n - 1] > 100]
    return starts, sound.duration_ms


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 96_000])
def test_any_rate_is_heard_at_its_time(tmp_path: Path, rate: int) -> None:
    starts, duration_ms = heard(beeps(tmp_path / "a.wav", rate=rate))
    assert starts == pytest.approx(BEEPS_MS, abs=0.5)
    assert duration_ms == 4000


@pytest.mark.parametrize("channels", [2, 6])
def test_any_number_of_channels_is_heard_at_its_time(tmp_path: Path, channels: int) -> None:
    assert heard(beeps(tmp_path / "a.wav", channels=channels))[0] == pytest.approx(BEEPS_MS, abs=0.5)


@pytest.mark.parametrize("container", ["mp4", "mkv", "flv", "ts"])
def test_sound_that_begins_late_or_before_the_picture_keeps_its_place(tmp_path: Path, container: str) -> None:
    source, late, early = beeps(tmp_path / "a.wav"), tmp_path / f"late.{container}", tmp_path / f"early.{container}"
    encoded = ("-c:v", "libx264", "-bf", "0", "-c:a", "aac")
    ffmpeg(*pictures(), "-itsoffset", "0.35", "-i", source, *encoded, late)
    assert heard(late)[0] == pytest.approx([1850, 3350], abs=PRIMING_MS)
    ffmpeg(*pictures(), "-itsoffset", "-0.35", "-i", source, *encoded, early)
    # MP4 cuts what lies before the picture off; elsewhere the sound is then where time begins.
    assert heard(early)[0] == pytest.approx([1150, 2650] if container == "mp4" else BEEPS_MS, abs=PRIMING_MS)


def test_pictures_of_changing_rate_do_not_move_sound_that_begins_late(tmp_path: Path) -> None:
    made, rate = tmp_path / "a.mp4", ("-vf", "select='not(mod(n\\,7))+lt(t\\,1)'", "-fps_mode", "vfr")
    ffmpeg(*pictures(), "-itsoffset", "0.7", "-i", beeps(tmp_path / "a.wav"), *rate, "-c:v", "libx264", "-c:a", "aac", made)
    assert heard(made)[0] == pytest.approx([2200, 3700], abs=1)


def test_an_edit_list_that_begins_inside_the_file_is_followed(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    ffmpeg(*pictures(), "-i", beeps(tmp_path / "a.wav"), "-c:v", "libx264", "-bf", "2", "-g", "250", "-c:a", "aac", whole)
    # Packets are copied from the key frame at 0 on; the edit list says that one second of them is not shown.
    ffmpeg("-ss", "1.0", "-i", whole, "-c", "copy", cut)
    assert heard(cut)[0] == pytest.approx([500, 2000], abs=2)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 1), (48_000, 1)])
def test_a_change_of_rate_or_channels_in_the_stream_moves_nothing(tmp_path: Path, rate: int, channels: int) -> None:
    first, second, joined = tmp_path / "a.ts", tmp_path / "b.ts", tmp_path / "joined.ts"
    ffmpeg("-i", beeps(tmp_path / "a.wav", rate=44_100, channels=2), "-c:a", "aac", first)
    later = beeps(tmp_path / "b.wav", rate=rate, channels=channels)
    ffmpeg("-i", later, "-c:a", "aac", "-output_ts_offset", "4", second)
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    starts, duration_ms = heard(joined)
    assert starts == pytest.approx([1500, 3000, 5500, 7000], abs=PRIMING_MS)
    assert duration_ms == pytest.approx(8000, abs=2 * PRIMING_MS)


def test_a_hole_of_ten_minutes_is_ten_minutes_of_silence(tmp_path: Path) -> None:
    whole, holed = beeps(tmp_path / "a.wav", (1000, 620_000), 621_000, 8_000), tmp_path / "holed.mkv"
    ffmpeg("-i", whole, "-af", "aselect='not(between(t,5,610))'", "-c:a", "pcm_s16le", holed)
    starts, duration_ms = heard(holed)
    assert starts == pytest.approx([1000, 620_000], abs=2)
    assert duration_ms == pytest.approx(621_000, abs=2)


def spoken(volume: float = 1.0) -> Samples:
    """Three seconds that are no plain tone."""
    return (np.random.default_rng(5).standard_normal(48_000).astype(np.float32) * 3000 * volume).round()


def mono(left: Samples, right: Samples) -> Samples:
    stereo = np.column_stack([left, right]).astype("<i2").tobytes()
    blocks = [stereo[begin : begin + 96_000] for begin in range(0, len(stereo), 96_000)]
    return np.frombuffer(b"".join(mixed(blocks)), "<i2").astype(np.float32)


def test_channels_out_of_phase_do_not_cancel_a_voice() -> None:
    voice = spoken()
    assert np.array_equal(mono(voice, -voice), voice)
    # One of them a little quieter: the louder is heard.
    assert np.array_equal(mono((voice * 0.7).round(), -voice), -voice)


def test_channels_that_agree_or_of_which_one_is_silent_are_mixed_as_ever() -> None:
    voice, silence = spoken(), np.zeros(48_000, np.float32)
    assert np.array_equal(mono(voice, voice), voice)
    assert np.abs(mono(voice, silence) - voice / 2).max() <= 0.5
    assert np.array_equal(mono(silence, silence), silence)


def test_a_cable_turned_round_in_the_middle_is_heard_through_without_a_click() -> None:
    time = np.arange(48_000, dtype=np.float32) / 16_000
    voice = (3000 * np.sin(2 * np.pi * 150 * time)).round().astype(np.float32)
    turned = np.where(time < 1, voice, -voice)
    one = mono(turned, voice)
    assert np.abs(np.abs(one) - np.abs(voice)).max() <= 3000
    assert np.abs(np.diff(one)).max() <= 2 * np.abs(np.diff(voice)).max()
    assert float(np.square(one[17_000:]).mean()) >= 0.9 * float(np.square(voice[17_000:]).mean())
