"""Who hears next: real threads that want the recogniser, batch after batch."""

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from api.recogniser_turns import PATIENCE, RecogniserTurns, Standing
from archive.job_board import JobCancelled

LIVE, DISPUTED, ORDINARY = 0, 1, 3
BATCH_S = 0.01


def hear(turns: RecogniserTurns, journal: list[str], job: str, standing: Callable[[], Standing], batches: int) -> threading.Thread:
    """A job that hears so many batches and keeps each for a moment; the journal says who heard."""

    def work() -> None:
        for _ in range(batches):
            with turns.turn(job, standing):
                journal.append(job)
                time.sleep(BATCH_S)
            time.sleep(BATCH_S / 4)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit, "it never came so far"
        time.sleep(0.002)


@pytest.fixture
def turns() -> RecogniserTurns:
    return RecogniserTurns(look_s=0.05, grace_s=0.2)


def test_only_one_has_the_recogniser_at_a_time(turns: RecogniserTurns) -> None:
    inside, most = 0, 0
    lock = threading.Lock()

    def work(job: str) -> None:
        nonlocal inside, most
        for _ in range(20):
            with turns.turn(job, lambda: Standing(ORDINARY, 0)):
                with lock:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.001)
                with lock:
                    inside -= 1

    threads = [threading.Thread(target=work, args=(f"job-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 1 and inside == 0


def test_a_live_part_waits_for_one_batch_and_not_for_the_backlog(turns: RecogniserTurns) -> None:
    journal: list[str] = []
    backlog = [hear(turns, journal, f"old-{n}", lambda n=n: Standing(ORDINARY, n), 40) for n in range(4)]  # type: ignore[misc]
    until(lambda: len(journal) > 10)
    asked_at = len(journal)
    hear(turns, journal, "live", lambda: Standing(LIVE, 99), 5).join(20)
    first = journal.index("live")
    assert first - asked_at <= 2, "the batch under way, and one that was being handed on, are all that goes before"
    assert journal[first : first + 5].count("live") >= 4, "its next batches follow each other"
    for thread in backlog:
        thread.join(30)
    assert len(journal) == 4 * 40 + 5


def test_a_job_of_lesser_standing_is_heard_once_in_a_while(turns: RecogniserTurns) -> None:
    journal: list[str] = []
    live = hear(turns, journal, "live", lambda: Standing(LIVE, 0), 60)
    until(lambda: len(journal) > 2)
    old = hear(turns, journal, "old", lambda: Standing(ORDINARY, 5), 5)
    old.join(20)
    live.join(20)
    heard = [n for n, job in enumerate(journal) if job == "old"]
    assert len(heard) == 5 and journal.index("old") < 60
    assert all(after - before <= PATIENCE + 2 for before, after in pairwise(heard))


def test_of_equal_rank_the_older_is_heard_first(turns: RecogniserTurns) -> None:
    journal: list[str] = []
    with turns.turn("holder", lambda: Standing(ORDINARY, 0)):
        younger = hear(turns, journal, "younger", lambda: Standing(ORDINARY, 20), 1)
        time.sleep(0.03)
        older = hear(turns, journal, "older", lambda: Standing(ORDINARY, 10), 1)
        time.sleep(0.03)
    older.join(5)
    younger.join(5)
    assert journal == ["older", "younger"]


def test_what_comes_into_dispute_while_it_waits_goes_before(turns: RecogniserTurns) -> None:
    journal: list[str] = []
    disputed = threading.Event()
    with turns.turn("holder", lambda: Standing(ORDINARY, 0)):
        first = hear(turns, journal, "first", lambda: Standing(ORDINARY, 1), 1)
        second = hear(turns, journal, "second", lambda: Standing(DISPUTED if disputed.is_set() else ORDINARY, 2), 1)
        time.sleep(0.05)
        disputed.set()
        time.sleep(0.15)
    first.join(5)
    second.join(5)
    assert journal == ["second", "first"]


def test_a_job_cancelled_while_it_waits_leaves_the_line(turns: RecogniserTurns) -> None:
    cancelled, ended = threading.Event(), threading.Event()

    def standing() -> Standing:
        if cancelled.is_set():
            raise JobCancelled("cancelled")
        return Standing(LIVE, 0)

    def work() -> None:
        with pytest.raises(JobCancelled), turns.turn("gone", standing):
            raise AssertionError("it was cancelled before its turn")
        ended.set()

    with turns.turn("holder", lambda: Standing(ORDINARY, 0)):
        threading.Thread(target=work, daemon=True).start()
        time.sleep(0.03)
        cancelled.set()
        assert ended.wait(5), "whoever waits learns of it without getting the turn"
    with turns.turn("next", lambda: Standing(ORDINARY, 1)):
        pass


def test_a_batch_that_fails_gives_the_recogniser_back(turns: RecogniserTurns) -> None:
    with pytest.raises(ValueError, match="broken"), turns.turn("one", lambda: Standing(ORDINARY, 0)):
        raise ValueError("broken")
    with turns.turn("two", lambda: Standing(ORDINARY, 0)):
        pass


def test_whoever_waits_long_says_so_and_says_when_it_is_over(turns: RecogniserTurns) -> None:
    told: list[bool] = []
    with turns.turn("holder", lambda: Standing(ORDINARY, 0)):
        waiting = threading.Thread(target=lambda: _take(turns, told))
        waiting.start()
        until(lambda: told == [True])
    waiting.join(5)
    assert told == [True, False]


def _take(turns: RecogniserTurns, told: list[bool]) -> None:
    with turns.turn("waiting", lambda: Standing(ORDINARY, 1), told.append):
        pass
