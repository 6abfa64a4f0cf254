"""What a live room sounds like besides the voice, made from seeds: music and noise. Nobody says a word in any of it.

Hard on purpose: a lead that swells, slides and bends vowels like a voice, humming in syllables, claps, drums, breath, typing, beeps.
float32 at 16 kHz, peak about 1.
"""

import random
from collections.abc import Callable

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from transcribe.audio import SAMPLE_RATE_HZ, Samples

_PIECE_S = 30
# First two formants of five vowels in Hz, as phonetics books give them for an adult voice.
_VOWELS = ((800, 1200), (500, 1900), (300, 2300), (500, 900), (320, 800))
_HUMMED = 0.15
_SCALE = (0, 2, 4, 7, 9, 12, 14)


def tune(samples: int, seed: int = 1) -> Samples:
    """Music that changes every half minute: plucked or sung melody, chords, bass, drums, claps, in shares that are drawn anew."""
    return _in_pieces(samples, seed, _music)


def noise(samples: int, seed: int = 1) -> Samples:
    """A room with nobody speaking: hum and hiss that come and go, breath, typing, knocks, beeps, bursts, applause."""
    return _in_pieces(samples, seed, _room)


def humming(samples: int, seed: int = 1) -> Samples:
    """Nothing but syllables without a word."""
    return _in_pieces(samples, seed, lambda rng, length: _hummed(rng, length, rng.choice([110.0, 150.0, 220.0])))


def hiss(samples: int, seed: int) -> Samples:
    """White noise of standard deviation 1."""
    return np.random.default_rng(seed).standard_normal(samples, dtype=np.float32)


def _in_pieces(samples: int, seed: int, make: Callable[[random.Random, int], Samples]) -> Samples:
    rng, out = random.Random(seed), np.zeros(samples, np.float32)
    for begin in range(0, samples, _PIECE_S * SAMPLE_RATE_HZ):
        length = min(_PIECE_S * SAMPLE_RATE_HZ, samples - begin)
        made = make(rng, length)
        out[begin : begin + length] = made / max(1e-6, float(np.abs(made).max()))
    return out


def _music(rng: random.Random, samples: int) -> Samples:
    root, beat_s = rng.choice([98.0, 110.0, 130.8, 146.8]), rng.uniform(0.35, 0.7)
    shares = [rng.choice([0.0, 0.4, 0.8]), rng.choice([0.0, 0.3, 0.6]), rng.choice([0.0, 0.5]), rng.choice([0.0, 0.2, 0.5]), 0.0]
    shares[4] = 0.3 if rng.random() < 0.3 else 0.0
    if not any(shares[:2]):
        shares[0] = 0.7
    made = (
        shares[0] * _plucked(rng, samples, 2 * root, beat_s / rng.choice([1, 2]))
        + shares[1] * _sung(rng, samples, rng.choice([1, 2]) * root, beat_s * rng.choice([0.5, 1, 2]))
        + shares[2] * _plucked(rng, samples, root / 2, beat_s * 2, decay=1.5)
        + shares[3] * _drums(rng, samples, beat_s)
        + shares[4] * _claps(rng, samples, beat_s)
    )
    if rng.random() < _HUMMED:
        made = made + rng.uniform(0.3, 0.8) * _hummed(rng, samples, rng.choice([1, 2]) * root)
    return made.astype(np.float32)


def _room(rng: random.Random, samples: int) -> Samples:
    time = np.arange(samples, dtype=np.float32) / SAMPLE_RATE_HZ
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * time / rng.uniform(4, 12))
    low = lfilter([0.05], [1, -0.95], _hiss(rng, samples))
    made = (rng.uniform(0.01, 0.1) * _hiss(rng, samples) + rng.uniform(0.05, 0.4) * low) * swell
    made += rng.choice([0.0, 0.02]) * np.sign(np.sin(2 * np.pi * 50 * time))
    for sound, share in ((_breaths, 0.4), (_clicks, 0.5), (_beeps, 0.3), (_bursts, 0.4), (_applause, 0.25)):
        if rng.random() < share:
            made = made + rng.uniform(0.2, 0.8) * sound(rng, samples)
    return np.asarray(made, np.float32)


def _plucked(rng: random.Random, samples: int, root: float, step_s: float, decay: float = 4.0) -> Samples:
    out, step, length = np.zeros(samples, np.float32), int(step_s * SAMPLE_RATE_HZ), int(2.5 * step_s * SAMPLE_RATE_HZ)
    time = np.arange(length, dtype=np.float32) / SAMPLE_RATE_HZ
    partials = [(number, rng.uniform(0.2, 1) / number) for number in range(1, rng.randint(3, 7))]
    for begin in range(0, samples, step):
        if rng.random() < 0.15:
            continue
        pitch = root * 2 ** (rng.choice(_SCALE) / 12)
        note = sum(share * np.sin(2 * np.pi * number * pitch * time) for number, share in partials) * np.exp(-time * decay)
        end = min(samples, begin + length)
        out[begin:end] += np.asarray(note, np.float32)[: end - begin]
    return out


def _sung(rng: random.Random, samples: int, root: float, step_s: float) -> Samples:
    """Notes with slides and vibrato through a vowel's formants, with breaths between phrases: next to a voice, but without a word."""
    out, at = np.zeros(samples, np.float32), 0
    while at < samples:
        for _ in range(rng.randint(2, 8)):
            length = min(int(step_s * rng.choice([1, 1, 2, 3]) * SAMPLE_RATE_HZ), samples - at)
            if length < 400:
                return out
            time = np.arange(length, dtype=np.float32) / SAMPLE_RATE_HZ
            slide = rng.choice([0.0, -1.0, -2.0]) * np.exp(-time * 12)
            vibrato = rng.uniform(0.1, 0.5) * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * time) * np.minimum(1, time * 4)
            pitch = root * 2 ** ((rng.choice(_SCALE) + slide + vibrato) / 12)
            turns = np.cumsum(pitch) / SAMPLE_RATE_HZ
            source = 2 * (turns % 1) - 1 + 0.05 * _hiss(rng, length)
            source = _resonant(source, rng.choice(_VOWELS))
            shape = np.minimum(1, np.minimum(time * 20, (time[-1] - time) * 15))
            out[at : at + length] += (source * shape).astype(np.float32)
            at += length
        at += int(rng.uniform(0.2, 2.0) * SAMPLE_RATE_HZ)
    return out


def _hummed(rng: random.Random, samples: int, root: float) -> Samples:
    """Syllables at the pace of speech, each a noise and a gliding vowel, on a pitch that falls like a phrase: scat, without a word."""
    out, at = np.zeros(samples, np.float32), 0
    while at < samples:
        for number in range(rng.randint(3, 10)):
            length = min(int(rng.uniform(0.14, 0.34) * SAMPLE_RATE_HZ), samples - at)
            if length < 1600:
                return out
            time = np.linspace(0, 1, length, dtype=np.float32)
            turns = np.cumsum(root * 2 ** ((rng.uniform(-3, 3) * time - 0.4 * number + 0.1 * _hiss(rng, length)) / 12)) / SAMPLE_RATE_HZ
            source = 2 * (turns % 1) - 1
            before, behind = (_resonant(source, rng.choice(_VOWELS)) for _ in range(2))
            syllable = (before * (1 - time) + behind * time) * np.minimum(1, np.minimum(time * 8, (1 - time) * 6))
            syllable[:800] += 0.3 * _band(_hiss(rng, 800), 2000, 6000) * np.hanning(800)
            out[at : at + length] += syllable.astype(np.float32)
            at += length
        at += int(rng.uniform(0.2, 3.0) * SAMPLE_RATE_HZ)
    return out


def _resonant(source: Samples, formants_hz: tuple[int, int]) -> Samples:
    for formant in formants_hz:
        radius = np.exp(-np.pi * 90 / SAMPLE_RATE_HZ)
        source = lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * formant / SAMPLE_RATE_HZ), radius**2], source)
    return np.asarray(source / max(1e-6, float(np.abs(source).max())), np.float32)


def _drums(rng: random.Random, samples: int, beat_s: float) -> Samples:
    time = np.arange(samples, dtype=np.float32) / SAMPLE_RATE_HZ
    kick = np.sin(2 * np.pi * 60 * time) * np.exp(-(time % beat_s) * 18)
    snare = _hiss(rng, samples) * np.exp(-((time + beat_s) % (2 * beat_s)) * 25)
    hat = np.diff(_hiss(rng, samples), prepend=np.float32(0)) * np.exp(-(time % (beat_s / 2)) * 60)
    return np.asarray(kick + 0.3 * snare + 0.15 * hat, np.float32)


def _claps(rng: random.Random, samples: int, beat_s: float) -> Samples:
    return _struck(rng, samples, 2 * beat_s, 0.01, lambda length: _band(_hiss(rng, length), 800, 3000), 0.12)


def _applause(rng: random.Random, samples: int) -> Samples:
    time = np.arange(samples, dtype=np.float32) / SAMPLE_RATE_HZ
    swell = np.clip(np.sin(2 * np.pi * time / rng.uniform(8, 25) + rng.uniform(0, 6)), 0, 1)
    grains = _band(_hiss(rng, samples) * (np.random.default_rng(rng.randrange(1 << 30)).random(samples) < 0.01), 500, 4000)
    return np.asarray(grains * swell / max(1e-6, float(np.abs(grains).max())), np.float32)


def _breaths(rng: random.Random, samples: int) -> Samples:
    def breath(length: int) -> Samples:
        rise = np.sin(np.linspace(0, np.pi, length, dtype=np.float32)) ** 2
        return _band(_hiss(rng, length), rng.uniform(300, 900), rng.uniform(1800, 5000)) * rise

    return _struck(rng, samples, 2.5, 0.8, breath, rng.uniform(0.4, 1.2), False)


def _clicks(rng: random.Random, samples: int) -> Samples:
    return _struck(rng, samples, rng.uniform(0.12, 0.3), 0.1, lambda length: _band(_hiss(rng, length), 1500, 6000), 0.03)


def _beeps(rng: random.Random, samples: int) -> Samples:
    def beep(length: int) -> Samples:
        time = np.arange(length, dtype=np.float32) / SAMPLE_RATE_HZ
        return np.sin(2 * np.pi * rng.choice([440.0, 880.0, 1000.0, 1760.0]) * time).astype(np.float32)

    return _struck(rng, samples, 1.5, 1.0, beep, rng.uniform(0.08, 0.4), False)


def _bursts(rng: random.Random, samples: int) -> Samples:
    return _struck(rng, samples, 2.0, 1.5, lambda length: _hiss(rng, length) / 3, rng.uniform(0.1, 0.8), False)


def _struck(
    rng: random.Random,
    samples: int,
    every_s: float,
    jitter_s: float,
    make: Callable[[int], Samples],
    length_s: float,
    decay: bool = True,
) -> Samples:
    """One sound again and again, `every_s` apart give or take `jitter_s`."""
    out, at, length = np.zeros(samples, np.float32), rng.uniform(0, every_s), int(length_s * SAMPLE_RATE_HZ)
    fall = np.exp(-np.linspace(0, 6, length, dtype=np.float32)) if decay else np.ones(length, np.float32)
    while (begin := int(at * SAMPLE_RATE_HZ)) < samples:
        end = min(samples, begin + length)
        out[begin:end] += (make(length) * fall * rng.uniform(0.4, 1.0))[: end - begin]
        at += max(0.05, every_s + rng.uniform(-jitter_s, jitter_s))
    return out


def _band(samples: Samples, low_hz: float, high_hz: float) -> Samples:
    filtered = sosfilt(butter(2, [low_hz, high_hz], "bandpass", fs=SAMPLE_RATE_HZ, output="sos"), samples)
    return np.asarray(filtered / max(1e-6, float(np.abs(filtered).max())), np.float32)


def _hiss(rng: random.Random, samples: int) -> Samples:
    return hiss(samples, rng.randrange(1 << 30))
