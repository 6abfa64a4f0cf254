"""Models are found in a stated order, converted once, and a missing or broken one is explained."""

import shutil
from pathlib import Path

import pytest

from archive.digest import digest_file
from tests.transcribe.worlds import write_checkpoint
from transcribe.conversion import converted
from transcribe.engines import load_engine
from transcribe.errors import ModelMissing, ModelUnusable
from transcribe.models import ModelFormat, list_models, locate_model
from transcribe.settings import TranscribeSettings


@pytest.fixture(autouse=True)
def no_shared_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("models") / "mine.pt", width=32, layers=1)


def settings(**values: object) -> TranscribeSettings:
    return TranscribeSettings(**{"whisper_device": "cpu", "whisper_threads": 1, "whisper_beam": 1, **values})


def converted_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights")
    return folder


def test_auto_takes_a_real_model_and_never_the_demo_model_of_itself(tmp_path: Path, checkpoint: Path) -> None:
    auto = settings(whisper_model="auto", whisper_bundled=checkpoint)
    with pytest.raises(ModelMissing, match=r"“small” \(about 486 MB\).*models fetch small.*demo model is not taken instead"):
        locate_model(auto, tmp_path)
    named = locate_model(settings(whisper_model="demo-whisper", whisper_bundled=checkpoint), tmp_path)
    assert (named.name, named.is_bundled) == ("demo-whisper", True)
    by_its_path = settings(whisper_model=str(checkpoint.parent / "." / checkpoint.name), whisper_bundled=checkpoint)
    assert locate_model(by_its_path, tmp_path) == named
    converted_folder(tmp_path / "models" / "small")
    real = locate_model(auto, tmp_path)
    assert (real.name, real.found_in, real.format) == ("small", "home", ModelFormat.CTRANSLATE2)


def test_auto_takes_what_was_put_into_the_home_where_its_first_choice_is_not_there(tmp_path: Path) -> None:
    shared = tmp_path / "hub" / "models--Systran--faster-whisper-base"
    converted_folder(shared / "snapshots" / "abc")
    (shared / "refs").mkdir()
    (shared / "refs" / "main").write_text("abc")
    auto = settings(whisper_model="auto")
    with pytest.raises(ModelMissing):
        locate_model(auto, tmp_path)  # another program's model of another size is nobody's choice
    converted_folder(tmp_path / "models" / "medium")
    assert locate_model(auto, tmp_path).name == "medium"
    converted_folder(tmp_path / "models" / "small")
    assert locate_model(auto, tmp_path).name == "small"


def test_on_a_gpu_auto_asks_for_the_large_model(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="large-v3-turbo"):
        locate_model(settings(whisper_model="auto", whisper_device="cuda"), tmp_path)


def test_a_checkpoint_in_a_folder_of_its_name_is_found(tmp_path: Path, checkpoint: Path) -> None:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    shutil.copy(checkpoint, tmp_path / "models" / "mine" / "mine.pt")
    found = locate_model(settings(whisper_model="mine"), tmp_path)
    assert (found.found_in, found.format, found.path.name) == ("home", ModelFormat.OPENAI, "mine.pt")


def test_a_card_beside_the_weights_makes_no_other_model(tmp_path: Path) -> None:
    folder = converted_folder(tmp_path / "models" / "small")
    before = locate_model(settings(whisper_model="small"), tmp_path).digest()
    for name in ("README.md", ".gitattributes", "liveproof-model.json"):
        (folder / name).write_text("{}")
    assert locate_model(settings(whisper_model="small"), tmp_path).digest() == before
    (folder / "vocabulary.txt").write_text("a")
    assert locate_model(settings(whisper_model="small"), tmp_path).digest() != before


def test_a_model_in_the_hubs_cache_is_found(tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--Systran--faster-whisper-small"
    snapshot = converted_folder(repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    found = locate_model(settings(whisper_model="small"), tmp_path)
    assert (found.found_in, found.path) == ("hub cache", snapshot)


def test_openais_own_cache_is_found(tmp_path: Path, checkpoint: Path) -> None:
    shared = tmp_path / "user" / ".cache" / "whisper"
    shared.mkdir(parents=True)
    shutil.copy(checkpoint, shared / "small.pt")
    found = locate_model(settings(whisper_model="small", whisper_engine="openai-whisper"), tmp_path)
    assert (found.found_in, found.format) == ("whisper cache", ModelFormat.OPENAI)


def test_a_missing_model_is_named_with_its_size_its_source_and_its_place(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        load_engine(settings(whisper_model="small"), tmp_path)
    message = str(caught.value)
    for part in (
        "small",
        "486 MB",
        "huggingface.co/Systran/faster-whisper-small",
        "--offline",
        str(tmp_path / "models" / "small"),
        "models fetch small",
    ):
        assert part in message


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="large-v3-turbo"):
        locate_model(settings(whisper_model="smal"), tmp_path)


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"gone\.pt"):
        locate_model(settings(whisper_model=str(tmp_path / "gone.pt")), tmp_path)


def test_the_reference_engine_refuses_a_converted_folder(tmp_path: Path) -> None:
    folder = converted_folder(tmp_path / "mine")
    with pytest.raises(ModelUnusable, match="openai-whisper can't read"):
        locate_model(settings(whisper_model=str(folder), whisper_engine="openai-whisper"), tmp_path)


@pytest.mark.parametrize("content", [b"", b"no checkpoint at all" * 100])
@pytest.mark.parametrize("engine", ["faster-whisper", "openai-whisper"])
def test_a_damaged_checkpoint_is_refused_by_name_and_leaves_nothing(tmp_path: Path, content: bytes, engine: str) -> None:
    broken = tmp_path / "broken.pt"
    broken.write_bytes(content)
    with pytest.raises(ModelUnusable, match=r"broken\.pt"):
        load_engine(settings(whisper_model=str(broken), whisper_engine=engine), tmp_path)
    assert not (tmp_path / "models").exists() or list((tmp_path / "models").iterdir()) == []


def test_a_checkpoint_cut_short_is_refused_by_name(tmp_path: Path, checkpoint: Path) -> None:
    short = tmp_path / "short.pt"
    short.write_bytes(checkpoint.read_bytes()[:100_000])
    with pytest.raises(ModelUnusable, match=r"short\.pt"):
        load_engine(settings(whisper_model=str(short)), tmp_path)


def test_a_converted_model_that_is_damaged_is_refused_by_name(tmp_path: Path) -> None:
    folder = converted_folder(tmp_path / "mine")
    with pytest.raises(ModelUnusable, match="mine"):
        load_engine(settings(whisper_model=str(folder)), tmp_path)


def test_a_language_that_whisper_does_not_know_is_refused(tmp_path: Path, checkpoint: Path) -> None:
    import numpy as np

    engine = load_engine(settings(whisper_model=str(checkpoint), whisper_language="klingon"), tmp_path)
    with pytest.raises(ModelUnusable, match="klingon"):
        engine.transcribe([np.zeros(16_000, np.float32)])


def test_conversion_happens_once_for_each_content(tmp_path: Path, checkpoint: Path) -> None:
    digest = "sha256:" + "ab" * 32
    first = converted(checkpoint, digest, tmp_path)
    stamp = (first / "model.bin").stat().st_mtime_ns
    assert converted(checkpoint, digest, tmp_path) == first
    assert (first / "model.bin").stat().st_mtime_ns == stamp
    assert [folder.name for folder in tmp_path.iterdir() if folder.name != "user"] == [first.name]


@pytest.mark.parametrize(("vocabulary", "mels"), [(51864, 80), (51866, 128)])
def test_english_only_and_128_mel_checkpoints_convert_too(tmp_path: Path, vocabulary: int, mels: int) -> None:
    import numpy as np

    other = write_checkpoint(tmp_path / "other.pt", width=32, layers=1, vocabulary=vocabulary, mels=mels)
    for engine in ("faster-whisper", "openai-whisper"):
        recogniser = load_engine(settings(whisper_model=str(other), whisper_engine=engine), tmp_path)
        assert len(recogniser.transcribe([np.zeros(16_000, np.float32)])) == 1


def test_the_vocabulary_is_that_of_openai_whisper(tmp_path: Path, checkpoint: Path) -> None:
    from tokenizers import Tokenizer
    from whisper.tokenizer import get_tokenizer

    ours = Tokenizer.from_file(str(converted(checkpoint, "sha256:" + "cd" * 32, tmp_path) / "tokenizer.json"))
    theirs = get_tokenizer(True, language="zh", task="transcribe")
    for text in ("这款羊绒衫百分之百山羊绒", "只要299块！ OK？", "假一赔十 🐑"):
        assert ours.encode(text, add_special_tokens=False).ids == theirs.encode(text)
    for token in ("<|startoftranscript|>", "<|zh|>", "<|nospeech|>", "<|0.00|>", "<|30.00|>"):
        assert ours.token_to_id(token) == theirs.special_tokens[token]


def test_the_list_shows_what_is_used_what_is_ready_and_what_is_missing(tmp_path: Path, checkpoint: Path) -> None:
    converted_folder(tmp_path / "models" / "base")
    converted_folder(tmp_path / "models" / "of-our-own")
    named = settings(whisper_model="demo-whisper", whisper_bundled=checkpoint)
    rows = {row.name: row for row in list_models(named, tmp_path, with_digests=True)}
    assert rows["demo-whisper"].state == "in use"
    assert rows["demo-whisper"].digest == digest_file(checkpoint)
    assert (rows["base"].state, rows["of-our-own"].state) == ("ready", "ready")
    assert rows["large-v3"].state == "missing"
    assert rows["large-v3"].size_bytes > 1e9
    assert {row.digest for row in list_models(named, tmp_path)} == {None}  # gigabytes are not read for a list
