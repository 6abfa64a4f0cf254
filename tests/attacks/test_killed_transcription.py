"""G5: a transcription killed with -9 at any moment and started again writes what it would have written, and hears at most a batch twice.

tests/benchmarks/transcription_killed.py kills 20 times in two hours of speech.
"""

from pathlib import Path

import pytest

from tests.benchmarks.transcription import Given
from tests.benchmarks.transcription_killed import killed_and_held_against_undisturbed
from transcribe.settings import BUNDLED_MODEL


@pytest.mark.timeout(600)  # five processes one after the other, each of which loads a recogniser
def test_a_transcription_killed_again_and_again_is_identical_to_an_undisturbed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Small batches, so that a minute has several.
    monkeypatch.setenv("LIVEPROOF_WHISPER_BATCH", "1")
    monkeypatch.setenv("LIVEPROOF_WHISPER_BEAM", "1")
    seen = killed_and_held_against_undisturbed(Given(BUNDLED_MODEL, tmp_path, short=True), minutes=1, kills=3, seed=7)
    assert len(seen.undisturbed.segments) >= 10
    assert seen.identical
    assert seen.calls >= 3
    assert seen.calls_killed - seen.calls <= 3
    assert seen.problems == ()
    assert seen.left == ()
