"""A recording grows by command and over HTTP, through the same gate, and answers say how far it is held."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import operations
from api.app import create_app
from api.printing import console, print_answer
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from ingest.admission import IngestRequest, admit
from ingest.extension import ExtendRequest
from search.settings import SearchSettings
from tests.api.conftest import media
from tests.api.test_cli import liveproof
from tests.api.test_problems import refused
from tests.api.test_uploads import upload as uploaded

CHAT = '<i><d p="{at},1,25,16777215,0,0,1,0" user="雨后">{text}</d></i>'


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    opened = open_workplace(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0, actor="tester"))
    opened.search_settings = SearchSettings(embedding_model="none")
    admit(opened.archive, IngestRequest((media(tmp_path / "a.flv", 3),), "live-1", live=True), "tester")
    yield opened
    opened.close()


@pytest.fixture
def client(workplace: Workplace) -> TestClient:
    return TestClient(create_app(workplace), base_url="http://127.0.0.1")


def test_uploads_extend_a_recording_once(client: TestClient, workplace: Workplace, tmp_path: Path) -> None:
    part, chat = media(tmp_path / "b.flv", 4).read_bytes(), CHAT.format(at=1, text="来了").encode()
    more = {"parts": [uploaded(client, part, filename="b.flv")], "chat": [uploaded(client, chat, filename="c.xml")]}
    answer = client.post("/v1/recordings/live-1/extensions", json=more, headers={"idempotency-key": "k1"})
    assert (answer.status_code, answer.headers["location"]) == (201, "/v1/recordings/live-1"), answer.text
    held = answer.json()
    assert (held["parts"], held["messages"], held["live"], held["already_held"]) == (2, 1, True, False)
    assert held["processing"]["left_to"] == "liveproof work"
    head = workplace.archive.custody.head()
    again = client.post("/v1/recordings/live-1/extensions", json=more, headers={"idempotency-key": "k1"})
    assert (again.status_code, again.json()["already_held"]) == (200, True)
    # The same bytes uploaded anew are found by their digest.
    anew = {"parts": [uploaded(client, part, filename="x.flv")]}
    assert client.post("/v1/recordings/live-1/extensions", json=anew).json()["already_held"] is True
    assert [part.number for part in workplace.archive.catalog.recording("live-1").parts] == [1, 2]
    head_now = workplace.archive.custody.head()
    assert head and head_now and head_now.seq == head.seq
    closed = client.post("/v1/recordings/live-1/extensions", json={"closes": True})
    assert (closed.status_code, closed.json()["live"]) == (201, False)


@pytest.mark.parametrize(
    ("address", "body", "status"),
    [
        ("/v1/recordings/never/extensions", {"closes": True}, 404),
        ("/v1/recordings/live-1/extensions", {}, 422),
        ("/v1/recordings/live-1/extensions", {"parts": ["0" * 32]}, 404),
        ("/v1/recordings/live-1/extensions", {"live": False}, 422),
    ],
)
def test_what_can_not_be_added_is_refused_and_nothing_changes(
    client: TestClient, workplace: Workplace, address: str, body: dict[str, object], status: int
) -> None:
    head = workplace.archive.custody.head()
    refused(client.post(address, json=body), status)
    assert workplace.archive.custody.head() == head


SRT = "1\n00:00:01,000 --> 00:00:02,500\n七天无理由退货\n"


def test_the_command_extends_closes_and_changes_nothing_again(tmp_path: Path) -> None:
    home, captions, chat = tmp_path / "home", tmp_path / "c.srt", tmp_path / "c.xml"
    captions.write_text(SRT, "utf-8")
    chat.write_text(CHAT.format(at=1, text="在吗"), "utf-8")
    liveproof(home, "ingest", "--captions", str(captions), "--id", "s1", "--json")
    came = json.loads(liveproof(home, "extend", "s1", "--chat", str(chat), "--json").stdout)
    assert (came["new_parts"], came["new_messages"], came["already_held"], came["indexed"]) == ([], 1, False, True)
    said = liveproof(home, "extend", "s1", "--chat", str(chat)).stdout
    assert "holds all of this already" in said
    assert "no recording never is held" in liveproof(home, "extend", "never", "--close", expect=4).stderr
    assert "nothing to add" in liveproof(home, "extend", "s1", expect=2).stderr


def test_answers_about_a_live_recording_say_that_it_is(
    workplace: Workplace, client: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = tmp_path / "c.srt"
    captions.write_text(SRT, "utf-8")
    operations.extend(workplace, "live-1", ExtendRequest(captions=captions), "tester")
    operations.index(workplace, "live-1")
    answer = client.get("/v1/search", params={"q": "假一赔十"}).json()
    assert (answer["found"], answer["coverage"]["live"]) == (False, ["live-1"])
    shown = client.get("/moments", params={"q": "假一赔十"}).text
    assert "live-1" in shown and "still live" in shown
    print_answer(console(), "假一赔十", operations.search(workplace, "假一赔十"))
    assert "live-1" in capsys.readouterr().out
