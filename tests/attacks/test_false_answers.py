"""G6: nobody makes an answer out of what was not said, moves words in time, or gets “not said” from what was never heard."""

import json
import sqlite3
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import operations
from api.workplace import Workplace, open_workplace
from archive.recording import Gap
from archive.settings import ArchiveSettings
from archive.transcript import Segment
from archive.verification import verify_archive
from search.answer import ask
from search.indexes import open_index
from search.indexing import index_recording
from search.settings import SearchSettings
from tests.archive.held import add_transcript, admit, open_case
from tests.search.sessions import recording


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    opened = open_workplace(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0))
    opened.search_settings = SearchSettings(embedding_model="none")
    admit(opened.archive, "heard", [])
    add_transcript(opened.archive, "heard", None)
    operations.index(opened, "heard")
    return opened


def test_a_moments_times_are_those_of_the_segments_that_it_quotes_and_of_no_neighbour(tmp_path: Path) -> None:
    lines = (
        Segment(1, None, 4_000, 9_000, "全场包邮"),
        Segment(2, None, 12_000, 15_900, "这个被子质保三年"),
        Segment(3, None, 30_000, 33_000, "下一个"),
    )
    index = open_index(tmp_path)
    index_recording(index, recording(), lines, [], [], [], None)
    moment = ask(index, "质保三年").moments[0]
    index.close()
    quoted = [line for line in lines if line.text in moment.quote]
    assert (moment.start_ms, moment.end_ms) == (quoted[0].start_ms, quoted[-1].end_ms)
    assert moment.uncertainty_ms >= 0


def test_a_recording_that_was_never_heard_is_named_when_nothing_is_found(place: Workplace) -> None:
    admit(place.archive, "unheard", [])
    answer = operations.search(place, "五百克净重", limit=3)
    assert not answer.found
    assert answer.coverage.unsearched == ("unheard",)


def test_not_said_owns_up_to_what_is_missing_of_a_session(tmp_path: Path) -> None:
    from dataclasses import replace

    cut = replace(recording(), gaps=(Gap(30_000, 90_000, "between parts"),))
    index = open_index(tmp_path)
    index_recording(index, cut, [Segment(1, None, 1_000, 4_000, "晚上好欢迎来到直播间")], [], [], [], None)
    answer = ask(index, "终身质保")
    index.close()
    assert not answer.found
    assert answer.coverage.missing_ms == 60_000


def test_words_slipped_into_the_index_do_not_get_into_a_case(place: Workplace) -> None:
    """The index is no evidence: what a case quotes and a package shows comes from the logged transcript."""
    slipped_in = [Segment(1, None, 3_500, 6_000, "主播说终身质保")]
    held = place.archive.catalog.recording("heard")
    index_recording(place.index, held, slipped_in, [], [], [], None, 1)
    assert operations.search(place, "终身质保").moments[0].quote == "主播说终身质保"
    case_id = open_case(place.archive, "heard")
    moment = operations.add_moment(place, case_id, "heard", 3_400, 6_100, "承诺", "ann")
    assert moment.quote == "这条手串保真假一赔十"


@pytest.mark.parametrize("change", ["start_ms = start_ms - 1000", "words = replace(words, '3500', '2500')"])
def test_words_moved_in_time_in_the_catalog_are_found(place: Workplace, change: str) -> None:
    with sqlite3.connect(place.archive.home / "catalog.db") as raw:
        raw.execute(f"UPDATE segments SET {change} WHERE number = 2")  # noqa: S608
    assert {check.name for check in verify_archive(place.archive).failures} == {"claims", "transcripts"}


def test_every_answer_over_http_states_its_uncertainty_and_coverage(client: TestClient) -> None:
    said = client.get("/v1/search", params={"q": "假一赔十"}).json()
    assert said["moments"]
    for moment in said["moments"]:
        assert moment["end_ms"] > moment["start_ms"]
        assert "uncertainty_ms" in json.dumps(moment)
    unsaid = client.get("/v1/search", params={"q": "终身包换包修"}).json()
    assert "coverage" in unsaid
