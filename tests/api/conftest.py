"""A small real archive over HTTP: two generated parts with a gap, captions as transcript, a shelf; and captions alone with chat."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.workplace import Workplace, open_workplace
from archive.programs import ffmpeg_program
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.transcript import Provenance
from ingest.admission import IngestRequest, admit
from search.indexing import index_recording
from search.settings import SearchSettings

NOW = WallTime.parse("2026-11-20T10:00:00+08:00")
LINES = [
    (1000, 3000, "大家晚上好欢迎来到直播间"),
    (4000, 7000, "先看一号链接这条围巾百分之百山羊绒"),
    (8000, 11000, "这条围巾七天无理由退货运费险我们出"),
    (12000, 14000, "喜欢的家人可以去拍"),
    (23000, 26000, "二号链接的手镯假一赔十支持鉴定"),
    (27000, 29000, "手镯四十八小时之内发货"),
    (30000, 33000, "今天的直播就到这里谢谢大家"),
]


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp("served")
    opened = open_workplace(ArchiveSettings(home=folder / "home", free_space_margin_bytes=0, actor="tester"), lambda: NOW)
    fill(opened, folder)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def client(workplace: Workplace) -> Iterator[TestClient]:
    with TestClient(create_app(workplace), base_url="http://127.0.0.1") as talking:
        yield talking


def fill(workplace: Workplace, folder: Path) -> None:
    """Admit, transcribe by captions and index, without a sentence model: session `live-1` with media, `words-1` without."""
    workplace.search_settings = SearchSettings(embedding_model="none")
    parts = [
        media(folder / "录制-7734200-20261118-200000-000-夜场.flv", 16),
        media(folder / "录制-7734200-20261118-200020-000-夜场.flv", 15),
    ]
    (folder / "captions.srt").write_text(srt(LINES), "utf-8")
    (folder / "products.json").write_text(json.dumps(SHELF, ensure_ascii=False), "utf-8")
    (folder / "events.json").write_text(json.dumps(EVENTS), "utf-8")
    (folder / "chat.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in CHAT), "utf-8")
    beside = {"captions": folder / "captions.srt", "products": folder / "products.json", "events": folder / "events.json"}
    started = WallTime.parse("2026-11-18T20:00:00+08:00")
    hold(workplace, IngestRequest(media=tuple(parts), recording_id="live-1", started_at=started, host="小岚", title="夜场", **beside))
    hold(workplace, IngestRequest(recording_id="words-1", captions=folder / "captions.srt", chat=(folder / "chat.jsonl",), host="阿哲"))


def hold(workplace: Workplace, request: IngestRequest) -> None:
    archive = workplace.archive
    admitted = admit(archive, request, "tester")
    recording, said = admitted.recording, admitted.captions
    assert said
    archive.transcripts.add(recording.id, Provenance("imported", "", "captions", None, {}, NOW), said, [], [], "tester")
    catalog, transcript = archive.catalog, archive.transcripts.latest(recording.id)
    assert transcript
    index_recording(
        workplace.index,
        recording,
        transcript.segments,
        catalog.products(recording.id),
        catalog.events(recording.id),
        catalog.messages(recording.id),
        None,
    )


def media(file: Path, seconds: int) -> Path:
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=160x90:rate=10:duration={seconds}"]
    sound = ["-f", "lavfi", "-i", f"sine=frequency=330:duration={seconds}"]
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac", "-shortest"]
    subprocess.run([ffmpeg_program(), "-v", "error", "-y", *picture, *sound, *coding, file], check=True, timeout=120)
    return file


def srt(lines: list[tuple[int, int, str]]) -> str:
    def stamp(ms: int) -> str:
        return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"

    return "\n".join(f"{n}\n{stamp(start)} --> {stamp(end)}\n{text}\n" for n, (start, end, text) in enumerate(lines, 1))


SHELF = [
    {
        "product_id": "p1",
        "shelf_no": "1号链接",
        "title": "山羊绒围巾",
        "price_minor": 29900,
        "currency": "CNY",
        "listing_text": "羊绒",
    },
    {"product_id": "p2", "shelf_no": "2号链接", "title": "和田玉手镯", "price_minor": 199900, "currency": "CNY", "listing_text": ""},
]
EVENTS = [
    {"event": "explain_start", "product_id": "p1", "at_ms": 4000},
    {"event": "explain_end", "product_id": "p1", "at_ms": 14500},
    {"event": "explain_start", "product_id": "p2", "at_ms": 22000},
    {"event": "explain_end", "product_id": "p2", "at_ms": 29500},
]
CHAT = [
    {"at_ms": 22000, "user": "青柠七七", "text": "手镯是真的吗 我电话13812345678"},
    {"at_ms": 25000, "user": "青柠七七", "text": "假一赔十吗"},
    {"at_ms": 26000, "user": "老张", "text": "@青柠七七 刚说了"},
]
