"""While a recording is indexed anew, every question is answered from one whole version of its words: the old one, then the new."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from search.answer import Answer, ask
from search.indexes import Index, open_index
from search.indexing import index_recording
from tests.search.sessions import recording, segments

# Two transcripts of one recording: the same promises at other places, each line marked with the version it is from.
LINES = 40
PROMISES = ("这个被子质保三年", "里面是白鹅绒", "七天无理由退货", "运费我们出", "四十八小时发货", "不能机洗只能晾晒", "假一赔十", "一千克")
QUESTIONS = ("质保几年", "有没有说假一赔十", "运费谁出", "能不能机洗")
MARKS = {1: "旧", 2: "新"}

WRITER = """
import sys
from pathlib import Path
from search.indexes import open_index
from tests.search.test_one_moment import put
index = open_index(Path(sys.argv[1]))
version = 1
while True:
    version = 3 - version
    put(index, version)
    print(version, flush=True)
"""


class Flat:
    """A sentence model to which all is alike."""

    name = "flat"

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        return [[1.0, len(text) / 1000] for text in texts]

    def embed_question(self, text: str) -> list[float]:
        return [1.0, 0.0]


def put(index: Index, version: int) -> None:
    """Index one version. The second has fewer, longer pauses: unit numbers don't fit the first's."""
    said = [(5 + n * (3 + version), f"{PROMISES[(n * 3 + version) % len(PROMISES)]}{MARKS[version]}") for n in range(LINES // version)]
    index_recording(index, recording(), segments(said), [], [], [], Flat(), version, as_of=version)


def versions_in(answer: Answer) -> set[str]:
    """Marks of the versions that an answer's words are from."""
    texts = [text for moment in answer.moments for text in (moment.quote, moment.context_before, moment.context_after)]
    return {mark for mark in MARKS.values() for text in texts if mark in text}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = open_index(tmp_path / "index")
    put(opened, 1)
    yield opened
    opened.close()


def writer(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)


def test_questions_asked_while_it_is_indexed_anew_meet_one_version_each(index: Index, tmp_path: Path) -> None:
    writing = writer(tmp_path / "index")
    assert writing.stdout
    seen: list[set[str]] = []
    try:
        writing.stdout.readline()
        until = time.monotonic() + 3
        while time.monotonic() < until or len(seen) < 50:
            for question in QUESTIONS:
                answer = ask(index, question, embedder=Flat())
                assert answer.moments, "the recording is never without words"
                seen.append(versions_in(answer))
    finally:
        writing.kill()
        writing.communicate(timeout=10)
    mixed = [marks for marks in seen if len(marks) != 1]
    assert not mixed, f"{len(mixed)} of {len(seen)} answers mix versions"
    assert set().union(*seen) == set(MARKS.values()), "both versions were met"


def test_a_writer_killed_at_any_moment_leaves_one_version(index: Index, tmp_path: Path) -> None:
    for round_number in range(3):
        writing = writer(tmp_path / "index")
        assert writing.stdout
        writing.stdout.readline()
        time.sleep(0.017 * round_number)
        writing.kill()
        writing.communicate(timeout=10)
        found = [versions_in(ask(index, question, embedder=Flat())) for question in QUESTIONS]
        assert len(set().union(*found)) == 1 and all(found)
