"""Retention, holds and purges as people meet them: on the command line, over HTTP, and in what search still finds."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import operations
from api.app import create_app
from api.purging import forget_purged, purge
from api.workplace import Workplace, open_workplace
from archive.errors import PlanChanged
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.verification import verify_archive
from ingest.admission import IngestRequest
from search.settings import SearchSettings
from tests.api.conftest import LINES, srt
from tests.api.test_cli import liveproof

STARTED = WallTime.parse("2026-11-18T20:00:00+08:00")
YEARS_LATER = WallTime.parse("2030-06-01T00:00:00+08:00")


class SetClock:
    def __init__(self) -> None:
        self.now = WallTime.parse("2026-11-20T10:00:00+08:00")

    def __call__(self) -> WallTime:
        return self.now


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def place(tmp_path: Path, clock: SetClock) -> Iterator[Workplace]:
    """Two sessions, ingested, indexed; one of them in a case."""
    opened = open_workplace(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0, actor="tester"), clock)
    opened.search_settings = SearchSettings(embedding_model="none")
    (tmp_path / "said.srt").write_text(srt(LINES), "utf-8")
    for recording_id in ("old-1", "old-2"):
        operations.ingest(opened, IngestRequest(recording_id=recording_id, captions=tmp_path / "said.srt", started_at=STARTED), "ann")
        operations.index(opened, recording_id)
    yield opened
    opened.close()


@pytest.fixture
def client(place: Workplace) -> Iterator[TestClient]:
    with TestClient(create_app(place), base_url="http://127.0.0.1") as talking:
        yield talking


def actions(place: Workplace, subject: str) -> list[str]:
    return [entry.action for entry in place.archive.custody.entries([subject])]


def test_an_ingest_locks_what_it_brought_until_its_retention_ends(place: Workplace) -> None:
    until = place.archive.retention.until("old-1")
    assert until.iso().startswith("2029-11-18")
    (source,) = place.archive.catalog.sources("old-1")
    assert place.archive.store.retention(source.digest).until == until
    assert "retain" in actions(place, "old-1")


def test_an_order_that_a_case_links_lengthens_the_retention_at_once(place: Workplace, clock: SetClock) -> None:
    clock.now = WallTime.parse("2026-12-25T00:00:00+08:00")
    place.archive.cases.open("c1", "t", "c", "ann", order={"completed_at": "2026-12-24T08:00:00+08:00"})
    operations.add_moment(place, "c1", "old-1", 4000, 7000, "p", "ann")
    (source,) = place.archive.catalog.sources("old-1")
    assert place.archive.store.retention(source.digest).until == WallTime.parse("2029-12-24T08:00:00+08:00")


def test_a_purge_takes_the_recording_out_of_search_and_the_archive_still_verifies(place: Workplace, clock: SetClock) -> None:
    clock.now = YEARS_LATER
    place.archive.retention.place_hold("recording", "old-2", "诉讼", "ann")
    plan = place.archive.retention.plan_purge()
    # The captions are the same file in both sessions: the object stays with the one that is held.
    assert [(item.subject, len(item.shared)) for item in plan.items] == [("old-1", 1)]
    assert [(kept.subject, kept.why) for kept in plan.kept] == [("old-2", "hold")]
    place.archive.retention.release_hold("hold-0001", "撤诉", "ann")
    plan = place.archive.retention.plan_purge()
    with pytest.raises(PlanChanged, match="give its digest"):
        purge(place, "sha256:" + "0" * 64, "dpo", "r")
    done = purge(place, plan.digest, "dpo", "retention ended")
    assert {item.subject for item in done.items} == {"old-1", "old-2"} and len(done.removed) == 1
    assert place.index.passage_count() == 0
    assert not operations.search(place, "有没有说假一赔十").moments
    assert verify_archive(place.archive).passed
    assert forget_purged(place) == 0


def test_holds_are_placed_listed_and_released_over_http(client: TestClient, place: Workplace) -> None:
    placed = client.post("/v1/holds", json={"kind": "recording", "subject": "old-1", "reason": "法院调查令"})
    assert placed.status_code == 201 and placed.json()["placed_by"] == "tester (web)"
    hold = placed.json()["id"]
    assert [each["id"] for each in client.get("/v1/holds").json()["holds"]] == [hold]
    kept = client.get("/v1/retention/purge-plan").json()["kept"]
    assert {"kind": "recording", "subject": "old-1", "why": "hold", "by": hold, "until": None} in kept
    released = client.post(f"/v1/holds/{hold}/release", json={"reason": "判决生效"}).json()
    assert released["release_reason"] == "判决生效"
    assert client.get("/v1/holds").json()["holds"] == []
    assert len(client.get("/v1/holds", params={"released": True}).json()["holds"]) == 1
    assert actions(place, "old-1")[-2:] == ["hold.place", "hold.release"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "recording", "subject": "none", "reason": "r"}, 404),
        ({"kind": "room", "subject": "old-1", "reason": "r"}, 422),
        ({"kind": "recording", "subject": "old-1", "reason": "   "}, 422),
        ({"kind": "recording", "subject": "old-1"}, 422),
        ({"kind": "recording", "subject": "old-1", "reason": "x" * 501}, 422),
    ],
)
def test_a_hold_that_is_not_right_is_refused_with_how_to_mend_it(client: TestClient, body: dict[str, str], status: int) -> None:
    answer = client.post("/v1/holds", json=body)
    assert answer.status_code == status and answer.json()["mend"]
    assert client.get("/v1/holds").json()["holds"] == []


def test_the_basis_of_a_retention_cites_law_article_and_effective_date(client: TestClient) -> None:
    said = client.get("/v1/recordings/old-1/retention").json()
    assert said["until"].startswith("2029-11-18")
    laws = {(entry["law"], entry["article"], entry["effective_from"]) for entry in said["basis"] if entry.get("law")}
    assert ("网络交易监督管理办法", "20", "2021-05-01") in laws
    assert said["recorded"][0]["version"] == 1
    assert all(rule["policy"] or (rule["article"] and rule["effective_from"]) for rule in client.get("/v1/retention/rules").json()["rules"])


def test_nothing_can_be_purged_over_http(client: TestClient) -> None:
    paths = client.get("/v1/openapi.json").json()["paths"]
    assert [path for path, methods in paths.items() if "purge" in path and set(methods) != {"get"}] == []
    assert client.get("/v1/retention/tombstones").json() == {"tombstones": []}


def test_the_command_line_shows_first_and_purges_only_the_plan_that_was_shown(tmp_path: Path) -> None:
    home, captions = tmp_path / "home", tmp_path / "said.srt"
    captions.write_text(srt(LINES), "utf-8")
    liveproof(home, "ingest", "--captions", str(captions), "--id", "old", "--started-at", "2020-01-01T20:00:00+08:00")

    kept = json.loads(liveproof(home, "purge", "--json").stdout)
    assert kept["items"] == [] and [(each["subject"], each["why"]) for each in kept["kept"]] == [("old", "lock")]
    for lock in (home / "objects" / "locks").rglob("*.json"):
        lock.unlink()  # as if the week of the first lock had gone by

    hold = json.loads(liveproof(home, "hold", "place", "--recording", "old", "--reason", "诉讼", "--json").stdout)["id"]
    assert "old" in liveproof(home, "hold", "list").stdout
    assert json.loads(liveproof(home, "purge", "--json").stdout)["items"] == []
    liveproof(home, "hold", "release", hold, "--reason", "结案")

    shown = liveproof(home, "purge").stdout
    plan = json.loads(liveproof(home, "purge", "--json").stdout)
    assert plan["digest"] in shown and "dry run" in shown and [item["subject"] for item in plan["items"]] == ["old"]
    refused = liveproof(home, "purge", "--yes", "sha256:" + "0" * 64, expect=43)
    assert plan["digest"] in refused.stderr
    assert json.loads(liveproof(home, "show", "old", "--json").stdout)["recording"] == "old"

    done = json.loads(liveproof(home, "purge", "--yes", plan["digest"], "--actor", "dpo", "--json").stdout)
    assert len(done["removed"]) == 1 and done["left"] == []
    assert "purged" in liveproof(home, "show", "old", expect=4).stderr
    assert "dpo" in liveproof(home, "purge", "--tombstones").stdout
    liveproof(home, "verify", "--archive")
    left = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    said = LINES[1][2]
    assert said.encode() not in left and json.dumps(said)[1:-1].encode() not in left


def test_the_command_line_says_until_when_and_by_which_law(tmp_path: Path) -> None:
    home, captions = tmp_path / "home", tmp_path / "said.srt"
    captions.write_text(srt(LINES), "utf-8")
    liveproof(home, "ingest", "--captions", str(captions), "--id", "r1", "--started-at", "2026-11-18T20:00:00+08:00", "--no-process")
    said = liveproof(home, "retention", "show", "r1").stdout
    assert "kept until 2029-11-18" in said and "网络交易监督管理办法 art. 20 (in force since 2021-05-01)" in said
    assert "r1" in liveproof(home, "retention", "show").stdout
    assert "2019-01-01" in liveproof(home, "retention", "rules").stdout
    assert "1 recordings" in liveproof(home, "retention", "refresh").stdout
    checked = json.loads(liveproof(home, "store", "check", "--json").stdout)
    assert checked["enforced"] is True and checked["by"] == "program"
