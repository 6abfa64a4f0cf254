"""A worker process whose job writes a line for each step it really runs; killed from outside, it shows what is done again.

python -m tests.simulators.counting_worker HOME JOURNAL STEPS SECONDS_A_STEP SUBJECT [wait-only]
"""

import os
import sys
import time
from pathlib import Path

from dbos import DBOS

from archive.jobs import Jobs
from archive.settings import ArchiveSettings

journal = Path(sys.argv[2])
steps, pace_s = int(sys.argv[3]), float(sys.argv[4])


def count(number: int) -> int:
    """One step: note that it ran, take a while."""
    with journal.open("a") as file:
        file.write(f"{number} {os.getpid()}\n")
        file.flush()
    time.sleep(pace_s)
    return number


@DBOS.workflow(name="counting")
def counting(subject: str) -> str:
    return ",".join(str(DBOS.run_step({"name": f"count {n}"}, count, n)) for n in range(1, steps + 1))


def main() -> None:
    home = Path(sys.argv[1])
    jobs = Jobs(ArchiveSettings(home=home), home)
    print(f"worker {jobs.worker}", flush=True)
    job = f"count:{sys.argv[5]}:1" if "wait-only" in sys.argv else jobs.start(counting, sys.argv[5], "count")
    print(f"result {jobs.wait(job)}", flush=True)
    jobs.close()


if __name__ == "__main__":
    main()
