"""A process that makes a recording searchable with the product's own job, killed from outside or left to its end, and watched either way.

    python -m tests.simulators.hearing_worker HOME [RECORDING]

says on standard output, a line of JSON each: every step it is told of, with its peak memory, and `done`. Without a recording it only loads
the recogniser, so that a first run's conversion of the model counts for nobody. Each call of the recogniser is noted in HOME/calls.
`Hearing` is the other side. Settings come from the environment, as the product's own do.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from api.engines import Engines
from api.processing import open_jobs, process_or_index
from api.workplace import Workplace, open_workplace
from archive.digest import Json
from archive.settings import ArchiveSettings
from search.settings import SearchSettings
from transcribe.audio import Samples
from transcribe.engines import Engine, HeardSegment
from transcribe.settings import TranscribeSettings

CALLS = "calls"


@dataclass(frozen=True)
class Told:
    """One step as the worker told it. `at_s` since its start, `peak_kb` its peak resident memory until then."""

    step: str
    done: int
    total: int
    at_s: float
    peak_kb: int


@dataclass
class Hearing:
    """One run of the worker. `told` grows while it is read."""

    home: Path
    recording: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def __enter__(self) -> "Hearing":
        command = [sys.executable, "-m", "tests.simulators.hearing_worker", str(self.home), *([self.recording] if self.recording else [])]
        self._errors = (self.home.parent / f"{self.home.name}.stderr").open("w+")
        self._began = time.monotonic()
        environment = {**os.environ, "LIVEPROOF_SCREEN_TEXT": "off", **self.environment}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._errors, text=True, env=environment)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._errors.close()

    def listen(self) -> Iterator[Told]:
        """Each step as it is told, until the worker has ended. RuntimeError if it failed."""
        assert self._process.stdout
        for line in self._process.stdout:
            step, done, total, peak_kb = json.loads(line)
            self.told.append(Told(step, done, total, time.monotonic() - self._began, peak_kb))
            yield self.told[-1]
        if self._process.wait(60) > 0:
            self._errors.seek(0)
            raise RuntimeError(self._errors.read()[-4000:])

    def to_the_end(self) -> "Hearing":
        for _ in self.listen():
            pass
        return self

    def kill(self) -> None:
        """SIGKILL, whatever it is at; its pipe is closed."""
        self._process.kill()
        self._process.wait(60)
        if self._process.stdout:
            self._process.stdout.close()

    @property
    def took_s(self) -> float:
        return self.told[-1].at_s


def calls(home: Path) -> list[str]:
    """Digests of what the recogniser was given, call by call, over all runs in this home."""
    journal = home / CALLS
    return journal.read_text().splitlines() if journal.exists() else []


class _Noting:
    """The recogniser, each call of it noted once it has answered."""

    def __init__(self, engine: Engine, journal: Path) -> None:
        self._engine, self._journal = engine, journal

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def transcribe(self, windows: Sequence[Samples], expected: Sequence[Sequence[str]] = ()) -> list[list[HeardSegment]]:
        heard = self._engine.transcribe(windows, expected) if expected else self._engine.transcribe(windows)
        digest = hashlib.sha256(b"".join(window.tobytes() for window in windows)).hexdigest()
        with self._journal.open("a") as journal:
            journal.write(digest + "\n")
        return heard


@dataclass
class _NotingEngines(Engines):
    """The recognisers of a process, each call of them noted."""

    journal: Path = Path(CALLS)

    def of(self, settings: TranscribeSettings, home: Path) -> Engine:
        return cast(Engine, _Noting(super().of(settings, home), self.journal))


def opened_at(home: Path) -> Workplace:
    """The workplace that worker and onlookers share; no sentence model unless the environment names one."""
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0, actor="tester"))
    if "LIVEPROOF_EMBEDDING_MODEL" not in os.environ:
        place.search_settings = SearchSettings(embedding_model="none")
    return place


def peak_kb() -> int:
    """Peak resident memory of this process, in kB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("this system tells no peak memory")


def _say(step: str, done: int, total: int) -> None:
    told: list[Json] = [step, done, total, peak_kb()]
    os.write(1, json.dumps(told).encode() + b"\n")


def main(home: Path, recording: str | None) -> None:
    place = opened_at(home)
    place.engines = _NotingEngines(journal=home / CALLS)
    if not recording:
        place.engine  # noqa: B018 - loads it, and converts its model
    else:
        with open_jobs(place, _say) as jobs:
            jobs.wait(process_or_index(jobs, recording))
    _say("done", 1, 1)
    place.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
