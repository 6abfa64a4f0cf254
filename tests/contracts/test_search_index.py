"""What every search index keeps to."""

import multiprocessing
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.case_record import RecordPiece
from search.answer import ask
from search.errors import IndexUnavailable
from search.indexes import Filter, Index, Terms, open_index
from search.indexes.milvus import MilvusIndex
from search.indexing import index_document
from search.passages import IndexedRecording
from search.records import IndexedRecord, record_document
from tests.search.sessions import DUVET, SILK, chat, events, recording, segments
from tests.simulators.milvus import fresh_place

VARIANTS: dict[str, Callable[[Path], Index]] = {"embedded": open_index, "milvus": lambda _: MilvusIndex(fresh_place())}


@pytest.fixture(params=sorted(VARIANTS))
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    opened = VARIANTS[request.param](tmp_path)
    yield opened
    opened.close()


def document(name: str = "evening") -> IndexedRecording:
    return index_document(recording(name), segments(), [DUVET, SILK], events(), chat())


def test_what_was_stored_comes_back_as_it_was(index: Index) -> None:
    stored = document()
    index.replace(stored, None)
    assert index.units("evening", 0, 999) == list(stored.units)
    assert [linked.corrects for linked in index.claims("evening")] == [linked.corrects for linked in stored.claims]
    assert index.products(["evening"]) == {"evening": [DUVET, SILK]}
    (entry,) = index.recordings(Filter())
    assert (entry.recording, entry.unit_count, entry.messages) == (stored.recording, len(stored.units), len(stored.messages))


def test_replacing_leaves_nothing_of_the_old(index: Index) -> None:
    index.replace(document(), None)
    index.replace(index_document(recording(), segments(((5, "今天只卖花洒"),)), [], [], []), None)
    assert index.frequencies({"words": ["质保", "花洒"]}) == {"words": {"花洒": 2}}
    assert index.candidates(Terms({"words": {"质保": 1.0}}), Filter(), 10) == []
    assert len(index.units("evening", 0, 999)) == 1
    assert index.products(["evening"]) == {"evening": []}
    assert index.messages("evening", 0, 10**9) == []


def test_removing_forgets_everything(index: Index) -> None:
    index.replace(document(), None)
    assert index.remove("evening")
    assert not index.remove("evening")
    assert index.passage_count() == 0
    assert index.recordings(Filter()) == []


def test_candidates_keep_to_the_recordings_asked_for(index: Index) -> None:
    index.replace(document("one"), None)
    index.replace(document("two"), None)
    terms = Terms({"words": {"质保": 1.0}})
    assert {found.recording_id for found in index.candidates(terms, Filter(), 50)} == {"one", "two"}
    assert {found.recording_id for found in index.candidates(terms, Filter(among=("two",)), 50)} == {"two"}
    assert index.candidates(terms, Filter(among=()), 50) == []


@pytest.mark.parametrize("term", ['"', "质保 OR", "*", "NEAR(", "') --", "{words}", "^a"])
def test_query_syntax_in_a_term_is_only_text(index: Index, term: str) -> None:
    index.replace(document(), None)
    index.candidates(Terms({"words": {term: 1.0}, "grams": {term: 1.0}}), Filter(), 5)


def test_vectors_are_searched_and_follow_replacement(index: Index) -> None:
    stored = document()
    vectors = [[0.0, 1.0, 0.0] for _ in stored.passages]
    vectors[2] = [1.0, 0.0, 0.0]
    index.replace(stored, vectors)
    nearest = index.nearest([1.0, 0.0, 0.0], Filter(), 1)
    assert [(found.first, found.last) for found in nearest] == [(stored.passages[2].first, stored.passages[2].last)]
    assert index.nearest([1.0, 0.0], Filter(), 1) == []
    index.replace(stored, None)
    assert index.nearest([1.0, 0.0, 0.0], Filter(), 1) == []


def test_messages_come_back_by_time_without_authors(index: Index) -> None:
    index.replace(document(), None)
    assert [(line.at_ms, line.author) for line in index.messages("evening", 0, 80_000)] == [(8_000, None), (70_000, None)]


def paper(case_id: str = "case-1", attachment: int = 1, text: str = "质保三年", version: int = 1) -> IndexedRecord:
    return record_document(case_id, attachment, version, "document", [RecordPiece({"page": 1, "line": 1}, text, 0.9)])


def test_papers_of_a_case_are_stored_found_and_replaced_by_themselves(index: Index) -> None:
    index.replace_record(paper())
    index.replace_record(paper("case-2"))
    terms = Terms({"words": {"质保": 1.0}})
    assert index.records() == {("case-1", 1): 1, ("case-2", 1): 1}
    (found,) = index.record_candidates(terms, "case-1", 10)
    assert (found.case_id, found.attachment, found.what, found.first, found.last) == ("case-1", 1, "document", 0, 0)
    assert index.record_units("case-1", 1, 0, 9) == list(paper().units)
    assert index.candidates(terms, Filter(), 10) == [] and index.passage_count() == 0
    index.replace_record(paper(text="假一赔十", version=2))
    assert index.record_candidates(terms, "case-1", 10) == []
    assert index.records()["case-1", 1] == 2


def test_removed_papers_are_forgotten_one_by_one_or_with_their_case(index: Index) -> None:
    for case_id, attachment in (("case-1", 1), ("case-1", 2), ("case-1", 3), ("case-2", 1)):
        index.replace_record(paper(case_id, attachment))
    assert index.remove_record("case-1", 2) and not index.remove_record("case-1", 2)
    assert sorted(index.records()) == [("case-1", 1), ("case-1", 3), ("case-2", 1)]
    assert index.remove_record("case-1") and not index.remove_record("case-1")
    assert list(index.records()) == [("case-2", 1)]
    assert index.record_candidates(Terms({"grams": {"三年": 1.0}}), "case-1", 10) == []
    assert index.record_units("case-1", 1, 0, 9) == []


def test_calls_are_met_only_where_they_are_asked_for(index: Index) -> None:
    call = replace(document("call"), recording=replace(recording("call"), kind="call"))
    vector = [1.0, 0.0, 0.0]
    for each in (document(), call):
        index.replace(each, [vector for _ in each.passages])
    terms = Terms({"words": {"质保": 1.0}})
    assert [entry.recording.id for entry in index.recordings(Filter(calls=False))] == ["evening"]
    assert [(e.recording.id, e.recording.kind) for e in index.recordings(Filter(calls=True))] == [("call", "call")]
    assert len(index.recordings(Filter())) == 2
    assert [entry.recording.id for entry in index.recordings(Filter(among=("call",)))] == ["call"]
    assert {found.recording_id for found in index.candidates(terms, Filter(calls=False), 50)} == {"evening"}
    assert {found.recording_id for found in index.candidates(terms, Filter(recording="call"), 50)} == {"call"}
    assert {found.recording_id for found in index.nearest(vector, Filter(calls=False), 50)} == {"evening"}
    assert {found.recording_id for found in index.nearest(vector, Filter(recording="call"), 50)} == {"call"}
    index.replace(document("call"), None)
    assert len(index.recordings(Filter(calls=False))) == 2


def _hammer(folder: str, rounds: int) -> None:
    opened = open_index(Path(folder))
    for _ in range(rounds):
        opened.replace(document("busy"), None)
    opened.close()


def test_a_reader_sees_whole_recordings_while_another_process_writes(tmp_path: Path) -> None:
    opened = open_index(tmp_path)
    opened.replace(document("busy"), None)
    expected = ask(opened, "质保三年").moments[0].quote
    writer = multiprocessing.get_context("spawn").Process(target=_hammer, args=(str(tmp_path), 15))
    writer.start()
    asked = 0
    while writer.is_alive() or asked < 5:
        assert ask(opened, "质保三年").moments[0].quote == expected
        asked += 1
    writer.join(30)
    assert writer.exitcode == 0
    opened.close()


def test_a_damaged_index_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "search.sqlite").write_bytes(b"not a database at all, just text that is long enough" * 20)
    with pytest.raises(IndexUnavailable, match="index again"):
        open_index(tmp_path)


def test_an_index_of_another_version_is_refused(tmp_path: Path) -> None:
    open_index(tmp_path).close()
    with sqlite3.connect(tmp_path / "search.sqlite") as db:
        db.execute("UPDATE meta SET version = 99")
    with pytest.raises(IndexUnavailable, match="99"):
        open_index(tmp_path)
