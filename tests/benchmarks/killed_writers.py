"""Admission and packaging killed with -9 at random moments: what is left, and what comes of it when the same is run again.

    python -m tests.benchmarks.killed_writers [--kills 50] [--seed N] [--folder DIR]

Half the kills hit an admission (media, chat, shelf), half the building of a package; the moments are spread evenly by chance over the
time that an undisturbed act takes on this machine, and one that comes after the end is no kill and is tried again. After each kill the
archive is opened and verified, the same act is run to its end, and rows of every table, acts in the custody log and packages are held
against an undisturbed run's.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.archive.generated_media import make_media
from tests.simulators.killed_writer import ACTS, Act


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=50, help="how many kills in all (default 50)")
    arguments.add_argument("--seed", type=int, default=20261122, help="seed of the chance (default 20261122)")
    arguments.add_argument("--folder", type=Path, default=None, help="where to work (default: the system's temporary folder)")
    given = arguments.parse_args()
    chance, wrong = random.Random(given.seed), 0
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        media = make_media(Path(name) / "session.flv", 30, (1000,))
        for kind in ACTS:
            act = Act(kind, Path(name) / kind, media)
            act.prepare()
            print(f"{kind}: undisturbed in {act.takes_ms} ms; seed {given.seed}", flush=True)
            tries = 0
            while sum(death.step is not None for death in act.deaths) < given.kills // len(ACTS) and tries < 2 * given.kills:
                problems = act.kill_and_recover(tries, chance.random())
                tries += 1
                wrong += bool(problems)
                print("".join(f"  kill {tries}: {problem}\n" for problem in problems), end="", flush=True)
            died = Counter(death.step or "(had finished: tried again)" for death in act.deaths)
            print("  died at: " + ", ".join(f"{step} {count}" for step, count in died.most_common()))
            print(f"  left behind and named by nothing: at most {max(act.leftovers, default=0)} a kill, {sum(act.leftovers)} in all")
    print(f"{given.kills} kills, {wrong} of them with something wrong afterwards")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
