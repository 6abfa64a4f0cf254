"""Speech is found to the frame, music and silence are left out, and what is left out is known exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transcribe.worlds import speech_samples, spoken_lines
from transcribe.speech_regions import FRAME_MS, Region, Window, find_regions, merged_spans, pack, skipped_spans, speech_probabilities

OPTIONS = {"threshold": 0.4, "min_pause_ms": 224, "pad_ms": 200, "max_ms": 28_000}


def found_in(samples: np.ndarray, block: int = 480_000) -> list[Region]:
    blocks = [samples[i : i + block] for i in range(0, len(samples), block)]
    return find_regions(speech_probabilities(blocks), duration_ms=len(samples) // 16, **OPTIONS)


def test_every_spoken_line_is_one_region_with_its_onset_within_150_ms() -> None:
    regions, lines = found_in(speech_samples()), spoken_lines()
    assert len(regions) == len(lines)
    for region, line in zip(regions, lines, strict=True):
        assert abs(region.onset_ms - line.start_ms) <= 150
        assert abs(region.offset_ms - line.end_ms) <= 150


def test_music_and_silence_are_left_out() -> None:
    samples = speech_samples()
    first, last = spoken_lines()[0], spoken_lines()[-1]
    assert found_in(samples[: first.start_ms * 16 - 1600]) == []
    assert found_in(samples[last.end_ms * 16 + 3200 :]) == []


def test_blocks_of_any_size_give_the_same_regions_as_the_whole() -> None:
    samples = speech_samples()
    whole = found_in(samples, len(samples))
    assert found_in(samples, 16_000) == whole
    assert found_in(samples, 777) == whole


def test_probabilities_are_those_of_faster_whispers_own_pass() -> None:
    from faster_whisper.vad import get_vad_model

    samples = speech_samples()[: 512 * 400]
    ours = list(speech_probabilities([samples[:100_000], samples[100_000:]]))
    theirs = np.ravel(get_vad_model()(samples.copy()))
    assert np.allclose(ours[:-1], theirs[:-1], atol=1e-4)


probabilities = st.lists(st.one_of(st.floats(0, 0.2), st.floats(0.5, 1.0)), max_size=400).flatmap(
    lambda values: st.just([v for value in values for v in [value] * 5])
)


@given(probabilities, st.integers(0, 400), st.integers(64, 600))
def test_regions_ascend_keep_their_length_and_cover_the_part_once(frames: list[float], pad_ms: int, pause_ms: int) -> None:
    duration = len(frames) * FRAME_MS
    regions = find_regions(frames, duration_ms=duration, threshold=0.4, min_pause_ms=pause_ms, pad_ms=pad_ms, max_ms=10_000)
    at = 0
    for region in regions:
        assert at <= region.start_ms <= region.onset_ms < region.offset_ms <= region.end_ms <= duration
        assert region.length_ms <= 10_000
        at = region.end_ms
    speech = merged_spans(regions)
    skipped = skipped_spans(speech, duration)
    assert sorted([*speech, *skipped]) == sorted(set(speech) | set(skipped))
    assert sum(end - start for start, end in (*speech, *skipped)) == duration


@given(probabilities)
def test_windows_hold_every_region_once_and_stay_short(frames: list[float]) -> None:
    regions = find_regions(frames, duration_ms=len(frames) * FRAME_MS, threshold=0.4, min_pause_ms=224, pad_ms=200, max_ms=9000)
    windows = pack(regions, 10_000)
    assert [region for window in windows for region in window.regions] == regions
    assert all(window.length_ms <= 10_000 for window in windows)
    assert [window.number for window in windows] == list(range(len(windows)))


def test_speech_without_a_pause_is_cut_where_it_is_least_speech_like() -> None:
    frames = [0.9] * 1000
    frames[200] = 0.45
    regions = find_regions(frames, duration_ms=32_000, threshold=0.4, min_pause_ms=224, pad_ms=0, max_ms=10_000)
    assert regions[0].offset_ms == pytest.approx(201 * FRAME_MS, abs=FRAME_MS)
    assert sum(region.length_ms for region in regions) == 32_000


def test_a_region_says_how_surely_it_is_a_voice() -> None:
    frames = [0.95] * 40 + [0.0] * 20 + [0.45] * 40 + [0.0] * 20
    sure, unsure = find_regions(frames, duration_ms=len(frames) * FRAME_MS, **OPTIONS)
    assert (sure.voice, unsure.voice) == (95, 45)


def test_a_voice_is_that_of_the_region_at_hand_or_the_nearest() -> None:
    window = Window(0, (Region(0, 1000, 0, 1000, 90), Region(5000, 6000, 5000, 6000, 40)))
    assert [window.voice_at(ms) for ms in (0, 900, 1100, 4800, 5500, 9000)] == [90, 90, 90, 40, 40, 40]
