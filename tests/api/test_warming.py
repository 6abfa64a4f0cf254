"""Who asks first waits for no loading, and nothing is loaded twice because two ask first."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from api.warming import warm
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from search.errors import EmbeddingModelUnusable
from tests.search.varied_sessions import GramVectors


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return open_workplace(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0))


def test_when_the_address_is_told_the_server_takes_calls_and_is_ready(tmp_path: Path) -> None:
    environment = {**os.environ, "LIVEPROOF_HOME": str(tmp_path / "home"), "LIVEPROOF_EMBEDDING_MODEL": "none"}
    command = [sys.executable, "-u", "-m", "api.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            address = next(word for word in server.stdout.readline().split() if word.startswith("http://127.0.0.1:"))
            # The very first call, not tried again.
            assert httpx.get(f"{address.rstrip('/')}/v1/health", timeout=60).json()["ready"]
        finally:
            server.terminate()
            server.wait(timeout=20)


def test_a_model_that_many_ask_for_at_once_is_loaded_once(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def slowly(*_: object) -> GramVectors:
        loaded.append(time.monotonic())
        time.sleep(0.2)
        return GramVectors()

    monkeypatch.setattr("api.workplace.open_embedder", slowly)
    together, got = threading.Barrier(6), []

    def ask() -> None:
        together.wait(timeout=10)
        got.append(place.embedder)

    asking = [threading.Thread(target=ask) for _ in range(6)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(timeout=10)
    assert len(loaded) == 1 and len(got) == 6 and len(set(map(id, got))) == 1
    view = place.hearing_with(place.transcribe_settings)
    assert view.embedder is place.embedder and len(loaded) == 1
    place.close()


def test_what_could_not_be_loaded_is_tried_again(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    def unusable(*_: object) -> None:
        raise EmbeddingModelUnusable("its folder is empty")

    with monkeypatch.context() as patched:
        patched.setattr("api.workplace.open_embedder", unusable)
        assert not warm(place)
    monkeypatch.setattr("api.workplace.open_embedder", lambda *_: None)
    assert warm(place) and place.embedder is None
    place.close()
