"""What was heard is kept until it is stored: nothing kept is heard twice, what is lost is heard again, and nothing is left lying about."""

import errno
import fcntl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import heard_spool, line_hearing, operations
from api.engines import Engines
from api.heard_spool import HeardSpool
from api.heard_storing import _in_order, _order, store_heard
from api.line_hearing import Asked, ask, batch_count, heard_batch
from api.operations import ignore_progress
from api.processing import AGAIN, KIND, open_jobs, process_or_index
from api.scratch_sweeping import KEPT_DAYS, sweep_scratch
from api.workplace import Workplace, open_workplace
from archive.digest import Json
from archive.errors import LiveProofError, StorageFull
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.transcript import Segment, Transcript
from ingest.admission import IngestRequest
from search.settings import SearchSettings
from tests.transcribe.test_transcription import Listener
from tests.transcribe.worlds import SPEECH
from transcribe.audio import Samples
from transcribe.engines import Engine, HeardSegment
from transcribe.errors import ModelUnusable
from transcribe.seams import line_of
from transcribe.settings import TranscribeSettings

SETTINGS = TranscribeSettings(whisper_device="cpu", whisper_threads=1, speech_window_ms=5000, whisper_batch=1, screen_text=False)


@dataclass
class CountingListener(Listener):
    """Writes its model's name before each word, counts the batches, and fails once so many are heard."""

    heard: int = 0
    fails_after: int | None = None
    parameters: dict[str, Json] = field(default_factory=dict)

    def transcribe(self, windows: Sequence[Samples], expected: Sequence[Sequence[str]] = ()) -> list[list[HeardSegment]]:
        if self.heard == self.fails_after:
            raise ModelUnusable("the model's file went away")
        self.heard += 1
        return super().transcribe(windows)


@dataclass
class TheOnly(Engines):
    """A process that has this recogniser, whatever it is asked for."""

    ears: CountingListener = field(default_factory=CountingListener)

    def of(self, settings: TranscribeSettings, home: Path) -> Engine:
        return self.ears


@dataclass
class Clock:
    now: WallTime = field(default_factory=WallTime.now)

    def __call__(self) -> WallTime:
        return self.now


@dataclass
class World:
    """A workplace with one recording of 23 s and a listener."""

    place: Workplace
    ears: CountingListener
    clock: Clock

    @property
    def scratch(self) -> Path:
        return self.place.archive.home / "scratch"

    @property
    def spool(self) -> HeardSpool:
        return HeardSpool.of(self.place.archive.home, "r1")

    def listen_with(self, ears: CountingListener) -> CountingListener:
        self.ears, self.place.engines = ears, TheOnly(ears=ears)
        return ears

    def asked(self) -> Asked:
        recording = self.place.archive.catalog.recording("r1")
        return ask(self.place, recording, line_of(recording.parts[0]), False, {})

    def hear(self, asked: Asked) -> int:
        count = batch_count(self.place, "r1", asked)
        for number in range(count):
            heard_batch(self.place, "r1", asked, number, ignore_progress)
        return count

    def store(self, asked: Asked, job: str = "process:r1:1") -> Transcript:
        version = store_heard(self.place, "r1", [asked.as_json()], None, True, job, ignore_progress)
        return self.place.archive.transcripts.version("r1", version)

    def process(self) -> None:
        with open_jobs(self.place) as jobs:
            jobs.wait(process_or_index(jobs, "r1"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = Clock()
    place = open_workplace(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0, actor="tester"), clock)
    place.search_settings, place.transcribe_settings = SearchSettings(embedding_model="none"), SETTINGS
    operations.ingest(place, IngestRequest((SPEECH,), "r1"), "tester")
    made = World(place, CountingListener(), clock)
    made.listen_with(made.ears)
    yield made
    place.close()


@pytest.fixture(autouse=True)
def _no_plan_at_hand() -> None:
    line_hearing._at_hand.clear()


def words(transcript: Transcript) -> list[Segment]:
    return list(transcript.segments)


def test_what_is_kept_is_not_heard_again_and_goes_when_it_is_stored(world: World) -> None:
    asked = world.asked()
    count = world.hear(asked)
    assert count == world.ears.heard >= 4
    stored = world.store(asked)
    assert world.store(asked) == stored, "a job stores once"
    assert world.ears.heard == count
    assert len(stored.segments) == count
    assert list(world.scratch.iterdir()) == []


def test_what_is_lost_or_damaged_is_heard_again_and_the_transcript_is_the_same(world: World) -> None:
    asked = world.asked()
    count = world.hear(asked)
    undisturbed = words(world.store(asked))
    world.hear(asked)
    batches = sorted(path for path in world.spool.folder.iterdir() if path.suffix[1:].isdecimal())
    batches[0].unlink()
    batches[1].write_bytes(batches[1].read_bytes()[:-30])
    batches[2].write_bytes(batches[2].read_bytes().replace(b'"start_ms":', b'"start_ms":9'))
    (world.spool.folder / f"{asked.key}.plan").write_bytes(b"")
    (world.spool.folder / "recording").unlink()
    line_hearing._at_hand.clear()
    assert words(world.store(asked, "process:r1:2")) == undisturbed
    assert world.ears.heard == 2 * count + 3
    assert list(world.scratch.iterdir()) == []


def test_a_job_that_failed_goes_on_with_what_it_had_heard(world: World) -> None:
    world.listen_with(CountingListener(fails_after=3))
    with pytest.raises(LiveProofError, match="went away"):
        world.process()
    assert len(list(world.spool.folder.glob("*.[0-9]"))) == 3
    again = world.listen_with(CountingListener())
    world.process()
    transcript = world.place.archive.transcripts.latest("r1")
    assert transcript is not None
    assert again.heard == len(transcript.segments) - 3
    assert list(world.scratch.iterdir()) == []


def test_another_recogniser_than_the_one_that_began_hears_all_of_it(world: World) -> None:
    asked = world.asked()
    heard_batch(world.place, "r1", asked, 0, ignore_progress)
    other = world.listen_with(CountingListener(model="other ears", parameters={"beam_size": 5}))
    transcript = world.store(asked)
    assert other.heard == batch_count(world.place, "r1", asked) == len(transcript.segments)
    assert transcript.provenance.model == "other ears"


def test_settings_changed_meanwhile_count_for_the_next_job_only(world: World) -> None:
    asked = world.asked()
    undisturbed = words(world.store(asked))
    world.place.transcribe_settings = SETTINGS.model_copy(update={"whisper_batch": 3, "speech_window_ms": 20_000, "speech_threshold": 0.9})
    line_hearing._at_hand.clear()
    went_on = world.store(asked, "process:r1:2")
    assert words(went_on) == undisturbed
    assert went_on.provenance.parameters["speech_window_ms"] == 5000
    assert world.asked().settings["speech_window_ms"] == 20_000


def test_a_full_disk_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(target: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(heard_spool, "write_bytes_whole", full)
    with pytest.raises(StorageFull, match="no room"):
        world.spool.keep("x", [])


def test_a_sweep_leaves_what_may_still_be_wanted_and_nothing_else(world: World) -> None:
    world.listen_with(CountingListener(fails_after=2))
    with pytest.raises(LiveProofError):
        world.process()
    gone = HeardSpool.of(world.place.archive.home, "purged long ago")
    gone.begin("purged long ago")
    sound, half, being_written = world.scratch / ("0" * 64 + ".sound"), world.scratch / "a.sound.x.part", world.scratch / "b.sound.y.part"
    for path in (sound, half, being_written):
        path.write_bytes(b"0")
    with being_written.open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        sweep_scratch(world.place, (KIND, AGAIN))
    assert world.spool.folder.is_dir()
    assert sorted(path.name for path in world.scratch.iterdir()) == ["b.sound.y.part", "heard"]
    assert not gone.folder.exists()
    world.clock.now = world.clock.now.plus_ms((KEPT_DAYS + 1) * 24 * 3_600_000)
    sweep_scratch(world.place, (KIND, AGAIN))
    assert list(world.scratch.iterdir()) == []


BATCHES = st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=4), max_size=12)


@settings(max_examples=300, deadline=None)
@given(BATCHES)
def test_segments_are_stored_in_order_of_time_and_equal_ones_as_they_were_heard(times: list[list[tuple[int, int]]]) -> None:
    heard = [[Segment(n, 1, start, start + length, f"{i}.{n}") for n, (start, length) in enumerate(batch)] for i, batch in enumerate(times)]
    read: Callable[[int], Sequence[Segment]] = heard.__getitem__
    in_order = list(_in_order(read, _order(read, len(heard))))
    assert in_order == sorted((segment for batch in heard for segment in batch), key=lambda s: (s.start_ms, s.end_ms))
