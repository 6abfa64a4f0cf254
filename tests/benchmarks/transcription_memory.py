"""Peak memory of the process that transcribes, and the time of a batch, for a short file and for a long one: neither may grow with length.

The product's own job, from an admitted file to the stored transcript, each in a process of its own; the programs it calls (ffmpeg) are
apart. The recogniser is loaded once before, because converting a model in OpenAI's format takes more memory than hearing with it.
"""

import itertools
import statistics
from collections.abc import Iterator
from pathlib import Path

import soundfile

from api import operations
from ingest.admission import IngestRequest
from tests.benchmarks.spoken_material import clean
from tests.benchmarks.transcription import Given, Line
from tests.simulators.hearing_worker import Hearing, Told, opened_at
from transcribe.audio import SAMPLE_RATE_HZ

PIECE_MIN = 10
MINUTES, SHORT_MINUTES = (30, 600), (10, 60)
RATIO_MAX, BATCH_MAX = 1.10, 1.25
STORED = "clock"  # the first step that is told behind the stored transcript


def measure(given: Given) -> Iterator[Line]:
    """Short against long: 30 min and 10 h, with `short` 10 min and 1 h."""
    short, long = SHORT_MINUTES if given.short else MINUTES
    told = {minutes: _heard(given, minutes) for minutes in (short, long)}
    peaks = {minutes: _peak(steps, STORED) for minutes, steps in told.items()}
    for minutes, peak in peaks.items():
        yield Line(f"peak memory, {minutes} min, to the stored transcript", f"{peak / 1024:.0f} MiB")
    ratio = peaks[long] / peaks[short]
    yield Line(f"the same, {long} min / {short} min", f"{ratio:.3f}", f"≤ {RATIO_MAX:.2f}", ratio <= RATIO_MAX)
    for minutes, steps in told.items():
        yield Line(f"peak memory, {minutes} min, with indexing for search", f"{_peak(steps, 'done') / 1024:.0f} MiB")
    quarters = _batch_s(told[long])
    growth = quarters[1] / quarters[0]
    figure = f"{quarters[0] * 1000:.0f} → {quarters[1] * 1000:.0f} ms"
    yield Line(f"a batch of {long} min, first → last quarter (median)", figure, f"≤ × {BATCH_MAX}", growth <= BATCH_MAX)
    for minutes, steps in told.items():
        stored_s = next(step.at_s for step in steps if step.step == STORED)
        yield Line(f"time to the stored transcript, {minutes} min", f"{stored_s:.0f} s ({stored_s / 60 / minutes:.4f} of its length)")


def spoken_file(path: Path, minutes: int) -> Path:
    """Clean speech of this length, made in pieces, each another order of lines."""
    with soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 1, "PCM_16") as target:
        for begun in range(0, minutes, PIECE_MIN):
            target.write(clean(min(PIECE_MIN, minutes - begun), seed=1 + begun).samples)
    return path


def admitted(home: Path, source: Path, given: Given) -> dict[str, str]:
    """Admit a file in a new home and load the recogniser there; the environment that workers on it need."""
    environment = {"LIVEPROOF_WHISPER_MODEL": str(given.model), "LIVEPROOF_WHISPER_DEVICE": "cpu"}
    place = opened_at(home)
    operations.ingest(place, IngestRequest((source,), "r1"), "benchmark")
    place.close()
    with Hearing(home, environment=environment) as loading:
        loading.to_the_end()
    return environment


def _heard(given: Given, minutes: int) -> list[Told]:
    home, source = given.folder / f"home-{minutes}", given.folder / f"{minutes}.flac"
    environment = admitted(home, spoken_file(source, minutes), given)
    source.unlink()
    with Hearing(home, "r1", environment) as hearing:
        return hearing.to_the_end().told


def _peak(steps: list[Told], until: str) -> int:
    return next(step.peak_kb for step in steps if step.step == until)


def _batch_s(steps: list[Told]) -> tuple[float, float]:
    """Median seconds from one batch to the next, over the first and the last quarter."""
    at = [step.at_s for step in steps if step.step.startswith("transcribe") and step.done]
    between = [later - earlier for earlier, later in itertools.pairwise(at)]
    quarter = max(1, len(between) // 4)
    return statistics.median(between[:quarter]), statistics.median(between[-quarter:])
