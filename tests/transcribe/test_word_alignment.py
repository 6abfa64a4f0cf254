"""Words begin where syllables do, however the recogniser's attention strays; what it piles up is spread; every word has its time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcribe.audio import SAMPLES_PER_MS, Samples
from transcribe.loudness import STEP_MS, even, loudness
from transcribe.word_alignment import RoughWord, aligned

ONE = (1.0,)


def voice(starts_ms: list[int], end_ms: int, *, pauses_ms: dict[int, int] | None = None, noise: float = 0.001, seed: int = 1) -> Samples:
    """A buzz that swells and dies away once a syllable: from each start to the next, or to a pause of so many ms before that."""
    rng = np.random.default_rng(seed)
    sound = rng.standard_normal(end_ms * SAMPLES_PER_MS).astype(np.float32) * noise
    for index, (begin, end) in enumerate(zip(starts_ms, [*starts_ms[1:], end_ms], strict=True)):
        stop = end - (pauses_ms or {}).get(index + 1, 0)
        time = np.arange((stop - begin) * SAMPLES_PER_MS) / (SAMPLES_PER_MS * 1000)
        swell = np.sin(np.pi * np.linspace(0, 1, len(time))) ** 0.7
        buzz = sum(np.sin(2 * np.pi * 160 * harmonic * time) / harmonic for harmonic in range(1, 12))
        sound[begin * SAMPLES_PER_MS : stop * SAMPLES_PER_MS] += (0.1 * swell * buzz).astype(np.float32)
    return sound


def syllable_starts(count: int, seed: int = 3) -> list[int]:
    """Syllables of 150 to 330 ms."""
    return [0, *np.cumsum(np.random.default_rng(seed).integers(150, 330, count - 1)).tolist()]


def started(rough: list[int], sound: Samples, length_ms: int, beats: tuple[float, ...] = ONE) -> list[int]:
    words = [RoughWord(at, beats) for at in rough]
    return [begin for begin, _ in aligned(words, loudness(sound, 0, length_ms // STEP_MS), length_ms)]


def off(found: list[int], truth: list[int]) -> float:
    return float(np.percentile(np.abs(np.array(found) - truth), 95))


@pytest.mark.parametrize("seed", range(5))
def test_words_begin_at_syllables_where_the_attention_strays_by_a_hundred_ms(seed: int) -> None:
    truth = syllable_starts(14, seed)
    length = truth[-1] + 240
    rough = [max(0, at + int(error)) for at, error in zip(truth, np.random.default_rng(seed).laplace(0, 80, 14), strict=True)]
    found = started(rough, voice(truth, length), length)
    assert off(found, truth) <= 50 < off(rough, truth)


def test_an_attention_that_is_right_is_left_alone() -> None:
    truth = syllable_starts(14)
    length = truth[-1] + 240
    assert off(started(truth, voice(truth, length), length), truth) <= 40


def test_background_noise_does_not_lead_astray() -> None:
    truth = syllable_starts(14)
    length = truth[-1] + 240
    rough = [max(0, at + int(error)) for at, error in zip(truth, np.random.default_rng(7).laplace(0, 60, 14), strict=True)]
    assert off(started(rough, voice(truth, length, noise=0.03), length), truth) < off(rough, truth)


def test_words_that_the_attention_piles_up_are_spread_between_their_neighbours() -> None:
    truth = syllable_starts(12)
    length = truth[-1] + 240
    rough = [*truth[:3], *([truth[3]] * 6), *truth[9:]]
    assert off(started(rough, voice(truth, length), length), truth) <= 50


def test_words_that_have_no_time_at_all_are_spread_over_the_speech() -> None:
    spans = aligned([RoughWord(500, ONE)] * 4, even(200), 2000)
    assert [begin for begin, _ in spans] == pytest.approx([0, 500, 1000, 1500], abs=20)


def test_a_word_with_several_syllables_gets_their_time() -> None:
    """`299元`: the figure has five syllables and one span; what follows begins behind them."""
    truth = syllable_starts(10)
    length = truth[-1] + 240
    words = [RoughWord(at, beats) for at, beats in [(truth[0], ONE), (truth[1], ONE), (truth[2] + 70, (5.0,)), (truth[7] - 60, ONE)]]
    words += [RoughWord(at, ONE) for at in truth[8:]]
    spans = aligned(words, loudness(voice(truth, length), 0, length // STEP_MS), length)
    assert [spans[2][0], spans[2][1], spans[3][0]] == pytest.approx([truth[2], truth[7], truth[7]], abs=50)


def test_a_word_ends_where_a_pause_begins_and_the_next_begins_behind_it() -> None:
    truth = [0, 240, 480, 1000, 1240]
    sound = voice(truth, 1480, pauses_ms={3: 280})
    spans = aligned([RoughWord(at, ONE) for at in [0, 240, 480, 800, 1240]], loudness(sound, 0, 148), 1480)
    assert spans[2][1] == pytest.approx(720, abs=50)
    assert spans[3][0] == pytest.approx(1000, abs=50)


def test_sound_that_the_text_leaves_out_is_not_filled_with_it() -> None:
    """The recogniser missed the first two seconds, and says by its times that it did."""
    truth = syllable_starts(20)
    length = truth[-1] + 240
    rest = truth[9:]
    found = started([at + (-1) ** index * 30 for index, at in enumerate(rest)], voice(truth, length), length)
    assert off(found, rest) <= 60


def test_times_before_and_behind_the_speech_are_brought_inside() -> None:
    spans = aligned([RoughWord(-3000, ONE), RoughWord(40, ONE), RoughWord(90_000, ONE)], even(100), 1000)
    assert spans[0][0] == 0
    assert spans[-1][1] <= 1000


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-2000, 30_000), st.sampled_from([(1.0,), (0.3,), (5.0,), (1.0, 1.0), (11.0,)])), max_size=40),
    st.integers(0, 9000),
    st.sampled_from(["even", "voice", "silence", "noise"]),
)
def test_whatever_the_attention_says_every_word_has_its_own_time_inside_the_speech(
    drawn: list[tuple[int, tuple[float, ...]]], length_ms: int, kind: str
) -> None:
    words = [RoughWord(at, beats) for at, beats in drawn]
    steps, sound = length_ms // STEP_MS, np.zeros(max(1, length_ms) * SAMPLES_PER_MS, np.float32)
    if kind == "noise":
        sound = np.random.default_rng(length_ms).standard_normal(len(sound)).astype(np.float32)
    elif kind == "voice" and length_ms > 300:
        sound = voice(list(range(0, length_ms - 200, 230)), length_ms)
    spans = aligned(words, even(steps) if kind == "even" else loudness(sound, 0, steps), length_ms)
    assert len(spans) == len(words)
    parts = sum(len(word.beats) for word in words)
    previous = 0
    for begin, end in spans:
        assert previous <= begin <= end <= length_ms
        if parts:
            assert end - begin >= min(20, length_ms // parts)
        previous = end
