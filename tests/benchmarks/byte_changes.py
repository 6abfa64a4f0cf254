"""Random single-byte changes of everything held, and how many of them verification finds.

    python -m tests.benchmarks.byte_changes [--changes 10000] [--seed N] [--folder DIR]

Four kinds, a quarter of the changes each, every one undone before the next:

    package   one bit of any byte of a package ZIP
    object    one bit of any byte of any object in the store
    row       one character, digit or bit of a value of any row of the catalog's tables
    log       the same in custody entries, checkpoints and granted time-stamps

A change counts as found if a check fails. So that thousands fit into minutes, only those checks are made first that can see the kind:
for packages all but hashing the clips' packets and running openssl; for objects `objects`; for rows and log all but `objects` and
`media_roots`, whose subject is the media. What these do not find is put to the whole verification, and only then counts as missed.
Working notes that no evidence rests on are left out: tests/simulators/tampering.py names them.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from archive.opening import Archive, open_archive
from archive.verification import verify_archive, verify_package
from archive.verifier.checks import Means, verify
from tests.archive.generated_media import make_media
from tests.simulators.tampering import LOG_TABLES, Tally, Tamperer, fill, one_bit_flipped, tally

ROW_CHECKS = ("presence", "rows", "claims", "transcripts", "purges", "locks", "custody", "checkpoints", "timestamps")


class Attack:
    """An archive and a package of it, under attack from a seeded chance."""

    def __init__(self, archive: Archive, package: Path, chance: random.Random) -> None:
        self._archive, self._package, self._chance = archive, package, chance
        self._tamperer = Tamperer(archive.home, chance)
        if empty := self._tamperer.empty_tables():
            raise ValueError(f"nothing to change in {empty}")
        self._objects = [archive.store.path(digest) for digest in archive.store.digests()]

    def package(self) -> tuple[bool, str]:
        return self._found(one_bit_flipped(self._package, self._chance), self._package_fails)

    def object(self) -> tuple[bool, str]:
        return self._found(one_bit_flipped(self._chance.choice(self._objects), self._chance), lambda: self._archive_fails(("objects",)))

    def row(self) -> tuple[bool, str]:
        tables = [name for name in self._tamperer.tables() if name not in LOG_TABLES]
        return self._found(self._tamperer.one_value_changed(self._chance.choice(tables)), lambda: self._archive_fails(ROW_CHECKS))

    def log(self) -> tuple[bool, str]:
        return self._found(self._tamperer.one_value_changed(self._chance.choice(LOG_TABLES)), lambda: self._archive_fails(ROW_CHECKS))

    def kinds(self) -> dict[str, Callable[[], tuple[bool, str]]]:
        return {"package": self.package, "object": self.object, "row": self.row, "log": self.log}

    def close(self) -> None:
        self._tamperer.close()

    @staticmethod
    def _found(change: AbstractContextManager[str], fails: Callable[[], bool]) -> tuple[bool, str]:
        with change as what:
            return fails(), what

    def _archive_fails(self, checks: tuple[str, ...]) -> bool:
        return not verify_archive(self._archive, only=checks).passed or not verify_archive(self._archive).passed

    def _package_fails(self) -> bool:
        quick = verify(self._package, Means(None, None, None))
        return any(check.passed is False for check in quick) or not verify_package(self._package).passed


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--changes", type=int, default=10_000, help="how many changes in all (default 10000)")
    arguments.add_argument("--seed", type=int, default=20261122, help="seed of the chance (default 20261122)")
    arguments.add_argument("--folder", type=Path, default=None, help="where to work (default: the system's temporary folder)")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        return _run(Path(name), given.changes, given.seed)


def _run(work: Path, changes: int, seed: int) -> int:
    media = {"flv": make_media(work / "session.flv", 3, (1000,)), "other": make_media(work / "other.flv", 3, (1000,), seed=1)}
    settings = fill(work / "home", media, work)
    archive = open_archive(settings)
    if failures := [*verify_archive(archive).failures, *verify_package(work / "package.zip").failures]:
        sys.stderr.write(f"what is untouched does not verify: {failures}\n")
        return 2
    attack = Attack(archive, work / "package.zip", random.Random(seed))
    print(f"seed {seed}, {len(list(archive.store.digests()))} objects, package of {(work / 'package.zip').stat().st_size} bytes\n")
    print(f"{'kind':<8} {'tried':>7} {'found':>7} {'not found':>10} {'ms each':>8}")
    tallies: dict[str, Tally] = {}
    for kind, change in attack.kinds().items():
        began = time.perf_counter()
        tallies[kind] = outcome = tally(changes // 4, change)
        each_ms = 1000 * (time.perf_counter() - began) / max(1, outcome.tried)
        print(
            f"{kind:<8} {outcome.tried:>7} {outcome.tried - len(outcome.missed):>7} {len(outcome.missed):>10} {each_ms:>8.1f}", flush=True
        )
    missed = [what for outcome in tallies.values() for what in outcome.missed]
    print("\n".join(["", *missed[:50]]))
    undone = verify_archive(archive).passed and verify_package(work / "package.zip").passed
    print("everything was put back and verifies" if undone else "SOMETHING WAS NOT PUT BACK: the figures are void")
    attack.close()
    archive.close()
    return 0 if undone and not missed else 1


if __name__ == "__main__":
    sys.exit(main())
