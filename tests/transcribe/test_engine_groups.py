"""What a recogniser is told and given: names as a prompt that fits, windows in groups that fit, a model's own description."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from whisper.tokenizer import get_tokenizer

from transcribe.engines.groups import groups_of
from transcribe.engines.prompts import prompt_of
from transcribe.engines.tokens import AlignedWord, TimedTokens, heard_segments
from transcribe.errors import ModelUnusable
from transcribe.model_description import ModelDescription, described, description_of, fitted_ms
from transcribe.settings import BUNDLED_MODEL, TranscribeSettings

TOKENIZER = get_tokenizer(True, language="zh", task="transcribe")


def told(words: list[str], context: int = 448) -> str:
    return TOKENIZER.decode(prompt_of(words, TOKENIZER.encode, context))


def test_names_are_told_whole_and_the_first_ones_first() -> None:
    names = [f"第{number}款羊绒大衣" for number in range(100)]
    kept = told(names).strip().split("，")
    assert kept == names[: len(kept)]
    assert 5 < len(kept) < 100
    assert len(prompt_of(names, TOKENIZER.encode, 448)) <= 111


def test_names_in_latin_letters_are_joined_as_such() -> None:
    assert told(["HydraBoost", "Glow Serum"]) == " HydraBoost, Glow Serum"


def test_a_title_cannot_pass_for_one_of_whispers_special_tokens() -> None:
    tokens = prompt_of(["面霜<|endoftext|>", "<|startoftranscript|>", "a\nb", "", "  "], TOKENIZER.encode, 448)
    assert max(tokens) < TOKENIZER.eot
    assert TOKENIZER.decode(tokens) == " 面霜，a b"


def test_a_title_as_long_as_a_page_is_passed_over_for_the_next() -> None:
    assert told(["好" * 5000, "小满"]) == " 小满"


def test_every_window_is_in_one_group_with_its_like() -> None:
    contexts, prompts = [7000, 14_000, 7000, 7000, 7000, 30_000], [0, 0, 0, 5, 0, 0]
    groups = groups_of(contexts, prompts, workers=2, most_ms=60_000)
    assert sorted(index for group in groups for index in group.indexes) == list(range(6))
    for group in groups:
        assert {contexts[index] for index in group.indexes} == {group.context_ms}
        assert len({prompts[index] for index in group.indexes}) == 1


def test_groups_are_shared_among_workers_and_stay_within_memory() -> None:
    assert [len(group.indexes) for group in groups_of([7000] * 16, [0] * 16, workers=2, most_ms=60_000)] == [8, 8]
    assert max(len(group.indexes) for group in groups_of([30_000] * 16, [0] * 16, workers=2, most_ms=60_000)) == 2
    assert groups_of([], [], workers=2, most_ms=60_000) == []


@pytest.mark.parametrize(
    ("length_ms", "context_ms", "fitted"),
    [(0, 7000, 7000), (7000, 7000, 7000), (7001, 7000, 14_000), (28_001, 7000, 30_000), (200, 30_000, 30_000)],
)
def test_features_span_as_many_contexts_as_hold_the_window(length_ms: int, context_ms: int, fitted: int) -> None:
    assert fitted_ms(length_ms, context_ms) == fitted


def test_a_description_beside_the_weights_is_followed_and_settings_overrule_it(tmp_path: Path) -> None:
    model = tmp_path / "own.pt"
    assert description_of(model) == ModelDescription(context_ms=30_000, pack_ms=None, expected_words=True)
    (tmp_path / "own.hearing.json").write_text('{"context_ms": 8000, "expected_words": false}')
    assert described(model, TranscribeSettings()) == ModelDescription(context_ms=8000, expected_words=False)
    asked = TranscribeSettings(whisper_context_ms=30_000, whisper_expected_words="on")
    assert described(model, asked) == ModelDescription(context_ms=30_000, expected_words=True)
    (tmp_path / "hearing.json").write_text('{"pack_ms": 0}')
    assert description_of(tmp_path).pack_ms == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"context_ms": 31}', '{"contxt_ms": 7000}', '{"pack_ms": "few"}'])
def test_a_description_that_describes_nothing_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.hearing.json").write_text(text)
    with pytest.raises(ModelUnusable, match=r"own\.hearing\.json"):
        description_of(tmp_path / "own.pt")


def test_the_bundled_model_says_what_it_was_trained_on() -> None:
    assert description_of(BUNDLED_MODEL) == ModelDescription(context_ms=7000, pack_ms=0, expected_words=False)


@pytest.mark.parametrize(
    "value",
    [
        {"whisper_context_ms": 999},
        {"whisper_context_ms": 30_001},
        {"whisper_context_ms": 7001},
        {"whisper_expected_words": "yes"},
        {"whisper_workers": -1},
    ],
)
def test_settings_of_recognisers_are_checked(value: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TranscribeSettings.model_validate(value)


def test_a_guessed_segment_stands_out_in_a_window_that_is_sure_otherwise() -> None:
    stretches = [TimedTokens(0, 1000, [1, 2]), TimedTokens(1000, 2000, [3, 4])]
    words = [AlignedWord("好", [1, 2], 0.0, 1.0, 0.95), AlignedWord("嗯", [3, 4], 1.0, 2.0, 0.01)]
    sure, guessed = heard_segments(stretches, words, str, -0.8, 0.0)
    assert guessed.log_prob < -2 < -0.8 < sure.log_prob <= 0
    assert sure.log_prob == 0 or sure.log_prob + guessed.log_prob == pytest.approx(-1.6, abs=0.001)
