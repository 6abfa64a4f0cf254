"""Live captures of a real local origin, held to what was on air: to the frame within a connection, to the second across breaks.

Streams take their time, so the rooms of this file go out at the same time and are captured side by side, into one archive.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import pytest

from api.capture_admitting import CaptureTold
from api.capturing import Captured, CaptureRequest, LiveCapture
from api.workplace import Workplace, open_workplace
from archive.recording import Recording
from archive.settings import ArchiveSettings
from archive.verification import verify_archive
from ingest.capture_address import parse_address
from ingest.settings import IngestSettings
from tests.simulators.live_server import Broadcast, LiveServer, RtmpServer, drawn_session, frame_digests, prepare, pretend_streamlink

SETTINGS = IngestSettings(capture_stall_s=3, capture_connect_s=4, capture_retry_max_s=2)
FRAME_MS = 100
SECONDS = 22


@dataclass
class Room:
    """A room of its own on air, and what its capture left."""

    place: Workplace
    name: str
    broadcast: Broadcast
    server: LiveServer
    frames: list[str]
    rtmp: RtmpServer | None = None
    told: list[CaptureTold] = field(default_factory=list)
    was_live: list[bool] = field(default_factory=list)
    result: Captured | None = None

    def capture(self, url: str, meanwhile: Callable[["Room"], None], **more: object) -> None:
        request = CaptureRequest(parse_address(url, ["X-Room: secret-header"]), "ann", self.name, 5, room=self.name, **more)  # type: ignore[arg-type]
        live = LiveCapture(self.place, request, SETTINGS, None, self._hear)
        with ThreadPoolExecutor(1) as other:
            acting = other.submit(self._act, meanwhile, live)
            self.result = live.run()
            acting.result()

    def _hear(self, told: CaptureTold) -> None:
        self.told.append(told)
        if told.word == "admitted":
            self.was_live.append(self.place.archive.catalog.recording(self.name).live)

    def _act(self, meanwhile: Callable[["Room"], None], live: LiveCapture) -> None:
        meanwhile(self)
        left = SECONDS - self.broadcast.now_ms() / 1000
        time.sleep(max(0, left))
        live.stop()

    @property
    def recording(self) -> Recording:
        return self.place.archive.catalog.recording(self.name)

    @cached_property
    def truth(self) -> list[tuple[int, int, int]]:
        """Of each part where it lies on the line (ms), the number of its first picture in the broadcast, and how many it holds."""
        known = {digest: number for number, digest in enumerate(self.frames)}
        found = []
        for part in self.recording.parts:
            numbers = [known[digest] for digest in frame_digests(self.place.archive.store.path(part.digest))]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "a picture is missing or doubled within a part"
            found.append((part.start_ms, numbers[0], len(numbers)))
        return found

    def words(self) -> list[str]:
        return [told.word for told in self.told]


def on_air(place: Workplace, name: str, source: Broadcast, frames: list[str]) -> Room:
    broadcast = Broadcast(source.flv, source.segments, source.tags, source.flv_header, source.duration_ms, keys=source.keys)
    broadcast.begin()
    return Room(place, name, broadcast, LiveServer(broadcast), frames)


def play(room: Room, scenario: str, folder: Path) -> None:
    server = room.server
    if scenario == "window":
        room.capture(server.hls, lambda _: (steady(room, 11), server.drop_for(4)))  # type: ignore[arg-type,return-value]
    elif scenario == "passed":
        server.window, server.dated = 2, True
        room.capture(server.root + "/live/master.m3u8", lambda _: (steady(room, 9), server.drop_for(8)))  # type: ignore[arg-type,return-value]
    elif scenario == "undated":
        server.window, server.dated = 2, False
        room.capture(server.hls, lambda _: (steady(room, 9), server.drop_for(8)))  # type: ignore[arg-type,return-value]
    elif scenario == "hole":
        server.gone = {4}
        room.capture(server.hls, lambda _: None)
    elif scenario == "ended":
        server.ended_at_ms = 12_000
        room.capture(server.hls, lambda _: None)
    elif scenario == "flv":
        server.gop_cache_ms = 3000
        room.capture(server.flv + "?sign=hidden-signature", lambda _: (steady(room, 9), server.drop_for(4)))  # type: ignore[arg-type,return-value]
    elif scenario == "replay":
        server.gop_cache_ms = 3000
        room.capture(server.flv, lambda _: (steady(room, 9.5), server.drop_for(0.5)))  # type: ignore[arg-type,return-value]
    elif scenario == "stall":
        room.capture(server.flv, lambda _: (steady(room, 8), fall_silent(server, 6)))  # type: ignore[arg-type,return-value]
    elif scenario == "killed":
        room.capture(server.flv, lambda _: (steady(room, 10), kill_ffmpeg_of(place_of(room))))  # type: ignore[arg-type,return-value]
    elif scenario == "rtmp":
        room.rtmp = rtmp = RtmpServer(room.broadcast)
        room.capture(rtmp.url, lambda _: (steady(room, 11), rtmp.drop_for(3)))  # type: ignore[arg-type,return-value]
    elif scenario == "page":
        answers = folder / "answers"
        server.token = "first-token"
        answers.write_text(server.hls + "?token=first-token")
        room.capture(server.root + "/room/7734200", lambda _: (steady(room, 10), expire(server, answers)))  # type: ignore[arg-type,return-value]


def steady(room: Room, at_s: float) -> None:
    """Wait until then, and until the capture has had the stream for some seconds."""
    while "connected" not in room.words() and room.broadcast.now_ms() < 16_000:
        time.sleep(0.1)
    connected = room.broadcast.now_ms() / 1000
    time.sleep(max(0, max(at_s, connected + 2.5) - room.broadcast.now_ms() / 1000))


def fall_silent(server: LiveServer, seconds: float) -> None:
    server.silent = True
    time.sleep(seconds)
    server.silent = False


def expire(server: LiveServer, answers: Path) -> None:
    answers.write_text(server.hls + "?token=second-token")
    server.token = "second-token"


def place_of(room: Room) -> Path:
    return room.place.archive.home / "captures" / room.name


def ffmpegs_of(spool: Path) -> list[int]:
    """Process ids of those that write into a spool."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (
                str(spool) in (process / "cmdline").read_bytes().decode("utf-8", "replace")
                and b"ffmpeg" in (process / "cmdline").read_bytes()
            ):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def kill_ffmpeg_of(spool: Path) -> None:
    (pid,) = ffmpegs_of(spool)
    os.kill(pid, 9)


SCENARIOS = ("window", "passed", "undated", "hole", "ended", "flv", "replay", "stall", "killed", "rtmp", "page")


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Room]]:
    folder = tmp_path_factory.mktemp("live")
    source = prepare(folder / "session", drawn_session(folder / "drawn.flv", 40), 40)
    programs = folder / "programs"
    pretend_streamlink(programs, folder / "answers")
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{programs}{os.pathsep}{before}"
    place = open_workplace(ArchiveSettings(home=folder / "home", free_space_margin_bytes=0))
    made: dict[str, Room] = {}
    frames = source.frames()
    try:
        for scenario in SCENARIOS:
            made[scenario] = on_air(place, scenario, source, frames)
        with ThreadPoolExecutor(len(SCENARIOS)) as all_at_once:
            for each in [all_at_once.submit(play, room, scenario, folder) for scenario, room in made.items()]:
                each.result()
        yield made
    finally:
        os.environ["PATH"] = before
        for room in made.values():
            room.server.close()
            if room.rtmp:
                room.rtmp.close()
        place.close()


def off_ms(room: Room) -> list[int]:
    """How far each part lies from where the broadcast has its first picture, counted from the first part."""
    parts = room.truth
    zero = parts[0][0] - parts[0][1] * FRAME_MS
    return [start - first * FRAME_MS - zero for start, first, _ in parts]


def held_frames(room: Room) -> list[int]:
    return [number for _, first, count in room.truth for number in range(first, first + count)]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_part_lies_where_it_was_on_air(rooms: dict[str, Room], scenario: str) -> None:
    off = off_ms(rooms[scenario])
    assert len(off) >= 2
    assert max(map(abs, off)) <= 2000, off


@pytest.mark.parametrize("scenario", ["window", "ended", "page"])
def test_what_the_window_still_has_is_neither_lost_nor_doubled(rooms: dict[str, Room], scenario: str) -> None:
    room = rooms[scenario]
    numbers = held_frames(room)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert room.recording.gaps == ()
    assert max(map(abs, off_ms(room))) <= 100


@pytest.mark.parametrize(
    ("scenario", "least_ms"), [("passed", 2000), ("undated", 2000), ("hole", 1500), ("flv", 500), ("stall", 1500), ("rtmp", 2000)]
)
def test_what_is_missing_is_a_gap_to_two_seconds(rooms: dict[str, Room], scenario: str, least_ms: int) -> None:
    room = rooms[scenario]
    numbers = held_frames(room)
    assert len(numbers) == len(set(numbers)), "a picture came twice"
    missing = [(a, b) for a, b in pairwise(numbers) if b != a + 1]
    lost = [(following - last - 1) * FRAME_MS for last, following in missing]
    assert max(lost) >= least_ms, "nothing was lost: the test tests nothing"
    for gap, lost_ms in zip(room.recording.gaps, lost, strict=True):
        assert gap.reason == "connection_lost"
        assert abs((gap.end_ms - gap.start_ms) - lost_ms) <= 2000
        assert gap.uncertainty_ms is not None
        assert abs((gap.end_ms - gap.start_ms) - lost_ms) <= gap.uncertainty_ms + FRAME_MS
    assert ("gap", "connection_lost") in [(told.word, told.detail) for told in room.told]


def test_replayed_seconds_are_an_overlap_and_not_a_wrong_clock(rooms: dict[str, Room]) -> None:
    room = rooms["replay"]
    numbers = held_frames(room)
    assert len(numbers) > len(set(numbers)), "nothing was replayed: the test tests nothing"
    assert set(numbers) == set(range(min(numbers), max(numbers) + 1)), "nothing was lost"
    assert room.recording.gaps == ()
    assert any("overlaps" in damage for part in room.recording.parts for damage in part.damage), [p.damage for p in room.recording.parts]


def test_a_killed_ffmpeg_costs_no_more_than_the_break(rooms: dict[str, Room]) -> None:
    room = rooms["killed"]
    numbers = held_frames(room)
    missing = [(b - a - 1) for a, b in pairwise(numbers) if b > a + 1]
    assert sum(missing) * FRAME_MS <= 3000
    assert len(room.recording.parts) >= 3


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_recording_is_live_while_it_is_captured_and_not_after(rooms: dict[str, Room], scenario: str) -> None:
    room = rooms[scenario]
    assert room.was_live
    assert all(room.was_live)
    assert not room.recording.live
    assert not place_of(room).exists(), "everything captured is held, so nothing waits"


def test_the_wall_clock_is_that_of_the_room_within_its_uncertainty(rooms: dict[str, Room]) -> None:
    for room in rooms.values():
        for part, (_, first, _) in zip(room.recording.parts, room.truth, strict=True):
            wall, unsure = room.recording.wall_at(part.start_ms)
            assert part.clock.method == "capture"
            assert wall is not None
            assert abs(wall.epoch_ms - room.broadcast.wall_ms(first * FRAME_MS)) <= unsure


def test_an_ended_playlist_ends_the_capture_by_itself(rooms: dict[str, Room]) -> None:
    result = rooms["ended"].result
    assert result is not None
    assert result.outcome == "ended"
    assert {room.result.outcome for name, room in rooms.items() if room.result and name != "ended"} == {"stopped"}


def test_a_rooms_page_is_asked_anew_when_its_token_expires(rooms: dict[str, Room]) -> None:
    tokens = {found[1] for path, _ in rooms["page"].server.requests if (found := re.search(r"token=([\w-]+)", path))}
    assert tokens == {"first-token", "second-token"}


def test_headers_go_with_every_request(rooms: dict[str, Room]) -> None:
    for scenario in ("window", "flv"):
        assert all(headers.get("X-Room") == "secret-header" for _, headers in rooms[scenario].server.requests)


def test_no_secret_of_an_address_is_said_or_held(rooms: dict[str, Room]) -> None:
    said = " ".join(f"{told.detail}" for room in rooms.values() for told in room.told)
    archive = rooms["flv"].place.archive
    held = (archive.home / "catalog.db").read_bytes() + (archive.home / "catalog.db-wal").read_bytes()
    for secret in ("hidden-signature", "secretkey123", "first-token", "second-token", "secret-header"):
        assert secret not in said
        assert secret.encode() not in held


def test_what_was_captured_verifies(rooms: dict[str, Room]) -> None:
    report = verify_archive(rooms["flv"].place.archive)
    assert report.passed, [check for check in report.checks if not check.passed]


def test_nobody_waits_for_a_capture_that_is_over(rooms: dict[str, Room]) -> None:
    assert [thread.name for thread in threading.enumerate() if thread.name in ("capture", "admit")] == []
    assert all(ffmpegs_of(place_of(room)) == [] for room in rooms.values())
