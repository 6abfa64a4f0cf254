"""`/v1/recordings`: what is held, said and written, and media by byte range."""

import pytest
from fastapi.testclient import TestClient

MEDIA = "/v1/recordings/live-1/parts/1/media"


def test_recordings_are_listed_with_what_is_known_of_them(client: TestClient) -> None:
    found = client.get("/v1/recordings").json()["recordings"]
    assert {one["recording"] for one in found} == {"live-1", "words-1"}
    live = next(one for one in found if one["recording"] == "live-1")
    assert (live["parts"], live["products"], live["segments"], live["media_held"]) == (2, 2, 7, True)
    assert live["gaps"][0]["start_ms"] == pytest.approx(16_000, abs=150)
    assert live["transcript"]["engine"] == "imported"


def test_a_session_of_captions_says_that_no_media_is_held(client: TestClient) -> None:
    held = client.get("/v1/recordings/words-1").json()
    assert held["media_held"] is False and held["parts"] == 0 and held["held_ms"] == 0


def test_the_transcript_of_a_span_tells_where_it_is_played(client: TestClient) -> None:
    said = client.get("/v1/recordings/live-1/transcript", params={"from_ms": 23_500, "to_ms": 24_000}).json()
    assert [segment["text"] for segment in said["segments"]] == ["二号链接的手镯假一赔十支持鉴定"]
    assert (said["segments"][0]["part"], said["segments"][0]["part_ms"]) == (2, 3000)
    assert said["segments"][0]["wall_start"] == "2026-11-18T12:00:23.000Z"
    assert said["more"] is False


def test_a_long_transcript_is_cut_and_says_so(client: TestClient) -> None:
    said = client.get("/v1/recordings/live-1/transcript", params={"limit": 2}).json()
    assert len(said["segments"]) == 2 and said["more"] is True


def test_viewers_leave_only_as_pseudonyms(client: TestClient) -> None:
    answer = client.get("/v1/recordings/words-1/chat")
    first, second, third = answer.json()["messages"]
    assert first["author"] == second["author"] != third["author"]
    assert "青柠七七" not in answer.text and "老张" not in answer.text and "13812345678" not in answer.text
    assert first["author"] in third["text"]


def test_coverage_draws_parts_and_gap_and_words(client: TestClient) -> None:
    lanes = client.get("/v1/recordings/live-1/coverage").json()
    assert len(lanes["recorded"]) == 2 and len(lanes["gaps"]) == 1
    assert lanes["written"][0] == [1000, 3000]


def test_products_come_with_what_was_on_air(client: TestClient) -> None:
    shelf = client.get("/v1/recordings/live-1/products").json()
    assert [product["product_id"] for product in shelf["products"]] == ["p1", "p2"]
    assert shelf["events"][0] == {
        "event": "explain_start",
        "product_id": "p1",
        "at_ms": 4000,
        "source": shelf["events"][0]["source"],
        "inferred": False,
    }


def test_media_comes_whole_and_by_range(client: TestClient) -> None:
    whole = client.get(MEDIA)
    assert whole.status_code == 200 and whole.headers["content-type"] == "video/mp4" and whole.headers["accept-ranges"] == "bytes"
    size = len(whole.content)
    assert int(whole.headers["content-length"]) == size and whole.content[4:8] == b"ftyp"
    piece = client.get(MEDIA, headers={"range": "bytes=100-199"})
    assert piece.status_code == 206 and piece.content == whole.content[100:200]
    assert piece.headers["content-range"] == f"bytes 100-199/{size}"
    tail = client.get(MEDIA, headers={"range": "bytes=-50"})
    assert tail.status_code == 206 and tail.content == whole.content[-50:]
    rest = client.get(MEDIA, headers={"range": f"bytes={size - 10}-"})
    assert rest.content == whole.content[-10:] and rest.headers["content-range"] == f"bytes {size - 10}-{size - 1}/{size}"
    longer = client.get(MEDIA, headers={"range": f"bytes={size - 10}-{size + 1000}"})
    assert longer.status_code == 206 and longer.content == whole.content[-10:]


def test_a_range_past_the_end_is_refused_with_the_size(client: TestClient) -> None:
    size = len(client.get(MEDIA).content)
    for wanted in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0"):
        refused = client.get(MEDIA, headers={"range": wanted})
        assert refused.status_code == 416 and refused.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize("header", ["bytes=9-5", "bytes=a-b", "lines=1-2", "bytes=", "bytes=0-1,5-9", "bytes=-", "\t;"])
def test_a_range_that_makes_no_sense_gives_the_whole_file(client: TestClient, header: str) -> None:
    assert client.get(MEDIA, headers={"range": header}).status_code == 200


def test_head_tells_the_size_without_the_bytes(client: TestClient) -> None:
    head = client.head(MEDIA)
    assert head.status_code == 200 and head.content == b""
    assert int(head.headers["content-length"]) == len(client.get(MEDIA).content)


def test_a_known_file_is_not_sent_again_and_a_stale_if_range_sends_all(client: TestClient) -> None:
    tag = client.head(MEDIA).headers["etag"]
    assert client.get(MEDIA, headers={"if-none-match": tag}).status_code == 304
    assert client.get(MEDIA, headers={"range": "bytes=0-9", "if-range": tag}).status_code == 206
    assert client.get(MEDIA, headers={"range": "bytes=0-9", "if-range": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v1/recordings/none",
        "/v1/recordings/none/transcript",
        "/v1/recordings/none/chat",
        "/v1/recordings/none/coverage",
        "/v1/recordings/live-1/parts/9/media",
        "/v1/recordings/words-1/parts/1/media",
        "/v1/recordings/live-1/transcript?version=7",
        "/v1/recordings/%00",
        "/v1/nothing",
    ],
)
def test_what_is_not_there_is_a_problem_that_says_what_to_do(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code and told["detail"] and told["mend"] and told["title"]
