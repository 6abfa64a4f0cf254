"""What a host says is found while the room is still live: the whole way of `liveproof capture`, with the demo's own models."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from api.operations import search
from api.workplace import open_workplace
from archive.settings import ArchiveSettings
from search.settings import SearchSettings
from tests.simulators.live_server import LiveServer, prepare

SESSION = Path(__file__).parents[2] / "infra" / "demo" / "session"


def test_a_spoken_line_is_found_while_the_room_is_live(tmp_path: Path) -> None:
    truth = json.loads((SESSION / "truth.json").read_text("utf-8"))
    said = truth["lines"][0]
    broadcast = prepare(tmp_path / "session", next(SESSION.glob("*-200000-*.flv")), 180)
    server = LiveServer(broadcast)
    home = tmp_path / "home"
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0))
    place.search_settings = SearchSettings(embedding_model="none")
    fixed = {
        "LIVEPROOF_HOME": str(home),
        "LIVEPROOF_WHISPER_MODEL": "demo-whisper",
        "LIVEPROOF_EMBEDDING_MODEL": "none",
        "LIVEPROOF_FREE_SPACE_MARGIN_BYTES": "0",
        "HF_HUB_OFFLINE": "1",
    }
    broadcast.begin()
    command = [sys.executable, "-m", "api.cli", "capture", server.hls, "--id", "room", "--segment", "10", "--json"]
    capture = subprocess.Popen(command, env={**os.environ, **fixed}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        moment = None
        while moment is None:
            assert broadcast.now_ms() < 150_000, "it was not found in time"
            assert capture.poll() is None
            time.sleep(0.5)
            if place.archive.catalog.has("room"):
                moment = next(iter(search(place, said["text"], recording="room").moments), None)
        recording = place.archive.catalog.recording("room")
        assert recording.live
        wall, unsure = recording.wall_at(moment.start_ms)
        assert wall is not None
        assert abs(wall.epoch_ms - broadcast.wall_ms(said["start_ms"])) <= unsure + 1500
        capture.send_signal(signal.SIGTERM)
        out, errors = capture.communicate(timeout=100)
    finally:
        capture.kill()
        server.close()
        place.close()
    assert capture.returncode == 0
    assert errors == ""
    events = [json.loads(line) for line in out.splitlines()]
    lags = [event["ms"] for event in events if event["event"] == "searchable"]
    assert lags
    assert all(0 < lag < 150_000 for lag in lags)
    assert events[-1]["searchable_lag_ms"] == max(lags)
