"""The sound of the demo session: every line spoken, laid out with its exact time, under a little room noise."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.signal import resample_poly

from infra.demo.script import VOICES, Interlude, Line
from infra.models.voice import RATE_HZ, say
from infra.models.windows import music

AUDIO_RATE_HZ = 44_100
PER_MS = RATE_HZ // 1000
# A part ends and begins on a whole number of pictures at 15 per second: 3 pictures are 200 ms.
STEP_MS = 200
_LEAD_IN_MS, _AFTER_INTERLUDE_MS, _MUSIC_FADE_MS = 600, 400, 900
_LINE_RMS, _LINE_PEAK, _MUSIC_PEAK, _ROOM_NOISE = 0.1, 0.8, 0.15, 0.0008


@dataclass(frozen=True)
class Placed:
    """A spoken line in its part: ms of the part's media time; `char_ms[i]` is when character i begins."""

    line: Line
    start_ms: int
    end_ms: int
    char_ms: list[int]


@dataclass(frozen=True)
class PlacedInterlude:
    """Music or silence in its part, in ms of the part's media time."""

    kind: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class PartSound:
    """One part. `samples`: float32 mono at RATE_HZ, exactly `duration_ms` long."""

    samples: np.ndarray
    duration_ms: int
    lines: list[Placed]
    interludes: list[PlacedInterlude]

    def at_audio_rate(self) -> np.ndarray:
        """The same sound, float32 mono at AUDIO_RATE_HZ."""
        divisor = int(np.gcd(AUDIO_RATE_HZ, RATE_HZ))
        return resample_poly(self.samples, AUDIO_RATE_HZ // divisor, RATE_HZ // divisor).astype(np.float32)


def _evened(samples: np.ndarray) -> np.ndarray:
    """The line at the session's loudness; a loud peak lowers the whole line rather than being clipped."""
    gain = min(_LINE_RMS / float(np.sqrt(np.mean(samples**2))), _LINE_PEAK / float(np.abs(samples).max()))
    return (samples * gain).astype(np.float32)


def _faded_music(rng: random.Random, ms: int) -> np.ndarray:
    tune = music(rng, ms * PER_MS) * _MUSIC_PEAK
    fade = np.linspace(0, 1, _MUSIC_FADE_MS * PER_MS, dtype=np.float32)
    tune[: len(fade)] *= fade
    tune[-len(fade) :] *= fade[::-1]
    return tune.astype(np.float32)


def lay_out(items: Iterable[object], seed: int) -> PartSound:
    """Speak one part's items in order. Equal seeds and an equal espeak-ng give equal samples."""
    rng = random.Random(seed)
    at_ms = _LEAD_IN_MS
    lines: list[Placed] = []
    interludes: list[PlacedInterlude] = []
    sounds: list[tuple[int, np.ndarray]] = []
    for item in items:
        if isinstance(item, Interlude):
            interludes.append(PlacedInterlude(item.kind, at_ms, at_ms + item.ms))
            if item.kind == "music":
                sounds.append((at_ms, _faded_music(rng, item.ms)))
            at_ms += item.ms + _AFTER_INTERLUDE_MS
            continue
        if not isinstance(item, Line):
            raise TypeError(f"{item!r} is neither a line nor an interlude")
        spoken = say(item.text, *VOICES[item.speaker])
        end_ms = at_ms + round(len(spoken.samples) / PER_MS)
        lines.append(Placed(item, at_ms, end_ms, [at_ms + ms for ms in spoken.char_ms]))
        sounds.append((at_ms, _evened(spoken.samples)))
        at_ms = end_ms + item.pause_ms
    duration_ms = -(-at_ms // STEP_MS) * STEP_MS
    samples = np.random.default_rng(seed).normal(0, _ROOM_NOISE, duration_ms * PER_MS).astype(np.float32)
    for begin_ms, sound in sounds:
        samples[begin_ms * PER_MS : begin_ms * PER_MS + len(sound)] += sound
    return PartSound(samples, duration_ms, lines, interludes)
