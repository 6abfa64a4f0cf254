"""The short form of tests/benchmarks/growing_session.py: what a live session's next batch costs does not depend on what was before."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from api import operations
from tests.benchmarks.growing_session import HOUR_MS, batch_seconds

# Calls are counted, not seconds: a busy machine makes them no more.
MOST_TIMES = 1.35


def calls_of(act: Callable[[], object]) -> int:
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


def calls_of_batches(home: Path, held_ms: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Calls that indexing three batches takes."""
    counts: list[int] = []
    index = operations.index
    with monkeypatch.context() as patched:
        patched.setattr(operations, "index", lambda *arguments: counts.append(calls_of(lambda: index(*arguments))))
        batch_seconds(home, held_ms, 3)
    return sum(counts[1:])


def test_a_batch_costs_the_same_however_much_is_indexed_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = calls_of_batches(tmp_path / "short", HOUR_MS // 3, monkeypatch)
    long = calls_of_batches(tmp_path / "long", HOUR_MS * 4 // 3, monkeypatch)
    assert long < short * MOST_TIMES
