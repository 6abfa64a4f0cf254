"""Parts made ready to play by the job that makes their recording searchable, where a setting asks for it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api import operations
from api.processing import open_jobs, process_or_index
from api.settings import api_settings
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from ingest.admission import IngestRequest
from search.settings import SearchSettings
from tests.api.conftest import LINES, media, srt
from tests.archive.test_rendition import SOURCES, made


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    opened = open_workplace(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0, actor="tester"))
    opened.search_settings = SearchSettings(embedding_model="none")
    yield opened
    opened.close()
    api_settings.cache_clear()


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def want(value: str) -> None:
        monkeypatch.setenv("LIVEPROOF_RENDITION_AT_INGEST", value)
        monkeypatch.setenv("LIVEPROOF_SCREEN_TEXT", "false")
        api_settings.cache_clear()

    return want


def processed(place: Workplace, folder: Path) -> list[str]:
    """Admit one part that can be copied and one that must be encoded, have the job run; what is ready then, by ending of the source."""
    (folder / "words.srt").write_text(srt(LINES[:1]), "utf-8")
    parts = (media(folder / "a.flv", 3), made(folder, "b.mp4", *SOURCES["hevc.mp4"][0]))
    recording = operations.ingest(place, IngestRequest(media=parts, captions=folder / "words.srt"), "tester").recording
    with open_jobs(place) as jobs:
        jobs.wait(process_or_index(jobs, recording.id))
    assert operations.indexed_version(place, recording.id) >= 1
    ready = {file.name.partition(".")[0] for file in (place.archive.home / "renditions").glob("*.mp4")}
    return [part.file_name for part in recording.parts if part.digest.removeprefix("sha256:") in ready]


@pytest.mark.parametrize(("value", "ready"), [("none", []), ("copy", ["a.flv"]), ("all", ["a.flv", "b.mp4"])])
def test_what_the_setting_asks_for_is_ready_when_the_job_is_done(
    place: Workplace, wanted: Callable[[str], None], tmp_path: Path, value: str, ready: list[str]
) -> None:
    wanted(value)
    assert processed(place, tmp_path) == ready


def test_a_rendition_that_cannot_be_made_fails_no_job(place: Workplace, wanted: Callable[[str], None], tmp_path: Path) -> None:
    wanted("all")
    place.archive.home.joinpath("renditions").write_text("not a folder")
    assert processed(place, tmp_path) == []
