"""What was heard and what was skipped cover each part's line once, whatever the speech model says and wherever parts meet."""

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from archive.recording import Part
from archive.timeline import ClockMap
from tests.transcribe.test_transcription import Listener
from transcribe import transcription
from transcribe.audio import SAMPLES_PER_MS, Sound
from transcribe.seams import Carried, Line, end_of, line_of
from transcribe.settings import TranscribeSettings
from transcribe.speech_regions import FRAME_MS
from transcribe.transcription import PartPlan, windows_of

SETTINGS = TranscribeSettings(speech_window_ms=5000)


def part(number: int, starts_at_ms: int, duration_ms: int) -> Part:
    return Part(number, "sha256:" + f"{number:064}", 1, f"{number}.flv", duration_ms, "flv", {}, ClockMap(starts_at_ms, None, 0, "unknown"))


def chances(seed: int, frames: int, calm: float) -> list[float]:
    """Stretches of speech, doubt and none, of any length from a frame on."""
    rng, out = random.Random(seed), list[float]()
    while len(out) < frames:
        level = rng.choice([0.0, 0.3, 0.45, 0.95, 1.0])
        out += [min(1.0, max(0.0, rng.gauss(level, 0.1))) for _ in range(round(rng.expovariate(1 / calm)) + 1)]
    return out[:frames]


def planned(line: Line, seed: int, calm: float, heard_ms: int, may_carry: bool) -> PartPlan:
    """A plan over random probabilities; only the sound's length counts, so it has none."""
    frames = chances(seed, -(-heard_ms // FRAME_MS), calm)

    def probabilities(_: Iterator[object]) -> Iterator[float]:
        return iter(frames)

    with patch.object(transcription, "speech_probabilities", probabilities):
        return windows_of(line, Sound(Path("none"), heard_ms * SAMPLES_PER_MS), SETTINGS, Listener(), may_carry=may_carry)


def assert_covered_once(spans: Sequence[tuple[int, int]], start_ms: int, end_ms: int) -> None:
    in_order = sorted(spans)
    assert all(start < end for start, end in in_order)
    if start_ms < end_ms:
        assert in_order[0][0] == start_ms
        assert in_order[-1][1] == end_ms
    assert all(before[1] == after[0] for before, after in pairwise(in_order))


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32),
    st.lists(st.integers(1, 40_000), min_size=1, max_size=4),
    st.sampled_from([2.0, 20.0, 120.0]),
    st.integers(-700, 400),
)
def test_speech_and_skipped_cover_a_session_once_with_ends_carried_over(seed: int, lengths: list[int], calm: float, off_ms: int) -> None:
    at, parts = 1000, []
    for number, length in enumerate(lengths, 1):
        parts.append(part(number, at, length))
        at += length
    spans: list[tuple[int, int]] = []
    left: tuple[Part, Carried] | None = None
    for each in parts:
        line = line_of(each, left)
        # The sound may be longer or shorter than what was probed.
        plan = planned(line, seed + each.number, calm, max(0, line.length_ms + off_ms), may_carry=True)
        spans += [*plan.speech, *plan.skipped]
        left = (each, plan.carried) if plan.carried else None
        for window in plan.windows:
            assert all(0 <= region.start_ms <= region.end_ms <= line.length_ms for region in window.regions)
    if left:
        alone = Line((end_of(*left),))
        plan = planned(alone, seed, calm, alone.length_ms, may_carry=False)
        spans += [*plan.speech, *plan.skipped]
    assert_covered_once(spans, 1000, at)
