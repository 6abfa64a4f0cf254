"""G5: an admission killed with -9 at any moment leaves the archive sound, and run again it gives what it would have given, once.

tests/benchmarks/killed_writers.py kills 50 times and says in which step each died.
"""

import random
from pathlib import Path

from tests.simulators.killed_writer import Act


def test_an_admission_killed_at_any_moment_ends_well_when_run_again(media: dict[str, Path], tmp_path: Path) -> None:
    act = Act("admission", tmp_path, media["flv"])
    act.prepare(runs=1)
    chance = random.Random(20261122)
    for number in range(5):
        # One in each fifth of the act, so that few kills reach early and late steps alike.
        assert act.kill_and_recover(number, (number + chance.random()) / 5) == []
    assert {death.step for death in act.deaths} != {None}, "no kill came before the end"
    assert max(act.leftovers) <= 1
