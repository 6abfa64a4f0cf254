"""The promise ledger over HTTP and on the command line."""

import json

import pytest
from fastapi.testclient import TestClient

from api.workplace import Workplace
from tests.api.spoken_commands import commands_at


def test_the_ledger_of_a_session_gives_each_promise_with_its_words_and_times(client: TestClient) -> None:
    told = client.get("/v1/promises", params={"recording": "live-1"}).json()
    found = {entry["category"]: entry for entry in told["entries"]}
    assert {"material", "return", "compensation", "shipping"} <= set(found)
    (said,) = found["compensation"]["statements"]
    assert said["quote"] == "二号链接的手镯假一赔十支持鉴定" and (said["start_ms"], said["end_ms"]) == (23_000, 26_000)
    assert found["compensation"]["quantity"] == "10 ×"
    assert found["compensation"]["product"]["title"] == "和田玉手镯"
    assert told["searched"]["recordings"] == 1 and not told["more"]


def test_a_category_narrows_the_ledger_and_an_unknown_one_is_told_with_those_there_are(client: TestClient) -> None:
    told = client.get("/v1/promises", params={"recording": "live-1", "category": "shipping"}).json()
    assert {entry["category"] for entry in told["entries"]} == {"shipping"}
    refused = client.get("/v1/promises", params={"recording": "live-1", "category": "shippping"})
    assert refused.status_code == 422 and "warranty (质保)" in refused.json()["detail"]
    assert refused.json()["type"] == client.get("/v1/search", params={"q": "发货", "category": "shippping"}).json()["type"]


@pytest.mark.parametrize("named", ["发货", "Shipping", " shipping "])
def test_a_category_of_the_ledger_is_named_in_either_language_as_that_of_a_search_is(client: TestClient, named: str) -> None:
    told = client.get("/v1/promises", params={"recording": "live-1", "category": named}).json()
    assert {entry["category"] for entry in told["entries"]} == {"shipping"}


@pytest.mark.parametrize(("asked", "status"), [({}, 422), ({"recording": "nowhere"}, 404), ({"recording": " "}, 422)])
def test_a_ledger_of_nothing_in_particular_or_of_what_is_not_held_is_refused(
    client: TestClient, asked: dict[str, str], status: int
) -> None:
    assert client.get("/v1/promises", params=asked).status_code == status


def test_an_unknown_product_has_an_empty_ledger_not_somebody_elses(client: TestClient) -> None:
    assert client.get("/v1/promises", params={"product": "no-such"}).json()["entries"] == []


def test_the_command_shows_promises_by_product_in_both_languages(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    with commands_at(workplace.archive.home, monkeypatch) as run:
        chinese = run("zh", "promises", "live-1")
        assert (
            "和田玉手镯" in chinese
            and "赔付 · 10 倍" in chinese
            and "「二号链接的手镯假一赔十支持鉴定」" in chinese
            and "0:00:23" in chinese
        )
        english = run("en", "promises", "live-1", "--category", "compensation")
        assert "Compensation · × 10" in english and "1 promises" in english
        by_name = json.loads(run("en", "promises", "手镯", "--json"))
        assert by_name["entries"] and {entry["product"]["product_id"] for entry in by_name["entries"]} == {"p2"}
        assert run("zh", "promises", "p1", "--taken-back").startswith("没有找到这样的承诺")
