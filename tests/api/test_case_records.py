"""Papers and calls of a case, from the file to the answer: attached, read as a durable job, searched within the case and nowhere else."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api import operations
from api.app import create_app
from api.case_search import search_case
from api.cli import app
from api.messages import MESSAGES
from api.processing import unprocessed
from api.purging import forget_purged, purge
from api.record_words import note_words
from api.workplace import Workplace, open_workplace
from archive.settings import archive_settings
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment
from archive.verification import verify_archive
from tests.transcribe import written_papers as papers

IM = (
    "发送时间,发送人,角色,消息内容,订单号,是否撤回\n"
    "2026-11-18 20:01:40,暖岚客服,客服,亲 质保三年的 电话13812345678,D1,\n"
    "2026-11-18 20:01:05,爱吃瓜的小李,买家,质保几年啊,D1,\n"
    "2026-11-18 20:02:00,暖岚客服,客服,支持分期付款,D1,是\n"
)
SPEECH = Path(__file__).parents[1] / "assets" / "speech.flac"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, value in {
        "HOME": str(tmp_path / "home"),
        "EMBEDDING_MODEL": "none",
        "WHISPER_MODEL": "demo-whisper",
        "WHISPER_BEAM": "1",
        "OCR_THREADS": "1",
        "INTERFACE_LANGUAGE": "en",
        "FREE_SPACE_MARGIN_BYTES": "0",
    }.items():
        monkeypatch.setenv(f"LIVEPROOF_{name}", value)
    archive_settings.cache_clear()
    yield tmp_path / "home"
    archive_settings.cache_clear()
    structlog.reset_defaults()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "papers"
    made.mkdir()
    return made


def run(*arguments: str, expect: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == expect, done.output
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


def case() -> str:
    order = {"order_id": "D1", "buyer": "爱吃瓜的小李"}
    place = open_workplace()
    opened = place.archive.cases.open("case-1", "质保", "说好三年", "tester", order=order)
    place.close()
    return opened.id


def attach(folder: Path, name: str, content: bytes, kind: str, *more: str) -> dict[str, Any]:
    (folder / name).write_bytes(content)
    return run("case", "attach", "case-1", str(folder / name), "--kind", kind, *more)


def test_papers_are_read_and_searched_within_their_case_and_nowhere_else(home: Path, folder: Path) -> None:
    case()
    contract = attach(folder, "合同.pdf", papers.pdf_bytes(papers.CONTRACT), "document", "--title", "质保协议")
    assert contract["reading"]["read"] == {"pages": 1, "ocr_pages": [], "pieces": 3, "characters": 44}
    attach(folder, "照片.png", papers.picture_bytes(("吊牌：质保三年",), size=(500, 150)), "photo")
    log = attach(folder, "千牛.csv", IM.encode("gbk"), "im_log")
    assert (log["reading"]["format"], log["reading"]["read"]["messages"]) == ("im", 3)
    attach(folder, "问AI.json", papers.talk_bytes(), "assistant")

    found = run("search", "有没有说质保三年", "--case", "case-1")
    assert (found["found"], found["moments"], found["coverage"]["recordings"], found["unread"]) == (False, [], 0, [])
    hits = {hit["what"]: hit for hit in reversed(found["papers"])}
    assert set(hits) == {"document", "image", "im", "assistant"}
    assert (hits["document"]["quote"], hits["document"]["places"]) == (papers.CONTRACT[1], [{"page": 1, "line": 2}])
    assert hits["image"]["quote"] == "吊牌：质保三年" and len(hits["image"]["places"][0]["box"]) == 4
    assert hits["assistant"]["places"][0]["speaker"] == "assistant"
    assert hits["im"]["places"] == [{"message": 1, "role": "agent", "at": "2026-11-18T12:01:40.000Z", "order": "D1"}]
    assert "13812345678" not in json.dumps(found) and "已隐去" in hits["im"]["quote"], "masked as chat is"
    assert "爱吃瓜的小李" not in json.dumps(found, ensure_ascii=False)

    told = said("search", "有没有说质保三年", "--case", "case-1")
    assert "合同.pdf p. 1 · document" in told and "no evidence of what a host said" in told
    assert "千牛.csv 2026-11-18T12:01:40.000Z agent · IM log" in told
    recalled = run("search", "分期付款", "--case", "case-1")["papers"][0]
    assert recalled["places"][0]["recalled"] is True

    ordinary = run("search", "有没有说质保三年")
    assert (ordinary["found"], ordinary["moments"], ordinary["coverage"]["recordings"]) == (False, [], 0)
    shown = run("case", "show", "case-1")
    assert [paper["reading"]["format"] for paper in shown["attachments"]] == ["pdf", "picture", "im", "assistant"]
    lines = said("case", "show", "case-1")
    assert "1 pages, 44 characters" in lines and "1 pictures, 7 characters, by OCR" in lines and "3 messages" in lines
    assert run("verify", "--archive")["passed"] is True


def test_a_withdrawn_paper_is_found_no_longer_and_a_second_reading_is_a_further_version(home: Path, folder: Path) -> None:
    case()
    attach(folder, "a.txt", "质保三年".encode(), "document")
    attach(folder, "b.txt", "质保三年整".encode(), "document")
    again = run("case", "read", "case-1", "2")
    assert again["readings"]["2"]["version"] == 2
    assert len(run("search", "质保三年", "--case", "case-1")["papers"]) == 2
    run("case", "withdraw", "case-1", "1", "--reason", "传错了")
    assert [hit["attachment"] for hit in run("search", "质保三年", "--case", "case-1")["papers"]] == [2]
    assert run("case", "read", "case-1", "1", expect=55)["error"]["kind"] == "InvalidCase"
    assert run("case", "read", "case-1", "9", expect=4)["error"]["kind"] == "NotFound"
    assert run("verify", "--archive")["passed"] is True


def test_what_was_attached_without_reading_is_told_and_done_by_work_as_is_a_lost_index(home: Path, folder: Path) -> None:
    case()
    attach(folder, "a.txt", "质保三年".encode(), "document", "--no-read")
    assert "not read yet" in said("case", "show", "case-1")
    assert run("search", "质保三年", "--case", "case-1")["unread"] == [1]
    assert "attachments 1 are not read" in said("search", "质保三年", "--case", "case-1")
    run("work")
    assert run("search", "质保三年", "--case", "case-1")["papers"][0]["quote"] == "质保三年"
    shutil.rmtree(home / "index")
    run("work")
    found = run("search", "质保三年", "--case", "case-1")
    assert found["papers"][0]["quote"] == "质保三年"
    assert run("case", "show", "case-1")["attachments"][0]["reading"]["version"] == 1, "indexed again, not read again"


def test_a_reading_that_was_killed_goes_on_and_gives_one_version(home: Path, folder: Path) -> None:
    case()
    (folder / "扫描.pdf").write_bytes(papers.scanned_pdf_bytes(("质保三年",)))
    command = [sys.executable, "-m", "api.cli", "case", "attach", "case-1", str(folder / "扫描.pdf"), "--kind", "document"]
    place = open_workplace()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as reading:
        until = time.monotonic() + 60
        while not place.archive.cases.case("case-1").attachments and time.monotonic() < until:
            time.sleep(0.02)
        reading.kill()
    assert place.archive.records.newest_versions() == {("case-1", 1): 0}, "it was killed before it had read"
    place.close()
    run("work")
    run("work")
    place = open_workplace()
    assert place.archive.records.newest_versions() == place.index.records() == {("case-1", 1): 1}
    reading_held = place.archive.records.latest("case-1", 1)
    assert reading_held and [piece.text for piece in reading_held.pieces] == ["质保三年"]
    assert [entry.action for entry in place.archive.custody.entries(["case-1"])].count("record.read") == 1
    place.close()


def test_a_damaged_paper_stays_attached_and_says_what_is_wrong_with_it(home: Path, folder: Path) -> None:
    case()
    broken = attach(folder, "坏.pdf", papers.pdf_bytes(papers.CONTRACT)[:200], "document")
    assert broken["reading"]["notes"] == [{"code": "damaged", "what": "pdf"}]
    attach(folder, "别的.csv", "列甲,列乙\n1,2\n3,4\n".encode(), "im_log")
    told = said("case", "show", "case-1")
    assert "no text was read, it is damaged" in told and "no known layout of IM logs" in told
    assert "/objects/" not in told


def test_a_call_is_heard_as_a_recording_and_met_only_within_its_case(home: Path, folder: Path) -> None:
    case()
    shutil.copy(SPEECH, folder / "通话.flac")
    began = ("--started-at", "2026-11-19T10:00:00+08:00")
    call = run("case", "attach", "case-1", str(folder / "通话.flac"), "--kind", "call", *began, "--no-read")
    assert (call["kind"], call["given_as"]) == ("call", "withheld") and call["recording"]
    assert run("search", "七天无理由退货", "--case", "case-1")["unread"] == [1]
    place = open_workplace()
    assert place.archive.catalog.recording(call["recording"]).parts[0].file_name == "call.flac", "people name calls after people"
    assert call["recording"] in unprocessed(place), "liveproof work hears it like a stream"
    heard = Segment(1, 1, 8556, 11351, "我们承诺七天无理由退货")
    place.archive.transcripts.add(call["recording"], Provenance("human", "", "", None, {}, WallTime.now()), [heard], [], [], "tester")
    operations.index(place, call["recording"])
    place.close()
    found = run("search", "七天无理由退货", "--case", "case-1")
    assert found["calls"]["coverage"]["recordings"] == 1 and found["found"] is False and found["unread"] == []
    (moment,) = found["calls"]["moments"]
    assert (moment["what"], moment["quote"], moment["wall_start"]) == ("call", heard.text, "2026-11-19T02:00:08.556Z")
    assert found["calls"]["found"] is True and "in calls:" in said("search", "七天无理由退货", "--case", "case-1")
    ordinary = run("search", "七天无理由退货")
    assert (ordinary["moments"], ordinary["coverage"]["recordings"], ordinary["coverage"]["unsearched"]) == ([], 0, [])
    assert run("search", "退货", "--recording", call["recording"], expect=62)["error"]["kind"] == "CallAsked"
    assert f"heard as recording {call['recording']}" in said("case", "show", "case-1")
    run("case", "withdraw", "case-1", "1", "--reason", "不相干")
    assert run("search", "七天无理由退货", "--case", "case-1")["calls"]["coverage"]["recordings"] == 0
    assert run("verify", "--archive")["passed"] is True


def test_the_same_bytes_held_as_a_live_session_are_no_call(home: Path, folder: Path) -> None:
    case()
    run("ingest", str(SPEECH), "--no-process")
    refused = run("case", "attach", "case-1", str(SPEECH), "--kind", "call", expect=5)
    assert "liveproof case add" in refused["error"]["message"]
    assert run("case", "show", "case-1")["attachments"] == []


def test_a_case_is_asked_as_a_whole(home: Path) -> None:
    case()
    assert run("search", "质保", "--case", "case-1", "--host", "小岚", expect=2)["error"]["kind"] == "InvalidRequest"
    assert run("search", "质保", "--case", "none", expect=4)["error"]["kind"] == "NotFound"


def test_a_purged_case_is_forgotten_by_search_and_by_the_jobs(home: Path, folder: Path) -> None:
    case()
    attach(folder, "a.txt", "质保三年".encode(), "document")
    place = open_workplace(clock=lambda: WallTime.now().plus_ms(40 * 365 * 86_400_000))
    assert place.index.records() == {("case-1", 1): 1}
    plan = place.archive.retention.plan_purge()
    purge(place, plan.digest, "tester", "保存期满")
    assert place.index.records() == {}
    assert forget_purged(place) == 0
    assert verify_archive(place.archive).passed
    place.close()


@pytest.fixture
def served(home: Path) -> Iterator[tuple[TestClient, Workplace]]:
    place = open_workplace()
    with TestClient(create_app(place), base_url="http://127.0.0.1") as client:
        yield client, place
    place.close()


def test_over_http_papers_and_calls_are_attached_and_the_case_is_searched(served: tuple[TestClient, Workplace]) -> None:
    client, place = served
    place.archive.cases.open("case-1", "质保", "说好三年", "tester")
    sent = client.post("/v1/cases/case-1/attachments", files={"file": ("a.txt", "质保三年".encode())}, data={"kind": "document"})
    assert (sent.status_code, sent.json()["processing"]) == (201, {"job": None, "left_to": "liveproof work"})
    assert client.get("/v1/cases/case-1/attachments/1/reading").status_code == 404
    call = client.post("/v1/cases/case-1/attachments", files={"file": ("../通话.flac", SPEECH.read_bytes())}, data={"kind": "call"})
    assert (call.status_code, call.json()["file"]) == (201, "通话.flac")
    assert place.archive.catalog.recording(call.json()["recording"]).kind == "call"
    assert not list((place.archive.home / "scratch").glob("call-*"))
    answer = client.get("/v1/search", params={"q": "质保三年", "case": "case-1"}).json()
    assert (answer["papers"], answer["unread"]) == ([], [1, 2])

    from api.processing import open_jobs
    from api.record_reading import read_or_index

    with open_jobs(place) as jobs:
        jobs.wait(read_or_index(jobs, "case-1", 1))
        assert jobs.wait(read_or_index(jobs, "case-1", 1)) == "1 pieces"
    reading = client.get("/v1/cases/case-1/attachments/1/reading").json()
    assert (reading["version"], reading["read"]["characters"]) == (1, 4)
    assert client.get("/v1/cases/case-1").json()["attachments"][0]["reading"] == reading
    hit = client.get("/v1/search", params={"q": "质保三年", "case": "case-1"}).json()["papers"][0]
    assert (hit["quote"], hit["what"], hit["answers"]) == ("质保三年", "document", True)
    assert client.get("/v1/search", params={"q": "质保", "case": "case-1", "host": "x"}).status_code == 422
    assert client.get("/v1/search", params={"q": "质保", "recording": call.json()["recording"]}).status_code == 422
    gone = client.post("/v1/cases/case-1/attachments/1/withdrawal", json={"reason": "传错了"})
    assert gone.status_code == 200
    assert client.get("/v1/search", params={"q": "质保三年", "case": "case-1"}).json()["papers"] == []


def test_a_person_named_by_the_order_is_masked_in_hits_of_papers(served: tuple[TestClient, Workplace]) -> None:
    _, place = served
    place.archive.cases.open("case-1", "质保", "x", "tester", order={"buyer": "王小明"})
    import io

    from api.record_reading import index_paper
    from archive.case_attachments import attach as attach_bytes
    from archive.case_record import RecordPiece

    attach_bytes(place.archive, "case-1", io.BytesIO(b"x"), "王小明的合同.txt", "document", "tester")
    made = Provenance("text", "1", "", None, {"format": "text"}, WallTime.now())
    place.archive.records.add("case-1", 1, made, (RecordPiece({"line": 1}, "王小明购买的围巾质保三年"),), (), "tester")
    index_paper(place, "case-1", 1)
    (hit,) = search_case(place, "质保三年", "case-1").papers
    assert "王小明" not in hit.quote + hit.title + hit.file_name and "观众-" in hit.quote
    assert not operations.search(place, "质保三年").found


def test_every_note_of_a_reading_has_its_words_in_both_languages() -> None:
    import re

    sources = [*Path("transcribe/record_text").glob("*.py"), Path("api/im_record.py")]
    written = "\n".join(path.read_text("utf-8") for path in sources)
    codes = set(re.findall(r'(?:note|Unreadable)\(\s*"(\w+)"', written)) | set(re.findall(r'"code": "(\w+)"', written))
    codes |= {"took_too_long", "reading_stopped", "encrypted", "damaged"}
    assert len(codes) > 20
    assert sorted(code for code in codes if f"record_note.{code}" not in MESSAGES) == []
    assert note_words({"code": "page_damaged", "page": 3}, "zh") == "第 3 页损坏"
    assert note_words({"code": "of another release"}, "en") == "of another release"
    assert note_words({"code": "page_damaged"}, "en") == "page_damaged"
