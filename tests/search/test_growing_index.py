"""A recording that grew is indexed anew as if it never had, but only what changed is embedded and written."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from search.answer import ask
from search.indexes import CHANNELS, Index, open_index
from search.indexing import index_document, index_recording
from tests.search.sessions import TALK, chat, recording, segments


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path / "index")
    yield opened
    opened.close()


class Counting:
    """A model that notes what it is given."""

    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.given: list[str] = []

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        self.given += texts
        return [[1.0, 0.0] if "质保" in text else [0.0, 1.0] for text in texts]

    def embed_question(self, text: str) -> list[float]:
        return [1.0, 0.0]


def rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """All that is held, but for the numbers of recordings and passages."""
    db = sqlite3.connect(folder / "search.sqlite")
    columns = {
        "recordings": "id, duration_ms, transcribed_ms, segments, messages, units, passages, transcript, as_of, embedder",
        "units": "number, body",
        "claims": "number, body",
        "products": "product_id, body",
        "messages": "number, at_ms, text, kind, uncertainty_ms",
        "passages": "first, last, flags & 1, mark, screen",
    }
    found = {table: db.execute(f"SELECT {names} FROM {table} ORDER BY 1, 2").fetchall() for table, names in columns.items()}  # noqa: S608
    found["bodies"] = db.execute("SELECT body FROM bodies").fetchall()
    found["vectors"] = db.execute("SELECT first, last, vector FROM passages JOIN vectors USING (id) ORDER BY 1, 2").fetchall()
    db.close()
    return found


def frequencies(index: Index) -> dict[str, dict[str, int]]:
    """In how many passages every term of the talk occurs."""
    (passages,) = [index_document(recording(), segments(), [], [], chat()).passages]
    return index.frequencies({channel: sorted({term for each in passages for term in getattr(each, channel)}) for channel in CHANNELS})


def ids(folder: Path) -> set[int]:
    db = sqlite3.connect(folder / "search.sqlite")
    found = {row[0] for row in db.execute("SELECT id FROM passages")}
    db.close()
    return found


def test_a_grown_recording_is_held_as_if_indexed_at_once(index: Index, tmp_path: Path) -> None:
    for end in (6, 11, len(TALK)):
        index_recording(index, recording(), segments(TALK[:end]), [], [], chat()[: end // 6], Counting(), end, as_of=end)
    at_once = open_index(tmp_path / "other")
    index_recording(at_once, recording(), segments(), [], [], chat()[:2], Counting(), len(TALK), as_of=len(TALK))
    assert frequencies(index) == frequencies(at_once)
    at_once.close()
    assert rows(tmp_path / "index") == rows(tmp_path / "other")


def test_only_what_changed_is_embedded_and_written(index: Index, tmp_path: Path) -> None:
    model = Counting()
    index_recording(index, recording(), segments(TALK[:14]), [], [], [], model, 1)
    first, before = len(model.given), ids(tmp_path / "index")
    model.given.clear()
    index_recording(index, recording(), segments(), [], [], [], model, 2)
    assert 0 < len(model.given) < first
    assert len(before & ids(tmp_path / "index")) > len(before) / 2
    model.given.clear()
    index_recording(index, recording(), segments(), [], [], [], model, 3)
    assert model.given == []
    assert ask(index, "能用多少个冬天", embedder=model).moments


def test_another_models_vectors_are_not_kept(index: Index) -> None:
    index_recording(index, recording(), segments(), [], [], [], Counting("one"))
    other = Counting("two")
    counts = index_recording(index, recording(), segments(), [], [], [], other)
    assert len(other.given) == counts.passages or len(set(other.given)) == len(other.given)
    assert index.vectors("evening", "one") == {} and index.vectors("evening", "two")


def test_a_shorter_transcript_leaves_nothing_behind(index: Index, tmp_path: Path) -> None:
    index_recording(index, recording(), segments(), [], [], chat(), Counting())
    index_recording(index, recording(), segments(TALK[:3]), [], [], [], Counting())
    fresh = open_index(tmp_path / "other")
    index_recording(fresh, recording(), segments(TALK[:3]), [], [], [], Counting())
    assert frequencies(index) == frequencies(fresh)
    fresh.close()
    assert rows(tmp_path / "index") == rows(tmp_path / "other")


def test_a_late_parts_words_lie_in_the_order_of_time(index: Index) -> None:
    said = segments()
    late = [said[-1], *said[:-1]]
    index_recording(index, recording(), late, [], [], [], None)
    found = index.units("evening", 0, 100)
    assert [unit.unit.start_ms for unit in found] == sorted(unit.unit.start_ms for unit in found)


def test_what_it_is_as_of_is_remembered(index: Index) -> None:
    from search.indexes import Filter

    index_recording(index, recording(), segments(), [], [], [], Counting(), 4, as_of=17)
    (entry,) = index.recordings(Filter())
    assert (entry.transcript_version, entry.as_of, entry.embedder) == (4, 17, "counting")
