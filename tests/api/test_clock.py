"""`liveproof clock` and `/v1/recordings/{id}/clock`: shown with ± and history, set by anchors with a reason, and the answers follow."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api import operations
from api.app import create_app
from api.cli import app
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings, archive_settings
from archive.timeline import WallTime
from tests.api.conftest import NOW, fill

SECOND = WallTime.parse("2026-11-18T20:00:20+08:00")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    """A workplace of its own: these tests set clocks."""
    folder = tmp_path_factory.mktemp("clocked")
    opened = open_workplace(ArchiveSettings(home=folder / "home", free_space_margin_bytes=0, actor="tester"), lambda: NOW)
    fill(opened, folder)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def talking(place: Workplace) -> Iterator[TestClient]:
    with TestClient(create_app(place), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def command(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    monkeypatch.setenv("LIVEPROOF_HOME", str(place.archive.home))
    monkeypatch.setenv("LIVEPROOF_EMBEDDING_MODEL", "none")
    monkeypatch.setenv("LIVEPROOF_INTERFACE_LANGUAGE", "en")
    archive_settings.cache_clear()
    yield CliRunner()
    archive_settings.cache_clear()


def test_the_clock_is_shown_with_its_uncertainty_gaps_and_versions(talking: TestClient) -> None:
    shown = talking.get("/v1/recordings/live-1/clock").json()
    first, second = shown["parts"]
    assert (first["method"], first["wall_start"], first["uncertainty_ms"]) == ("given", "2026-11-18T12:00:00.000Z", 1000)
    assert second["start_ms"] == 20_000
    assert [gap["reason"] for gap in shown["gaps"]] == ["between_parts"]
    assert shown["overlaps"] == []
    assert [version["version"] for version in shown["history"]] == [1, 1]


def test_an_anchor_moves_every_part_and_the_answers_with_it(talking: TestClient, place: Workplace) -> None:
    before = operations.search(place, "假一赔十", recording="live-1", limit=1).moments[0]
    anchor = {"part": 2, "at_ms": 3000, "wall": SECOND.plus_ms(3000 + 40_000).iso(), "uncertainty_ms": 700}
    answer = talking.post("/v1/recordings/live-1/clock", json={"anchors": [anchor], "reason": "墙上的钟"})
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["parts"]
    assert (first["version"], second["version"], first["method"], second["method"]) == (2, 2, "anchors", "anchors")
    assert second["wall_start"] == SECOND.plus_ms(40_000).iso()
    assert first["wall_start"] == "2026-11-18T12:00:40.000Z"
    assert first["uncertainty_ms"] > second["uncertainty_ms"] >= 700
    assert first["basis"]["reason"] == "墙上的钟"
    after = operations.search(place, "假一赔十", recording="live-1", limit=1).moments[0]
    assert before.wall_start is not None
    assert after.wall_start == before.wall_start.plus_ms(40_000)
    assert after.uncertainty_ms == second["uncertainty_ms"]
    assert after.start_ms == before.start_ms
    assert talking.get("/v1/recordings/live-1").json()["started_at"] == "2026-11-18T12:00:40.000Z"


@pytest.mark.parametrize(
    "body, status",
    [
        ({"anchors": [{"part": 1, "at_ms": 0, "wall": "1970-01-01T00:00:10Z"}], "reason": "x"}, 422),
        ({"anchors": [{"part": 1, "at_ms": 0, "wall": "2023-11-18T20:00:00+08:00"}], "reason": "x"}, 422),
        ({"anchors": [{"part": 1, "at_ms": 0, "wall": "2029-11-18T20:00:00+08:00"}], "reason": "x"}, 422),
        ({"anchors": [{"part": 1, "at_ms": 0, "wall": "2026-11-18T20:00:00"}], "reason": "x"}, 422),
        ({"anchors": [{"part": 1, "at_ms": 0, "wall": "2026-11-18T20:00:00+08:00"}], "reason": "  "}, 422),
        ({"anchors": [{"part": 9, "at_ms": 0, "wall": "2026-11-18T20:00:00+08:00"}], "reason": "x"}, 422),
        ({"anchors": [{"at_ms": 18_000, "wall": "2026-11-18T20:00:18+08:00"}], "reason": "in the gap"}, 422),
        ({"anchors": [{"part": 1, "at_ms": 99_000, "wall": "2026-11-18T20:00:00+08:00"}], "reason": "x"}, 422),
        ({"anchors": [], "reason": "x"}, 422),
        ({"anchors": [{"part": 1, "at_ms": 0, "wall": "2026-11-18T20:00:00+08:00"}], "reason": "x", "estimate": True}, 422),
    ],
)
def test_what_cant_be_is_refused_in_words_and_changes_nothing(
    talking: TestClient, place: Workplace, body: dict[str, object], status: int
) -> None:
    before = place.archive.clocks.maps("live-1")
    answer = talking.post("/v1/recordings/live-1/clock", json=body)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert place.archive.clocks.maps("live-1") == before


def test_captions_without_media_have_no_clock_to_set(talking: TestClient) -> None:
    anchor = {"at_ms": 0, "wall": "2026-11-18T20:00:00+08:00"}
    answer = talking.post("/v1/recordings/words-1/clock", json={"anchors": [anchor], "reason": "x"})
    assert answer.status_code == 422
    assert "captions only" in answer.json()["detail"]
    assert talking.get("/v1/recordings/words-1/clock").json()["parts"] == []
    assert talking.get("/v1/recordings/nobody/clock").status_code == 404


def test_an_estimate_says_why_it_says_nothing(talking: TestClient) -> None:
    told = talking.post("/v1/recordings/live-1/clock", json={"estimate": True}).json()["estimate"]
    assert (told["decision"], told["why"], told["clocks"], told["shifts"]) == ("nothing_told", "few_questions", [], [])


def test_the_command_shows_sets_and_keeps_every_version(command: CliRunner, place: Workplace, tmp_path: Path) -> None:
    shown = command.invoke(app, ["clock", "live-1"])
    assert shown.exit_code == 0, shown.output
    assert "±" in shown.output and "missing" in shown.output
    at = WallTime.parse("2026-11-18T20:01:00+08:00").iso()
    set_again = command.invoke(app, ["clock", "live-1", "--anchor", f"1@0:10={at}±0.5", "--only", "--reason", "订单时间", "--json"])
    assert set_again.exit_code == 0, set_again.output
    told = json.loads(set_again.output)
    assert told["parts"][0]["wall_start"] == "2026-11-18T12:00:50.000Z"
    assert [anchor["part"] for anchor in told["parts"][0]["basis"]["anchors"]] == [1]
    assert sorted({version["version"] for version in told["history"]}) == list(range(1, told["parts"][0]["version"] + 1))
    assert "order" not in command.invoke(app, ["clock", "live-1"]).output
    assert command.invoke(app, ["clock", "live-1", "--anchor", "nonsense", "--reason", "x"]).exit_code == 2
    assert command.invoke(app, ["clock", "live-1", "--anchor", "1@0:10=2020-01-01T00:00:00Z", "--reason", "x"]).exit_code == 57


def test_a_time_subtitle_sets_one_part(command: CliRunner, place: Workplace, tmp_path: Path) -> None:
    subtitle = tmp_path / "t.srt"
    cues = (f"{n + 1}\n00:00:{n:02},000 --> 00:00:{n + 1:02},000\n2026-11-18 20:02:{n:02}\n" for n in range(15))
    subtitle.write_text("\n".join(cues), "utf-8")
    assert command.invoke(app, ["clock", "live-1", "--from-subtitle", str(subtitle)]).exit_code == 57
    done = command.invoke(app, ["clock", "live-1", "--from-subtitle", str(subtitle), "--part", "2", "--json"])
    assert done.exit_code == 0, done.output
    second = json.loads(done.output)["parts"][1]
    assert second["method"] == "time_subtitle"
    assert second["wall_start"].startswith("2026-11-18T12:02:00")
    assert second["basis"]["of"] == 15
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:01,000 --> 00:00:02,000\n大家好\n", "utf-8")
    assert command.invoke(app, ["clock", "live-1", "--from-subtitle", str(words), "--part", "1"]).exit_code == 57
