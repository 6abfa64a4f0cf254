"""`/v1/cases/…/reveals` and `liveproof reveal`."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.cli import app
from archive.settings import archive_settings
from tests.archive.held import CHAT, admit, open_case, open_test_archive

REASON = "平台仲裁要求核对投诉人身份"


@pytest.fixture
def case_id(client: TestClient) -> str:
    opened = client.post("/v1/cases", json={"title": "手镯是假的", "order": {"order_id": "1", "buyer": "青柠七七"}})
    return str(opened.json()["case"])


def test_the_complainant_is_shown_with_a_reason_and_listed_without_the_name(client: TestClient, case_id: str) -> None:
    shown = client.post(f"/v1/cases/{case_id}/reveals", json={"reason": REASON})
    assert shown.status_code == 201
    assert shown.json()["name"] == "青柠七七"
    listed = client.get(f"/v1/cases/{case_id}/reveals")
    assert [each["reason"] for each in listed.json()["reveals"]] == [REASON]
    assert "青柠七七" not in listed.text


@pytest.mark.parametrize(
    ("body", "status"), [({"reason": "看看"}, 422), ({"reason": REASON, "who": "老张"}, 403), ({}, 422), ({"reason": "x" * 501}, 422)]
)
def test_a_reveal_that_may_not_be_is_a_problem_and_names_nobody(
    client: TestClient, case_id: str, body: dict[str, str], status: int
) -> None:
    answer = client.post(f"/v1/cases/{case_id}/reveals", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "青柠七七" not in answer.text


def test_the_command_shows_the_name_and_says_that_it_was_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = open_test_archive(tmp_path / "home")
    admit(archive, "r1", [], messages=CHAT)
    open_case(archive, "r1")
    archive.close()
    monkeypatch.setenv("LIVEPROOF_HOME", str(tmp_path / "home"))
    archive_settings.cache_clear()
    run = CliRunner()
    refused = run.invoke(app, ["reveal", "case-1", "--reason", "想看看"])
    shown = run.invoke(app, ["reveal", "case-1", "--reason", REASON, "--actor", "法务甲", "--json"])
    archive_settings.cache_clear()
    assert refused.exit_code == 61
    assert json.loads(shown.stdout)["name"] == "爱吃瓜的小李"
