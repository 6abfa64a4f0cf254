"""Speech is found and read over music and between silences, and what is written where nobody speaks is marked; the benchmarks in small."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from archive.transcript import doubts
from infra.models.evaluate_whisper import TrueLine
from tests.benchmarks.background_sound import humming, noise, tune
from tests.benchmarks.spoken_material import Material, clean, over_music, with_silence
from tests.benchmarks.transcription_disturbed import SEED, heard, listener
from tests.benchmarks.transcription_phantoms import Ears, silence, transcript_of
from transcribe.audio import SAMPLE_RATE_HZ, Samples
from transcribe.settings import BUNDLED_MODEL
from transcribe.speech_regions import Region, find_regions, merged_spans, skipped_spans, speech_probabilities

MINUTE = 60 * SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def ears(tmp_path_factory: pytest.TempPathFactory) -> Ears:
    folder = tmp_path_factory.mktemp("ears")
    return Ears(*listener(BUNDLED_MODEL, folder), folder)


@cache
def speech() -> Material:
    return clean(0.7, SEED)


def regions_in(samples: Samples) -> list[Region]:
    sixteen_bit = (np.round(np.clip(samples, -1, 1) * 32767) / 32768).astype(np.float32)
    duration_ms = len(samples) // 16
    probabilities = speech_probabilities([sixteen_bit])
    return find_regions(probabilities, duration_ms=duration_ms, threshold=0.4, min_pause_ms=224, pad_ms=200, max_ms=28_000)


def share_found(line: TrueLine, regions: list[Region]) -> float:
    shared = sum(max(0, min(line.end_ms, r.end_ms) - max(line.start_ms, r.start_ms)) for r in regions)
    return shared / (line.end_ms - line.start_ms)


def quiet(material: Material) -> Samples:
    return material.samples * np.float32(10 ** (-40 / 20))


def every_other_line_far_from_the_microphone(material: Material) -> Samples:
    samples = material.samples.copy()
    for line in material.lines[::2]:
        samples[line.start_ms * 16 : line.end_ms * 16] *= 10 ** (-30 / 20)
    return samples


def behind_a_loud_jingle(material: Material) -> Samples:
    """The first line gives way to a tune that ends where the second begins, 25 dB louder than it."""
    samples, begins = material.samples * np.float32(10 ** (-25 / 20)), material.lines[1].start_ms * 16
    samples[: begins - 160] = 0.9 * tune(begins - 160, SEED)
    return samples


@pytest.mark.parametrize("made", [quiet, every_other_line_far_from_the_microphone, behind_a_loud_jingle])
def test_quiet_speech_is_found_without_changing_its_level(made: Callable[[Material], Samples]) -> None:
    regions = regions_in(made(speech()))
    lines = speech().lines[1:] if made is behind_a_loud_jingle else speech().lines
    assert min(share_found(line, regions) for line in lines) > 0.9


@pytest.mark.parametrize("decibels_below", [15, 5, 0])
def test_speech_over_music_is_found(decibels_below: float) -> None:
    regions = regions_in(over_music(speech(), decibels_below, SEED).samples)
    assert min(share_found(line, regions) for line in speech().lines) > 0.9


@pytest.mark.parametrize("made", [tune, noise, silence, humming])
def test_what_is_skipped_and_what_is_heard_are_all_of_the_sound_once(made: Callable[[int, int], Samples]) -> None:
    samples = np.concatenate([made(MINUTE // 2, SEED) * np.float32(0.2), speech().samples])
    spans = merged_spans(regions_in(samples))
    whole = sorted([*spans, *skipped_spans(spans, len(samples) // 16)])
    assert [whole[0][0], whole[-1][1]] == [0, len(samples) // 16]
    assert all(before[1] == behind[0] for before, behind in pairwise(whole))


@pytest.mark.parametrize("made", [tune, noise, silence], ids=["music", "noise", "silence"])
def test_nothing_unmarked_is_written_where_nobody_speaks(made: Callable[[int, int], Samples], ears: Ears) -> None:
    transcript, heard_ms = transcript_of(made(2 * MINUTE, SEED), ears)
    assert all(doubts(segment.risk) for segment in transcript.segments)
    assert heard_ms < 0.05 * 120_000


def test_music_and_silence_cost_few_characters_and_leave_no_phantom(ears: Ears) -> None:
    engine, settings, folder = ears.engine, ears.settings, ears.folder
    plain = heard(speech(), engine, settings, folder)
    assert plain.right_marked == 0
    for disturbed in (over_music(speech(), 20, SEED), with_silence(1.0, 0.4, SEED)):
        found = heard(disturbed, engine, settings, folder)
        # Of some 120 characters each is almost a point; the benchmark takes ten times as many.
        assert found.character_error - plain.character_error <= 0.08
        assert found.unmarked_phantoms == ()
