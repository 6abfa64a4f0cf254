"""Training windows: sentences of the synthetic voice laid into silence, noise and music, with their exact times."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from infra.models.grammar import sentence
from infra.models.voice import RATE_HZ, say

VARIANTS = ["+f2", "+m3"]  # the demo session's two voices; others were heard in the first half of the training, see the model card
_RESERVOIR, _FRESH = 3000, 0.2


@dataclass(frozen=True)
class Cue:
    """One sentence inside a window: seconds from the window's start, and the text."""

    start_s: float
    end_s: float
    text: str


def music(rng: random.Random, samples: int) -> np.ndarray:
    """A plain synthetic tune: decaying sines on a pentatonic scale over a soft drone. float32, peak about 1."""
    out = np.zeros(samples, np.float32)
    root = rng.choice([196.0, 220.0, 261.6, 293.7])
    step = int(RATE_HZ * rng.uniform(0.22, 0.5))
    for begin in range(0, samples, step):
        length = min(int(step * 2.5), samples - begin)
        time = np.arange(length, dtype=np.float32) / RATE_HZ
        frequency = root * 2 ** (rng.choice([0, 2, 4, 7, 9, 12, 14]) / 12)
        note = np.sin(2 * np.pi * frequency * time) + 0.3 * np.sin(4 * np.pi * frequency * time)
        out[begin : begin + length] += (note * np.exp(-time * 4)).astype(np.float32)
    time = np.arange(samples, dtype=np.float32) / RATE_HZ
    out += 0.15 * np.sin(2 * np.pi * root / 2 * time)
    return out / max(1e-6, float(np.abs(out).max()))


def bed(rng: random.Random, samples: int) -> np.ndarray:
    """Background of a live room: some of a tune, held chords, a lead with vibrato, a beat and a noise, in shares drawn anew. RMS 1."""
    time = np.arange(samples, dtype=np.float32) / RATE_HZ
    made = rng.choice([0.0, 0.5, 1.0]) * music(rng, samples) + rng.choice([0.0, 0.5, 1.0]) * music(rng, samples)
    if rng.random() < 0.5:
        made += rng.uniform(0.2, 0.8) * _held(rng, time, [rng.choice([110.0, 146.8, 196.0]) * 2 ** (n / 12) for n in (0, 4, 7)], 1.6)
    if rng.random() < 0.6:
        made += rng.uniform(0.2, 0.8) * _held(rng, time, [rng.uniform(130, 520)], rng.uniform(0.2, 0.8))
    if rng.random() < 0.6:
        beat_s, hiss = rng.uniform(0.3, 0.8), np.random.default_rng(rng.randrange(1 << 30)).standard_normal(samples).astype(np.float32)
        made += rng.uniform(0.3, 1.0) * np.sin(2 * np.pi * rng.uniform(45, 90) * time) * np.exp(-((time + rng.random()) % beat_s) * 15)
        made += rng.uniform(0.05, 0.3) * hiss * np.exp(-((time + rng.random()) % (beat_s / rng.choice([1, 2]))) * rng.uniform(15, 60))
    if rng.random() < 0.3 or not np.any(made):
        hiss = np.random.default_rng(rng.randrange(1 << 30)).standard_normal(samples).astype(np.float32)
        kernel = np.ones(rng.choice([1, 4, 16]), np.float32)
        made += rng.uniform(0.05, 0.5) * np.convolve(hiss, kernel / len(kernel) ** 0.5, mode="same")
    return (made / max(1e-6, float(np.sqrt(np.mean(made**2))))).astype(np.float32)


def _held(rng: random.Random, time: np.ndarray, pitches_hz: list[float], note_s: float) -> np.ndarray:
    """Notes held for `note_s`, all moved together by steps of a scale, with overtones under one resonance and a vibrato. Peak about 1."""
    out = np.zeros(len(time), np.float32)
    steps = [rng.choice([0, 2, 4, 5, 7, 9, 12]) for _ in range(int(time[-1] / note_s) + 1)]
    within = time % note_s
    shape = np.minimum(1, np.minimum(within * rng.uniform(8, 40), (note_s - within) * 12)) if rng.random() < 0.8 else 1.0
    bend = np.array(steps, np.float32)[(time / note_s).astype(int)] + rng.uniform(0, 0.5) * np.sin(2 * np.pi * rng.uniform(4, 7) * time)
    resonance_hz = rng.uniform(300, 2500)
    for pitch in pitches_hz:
        turns = np.cumsum(pitch * 2 ** (bend / 12)) / RATE_HZ
        for number in range(1, 9):
            share = 1 / (number * (1 + ((number * pitch - resonance_hz) / 600) ** 2))
            out += (share * np.sin(2 * np.pi * number * turns)).astype(np.float32)
    out *= shape
    return out / max(1e-6, float(np.abs(out).max()))


class WindowSource:
    """Draws windows. Utterances are kept in a reservoir and used again with other gains, places and noise."""

    def __init__(self, seed: int, accepts: Callable[[str], bool] = lambda text: True) -> None:
        self._accepts = accepts
        self._rng = random.Random(seed)
        self._noise = np.random.default_rng(seed)
        self._kept: list[tuple[str, np.ndarray]] = []

    def _utterance(self) -> tuple[str, np.ndarray]:
        rng = self._rng
        if len(self._kept) > 50 and rng.random() > _FRESH:
            return rng.choice(self._kept)
        text = sentence(rng)
        while not self._accepts(text):
            text = sentence(rng)
        voice = "cmn-latn-pinyin" + rng.choice(VARIANTS)
        made = (text, say(text, voice, rng.randint(164, 177), rng.randint(44, 54)).samples)
        if len(self._kept) < _RESERVOIR:
            self._kept.append(made)
        else:
            self._kept[rng.randrange(_RESERVOIR)] = made
        return made

    def window(self, seconds: float, most: int = 99) -> tuple[np.ndarray, list[Cue]]:
        """float32 samples of `seconds` at 16 kHz and the at most `most` cues inside, in order."""
        rng = self._rng
        total = int(seconds * RATE_HZ)
        audio = np.zeros(total, np.float32)
        cues: list[Cue] = []
        # Recognisers pad short pieces with silence, so many windows stop speaking early.
        until = seconds if rng.random() < 0.6 else rng.uniform(0.15, 1.0) * seconds
        # The product hears this model one utterance at a time, with 200 ms of sound kept before it.
        at = rng.uniform(0.1, 0.4) if rng.random() < 0.7 else rng.uniform(0.0, seconds * 0.25)
        silent = rng.random() < 0.08
        tries = 0
        while not silent and len(cues) < most:
            text, samples = self._utterance()
            length = len(samples) / RATE_HZ
            if at + length > until - 0.1:
                tries += 1
                if cues or tries > 4:
                    break
                continue
            first = int(at * RATE_HZ)
            audio[first : first + len(samples)] += samples * rng.uniform(0.4, 1.1)
            cues.append(Cue(at, at + length, text))
            at += length + (rng.uniform(0.25, 0.7) if rng.random() < 0.65 else rng.uniform(0.7, 4.0))
        if rng.random() < 0.5:
            # From as loud as half of the voice to hardly there.
            spoken = [audio[int(cue.start_s * RATE_HZ) : int(cue.end_s * RATE_HZ)] for cue in cues]
            level = float(np.sqrt(np.mean(np.concatenate(spoken) ** 2))) if spoken else 0.1
            audio += bed(rng, total) * level * 10 ** (-rng.uniform(6, 32) / 20)
        if rng.random() < 0.85:
            audio += self._noise.normal(0, rng.choice([0.0003, 0.001, 0.003]), total).astype(np.float32)
        return np.clip(audio * rng.uniform(0.5, 1.0), -1, 1), cues
