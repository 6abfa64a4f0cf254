"""Hearing anew and second opinions, killed with -9 while they hear: the next process goes on with what the job was told; and over HTTP."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import operations
from api.app import create_app
from api.processing import open_jobs, process_or_index
from api.workplace import Workplace
from archive.transcripts import machine_version
from archive.verification import verify_archive
from ingest.admission import IngestRequest
from tests.api.test_growing_words import START, cut, newest, opened_at

WORKER = """
import os, sys
from pathlib import Path
from api.processing import open_jobs, transcribe_again
from api.second_opinions import start_second_opinion
from api.told_settings import settings_with
from tests.api.test_growing_words import opened_at

place = opened_at(Path(sys.argv[1]))

def say(step, done, total):
    os.write(1, f"{step}\\n".encode())

with open_jobs(place, say) as jobs:
    if sys.argv[2] == "anew":
        job = transcribe_again(jobs, "r1", settings_with(place.transcribe_settings, beam=2))
    else:
        place.transcribe_settings = settings_with(place.transcribe_settings, beam=2)
        job = start_second_opinion(jobs, place, "r1")["job"]
    os.write(1, f"job {job}\\n".encode())
    jobs.wait(job)
"""


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp("killed-opinions")
    place = opened_at(folder / "home")
    place.transcribe_settings = place.transcribe_settings.model_copy(update={"whisper_beam": 1})
    operations.ingest(place, IngestRequest(media=tuple(cut(folder, ())), recording_id="r1", started_at=START), "tester")
    with open_jobs(place) as jobs:
        jobs.wait(process_or_index(jobs, "r1"))
    yield place
    place.close()


def killed_in(home: Path, wanted: str, at: str) -> str:
    """Start it in a process of its own and kill that when it tells of a step that begins with `at`; the job's id."""
    environment = {**os.environ, "LIVEPROOF_WHISPER_BATCH": "1"}
    command = [sys.executable, "-c", WORKER, str(home), wanted]
    job = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=Path(__file__).parents[2]) as worker:
        assert worker.stdout
        for line in worker.stdout:
            job = line.split()[1] if line.startswith("job ") else job
            if job and line.startswith(at):
                worker.kill()
                return job
    raise AssertionError(f"the worker ended before it told of {at}")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("wanted", ["anew", "second"])
def test_what_a_killed_job_was_told_holds_in_the_process_that_goes_on(heard: Workplace, wanted: str) -> None:
    before = newest(heard)
    job = killed_in(heard.archive.home, wanted, "transcribe" if wanted == "anew" else "second")
    assert newest(heard).version == before.version
    assert heard.transcribe_settings.whisper_beam == 1
    with open_jobs(heard) as jobs:
        jobs.wait(job)
    after = newest(heard)
    machine = heard.archive.transcripts.version("r1", machine_version(after))
    told = machine.provenance.parameters
    if wanted == "anew":
        assert (told["beam_size"], told["job"]) == (2, job)
    else:
        opinion = told["second_opinion"]
        assert isinstance(opinion, dict) and isinstance(opinion["parameters"], dict)
        assert (opinion["parameters"]["beam_size"], opinion["job"]) == (2, job)
        assert [s.text for s in after.segments] == [s.text for s in before.segments]
    assert after.version == before.version + 1
    assert operations.indexed_version(heard, "r1") == after.version
    assert verify_archive(heard.archive).passed


@pytest.mark.timeout(300)
def test_a_second_opinion_is_asked_for_over_http(heard: Workplace) -> None:
    with TestClient(create_app(heard), base_url="http://127.0.0.1") as client:
        refused = client.post("/v1/recordings/r1/second-opinions", json={})
        assert refused.headers["content-type"] == "application/problem+json" and "runs no jobs" in json.dumps(refused.json())
        with open_jobs(heard) as jobs:
            client.app.state.jobs = jobs  # type: ignore[attr-defined]
            for path, body, status in (
                ("nobody", {}, 404),
                ("r1", {"segments": [0]}, 422),
                ("r1", {"segments": [99]}, 404),
                ("r1", {"from_ms": 9000, "to_ms": 9000}, 422),
                ("r1", {"model": "../../etc/passwd"}, 422),
                ("r1", {"surprise": 1}, 422),
            ):
                answer = client.post(f"/v1/recordings/{path}/second-opinions", json=body)
                assert answer.status_code == status, (body, answer.text)
                assert answer.headers["content-type"] == "application/problem+json"
            started = client.post("/v1/recordings/r1/second-opinions", json={"segments": [1]})
            assert started.status_code == 202
            assert started.json()["engine"] == "openai-whisper"
            until = time.monotonic() + 240
            while client.get(f"/v1/jobs/{started.json()['job']}").json()["state"] in ("waiting", "running"):
                assert time.monotonic() < until
                time.sleep(0.2)
            assert client.get(f"/v1/jobs/{started.json()['job']}").json()["state"] == "done"
    machine = heard.archive.transcripts.version("r1", machine_version(newest(heard)))
    opinion = machine.provenance.parameters["second_opinion"]
    assert isinstance(opinion, dict) and opinion["compared"] == 1
