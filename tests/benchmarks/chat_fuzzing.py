"""Throws mutated files of every chat format at the readers for a while; nothing but an error that names the file may come out.

    python -m tests.benchmarks.chat_fuzzing [--minutes 1] [--seed N]

Each mutated sample is read twice: by its own format, whatever it looks like by then, and by the format that it is taken for. Prints how
many readings there were, the slowest by the processor's time, and the most memory the process held.
"""

import argparse
import random
import resource
import tempfile
import time
from pathlib import Path

from tests.ingest.test_chat_bad_input import mutated, outcome
from tests.ingest.written_chats import SAMPLES


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=1.0)
    arguments.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = arguments.parse_args()
    print(f"seed {given.seed}")
    seeds = random.Random(given.seed)
    readings, read, slowest, worst = 0, 0, 0.0, ""
    until = time.monotonic() + given.minutes * 60
    with tempfile.TemporaryDirectory() as name:
        while time.monotonic() < until:
            seed = seeds.randrange(2**40)
            for sample, content in SAMPLES.items():
                changed = mutated(content, seed)
                for own in (sample.partition(":")[0], None):
                    begin = time.process_time()
                    try:
                        found = outcome(Path(name), changed, own)
                    except BaseException:
                        print(f"sample {sample}, mutation {seed}, read as {own or 'what it looks like'}:")
                        raise
                    readings, read = readings + 1, read + (found is not None)
                    if (took := time.process_time() - begin) > slowest:
                        slowest, worst = took, f"{sample}, mutation {seed}"
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{readings} readings, {read} gave messages or none, {readings - read} were refused by name")
    print(f"slowest {slowest:.2f} s ({worst}); at most {peak_mb:.0f} MiB held")


if __name__ == "__main__":
    main()
