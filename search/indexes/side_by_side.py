"""The same work on several shards at once: on all cores where they are idle, in the asking thread where they are not."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

WAIT_S = 60.0
_J = TypeVar("_J")
_R = TypeVar("_R")


def side_by_side(work: Callable[[_J], _R], jobs: Sequence[_J]) -> list[_R]:
    """What `work` gives for each job, in their order. The first error of a job is raised; TimeoutError after WAIT_S without an end.

    Worth it for work that leaves the interpreter's lock to others. What no other thread has begun yet the asking one does itself, so many
    askers at once cost no more than one after the other.
    """
    if len(jobs) < 2 or _threads() < 2:
        return [work(job) for job in jobs]
    asked: list[Future[_R]] = [_pool().submit(work, job) for job in jobs[:-1]]
    done: dict[int, _R] = {len(jobs) - 1: work(jobs[-1])}
    for place in reversed(range(len(asked))):
        if asked[place].cancel():
            done[place] = work(jobs[place])
    return [done[place] if place in done else asked[place].result(WAIT_S) for place in range(len(jobs))]


@cache
def _threads() -> int:
    return os.cpu_count() or 1


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_threads(), thread_name_prefix="shards")


# A forked process has none of its parent's threads.
os.register_at_fork(after_in_child=_pool.cache_clear)
