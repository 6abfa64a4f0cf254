"""Sound whose every word is known, for benchmarks of hearing: the demo session's lines laid out anew: clean, over music, between silences.

Nothing but what the repository holds is needed. `tests.benchmarks.transcription` and its parts use it.
"""

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from infra.models.evaluate_whisper import TrueLine, committed_parts, part_of
from tests.benchmarks.background_sound import hiss, noise, tune
from transcribe.audio import SAMPLE_RATE_HZ, SAMPLES_PER_MS, Samples
from transcribe.settings import TranscribeSettings
from transcribe.transcription import sound_of

SESSION = Path(__file__).parents[2] / "infra" / "demo" / "session"
_MARGIN_MS = 40
_PAUSE_MS = (250, 900)
_LEVEL = 0.1


@dataclass(frozen=True)
class Material:
    """Sound at 16 kHz, mono, and the lines spoken in it, in ms from its start."""

    samples: Samples
    lines: tuple[TrueLine, ...]

    @property
    def duration_ms(self) -> int:
        return len(self.samples) // SAMPLES_PER_MS

    @property
    def characters(self) -> int:
        return sum(len(line.text) for line in self.lines)

    def written(self, path: Path) -> Path:
        """As a WAV file of 16 bit."""
        soundfile.write(path, np.clip(self.samples, -1, 1), SAMPLE_RATE_HZ, subtype="PCM_16")
        return path


@dataclass(frozen=True)
class _Clip:
    samples: Samples
    line: TrueLine


@cache
def _clips() -> tuple[_Clip, ...]:
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (path, duration_ms, lines) in enumerate(committed_parts(SESSION)):
            sound = sound_of(path, Path(folder) / f"{number}.s16", TranscribeSettings())
            if sound is None:
                raise SystemExit(f"{path} has no sound")
            for line in lines:
                samples = sound.read(line.start_ms - _MARGIN_MS, min(line.end_ms + _MARGIN_MS, duration_ms))
                begun = max(0, line.start_ms - _MARGIN_MS)
                moved = tuple(ms - begun for ms in line.char_ms)
                found.append(_Clip(samples, TrueLine(line.start_ms - begun, line.end_ms - begun, line.text, moved)))
    return tuple(found)


def clean(minutes: float, seed: int = 1, pauses_ms: tuple[int, int] = _PAUSE_MS) -> Material:
    """The session's 71 lines in a new order, again and again, with pauses drawn from `pauses_ms`, over a little room noise."""
    rng = random.Random(seed)
    pieces: list[Samples] = []
    lines: list[TrueLine] = []
    wanted, at = round(minutes * 60_000), 0
    while at < wanted:
        for clip in rng.sample(_clips(), len(_clips())):
            pause_ms = rng.randint(*pauses_ms)
            length_ms = len(clip.samples) // SAMPLES_PER_MS
            if at + pause_ms + length_ms > wanted:
                at = wanted
                break
            begun = at + pause_ms
            line = clip.line
            lines.append(TrueLine(begun + line.start_ms, begun + line.end_ms, line.text, tuple(begun + ms for ms in line.char_ms)))
            pieces += [np.zeros(pause_ms * SAMPLES_PER_MS, np.float32), clip.samples[: length_ms * SAMPLES_PER_MS]]
            at = begun + length_ms
    whole = np.concatenate(pieces)
    whole = np.pad(whole, (0, max(0, wanted * SAMPLES_PER_MS - len(whole))))
    return Material((whole + hiss(len(whole), seed) * 0.0008).astype(np.float32), tuple(lines))


def over_music(material: Material, decibels_below: float = 15.0, seed: int = 1) -> Material:
    """The same speech over a tune whose level (RMS) lies `decibels_below` that of the speech."""
    bed = tune(len(material.samples), seed)
    gain = _speech_level(material) * 10 ** (-decibels_below / 20) / float(np.sqrt(np.mean(bed**2)))
    return Material((material.samples + bed * gain).astype(np.float32), material.lines)


def with_silence(minutes: float, share: float = 0.4, seed: int = 1) -> Material:
    """Clean speech of which `share` is silence: pauses of half a second to twenty."""
    rng = random.Random(seed)
    speech = clean(minutes * (1 - share), seed)
    cuts = sorted(rng.sample(range(1, len(speech.lines)), max(1, len(speech.lines) // 4)))
    silent_ms = round(minutes * 60_000) - speech.duration_ms
    weights = [rng.uniform(0.5, 20.0) for _ in cuts]
    lengths = [round(silent_ms * weight / sum(weights)) for weight in weights]
    pieces: list[Samples] = []
    lines: list[TrueLine] = []
    begun = added = 0
    for cut, length in zip([*cuts, len(speech.lines)], [*lengths, 0], strict=True):
        lines += [
            TrueLine(line.start_ms + added, line.end_ms + added, line.text, tuple(ms + added for ms in line.char_ms))
            for line in speech.lines[len(lines) : cut]
        ]
        end = speech.lines[cut - 1].end_ms + 100 if cut < len(speech.lines) else speech.duration_ms
        pieces += [speech.samples[begun * SAMPLES_PER_MS : end * SAMPLES_PER_MS]]
        pieces += [(hiss(length * SAMPLES_PER_MS, cut) * 0.0003).astype(np.float32)]
        begun, added = end, added + length
    return Material(np.concatenate(pieces), tuple(lines))


def crowd(samples: int, seed: int = 1, voices: int = 12) -> Samples:
    """Many people talking at once, of whom nobody can be understood: the session's lines backwards, `voices` of them at any time."""
    rng, out = random.Random(seed), np.zeros(samples, np.float32)
    for _ in range(voices):
        at = -rng.randrange(3 * SAMPLE_RATE_HZ)
        while at < samples:
            spoken = rng.choice(_clips()).samples[::-1] * np.float32(rng.uniform(0.4, 1.0))
            begin, end = max(at, 0), min(samples, at + len(spoken))
            if end > begin:
                out[begin:end] += spoken[begin - at : end - at]
            at += len(spoken) + rng.randrange(SAMPLE_RATE_HZ)
    return out / max(1e-6, float(np.abs(out).max()))


def _speech_level(material: Material) -> float:
    spoken: Sequence[Samples] = [material.samples[line.start_ms * 16 : line.end_ms * 16] for line in material.lines] or [material.samples]
    return float(np.sqrt(np.mean(np.concatenate(spoken) ** 2))) or _LEVEL


__all__ = ["Material", "clean", "crowd", "noise", "over_music", "part_of", "tune", "with_silence"]
