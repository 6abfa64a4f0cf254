"""Jobs that people watch and steer: how far they are, stopped, let go on, killed; seen from the process that runs them and from others."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from api import job_steering, operations, standings
from api.app import create_app
from api.backlog import Backlog
from api.job_reports import RECORDING_KINDS, JobReport, report_of
from api.processing import open_jobs, process_or_index, transcribe_again, unprocessed
from api.recogniser_turns import Standing
from api.workplace import Workplace, open_workplace
from archive.errors import LiveProofError
from archive.job_board import JobCancelled, JobStateConflict
from archive.jobs import Jobs
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from ingest.admission import IngestRequest
from ingest.extension import ExtendRequest
from search.settings import SearchSettings
from tests.api.test_cli import liveproof
from tests.transcribe.worlds import speech_samples
from transcribe.models import BUNDLED_NAME
from transcribe.settings import TranscribeSettings

START = WallTime.parse("2026-11-18T20:00:00+08:00")
# Loading a model may take long where other work goes on.
SLOW_S = 120
TIMES = 3
LENGTH_MS = TIMES * len(speech_samples()) // 16


def opened_at(home: Path) -> Workplace:
    """Small batches, so that a short recording has several."""
    opened = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0, actor="tester"))
    opened.search_settings = SearchSettings(embedding_model="none")
    opened.transcribe_settings = TranscribeSettings(whisper_model=BUNDLED_NAME, whisper_device="cpu", whisper_batch=1, screen_text=False)
    return opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    opened = opened_at(tmp_path / "home")
    yield opened
    opened.close()


def admit(place: Workplace, folder: Path, name: str = "r1", live: bool = False) -> Path:
    """Hold the committed speech, some times over, as a recording; each of another content."""
    samples = np.tile(speech_samples(), TIMES)
    samples[0] = sum(name.encode()) / 10_000
    file = folder / f"{name}.wav"
    soundfile.write(file, samples, 16_000, subtype="PCM_16")
    operations.ingest(place, IngestRequest((file,), name, started_at=START, live=live), "tester")
    return file


class Gate:
    """Lets the steps of a process's jobs go by, but holds the one that is named until it is opened."""

    def __init__(self, step: str, done: int) -> None:
        self._step, self._done = step, done
        self.steps: list[tuple[str, int, int]] = []
        self.reached, self._open = threading.Event(), threading.Event()

    def __call__(self, step: str, done: int, total: int) -> None:
        self.steps.append((step, done, total))
        if (step, done) == (self._step, self._done) and not self._open.is_set():
            self.reached.set()
            assert self._open.wait(SLOW_S), "nobody opened the gate"

    def open(self) -> None:
        self._open.set()


def until(condition: Callable[[], bool], most_s: float = SLOW_S) -> None:
    limit = time.monotonic() + most_s
    while not condition():
        assert time.monotonic() < limit, "it never came so far"
        time.sleep(0.05)


def report(place: Workplace, job_id: str) -> JobReport:
    return report_of(place.job_board.job(job_id), place.archive.clock())


def ended_as(jobs: Jobs, job_id: str) -> type[BaseException] | None:
    """The error a job ended with; None where it is done."""
    try:
        jobs.wait(job_id)
    except (LiveProofError, OSError) as error:
        return type(error)
    return None


def test_another_process_sees_how_far_a_job_is_and_stops_it_and_it_goes_on_later(place: Workplace, tmp_path: Path) -> None:
    home = place.archive.home
    admit(place, tmp_path)
    gate = Gate("transcribe 1", 2)
    with open_jobs(place, gate) as jobs:
        job = process_or_index(jobs, "r1")
        assert gate.reached.wait(SLOW_S)
        batches = gate.steps[-1][2]
        until(lambda: report(place, job).done is not None and report(place, job).step == "transcribe")

        told = json.loads(liveproof(home, "jobs", "--json").stdout)["jobs"][0]
        assert (told["job"], told["recording"], told["state"], told["step"], told["part"]) == (job, "r1", "running", "transcribe", 1)
        assert told["total_ms"] == pytest.approx(LENGTH_MS, abs=50) and told["percent"] == 2 * 100 // batches
        assert told["done_ms"] == told["total_ms"] * 2 // batches
        assert told["speed"] is None or told["speed"] > 0

        cancelled = json.loads(liveproof(home, "jobs", "cancel", "r1", "--actor", "xiaowang", "--json").stdout)
        assert (cancelled["state"], cancelled["cancelled"]["by"]) == ("cancelled", "xiaowang")
        gate.open()
        assert ended_as(jobs, job) is JobCancelled
        assert place.archive.transcripts.newest_version("r1") == 0, "half a transcript is none"

        Backlog(place, jobs).work_off()
        assert unprocessed(place) == ["r1"], "what was cancelled is not taken up by itself"
        assert len(place.job_board.jobs()) == 1

        before = len(gate.steps)
        liveproof(home, "jobs", "retry", job)
        jobs.wait(job)
        heard_after = [done for step, done, _ in gate.steps[before:] if step == "transcribe 1"]
        assert min(heard_after) >= 2 and max(heard_after) == batches, "what was heard before is not heard again"
    assert unprocessed(place) == []
    assert report(place, job).percent == 100


def test_a_job_cancelled_while_it_waits_for_the_recogniser_ends_without_it(place: Workplace, tmp_path: Path) -> None:
    admit(place, tmp_path)
    with open_jobs(place) as jobs, standings._turns.turn("somebody else", lambda: Standing(0, 0)):
        job = process_or_index(jobs, "r1")
        until(lambda: report(place, job).waits == "recogniser")
        assert report(place, job).left_ms is None, "who waits has no time that could be told honestly"
        job_steering.cancel(place, job, "tester")
        assert ended_as(jobs, job) is JobCancelled
    assert place.archive.transcripts.newest_version("r1") == 0


def test_a_job_cancelled_while_it_waits_for_another_of_its_recording_leaves_that_alone(place: Workplace, tmp_path: Path) -> None:
    admit(place, tmp_path)
    gate = Gate("transcribe 1", 1)
    with open_jobs(place, gate) as jobs:
        first = process_or_index(jobs, "r1")
        assert gate.reached.wait(SLOW_S)
        second = transcribe_again(jobs, "r1")
        until(lambda: report(place, second).waits == "job")
        job_steering.cancel(place, second, "tester")
        gate.open()
        assert ended_as(jobs, first) is None and ended_as(jobs, second) is JobCancelled
    assert place.archive.transcripts.newest_version("r1") == 1


def test_something_new_wakes_a_recording_whose_job_was_cancelled(place: Workplace, tmp_path: Path) -> None:
    admit(place, tmp_path, live=True)
    gate = Gate("plan", 1)
    with open_jobs(place, gate) as jobs:
        job = process_or_index(jobs, "r1")
        assert gate.reached.wait(SLOW_S)
        job_steering.cancel(place, job, "tester")
        gate.open()
        ended_as(jobs, job)
        file = tmp_path / "more.wav"
        soundfile.write(file, speech_samples()[: 16 * 9000], 16_000, subtype="PCM_16")
        operations.extend(place, "r1", ExtendRequest((file,), closes=True), "tester")
        Backlog(place, jobs).work_off()
    heard = place.archive.transcripts.latest("r1")
    assert heard and {segment.part for segment in heard.segments} == {1, 2} and unprocessed(place) == []


def test_a_failed_job_is_retried_under_its_id_once_the_cause_is_mended(place: Workplace, tmp_path: Path) -> None:
    admit(place, tmp_path)
    held = place.archive.store.path(place.archive.catalog.recording("r1").parts[0].digest)
    away = held.with_name("away")
    held.rename(away)
    with open_jobs(place) as jobs:
        job = process_or_index(jobs, "r1")
        assert ended_as(jobs, job) not in (None, JobCancelled)
        told = json.loads(liveproof(place.archive.home, "jobs", "--json").stdout)["jobs"]
        assert [(each["job"], each["state"]) for each in told] == [(job, "failed")] and told[0]["error"]
        away.rename(held)
        assert job_steering.retry(place, "r1", "tester").job.id == job
        jobs.wait(job)
        with pytest.raises(JobStateConflict):
            job_steering.retry(place, job, "tester")
        with pytest.raises(JobStateConflict):
            job_steering.cancel(place, job, "tester")
    assert unprocessed(place) == [] and place.job_board.job(job).error is None


WORKER = """
import sys, time
from pathlib import Path
from api.processing import open_jobs, process_or_index, transcribe_again
from tests.api.test_jobs import opened_at
place = opened_at(Path(sys.argv[1]))
start = transcribe_again if sys.argv[2] == "again" else process_or_index
def watch(step, done, total):
    print(step, done, total, flush=True)
    if (step.split()[0], str(done)) == (sys.argv[3], sys.argv[4]):
        time.sleep(60)
with open_jobs(place, watch) as jobs:
    print("result", jobs.wait(start(jobs, "r1")), flush=True)
"""


def killed_at(home: Path, start: str, step: str, done: int, linger_s: float = 0) -> None:
    """Run the job in a process that is killed with SIGKILL once it comes to this step."""
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(home), start, step, str(done)], stdout=subprocess.PIPE, text=True)
    assert worker.stdout
    while not (line := worker.stdout.readline()).startswith((f"{step} ", "result")) or line.split()[-2] != str(done):
        assert line and not line.startswith("result"), "it ended before it came so far"
    time.sleep(linger_s)
    os.kill(worker.pid, signal.SIGKILL)
    worker.communicate(timeout=10)


def test_what_a_killed_worker_told_is_still_read_and_known_to_be_interrupted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    place = opened_at(home)
    admit(place, tmp_path)
    killed_at(home, "process", "transcribe", 2, linger_s=2.5)
    job = place.job_board.jobs()[0]
    later = WallTime(job.updated_at.epoch_ms + 60_000)
    told = report_of(job, later)
    assert (told.state, told.step) == ("interrupted", "transcribe") and told.percent and told.left_ms is None
    with open_jobs(place) as jobs:
        jobs.wait(job.id)
    assert report(place, job.id).state == "done" and unprocessed(place) == []
    place.close()


def test_searches_see_the_old_words_until_the_new_are_indexed_also_when_it_is_killed_in_between(tmp_path: Path) -> None:
    home = tmp_path / "home"
    place = opened_at(home)
    admit(place, tmp_path)
    with open_jobs(place) as jobs:
        jobs.wait(process_or_index(jobs, "r1"))
    said = place.archive.transcripts.latest("r1")
    assert said
    question = said.segments[0].text[:6]
    killed_at(home, "again", "index", 0)
    assert place.archive.transcripts.newest_version("r1") == 2, "the new words are stored"
    assert operations.indexed_version(place, "r1") == 1
    assert operations.search(place, question, recording="r1").moments, "and search still has the old"
    versions: list[int] = []
    over = threading.Event()

    def ask_on() -> None:
        while not over.is_set():
            assert operations.search(place, question, recording="r1").moments
            versions.append(operations.indexed_version(place, "r1"))

    asking = threading.Thread(target=ask_on)
    asking.start()
    with open_jobs(place) as jobs:
        jobs.wait(place.job_board.jobs(kinds=("transcribe",))[0].id)
    until(lambda: bool(versions) and versions[-1] == 2)
    over.set()
    asking.join(20)
    assert versions == sorted(versions) and versions[0] == 1
    place.close()


def test_live_recordings_come_first_then_those_in_dispute_then_those_put_first(place: Workplace, tmp_path: Path) -> None:
    for name in ("ordinary", "wanted", "disputed"):
        admit(place, tmp_path, name)
    admit(place, tmp_path, "live", live=True)
    case = place.archive.cases.open("case-1", "假货", "说好假一赔十", "tester")
    place.archive.cases.add_moment(case.id, "disputed", 1000, 4000, "", "", "tester")
    with open_jobs(place) as jobs, standings._turns.turn("somebody else", lambda: Standing(-1, 0)):
        started = {name: process_or_index(jobs, name) for name in ("ordinary", "wanted", "disputed", "live")}
        job_steering.put_first(place, started["wanted"], "tester")
        board = place.job_board
        ranks = {name: standings.rank_of(place, name, board.job(job)) for name, job in started.items()}
        assert sorted(ranks, key=lambda name: ranks[name]) == ["live", "disputed", "wanted", "ordinary"]
        assert [report(place, job).first for job in started.values()] == [False, True, False, False]
    with open_jobs(place) as jobs:
        backlog = Backlog(place, jobs)
        backlog.work_off()
    assert not backlog.failed and unprocessed(place) == []


def test_over_http_jobs_are_listed_shown_and_steered(place: Workplace, tmp_path: Path) -> None:
    admit(place, tmp_path)
    admit(place, tmp_path, "r2")
    gate = Gate("transcribe 1", 1)
    with TestClient(create_app(place), base_url="http://127.0.0.1") as client, open_jobs(place, gate) as jobs:
        assert client.get("/v1/jobs").json() == {"jobs": [], "more": False}
        job = process_or_index(jobs, "r1")
        assert gate.reached.wait(SLOW_S)
        until(lambda: report(place, job).step == "transcribe")
        other = process_or_index(jobs, "r2")

        assert {each["job"] for each in client.get("/v1/jobs?state=running").json()["jobs"]} == {job, other}
        assert [each["job"] for each in client.get("/v1/jobs", params={"recording": "r1"}).json()["jobs"]] == [job]
        page = client.get("/v1/jobs?limit=1").json()
        assert page["more"] and client.get("/v1/jobs?limit=1&offset=1").json() == {
            "jobs": [client.get(f"/v1/jobs/{job}").json()],
            "more": False,
        }
        shown = client.get("/v1/recordings/r1").json()["job"]
        assert (shown["job"], shown["step"]) == (job, "transcribe") and 0 < shown["percent"] < 100
        for language, word in (("zh", "听写"), ("en", "transcribe")):
            assert word in client.get("/", params={"lang": language}).text

        assert client.post(f"/v1/jobs/{job}/first").json()["first"] is True
        assert client.post(f"/v1/jobs/{job}/cancel").json()["state"] == "cancelled"
        gate.open()
        ended_as(jobs, job)
        assert client.post(f"/v1/jobs/{job}/first").status_code == 409
        assert client.post(f"/v1/jobs/{job}/retry").json()["state"] in ("waiting", "running")
        assert ended_as(jobs, job) is None and ended_as(jobs, other) is None
        refused = client.post(f"/v1/jobs/{job}/cancel")
        assert refused.status_code == 409 and refused.headers["content-type"] == "application/problem+json"
        assert client.get("/v1/jobs/process:r1:99").status_code == 404
        assert client.get("/v1/jobs?state=sleeping").status_code == 422
        assert client.get("/v1/recordings/r1").json()["job"] is None
    assert all(job.kind in RECORDING_KINDS for job in place.job_board.jobs())


def test_the_list_is_read_by_people_in_both_languages(place: Workplace, tmp_path: Path) -> None:
    admit(place, tmp_path)
    assert liveproof(place.archive.home, "jobs").stdout.strip()
    with open_jobs(place) as jobs:
        job = process_or_index(jobs, "r1")
        jobs.wait(job)
    home = place.archive.home
    assert job not in liveproof(home, "jobs").stdout
    assert job in liveproof(home, "jobs", "--all").stdout
    assert job in liveproof(home, "jobs", "--all", "--follow").stdout
    assert job in liveproof(home, "jobs", "show", "r1").stdout
    liveproof(home, "jobs", "show", "process:r9:1", expect=4)
    liveproof(home, "jobs", "cancel", job, expect=78)
