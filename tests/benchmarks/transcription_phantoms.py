"""Half an hour each of music, of noise and of silence, in which nobody speaks: what is written over it, and whether it is marked.

Humming in syllables and a crowd of voices are shown besides: there, a recogniser must write something.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archive.transcript import doubts
from tests.benchmarks.background_sound import hiss, humming, noise, tune
from tests.benchmarks.spoken_material import Material, crowd, part_of
from tests.benchmarks.transcription import Given, Line
from tests.benchmarks.transcription_disturbed import SEED, listener
from transcribe.audio import SAMPLE_RATE_HZ, Samples
from transcribe.engines import Engine
from transcribe.settings import TranscribeSettings
from transcribe.transcription import PartTranscript, transcribe_part

MINUTES, SHORT_MINUTES = 30, 3
_LEVEL = 0.3


@dataclass(frozen=True)
class Ears:
    """Who hears, and where the sound may lie meanwhile."""

    engine: Engine
    settings: TranscribeSettings
    folder: Path


def measure(given: Given) -> Iterator[Line]:
    """Lines for `tests.benchmarks.transcription`."""
    minutes = SHORT_MINUTES if given.short else MINUTES
    ears = Ears(*listener(given.model, given.folder), given.folder)
    for name, sound in (("music", tune), ("noise", noise), ("silence", silence)):
        yield from _shown(f"{minutes} min of {name}", sound(minutes * 60 * SAMPLE_RATE_HZ, SEED), ears, wanted=True)
    few = max(1, minutes // 10)
    for name, sound in (("humming", humming), ("a crowd", crowd)):
        yield from _shown(f"{few} min of {name}", sound(few * 60 * SAMPLE_RATE_HZ, SEED), ears, wanted=False)


def silence(samples: int, seed: int = 1) -> Samples:
    """Nothing but the last bit of a quiet line in."""
    return (hiss(samples, seed) * 1e-4).astype(np.float32)


def transcript_of(samples: Samples, ears: Ears) -> tuple[PartTranscript, int]:
    """What is written over a sound, and how many ms of it were given to the recogniser."""
    material = Material(np.asarray(samples * _LEVEL, np.float32), ())
    path = material.written(ears.folder / "material.wav")
    transcript = transcribe_part(path, part_of(path, material.duration_ms), ears.engine, ears.settings, ears.folder / "sound")
    return transcript, sum(end - start for start, end in transcript.speech)


def _shown(name: str, samples: Samples, ears: Ears, *, wanted: bool) -> Iterator[Line]:
    transcript, heard_ms = transcript_of(samples, ears)
    unmarked = [segment.text for segment in transcript.segments if not doubts(segment.risk)]
    yield Line(f"{name}: given to the recogniser", f"{heard_ms / 1000:.1f} s")
    marked = len(transcript.segments) - len(unmarked)
    texts = f" ({'; '.join(unmarked[:3])})" if unmarked else ""
    figure = f"{len(unmarked)} of {len(transcript.segments)} ({marked} marked)"
    yield Line(f"  unmarked segments{texts}", figure, "none" if wanted else "", not unmarked if wanted else None)
