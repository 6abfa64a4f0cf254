"""What is written while its segments come by has the digest, root, rows and claims of the whole held in memory."""

import itertools
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.digest import Json
from archive.opening import Archive, open_archive
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.transcript import Provenance, Segment, Transcript, Word
from archive.transcript_hashing import PassingSegments, segments_root, transcript_digest
from archive.verification import verify_archive
from tests.archive.held import SteppingClock, admit
from tests.simulators.databases import KINDS, database_url

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
MS = st.integers(0, 2**40)
CHANCE = st.none() | st.floats(0, 1)
SPANS = st.lists(st.tuples(MS, MS), max_size=4).map(tuple)
WORDS = st.lists(st.builds(Word, MS, MS, TEXT, CHANCE), max_size=3).map(tuple)
SEGMENT = st.builds(
    Segment,
    st.integers(0, 10**6),
    st.none() | st.integers(1, 9),
    MS,
    MS,
    TEXT,
    WORDS,
    st.lists(TEXT, max_size=2).map(tuple),
    CHANCE,
    st.none() | TEXT,
    st.none() | TEXT,
)
PARAMETERS: st.SearchStrategy[dict[str, Json]] = st.dictionaries(
    TEXT | st.just('"segments":['), st.integers() | TEXT | st.just([]), max_size=3
)
TRANSCRIPT = st.builds(
    Transcript,
    TEXT,
    st.integers(1, 9),
    st.builds(Provenance, TEXT, TEXT, TEXT, st.none() | TEXT, PARAMETERS, st.just(WallTime(1_763_800_000_000))),
    st.lists(SEGMENT, max_size=9).map(tuple),
    SPANS,
    SPANS,
    salt=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
    continues=st.none() | st.integers(1, 9),
)


@pytest.fixture(params=KINDS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    with database_url(request.param, tmp_path) as url:
        opened = open_archive(ArchiveSettings(home=tmp_path / "home", database_url=url, free_space_margin_bytes=0), SteppingClock())
        admit(opened, "r1", [])
        yield opened
        opened.close()


def by(archive: Archive) -> Provenance:
    return Provenance("faster-whisper", "1.2.1", "demo", "sha256:" + "ab" * 32, {"beam_size": 5}, archive.clock())


def sentences(count: int) -> Iterator[Segment]:
    for n in range(count):
        words = tuple(Word(n * 3000 + i * 200, n * 3000 + i * 200 + 180, "字", 0.9) for i in range(12))
        yield Segment(0, 1, n * 3000, n * 3000 + 2400, "字" * 12, words, (), 0.9)


@settings(max_examples=300, deadline=None)
@given(TRANSCRIPT, st.lists(st.integers(1, 4), max_size=9))
def test_digest_and_root_are_those_of_the_whole_however_it_comes_in_pieces(whole: Transcript, sizes: list[int]) -> None:
    passing, coming = PassingSegments(whole), iter(whole.segments)
    for size in itertools.chain(sizes, itertools.repeat(3, 10)):
        passing.add(list(itertools.islice(coming, size)))
    assert passing.count == len(whole.segments)
    assert passing.digest() == transcript_digest(whole)
    assert passing.root() == segments_root(whole)


def test_a_stream_is_stored_as_the_same_segments_in_a_list_are(archive: Archive) -> None:
    said = list(sentences(1203))
    first = archive.transcripts.store_heard("r1", by(archive), iter(said[:700]), [(0, 2_100_000)], [(2_100_000, 2_100_500)], "ann")
    second = archive.transcripts.store_heard("r1", by(archive), iter(said[700:]), [(2_100_500, 3_609_000)], [], "ann")
    assert (first.version, first.segments, first.added) == (1, 700, 700)
    assert (second.version, second.segments, second.added) == (2, 1203, 503)
    held = archive.transcripts.version("r1", 2)
    assert [s.number for s in held.segments] == list(range(1, 1204))
    assert [(s.start_ms, s.words) for s in held.segments] == [(s.start_ms, s.words) for s in said]
    assert held.speech == ((0, 2_100_000), (2_100_500, 3_609_000))
    detail = json.loads([e for e in archive.custody.entries(["r1"]) if e.action == "transcribe"][-1].detail)
    assert (detail["digest"], detail["segments_root"]) == (transcript_digest(held), segments_root(held))
    assert (detail["segments"], detail["added"], held.digest) == (1203, 503, second.digest)
    assert verify_archive(archive).passed


def test_heard_anew_it_stands_by_itself(archive: Archive) -> None:
    archive.transcripts.store_heard("r1", by(archive), sentences(3), [], [], "ann")
    archive.transcripts.store_heard("r1", by(archive), sentences(2), [], [], "ann", anew=True)
    newest = archive.transcripts.version("r1", 2)
    assert (newest.continues, len(newest.segments)) == (None, 2)


def test_segments_that_go_back_in_time_are_refused_and_leave_nothing(archive: Archive) -> None:
    one, two = sentences(2)
    with pytest.raises(ValueError, match="comes behind"):
        archive.transcripts.store_heard("r1", by(archive), iter([two, one]), [], [], "ann")
    assert archive.transcripts.newest_version("r1") == 0
    assert verify_archive(archive).passed


def test_what_is_stored_of_a_long_session_takes_no_more_memory_than_of_a_short_one(tmp_path: Path) -> None:
    taken = []
    for count in (1_000, 10_000):
        command = [sys.executable, "-m", "tests.archive.test_transcript_writing", str(tmp_path / str(count)), str(count)]
        taken.append(int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout))
    assert taken[1] <= taken[0] * 1.05, f"{taken} kB"


def _store_many(home: Path, count: int) -> None:
    archive = open_archive(ArchiveSettings(home=home, free_space_margin_bytes=0), SteppingClock())
    admit(archive, "r1", [])
    archive.transcripts.store_heard("r1", by(archive), sentences(count), [], [], "ann")
    archive.close()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    _store_many(Path(sys.argv[1]), int(sys.argv[2]))
