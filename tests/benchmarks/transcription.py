"""Transcription measured side by side in one run: speed against the peers, character error, memory, phantoms, times of words, kill -9.

    python -m tests.benchmarks.transcription [PART …] [--model MODEL.pt] [--short] [--out FIGURES.json]

Parts: speed, memory, disturbed, phantoms, times, killed; all of them without a name. `--short` takes minutes instead of hours where a part
is long, and says so in its lines. Without `--model` the bundled demo model is heard with; `speed` also takes random weights of the size of
`tiny`, for cost only. Exit 1 if a figure misses what is wanted.
"""

import argparse
import importlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from archive.logs import configure_logs
from archive.settings import archive_settings
from transcribe.settings import BUNDLED_MODEL

PARTS = ("speed", "memory", "disturbed", "phantoms", "times", "killed")


@dataclass(frozen=True)
class Given:
    """What a part works with: the model, a scratch folder, and whether minutes must do."""

    model: Path
    folder: Path
    short: bool


@dataclass(frozen=True)
class Line:
    """One figure. `wanted` says in words what it is held to (empty: only shown); `holds` is None where nothing is wanted."""

    what: str
    figure: str
    wanted: str = ""
    holds: bool | None = None

    def __str__(self) -> str:
        mark = "" if self.holds is None else "  ok" if self.holds else "  MISSED"
        return f"  {self.what:58} {self.figure:>22}  {self.wanted}{mark}"


def measured(part: str, given: Given) -> Iterator[Line]:
    """The figures of one part: `measure` of the module `tests.benchmarks.transcription_PART`."""
    module = importlib.import_module(f"tests.benchmarks.transcription_{part}")
    yield from module.measure(given)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    arguments.add_argument("--model", type=Path, default=BUNDLED_MODEL)
    arguments.add_argument("--short", action="store_true")
    arguments.add_argument("--out", type=Path)
    given = arguments.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        arguments.error(f"no part {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    configure_logs(archive_settings())
    lines: list[tuple[str, Line]] = []
    for part in given.parts or PARTS:
        print(part, flush=True)
        with tempfile.TemporaryDirectory(prefix=f"liveproof-{part}-") as folder:
            for line in measured(part, Given(given.model, Path(folder), given.short)):
                lines.append((part, line))
                print(line, flush=True)
    if given.out:
        given.out.write_text(json.dumps([{"part": part, **asdict(line)} for part, line in lines], ensure_ascii=False, indent=1))
    sys.exit(any(line.holds is False for _, line in lines))


if __name__ == "__main__":
    main()
