"""An answer that only words in doubt give: over HTTP, on the page, at the command line, and in the case that rests on it all the same."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import cast

import pytest
from fastapi.testclient import TestClient
from rich.console import Console

from api import operations, printing
from api.app import create_app
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment
from ingest.admission import IngestRequest, admit
from search.settings import SearchSettings
from tests.api.conftest import srt

NOW = WallTime.parse("2026-11-20T10:00:00+08:00")
SAID = [
    (1000, 3000, "大家晚上好欢迎来到直播间", ()),
    (8000, 11000, "这条围巾七天无理由退货", ()),
    (20000, 23000, "手镯支持鉴定假一赔十", ("low_probability",)),
    (30000, 33000, "今天的直播就到这里", ("edited_by_hand",)),
]
HEARD_BY = Provenance("faster-whisper", "1", "tiny", "sha256:" + "ab" * 32, {}, NOW)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp("doubtful")
    opened = open_workplace(ArchiveSettings(home=folder / "home", free_space_margin_bytes=0, actor="tester"), lambda: NOW)
    opened.search_settings = SearchSettings(embedding_model="none")
    fill(opened, folder)
    yield opened
    opened.close()


def fill(workplace: Workplace, folder: Path) -> None:
    file = folder / "captions.srt"
    file.write_text(srt([(start, end, text) for start, end, text, _ in SAID]), "utf-8")
    admit(workplace.archive, IngestRequest(recording_id="words-1", captions=file, host="小岚", title="夜场"), "tester")
    said = [Segment(n, None, start, end, text, (), risk, 0.5) for n, (start, end, text, risk) in enumerate(SAID, 1)]
    workplace.archive.transcripts.add("words-1", HEARD_BY, said, [], [], "tester")
    operations.index(workplace, "words-1")


@pytest.fixture(scope="module")
def client(workplace: Workplace) -> Iterator[TestClient]:
    with TestClient(create_app(workplace), base_url="http://127.0.0.1") as talking:
        yield talking


def test_http_tells_doubtful_moments_apart_and_counts_them_where_asked(client: TestClient) -> None:
    answer = client.get("/v1/search", params={"q": "假一赔十"}).json()
    assert answer["found"] is False and not any("假一赔十" in moment["quote"] for moment in answer["moments"])
    perhaps = answer["doubtful"][0]
    assert "假一赔十" in perhaps["quote"] and (perhaps["doubtful"], perhaps["answers"]) == (True, False)
    assert perhaps["risk"] == ["low_probability"] and perhaps["promise"]["doubtful"] is True
    counted = client.get("/v1/search", params={"q": "假一赔十", "include_doubtful": "true"}).json()
    assert counted["found"] is True and counted["doubtful"] == []
    assert (counted["moments"][0]["doubtful"], counted["moments"][0]["answers"]) == (True, True)


def test_a_humans_words_are_not_counted_as_doubtful(client: TestClient) -> None:
    assert client.get("/v1/search", params={"q": "今天的直播就到这里"}).json()["found"] is True
    assert client.get("/v1/recordings/words-1/coverage").json()["doubtful"] == [[20_000, 23_000]]


@pytest.mark.parametrize(
    ("language", "verdict", "heading", "why"),
    [
        ("zh", "不能确定说过", "或许说过，请听原声", "听写把握低"),
        ("en", "Not surely said", "Perhaps said: listen", "the recogniser was unsure"),
    ],
)
def test_the_page_says_perhaps_and_why(client: TestClient, language: str, verdict: str, heading: str, why: str) -> None:
    page = client.get("/", params={"q": "假一赔十", "lang": language}).text
    assert verdict in page and heading in page and why in page
    assert page.index(heading) < page.index("假一赔十</mark>" if "假一赔十</mark>" in page else "<mark>假一赔十")
    counted = client.get("/moments", params={"q": "假一赔十", "lang": language, "doubtful": "1"}).text
    assert verdict not in counted and why in counted
    assert 'name="doubtful" value="1" checked' in client.get("/", params={"q": "假一赔十", "doubtful": "1"}).text


def test_the_page_says_nothing_of_doubts_where_there_are_none(client: TestClient) -> None:
    page = client.get("/moments", params={"q": "七天无理由退货", "lang": "zh"}).text
    assert "或许说过" not in page and "七天无理由" in page


def test_the_command_line_shows_it_under_its_own_heading(workplace: Workplace) -> None:
    console = Console(record=True, width=200, file=StringIO())
    printing.print_answer(console, "假一赔十", operations.search(workplace, "假一赔十"))
    shown = console.export_text()
    told = [printing.say("answer.unsure"), printing.say("answer.doubtful"), "假一赔十」", printing.say("risk.low_probability")]
    assert sorted(told, key=shown.index) == told


def test_a_search_within_a_case_tells_it_apart_too(workplace: Workplace, client: TestClient) -> None:
    case = client.post("/v1/cases", json={"title": "手镯", "complaint": "说好假一赔十"}).json()["case"]
    client.post(f"/v1/cases/{case}/moments", json={"recording": "words-1", "start_ms": 20_000, "end_ms": 23_000, "purpose": "承诺"})
    answer = client.get("/v1/search", params={"q": "假一赔十", "case": case}).json()
    assert answer["found"] is False and answer["doubtful"][0]["what"] == "on_air"
    assert client.get("/v1/search", params={"q": "假一赔十", "case": case, "include_doubtful": "true"}).json()["found"] is True
    assert cast(list[object], client.get(f"/v1/cases/{case}").json()["moments"])
