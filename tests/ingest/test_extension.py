"""A recording grows by what is new and by nothing else: parts, chat, shelf and gaps find their place on the line that is there."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from archive.digest import digest_file
from archive.errors import AlreadyHeld, GrownMeanwhile, NotFound
from archive.opening import Archive
from archive.recording import EventKind, Gap
from archive.timeline import ClockMap, WallTime
from ingest.admission import IngestRequest, admit
from ingest.errors import InputTooLarge, InvalidRequest, NotMedia
from ingest.extension import ExtendRequest, extend
from ingest.settings import IngestSettings

Flv = Callable[..., Path]
START = WallTime.parse("2026-11-18T20:00:00+08:00")


def named(seconds: int) -> str:
    return f"录制-7734200-20261118-2000{seconds:02}-000-暖岚专场"


def chat_xml(path: Path, start: str, *entries: tuple[float, str]) -> Path:
    lines = "".join(f'<d p="{at},1,25,16777215,0,0,1,0" user="雨后">{text}</d>' for at, text in entries)
    path.write_text(f'<i><BililiveRecorderRecordInfo roomid="7734200" start_time="2026-11-18T{start}+08:00" />{lines}</i>', "utf-8")
    return path


@pytest.fixture
def first(archive: Archive, flv: Flv) -> str:
    """A live recording of one part of 4 s, which began at 20:00:00."""
    admitted = admit(archive, IngestRequest((flv(f"{named(0)}.flv", 0),), "直播-1", live=True), "小王")
    assert admitted.recording.live
    return admitted.recording.id


def test_a_later_part_lies_at_its_wall_time_behind_the_gap_that_it_leaves(archive: Archive, flv: Flv, first: str, tmp_path: Path) -> None:
    part, chat = flv(f"{named(44)}.flv", 1), chat_xml(tmp_path / f"{named(44)}.xml", "20:00:44.000", (0.5, "回来了"))
    extended = extend(archive, first, ExtendRequest((part,), (chat,)), "小李")
    held = archive.catalog.recording(first)
    assert held == extended.recording and extended.new_parts == (2,) and extended.new_messages == 1 and not extended.already_held
    one, two = held.parts
    assert (two.start_ms, two.clock.wall_start, two.clock.version) == (44_000, START.plus_ms(44_000), 1)
    assert held.gaps == (Gap(one.duration_ms, 44_000, "between_parts"),)
    assert (held.duration_ms, held.live) == (two.end_ms, True)
    assert [(m.at_ms, m.text, m.source_number) for m in archive.catalog.messages(first)] == [(44_500, "回来了", 1)]
    assert archive.store.has(two.digest)


def test_what_came_is_logged_and_owed_a_time_stamp(archive: Archive, flv: Flv, first: str) -> None:
    part = flv(f"{named(10)}.flv", 1)
    extend(archive, first, ExtendRequest((part,)), "小李")
    entry = list(archive.custody.entries([first]))[-1]
    detail = json.loads(entry.detail)
    assert (entry.actor, entry.action) == ("小李", "extend")
    (logged,) = detail["parts"]
    assert (logged["number"], logged["digest"]) == (2, digest_file(part)) and logged["media_root"].startswith("sha256:")
    assert [clock["part"] for clock in detail["clocks"]] == [2]
    assert {claimed["table"] for claimed in detail["rows"]} == {"recordings", "parts", "clock_maps", "gaps"}
    assert entry.digest in {stamp.digest for stamp in archive.stamps.of("admission", first)}


def test_the_same_again_changes_nothing(archive: Archive, flv: Flv, first: str, tmp_path: Path) -> None:
    request = ExtendRequest((flv(f"{named(44)}.flv", 1),), (chat_xml(tmp_path / f"{named(44)}.xml", "20:00:44.000", (0.5, "回来了")),))
    before = extend(archive, first, request, "小李").recording
    head, objects = archive.custody.head(), set(archive.store.digests())
    again = extend(archive, first, request, "小李")
    assert again.already_held and again.new_parts == () and again.new_messages == 0 and again.recording == before
    assert archive.custody.head() == head and set(archive.store.digests()) == objects
    # Also where only a part of it is new: the rest is skipped, whatever it is called now.
    renamed = tmp_path / "又一次.flv"
    shutil.copyfile(request.media[0], renamed)
    more = extend(archive, first, replace(request, media=(renamed, flv(f"{named(55)}.flv", 2))), "小李")
    assert more.new_parts == (3,) and more.new_messages == 0
    assert [part.start_ms for part in more.recording.parts] == [0, 44_000, 55_000]


def test_admitting_the_first_files_of_a_grown_recording_again_changes_nothing(archive: Archive, flv: Flv, first: str) -> None:
    extend(archive, first, ExtendRequest((flv(f"{named(44)}.flv", 1),)), "小李")
    head = archive.custody.head()
    assert admit(archive, IngestRequest((flv(f"{named(0)}.flv", 0),), first), "小王").already_held
    with pytest.raises(AlreadyHeld, match="other media"):
        admit(archive, IngestRequest((flv(f"{named(9)}.flv", 2),), first), "小王")
    assert archive.custody.head() == head


def test_a_part_without_a_time_of_its_own_follows_the_last_one(archive: Archive, flv: Flv, first: str) -> None:
    recording = extend(archive, first, ExtendRequest((flv("b.flv", 1), flv("c.flv", 2))), "小李").recording
    one, two, three = recording.parts
    assert (two.start_ms, three.start_ms) == (one.end_ms, two.end_ms) and recording.gaps == ()
    assert two.clock.method == "sum_of_durations" and two.clock.uncertainty_ms < three.clock.uncertainty_ms


def test_a_capture_tells_places_and_gaps_itself(archive: Archive, flv: Flv, first: str) -> None:
    end = archive.catalog.recording(first).duration_ms
    clock = ClockMap(end + 7000, START.plus_ms(end + 7100), 80, "capture")
    lost = Gap(end, end + 7000, "connection_lost", 400)
    recording = extend(archive, first, ExtendRequest((flv("b.flv", 1),), clocks=(clock,), gaps=(lost,)), "capture").recording
    assert recording.parts[1].clock == clock and recording.gaps == (lost,)
    # What ends without a part behind it counts as missing up to where something comes.
    stopped = Gap(recording.duration_ms, recording.duration_ms + 3000, "capture_stopped", 2000)
    waiting = extend(archive, first, ExtendRequest(gaps=(stopped,)), "capture").recording
    assert waiting.gaps == (lost, stopped) and waiting.duration_ms == stopped.end_ms
    late = replace(clock, starts_at_ms=stopped.end_ms + 1000)
    grown = extend(archive, first, ExtendRequest((flv("c.flv", 2),), clocks=(late,), closes=True), "capture").recording
    assert grown.gaps == (lost, replace(stopped, end_ms=stopped.end_ms + 1000)) and not grown.live


def test_a_late_part_fits_into_a_gap_and_shortens_it(archive: Archive, flv: Flv, first: str) -> None:
    extend(archive, first, ExtendRequest((flv(f"{named(44)}.flv", 1),)), "小李")
    recording = extend(archive, first, ExtendRequest((flv(f"{named(20)}.flv", 2),)), "小李").recording
    one, two, three = recording.parts
    assert (three.number, three.start_ms, two.start_ms) == (3, 20_000, 44_000)
    assert recording.gaps == (Gap(one.end_ms, 20_000, "between_parts"), Gap(three.end_ms, 44_000, "between_parts"))


@pytest.mark.parametrize(("seconds", "words"), [("195950", "before the recording does"), ("200042", "must fit into a gap")])
def test_a_part_that_lies_before_the_recording_or_in_another_part_is_refused(
    archive: Archive, flv: Flv, first: str, seconds: str, words: str
) -> None:
    extend(archive, first, ExtendRequest((flv(f"{named(44)}.flv", 1),)), "小李")
    head = archive.custody.head()
    with pytest.raises(InvalidRequest, match=words):
        extend(archive, first, ExtendRequest((flv(f"录制-7734200-20261118-{seconds}-000-暖岚专场.flv", 2),)), "小李")
    assert archive.custody.head() == head and len(archive.catalog.recording(first).parts) == 2


def test_chat_that_comes_late_lies_on_the_line_of_the_part_it_is_named_for(archive: Archive, flv: Flv, first: str, tmp_path: Path) -> None:
    extend(archive, first, ExtendRequest((flv(f"{named(44)}.flv", 1),)), "小李")
    one = chat_xml(tmp_path / f"{named(44)}.xml", "20:00:44.000", (1, "第二段"))
    two = chat_xml(tmp_path / f"{named(0)}.xml", "20:00:00.000", (1, "第一段"))
    extend(archive, first, ExtendRequest(chat=(one,)), "小李")
    extend(archive, first, ExtendRequest(chat=(two,)), "小李")
    found = [(m.at_ms, m.text, m.source_number) for m in archive.catalog.messages(first)]
    assert found == [(1000, "第一段", 2), (45_000, "第二段", 1)]


def test_shelf_events_and_captions_come_once(archive: Archive, first: str, tmp_path: Path) -> None:
    shelf, other, events = tmp_path / "shelf.json", tmp_path / "other.json", tmp_path / "events.json"
    shelf.write_text('[{"product_id": "p1", "title": "围巾"}]', "utf-8")
    other.write_text('[{"product_id": "p2", "title": "杯子"}]', "utf-8")
    events.write_text('[{"event": "explain_start", "product_id": "p1", "at": "2026-11-18T20:00:02+08:00", "time_base": "wall"}]', "utf-8")
    captions = tmp_path / "c.srt"
    captions.write_text("1\n00:00:01,000 --> 00:00:02,500\n假一赔十\n", "utf-8")
    extend(archive, first, ExtendRequest(products=shelf), "小李")
    extend(archive, first, ExtendRequest(products=shelf, events=events, captions=captions), "小李")
    assert [product.title for product in archive.catalog.products(first)] == ["围巾"]
    assert [(event.event, event.at_ms) for event in archive.catalog.events(first)] == [(EventKind.EXPLAIN_START, 2000)]
    transcript = archive.transcripts.latest(first)
    assert transcript and [segment.text for segment in transcript.segments] == ["假一赔十"]
    head = archive.custody.head()
    assert extend(archive, first, ExtendRequest(products=shelf, events=events, captions=captions), "小李").already_held
    with pytest.raises(AlreadyHeld, match="other products already"):
        extend(archive, first, ExtendRequest(products=other), "小李")
    assert archive.custody.head() == head


def test_closing_is_logged_once(archive: Archive, first: str) -> None:
    closed = extend(archive, first, ExtendRequest(closes=True), "小李")
    assert not closed.already_held and not closed.recording.live
    assert extend(archive, first, ExtendRequest(closes=True), "小李").already_held
    assert [entry.action for entry in archive.custody.entries([first])] == ["admit", "extend"]


def test_a_request_that_can_not_be_met_changes_nothing(archive: Archive, flv: Flv, first: str, tmp_path: Path) -> None:
    head, objects = archive.custody.head(), set(archive.store.digests())
    noise = tmp_path / "noise.flv"
    noise.write_bytes(b"no media at all" * 100)
    with pytest.raises(NotFound):
        extend(archive, "never", ExtendRequest(closes=True), "小李")
    with pytest.raises(InvalidRequest, match="nothing to add"):
        extend(archive, first, ExtendRequest(), "小李")
    with pytest.raises(NotMedia):
        extend(archive, first, ExtendRequest((flv("b.flv", 1), noise)), "小李")
    with pytest.raises(InputTooLarge, match="2 media files"):
        extend(archive, first, ExtendRequest((flv("b.flv", 1),)), "小李", settings=IngestSettings(parts_max=1))
    with pytest.raises(InvalidRequest, match="clocks"):
        extend(archive, first, ExtendRequest(closes=True, clocks=(None,)), "小李")
    assert archive.custody.head() == head and set(archive.store.digests()) - objects <= {digest_file(tmp_path / "b.flv")}


def test_many_that_extend_at_once_lose_and_double_nothing(archive: Archive, flv: Flv, first: str, tmp_path: Path) -> None:
    parts = [flv("b.flv", 1), flv("c.flv", 2)]
    chats = [chat_xml(tmp_path / f"c{n}.xml", "20:00:00.000", (n, f"第{n}")) for n in range(1, 5)]
    requests = [ExtendRequest((part,)) for part in parts * 2] + [ExtendRequest(chat=(chat,)) for chat in chats * 2]
    with ThreadPoolExecutor(len(requests)) as pool:
        done = [job.result() for job in [pool.submit(extend, archive, first, request, "小李") for request in requests]]
    held = archive.catalog.recording(first)
    assert sorted(number for each in done for number in each.new_parts) == [2, 3]
    assert sorted(each.new_messages for each in done) == [0] * 8 + [1] * 4
    assert [part.number for part in held.parts] == [1, 2, 3] and held.duration_ms == held.parts[2].end_ms
    assert [m.text for m in archive.catalog.messages(first)] == ["第1", "第2", "第3", "第4"]
    assert len({m.source_number for m in archive.catalog.messages(first)}) == 4


def test_what_was_laid_on_an_older_state_is_refused_whole(archive: Archive, flv: Flv, first: str) -> None:
    from archive.admission import Extension, Source

    seen = archive.catalog.recording(first)
    extend(archive, first, ExtendRequest((flv("b.flv", 1),)), "小李")
    head = archive.custody.head()
    stale = Extension(seen, 0, seen.gaps, 99_000, True, sources=(Source("chat", "sha256:" + "ab" * 32, 1, "x.xml"),))
    with pytest.raises(GrownMeanwhile):
        archive.catalog.extend(stale, "小李")
    assert archive.custody.head() == head and archive.catalog.sources(first) == []


def test_captions_alone_get_their_media_later(archive: Archive, flv: Flv, tmp_path: Path) -> None:
    captions = tmp_path / "c.srt"
    captions.write_text("1\n00:00:01,000 --> 00:00:02,500\n假一赔十\n", "utf-8")
    admit(archive, IngestRequest((), "s1", captions=captions, started_at=START), "小王")
    recording = extend(archive, "s1", ExtendRequest((flv("b.flv", 0),)), "小李").recording
    (part,) = recording.parts
    assert (part.start_ms, part.clock.wall_start, recording.duration_ms) == (0, START, part.duration_ms)
