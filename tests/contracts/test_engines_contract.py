"""What every recogniser keeps, whatever its model: run on random weights, and on the bundled demo model for what was said."""

from pathlib import Path

import numpy as np
import pytest

from archive.digest import digest_file
from tests.transcribe.worlds import speech_samples, spoken_lines, write_checkpoint
from transcribe.engines import Engine, load_engine
from transcribe.settings import BUNDLED_MODEL, TranscribeSettings

ENGINES = ["faster-whisper", "openai-whisper"]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("engines")
    write_checkpoint(folder / "random.pt")
    return folder


def engine_of(name: str, model: Path, home: Path, language: str = "zh") -> Engine:
    return load_engine(
        TranscribeSettings(
            whisper_model=str(model),
            whisper_engine=name,
            whisper_beam=1,
            whisper_threads=1,
            whisper_device="cpu",
            whisper_language=language,
        ),
        home,
    )


@pytest.fixture(scope="module", params=ENGINES)
def random_engine(request: pytest.FixtureRequest, workplace: Path) -> Engine:
    return engine_of(request.param, workplace / "random.pt", workplace)


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


@pytest.mark.parametrize("name", ENGINES)
def test_the_language_can_be_left_to_the_model(name: str, workplace: Path, windows: list[np.ndarray]) -> None:
    engine = engine_of(name, workplace / "random.pt", workplace, "auto")
    assert len(engine.transcribe(windows)) == len(windows)


@pytest.mark.parametrize("name", ENGINES)
def test_the_demo_model_reads_the_committed_speech(name: str, workplace: Path) -> None:
    lines = spoken_lines()
    samples = speech_samples()
    # One utterance each, as in the product.
    windows = [samples[(line.start_ms - 200) * 16 : (line.end_ms + 200) * 16] for line in lines[:3]]
    answers = engine_of(name, BUNDLED_MODEL, workplace).transcribe(windows)
    wrong = sum(edits("".join(segment.text for segment in heard), line.text) for heard, line in zip(answers, lines, strict=False))
    # Tolerance: three characters of 36; the model is small and these sentences are new to it.
    assert wrong <= 3, answers
    assert all(abs(heard[0].start_ms - 200) <= 300 for heard in answers)


def edits(heard: str, said: str) -> int:
    """Levenshtein distance in characters."""
    row = list(range(len(said) + 1))
    for position, mark in enumerate(heard, 1):
        row, before = [position], row
        for column, wanted in enumerate(said, 1):
            row.append(min(before[column] + 1, row[-1] + 1, before[column - 1] + (mark != wanted)))
    return row[-1]
