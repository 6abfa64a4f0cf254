"""Voices are told apart where a model for it is set: the demo session's two by a small real model; what is unsure is given to nobody."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.transcribe.demo_voices import demo_lines, write_demo_voice_model
from tests.transcribe.voice_model import METADATA, write_voice_model
from transcribe.audio import Samples
from transcribe.errors import ModelMissing, ModelUnusable
from transcribe.settings import TranscribeSettings
from transcribe.speakers import SpeakerTeller, Vector, Voice, labels_of, list_voice_models, load_voice_model, open_speakers


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Samples, str]]:
    return demo_lines(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def demo_model(tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[Samples, str]]) -> Path:
    return write_demo_voice_model(tmp_path_factory.mktemp("voices") / "demo-voices.onnx", [samples for samples, _ in lines])


def opened(model: Path, **more: object) -> SpeakerTeller:
    teller = open_speakers(TranscribeSettings(speaker_model=str(model), **more), model.parent)
    assert teller is not None
    return teller


def test_the_demo_sessions_two_voices_are_told_apart(lines: list[tuple[Samples, str]], demo_model: Path) -> None:
    voices: list[Voice] = []
    told = opened(demo_model).tell((samples for samples, _ in lines), voices)
    assert len(voices) == 2
    pairs = Counter(zip(told, (speaker for _, speaker in lines), strict=True))
    right = sum(max(count for (number, _), count in pairs.items() if number == voice.number) for voice in voices)
    print(f"{right} of {len(lines)} lines are given to one voice each, {pairs}")
    assert right >= 0.97 * len(lines)
    assert {labels_of(voices, {})[voice.number] for voice in voices} == {"1", "2"}
    assert labels_of(voices, {})[max(voices, key=lambda voice: voice.ms).number] == "1"


def test_a_long_session_is_told_apart_a_chunk_at_a_time(
    lines: list[tuple[Samples, str]], demo_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transcribe.speakers.CHUNK", 16)
    voices: list[Voice] = []
    taken: list[Samples] = []

    def session() -> Iterator[Samples]:
        for samples, _ in lines:
            taken.append(samples)
            yield samples

    told = opened(demo_model).tell(session(), voices)
    assert len(taken) == len(told) == len(lines) > 4 * 16
    assert len(voices) == 2
    pairs = Counter(zip(told, (speaker for _, speaker in lines), strict=True))
    assert sum(max(count for (number, _), count in pairs.items() if number == voice.number) for voice in voices) >= 0.97 * len(lines)


class Known:
    """A model that was told the answer: a segment's first sample says which vector it is."""

    name, digest = "known", "sha256:" + "0" * 64

    def __init__(self, *vectors: tuple[float, ...]) -> None:
        self.vectors = [np.asarray(vector, np.float32) / np.linalg.norm(vector) for vector in vectors]

    def embed(self, samples: Samples) -> Vector | None:
        return self.vectors[int(samples[0])]


def said(which: int, ms: int) -> Samples:
    samples = np.zeros(ms * 16, np.float32)
    samples[0] = which
    return samples


def test_what_is_short_or_between_two_voices_is_given_to_nobody() -> None:
    teller = SpeakerTeller(Known((1, 0), (0, 1), (1, 1.01)), 0.5, 8, 1000)
    told = teller.tell([said(0, 30_000), said(1, 25_000), said(0, 900), said(2, 1200), said(0, 1000)], [])
    assert told == [0, 1, None, None, 0]


def test_a_few_words_found_no_voice_and_further_voices_than_allowed_stay_unsaid() -> None:
    teller = SpeakerTeller(Known((1, 0, 0), (0, 1, 0), (0, 0, 1)), 0.5, 2, 1000)
    voices: list[Voice] = []
    assert teller.tell([said(0, 9000), said(1, 2000), said(2, 8000)], voices) == [0, None, 1]
    assert teller.tell([said(1, 9000), said(0, 1000)], voices) == [None, 0]
    assert [(voice.number, voice.ms) for voice in voices] == [(0, 10_000), (1, 8000)]


def test_voices_go_on_over_what_was_kept_of_them() -> None:
    teller = SpeakerTeller(Known((1, 0), (0, 1)), 0.5, 8, 1000)
    voices: list[Voice] = []
    teller.tell([said(0, 9000), said(1, 5000)], voices)
    kept = [Voice.of(voice.as_json()) for voice in voices]
    assert teller.tell([said(1, 5000), said(0, 5000)], kept) == [1, 0]
    assert [voice.ms for voice in kept] == [14_000, 10_000]
    assert teller.learn(7, [said(1, 500)]) is None


def test_labels_stay_and_new_ones_follow_by_talk_time() -> None:
    one, two, three = Voice(0, np.ones(2, np.float32), 10), Voice(1, np.ones(2, np.float32), 500), Voice(2, np.ones(2, np.float32), 900)
    assert labels_of([one, two, three], {}) == {2: "1", 1: "2", 0: "3"}
    assert labels_of([one, two, three], {0: "2"}, ["1", "2", "3"]) == {0: "2", 2: "4", 1: "5"}


def test_without_a_setting_nobody_is_told_apart(tmp_path: Path) -> None:
    assert open_speakers(TranscribeSettings(), tmp_path) is None
    assert {row.state for row in list_voice_models(TranscribeSettings(), tmp_path)} == {"missing"}


def test_a_model_is_found_by_name_and_by_path_and_named_where_it_is_missing(tmp_path: Path, demo_model: Path) -> None:
    with pytest.raises(ModelMissing, match=r"models fetch voices-campplus-zh” \(28 MB\)"):
        open_speakers(TranscribeSettings(speaker_model="voices-campplus-zh"), tmp_path)
    with pytest.raises(ModelMissing, match="models add ours"):
        open_speakers(TranscribeSettings(speaker_model="ours"), tmp_path)
    with pytest.raises(ModelMissing, match=r"gone\.onnx"):
        open_speakers(TranscribeSettings(speaker_model=str(tmp_path / "gone.onnx")), tmp_path)
    (tmp_path / "models" / "ours").mkdir(parents=True)
    (tmp_path / "models" / "ours" / "any.onnx").write_bytes(demo_model.read_bytes())
    named = TranscribeSettings(speaker_model="ours")
    found = open_speakers(named, tmp_path)
    assert found is not None
    assert found.parameters["digest"] == opened(demo_model).parameters["digest"]
    assert next((row.name, row.state) for row in list_voice_models(named, tmp_path)) == ("ours", "in use")


@pytest.mark.parametrize("lacking", ["framework", "sample_rate", "output_dim", "language", "normalize_samples"])
def test_a_model_whose_metadata_would_end_the_process_is_refused(tmp_path: Path, lacking: str) -> None:
    rest = {key: value for key, value in METADATA.items() if key != lacking}
    with pytest.raises(ModelUnusable, match="metadata"):
        load_voice_model(write_voice_model(tmp_path / "x.onnx", metadata=rest), threads=1)


@pytest.mark.parametrize(("key", "value"), [("framework", "titan"), ("sample_rate", "8000")])
def test_a_model_of_another_kind_is_refused(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(ModelUnusable, match="metadata"):
        load_voice_model(write_voice_model(tmp_path / "x.onnx", metadata={**METADATA, key: value}), threads=1)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"no network at all")
    with pytest.raises(ModelUnusable, match=r"x\.onnx is no ONNX model"):
        load_voice_model(tmp_path / "x.onnx", threads=1)


def test_without_sherpa_onnx_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sherpa_onnx", None)
    with pytest.raises(ModelMissing, match="pip install sherpa-onnx"):
        load_voice_model(write_voice_model(tmp_path / "x.onnx"), threads=1)
