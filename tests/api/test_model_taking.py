"""Models from a stick: taken in whole and loaded first, or not at all; held to their manifests from then on."""

import io
import json
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from api.errors import ModelNotTaken
from api.model_inventory import is_as_published
from api.model_taking import compare_all, take_away, take_in
from archive.errors import NotFound, StorageFull
from archive.model_files import MANIFEST_NAME, ModelFile, ModelManifest
from archive.timeline import WallTime
from ingest.errors import UnreadableFile
from search.embeddings import BUNDLED_NAME as SENTENCES
from search.embeddings import open_embedder
from search.settings import BUNDLED_MODEL, SearchSettings
from tests.api.test_cli import liveproof
from tests.transcribe.voice_model import write_voice_model
from tests.transcribe.worlds import write_checkpoint
from transcribe.conversion import converted
from transcribe.known_models import KNOWN_MODELS
from transcribe.models import locate_model
from transcribe.settings import TranscribeSettings

NOW = WallTime.parse("2026-11-20T10:00:00+08:00")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("stick") / "whisper.pt", width=32, layers=1)


@pytest.fixture(scope="module")
def folder(checkpoint: Path) -> Path:
    """A CTranslate2 folder as it lies on a stick, with what a stick has besides."""
    made = converted(checkpoint, "sha256:" + "ab" * 32, checkpoint.parent)
    shutil.copytree(made, checkpoint.parent / "faster-whisper-mine")
    (checkpoint.parent / "faster-whisper-mine" / ".DS_Store").write_bytes(b"x")
    (checkpoint.parent / "faster-whisper-mine" / "README.md").write_text("card")
    return checkpoint.parent / "faster-whisper-mine"


def taken(name: str, source: Path, home: Path) -> str:
    return take_in(name, source, home, lambda: NOW, 0)[0]


def packed(folder: Path, target: Path) -> Path:
    if target.suffix == ".zip":
        with zipfile.ZipFile(target, "w") as made:
            for path in folder.iterdir():
                made.write(path, f"deep/{folder.name}/{path.name}")
    else:
        with tarfile.open(target, "w:gz") as made:
            made.add(folder, folder.name)
    return target


@pytest.mark.parametrize("how", ["folder", "zip", "tar.gz", "pt"])
def test_a_model_is_taken_in_and_found_by_its_name(tmp_path: Path, folder: Path, checkpoint: Path, how: str) -> None:
    source = {"folder": folder, "pt": checkpoint}.get(how) or packed(folder, tmp_path / f"stick.{how}")
    assert taken("mine", source, tmp_path / "home") == "speech"
    found = locate_model(TranscribeSettings(whisper_model="mine"), tmp_path / "home")
    assert found.found_in == "home"
    assert not (tmp_path / "home" / "models" / "mine" / ".DS_Store").exists()
    kept = json.loads((tmp_path / "home" / "models" / "mine" / MANIFEST_NAME).read_text())
    assert kept["source"] == f"file:{source.name}"
    assert [(each.name, each.changed) for each in compare_all(tmp_path / "home")] == [("mine", ())]


def test_how_a_checkpoint_is_to_be_heard_with_comes_along(tmp_path: Path, checkpoint: Path) -> None:
    source = tmp_path / "stick.pt"
    shutil.copy(checkpoint, source)
    source.with_suffix(".hearing.json").write_text("{}")
    taken("mine", source, tmp_path / "home")
    assert (tmp_path / "home" / "models" / "mine" / "mine.hearing.json").read_text() == "{}"


def test_a_sentence_model_and_one_that_tells_voices_apart_are_taken_in_too(tmp_path: Path) -> None:
    assert taken("sentences", BUNDLED_MODEL, tmp_path) == "sentences"
    assert open_embedder(SearchSettings(embedding_model="sentences"), tmp_path) is not None
    assert taken("voices", write_voice_model(tmp_path / "any.onnx"), tmp_path) == "voices"
    assert sorted(each.name for each in compare_all(tmp_path)) == ["sentences", "voices"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.txt", b"words", "is no folder"),
        ("x.zip", b"no zip", "is no folder"),
        ("x.tar.gz", b"no tar", "damaged"),
        ("x.pt", b"no checkpoint", "can't be loaded"),
        ("x.onnx", b"no network", "can't be loaded"),
    ],
)
def test_what_is_no_model_is_refused_and_leaves_nothing(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelNotTaken, match=said):
        taken("mine", tmp_path / name, tmp_path / "home")
    assert list((tmp_path / "home" / "models").iterdir()) == []


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    with pytest.raises(ModelNotTaken, match=r"model\.bin"):
        taken("mine", tmp_path / "photos", tmp_path / "home")
    with pytest.raises(UnreadableFile, match="gone"):
        taken("mine", tmp_path / "gone", tmp_path / "home")


@pytest.mark.parametrize("evil", ["../evil", "/evil", "a/../../evil"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_that_leads_outside_is_refused(tmp_path: Path, evil: str, kind: str) -> None:
    source = tmp_path / f"x.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(source, "w") as made:
            made.writestr(evil, b"x")
    else:
        with tarfile.open(source, "w") as made:
            entry = tarfile.TarInfo(evil)
            entry.size = 1
            made.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(ModelNotTaken, match="outside"):
        taken("mine", source, tmp_path / "home")
    assert not (tmp_path / "evil").exists()


def test_an_archive_that_unpacks_to_more_than_there_is_room_for_is_refused(tmp_path: Path, folder: Path) -> None:
    room = shutil.disk_usage(tmp_path).free
    with pytest.raises(StorageFull, match="does not fit"):
        take_in("mine", folder, tmp_path / "home", lambda: NOW, room)
    assert list((tmp_path / "home" / "models").iterdir()) == []


@pytest.mark.parametrize("name", ["", ".hidden", "../out", "a/b", "a\\b"])
def test_a_name_that_is_a_path_is_refused(tmp_path: Path, folder: Path, name: str) -> None:
    with pytest.raises(ModelNotTaken, match="no name for a model"):
        taken(name, folder, tmp_path)
    with pytest.raises(NotFound):
        take_away(name or "nothing", tmp_path)


def test_a_name_that_is_taken_is_refused_until_the_model_was_removed(tmp_path: Path, folder: Path) -> None:
    taken("mine", folder, tmp_path)
    with pytest.raises(ModelNotTaken, match="models remove mine"):
        taken("mine", folder, tmp_path)
    take_away("mine", tmp_path)
    assert taken("mine", folder, tmp_path) == "speech"


def test_weights_are_held_to_those_that_were_published_under_the_name() -> None:
    def manifest(name: str, file: str, digest: str) -> ModelManifest:
        return ModelManifest(name, "file:x", None, NOW, (ModelFile(file, 1, digest), ModelFile("config.json", 2, "sha256:" + "0" * 64)))

    assert is_as_published(manifest("small", "model.bin", KNOWN_MODELS["small"].digests["model.bin"])) is True
    assert is_as_published(manifest("small", "model.bin", "sha256:" + "1" * 64)) is False
    openai = "sha256:9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794"
    assert is_as_published(manifest("small", "small.pt", openai)) is True
    assert is_as_published(manifest("mine", "model.bin", openai)) is None


def test_the_commands_take_in_check_and_remove(tmp_path: Path, folder: Path) -> None:
    added = json.loads(liveproof(tmp_path, "models", "add", "mine", str(folder), "--json").stdout)
    assert (added["kind"], added["as_published"]) == ("speech", None)
    checked = json.loads(liveproof(tmp_path, "models", "check", "--json", LIVEPROOF_WHISPER_MODEL="mine").stdout)
    assert (checked["speech"], checked["speech_digest"]) == ("mine", added["digest"])
    assert checked["compared"] == [{"name": "mine", "changed": []}]
    weights = tmp_path / "models" / "mine" / "model.bin"
    with weights.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"?")
    changed = liveproof(tmp_path, "models", "check", expect=85, LIVEPROOF_WHISPER_MODEL="mine")
    assert "mine (model.bin)" in changed.stderr
    liveproof(tmp_path, "models", "remove", "mine")
    assert not weights.exists()
    assert SENTENCES in liveproof(tmp_path, "models").stdout
