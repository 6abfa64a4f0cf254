"""A part's sound becomes segments on the recording's time line, in steps that a job can keep and repeat."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from archive.digest import Json
from archive.timeline import WallTime
from tests.transcribe.worlds import SPEECH, ffmpeg, part_for, spoken_lines
from transcribe.audio import Samples, Sound
from transcribe.engines import HeardSegment, HeardWord, load_engine
from transcribe.kept import plan_from_json, plan_to_json, segments_from_json, segments_to_json, transcript_from_json, transcript_to_json
from transcribe.seams import Line, Piece
from transcribe.settings import TranscribeSettings
from transcribe.speech_regions import Region, Window
from transcribe.transcription import joined, provenance_of, sound_of, transcribe_batch, transcribe_part, windows_of

DURATION_MS = 23_000
SETTINGS = TranscribeSettings(whisper_device="cpu", whisper_threads=1, speech_window_ms=6000, whisper_batch=1)


@dataclass
class Listener:
    """A recogniser for a world in which every loud stretch is one word: it writes the loudest 10 ms of each window."""

    name: str = "listener"
    version: str = "1"
    model: str = "ears"
    model_digest: str = "sha256:" + "e" * 64
    parameters: dict[str, Json] = field(default_factory=dict)

    def transcribe(self, windows: Sequence[Samples], expected: Sequence[Sequence[str]] = ()) -> list[list[HeardSegment]]:
        answers = []
        for window in windows:
            at_ms = int(np.abs(window).argmax()) // 16
            word = HeardWord(at_ms, at_ms + 100, f"响{int(np.abs(window).max() * 1000)}", 0.9)
            answers.append([HeardSegment(at_ms, at_ms + 100, word.text, (word,), -0.1, 0.0)])
        return answers


def test_every_spoken_line_gets_a_segment_at_its_place_on_the_recordings_time_line(tmp_path: Path) -> None:
    part = part_for(SPEECH, DURATION_MS, number=2, starts_at_ms=200_000)
    transcript = transcribe_part(SPEECH, part, Listener(), SETTINGS, tmp_path / "sound")
    starts = [segment.start_ms - 200_000 for segment in transcript.segments]
    for segment in transcript.segments:
        assert segment.part == 2
        assert segment.words[0].start_ms >= segment.start_ms
    assert starts
    assert all(min(abs(start - line.start_ms) for line in spoken_lines()) <= 150 for start in starts)
    assert not (tmp_path / "sound").exists()


def test_speech_and_skipped_time_cover_the_part_once(tmp_path: Path) -> None:
    part = part_for(SPEECH, DURATION_MS, starts_at_ms=1000)
    plan = windows_of(part, sound_of(SPEECH, tmp_path / "sound", SETTINGS), SETTINGS, Listener())
    spans = sorted([*plan.speech, *plan.skipped])
    assert spans[0][0] == 1000
    assert spans[-1][1] == 1000 + DURATION_MS
    assert all(before[1] == after[0] for before, after in pairwise(spans))


def test_a_part_without_sound_has_no_windows_and_is_skipped_whole(tmp_path: Path) -> None:
    mute = tmp_path / "mute.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=2", "-c:v", "libx264", mute)
    transcript = transcribe_part(mute, part_for(mute, 2000), Listener(), SETTINGS, tmp_path / "sound")
    assert transcript.segments == ()
    assert transcript.skipped == ((0, 2000),)
    assert not transcript.sound


def test_steps_kept_as_json_and_taken_up_again_give_the_same_transcript(tmp_path: Path) -> None:
    part, progress = part_for(SPEECH, DURATION_MS), []
    whole = transcribe_part(SPEECH, part, Listener(), SETTINGS, tmp_path / "a", lambda done, total: progress.append((done, total)))
    assert progress[-1][0] == progress[-1][1] == len(progress) > 1
    plan = windows_of(part, sound_of(SPEECH, tmp_path / "b", SETTINGS), SETTINGS, Listener())
    kept_plan = json.dumps(plan_to_json(plan))
    kept_batches = []
    for number in range(len(plan.batches(1))):
        (tmp_path / "b").unlink()
        again = plan_from_json(json.loads(kept_plan))
        sound = sound_of(SPEECH, tmp_path / "b", SETTINGS)
        assert again == plan
        kept_batches.append(json.dumps(segments_to_json(transcribe_batch(sound, part, again.batches(1)[number], Listener()))))
    resumed = joined(plan, [segments_from_json(json.loads(kept)) for kept in kept_batches])
    assert resumed == whole
    assert transcript_from_json(json.loads(json.dumps(transcript_to_json(whole)))) == whole


def test_provenance_names_engine_model_and_every_parameter() -> None:
    provenance = provenance_of(Listener(), SETTINGS, WallTime(0))
    assert (provenance.engine, provenance.model, provenance.model_digest) == ("listener", "ears", "sha256:" + "e" * 64)
    assert provenance.parameters["speech_window_ms"] == 6000


def test_the_demo_model_writes_each_line_where_it_was_said(tmp_path: Path) -> None:
    settings = TranscribeSettings(whisper_model="demo-whisper", whisper_device="cpu", whisper_beam=1)
    transcript = transcribe_part(SPEECH, part_for(SPEECH, DURATION_MS), load_engine(settings, tmp_path), settings, tmp_path / "sound")
    lines = spoken_lines()
    assert len(transcript.segments) == len(lines)
    for segment, line in zip(transcript.segments, lines, strict=True):
        assert abs(segment.start_ms - line.start_ms) <= 200
        assert sum(a != b for a, b in zip(segment.text, line.text, strict=False)) <= 3


@pytest.mark.parametrize("shift_ms", [-90, 0, 90])
def test_words_across_the_seam_of_two_parts_have_the_time_of_the_part_they_are_in_and_ascend(tmp_path: Path, shift_ms: int) -> None:
    """The second part begins 90 ms before the first ends, or right then, or 90 ms after; a buzz of 20 syllables runs over the seam."""
    held, syllables = tmp_path / "sound", 20
    tone = np.sin(np.pi * np.linspace(0, syllables, 16 * 200 * syllables) % np.pi) * np.sin(np.arange(16 * 200 * syllables) / 12)
    held.write_bytes((tone * 8000).astype("<i2").tobytes())

    class Speaker(Listener):
        def transcribe(self, windows: Sequence[Samples], expected: Sequence[Sequence[str]] = ()) -> list[list[HeardSegment]]:
            words = tuple(HeardWord(200 * i, 200 * i + 200, "好", 0.9) for i in range(syllables))
            return [[HeardSegment(0, 4000, "好" * syllables, words, -0.1, 0.0)] for _ in windows]

    line = Line((Piece(1, 10_000, 58_000, 1890), Piece(2, 11_890 + shift_ms, 0, 2110)))
    (segment,) = transcribe_batch(Sound.held(held), line, [Window(0, (Region(0, 4000, 0, 4000),))], Speaker())
    assert segment.part == 1
    starts = [word.start_ms for word in segment.words]
    assert starts == sorted(starts)
    assert all(word.start_ms <= word.end_ms <= segment.end_ms for word in segment.words)
    truth = [10_000 + at + (shift_ms if at >= 1890 else 0) for at in range(0, 4000, 200)]
    assert max(abs(got - said) for got, said in zip(starts, truth, strict=True)) <= 100


def test_with_no_packing_every_utterance_has_its_own_window(tmp_path: Path) -> None:
    alone = TranscribeSettings(speech_pack_ms=0)
    plan = windows_of(part_for(SPEECH, DURATION_MS), sound_of(SPEECH, tmp_path / "sound", alone), alone, Listener())
    assert [len(window.regions) for window in plan.windows] == [1] * len(spoken_lines())


def test_a_model_that_wants_its_own_packing_gets_it_unless_asked_otherwise(tmp_path: Path) -> None:
    sound, part = sound_of(SPEECH, tmp_path / "sound", SETTINGS), part_for(SPEECH, DURATION_MS)
    alone, asked = Listener(parameters={"speech_pack_ms": 0}), SETTINGS.model_copy(update={"speech_pack_ms": 28_000})
    assert len(windows_of(part, sound, SETTINGS, alone).windows) == len(spoken_lines())
    assert len(windows_of(part, sound, asked, alone).windows) < len(spoken_lines())
