"""The demo's speech model keeps what its card says: on the demo session, which training never saw, through the product's own pipeline."""

from pathlib import Path

import pytest

from infra.models.evaluate_whisper import Score, evaluate
from infra.models.grammar import HELD_BACK_RUN, is_held_back
from transcribe.engines import load_engine
from transcribe.models import BUNDLED_NAME
from transcribe.settings import BUNDLED_MODEL, TranscribeSettings

ROOT = Path(__file__).parents[2]
SESSION = ROOT / "infra" / "demo" / "session"
LIMIT_BYTES = 40_000_000


@pytest.fixture(scope="module")
def score(tmp_path_factory: pytest.TempPathFactory) -> Score:
    settings = TranscribeSettings(whisper_model=BUNDLED_NAME, whisper_device="cpu")
    return evaluate(load_engine(settings, tmp_path_factory.mktemp("home")), settings, SESSION)


def test_at_most_one_character_in_twenty_is_wrong(score: Score) -> None:
    assert score.characters > 850
    assert score.errors / score.characters <= 0.05


def test_every_line_is_heard_and_starts_within_200_ms_of_the_truth(score: Score) -> None:
    assert score.unheard == 0
    assert score.extra == 0
    assert max(abs(error) for error in score.start_ms) <= 200


def test_openai_whisper_loads_the_checkpoint_by_its_path() -> None:
    import whisper

    model = whisper.load_model(str(BUNDLED_MODEL), device="cpu")
    assert model.is_multilingual
    assert model.dims.n_audio_state == 192


def test_faster_whisper_loads_the_conversion_by_its_path(tmp_path: Path) -> None:
    from faster_whisper import WhisperModel

    from archive.digest import digest_file
    from transcribe.conversion import converted

    folder = converted(BUNDLED_MODEL, digest_file(BUNDLED_MODEL), tmp_path)
    assert WhisperModel(str(folder), device="cpu", compute_type="int8").model.is_multilingual


def test_both_demo_models_together_stay_small_enough_for_the_repository() -> None:
    models = [BUNDLED_MODEL, *(file for file in (ROOT / "infra" / "models" / "demo-sentences").rglob("*") if file.is_file())]
    assert sum(file.stat().st_size for file in models) < LIMIT_BYTES


def test_a_stretch_of_the_demo_session_is_recognised_as_held_back() -> None:
    assert is_held_back("听说" + "鉴定出来是假的我给你假一赔十"[:HELD_BACK_RUN] + "真的")
    assert not is_held_back("这件衬衫今天只要一百九十九块钱")
