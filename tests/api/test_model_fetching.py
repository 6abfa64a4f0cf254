"""Models come from a hub whole or not at all: broken lines, wrong bytes, refusals and full disks leave nothing that passes for one."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import model_printing
from api.errors import ModelNotTaken
from api.model_fetching import fetch, plan_download
from archive.errors import StorageFull
from archive.model_files import MANIFEST_NAME, PublishedModel, differences, read_manifest
from archive.timeline import WallTime
from search.embeddings import PUBLISHED_DEFAULT
from tests.api.test_cli import liveproof
from tests.simulators.model_hub import COMMIT, ModelHub, model_hub
from transcribe.known_models import KNOWN_MODELS, KNOWN_VOICES

NOW = WallTime.parse("2026-11-20T10:00:00+08:00")
WEIGHTS = bytes(range(256)) * 400
FILES = {"config.json": b"{}", "model.bin": WEIGHTS, "tokenizer.json": b'{"a": 1}', "README.md": b"# card"}
TINY = PublishedModel(
    "tiny",
    "speech to text",
    "acme/tiny",
    COMMIT,
    102_400,
    ("config.json", "model.bin", "tokenizer.json"),
    {"model.bin": "sha256:" + hashlib.sha256(WEIGHTS).hexdigest()},
)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModelHub]:
    with model_hub() as running:
        running.repositories = {"acme/tiny": dict(FILES)}
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", running.url)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr("api.model_transfer.PAUSES_S", (0.01, 0.01))
        monkeypatch.setenv("HF_TOKEN", "")
        yield running


def fetched(home: Path, model: PublishedModel = TINY, revision: str | None = None) -> Path:
    download = plan_download(model, home, revision)
    fetch(download, lambda: NOW, 0)
    return download.target


def left_in(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "models").iterdir())


def test_the_size_is_known_before_a_byte_of_the_model_was_asked_for(hub: ModelHub, tmp_path: Path) -> None:
    download = plan_download(TINY, tmp_path)
    assert (download.size_bytes, download.here_bytes) == (len(WEIGHTS) + 2 + 8, 0)
    assert (download.source, download.revision) == (f"{hub.url}/acme/tiny", COMMIT)
    assert hub.sent == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_needed_lands_whole_with_a_manifest_of_every_byte(hub: ModelHub, tmp_path: Path) -> None:
    folder = fetched(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", MANIFEST_NAME, "model.bin", "tokenizer.json"]
    manifest = read_manifest(folder)
    assert manifest is not None
    assert (manifest.source, manifest.revision, manifest.taken_at) == (f"{hub.url}/acme/tiny", COMMIT, NOW)
    told = {file.name: (file.size_bytes, file.digest) for file in manifest.files}
    assert told["model.bin"] == (len(WEIGHTS), "sha256:" + hashlib.sha256(WEIGHTS).hexdigest())
    assert differences(folder, manifest) == []
    assert left_in(tmp_path) == ["tiny"]


def test_a_line_that_breaks_is_taken_up_again_where_it_broke(hub: ModelHub, tmp_path: Path) -> None:
    hub.breaks_after, hub.breaks = 30_000, 2
    fetched(tmp_path)
    assert [asked for name, asked in hub.sent if name == "model.bin"] == [None, "bytes=30000-", "bytes=60000-"]


def test_a_download_that_was_given_up_goes_on_with_the_next_command(hub: ModelHub, tmp_path: Path) -> None:
    hub.breaks_after, hub.breaks = 30_000, 1
    hub.refuses_next = 503
    with pytest.raises(ModelNotTaken, match=r"30,000 of 102,400 bytes of model\.bin are here"):
        fetched(tmp_path)
    assert not (tmp_path / "models" / "tiny").exists()
    hub.refuses = hub.refuses_next = None
    assert plan_download(TINY, tmp_path).here_bytes == 30_002
    fetched(tmp_path)
    assert hub.sent[-2:] == [("model.bin", "bytes=30000-"), ("tokenizer.json", None)]
    assert left_in(tmp_path) == ["tiny"]


def test_a_server_that_knows_no_ranges_gives_the_whole_anew(hub: ModelHub, tmp_path: Path) -> None:
    hub.breaks_after, hub.breaks, hub.ignores_range = 30_000, 1, True
    folder = fetched(tmp_path)
    assert (folder / "model.bin").read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["model.bin", "config.json"])
def test_other_bytes_than_the_hub_describes_are_thrown_away(hub: ModelHub, tmp_path: Path, name: str) -> None:
    hub.wrong = {name}
    with pytest.raises(ModelNotTaken, match=rf"{name}.*other bytes"):
        fetched(tmp_path)
    assert not (tmp_path / "models" / "tiny").exists()
    assert [path.name for path in tmp_path.rglob(f"{name}*")] == []
    hub.wrong = set()
    assert fetched(tmp_path).is_dir()


def test_a_mirror_that_describes_other_weights_than_were_published_is_refused(hub: ModelHub, tmp_path: Path) -> None:
    hub.repositories["acme/tiny"]["model.bin"] = b"x" * 20_000
    with pytest.raises(ModelNotTaken, match=r"another model\.bin"):
        plan_download(TINY, tmp_path)
    assert plan_download(TINY, tmp_path, "main").size_bytes > 20_000  # asked for by name, a later commit may hold others


def test_a_repository_that_lacks_a_file_is_refused_before_anything_is_fetched(hub: ModelHub, tmp_path: Path) -> None:
    del hub.repositories["acme/tiny"]["tokenizer.json"]
    with pytest.raises(ModelNotTaken, match=r"lacks tokenizer\.json"):
        plan_download(TINY, tmp_path)


def test_names_that_lead_out_of_the_folder_are_never_written(hub: ModelHub, tmp_path: Path) -> None:
    hub.extra_names = ["../../evil", "/etc/evil", ".hidden/x", "a\\..\\b"]
    model = PublishedModel("tiny", "", "acme/tiny", COMMIT, 1, (*TINY.files, *hub.extra_names), {})
    download = plan_download(model, tmp_path, "main")
    assert {file.name for file in download.files} == {"config.json", "model.bin", "tokenizer.json"}


@pytest.mark.parametrize(
    ("status", "said"), [(401, "HF_TOKEN"), (403, "may not be read"), (404, "no such repository"), (500, "answered 500")]
)
def test_a_refusal_says_what_it_may_mean_and_how_else_to_get_the_model(hub: ModelHub, tmp_path: Path, status: int, said: str) -> None:
    hub.refuses = status
    with pytest.raises(ModelNotTaken, match=said) as caught:
        plan_download(TINY, tmp_path)
    assert "--offline" in str(caught.value)


def test_a_repository_that_asks_for_a_token_gets_the_one_that_is_set(
    hub: ModelHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.token = "hf_secret"
    with pytest.raises(ModelNotTaken, match="token"):
        plan_download(TINY, tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert fetched(tmp_path).is_dir()


def test_a_hub_that_is_not_there_or_says_nothing_is_no_endless_wait(hub: ModelHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(ModelNotTaken, match="could not be reached"):
        plan_download(TINY, tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotTaken, match="could not be reached"):
        plan_download(TINY, tmp_path)


def test_a_model_that_does_not_fit_is_not_begun(hub: ModelHub, tmp_path: Path) -> None:
    download = plan_download(TINY, tmp_path)
    with pytest.raises(StorageFull, match="more bytes"):
        fetch(download, lambda: NOW, shutil.disk_usage(tmp_path).free)
    assert hub.sent == []


def test_a_file_changed_later_is_named(hub: ModelHub, tmp_path: Path) -> None:
    folder = fetched(tmp_path)
    (folder / "model.bin").write_bytes(WEIGHTS[:-1] + b"x")
    (folder / "config.json").unlink()
    (folder / "more.json").write_text("{}")
    (folder / "hearing.json").write_text("{}")  # how to hear with it, which may be said later
    manifest = read_manifest(folder)
    assert manifest is not None
    assert differences(folder, manifest) == ["config.json", "model.bin", "more.json"]


def hub_settings(hub: ModelHub) -> dict[str, str]:
    return {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "LIVEPROOF_FREE_SPACE_MARGIN_BYTES": "0"}


def test_the_command_says_the_size_and_downloads_only_if_somebody_agrees(hub: ModelHub, tmp_path: Path) -> None:
    hub.repositories = {KNOWN_MODELS["tiny"].repository: dict(FILES)}
    asked = liveproof(tmp_path, "models", "fetch", "tiny", "--revision", "main", expect=84, **hub_settings(hub))
    size, agree = asked.stderr.index("tiny, 102410 B in 3 file(s)"), asked.stderr.index("--yes")
    assert size < agree
    assert hub.sent == []


@pytest.mark.slow
def test_a_fetch_killed_midway_is_gone_on_with_by_the_next(hub: ModelHub, tmp_path: Path) -> None:
    content = bytes(range(251)) * 10_000
    hub.repositories = {KNOWN_MODELS["tiny"].repository: {**FILES, "model.bin": content}}
    hub.breaks_after, hub.breaks, hub.pause_s = 1_000_000, 1, 30
    fetch_tiny = ("models", "fetch", "tiny", "--revision", "main", "--yes", "--json")
    environment = {**os.environ, **hub_settings(hub), "LIVEPROOF_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-m", "api.cli", *fetch_tiny], env=environment, stdout=subprocess.PIPE) as fetching:
        partial = tmp_path / "models" / f".tiny.fetching-{COMMIT[:12]}" / "model.bin.partial"
        until = time.monotonic() + 60
        while not (partial.exists() and partial.stat().st_size >= 900_000):
            assert time.monotonic() < until and fetching.poll() is None
            time.sleep(0.05)
        fetching.send_signal(signal.SIGKILL)
    assert not (tmp_path / "models" / "tiny").exists()
    hub.breaks, hub.pause_s, begun = 0, 0, partial.stat().st_size
    answer = json.loads(liveproof(tmp_path, *fetch_tiny, **hub_settings(hub)).stdout)
    assert ("model.bin", f"bytes={begun}-") in hub.sent
    assert (answer["fetched"], answer["revision"]) == (True, COMMIT)
    assert (tmp_path / "models" / "tiny" / "model.bin").read_bytes() == content
    again = json.loads(liveproof(tmp_path, *fetch_tiny).stdout)  # the hub is not asked
    assert (again["fetched"], again["where"]) == (False, str(tmp_path / "models" / "tiny"))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("model", [*KNOWN_MODELS.values(), *KNOWN_VOICES.values(), PUBLISHED_DEFAULT], ids=lambda model: model.name)
def test_the_way_without_a_network_names_every_file_and_is_a_script_that_a_shell_takes(model: PublishedModel, language: str) -> None:
    shown = model_printing.offline(model, language)
    script = "\n".join(line[3:] for line in shown.splitlines() if line.startswith("   "))
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, timeout=20).stderr == ""
    assert f"liveproof models add {model.name} /media/usb/{model.name}" in script
    assert all(file in script for file in model.files)
    assert all(digest.removeprefix("sha256:") in script for digest in model.digests.values())
    assert f"/{model.repository}/resolve/{model.revision}/" in script


def test_each_published_model_says_a_commit_or_a_digest_of_its_weights() -> None:
    for model in (*KNOWN_MODELS.values(), *KNOWN_VOICES.values(), PUBLISHED_DEFAULT):
        assert len(model.revision) == 40 or set(model.digests) == set(model.files)
        assert all(len(digest) == len("sha256:") + 64 for digest in model.digests.values())
