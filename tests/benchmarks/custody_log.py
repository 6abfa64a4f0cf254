"""What the custody log costs when it is long: appending, signing, extracting, proving, verifying.

python -m tests.benchmarks.custody_log [ENTRIES]; default 100000. Prints JSON: entries, milliseconds and seconds.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert

from archive.custody import GENESIS, CustodyEntry
from archive.custody_extract import custody_extract
from archive.custody_proofs import prove_inclusion
from archive.digest import canonical_json
from archive.opening import Archive, open_archive
from archive.schema import custody_entries
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.verification import custody_report


def seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return round(time.perf_counter() - started, 4)


def fill(archive: Archive, count: int) -> None:
    """Entries as `append` makes them, in one transaction."""
    previous, rows = GENESIS, []
    for seq in range(1, count + 1):
        detail = canonical_json({"number": seq, "content_digest": GENESIS}).decode()
        draft = CustodyEntry(seq, WallTime(1_700_000_000_000 + seq), "ann", "look", f"thing-{seq % 5000}", detail, previous, "")
        previous = draft.expected_digest()
        rows.append({**draft.as_json(), "at_ms": draft.at.epoch_ms, "digest": previous})
        del rows[-1]["at"]
    with archive.database.writing() as connection:
        for start in range(0, count, 1000):
            connection.execute(insert(custody_entries), rows[start : start + 1000])


def append_ms(archive: Archive, times: int = 50) -> float:
    took = seconds(lambda: [archive.custody.record("ann", "look", "thing", {"n": n}) for n in range(times)])
    return round(took / times * 1000, 2)


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = open_archive(ArchiveSettings(home=Path(folder) / "home"))
        figures: dict[str, float] = {"entries": count}
        fill(archive, count)
        figures["append_ms"] = append_ms(archive)
        figures["first_checkpoint_s"] = seconds(lambda: archive.checkpoints.make("ann"))
        append_ms(archive, 10)
        figures["next_checkpoint_s"] = seconds(lambda: archive.checkpoints.make("ann"))
        figures["extract_s"] = seconds(lambda: custody_extract(archive, {"thing-7", "thing-8"}, "ann"))
        figures["inclusion_proof_s"] = seconds(lambda: prove_inclusion(archive, count // 2))
        figures["verify_s"] = seconds(lambda: custody_report(archive, chain=True))
        archive.close()
    with tempfile.TemporaryDirectory() as folder:
        archive = open_archive(ArchiveSettings(home=Path(folder) / "home"))
        figures["append_to_empty_ms"] = append_ms(archive)
        archive.close()
    print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
