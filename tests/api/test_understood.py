"""What was understood of a question is part of its answer, over HTTP, on the command line and on the page; options filter."""

import pytest
from fastapi.testclient import TestClient

from api import operations
from api.asked_orders import order_in
from api.case_search import search_case
from api.printing import console, print_answer
from api.workplace import Workplace
from archive.timeline import WallTime


def test_product_host_time_and_what_is_looked_for_are_told(client: TestClient) -> None:
    told = client.get("/v1/search", params={"q": "小岚18号晚上八点那场说2号链接假一赔十"}).json()["understood"]
    assert [(each["product_id"], each["how"]) for each in told["products"]] == [("p2", "shelf_no")]
    assert told["host"] == {"name": "小岚", "words": "小岚", "how": "name", "applied": True}
    assert told["time"]["role"] == "session" and told["time"]["sessions"] == ["live-1"] and told["time"]["applied"]
    assert told["quantities"] == ["10 ×"] and "compensation" in told["categories"]


def test_a_time_without_a_session_is_told_and_everything_is_searched(client: TestClient) -> None:
    answer = client.get("/v1/search", params={"q": "1月3号那场说手镯假一赔十"}).json()
    assert answer["found"] and answer["understood"]["time"] == {
        **answer["understood"]["time"],
        "sessions": [],
        "applied": False,
    }


def test_the_askers_phone_and_order_are_not_in_what_is_told(client: TestClient) -> None:
    told = client.get("/v1/search", params={"q": "手镯假一赔十,电话13812345678,订单号D2026111800099"}).text
    assert "13812345678" not in told and "D2026111800099" not in told


def test_ordered_at_leaves_the_session_before_the_order(client: TestClient) -> None:
    after = client.get("/v1/search", params={"q": "假一赔十", "ordered_at": "2026-11-18T20:00:30+08:00"}).json()
    assert after["found"] and {moment["recording"] for moment in after["moments"]} == {"live-1"}
    before = client.get("/v1/search", params={"q": "假一赔十", "ordered_at": "2026-11-18T19:00:00+08:00"}).json()
    assert not before["found"] and before["coverage"]["recordings"] == 0
    assert before["understood"]["time"]["given"]


def test_a_category_is_named_in_either_language_or_refused_with_the_list(client: TestClient) -> None:
    for category in ("compensation", "赔付", "Compensation"):
        assert client.get("/v1/search", params={"q": "假一赔十", "category": category}).json()["found"]
    refused = client.get("/v1/search", params={"q": "假一赔十", "category": "luck"})
    assert refused.status_code == 422 and "warranty (质保)" in refused.json()["detail"]


def test_platform_and_room_filter(client: TestClient) -> None:
    for name in ("platform", "room"):
        assert client.get("/v1/search", params={"q": "假一赔十", name: "nowhere"}).json()["coverage"]["recordings"] == 0


def test_a_case_is_searched_whole(client: TestClient) -> None:
    assert client.get("/v1/search", params={"q": "假一赔十", "case": "c", "category": "price"}).status_code == 422


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ("理解为", "商品", "按链接号", "假一赔十")), ("en", ("understood:", "product:", "looked for:"))]
)
def test_the_command_line_and_the_page_say_it_in_a_line(
    workplace: Workplace,
    client: TestClient,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    words: tuple[str, ...],
) -> None:
    from api.settings import api_settings

    monkeypatch.setenv("LIVEPROOF_INTERFACE_LANGUAGE", language)
    api_settings.cache_clear()
    try:
        print_answer(console(), "2号链接假一赔十", operations.search(workplace, "2号链接假一赔十"))
    finally:
        api_settings.cache_clear()
    printed = "".join(capsys.readouterr().out.split())
    assert all("".join(word.split()) in printed for word in words)
    page = client.get("/moments", params={"q": "2号链接假一赔十", "lang": language}).text
    assert all(word in page for word in words)


def test_the_order_of_a_case_tells_product_and_session(workplace: Workplace) -> None:
    order = {"order_id": "D20261118000777", "paid_at": "2026-11-18T20:00:20+08:00", "product_title": "和田玉手镯", "buyer": "张三"}
    workplace.archive.cases.open("ordered", "手镯", "假一赔十", "tester", order=order, product_id="p2")
    meant = order_in(workplace, "订单 D20261118000777 说好假一赔十")
    assert meant is not None and meant.product == "和田玉手镯"
    assert meant.made_at == WallTime.parse("2026-11-18T20:00:20+08:00")
    told = operations.search(workplace, "订单 D20261118000777 说好假一赔十").understood
    assert told is not None and told.time is not None and told.time.sessions == ("live-1",)
    within = search_case(workplace, "说好假一赔十", "ordered")
    assert within.on_air.found and {moment.recording for moment in within.on_air.moments} == {"live-1"}
