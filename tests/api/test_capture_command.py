"""`liveproof capture` as a process that is killed, stopped and started anew, and what it refuses before it begins."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from api.capture_admitting import CaptureTold, recover
from api.capturing import CaptureRequest, LiveCapture
from api.workplace import Workplace, open_workplace
from archive.digest import digest_bytes
from archive.errors import MissingProgram, StorageFull
from archive.settings import ArchiveSettings
from archive.verification import verify_archive
from ingest.admission import IngestRequest, admit
from ingest.capture_address import parse_address
from ingest.capture_spool import spool_of
from ingest.errors import AlreadyCaptured, NotThisCapture, StreamUnavailable
from ingest.settings import IngestSettings
from tests.api.test_cli import liveproof
from tests.simulators.live_server import LiveServer, drawn_session, frame_digests, prepare

QUICK = IngestSettings(capture_stall_s=2, capture_connect_s=2, capture_retry_max_s=1)


class Capturing:
    """A capture in a process of its own; `events` is what it printed."""

    def __init__(self, home: Path, url: str, recording: str, *more: str) -> None:
        fixed = {"LIVEPROOF_HOME": str(home), "LIVEPROOF_CAPTURE_STALL_S": "3", "LIVEPROOF_FREE_SPACE_MARGIN_BYTES": "0"}
        command = [sys.executable, "-m", "api.cli", "capture", url, "--id", recording, "--segment", "5", "--no-process", "--json", *more]
        self.process = subprocess.Popen(command, env={**os.environ, **fixed}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self, number: int) -> tuple[int, list[dict[str, object]], str]:
        """Send a signal and wait: exit code, events, standard error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, [json.loads(line) for line in out.splitlines()], err


@dataclass
class Story:
    """Two captures killed by kill -9 after some seconds; the first is gone on with and then ended by SIGTERM, the second is left behind."""

    place: Workplace
    server: LiveServer
    killed_at_ms: int
    ffmpeg_gone_s: float
    exit_code: int
    events: list[dict[str, object]]
    errors: str
    while_killed: dict[str, bool]
    recovered: list[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("killed")
    broadcast = prepare(folder / "session", drawn_session(folder / "drawn.flv", 150), 150)
    server = LiveServer(broadcast)
    home = folder / "home"
    place = open_workplace(ArchiveSettings(home=home, free_space_margin_bytes=0))
    broadcast.begin()
    try:
        both = [Capturing(home, server.flv, "again"), Capturing(home, server.hls, "left")]
        wait_for(lambda: all(place.archive.catalog.has(name) for name in ("again", "left")), 60)
        time.sleep(2)
        killed_at_ms = broadcast.now_ms()
        for each in both:
            each.end(signal.SIGKILL)
        since = time.monotonic()
        wait_for(lambda: not writers(home), 20)
        gone_s = time.monotonic() - since
        live = {name: place.archive.catalog.has(name) and place.archive.catalog.recording(name).live for name in ("again", "left")}
        again = Capturing(home, server.flv, "again", "--resume", "again")
        wait_for(lambda: any(path.parent.name == "000002" for path in media_of(home, "again")), 60)
        time.sleep(3)
        code, events, errors = again.end(signal.SIGTERM)
        recovered: list[str] = [str(event["recording"]) for event in events if event["event"] == "recovered"]
        yield Story(place, server, killed_at_ms, gone_s, code, events, errors, live, recovered)
    finally:
        server.close()
        place.close()


def wait_for(condition, seconds: float) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def media_of(home: Path, recording: str) -> list[Path]:
    """Files of a spool that wait to be admitted, or are being written."""
    return [path for stretch in spool_of(home, recording).stretches() for path in stretch.files()]


def writers(home: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{home}/captures".encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def frames_held(story: Story, recording: str) -> list[int]:
    known = {digest: number for number, digest in enumerate(story.server.broadcast.frames())}
    parts = story.place.archive.catalog.recording(recording).parts
    return [known[digest] for part in parts for digest in frame_digests(story.place.archive.store.path(part.digest))]


def test_each_parts_clock_keeps_what_it_rests_on_and_which_address_it_came_from(story: Story) -> None:
    recording = story.place.archive.catalog.recording("again")
    maps = [version for version in story.place.archive.clocks.maps("again") if version.clock.version == 1]
    assert len(maps) == len(recording.parts)
    observed = [version.basis["capture"] for version in maps]
    assert {each["address_digest"] for each in observed} == {digest_bytes(story.server.flv.encode())}
    assert [each["connection"] for each in observed] == sorted(each["connection"] for each in observed)
    for version, each in zip(maps, observed, strict=True):
        wall = version.clock.wall_start
        assert wall is not None
        assert each["arrived"] or each["told"]
        assert all(wall.epoch_ms + at - version.clock.uncertainty_ms <= arrived for at, arrived in each["arrived"])


def test_a_killed_capture_loses_nothing_that_was_captured(story: Story) -> None:
    numbers = frames_held(story, "again")
    assert len(numbers) == len(set(numbers))
    breaks = [(a, b) for a, b in pairwise(numbers) if b != a + 1]
    assert len(breaks) == 1, "one break, where it was killed"
    # Packets are flushed as they come: what is lost is under a second, and what the connection held.
    assert breaks[0][0] * 100 >= story.killed_at_ms - 1500


def test_going_on_records_the_pause_in_the_same_recording(story: Story) -> None:
    recording = story.place.archive.catalog.recording("again")
    numbers = frames_held(story, "again")
    ((last, following),) = [(a, b) for a, b in pairwise(numbers) if b != a + 1]
    (gap,) = recording.gaps
    assert gap.reason == "capture_stopped"
    assert abs((gap.end_ms - gap.start_ms) - (following - last - 1) * 100) <= 2000
    assert [part.number for part in recording.parts] == list(range(1, len(recording.parts) + 1))


def test_sigterm_closes_the_file_and_ends_the_recording(story: Story) -> None:
    assert story.exit_code == 0
    assert story.errors == ""
    assert not story.place.archive.catalog.recording("again").live
    over = story.events[-1]
    assert (over["event"], over["outcome"], over["recording"]) == ("over", "stopped", "again")
    assert not spool_of(story.place.archive.home, "again").folder.exists()


def test_no_ffmpeg_outlives_its_capture(story: Story) -> None:
    assert story.ffmpeg_gone_s < 10
    assert writers(story.place.archive.home) == []


def test_what_another_killed_capture_left_is_admitted_by_the_next(story: Story) -> None:
    assert "left" in story.recovered
    recording = story.place.archive.catalog.recording("left")
    assert not recording.live
    numbers = frames_held(story, "left")
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    # HLS comes in segments of two seconds, the last of which may just not have been there.
    assert numbers[-1] * 100 >= story.killed_at_ms - 5000
    assert recover(story.place, "ann", lambda _: None) == [], "nothing is left"


def test_the_archive_verifies_after_it_all(story: Story) -> None:
    assert verify_archive(story.place.archive).passed


@pytest.fixture(scope="module")
def dead(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workplace, LiveServer]]:
    """An archive, and a server that gives nothing but errors."""
    folder = tmp_path_factory.mktemp("dead")
    server = LiveServer(prepare(folder / "session", drawn_session(folder / "drawn.flv", 3), 3))
    place = open_workplace(ArchiveSettings(home=folder / "home", free_space_margin_bytes=0))
    yield place, server
    server.close()
    place.close()


def live(place: Workplace, url: str, recording: str | None = None, told: list[CaptureTold] | None = None, **more: float) -> LiveCapture:
    request = CaptureRequest(parse_address(url), "ann", recording, 5, **more)  # type: ignore[arg-type]
    return LiveCapture(place, request, QUICK, None, (told if told is not None else []).append)


@pytest.mark.parametrize("path", ["/nowhere.m3u8", "/loop", "/away/away/away/nowhere"])
def test_an_address_that_gives_nothing_is_given_up(dead: tuple[Workplace, LiveServer], path: str) -> None:
    place, server = dead
    with pytest.raises(StreamUnavailable):
        live(place, server.root + path, give_up_s=1).run()
    assert place.archive.catalog.ids() == []
    assert list((place.archive.home / "captures").glob("live-*")) == []


def test_a_page_without_streamlink_says_how_to_install_it(dead: tuple[Workplace, LiveServer], monkeypatch: pytest.MonkeyPatch) -> None:
    place, server = dead
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingProgram, match="pip install streamlink"):
        live(place, server.root + "/room/7").run()


def test_a_nearly_full_disk_ends_the_capture_before_anything_is_lost(tmp_path: Path, dead: tuple[Workplace, LiveServer]) -> None:
    place = open_workplace(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=1 << 60))
    try:
        with pytest.raises(StorageFull, match="Free some space"):
            live(place, dead[1].root + "/nowhere", give_up_s=30).run()
    finally:
        place.close()


def test_a_room_or_recording_is_captured_once(dead: tuple[Workplace, LiveServer]) -> None:
    from ingest.capture_spool import only_capture

    place, server = dead
    address = parse_address(server.flv)
    with only_capture(place.archive.home, "room " + address.place, "it"), pytest.raises(AlreadyCaptured):
        live(place, server.flv + "?sign=other", give_up_s=1).run()
    with only_capture(place.archive.home, "recording mine", "it"), pytest.raises(AlreadyCaptured):
        live(place, server.flv, "mine", give_up_s=1).run()


def test_a_recording_that_no_capture_made_is_not_gone_on_with(dead: tuple[Workplace, LiveServer], tmp_path: Path) -> None:
    place, server = dead
    admit(place.archive, IngestRequest(media=(drawn_session(tmp_path / "other.flv", 2),), recording_id="brought"), "ann")
    with pytest.raises(NotThisCapture):
        live(place, server.flv, "brought").run()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("file:///etc/passwd",), 49),
        (("concat:/etc/passwd|/etc/hosts",), 49),
        (("https://e.com/a.m3u8", "--header", "no colon"), 49),
        (("https://e.com/a.m3u8", "--for", "soon"), 2),
        (("https://e.com/a.m3u8", "--segment", "3"), 2),
    ],
)
def test_what_can_not_be_captured_is_refused_in_one_line(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    ran = liveproof(tmp_path / "home", "capture", *arguments, expect=code)
    assert "passwd" not in ran.stderr
    assert not (tmp_path / "home").exists()
