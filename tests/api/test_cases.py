"""`/v1/cases`, `/v1/clips`, `/v1/verify`: from a moment to a package that anybody can check."""

import io
import zipfile

import pytest
from fastapi.testclient import TestClient

from api.workplace import Workplace


@pytest.fixture(scope="module")
def case_id(client: TestClient) -> str:
    opened = client.post(
        "/v1/cases", json={"title": "手镯是假的", "complaint": "说好假一赔十", "order": {"order_id": "D1"}, "product": "p2"}
    )
    assert opened.status_code == 201, opened.text
    return str(opened.json()["case"])


@pytest.fixture(scope="module")
def built(client: TestClient, case_id: str) -> dict[str, str]:
    moment = {"recording": "live-1", "start_ms": 23_000, "end_ms": 26_000, "purpose": "承诺假一赔十"}
    assert client.post(f"/v1/cases/{case_id}/moments", json=moment).status_code == 201
    made = client.post(f"/v1/cases/{case_id}/packages", json={})
    assert made.status_code == 201, made.text
    return dict(made.json())


def test_a_case_holds_its_moment_with_the_words_said_there(client: TestClient, case_id: str, built: dict[str, str]) -> None:
    case = client.get(f"/v1/cases/{case_id}").json()
    assert case["order"] == {"order_id": "D1"}
    assert [moment["quote"] for moment in case["moments"]] == ["二号链接的手镯假一赔十支持鉴定"]
    assert case["packages"][0]["package"] == built["package"]


def test_the_same_moment_twice_stands_once(client: TestClient, case_id: str, built: dict[str, str]) -> None:
    moment = {"recording": "live-1", "start_ms": 23_000, "end_ms": 26_000}
    assert client.post(f"/v1/cases/{case_id}/moments", json=moment).json()["number"] == 1
    assert len(client.get(f"/v1/cases/{case_id}").json()["moments"]) == 1


def test_a_package_downloads_verifies_and_is_logged(client: TestClient, workplace: Workplace, case_id: str, built: dict[str, str]) -> None:
    downloaded = client.get(built["download"])
    assert downloaded.status_code == 200 and downloaded.headers["content-type"] == "application/zip"
    assert len(downloaded.content) == built["bytes"]
    assert client.get(built["verification"]).json()["passed"] is True
    report = client.post("/v1/verify", files={"file": ("证据.zip", downloaded.content, "application/zip")}).json()
    assert report["passed"] is True and report["subject"] == "证据.zip" and len(report["checks"]) > 3
    known = client.get("/v1/custody/keys").json()["keys"][-1]["key_id"]
    for key, holds in ((known, True), ("00000000", False)):
        told = client.post("/v1/verify", files={"file": ("a.zip", downloaded.content)}, data={"key": key}).json()
        assert told["passed"] is holds, key
    actions = [entry.action for entry in workplace.archive.custody.entries([case_id])]
    assert "package.built" in actions and "package.download" in actions


def test_a_package_with_one_byte_changed_fails_and_names_the_file(client: TestClient, built: dict[str, str]) -> None:
    content = bytearray(client.get(built["download"]).content)
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        entry = max(archive.infolist(), key=lambda one: one.file_size)
    content[entry.header_offset + 200 + len(entry.filename.encode())] ^= 1
    report = client.post("/v1/verify", files={"file": ("a.zip", bytes(content), "application/zip")}).json()
    assert report["passed"] is False
    inside = entry.filename.split("/", 1)[1]
    assert inside in {check["file"] for check in report["checks"] if check["passed"] is False}


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x05\x06" + b"\0" * 18])
def test_what_is_no_package_fails_or_is_refused(client: TestClient, content: bytes) -> None:
    answer = client.post("/v1/verify", files={"file": ("a.zip", content, "application/zip")})
    assert answer.status_code < 500
    assert answer.status_code >= 400 or answer.json()["passed"] is False


def test_a_clip_comes_with_its_proof(client: TestClient) -> None:
    made = client.post("/v1/clips", json={"recording": "live-1", "from_ms": 23_000, "to_ms": 25_000})
    assert made.status_code == 201, made.text
    clip = made.json()
    assert set(clip["files"]) == {"view", "proof_clip", "proof"}
    for kind, file in clip["files"].items():
        got = client.get(file["download"])
        assert got.status_code == 200 and len(got.content) == file["bytes"], kind
        assert "attachment" in got.headers["content-disposition"]
    assert clip["proof_from_ms"] <= 23_000 and clip["proof_to_ms"] >= 25_000
    assert "/home/" not in made.text


def test_clips_and_packages_that_are_not_there_are_not_found(client: TestClient, case_id: str) -> None:
    assert client.get("/v1/clips/0123456789abcdef/view").status_code == 404
    assert client.get("/v1/clips/..%2f..%2fcatalog/view").status_code in (404, 422)
    assert client.get(f"/v1/cases/{case_id}/packages/none").status_code == 404
    assert client.get("/v1/cases/none").status_code == 404
    assert client.post("/v1/cases/none/packages", json={}).status_code == 404


def test_a_taken_id_and_a_foreign_span_are_refused(client: TestClient, case_id: str) -> None:
    assert client.post("/v1/cases", json={"id": case_id, "title": "again"}).status_code == 409
    beyond = {"recording": "live-1", "start_ms": 0, "end_ms": 10_000_000}
    assert client.post(f"/v1/cases/{case_id}/moments", json=beyond).status_code == 422
    assert client.post(f"/v1/cases/{case_id}/moments", json={**beyond, "recording": "none"}).status_code == 404
