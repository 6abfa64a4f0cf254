"""Times of words against the synthesis truth: of all words, of numerals and of lines, on the committed session and on fresh material.

    python -m tests.benchmarks.transcription times

Counted are the characters that were heard right. Numerals are those of which the demo session's prices, quantities and guarantees are
made: its voice says digits in Chinese. Where espeak-ng is installed, sentences that the session does not hold are spoken too.
"""

import ctypes.util
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from infra.models.evaluate_whisper import TrueLine, committed_parts, edits, part_of
from tests.benchmarks.spoken_material import SESSION, Material, clean, over_music, with_silence
from tests.benchmarks.transcription import Given, Line
from transcribe.audio import SAMPLES_PER_MS, Samples
from transcribe.engines import Engine, load_engine
from transcribe.settings import TranscribeSettings
from transcribe.transcription import PartTranscript, sound_of, transcribe_part, windows_of
from transcribe.utterances import utterances_of

MEDIAN_MS, P95_MS = 100, 300
COST = 0.02
_NUMERALS = frozenset("零一二两三四五六七八九十百千万0123456789")
_LEAST = 20
_SEED = 71


@dataclass(frozen=True)
class Errors:
    """Signed errors in ms: of the starts of words, of those in numerals, of lines, and of the ends of words."""

    words: tuple[int, ...]
    numbers: tuple[int, ...]
    lines: tuple[int, ...]
    ends: tuple[int, ...]


def measure(given: Given) -> Iterator[Line]:
    """Errors of the session, of clean speech, of speech between silences and over music; then what the alignment costs."""
    settings = TranscribeSettings(whisper_model=str(given.model))
    engine = load_engine(settings, given.folder)
    minutes = 4 if given.short else 20
    found: list[Errors] = []
    for number, (path, duration_ms, lines) in enumerate(committed_parts(SESSION)):
        transcript = transcribe_part(path, part_of(path, duration_ms), engine, settings, given.folder / f"session{number}.s16")
        found.append(errors_of(lines, transcript))
    yield from _figures("session", found)
    spoken = clean(minutes, seed=5)
    for name, material in (
        (f"clean, {minutes} min", spoken),
        (f"40 % silence, {minutes} min", with_silence(minutes, seed=5)),
        (f"over music, {minutes} min", over_music(spoken, seed=5)),
        ("other sentences", _unheard(given.short)),
    ):
        if material is None:
            continue
        path = material.written(given.folder / "material.wav")
        transcript = transcribe_part(path, part_of(path, material.duration_ms), engine, settings, given.folder / f"{name[:5]}.s16")
        yield from _figures(name, [errors_of(material.lines, transcript)])
    yield _cost(given, settings, engine)


def _unheard(short: bool) -> Material | None:
    """Sentences of the demo's grammar that the session doesn't hold, spoken now; None without espeak-ng."""
    if not ctypes.util.find_library("espeak-ng"):
        return None
    from infra.models.grammar import sentence
    from infra.models.voice import say
    from infra.models.windows import VARIANTS

    rng, lines, at = random.Random(_SEED), [], 0
    sound: list[Samples] = []
    for _ in range(40 if short else 200):
        text = sentence(rng)
        spoken = say(text, "cmn-latn-pinyin" + rng.choice(VARIANTS), rng.randint(164, 177), rng.randint(44, 54))
        pause_ms, length_ms = rng.randint(300, 900), len(spoken.samples) // SAMPLES_PER_MS
        at += pause_ms
        sound += [np.zeros(pause_ms * SAMPLES_PER_MS, np.float32), spoken.samples[: length_ms * SAMPLES_PER_MS]]
        lines.append(TrueLine(at, at + length_ms, text, tuple(at + ms for ms in spoken.char_ms)))
        at += length_ms
    return Material(np.concatenate([*sound, np.zeros(500 * SAMPLES_PER_MS, np.float32)]), tuple(lines))


def errors_of(lines: Sequence[TrueLine], transcript: PartTranscript) -> Errors:
    """Words are set against the line that lies nearest in time, so that what is wrong in one line moves no word of another."""
    words: list[int] = []
    numbers: list[int] = []
    begins: list[int] = []
    ends: list[int] = []
    heard = [
        (word.start_ms + (word.end_ms - word.start_ms) * index // len(word.text), word.text[index], word.end_ms)
        for segment in transcript.segments
        for word in segment.words
        for index in range(len(word.text))
    ]
    for line in lines:
        near = [(at, character, end) for at, character, end in heard if line.start_ms - 500 <= at < line.end_ms + 500]
        pairs = [(i, j) for i, j in edits(line.text, "".join(c for _, c, _ in near)) if i is not None and j is not None]
        for i, j in pairs:
            at, character, end = near[j]
            if line.text[i] != character:
                continue
            words.append(at - line.char_ms[i])
            if character in _NUMERALS:
                numbers.append(at - line.char_ms[i])
            if j + 1 == len(near) or near[j + 1][2] != end:
                ends.append(end - (line.char_ms[i + 1] if i + 1 < len(line.text) else line.end_ms))
        shared = [(min(line.end_ms, s.end_ms) - max(line.start_ms, s.start_ms), s.start_ms) for s in transcript.segments]
        most, start_ms = max(shared, default=(0, 0))
        if most > 0:
            begins.append(start_ms - line.start_ms)
    return Errors(tuple(words), tuple(numbers), tuple(begins), tuple(ends))


def _figures(name: str, found: Sequence[Errors]) -> Iterator[Line]:
    for what, errors, held in (
        ("word start", [e for each in found for e in each.words], True),
        ("start of numerals", [e for each in found for e in each.numbers], True),
        ("line start", [e for each in found for e in each.lines], True),
        ("word end", [e for each in found for e in each.ends], False),
    ):
        ordered = sorted(abs(error) for error in errors)
        if len(ordered) < _LEAST:
            yield Line(f"{name}: {what}", f"{len(ordered)} of them", "at least 20 to judge by", False if held else None)
            continue
        median, p95 = statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))]
        figure = f"{median:.0f}, {p95}, worst {ordered[-1]} ms"
        wanted = f"median ≤ {MEDIAN_MS}, p95 ≤ {P95_MS} ({len(ordered)} in all)" if held else "only shown"
        yield Line(f"{name}: {what}", figure, wanted, median <= MEDIAN_MS and p95 <= P95_MS if held else None)


def _cost(given: Given, settings: TranscribeSettings, engine: Engine) -> Line:
    """Processor time of putting words in their place, as a share of all of a transcription's."""
    path, duration_ms, _ = committed_parts(SESSION)[0]
    part = part_of(path, duration_ms)
    wholes, placings = [], []
    for turn in range(3):
        begun = time.process_time()
        transcribe_part(path, part, engine, settings, given.folder / f"whole{turn}.s16")
        wholes.append(time.process_time() - begun)
    sound = sound_of(path, given.folder / "cost.s16", settings)
    if sound is None:
        raise SystemExit(f"{path} has no sound")
    windows = windows_of(part, sound, settings, engine).windows
    given_to = [np.concatenate([sound.read(region.start_ms, region.end_ms) for region in window.regions]) for window in windows]
    answers = [engine.transcribe([samples])[0] for samples in given_to]
    for _ in wholes:
        begun = time.process_time()
        for window, answer, samples in zip(windows, answers, given_to, strict=True):
            utterances_of(window, answer, samples)
        placings.append(time.process_time() - begun)
    whole_s, placing_s = min(wholes), min(placings)
    return Line("processor time of word times, of all", f"{placing_s / whole_s:.2%}", f"≤ {COST:.0%}", placing_s <= COST * whole_s)
