"""What a recogniser is told stands in the transcript's provenance, span by span; where it is told nothing, that stands there too."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from api import operations
from api.line_hearing import Asked, ask
from api.processing import open_jobs, process_or_index, transcribe_again
from api.settings import api_settings
from api.workplace import Workplace, open_workplace
from archive.evidence_package import gather
from archive.package_custody import custody_facts
from archive.package_report import report_document
from archive.recording import Recording
from archive.redaction import Pseudonyms
from archive.report import as_html
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.transcript import Transcript
from ingest.admission import IngestRequest
from search.settings import SearchSettings
from tests.api.spoken_commands import commands_at
from tests.transcribe.worlds import SPEECH, write_checkpoint
from transcribe.models import BUNDLED_NAME
from transcribe.seams import line_of
from transcribe.settings import TranscribeSettings
from transcribe.transcription import provenance_of as made_by

START = WallTime.parse("2026-11-18T20:00:00+08:00")
SHELF = [
    {"product_id": "p1", "title": "【新款】100%山羊绒围巾女加厚礼盒装 七天无理由", "shelf_no": "1号链接"},
    {"product_id": "p2", "title": "和田玉手镯 假一赔十", "shelf_no": "2号链接"},
]
EVENTS = [
    {"event": "explain_start", "product_id": "p1", "at_ms": 0},
    {"event": "explain_end", "product_id": "p1", "at_ms": 500},
    {"event": "explain_start", "product_id": "p2", "at_ms": 32_000},
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("weights") / "random.pt", tokens=12)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("told")
    (folder / "products.json").write_text(json.dumps(SHELF, ensure_ascii=False), "utf-8")
    (folder / "events.json").write_text(json.dumps(EVENTS), "utf-8")
    return folder / "home"


@contextmanager
def opened(home: Path, model: str | Path, told: Literal["auto", "on", "off"] = "auto") -> Iterator[Workplace]:
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0, actor="tester"))
    place.search_settings = SearchSettings(embedding_model="none")
    place.transcribe_settings = TranscribeSettings(
        whisper_model=str(model),
        whisper_device="cpu",
        whisper_expected_words=told,
        whisper_beam=1,
        whisper_hear_again=False,
        screen_text=False,
        speech_pack_ms=0,
    )
    try:
        yield place
    finally:
        place.close()


def admitted(place: Workplace, recording_id: str) -> Recording:
    files = {"products": place.archive.home.parent / "products.json", "events": place.archive.home.parent / "events.json"}
    request = IngestRequest((SPEECH,), recording_id, started_at=START, host="小满", products=files["products"], events=files["events"])
    return operations.ingest(place, request, "tester").recording


def heard(place: Workplace, recording_id: str) -> Transcript:
    admitted(place, recording_id)
    with open_jobs(place) as jobs:
        jobs.wait(process_or_index(jobs, recording_id))
    found = place.archive.transcripts.latest(recording_id)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def told_place(home: Path, checkpoint: Path) -> Iterator[Workplace]:
    with opened(home, checkpoint) as place:
        heard(place, "told")
        yield place


def test_words_are_told_by_what_is_on_air_and_stand_in_the_provenance(told_place: Workplace) -> None:
    told = provenance_of(told_place, "told")
    assert told["lists"][0][:2] == ["山羊绒围巾", "小满"]
    assert told["lists"][-1][0] == "和田玉手镯"
    assert [span[2] for span in told["spans"]] == list(range(len(told["lists"])))
    assert told["spans"][0][0] < told["spans"][-1][0]
    assert not any("赔" in word or "无理由" in word or "链接" in word for words in told["lists"] for word in words)


def provenance_of(place: Workplace, recording_id: str, version: int = 1) -> Any:
    return place.archive.transcripts.version(recording_id, version).provenance.parameters["expected_words"]


def test_what_is_told_reaches_the_model_and_is_left_out_where_it_is_switched_off(
    told_place: Workplace, home: Path, checkpoint: Path
) -> None:
    with opened(home, checkpoint, "off") as place:
        without = heard(place, "untold")
    assert without.provenance.parameters["expected_words"] is False
    told = told_place.archive.transcripts.version("told", 1)
    assert [segment.text for segment in told.segments] != [segment.text for segment in without.segments]


def test_the_demo_model_is_told_nothing_and_its_transcript_says_so(home: Path, told_place: Workplace) -> None:
    with opened(home, BUNDLED_NAME) as place:
        recording = admitted(place, "demo")
        asked = ask(place, recording, line_of(recording.parts[0]), False, {})
        assert not asked.words.lists
        provenance = made_by(place.engine, place.transcribe_settings, START)
    assert provenance.parameters["expected_words"] is False


def test_what_was_planned_is_told_again_after_a_crash_whatever_the_shelf_says_by_then(told_place: Workplace) -> None:
    recording = told_place.archive.catalog.recording("told")
    planned = ask(told_place, recording, line_of(recording.parts[0]), False, {})
    assert planned.words.lists
    kept = json.loads(json.dumps(planned.as_json(), ensure_ascii=False))
    assert Asked.of(kept) == planned and Asked.of(kept).key == planned.key


def test_hearing_again_is_told_what_is_known_by_then(told_place: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "house.txt").write_text("海蓝之谜\n", "utf-8")
    monkeypatch.setenv("LIVEPROOF_HOUSE_WORDS", str(tmp_path / "house.txt"))
    api_settings.cache_clear()
    try:
        with open_jobs(told_place) as jobs:
            jobs.wait(transcribe_again(jobs, "told"))
    finally:
        api_settings.cache_clear()
    assert not any("海蓝之谜" in words for words in provenance_of(told_place, "told", 1)["lists"])
    assert all("海蓝之谜" in words for words in provenance_of(told_place, "told", 2)["lists"])


@pytest.fixture
def command_line(told_place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    with commands_at(told_place.archive.home, monkeypatch) as run:
        yield run


def test_people_and_programs_are_shown_what_was_told(command_line: Callable[..., str]) -> None:
    for command in (["show", "told"], ["transcript", "show", "told", "--version", "1"]):
        chinese = command_line("zh", *command)
        assert "告诉识别器会听到的词" in chinese and "山羊绒围巾" in chinese
        english = command_line("en", *command)
        assert "told to expect" in english and "和田玉手镯" in english
    shown = json.loads(command_line("en", "show", "told", "--json"))
    assert shown["transcript"]["parameters"]["expected_words"]["lists"][0][0] == "山羊绒围巾"


def test_a_package_says_what_was_told_where_its_moment_is(told_place: Workplace, tmp_path: Path) -> None:
    archive = told_place.archive
    case = archive.cases.open(None, "围巾", "说是羊绒", "tester", demand="退款")
    operations.add_moment(told_place, case.id, "told", 1000, 6000, "承诺", "tester")
    case = archive.cases.case(case.id)
    contents = gather(archive, case, tmp_path / "bag", Pseudonyms(b"k" * 32, case.id), "tester", lambda done, total, what: None)
    excerpt = next(json.loads(path.read_text("utf-8")) for path in (tmp_path / "bag").rglob("transcript.json"))
    assert excerpt["transcript"]["parameters"]["expected_words"]["lists"]
    facts = custody_facts(archive, contents, "tester")
    for language, label in (("zh", "告诉识别器会听到的词"), ("en", "Words it was told to expect")):
        page = as_html(report_document(contents, facts, "case-1-x", START, "tester", [], cast(Literal["zh", "en"], language)))
        assert label in page and "山羊绒围巾" in page
