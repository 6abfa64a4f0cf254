"""Where somebody speaks: the Silero VAD, run over any length in constant memory, and windows packed from what it finds.

Model and framing: Silero VAD v6 as shipped inside faster-whisper (`faster_whisper.vad`): frames of 512 samples with the 64 before
them, a recurrent state carried from frame to frame. Music, noise and silence are left out, and exactly what was left out is known.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from transcribe.audio import SAMPLES_PER_MS, Samples

FRAME = 512
FRAME_MS = FRAME // SAMPLES_PER_MS
_CONTEXT = 64
_END_MARGIN = 0.15
_MIN_SPEECH_MS = 96
# Silero crosses its threshold a median 41 ms after a voice begins in the demo session; one frame of it is given back.
_REACTION_MS = FRAME_MS
_FARTHEST_TOGETHER_MS = 20_000

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Region:
    """One stretch of speech in ms of the part's media time: [start_ms, end_ms) is what is recognised, onset and offset are the speech.

    `voice`: how surely it is a voice, the mean probability of its frames in percent (100 where nobody measured it).
    """

    start_ms: int
    end_ms: int
    onset_ms: int
    offset_ms: int
    voice: int = 100

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Window:
    """What the recogniser is given at once: regions laid end to end. `number` counts from 0 within the part."""

    number: int
    regions: tuple[Region, ...]

    @property
    def length_ms(self) -> int:
        return sum(region.length_ms for region in self.regions)

    def voice_at(self, ms: int) -> int:
        """`voice` of the region that holds the moment of the part's media time, or else of the one nearest to it."""
        return min(self.regions, key=lambda region: max(region.start_ms - ms, ms - region.end_ms, 0)).voice


def speech_probabilities(blocks: Iterable[Samples]) -> Iterator[float]:
    """Probability of speech for each frame of 32 ms, in order; the last frame is filled up with silence."""
    from faster_whisper.vad import get_vad_model

    session = get_vad_model().session
    state = np.zeros((1, 1, 128), np.float32)
    cell = np.zeros((1, 1, 128), np.float32)
    context = np.zeros(_CONTEXT, np.float32)
    rest = np.zeros(0, np.float32)

    def judge(samples: Samples) -> Iterator[float]:
        nonlocal state, cell, context
        frames = samples.reshape(-1, FRAME)
        before = np.vstack([context, frames[:-1, -_CONTEXT:]])
        heard, state, cell = session.run(None, {"input": np.hstack([before, frames]), "h": state, "c": cell})
        context = frames[-1, -_CONTEXT:]
        yield from (float(p) for p in np.ravel(heard))

    for block in blocks:
        samples = np.concatenate([rest, block])
        whole = len(samples) // FRAME * FRAME
        rest = samples[whole:]
        if whole:
            yield from judge(samples[:whole])
    if len(rest):
        yield from judge(np.pad(rest, (0, FRAME - len(rest))))


def find_regions(
    probabilities: Iterable[float], *, duration_ms: int, threshold: float, min_pause_ms: int, pad_ms: int, max_ms: int
) -> list[Region]:
    """Regions in order, none overlapping, each at most `max_ms` long.

    Speech begins with a frame of at least `threshold` and ends with `min_pause_ms` below `threshold` - 0.15. One that outgrows `max_ms`
    is cut at the least speech-like frame of its second half. Regions are padded by `pad_ms`, or half of the pause where it is shorter.
    Nothing else is asked of a region: what is no voice after all gets its text marked (risk.py), while a voice left out would be lost.
    """
    longest = (max_ms - 2 * pad_ms) // FRAME_MS
    patience = max(1, min_pause_ms // FRAME_MS)
    speech: list[tuple[int, int, int]] = []
    current: list[float] = []
    first = quiet = 0

    def close(count: int) -> None:
        speech.append((first, first + count, round(100 * sum(current[:count]) / max(1, count))))

    for index, probability in enumerate(probabilities):
        if not current:
            if probability < threshold:
                continue
            first, quiet = index, 0
        current.append(probability)
        quiet = quiet + 1 if probability < threshold - _END_MARGIN else 0
        if quiet >= patience:
            close(len(current) - quiet)
            current = []
        elif len(current) >= longest:
            half = longest // 2
            cut = half + int(np.argmin(current[half:])) + 1
            close(cut)
            first, current = first + cut, current[cut:]
            quiet = min(quiet, len(current))
    if current:
        close(len(current) - quiet)
    spans: list[tuple[int, int, int]] = []
    for begin, end, voice in speech:
        onset = max(begin * FRAME_MS - _REACTION_MS, spans[-1][1] if spans else 0)
        offset = min(end * FRAME_MS, duration_ms)
        if offset - begin * FRAME_MS >= _MIN_SPEECH_MS:
            spans.append((onset, offset, voice))
    return _padded(spans, pad_ms, duration_ms)


def _padded(spans: list[tuple[int, int, int]], pad_ms: int, duration_ms: int) -> list[Region]:
    regions = []
    for index, (onset, offset, voice) in enumerate(spans):
        before = spans[index - 1][1] if index else 0
        after = spans[index + 1][0] if index + 1 < len(spans) else duration_ms
        start = onset - min(pad_ms, (onset - before) // 2 if index else onset)
        end = offset + min(pad_ms, (after - offset + 1) // 2 if index + 1 < len(spans) else after - offset)
        regions.append(Region(start, max(end, start), onset, offset, voice))
    return regions


def pack(regions: Iterable[Region], max_ms: int) -> list[Window]:
    """Windows of at most `max_ms` of sound, or of one region that is longer.

    Regions more than 20 s apart don't share one: they rarely share a subject or a level.
    """
    windows: list[Window] = []
    held: list[Region] = []
    for region in regions:
        full = held and sum(r.length_ms for r in held) + region.length_ms > max_ms
        if held and (full or region.start_ms - held[-1].end_ms > _FARTHEST_TOGETHER_MS):
            windows.append(Window(len(windows), tuple(held)))
            held = []
        held.append(region)
    if held:
        windows.append(Window(len(windows), tuple(held)))
    return windows


def merged_spans(regions: Iterable[Region]) -> Spans:
    """What the recogniser is given, touching regions joined, in ms."""
    spans: list[tuple[int, int]] = []
    for region in regions:
        if spans and region.start_ms <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], region.end_ms))
        else:
            spans.append((region.start_ms, region.end_ms))
    return tuple(spans)


def skipped_spans(speech: Spans, duration_ms: int) -> Spans:
    """The rest of [0, duration_ms): speech and skipped together cover all of it, once."""
    skipped, at = [], 0
    for start, end in speech:
        if start > at:
            skipped.append((at, start))
        at = max(at, end)
    if at < duration_ms:
        skipped.append((at, duration_ms))
    return tuple(skipped)
