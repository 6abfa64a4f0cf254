"""A host who is written down in traditional script: the words stay as they are, and a simplified line to read stands beside them."""

import json
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from ingest.admission import IngestRequest
from search.settings import SearchSettings
from tests.api.conftest import NOW, hold, srt
from tests.api.spoken_commands import commands_at

LINES = [(1000, 4000, "這條圍巾是純羊絨的"), (5000, 8000, "七天無理由退貨"), (9000, 12_000, "大家晚上好"), (13_000, 16_000, "東京の図書館")]


@pytest.fixture(scope="module")
def abroad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp("abroad")
    opened = open_workplace(ArchiveSettings(home=folder / "home", free_space_margin_bytes=0, actor="tester"), lambda: NOW)
    opened.search_settings = SearchSettings(embedding_model="none")
    (folder / "captions.srt").write_text(srt(LINES), "utf-8")
    hold(opened, IngestRequest(recording_id="taipei-1", captions=folder / "captions.srt", host="阿雅"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(abroad: Workplace) -> Iterator[TestClient]:
    with TestClient(create_app(abroad), base_url="http://127.0.0.1") as talking:
        yield talking


@pytest.fixture
def command_line(abroad: Workplace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    with commands_at(abroad.archive.home, monkeypatch) as run:
        yield run


def test_an_answer_quotes_the_words_as_written_and_reads_them_beside(client: TestClient) -> None:
    best = client.get("/v1/search", params={"q": "说是纯羊绒吗"}).json()["moments"][0]
    assert "這條圍巾是純羊絨的" in best["quote"]
    assert "这条围巾是纯羊绒的" in best["quote_simplified"]
    assert len(best["quote"]) == len(best["quote_simplified"])


def test_a_transcript_over_http_reads_only_what_is_in_traditional_script(client: TestClient) -> None:
    said = client.get("/v1/recordings/taipei-1/transcript").json()["segments"]
    assert [segment["text"] for segment in said] == [text for _, _, text in LINES]
    assert [segment.get("text_simplified") for segment in said] == ["这条围巾是纯羊绒的", "七天无理由退货", None, None]


def test_the_page_marks_the_words_as_written_and_labels_the_line_to_read(client: TestClient) -> None:
    for language, label in (("zh", "仅供阅读"), ("en", "to read only")):
        page = client.get("/moments", params={"q": "七天无理由退货", "lang": language}, headers={"accept-language": language}).text
        client.cookies.clear()
        assert "<mark>七天無理由退貨</mark>" in page
        assert 'class="reading"' in page and "七天无理由退货" in page and label in page


def test_the_command_line_shows_both(command_line: Callable[..., str]) -> None:
    shown = command_line("zh", "transcript", "show", "taipei-1")
    assert "純羊絨" in shown and "简体（仅供阅读，以原文为准）：这条围巾是纯羊绒的" in shown
    asked = json.loads(command_line("en", "transcript", "show", "taipei-1", "--json"))
    assert [segment.get("text_simplified") for segment in asked["segments"]] == ["这条围巾是纯羊绒的", "七天无理由退货", None, None]
    found = command_line("en", "search", "纯羊绒")
    assert "「這條圍巾是純羊絨的" in found and "In simplified script, to read only: 这条围巾是纯羊绒的" in found
