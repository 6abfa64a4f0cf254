"""How fast admission hashes and stores a file, beside `sha256sum` and `cp` on the same file.

    python -m tests.benchmarks.hash_and_store [MiB] [--folder DIR]

Each is run three times on a file that is in the page cache, with the copy synced to disk, and the fastest counts. Ratios, not
promises: below 1 admission is the faster. The probe's own reading of a media file is not in it.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from archive.object_store import open_store
from archive.settings import ArchiveSettings

RUNS = 3


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("mib", type=int, nargs="?", default=1024, help="size of the file in MiB (default 1024)")
    arguments.add_argument("--folder", type=Path, default=None, help="where to work (default: the system's temporary folder)")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        _measure(Path(name), given.mib)


def _measure(folder: Path, mib: int) -> None:
    source = folder / "source"
    _fill(source, mib)
    hashing = _fastest(lambda: _run("sha256sum", str(source)))
    copying = _fastest(lambda: _copy_synced(source, folder / "copy"))
    storing = _fastest(lambda: _store(source, folder / "home"))

    for what, seconds in (("sha256sum", hashing), ("cp, synced", copying), ("hash and store", storing)):
        print(f"{what:<16} {seconds:7.2f} s  {mib / seconds:7.0f} MiB/s")
    print(f"ratio to sha256sum then cp: {storing / (hashing + copying):.2f}")
    print(f"ratio to sha256sum alone:   {storing / hashing:.2f}")


def _fill(source: Path, mib: int) -> None:
    with source.open("wb") as target:
        for _ in range(mib):
            target.write(os.urandom(1 << 20))
        target.flush()
        os.fsync(target.fileno())


def _fastest(work: Callable[[], None]) -> float:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=3600)


def _copy_synced(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    _run("cp", "--reflink=never", str(source), str(target))
    _run("sync", str(target))


def _store(source: Path, home: Path) -> None:
    store = open_store(ArchiveSettings(home=home, free_space_margin_bytes=0))
    digest, _ = store.put_file(source)
    # So that the next run writes it again.
    store.path(digest).unlink()


if __name__ == "__main__":
    main()
