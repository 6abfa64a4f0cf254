"""`/v1/search`: the fixed shape, the right second, and what is said where nothing was."""

import time

from fastapi.testclient import TestClient

FIELDS = {"recording", "part", "start_ms", "end_ms", "wall_start", "uncertainty_ms", "quote", "product", "promise", "risk", "score", "why"}


def test_health_says_when_search_is_ready(client: TestClient) -> None:
    deadline = time.monotonic() + 30
    while not (told := client.get("/v1/health").json())["ready"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert told["status"] == "ok" and told["recordings"] == 2


def test_a_promise_is_found_with_its_words_and_its_second(client: TestClient) -> None:
    answer = client.get("/v1/search", params={"q": "主播有没有说假一赔十", "recording": "live-1"}).json()
    assert answer["found"] is True
    best = answer["moments"][0]
    assert set(best) >= FIELDS
    assert "假一赔十" in best["quote"] and best["start_ms"] <= 23_000 < best["end_ms"]
    assert best["part"] in (1, 2) and best["wall_start"].startswith("2026-11-18T12:00:")
    assert best["product"]["product_id"] == "p2"
    assert best["promise"]["category"] == "compensation"


def test_what_was_never_said_is_answered_with_coverage(client: TestClient) -> None:
    answer = client.get("/v1/search", params={"q": "终身免费清洗保养吗", "recording": "live-1"}).json()
    assert answer["found"] is False
    coverage = answer["coverage"]
    assert coverage["recordings"] == 1 and coverage["transcribed_ms"] > 0 and coverage["missing_ms"] > 0
    assert coverage["held_ms"] < coverage["duration_ms"]


def test_filters_narrow_the_answer(client: TestClient) -> None:
    hosts = client.get("/v1/search", params={"q": "假一赔十", "host": "阿哲"}).json()
    assert {moment["recording"] for moment in hosts["moments"]} == {"words-1"}
    early = client.get("/v1/search", params={"q": "假一赔十", "until": "2026-11-01T00:00:00+08:00"}).json()
    assert early["found"] is False and early["coverage"]["recordings"] == 0


def test_at_most_so_many_moments_come_back(client: TestClient) -> None:
    assert len(client.get("/v1/search", params={"q": "围巾", "limit": 1}).json()["moments"]) == 1


def test_viewers_words_beside_a_moment_are_masked(client: TestClient) -> None:
    answer = client.get("/v1/search", params={"q": "手镯假一赔十", "recording": "words-1"})
    assert "13812345678" not in answer.text and "青柠七七" not in answer.text
