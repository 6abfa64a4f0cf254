"""Bad requests: problem+json with what is wrong and how to mend it, never a 5xx, never a traceback."""

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.workplace import Workplace


def refused(answer: object, status: int) -> dict[str, object]:
    assert answer.status_code == status, answer.text  # type: ignore[attr-defined]
    assert answer.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    told: dict[str, object] = answer.json()  # type: ignore[attr-defined]
    assert {"type", "title", "status", "detail", "mend", "instance"} <= set(told)
    assert "Traceback" not in str(told)
    return told


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "query.q"),
        ("q=", "query.q"),
        ("q=" + "长" * 1001, "query.q"),
        ("q=x&limit=0", "query.limit"),
        ("q=x&limit=many", "query.limit"),
        ("q=x&recording=" + "r" * 300, "query.recording"),
    ],
)
def test_a_search_with_a_wrong_field_names_it(client: TestClient, query: str, field: str) -> None:
    told = refused(client.get(f"/v1/search?{query}"), 422)
    assert field in str(told["detail"])
    assert told["fields"][0]["field"] == field  # type: ignore[index]


def test_times_that_cannot_be_read_or_lie_backwards_are_named(client: TestClient) -> None:
    assert "tomorrow" in str(refused(client.get("/v1/search", params={"q": "赔", "since": "tomorrow"}), 422)["detail"])
    backwards = {"q": "赔", "since": "2026-11-19T00:00:00+08:00", "until": "2026-11-18T00:00:00+08:00"}
    refused(client.get("/v1/search", params=backwards), 422)


def test_an_unknown_recording_in_a_search_is_not_found(client: TestClient) -> None:
    refused(client.get("/v1/search", params={"q": "假一赔十", "recording": "none"}), 404)


def test_a_question_of_nothing_but_white_space_is_refused(client: TestClient) -> None:
    refused(client.get("/v1/search", params={"q": "  \t "}), 422)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"recording": "live-1", "from_ms": 5, "to_ms": "soon"},
        {"recording": "live-1", "from_ms": -5, "to_ms": 10},
        {"recording": "live-1", "from_ms": 0, "to_ms": 10**30},
        {"recording": "live-1", "from_ms": 9000, "to_ms": 8000},
        {"recording": "live-1", "from_ms": 15_000, "to_ms": 22_000},
        {"recording": "live-1", "from_ms": 500_000, "to_ms": 501_000},
        {"recording": "live-1", "from_ms": 0, "to_ms": 10, "extra": 1},
        [1, 2],
        "text",
        None,
    ],
)
def test_a_clip_of_no_held_span_is_refused_and_leaves_nothing(client: TestClient, workplace: Workplace, body: object) -> None:
    before = sorted((workplace.archive.home / "exports").glob("*"))
    refused(client.post("/v1/clips", json=body), 422)
    assert sorted((workplace.archive.home / "exports").glob("*")) == before


def test_nothing_can_be_cut_from_captions(client: TestClient) -> None:
    refused(client.post("/v1/clips", json={"recording": "words-1", "from_ms": 0, "to_ms": 1000}), 409)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"", b"[" * 100_000, b'{"recording": "\\ud800", "from_ms": 0, "to_ms": 9}'])
def test_bodies_that_are_no_json_are_refused(client: TestClient, content: bytes) -> None:
    answer = client.post("/v1/clips", content=content, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
    refused(answer, answer.status_code)


def test_text_that_no_database_holds_is_refused(client: TestClient) -> None:
    for title in ("\x00", "\ud800"):
        answer = client.post(
            "/v1/cases", content=b'{"title": "a' + title.encode("unicode_escape") + b'"}', headers={"content-type": "application/json"}
        )
        refused(answer, 422)


def test_a_request_larger_than_allowed_is_refused(client: TestClient) -> None:
    refused(client.post("/v1/cases", json={"title": "a", "complaint": "长" * 2_000_000}), 413)


def test_a_wrong_method_and_an_unknown_place_are_problems(client: TestClient) -> None:
    told = client.delete("/v1/recordings")
    refused(told, 405)
    assert "GET" in told.headers["allow"]
    refused(client.get("/v2"), 404)
    refused(client.get("/static/../app.py"), 404)


def test_problems_speak_the_askers_language(client: TestClient) -> None:
    chinese = client.get("/v1/recordings/none", headers={"accept-language": "zh-CN"}).json()
    english = client.get("/v1/recordings/none", headers={"accept-language": "en"}).json()
    assert chinese["title"] == "没有找到" and english["title"] == "Not found"
    assert chinese["type"] == english["type"] == "urn:liveproof:problem:NotFound"


def test_every_answer_carries_safe_headers(client: TestClient) -> None:
    for path in ("/", "/v1/recordings", "/v1/recordings/none", "/static/page.js"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"


def test_a_name_that_is_not_this_servers_is_refused(client: TestClient) -> None:
    for host in ("evil.example", "evil.example:8700", "127.0.0.1.evil.example", "a@b", "[::1", ""):
        refused(client.get("/v1/recordings", headers={"host": host}), 421)
    for host in ("localhost:8700", "127.0.0.1:8700", "[::1]:8700", "192.168.1.7"):
        assert client.get("/v1/health", headers={"host": host}).status_code == 200


def test_a_page_of_another_site_changes_nothing(client: TestClient) -> None:
    before = len(client.get("/v1/cases").json()["cases"])
    refused(client.post("/v1/cases", json={"title": "forged"}, headers={"origin": "https://evil.example"}), 403)
    assert len(client.get("/v1/cases").json()["cases"]) == before


def test_a_fault_of_ours_is_a_problem_without_its_inside(workplace: Workplace) -> None:
    app = create_app(workplace)

    def broken() -> None:
        raise RuntimeError("secret inside")

    app.add_api_route("/v1/broken", broken)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as talking:
        told = refused(talking.get("/v1/broken"), 500)
    assert "secret inside" not in str(told)
