"""What stood on the screen is read after the words can be searched, stands beside answers, and is shown on request."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import operations
from api.app import create_app
from api.commands.screen_text import _reading
from api.processing import open_jobs, process_or_index, unprocessed
from api.screen_reading import read_screen, unread
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.verification import verify_archive
from ingest.admission import IngestRequest
from search.settings import SearchSettings
from tests.transcribe.drawn_screens import Shown, Written, character_errors, film

NOW = WallTime.parse("2026-11-20T10:00:00+08:00")
CARDS = (
    Shown(Written("1号链接 山羊绒围巾", 40, 40), 0, 9000),
    Shown(Written("2号链接 和田玉手镯", 40, 40), 9000, 20_000),
    Shown(Written("客服电话13812345678", 40, 300, 22), 0, 20_000),
)
SHELF = [
    {"product_id": "p1", "shelf_no": "1号链接", "title": "山羊绒围巾", "price_minor": 29900, "currency": "CNY", "listing_text": ""},
    {"product_id": "p2", "shelf_no": "2号链接", "title": "和田玉手镯", "price_minor": 199900, "currency": "CNY", "listing_text": ""},
]
SRT = "1\n00:00:03,000 --> 00:00:06,000\n这个质保三年大家放心\n\n2\n00:00:13,000 --> 00:00:16,000\n这个支持鉴定假一赔十\n"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp("screen")
    opened = open_workplace(ArchiveSettings(home=folder / "home", free_space_margin_bytes=0, actor="tester"), lambda: NOW)
    opened.search_settings = SearchSettings(embedding_model="none")
    opened.transcribe_settings = opened.transcribe_settings.model_copy(update={"screen_text": True, "ocr_threads": 1})
    (folder / "captions.srt").write_text(SRT, "utf-8")
    (folder / "products.json").write_text(json.dumps(SHELF, ensure_ascii=False), "utf-8")
    media = film(folder / "a.mp4", 20_000, CARDS)
    request = IngestRequest(media=(media,), recording_id="r1", captions=folder / "captions.srt", products=folder / "products.json")
    operations.ingest(opened, request, "tester")
    with open_jobs(opened) as jobs:
        jobs.wait(process_or_index(jobs, "r1"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(workplace: Workplace) -> Iterator[TestClient]:
    with TestClient(create_app(workplace), base_url="http://127.0.0.1") as talking:
        yield talking


def test_the_job_reads_the_screen_once_and_the_archive_verifies(workplace: Workplace) -> None:
    assert workplace.archive.screens.versions("r1") == {1: 1}
    assert unprocessed(workplace) == []
    assert verify_archive(workplace.archive, only=("screens", "claims", "custody")).passed
    with open_jobs(workplace) as jobs:
        jobs.wait(process_or_index(jobs, "r1"))
    assert workplace.archive.screens.versions("r1") == {1: 1}


def test_an_answer_shows_what_stood_on_the_screen_and_takes_the_product_from_it(workplace: Workplace) -> None:
    found = operations.search(workplace, "假一赔十", recording="r1", limit=1).moments[0]
    assert found.product and (found.product.product_id, found.product.how) == ("p2", "inferred")
    assert any(character_errors("2号链接 和田玉手镯", line.text) <= 1 for line in found.screen)
    assert not any("围巾" in line.text for line in found.screen)


def test_lines_come_over_http_with_boxes_and_without_personal_data(client: TestClient) -> None:
    told = client.get("/v1/recordings/r1/screen-text").json()
    assert told["readings"][0]["engine"] == "rapidocr" and told["readings"][0]["frames"] > 5 and told["more"] is False
    assert [(line["part"], len(line["box"])) for line in told["texts"]] == [(1, 4)] * 3
    assert "13812345678" not in json.dumps(told)
    early = client.get("/v1/recordings/r1/screen-text", params={"to_ms": 5000}).json()["texts"]
    assert not any("手镯" in line["text"] for line in early) and any("围巾" in line["text"] for line in early)
    assert client.get("/v1/recordings/nobody/screen-text").status_code == 404
    asked = client.get("/v1/search", params={"q": "假一赔十", "recording": "r1"}).json()
    assert any("手镯" in line["text"] and len(line["box"]) == 4 for line in asked["moments"][0]["screen"])


@pytest.mark.parametrize(("language", "words"), [("zh", "当时画面上的文字"), ("en", "On the screen then")])
def test_the_page_lists_it_beside_the_moment(client: TestClient, language: str, words: str) -> None:
    page = client.get("/", params={"q": "假一赔十", "recording": "r1", "lang": language}).text
    assert words in page and "手镯" in page


def test_reading_again_is_a_further_version_and_what_is_off_or_live_is_left(workplace: Workplace) -> None:
    read_screen(workplace, "r1", "tester")
    assert workplace.archive.screens.versions("r1") == {1: 2}
    first, second = (workplace.archive.screens.version("r1", 1, version).texts for version in (1, 2))
    assert first == second


def test_the_command_reads_now_and_shows_lines(workplace: Workplace, tmp_path: Path) -> None:
    from tests.api.test_cli import liveproof

    settings = {"LIVEPROOF_FREE_SPACE_MARGIN_BYTES": "0", "LIVEPROOF_SCREEN_TEXT": "off"}
    shown = liveproof(workplace.archive.home, "screen-text", "r1", "--from", "0:11", "--to", "0:15", **settings).stdout
    assert "和田玉手镯" in shown and "围巾" not in shown and "part 1: 3 lines" in shown
    again = json.loads(liveproof(workplace.archive.home, "screen-text", "r1", "--read", "--json", **settings).stdout)
    assert again["readings"][0]["version"] >= 2 and len(again["texts"]) == 3


def test_a_part_whose_time_stamps_jump_is_left_unread_and_the_command_says_so(workplace: Workplace, tmp_path: Path) -> None:
    from tests.api.test_cli import liveproof

    half, twice = tmp_path / "half.ts", tmp_path / "twice.ts"
    subprocess.run(["ffmpeg", "-v", "error", "-i", film(tmp_path / "a.mp4", 8000, CARDS), "-c", "copy", half], check=True, timeout=60)
    twice.write_bytes(half.read_bytes() * 2)
    (tmp_path / "captions.srt").write_text(SRT, "utf-8")
    held = operations.ingest(workplace, IngestRequest(media=(twice,), recording_id="jumps", captions=tmp_path / "captions.srt"), "tester")
    assert [part.times_joined for part in held.recording.parts] == [True]
    assert not unread(workplace, "jumps")
    shown = liveproof(workplace.archive.home, "screen-text", "jumps", "--read", LIVEPROOF_FREE_SPACE_MARGIN_BYTES="0").stdout
    assert "part 1 was not read: its time stamps jump" in shown


def test_what_was_left_out_is_counted_by_name(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As the demo session's screen was told on a terminal."""
    monkeypatch.setenv("LIVEPROOF_INTERFACE_LANGUAGE", "en")
    left_out = {"moving": 1, "passing": 21, "counting": 2, "over_limit": 3}
    told = {"part": 1, "frames": 97, "lines": 39, "version": 1, "engine": "rapidocr", "engine_version": "3", "parameters": {}}
    _reading({**told, "parameters": {"notes": {"left_out": left_out}}})
    assert "left out: moving text 1 · passing text 21 · counters 2 · beyond the limit 3" in " ".join(capsys.readouterr().out.split())
