"""Words of a recording that grows: only what is new is heard, sentences that a part's end cuts are heard whole, and nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
import soundfile

from api import operations
from api.processing import open_jobs, process_or_index, transcribe_again, unprocessed
from api.workplace import Workplace, open_workplace
from archive.jobs import Jobs
from archive.recording import Recording
from archive.settings import ArchiveSettings
from archive.timeline import ClockMap, WallTime
from archive.transcript import Segment, Transcript
from archive.verification import verify_archive
from infra.models.evaluate_whisper import edits
from ingest.admission import IngestRequest
from ingest.extension import ExtendRequest
from search.settings import SearchSettings
from tests.transcribe.worlds import speech_samples, spoken_lines
from transcribe.models import BUNDLED_NAME
from transcribe.settings import TranscribeSettings

START = WallTime.parse("2026-11-18T20:00:00+08:00")
# In the middle of the first, second and third sentence, and in the pause after it.
CUTS_MS = (5_600, 10_300, 13_200, 16_000)
TRUTH = "".join(line.text for line in spoken_lines())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    opened = opened_at(tmp_path / "home")
    yield opened
    opened.close()


def opened_at(home: Path) -> Workplace:
    opened = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0, actor="tester"))
    opened.search_settings = SearchSettings(embedding_model="none")
    opened.transcribe_settings = TranscribeSettings(whisper_model=BUNDLED_NAME, whisper_device="cpu", screen_text=False)
    return opened


def cut(folder: Path, cuts_ms: Sequence[int]) -> list[Path]:
    """The committed speech in files, each from one cut to the next."""
    samples = speech_samples()
    edges = [0, *cuts_ms, len(samples) // 16]
    files = []
    for n, (start, end) in enumerate(pairwise(edges), 1):
        files.append(folder / f"part-{n}.wav")
        soundfile.write(files[-1], samples[start * 16 : end * 16], 16_000, subtype="PCM_16")
    return files


def newest(place: Workplace) -> Transcript:
    found = place.archive.transcripts.latest("r1")
    assert found is not None
    return found


def text_of(said: Sequence[Segment]) -> str:
    return "".join(segment.text for segment in sorted(said, key=lambda each: each.start_ms))


def errors(said: Sequence[Segment]) -> int:
    heard = text_of(said)
    return sum(i is None or j is None or TRUTH[i] != heard[j] for i, j in edits(TRUTH, heard))


def process(jobs: Jobs) -> None:
    jobs.wait(process_or_index(jobs, "r1"))


def admit_first(place: Workplace, file: Path, live: bool = True) -> Recording:
    request = IngestRequest((file,), "r1", started_at=START, live=live)
    return operations.ingest(place, request, "tester").recording


def add(place: Workplace, *files: Path, closes: bool = False) -> Recording:
    return operations.extend(place, "r1", ExtendRequest(files, closes=closes), "tester").recording


@pytest.fixture(scope="module")
def uncut(tmp_path_factory: pytest.TempPathFactory) -> Transcript:
    folder = tmp_path_factory.mktemp("uncut")
    place = opened_at(folder / "home")
    admit_first(place, cut(folder, ())[0], live=False)
    with open_jobs(place) as jobs:
        process(jobs)
    heard = newest(place)
    place.close()
    return heard


def covered_once(recording: Recording, heard: Transcript) -> bool:
    """Whether speech and what was skipped cover each part once."""
    spans = sorted((*heard.speech, *heard.skipped))
    joined: list[list[int]] = []
    for start, end in spans:
        assert not joined or start >= joined[-1][1], f"{start} was heard twice"
        if joined and start == joined[-1][1]:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    return joined == [[recording.parts[0].start_ms, recording.parts[-1].end_ms]]


def test_a_live_session_in_segments_gives_the_words_of_the_uncut_one(place: Workplace, uncut: Transcript, tmp_path: Path) -> None:
    files = cut(tmp_path, CUTS_MS)
    admit_first(place, files[0])
    versions = []
    with open_jobs(place) as jobs:
        process(jobs)
        versions.append(newest(place))
        for number, file in enumerate(files[1:], 2):
            add(place, file, closes=number == len(files))
            process(jobs)
            versions.append(newest(place))
        assert unprocessed(place) == []
    recording, heard = place.archive.catalog.recording("r1"), newest(place)
    assert errors(heard.segments) <= errors(uncut.segments)
    assert [abs(a.start_ms - b.start_ms) <= 60 for a, b in zip(heard.segments, uncut.segments, strict=True)] == [True] * 4
    # A sentence is of the part that it starts in, and nothing of it was heard before it was whole.
    assert [segment.part for segment in heard.segments] == [1, 2, 3, 5]
    assert versions[0].segments == ()
    assert [version.continues for version in versions[1:]] == [version.version for version in versions[:-1]]
    assert covered_once(recording, heard)
    assert list((place.archive.home / "scratch").iterdir()) == []
    assert verify_archive(place.archive).passed
    answer = operations.search(place, "水壶质保几年", recording="r1")
    assert answer.moments and "质保" in answer.moments[0].quote


def test_parts_that_come_together_are_heard_across_their_seams_too(place: Workplace, uncut: Transcript, tmp_path: Path) -> None:
    files = cut(tmp_path, CUTS_MS)
    recording = operations.ingest(place, IngestRequest(tuple(files), "r1", started_at=START), "tester").recording
    with open_jobs(place) as jobs:
        process(jobs)
        again = jobs.wait(transcribe_again(jobs, "r1"))
    first, second = place.archive.transcripts.version("r1", 1), newest(place)
    assert again.startswith("transcript version 2") and second.continues is None
    for heard in (first, second):
        assert errors(heard.segments) <= errors(uncut.segments)
        assert [segment.part for segment in heard.segments] == [1, 2, 3, 5]
        assert covered_once(recording, heard)


def test_an_end_carried_over_is_heard_alone_when_nothing_follows(place: Workplace, tmp_path: Path) -> None:
    files = cut(tmp_path, CUTS_MS[1:2])
    admit_first(place, files[0])
    with open_jobs(place) as jobs:
        process(jobs)
        waiting = newest(place)
        add(place, closes=True)
        assert unprocessed(place) == ["r1"]
        process(jobs)
        assert unprocessed(place) == []
    heard = newest(place)
    assert len(waiting.segments) == 1 and len(heard.segments) == 2
    assert heard.segments[1].start_ms == pytest.approx(8556, abs=200)
    assert covered_once(place.archive.catalog.recording("r1"), heard)


def test_across_a_gap_nothing_is_carried(place: Workplace, tmp_path: Path) -> None:
    files = cut(tmp_path, CUTS_MS[1:2])
    first = admit_first(place, files[0])
    with open_jobs(place) as jobs:
        process(jobs)
        clock = ClockMap(first.duration_ms + 5000, START.plus_ms(first.duration_ms + 5000), 100, "capture")
        operations.extend(place, "r1", ExtendRequest((files[1],), clocks=(clock,)), "tester")
        process(jobs)
    heard = newest(place)
    assert [s for s in heard.segments if s.part == 1][-1].end_ms <= first.duration_ms
    assert next(s for s in heard.segments if s.part == 2).start_ms >= clock.starts_at_ms


def test_a_part_added_while_another_is_heard_is_not_lost_and_none_is_heard_twice(place: Workplace, tmp_path: Path) -> None:
    files = cut(tmp_path, CUTS_MS)
    admit_first(place, files[0])
    with open_jobs(place) as jobs:
        started = [process_or_index(jobs, "r1")]
        for number, file in enumerate(files[1:], 2):
            add(place, file, closes=number == len(files))
            started.append(process_or_index(jobs, "r1"))
        for job in dict.fromkeys(started):
            jobs.wait(job)
        assert unprocessed(place) == []
    heard = newest(place)
    assert errors(heard.segments) <= 3 and covered_once(place.archive.catalog.recording("r1"), heard)
    parts = [p for v in place.archive.transcripts.provenances("r1").values() for p in v.parameters["parts"]]  # type: ignore[union-attr]
    assert sorted(parts) == [1, 2, 3, 4, 5]  # type: ignore[type-var]


def test_edits_stay_while_more_is_heard(place: Workplace, tmp_path: Path) -> None:
    files = cut(tmp_path, CUTS_MS[3:])
    admit_first(place, files[0])
    with open_jobs(place) as jobs:
        process(jobs)
        place.archive.transcripts.edit("r1", 2, "我们承诺七天无理由退换货", "听了三遍", "小王", place.archive.clock())
        add(place, files[1], closes=True)
        process(jobs)
    heard = newest(place)
    assert heard.provenance.engine == "human" and heard.segments[1].text == "我们承诺七天无理由退换货"
    assert len(heard.segments) == 4 and operations.indexed_version(place, "r1") == heard.version
    assert verify_archive(place.archive).passed


def test_chat_that_comes_later_reaches_the_index(place: Workplace, tmp_path: Path) -> None:
    admit_first(place, cut(tmp_path, ())[0], live=False)
    chat = tmp_path / "c.xml"
    chat.write_text('<i><d p="16.5,1,25,16777215,0,0,1,0" user="雨后">水壶质保几年呀</d></i>', "utf-8")
    with open_jobs(place) as jobs:
        process(jobs)
        operations.extend(place, "r1", ExtendRequest(chat=(chat,)), "tester")
        assert unprocessed(place) == ["r1"]
        process(jobs)
        assert unprocessed(place) == []
    assert len(place.index.messages("r1", 0, 60_000)) == 1
    assert newest(place).version == 1


WORKER = """
import sys
from pathlib import Path
from api.processing import open_jobs, process_or_index
from tests.api.test_growing_words import opened_at
place = opened_at(Path(sys.argv[1]))
with open_jobs(place, lambda step, done, total: print(step, done, total, flush=True)) as jobs:
    print("result", jobs.wait(process_or_index(jobs, "r1")), flush=True)
"""


@pytest.mark.parametrize("dies_at", ["plan", "transcribe"])
def test_killed_while_it_hears_a_new_part_it_loses_and_doubles_nothing(tmp_path: Path, dies_at: str) -> None:
    files, home = cut(tmp_path, CUTS_MS[:1]), tmp_path / "home"
    place = opened_at(home)
    admit_first(place, files[0])
    with open_jobs(place) as jobs:
        process(jobs)
    add(place, files[1], closes=True)
    place.close()
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(home)], stdout=subprocess.PIPE, text=True)
    assert worker.stdout
    while not (line := worker.stdout.readline()).startswith(dies_at):
        assert line, "it ended before it came so far"
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(10)
    until = time.monotonic() + 120
    done = subprocess.run([sys.executable, "-c", WORKER, str(home)], capture_output=True, text=True, timeout=120, check=False)
    assert "result" in done.stdout and time.monotonic() < until, done.stderr
    place = opened_at(home)
    heard, recording = newest(place), place.archive.catalog.recording("r1")
    assert covered_once(recording, heard) and errors(heard.segments) <= 3
    assert verify_archive(place.archive).passed
    place.close()
