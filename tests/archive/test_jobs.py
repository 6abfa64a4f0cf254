"""Durable jobs: what kill -9 costs, who takes over, and what is never done twice (G5)."""

import subprocess
import sys
import time
from pathlib import Path

import pytest


def worker(home: Path, journal: Path, steps: int, pace_s: float, *extra: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.simulators.counting_worker", str(home), str(journal), str(steps), str(pace_s), *extra]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def steps_run(journal: Path) -> list[int]:
    return [int(line.split()[0]) for line in journal.read_text().splitlines()] if journal.exists() else []


def kill_after(process: "subprocess.Popen[str]", journal: Path, steps: int) -> None:
    """Kill -9 once so many steps have begun."""
    until = time.monotonic() + 60
    while len(steps_run(journal)) < steps:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "the worker never came so far"
        time.sleep(0.02)
    process.kill()
    process.communicate(timeout=10)


def finish(process: "subprocess.Popen[str]") -> list[str]:
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    return out.splitlines()


def test_a_job_runs_each_step_once_and_gives_its_result(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    assert finish(worker(tmp_path, journal, 3, 0, "one"))[-1] == "result 1,2,3"
    assert steps_run(journal) == [1, 2, 3]


def test_a_finished_job_started_again_is_not_done_again(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    finish(worker(tmp_path, journal, 2, 0, "one"))
    assert finish(worker(tmp_path, journal, 2, 0, "one"))[-1] == "result 1,2"
    assert steps_run(journal) == [1, 2]


@pytest.mark.parametrize("killed_in_step", [1, 3])
def test_after_kill_9_a_job_goes_on_with_the_step_it_was_in(tmp_path: Path, killed_in_step: int) -> None:
    journal = tmp_path / "journal"
    kill_after(worker(tmp_path, journal, 4, 0.4, "one"), journal, killed_in_step)
    assert finish(worker(tmp_path, journal, 4, 0.05, "one"))[-1] == "result 1,2,3,4"
    ran = steps_run(journal)
    assert sorted(set(ran)) == [1, 2, 3, 4]
    assert ran.count(killed_in_step) <= 2
    assert all(ran.count(step) == 1 for step in range(1, 5) if step != killed_in_step)


def test_a_dead_workers_job_is_taken_over_by_a_worker_in_another_slot(tmp_path: Path) -> None:
    first_journal, second_journal = tmp_path / "first", tmp_path / "second"
    first = worker(tmp_path, first_journal, 200, 0.2, "one")
    until = time.monotonic() + 60
    while not steps_run(first_journal) and time.monotonic() < until:
        time.sleep(0.05)
    second = worker(tmp_path, second_journal, 3, 0.5, "two")
    kill_after(second, second_journal, 2)
    first.kill()
    first.communicate(timeout=10)
    # The next process takes slot 0; the job "two" lay in slot 1.
    assert finish(worker(tmp_path, second_journal, 3, 0.05, "two", "wait-only"))[0].endswith("-0")
    assert sorted(set(steps_run(second_journal))) == [1, 2, 3]
    assert steps_run(second_journal).count(1) == 1


def test_two_live_workers_hold_different_slots(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    first = worker(tmp_path, journal, 12, 0.25, "one")
    until = time.monotonic() + 60
    while not steps_run(journal) and time.monotonic() < until:
        time.sleep(0.05)
    second = worker(tmp_path, journal, 12, 0.25, "one")
    first_out, second_out = finish(first), finish(second)
    assert {first_out[0][-2:], second_out[0][-2:]} == {"-0", "-1"}
    assert first_out[-1] == second_out[-1]
    assert steps_run(journal) == list(range(1, 13)), "a live worker's job must not be taken over"
