"""G5: packaging killed with -9 at any moment leaves nothing half done, and the next run gives one sound package."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from archive.evidence_package import build_package
from archive.verification import verify_archive, verify_package
from tests.archive.held import CHAT, EVENTS, SHELF, add_transcript, admit, open_case, open_test_archive

BUILD = """
import sys
from pathlib import Path
from archive.evidence_package import build_package
from tests.archive.held import open_test_archive
print("ready", flush=True)
build_package(open_test_archive(Path(sys.argv[1])), "case-1", "ann", Path(sys.argv[2]))
"""


def test_packaging_killed_at_any_moment_ends_well_when_run_again(media: dict[str, Path], tmp_path: Path) -> None:
    archive = open_test_archive(tmp_path / "home")
    admit(archive, "r1", [media["flv"]], messages=CHAT, products=SHELF, events=EVENTS)
    add_transcript(archive, "r1")
    open_case(archive, "r1")
    out = tmp_path / "case.zip"
    chance = random.Random(20261120)
    for _ in range(5):
        command = [sys.executable, "-c", BUILD, str(tmp_path / "home"), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(chance.uniform(0.05, 1.5))
            process.send_signal(signal.SIGKILL)
        assert not out.exists() or verify_package(out).passed
        assert verify_archive(archive).passed
    built = build_package(archive, "case-1", "ann", out)
    assert archive.cases.packages("case-1") == [built]
    assert verify_package(out).passed
    assert verify_archive(archive).passed
    archive.close()
