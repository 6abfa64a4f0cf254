"""What every recogniser keeps, whatever its model: run on random weights, and on the bundled demo model for what was said."""

from pathlib import Path

import numpy as np
import pytest
from whisper.tokenizer import get_tokenizer

from archive.digest import digest_file
from tests.transcribe.worlds import speech_samples, spoken_lines, write_checkpoint
from transcribe.engines import Engine, HeardSegment, load_engine
from transcribe.settings import BUNDLED_MODEL, TranscribeSettings

ENGINES = ["faster-whisper", "openai-whisper"]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engines")
    write_checkpoint(folder / "random.pt", tokens=20)
    return folder


def engine_of(name: str, model: Path, home: Path, language: str = "zh", **more: object) -> Engine:
    settings = {
        "whisper_model": str(model),
        "whisper_engine": name,
        "whisper_beam": 1,
        "whisper_threads": 1,
        "whisper_device": "cpu",
        "whisper_language": language,
        **more,
    }
    return load_engine(TranscribeSettings.model_validate(settings), home)


def texts(answers: list[list[HeardSegment]]) -> list[str]:
    return ["".join(segment.text for segment in heard) for heard in answers]


@pytest.fixture(scope="module", params=ENGINES)
def random_engine(request: pytest.FixtureRequest, workplace: Path) -> Engine:
    # Short features cost a quarter; what depends on their length has tests of its own.
    return engine_of(request.param, workplace / "random.pt", workplace, whisper_context_ms=6000)


@pytest.fixture(scope="module")
def windows() -> list[np.ndarray]:
    samples = speech_samples()
    return [samples[3500 * 16 : 9000 * 16], samples[: 2000 * 16], np.zeros(16_000, np.float32)]


def test_each_window_gets_its_own_list_in_order(random_engine: Engine, windows: list[np.ndarray]) -> None:
    heard = random_engine.transcribe(windows)
    assert len(heard) == len(windows)
    for window, segments in zip(windows, heard, strict=True):
        assert [s.start_ms for s in segments] == sorted(s.start_ms for s in segments)
        for segment in segments:
            assert 0 <= segment.start_ms <= segment.end_ms <= len(window) // 16
            assert "".join(word.text for word in segment.words) == segment.text
            assert segment.log_prob <= 0
            assert 0 <= segment.no_speech <= 1


def test_equal_calls_give_equal_answers(random_engine: Engine, windows: list[np.ndarray]) -> None:
    assert random_engine.transcribe(windows[:2]) == random_engine.transcribe(windows[:2])


def test_no_windows_give_no_answers(random_engine: Engine) -> None:
    assert random_engine.transcribe([]) == []


def test_provenance_names_the_model_file_by_its_digest(random_engine: Engine, workplace: Path) -> None:
    assert random_engine.model == "random"
    assert random_engine.model_digest == digest_file(workplace / "random.pt")
    assert random_engine.parameters["temperature"] == 0
    assert random_engine.version


def test_a_window_is_answered_alike_alone_and_with_others(random_engine: Engine, windows: list[np.ndarray]) -> None:
    together = random_engine.transcribe([*windows, windows[0][:20_000], windows[1]])
    for window, answer in zip(windows, together, strict=False):
        assert random_engine.transcribe([window]) == [answer]
    assert together[1] == together[4]


def test_words_expected_in_a_window_change_that_window_only(random_engine: Engine, windows: list[np.ndarray]) -> None:
    plain = random_engine.transcribe(windows)
    told = random_engine.transcribe(windows, [["鲸落面霜", "小满"], [], []])
    assert told[0] != plain[0]
    assert told[1:] == plain[1:]
    assert random_engine.transcribe(windows[:1], [["鲸落面霜", "小满"]]) == told[:1]


def test_an_answer_to_expected_words_keeps_to_the_window(random_engine: Engine, windows: list[np.ndarray]) -> None:
    names = [f"第{number}号商品" for number in range(500)]
    for window, segments in zip(windows, random_engine.transcribe(windows, [names, names, names[:1]]), strict=True):
        assert [s.start_ms for s in segments] == sorted(s.start_ms for s in segments)
        for segment in segments:
            assert 0 <= segment.start_ms <= segment.end_ms <= len(window) // 16
            assert "".join(word.text for word in segment.words) == segment.text
            assert "<|" not in segment.text


def test_expected_words_for_other_than_these_windows_are_refused(random_engine: Engine, windows: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="1 sequences of expected words for 3 windows"):
        random_engine.transcribe(windows, [["鲸落面霜"]])


@pytest.mark.parametrize("name", ENGINES)
def test_a_model_that_is_told_off_takes_no_expected_words(name: str, workplace: Path, windows: list[np.ndarray]) -> None:
    engine = engine_of(name, workplace / "random.pt", workplace, whisper_expected_words="off", whisper_context_ms=6000)
    assert engine.transcribe(windows, [["鲸落面霜"]] * 3) == engine.transcribe(windows)
    assert engine.parameters["expected_words"] is False


def test_both_recognisers_are_told_the_same_words(workplace: Path, windows: list[np.ndarray]) -> None:
    # Random weights write something else for every other prompt; in equal numbers both write the same.
    names = [["鲸落面霜", "HydraBoost 500", "<|endoftext|>小满"], [], ["一号链接"]]
    model = write_checkpoint(workplace / "writes-30.pt", tokens=30)
    exact = {"whisper_compute": "float32", "whisper_context_ms": 6000}
    first, second = (texts(engine_of(name, model, workplace, **exact).transcribe(windows, names)) for name in ENGINES)
    assert first == second
    assert all(first)


@pytest.mark.parametrize("name", ENGINES)
def test_fast_speech_is_not_cut_off_at_half_of_the_context(name: str, workplace: Path, windows: list[np.ndarray]) -> None:
    model = write_checkpoint(workplace / "writes-400.pt", tokens=400)
    heard = engine_of(name, model, workplace).transcribe(windows[:1])
    tokenizer = get_tokenizer(True, language="zh", task="transcribe")
    assert 350 < sum(len(tokenizer.encode(segment.text)) for segment in heard[0]) < 448


@pytest.mark.parametrize("name", ENGINES)
def test_features_are_as_long_as_the_model_or_the_setting_says(name: str, workplace: Path, windows: list[np.ndarray]) -> None:
    model = workplace / "random.pt"
    whole = engine_of(name, model, workplace)
    short = engine_of(name, model, workplace, whisper_context_ms=4000)
    assert (whole.parameters["context_ms"], short.parameters["context_ms"]) == (30_000, 4000)
    assert short.transcribe(windows[:1]) != whole.transcribe(windows[:1])
    assert short.transcribe(windows)[0] == short.transcribe(windows[:1])[0]
    assert engine_of(name, BUNDLED_MODEL, workplace).parameters["context_ms"] == 7000


@pytest.mark.parametrize("name", ENGINES)
def test_the_language_can_be_left_to_the_model(name: str, workplace: Path, windows: list[np.ndarray]) -> None:
    engine = engine_of(name, workplace / "random.pt", workplace, "auto")
    assert len(engine.transcribe(windows)) == len(windows)


def test_the_demo_model_reads_the_committed_speech_and_both_recognisers_the_same(workplace: Path) -> None:
    lines = spoken_lines()
    samples = speech_samples()
    # One utterance each, as in the product.
    windows = [samples[(line.start_ms - 200) * 16 : (line.end_ms + 200) * 16] for line in lines[:3]]
    first, second = (engine_of(name, BUNDLED_MODEL, workplace).transcribe(windows) for name in ENGINES)
    assert texts(first) == texts(second)
    wrong = sum(edits(heard, line.text) for heard, line in zip(texts(first), lines, strict=False))
    # Tolerance: three characters of 36; the model is small and these sentences are new to it.
    assert wrong <= 3, first
    assert all(abs(heard[0].start_ms - 200) <= 300 for heard in [*first, *second])


def edits(heard: str, said: str) -> int:
    """Levenshtein distance in characters."""
    row = list(range(len(said) + 1))
    for position, mark in enumerate(heard, 1):
        row, before = [position], row
        for column, wanted in enumerate(said, 1):
            row.append(min(before[column] + 1, row[-1] + 1, before[column - 1] + (mark != wanted)))
    return row[-1]
