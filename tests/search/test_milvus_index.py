"""What the index on a Milvus server keeps to beside the contract: no transactions there, a network between, other archives beside."""

import multiprocessing
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.case_record import RecordPiece
from archive.recording import Product
from archive.timeline import WallTime
from archive.transcript import Segment
from search.answer import ask
from search.errors import IndexUnavailable
from search.indexes import Filter, Terms, open_index
from search.indexes.milvus import MilvusIndex
from search.indexes.milvus_server import MilvusPlace, milvus_place
from search.indexing import index_document
from search.passages import IndexedRecording
from search.records import record_document
from search.settings import SearchSettings
from tests.search.sessions import DUVET, EVENING, SILK, TALK, chat, events, recording, segments
from tests.simulators.breaking_relay import relaying
from tests.simulators.milvus import fresh_place, running, shared

OTHER_TALK = tuple((at, text.replace("质保三年", "质保五年")) for at, text in TALK)


def document(name: str = "evening", lines: tuple[tuple[int, str], ...] = TALK) -> IndexedRecording:
    return index_document(recording(name), segments(lines), [DUVET, SILK], events(), chat())


@pytest.fixture
def place() -> MilvusPlace:
    return fresh_place()


@pytest.fixture
def opened(place: MilvusPlace) -> Iterator[Callable[[], MilvusIndex]]:
    """Opens the same index again and again, as other processes would."""
    held: list[MilvusIndex] = []

    def another() -> MilvusIndex:
        held.append(MilvusIndex(place))
        return held[-1]

    yield another
    for index in held:
        index.close()


def rows(place: MilvusPlace, kind: str) -> int:
    """How many rows a collection has, whether they count or not."""
    from pymilvus import MilvusClient

    client = MilvusClient(uri=place.uri)
    found = client.query(f"{place.prefix}_{kind}", filter="", output_fields=["count(*)"], consistency_level="Strong")
    client.close()
    return int(found[0]["count(*)"])


def test_a_question_goes_by_what_was_published_when_it_began(opened: Callable[[], MilvusIndex]) -> None:
    reader, writer = opened(), opened()
    writer.replace(document(), None)
    five = Terms({"grams": {"质保": 1.0}})
    with reader.reading():
        before = reader.units("evening", 0, 99)
        writer.replace(document(lines=OTHER_TALK), None)
        assert reader.units("evening", 0, 99) == before
        assert reader.candidates(five, Filter(), 20)
        assert "质保三年" in ask(reader, "质保几年").moments[0].quote
    assert "质保五年" in ask(reader, "质保几年").moments[0].quote


def test_what_was_let_go_is_dropped_when_no_question_can_need_it(place: MilvusPlace) -> None:
    now = [EVENING]
    index = MilvusIndex(place, clock=lambda: now[0])
    index.replace(document(), None)
    once = {kind: rows(place, kind) for kind in ("passages", "pages")}
    index.replace(document(lines=OTHER_TALK), None)
    assert rows(place, "passages") > once["passages"]
    index.maintain()
    assert rows(place, "passages") > once["passages"]
    now[0] = now[0].plus_ms(61_000)
    index.maintain()
    assert {kind: rows(place, kind) for kind in ("passages", "pages")} == once
    assert rows(place, "notes") == 0
    index.close()


def test_an_evening_that_goes_on_costs_what_is_new(place: MilvusPlace) -> None:
    lines = tuple((at, f"第{at}句说的是质保{at % 7}年还有发货{at % 5}天") for at in range(0, 2000, 5))
    index = MilvusIndex(place)
    index.replace(document(lines=lines[:-1]), None)
    before = rows(place, "passages")
    index.replace(document(lines=lines), None)
    assert rows(place, "passages") - before < before / 2
    assert index.passage_count() == len(document(lines=lines).passages)
    index.close()


def _rewrite(place: MilvusPlace, rounds: int) -> None:
    index = MilvusIndex(place)
    for number in range(rounds):
        index.replace(document(lines=TALK if number % 2 else OTHER_TALK), None)


def _is_whole(index: MilvusIndex) -> bool:
    """Whether the index holds one of the two evenings, and nothing but it."""
    units = tuple(index.units("evening", 0, 999))
    return units in (document().units, document(lines=OTHER_TALK).units)


def test_a_killed_writer_leaves_one_evening_whole_and_the_next_write_clears_up(
    place: MilvusPlace, opened: Callable[[], MilvusIndex]
) -> None:
    index = opened()
    index.replace(document(), None)
    writer = multiprocessing.get_context("spawn").Process(target=_rewrite, args=(place, 10_000))
    writer.start()
    deadline = time.monotonic() + 60
    while _is_whole(index) and not any("质保五年" in unit.unit.text for unit in index.units("evening", 0, 99)):
        assert time.monotonic() < deadline
    for _ in range(3):
        assert _is_whole(index)
    writer.kill()
    writer.join(30)
    assert _is_whole(index)
    index.replace(document(lines=OTHER_TALK), None)
    assert _is_as_fresh(index, place)


def _is_as_fresh(index: MilvusIndex, place: MilvusPlace) -> bool:
    """Whether what is found and counted is as in an index that never saw anything else."""
    fresh = MilvusIndex(replace(place, prefix=f"{place.prefix}_fresh"))
    fresh.replace(document(lines=OTHER_TALK), None)
    asked = {"grams": ["质保", "五年", "三年", "发货"], "words": ["质保", "蚕丝被"]}
    same = index.frequencies(asked) == fresh.frequencies(asked) and index.passage_count() == fresh.passage_count()
    terms = Terms({"grams": {"质保": 1.0, "三年": 1.0, "五年": 1.0}})
    same = same and index.candidates(terms, Filter(), 99) == fresh.candidates(terms, Filter(), 99)
    fresh.remove("evening")
    fresh.close()
    return same


def test_a_write_cut_off_anywhere_is_brought_to_its_end_or_undone(place: MilvusPlace, opened: Callable[[], MilvusIndex]) -> None:
    steady = opened()
    steady.replace(document(), None)
    written = []
    for cut_after in (6_500, 20_000, 30_000, 34_000, 36_000, 37_500, 38_700, 60_000):
        with relaying(int(place.uri.rpartition(":")[2])) as relay:
            broken = MilvusIndex(replace(place, uri=relay.address, call_seconds=0.5))
            relay.cut_after, relay.target = cut_after, 9  # and there is no other way
            try:
                broken.replace(document(lines=OTHER_TALK), None)
                written.append(cut_after)
            except IndexUnavailable:
                pass
            broken.close()
        assert _is_whole(steady)
        steady.replace(document(lines=OTHER_TALK), None)
        assert _is_as_fresh(steady, place)
        steady.replace(document(), None)
    assert written == [60_000]


def test_two_archives_share_a_server_without_meeting(opened: Callable[[], MilvusIndex], place: MilvusPlace) -> None:
    ours, theirs = opened(), MilvusIndex(replace(place, prefix=f"{place.prefix}x"))
    ours.replace(document("ours"), None)
    theirs.replace(document("theirs"), None)
    assert {found.recording_id for found in theirs.candidates(Terms({"grams": {"质保": 1.0}}), Filter(), 99)} == {"theirs"}
    assert ours.ids(Filter()) == {"ours"}
    theirs.close()
    assert ask(ours, "质保三年").found


def test_no_server_is_said_at_once_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        addresses = [f"http://127.0.0.1:{silent.getsockname()[1]}", "http://127.0.0.1:9"]
        for address in addresses:
            begun = time.monotonic()
            with pytest.raises(IndexUnavailable, match=r"LIVEPROOF_SEARCH_INDEX") as told:
                open_index(Path("unused"), milvus=MilvusPlace(address, call_seconds=1.0))
            assert address in str(told.value) and time.monotonic() - begun < 8


def test_a_missing_client_library_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(IndexUnavailable, match=r"pip install 'liveproof\[milvus\]'"):
        open_index(Path("unused"), milvus=MilvusPlace("http://127.0.0.1:9"))


def test_a_server_that_goes_away_is_an_error_not_an_empty_answer(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        place = replace(fresh_place(server), call_seconds=2.0)
        index = MilvusIndex(place)
        index.replace(document(), None)
        assert ask(index, "质保三年").found
        server.process.kill()
        server.process.wait(10)
        begun = time.monotonic()
        with pytest.raises(IndexUnavailable, match="index again"):
            ask(index, "多久发货")
        assert time.monotonic() - begun < 15


def test_collections_of_a_newer_program_are_refused(place: MilvusPlace, opened: Callable[[], MilvusIndex]) -> None:
    from pymilvus import MilvusClient

    opened().replace(document(), None)
    client = MilvusClient(uri=place.uri)
    client.upsert(f"{place.prefix}_state", [{"id": "format", "body": "99", "vector": [0.0, 0.0]}])
    with pytest.raises(IndexUnavailable, match="99"):
        MilvusIndex(place)
    client.upsert(f"{place.prefix}_state", [{"id": "format", "body": "0", "vector": [0.0, 0.0]}])
    client.close()
    again = opened()
    assert again.ids(Filter()) == frozenset() and again.passage_count() == 0  # to be indexed anew
    again.replace(document(), None)
    assert ask(again, "质保三年").found


def test_texts_longer_than_a_field_of_the_server_come_back_whole(opened: Callable[[], MilvusIndex]) -> None:
    index = opened()
    listing = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(120_000))
    long = Product("long", "长长的详情", "1", (), 100, listing_text=listing)
    index.replace(index_document(recording(), segments(), [long], [], []), None)
    (held,) = index.products(["evening"])["evening"]
    assert held == long


def test_more_passages_than_one_request_holds_are_all_written(opened: Callable[[], MilvusIndex]) -> None:
    lines = tuple((at, f"第{at}句说的是质保{at % 7}年") for at in range(0, 6_000, 4))
    said = [Segment(number, None, at * 1000, at * 1000 + 3_500, text) for number, (at, text) in enumerate(lines, 1)]
    whole = index_document(replace(recording(), duration_ms=6_000_000), said, [], [], [])
    index = opened()
    index.replace(whole, None)
    assert len(whole.passages) > 1_000
    assert index.passage_count() == len(whole.passages)
    assert index.units("evening", 0, 99_999) == list(whole.units)
    assert index.frequencies({"grams": ["质保"]}) == {"grams": {"质保": sum("质保" in passage.grams for passage in whole.passages)}}


def test_no_row_is_left_of_a_removed_recording_or_paper(place: MilvusPlace, opened: Callable[[], MilvusIndex]) -> None:
    index = opened()
    paper = record_document("forgotten-case", 1, 1, "document", [RecordPiece({"page": 1, "line": 1}, "质保三年", 0.9)])
    kinds = ("recordings", "passages", "vectors_3", "pages", "counts", "notes", "papers", "paper_passages", "paper_notes")
    kept = document("kept-evening")
    index.replace(kept, [[1.0, 0.0, 0.0] for _ in kept.passages])
    index.replace_record(replace(paper, case_id="kept-case"))
    before = {kind: rows(place, kind) for kind in kinds}
    for lines in (TALK, OTHER_TALK):
        stored = document("forgotten-evening", lines)
        index.replace(stored, [[1.0, 0.0, 0.0] for _ in stored.passages])
        index.replace_record(paper)
    assert index.remove("forgotten-evening") and index.remove_record("forgotten-case")
    index.maintain(wait_s=30)
    assert {kind: rows(place, kind) for kind in kinds} == before


def test_settings_choose_the_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert milvus_place(SearchSettings()) is None
    monkeypatch.setenv("LIVEPROOF_SEARCH_INDEX", shared().uri)
    monkeypatch.setenv("LIVEPROOF_MILVUS_PREFIX", fresh_place().prefix)
    monkeypatch.setenv("LIVEPROOF_MILVUS_TOKEN", "root:secret")
    chosen = milvus_place(SearchSettings())
    assert chosen is not None and "secret" not in repr(chosen) and "secret" not in repr(SearchSettings())
    index = open_index(tmp_path, milvus=chosen)
    index.replace(document(), None)
    assert ask(index, "质保三年").found
    assert not list(tmp_path.iterdir())
    index.close()
    for wrong in ("milvus", "localhost:19530", "file:///etc"):
        monkeypatch.setenv("LIVEPROOF_SEARCH_INDEX", wrong)
        with pytest.raises(IndexUnavailable, match="embedded"):
            milvus_place(SearchSettings())


def test_a_name_that_is_an_expression_is_only_a_name(opened: Callable[[], MilvusIndex]) -> None:
    index = opened()
    index.replace(document(), None)
    terms = Terms({"grams": {"质保": 1.0}})
    for odd in ('" or "" == "', "\\", 'x"]', "\n", "warranty') or true"):
        assert index.candidates(terms, Filter(category=odd), 9) == []
        assert index.ids(Filter(recording=odd, among=(odd,))) == frozenset()
    assert index.candidates(terms, Filter(since=WallTime(0)), 9)
