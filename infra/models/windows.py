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
        silent = rng.random() < 0.05
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
        if rng.random() < 0.25:
            audio += music(rng, total) * rng.choice([0.01, 0.03, 0.06])
        if rng.random() < 0.85:
            audio += self._noise.normal(0, rng.choice([0.0003, 0.001, 0.003]), total).astype(np.float32)
        return np.clip(audio * rng.uniform(0.5, 1.0), -1, 1), cues
