"""`liveproof watch`: a folder that a recorder writes into, with everything that happens to such folders."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import watching as watching_module
from api.watch_memory import memory_file
from api.watching import Told, Watcher, WatchRequest, watching
from api.workplace import Workplace, open_workplace
from archive.errors import StorageFull
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.verification import verify_archive
from ingest.errors import AlreadyWatched, FolderUnwatchable
from ingest.settings import IngestSettings
from tests.api.test_cli import liveproof
from tests.archive.generated_media import make_media
from tests.simulators.recorder import Recorder, leave_chat

FIRST, SECOND, LATER = (f"录制-7734200-20261118-{time}-000-夜场.flv" for time in ("200000", "200044", "200100"))
SETTINGS = IngestSettings(watch_quiet_s=60, watch_session_gap_s=900)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three different FLV recordings of 4, 3 and 5 seconds."""
    folder = tmp_path_factory.mktemp("originals")
    return [make_media(folder / f"{n}.flv", seconds, seed=n) for n, seconds in enumerate((4, 3, 5))]


class Room:
    """A watched folder with a clock of its own; `told` is what was said in the last round."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "room"
        self.folder.mkdir()
        self.later_ms = 0
        settings = ArchiveSettings(home=folder / "home", free_space_margin_bytes=0)
        self.place: Workplace = open_workplace(settings, lambda: WallTime.now().plus_ms(self.later_ms))
        self.told: list[Told] = []
        self.as_it_grows = False

    def pass_s(self, seconds: int) -> None:
        self.later_ms += seconds * 1000

    def round(self, whole_sessions: bool = True, settings: IngestSettings = SETTINGS) -> list[str]:
        """One round of a watcher that was started anew; what it admitted."""
        self.told = []
        with self.watcher(whole_sessions, settings) as watcher:
            return watcher.round()

    def watcher(self, whole_sessions: bool = True, settings: IngestSettings = SETTINGS):  # type: ignore[no-untyped-def]
        request = WatchRequest(self.folder, "ann", whole_sessions, as_it_grows=self.as_it_grows)
        return watching(self.place, request, settings, self._hear)

    def _hear(self, told: Told) -> None:
        """That a room's number is from a file's name is noted of every first part here."""
        if not (told.word == "note" and "from the file name" in told.detail):
            self.told.append(told)

    def words(self) -> list[str]:
        return [told.word for told in self.told]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.place.close()


def test_a_file_is_taken_once_it_is_closed_and_quiet_with_its_chat(room: Room, originals: list[Path]) -> None:
    recorder = Recorder(room.folder, FIRST, originals[0])
    recorder.write(0.5)
    assert room.round() == []
    room.pass_s(10_000)
    assert room.round() == [], "it stood still, but the recorder has it open"
    leave_chat(recorder.close())
    room.later_ms = 0
    assert room.round() == [], "it was only just closed"
    room.pass_s(61)
    assert room.round() == [], "a further part may come"
    room.pass_s(900)
    (recording,) = room.round()
    held = room.place.archive.catalog.recording(recording)
    assert [part.file_name for part in held.parts] == [FIRST]
    assert held.started_at == WallTime.parse("2026-11-18T20:00:00+08:00")
    assert [message.text for message in room.place.archive.catalog.messages(recording)] == ["手镯是真的吗"]
    assert [(told.word, told.recording) for told in room.told] == [("admitted", recording)]


def test_a_temporary_name_is_not_taken_until_it_is_renamed(room: Room, originals: list[Path]) -> None:
    recorder = Recorder(room.folder, FIRST, originals[0], temporary=".tmp")
    recorder.write(1)
    room.pass_s(10_000)
    assert room.round(whole_sessions=False) == []
    recorder.close()
    assert len(room.round(whole_sessions=False)) == 1


def test_two_parts_with_a_pause_become_one_recording_with_its_gap(room: Room, originals: list[Path]) -> None:
    Recorder(room.folder, FIRST, originals[0]).close()
    room.pass_s(61)
    assert room.round() == []
    second = Recorder(room.folder, SECOND, originals[1])
    second.write(0.3)
    room.pass_s(900)
    assert room.round() == [], "its second part is being written"
    second.close()
    room.pass_s(1000)
    (recording,) = room.round()
    held = room.place.archive.catalog.recording(recording)
    assert [part.file_name for part in held.parts] == [FIRST, SECOND]
    (gap,) = held.gaps
    assert abs(gap.end_ms - gap.start_ms - 40_000) <= 100
    assert room.round() == []
    assert room.told == []


@pytest.mark.parametrize("memory", ["kept", "lost", "damaged"])
def test_parts_that_come_after_the_admission_join_their_recording_and_that_is_said(room: Room, originals: list[Path], memory: str) -> None:
    Recorder(room.folder, FIRST, originals[0]).close()
    room.pass_s(1000)
    (first,) = room.round()
    file = memory_file(room.place.archive.home, room.folder.resolve())
    if memory == "lost":
        file.unlink()
    elif memory == "damaged":
        file.write_bytes(file.read_bytes()[:-20])
    leave_chat(Recorder(room.folder, SECOND, originals[1]).close())
    Recorder(room.folder, LATER, originals[2]).close()
    room.pass_s(1000)
    assert room.round() == [first]
    assert [(told.word, told.recording) for told in room.told] == [("extended", first)]
    held = room.place.archive.catalog.recording(first)
    assert [part.file_name for part in held.parts] == [FIRST, SECOND, LATER]
    assert [part.start_ms for part in held.parts] == [0, 44_000, 60_000]
    assert [message.text for message in room.place.archive.catalog.messages(first)] == ["手镯是真的吗"]
    assert room.round() == []
    assert room.told == []
    assert verify_archive(room.place.archive).failures == ()


def test_a_part_that_cannot_be_joined_is_a_recording_of_its_own_and_that_is_said(room: Room, originals: list[Path]) -> None:
    Recorder(room.folder, SECOND, originals[1]).close()
    room.pass_s(1000)
    (first,) = room.round()
    Recorder(room.folder, FIRST, originals[0]).close()
    room.pass_s(1000)
    (second,) = room.round()
    assert second != first
    assert [(told.word, told.recording, told.detail) for told in room.told] == [("admitted", second, ""), ("late", second, first)]


def test_an_unreadable_file_is_told_once_and_sinks_no_other(room: Room, originals: list[Path]) -> None:
    Recorder(room.folder, FIRST, originals[0]).close()
    broken = room.folder / SECOND
    broken.write_bytes(b"FLV\x01 nothing that could be played" * 40)
    (room.folder / LATER).touch()
    room.pass_s(1000)
    assert len(room.round()) == 1
    assert sorted(room.words()) == ["admitted", "refused", "refused"]
    assert {told.paths for told in room.told if told.word == "refused"} == {(SECOND,), (LATER,)}
    room.round()
    assert room.told == []
    broken.write_bytes(originals[1].read_bytes())
    room.pass_s(1000)
    assert len(room.round()) == 1
    assert room.words() == ["extended"]


def test_what_was_read_is_not_read_again(room: Room, originals: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    real = watching_module.digest_stream
    monkeypatch.setattr(watching_module, "digest_stream", lambda stream: (read.append(1), real(stream))[1])
    Recorder(room.folder, FIRST, originals[0]).close()
    room.pass_s(61)
    for _ in range(3):
        room.round()
    assert len(read) == 1
    room.pass_s(900)
    room.round()
    room.round()
    assert len(read) == 1


def test_a_session_that_the_gate_refuses_is_told_once_and_taken_when_it_is_mended(room: Room, originals: list[Path]) -> None:
    Recorder(room.folder, FIRST, originals[0]).close()
    (room.folder / "products.json").write_text('[{"product_id": "p1"', "utf-8")
    room.pass_s(1000)
    assert room.round() == []
    assert room.words() == ["refused"]
    assert "products.json" in room.told[0].detail
    assert room.round() == []
    assert room.told == []
    shelf = [{"product_id": "p1", "shelf_no": "1号链接", "title": "手镯", "price_minor": 100, "currency": "CNY", "listing_text": ""}]
    (room.folder / "products.json").write_text(json.dumps(shelf), "utf-8")
    (room.folder / "events.json").write_text(json.dumps([{"event": "explain_start", "product_id": "p1", "at_ms": 1000}]), "utf-8")
    room.pass_s(1000)
    (recording,) = room.round()
    assert [product.title for product in room.place.archive.catalog.products(recording)] == ["手镯"]
    assert [event.at_ms for event in room.place.archive.catalog.events(recording)] == [1000]


def test_events_are_left_where_a_folder_holds_several_sessions(room: Room, originals: list[Path]) -> None:
    for name, source in (("a.flv", originals[0]), ("b.flv", originals[1])):
        shutil.copyfile(source, room.folder / name)
    (room.folder / "events.json").write_text(json.dumps([{"event": "listed", "product_id": "p1", "at_ms": 1}]), "utf-8")
    room.pass_s(1000)
    recordings = room.round()
    assert len(recordings) == 2
    assert room.words().count("events_left") == 1
    assert not any(room.place.archive.catalog.events(recording) for recording in recordings)


def test_a_full_disk_is_told_once_and_tried_again(room: Room, originals: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    Recorder(room.folder, FIRST, originals[0]).close()
    room.pass_s(1000)

    def full(*_: object, **__: object) -> None:
        raise StorageFull("no room")

    with room.watcher() as watcher:
        with monkeypatch.context() as patched:
            patched.setattr(watching_module.operations, "ingest", full)
            assert watcher.round() == []
            assert watcher.round() == []
        assert room.words() == ["failed"]
        assert [type(error) for error in watcher.failures] == [StorageFull]
        assert len(watcher.round()) == 1
        assert watcher.failures == []


def test_a_file_beside_that_is_no_chat_is_left_out_and_late_chat_joins_its_recording(room: Room, originals: list[Path]) -> None:
    media = Recorder(room.folder, FIRST, originals[0]).close()
    media.with_suffix(".info.json").write_text('{"uploader": "x"}', "utf-8")
    room.pass_s(1000)
    (recording,) = room.round()
    assert sorted(room.words()) == ["admitted", "unknown_chat"]
    leave_chat(media)
    room.pass_s(1000)
    assert room.round() == [recording]
    assert [(told.word, told.recording) for told in room.told] == [("extended", recording)]
    assert [message.text for message in room.place.archive.catalog.messages(recording)] == ["手镯是真的吗"]
    assert room.round() == []
    assert room.told == []


def test_chat_that_was_completed_brings_what_is_new_of_it_and_nothing_twice(room: Room, originals: list[Path]) -> None:
    media = Recorder(room.folder, FIRST, originals[0]).close()
    chat = leave_chat(media)
    room.pass_s(1000)
    (recording,) = room.round()
    line = '<d p="3.000,1,25,16777215,1795003203,0,9,0" user="老张">{}</d>\n'
    chat.write_text(chat.read_text("utf-8").replace("</i>", line.format("同问") + line.format("同问") + "</i>"), "utf-8")
    room.pass_s(1000)
    assert room.round() == [recording]
    assert room.words() == ["extended", "note"]
    said = [message.text for message in room.place.archive.catalog.messages(recording)]
    assert said == ["手镯是真的吗", "同问", "同问"]
    room.pass_s(1000)
    os.utime(chat, ns=(1, 1))
    room.pass_s(1000)
    assert room.round() == [], "only its time changed"
    assert verify_archive(room.place.archive).failures == ()


def test_late_chat_that_the_gate_refuses_is_told_once(room: Room, originals: list[Path]) -> None:
    media = Recorder(room.folder, FIRST, originals[0]).close()
    room.pass_s(1000)
    (recording,) = room.round()
    media.with_suffix(".jsonl").write_text('{"at_ms": 1, "text": "a"}\n{"at_ms": "x", "text": "b"}\n{"at_ms": 3, "text": "c"}\n', "utf-8")
    room.pass_s(1000)
    assert room.round() == []
    assert [(told.word, told.recording) for told in room.told] == [("late_beside", recording)]
    assert ".jsonl" in room.told[0].detail
    room.round()
    assert room.told == []


def test_captions_beside_a_part_are_its_words_and_a_time_subtitle_is_not(room: Room, originals: list[Path]) -> None:
    spoken = Recorder(room.folder, "讲解.flv", originals[0]).close()
    spoken.with_suffix(".srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n假一赔十\n", "utf-8")
    timed = Recorder(room.folder, "计时.flv", originals[1]).close()
    cues = "".join(f"{n + 1}\n00:00:0{n},000 --> 00:00:0{n + 1},000\n2026-11-18 20:00:0{n}\n\n" for n in range(3))
    timed.with_suffix(".srt").write_text(cues, "utf-8")
    late = Recorder(room.folder, "后补.flv", originals[2]).close()
    room.pass_s(1000)
    assert len(room.round()) == 3
    archive = room.place.archive
    by_name = {recording.parts[0].file_name: recording.id for recording in archive.catalog.recordings()}
    transcript = archive.transcripts.latest(by_name[spoken.name])
    assert transcript and [segment.text for segment in transcript.segments] == ["假一赔十"]
    assert archive.transcripts.newest_version(by_name[timed.name]) == 0
    late.with_suffix(".srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n运费险我们出\n", "utf-8")
    room.pass_s(1000)
    assert room.round() == [by_name[late.name]]
    transcript = archive.transcripts.latest(by_name[late.name])
    assert transcript and transcript.segments[0].text == "运费险我们出"


def test_a_session_that_goes_on_grows_part_by_part_and_is_closed_when_it_is_quiet(room: Room, originals: list[Path]) -> None:
    room.as_it_grows = True
    leave_chat(Recorder(room.folder, FIRST, originals[0]).close())
    second = Recorder(room.folder, SECOND, originals[1])
    second.write(0.4)
    room.pass_s(61)
    (recording,) = room.round()
    catalog = room.place.archive.catalog
    assert catalog.recording(recording).live
    assert [part.file_name for part in catalog.recording(recording).parts] == [FIRST]
    assert room.round() == []
    leave_chat(second.close(), 1795003246)
    third = Recorder(room.folder, LATER, originals[2])
    room.pass_s(61)
    assert room.round() == [recording]
    assert [part.file_name for part in catalog.recording(recording).parts] == [FIRST, SECOND]
    assert len(catalog.messages(recording)) == 2
    assert catalog.recording(recording).live
    third.close()
    (room.folder / "products.json").write_text(
        json.dumps([{"product_id": "p1", "shelf_no": "1号链接", "title": "手镯", "price_minor": 1, "currency": "CNY", "listing_text": ""}]),
        "utf-8",
    )
    room.pass_s(61)
    memory_file(room.place.archive.home, room.folder.resolve()).unlink()
    assert room.round() == [recording]
    room.pass_s(1000)
    assert room.round() == [recording]
    assert room.words() == ["closed"]
    held = catalog.recording(recording)
    assert not held.live
    assert [part.file_name for part in held.parts] == [FIRST, SECOND, LATER]
    assert room.round() == []
    assert len(catalog.ids()) == 1
    assert verify_archive(room.place.archive).failures == ()


def test_links_and_names_with_tricks_are_not_followed(room: Room, originals: list[Path], tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.copyfile(originals[0], outside / "secret.flv")
    (room.folder / "link.flv").symlink_to(outside / "secret.flv")
    (room.folder / "folder").symlink_to(outside)
    os.mkfifo(room.folder / "pipe.flv")
    shutil.copyfile(originals[1], room.folder / "a\nb.flv")
    shutil.copyfile(originals[1], Path(os.fsdecode(bytes(room.folder) + b"/\xff.flv")))
    room.pass_s(1000)
    assert room.round() == []
    assert room.words() == ["odd_name", "odd_name"]
    assert list(room.place.archive.store.digests()) == []
    room.round()
    assert room.told == []


def test_a_file_swapped_for_a_link_before_its_admission_is_not_taken(room: Room, originals: list[Path], tmp_path: Path) -> None:
    media = Recorder(room.folder, FIRST, originals[0]).close()
    room.pass_s(1000)
    secret = shutil.copyfile(originals[1], tmp_path / "secret.flv")
    with room.watcher() as watcher:
        real = watcher._read

        def swapped(found: object) -> None:
            real(found)  # type: ignore[arg-type]
            media.unlink()
            media.symlink_to(secret)

        watcher._read = swapped  # type: ignore[method-assign]
        assert watcher.round() == []
    assert room.place.archive.catalog.ids() == []


def test_folders_below_are_looked_into_as_deep_as_is_set_and_the_home_is_not(tmp_path: Path, originals: list[Path]) -> None:
    room = Room(tmp_path)
    deep = room.folder / "1" / "2" / "3"
    deep.mkdir(parents=True)
    shutil.copyfile(originals[0], room.folder / "1" / "2" / "in.flv")
    shutil.copyfile(originals[1], deep / "out.flv")
    room.place.close()
    room.place = open_workplace(
        ArchiveSettings(home=room.folder / "home", free_space_margin_bytes=0), lambda: WallTime.now().plus_ms(room.later_ms)
    )
    shutil.copyfile(originals[2], room.folder / "home" / "scratch.flv")
    room.pass_s(1000)
    (recording,) = room.round(settings=IngestSettings(watch_depth=2))
    assert [part.file_name for part in room.place.archive.catalog.recording(recording).parts] == ["in.flv"]
    room.place.close()


def test_a_folder_has_one_watcher_at_a_time(room: Room) -> None:
    with room.watcher() as first:
        assert isinstance(first, Watcher)
        with pytest.raises(AlreadyWatched), room.watcher():
            pass
    with room.watcher():
        pass


def test_a_folder_that_cannot_be_watched_is_named(room: Room) -> None:
    for folder in (room.folder / "none", room.place.archive.home / "objects"):
        with pytest.raises(FolderUnwatchable, match=folder.name), watching(room.place, WatchRequest(folder, "ann"), SETTINGS, print):
            pass
    shutil.rmtree(room.folder / "x", ignore_errors=True)
    with pytest.raises(FolderUnwatchable, match="LIVEPROOF_WATCH_FILES_MAX"):
        for n in range(3):
            (room.folder / f"{n}.flv").touch()
        room.round(settings=IngestSettings(watch_files_max=2))


NOW = {"LIVEPROOF_WATCH_QUIET_S": "0", "LIVEPROOF_FREE_SPACE_MARGIN_BYTES": "0"}


def test_once_run_twice_gives_one_recording(tmp_path: Path, originals: list[Path]) -> None:
    folder, home = tmp_path / "room", tmp_path / "home"
    folder.mkdir()
    for name, source in ((FIRST, originals[0]), (SECOND, originals[1])):
        leave_chat(Path(shutil.copyfile(source, folder / name)))
    events = [
        json.loads(line) for line in liveproof(home, "watch", str(folder), "--once", "--no-process", "--json", **NOW).stdout.splitlines()
    ]
    assert [event["event"] for event in events] == ["admitted", "note"]
    assert events[0]["files"] == [FIRST, SECOND, FIRST.replace(".flv", ".xml"), SECOND.replace(".flv", ".xml")]
    assert liveproof(home, "watch", str(folder), "--once", "--no-process", "--json", **NOW).stdout == ""
    liveproof(home, "watch", str(folder / "none"), "--once", expect=66, **NOW)


def _process(folder: Path, home: Path, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "api.cli", "watch", str(folder), "--json", *more]
    environment = {**os.environ, **NOW, "LIVEPROOF_HOME": str(home), "LIVEPROOF_WATCH_POLL_S": "1", "LIVEPROOF_WATCH_SESSION_GAP_S": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def test_two_processes_on_one_folder_do_not_collide(tmp_path: Path, originals: list[Path]) -> None:
    folder, home = tmp_path / "room", tmp_path / "home"
    folder.mkdir()
    open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0)).close()
    for n, source in enumerate(originals):
        shutil.copyfile(source, folder / f"{n}.flv")
    both = [_process(folder, home, "--once", "--no-process") for _ in range(2)]
    for process in both:
        process.communicate(timeout=100)
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 65])  # the second came after the first was done, or met it
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0))
    assert len(place.archive.catalog.ids()) == 3
    place.close()


@pytest.mark.slow
def test_a_watcher_killed_at_any_moment_is_followed_by_one_that_goes_on(tmp_path: Path, originals: list[Path]) -> None:
    folder, home = tmp_path / "room", tmp_path / "home"
    folder.mkdir()
    for n, source in enumerate(originals):
        shutil.copyfile(source, folder / f"{n}.flv")
    for after_s in (None, 0.3, 1.5):  # as soon as it admits something, and at two moments of starting up
        process = _process(folder, home, "--no-process")
        if after_s is None:
            assert process.stdout
            assert json.loads(process.stdout.readline())["event"] == "admitted"
        else:
            time.sleep(after_s)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
    liveproof(home, "watch", str(folder), "--once", "--no-process", **NOW)
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0))
    held = sorted(part.file_name for recording in place.archive.catalog.recordings() for part in recording.parts)
    assert held == ["0.flv", "1.flv", "2.flv"]
    assert verify_archive(place.archive).failures == ()
    place.close()


@pytest.mark.slow
def test_a_recording_whose_watcher_was_killed_before_it_was_heard_is_heard_by_the_next(tmp_path: Path, originals: list[Path]) -> None:
    folder, home = tmp_path / "room", tmp_path / "home"
    folder.mkdir()
    shutil.copyfile(originals[0], folder / FIRST)
    with _process(folder, home) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["event"] == "admitted"
        os.killpg(process.pid, signal.SIGKILL)
    assert liveproof(home, "watch", str(folder), "--once", "--json", **NOW, LIVEPROOF_WHISPER_MODEL="demo-whisper").stdout == ""
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0))
    (recording,) = place.archive.catalog.ids()
    assert place.archive.transcripts.newest_version(recording) == 1
    place.close()
