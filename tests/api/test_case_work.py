"""`/v1/cases/…/attachments` and `/steps`, and `liveproof case` and `liveproof transcript` on the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api import operations
from api.app import create_app
from api.cli import app
from api.transcript_edits import edit_transcript
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings, archive_settings
from ingest.admission import IngestRequest
from search.settings import SearchSettings
from tests.api.conftest import LINES, NOW, hold, srt
from tests.archive.held import add_transcript, admit, open_test_archive

CHAT = "时间,发送人,内容\n1,小李,我电话13812345678\n2,客服,您好\n".encode()


@pytest.fixture
def case_id(client: TestClient) -> str:
    opened = client.post("/v1/cases", json={"title": "手镯是假的", "complaint": "说好假一赔十", "problem_class": "商品质量"})
    return str(opened.json()["case"])


def attach(client: TestClient, case_id: str, content: bytes = CHAT, **fields: str) -> dict[str, object]:
    answer = client.post(f"/v1/cases/{case_id}/attachments", files={"file": ("聊天.csv", content)}, data={"kind": "im_log", **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_paper_is_attached_downloaded_as_it_was_and_withdrawn(client: TestClient, workplace: Workplace, case_id: str) -> None:
    paper = attach(client, case_id, title="客服聊天", purpose="证明已联系")
    assert paper.pop("processing") == {"job": None, "left_to": "liveproof work"}
    assert (paper["number"], paper["media_type"], paper["given_as"], paper["title"]) == (1, "text/csv", "masked", "客服聊天")
    got = client.get(f"/v1/cases/{case_id}/attachments/1")
    assert got.content == CHAT
    assert got.headers["content-type"] == "application/octet-stream" and "attachment" in got.headers["content-disposition"]
    assert client.get(f"/v1/cases/{case_id}").json()["attachments"] == [{**paper, "reading": None}]
    gone = client.post(f"/v1/cases/{case_id}/attachments/1/withdrawal", json={"reason": "传错了"}).json()
    assert (gone["given_as"], gone["withdrawn_reason"]) == ("withdrawn", "传错了")
    assert client.get(f"/v1/cases/{case_id}/attachments/1").status_code == 200
    actions = [entry.action for entry in workplace.archive.custody.entries([case_id])]
    assert actions == ["case.open", "case.attach", "case.attachment.download", "case.withdraw", "case.attachment.download"]


def test_papers_that_are_wrong_or_missing_are_told(client: TestClient, case_id: str) -> None:
    address = f"/v1/cases/{case_id}/attachments"
    assert client.post(address, files={"file": ("a", b"")}, data={"kind": "photo"}).status_code == 422
    assert client.post(address, files={"file": ("a", b"x")}, data={"kind": "virus"}).status_code == 422
    assert client.post(address, data={"kind": "photo"}).status_code == 422
    assert client.post("/v1/cases/none/attachments", files={"file": ("a", b"x")}, data={"kind": "photo"}).status_code == 404
    assert client.get(f"{address}/9").status_code == 404
    assert client.post(f"{address}/9/withdrawal", json={"reason": "x"}).status_code == 404


def test_a_case_takes_its_steps_and_refuses_a_leap_with_a_way_to_mend_it(client: TestClient, case_id: str) -> None:
    address = f"/v1/cases/{case_id}/steps"
    leap = client.post(address, json={"stage": "review", "text": "跳过"})
    assert leap.status_code == 422 and "verification" in leap.json()["detail"] and leap.json()["mend"]
    taken = client.post(address, json={"stage": "verification", "text": "已核对", "detail": {"finding": "confirmed"}})
    assert taken.status_code == 201
    assert (taken.json()["status"], [step["stage"] for step in taken.json()["steps"]]) == ("verification", ["intake", "verification"])
    assert client.post(address, json={"stage": "nowhere"}).status_code == 422


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Workplace]:
    """A workplace of its own, so that an edit in it changes nothing for the tests that share one."""
    place = open_workplace(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0, actor="tester"), lambda: NOW)
    place.search_settings = SearchSettings(embedding_model="none")
    (tmp_path / "captions.srt").write_text(srt(LINES), "utf-8")
    hold(place, IngestRequest(recording_id="heard", captions=tmp_path / "captions.srt"))
    yield place
    place.close()


def test_an_edited_segment_is_found_by_its_new_words(heard: Workplace) -> None:
    before = operations.search(heard, "有没有说可以分期付款", recording="heard")
    assert not before.found
    edit_transcript(heard, "heard", 4, "支持花呗分期付款十二期免息", "听了三遍", "ann")
    after = operations.search(heard, "有没有说可以分期付款", recording="heard")
    assert after.found and "分期付款" in after.moments[0].quote
    assert "edited_by_hand" in after.moments[0].risk
    assert heard.archive.transcripts.version("heard", 1).segments[3].text == "喜欢的家人可以去拍"


def test_a_correction_over_http_is_a_further_version_and_one_of_an_old_version_is_refused(heard: Workplace) -> None:
    with TestClient(create_app(heard), base_url="http://127.0.0.1") as client:
        address = "/v1/recordings/heard/transcript/edits"
        newest = client.get("/v1/recordings/heard/transcript").json()["transcript"]["version"]
        correction = {"segment": 2, "text": "先看一号链接百分之九十五山羊绒", "reason": "听了三遍", "version": newest}
        made = client.post(address, json=correction)
        assert made.status_code == 201, made.text
        assert (made.json()["transcript"]["version"], made.json()["segments"][0]["text"]) == (newest + 1, correction["text"])
        stale = client.post(address, json=correction)
        assert stale.status_code == 409 and "version" in stale.json()["detail"]
        beyond = client.post(address, json={**correction, "version": newest + 1, "segment": 99})
        assert beyond.status_code == 409 and "99" in beyond.json()["detail"]
        assert client.post("/v1/recordings/none/transcript/edits", json=correction).status_code == 404


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An archive in LIVEPROOF_HOME with a recording and its transcript."""
    folder = tmp_path / "home"
    archive = open_test_archive(folder)
    admit(archive, "r1", [])
    add_transcript(archive, "r1", None)
    archive.close()
    monkeypatch.setenv("LIVEPROOF_HOME", str(folder))
    monkeypatch.setenv("LIVEPROOF_EMBEDDING_MODEL", "none")
    archive_settings.cache_clear()
    yield folder
    archive_settings.cache_clear()
    structlog.reset_defaults()


def run(*arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def test_a_case_from_intake_to_proposal_on_the_command_line(home: Path, tmp_path: Path) -> None:
    (tmp_path / "聊天.csv").write_bytes(CHAT)
    case = str(run("case", "open", "--text", "说好假一赔十", "--title", "假货")["case"])
    run("case", "add", case, "r1", "--from", "3500", "--to", "6000", "--purpose", "承诺")
    assert run("case", "attach", case, str(tmp_path / "聊天.csv"), "--kind", "im_log")["given_as"] == "masked"
    run("case", "step", case, "verification", "--text", "已核对", "--finding", "confirmed")
    shown = run("case", "step", case, "proposal", "--decision", "compensation", "--amount-minor", "299000", "--currency", "CNY")
    assert shown["status"] == "proposal"
    assert run("case", "withdraw", case, "1", "--reason", "传错了")["given_as"] == "withdrawn"
    read = CliRunner().invoke(app, ["case", "show", case])
    assert "compensation" in read.stdout and "2026" in read.stdout
    refused = CliRunner().invoke(app, ["case", "step", case, "closed", "--text", "x"])
    assert refused.exit_code == 55 and "execution" in refused.output


def test_a_transcript_is_shown_and_corrected_on_the_command_line(home: Path) -> None:
    assert "这条手串保真假一赔十" in CliRunner().invoke(app, ["transcript", "show", "r1"]).stdout
    edited = run("transcript", "edit", "r1", "2", "这条手串保真，假一赔十", "--reason", "听了三遍")
    assert edited["version"] == 2 and edited["engine"] == "human"
    assert "保真，假一赔十" in CliRunner().invoke(app, ["transcript", "show", "r1"]).stdout
    assert "保真假一赔十" in CliRunner().invoke(app, ["transcript", "show", "r1", "--version", "1"]).stdout
    again = CliRunner().invoke(app, ["transcript", "edit", "r1", "2", "x", "--reason", "y", "--version", "1"])
    assert again.exit_code == 56
