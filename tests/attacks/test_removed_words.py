"""What was removed from the index is gone: nothing finds it, and no file of the index holds its words, their pairs or their vectors."""

import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tantivy

from archive.case_record import RecordPiece
from search.indexes import CHANNELS, Filter, Index, Terms, open_index
from search.indexes.shards import span_of
from search.indexes.vector_files import packed
from search.indexing import index_document
from search.passages import IndexedRecording
from search.records import record_document
from tests.search.sessions import DUVET, SILK, chat, recording, segments

SECRET = "雪山牦牛绒围脖"
SECRET_LINES = ("给大家看这条雪山牦牛绒围脖", "雪山牦牛绒围脖终身免费换新", "买雪山牦牛绒围脖送岫岩玉镯")
WIDTH = 8

KILLED = """
import os, signal, sys
from pathlib import Path
from search.indexes import open_index, writing
from tests.attacks.test_removed_words import put_secret
index = open_index(Path(sys.argv[1]))
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(writing, sys.argv[2], die)
put_secret(index)
"""


def vectors_of(document: IndexedRecording, seed: int) -> list[list[float]]:
    chance = random.Random(seed)
    return [[chance.gauss(0, 1) for _ in range(WIDTH)] for _ in document.passages]


def secret() -> IndexedRecording:
    said = tuple((5 + 4 * place, line) for place, line in enumerate(SECRET_LINES * 30))
    return index_document(recording("secret"), segments(said), [], [], [])


def put_secret(index: Index) -> None:
    index.replace(secret(), vectors_of(secret(), 1))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path / "index")
    kept = index_document(recording(), segments(), [DUVET, SILK], [], chat())
    opened.replace(kept, vectors_of(kept, 2))
    yield opened
    opened.close()


def left_in(folder: Path) -> list[str]:
    """Whatever of the secret is found in the files, or in the shards' lists of terms."""
    kept = index_document(recording(), segments(), [DUVET, SILK], [], chat())
    known = {(channel, term) for passage in kept.passages for channel in CHANNELS for term in getattr(passage, channel)}
    only = {(channel, term) for passage in secret().passages for channel in CHANNELS for term in getattr(passage, channel)} - known
    traces = [SECRET.encode(), "岫岩玉镯".encode(), *(line.encode() for line in SECRET_LINES), b'"secret"']
    traces += [term.encode() for channel, term in only if channel in ("words", "grams") and len(term.encode()) >= 6]
    traces += [packed(vector) for vector in vectors_of(secret(), 1)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    found = [f"{path.name}: {trace!r}" for path in files for trace in traces if trace in path.read_bytes()]
    for path in folder.glob("lexical-*"):
        index = tantivy.Index.open(str(path))
        found += [f"{path.name}: {term}" for term in only if index.searcher().doc_freq(*term)]
    return found


def test_the_traces_that_are_looked_for_are_there_before_removal(index: Index, tmp_path: Path) -> None:
    put_secret(index)
    found = " ".join(left_in(tmp_path / "index"))
    assert "search.sqlite" in found and "lexical-0-0: ('grams'" in found


def test_nothing_of_a_removed_recording_is_left_in_any_file(index: Index, tmp_path: Path) -> None:
    for _ in range(2):
        put_secret(index)  # the second time other passages take the place of these
        index.replace(secret(), vectors_of(secret(), 3))
    assert index.nearest(vectors_of(secret(), 3)[0], Filter(recording="secret"), 1)
    assert index.remove("secret")
    assert index.candidates(Terms({"grams": {"牦牛": 1.0}}), Filter(), 5) == []
    index.maintain(wait_s=10)
    assert left_in(tmp_path / "index") == []
    assert index.candidates(Terms({"words": {"质保": 1.0}}), Filter(), 5)
    assert index.frequencies({"grams": ["牦牛"], "words": ["质保"]})["grams"] == {}


@pytest.mark.parametrize("step", ["_take", "_insert_passages", "_publish", "renew"])
def test_what_a_killed_writer_had_begun_goes_with_the_recording(index: Index, tmp_path: Path, step: str) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "index"), step], capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert index.candidates(Terms({"grams": {"牦牛": 1.0}}), Filter(), 5) == []
    index.remove("secret")
    index.maintain(wait_s=10)
    assert left_in(tmp_path / "index") == []
    assert index.candidates(Terms({"words": {"质保": 1.0}}), Filter(), 5)


def test_the_vectors_file_is_written_without_what_was_removed(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.indexes.vector_files.TAIL_MOST", 64)
    put_secret(index)
    index.maintain()
    (file,) = (tmp_path / "index").glob("vectors-*.faiss")
    assert index.nearest(vectors_of(secret(), 1)[5], Filter(), 1)[0].recording_id == "secret"
    index.remove("secret")
    assert {found.recording_id for found in index.nearest(vectors_of(secret(), 1)[5], Filter(), 50)} == {"evening"}
    index.maintain(wait_s=10)
    assert not file.exists()
    assert {found.recording_id for found in index.nearest(vectors_of(secret(), 1)[5], Filter(), 50)} == {"evening"}


def test_a_removed_paper_leaves_no_file_with_its_words(index: Index, tmp_path: Path) -> None:
    index.replace_record(record_document("C-1", 1, 1, "document", [RecordPiece({"page": 1}, line) for line in SECRET_LINES]))
    assert left_in(tmp_path / "index")
    assert index.remove_record("C-1")
    index.maintain(wait_s=10)
    assert left_in(tmp_path / "index") == []


def test_ids_are_never_given_twice(index: Index, tmp_path: Path) -> None:
    """A file that still names a passage by its id would else speak of another one."""
    seen: set[int] = set()
    for _ in range(3):
        put_secret(index)
        db = sqlite3.connect(tmp_path / "index" / "search.sqlite")
        ids = {row[0] for row in db.execute("SELECT p.id FROM passages p JOIN recordings r USING (recording) WHERE r.id = 'secret'")}
        db.close()
        assert ids and not ids & seen and max(ids) < span_of(0)[1]
        seen |= ids
        index.remove("secret")
