"""Who said what, through a recording's job: labels in the transcript, the same after a restart, kept where the recording grows."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from api import case_printing, operations
from api.answers import segment_json
from api.heard_spool import HeardSpool
from api.processing import open_jobs, process_or_index, transcribe_again
from api.workplace import Workplace, open_workplace
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.transcript import Transcript
from archive.verification import verify_archive
from ingest.admission import IngestRequest
from ingest.extension import ExtendRequest
from search.settings import SearchSettings
from tests.transcribe.demo_voices import TRUTH, demo_lines, demo_sound, write_demo_voice_model
from transcribe.models import BUNDLED_NAME
from transcribe.settings import TranscribeSettings

START = WallTime.parse("2026-11-18T20:00:00+08:00")
# Between lines, so that the cut is no matter of its own.
CUT_MS, END_MS = 31_000, 50_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """A model for the demo's voices, and the demo session's first 50 s in two files."""
    folder = tmp_path_factory.mktemp("voices")
    model = write_demo_voice_model(folder / "demo-voices.onnx", [samples for samples, _ in demo_lines(folder)])
    sound = demo_sound(1, folder)
    files = []
    for number, (start, end) in enumerate([(0, CUT_MS), (CUT_MS, END_MS)], 1):
        files.append(folder / f"part-{number}.wav")
        soundfile.write(files[-1], sound.read(start, end), 16_000, subtype="PCM_16")
    return model, files


def opened_at(home: Path, speaker_model: str) -> Workplace:
    opened = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0, actor="tester"))
    opened.search_settings = SearchSettings(embedding_model="none")
    opened.transcribe_settings = TranscribeSettings(
        whisper_model=BUNDLED_NAME, whisper_device="cpu", whisper_beam=1, screen_text=False, speaker_model=speaker_model
    )
    return opened


@pytest.fixture(scope="module")
def grown(world: tuple[Path, list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workplace, Transcript]]:
    """A recording of one part that was heard, then grew by another: its workplace, and the transcript before it grew."""
    model, files = world
    place = opened_at(tmp_path_factory.mktemp("grown") / "home", str(model))
    operations.ingest(place, IngestRequest((files[0],), "r1", started_at=START, live=True), "tester")
    with open_jobs(place) as jobs:
        jobs.wait(process_or_index(jobs, "r1"))
        first = place.archive.transcripts.latest("r1")
        assert first is not None
        operations.extend(place, "r1", ExtendRequest((files[1],), closes=True), "tester")
        jobs.wait(process_or_index(jobs, "r1"))
    yield place, first
    place.close()


def newest(place: Workplace) -> Transcript:
    found = place.archive.transcripts.latest("r1")
    assert found is not None
    return found


def speaker_at(ms: int) -> str | None:
    return next((line["speaker"] for line in TRUTH["lines"] if line["start_ms"] <= ms < line["end_ms"]), None)


def shares(transcript: Transcript) -> dict[str, Counter[str | None]]:
    """Of each label, whose lines it was given to."""
    found: dict[str, Counter[str | None]] = defaultdict(Counter)
    for segment in transcript.segments:
        if segment.speaker:
            found[segment.speaker][speaker_at((segment.start_ms + segment.end_ms) // 2)] += 1
    return found


def test_each_segment_says_which_voice_it_is_and_the_provenance_who_told(grown: tuple[Workplace, Transcript]) -> None:
    place, first = grown
    labelled = [segment.speaker for segment in first.segments]
    assert {"1", "2"} <= set(labelled)
    assert labelled.count(None) <= 0.2 * len(labelled)
    by_label = shares(first)
    assert {max(found, key=lambda name: found[name]) for found in by_label.values()} == {"小岚", "阿哲"}
    assert all(max(found.values()) >= 0.9 * sum(found.values()) for found in by_label.values())
    told = first.provenance.parameters["speakers"]
    assert isinstance(told, dict)
    assert (told["model"], told["threshold"], set(told["new_voices_ms"])) == ("demo-voices", 0.5, {"1", "2"})
    assert str(told["digest"]).startswith("sha256:")
    assert "centre" not in str(told)  # no voiceprint goes into the archive
    assert verify_archive(place.archive).failures == ()


def test_a_recording_that_grew_keeps_its_labels_and_knows_its_voices_again(grown: tuple[Workplace, Transcript]) -> None:
    place, first = grown
    whole = newest(place)
    before = {(segment.start_ms, segment.speaker) for segment in first.segments}
    assert before <= {(segment.start_ms, segment.speaker) for segment in whole.segments}
    later = [segment for segment in whole.segments if segment.part == 2]
    assert {"1", "2"} <= {segment.speaker for segment in later}
    assert set(shares(whole)) == {"1", "2"}
    for label, found in shares(whole).items():
        assert max(found, key=lambda name: found[name]) == max(shares(first)[label], key=lambda name: shares(first)[label][name])
        assert max(found.values()) >= 0.9 * sum(found.values())


def test_the_command_and_the_api_show_the_voices(grown: tuple[Workplace, Transcript], capsys: pytest.CaptureFixture[str]) -> None:
    place, first = grown
    case_printing.transcript_shown(first, False, {})
    assert "voice 1" in capsys.readouterr().out.replace("声音 1", "voice 1")
    recording = place.archive.catalog.recording("r1")
    assert [segment_json(recording, segment)["speaker"] for segment in first.segments] == [s.speaker for s in first.segments]


def test_nothing_of_the_voices_is_left_once_the_version_stands(grown: tuple[Workplace, Transcript]) -> None:
    place, _ = grown
    assert not HeardSpool.of(place.archive.home, "r1").folder.exists()
    assert [path for path in (place.archive.home / "scratch").rglob("*") if path.is_file()] == []


def test_heard_anew_without_the_setting_nobody_is_told_apart(grown: tuple[Workplace, Transcript]) -> None:
    place, _ = grown
    silent = opened_at(place.archive.home, "none")
    with open_jobs(silent) as jobs:
        jobs.wait(transcribe_again(jobs, "r1"))
    anew = newest(silent)
    silent.close()
    assert {segment.speaker for segment in anew.segments} == {None}
    assert "speakers" not in anew.provenance.parameters
