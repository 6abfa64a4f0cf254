"""How fast a recording is admitted, with file digest and media root, beside `sha256sum` and `cp` on the same file; and in how much memory.

    python -m tests.benchmarks.admission [--minutes 180] [--ending mp4] [--folder DIR] [--runs 2]

The file is a real 1080p recording of several GB. Each run measures, one after the other, `sha256sum F`, `cp F` with `sync`, and `admit`
into a new home: probe, packet digests, Merkle root, hash, synced copy, catalog. The fastest of each counts. Target: 0.5 or more.
Peak memory is that of a process of its own, for this file and for a quarter of it.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from archive.opening import open_archive
from archive.settings import ArchiveSettings
from ingest.admission import IngestRequest, admit
from tests.benchmarks.long_recording import make_long_recording


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=int, default=180)
    arguments.add_argument("--ending", default="mp4", choices=["mp4", "flv", "mkv", "ts"])
    arguments.add_argument("--folder", type=Path, default=None, help="where the recordings are made and kept (default: a temporary folder)")
    arguments.add_argument("--runs", type=int, default=2)
    arguments.add_argument("--admit", type=Path, nargs=2, metavar=("FILE", "HOME"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.admit:
        _admit(*given.admit)
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        _measure(given.folder or Path(name), Path(name), given.minutes, given.ending, given.runs)


def _measure(recordings: Path, folder: Path, minutes: int, ending: str, runs: int) -> None:
    source = make_long_recording(recordings, minutes, ending)
    quarter = make_long_recording(recordings, max(1, minutes // 4), ending)
    hashing, copying, admitting = [], [], []
    for _ in range(runs):
        hashing.append(_seconds("sha256sum", str(source)))
        copying.append(_seconds("sh", "-c", 'cp --reflink=never "$1" "$2" && sync "$2"', "sh", str(source), str(folder / "copy")))
        (folder / "copy").unlink()
        took, memory = _admitted_apart(source, folder / "home")
        admitting.append(took)
    _, quarter_memory = _admitted_apart(quarter, folder / "home")
    mib = source.stat().st_size >> 20
    for what, seconds in (("sha256sum", min(hashing)), ("cp, synced", min(copying)), ("admit", min(admitting))):
        print(f"{what:<12} {seconds:7.2f} s  {mib / seconds:7.0f} MiB/s")
    print(f"file: {mib} MiB, {minutes} min, {ending}")
    print(f"speed of admission to that of sha256sum plus cp: {(min(hashing) + min(copying)) / min(admitting):.2f} (target 0.5)")
    print(f"peak memory: {memory} MiB; for {quarter.stat().st_size >> 20} MiB of the same: {quarter_memory} MiB")


def _seconds(*command: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=3600)
    return time.perf_counter() - began


def _admitted_apart(source: Path, home: Path) -> tuple[float, int]:
    """Seconds and peak MiB of an admission in a process of its own; its home is removed."""
    command = [sys.executable, "-m", "tests.benchmarks.admission", "--admit", str(source), str(home)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=3600).stdout.split()
    shutil.rmtree(home)
    return float(said[-2]), int(said[-1])


def _admit(source: Path, home: Path) -> None:
    archive = open_archive(ArchiveSettings(home=home, free_space_margin_bytes=0))
    began = time.perf_counter()
    admit(archive, IngestRequest((source,)), "benchmark")
    print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
    archive.close()


if __name__ == "__main__":
    main()
