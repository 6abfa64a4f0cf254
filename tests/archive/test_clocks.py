"""Clock maps and chat shifts get further versions; none is overwritten, what can't be is refused, and chat is read where it now lies."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.catalog import Source
from archive.clocks import PIECES_MAX, SHIFT_MAX_MS, ClockVersion
from archive.errors import InvalidClock, NotFound
from archive.evidence_package import build_package
from archive.opening import Archive
from archive.recording import Gap, Message, Part, Recording
from archive.timeline import ClockMap, ClockPiece, WallTime
from archive.verification import verify_archive, verify_package
from tests.archive.held import CHAT, STARTED, add_transcript, admit, open_case

PIECE = ClockPiece(0, STARTED, 0, 800, 100, "anchors")


def source(archive: Archive, name: str = "chat.xml") -> Source:
    return Source("chat", *archive.store.put(io.BytesIO(name.encode())), name)


def with_chat(archive: Archive, media: dict[str, Path], *names: str, messages: tuple[Message, ...] = CHAT) -> Recording:
    return admit(archive, "r1", [media["flv"]], messages=messages, sources=tuple(source(archive, name) for name in names))


def moved(clock: ClockMap, by_ms: int, uncertainty_ms: int = 2000) -> ClockMap:
    assert clock.wall_start is not None
    return replace(clock, wall_start=clock.wall_start.plus_ms(by_ms), uncertainty_ms=uncertainty_ms, method="anchors")


def test_a_further_estimate_is_a_further_version_and_the_newest_one_holds(archive: Archive, media: dict[str, Path]) -> None:
    held = with_chat(archive, media).parts[0].clock
    archive.clocks.add_maps("r1", {1: moved(held, 40_000)}, {"why": "seen"}, "ann")
    archive.clocks.add_maps("r1", {1: moved(held, 41_000)}, {"why": "seen better"}, "ann")
    found = archive.clocks.maps("r1")
    assert [(v.clock.version, v.basis.get("why"), v.made_at is None) for v in found] == [
        (1, None, True),
        (2, "seen", False),
        (3, "seen better", False),
    ]
    assert found[0].clock == held
    assert archive.catalog.recording("r1").wall_at(0) == (STARTED.plus_ms(41_000), 2000)
    entries = [entry for entry in archive.custody.entries(["r1"]) if entry.action == "clock"]
    assert len(entries) == 2
    assert json.loads(entries[0].detail)["basis"] == {"why": "seen"}
    assert verify_archive(archive).passed


def test_pieces_are_kept_and_each_moment_has_its_own_uncertainty(archive: Archive, media: dict[str, Path]) -> None:
    held = with_chat(archive, media).parts[0].clock
    pieces = (PIECE, ClockPiece(6000, STARTED.plus_ms(46_000), 1000, 3000, 0, "anchors"))
    archive.clocks.add_maps("r1", {1: ClockMap(held.starts_at_ms, STARTED, 3000, "anchors", 1, pieces)}, {}, "ann")
    found = archive.catalog.recording("r1")
    assert found.parts[0].clock.pieces == pieces
    assert found.wall_at(5999) == (STARTED.plus_ms(5999), 800)
    assert found.wall_at(7000) == (STARTED.plus_ms(47_001), 3000)


def test_several_parts_are_one_act(archive: Archive, media: dict[str, Path]) -> None:
    recording = admit(archive, "r1", [media["flv"], media["other"]], 2000)
    added = archive.clocks.add_maps("r1", {p.number: moved(p.clock, 500) for p in recording.parts}, {}, "ann", expected=1)
    assert [(v.part, v.clock.version) for v in added] == [(1, 2), (2, 2)]
    assert sum(entry.action == "clock" for entry in archive.custody.entries()) == 1


def piece(at: int, wall_ms: int, ppm: int = 0) -> ClockPiece:
    return ClockPiece(at, STARTED.plus_ms(wall_ms), ppm, 1000, 0, "anchors")


@pytest.mark.parametrize(
    "change, why",
    [
        ({"pieces": (piece(10, 0),)}, "begins at media time 0"),
        ({"pieces": (piece(0, 0), piece(5000, 5000), piece(5000, 6000))}, "follow each other in media time"),
        ({"pieces": (piece(0, 0), piece(5000, -1))}, "can't run back"),
        ({"pieces": (piece(0, 0, 50_001),)}, "5 % is the most"),
        ({"pieces": tuple(piece(n, n) for n in range(PIECES_MAX + 1))}, "more than the"),
        ({"uncertainty_ms": -1}, "uncertainty"),
        ({"wall_start": WallTime(0)}, "before 2005 or in the future"),
        ({"wall_start": STARTED.plus_ms(400 * 86_400_000)}, "before 2005 or in the future"),
        ({"wall_start": WallTime(10**17)}, "can't be when it was on air"),
        ({"starts_at_ms": 1}, "that never changes"),
    ],
)
def test_a_clock_that_cant_be_is_refused_and_nothing_is_written(
    archive: Archive, media: dict[str, Path], change: dict[str, object], why: str
) -> None:
    held = with_chat(archive, media).parts[0].clock
    before = archive.custody.head()
    with pytest.raises(InvalidClock, match=why):
        archive.clocks.add_maps("r1", {1: replace(held, **change)}, {}, "ann")  # type: ignore[arg-type]
    assert archive.clocks.maps("r1") == [ClockVersion(1, held, {}, None)]
    assert archive.custody.head() == before


def test_an_estimate_against_what_has_changed_meanwhile_is_refused(archive: Archive, media: dict[str, Path]) -> None:
    held = with_chat(archive, media).parts[0].clock
    archive.clocks.add_maps("r1", {1: moved(held, 1)}, {}, "ann", expected=1)
    with pytest.raises(InvalidClock, match="meanwhile"):
        archive.clocks.add_maps("r1", {1: moved(held, 2)}, {}, "bob", expected=1)


def test_unknown_recordings_parts_and_sources_are_named(archive: Archive, media: dict[str, Path]) -> None:
    held = with_chat(archive, media, "chat.xml").parts[0].clock
    with pytest.raises(NotFound, match="part 2"):
        archive.clocks.add_maps("r1", {2: held}, {}, "ann")
    with pytest.raises(NotFound, match="no recording nowhere"):
        archive.clocks.add_shift("nowhere", 1, 0, 0, "chat_answers", {}, "ann")
    with pytest.raises(NotFound, match="source 2"):
        archive.clocks.add_shift("r1", 2, 0, 0, "chat_answers", {}, "ann")
    with pytest.raises(InvalidClock, match="7 days"):
        archive.clocks.add_shift("r1", 1, SHIFT_MAX_MS + 1, 0, "chat_answers", {}, "ann")


def test_shifted_chat_is_read_where_it_lies_and_its_raw_time_stays(archive: Archive, media: dict[str, Path]) -> None:
    messages = tuple(replace(m, raw_offset=str(m.at_ms), uncertainty_ms=1000, source_number=1) for m in CHAT)
    with_chat(archive, media, "chat.xml", messages=messages)
    archive.clocks.add_shift("r1", 1, -40_000, 8000, "chat_answers", {}, "ann")
    archive.clocks.add_shift("r1", 1, 2000, 500, "chat_answers", {}, "ann")
    found = archive.catalog.messages("r1")
    assert [m.at_ms for m in found] == [m.at_ms + 2000 for m in CHAT]
    assert [m.raw_offset for m in found] == [str(m.at_ms) for m in CHAT]
    assert {m.uncertainty_ms for m in found} == {1500}
    assert archive.catalog.messages_brought("r1") == list(messages)
    assert [s.shift_ms for s in archive.clocks.shifts("r1")] == [-40_000, 2000]
    assert verify_archive(archive).passed


def test_messages_that_name_no_source_belong_to_the_only_chat_file(archive: Archive, media: dict[str, Path]) -> None:
    with_chat(archive, media, "chat.xml")
    archive.clocks.add_shift("r1", 1, 100, 0, "chat_answers", {}, "ann")
    assert [m.at_ms for m in archive.catalog.messages("r1")] == [m.at_ms + 100 for m in CHAT]


def test_of_two_chat_files_only_the_shifted_one_moves(archive: Archive, media: dict[str, Path]) -> None:
    own = (replace(CHAT[0], source_number=1), replace(CHAT[1], source_number=2), CHAT[2])
    with_chat(archive, media, "a.xml", "b.xml", messages=own)
    archive.clocks.add_shift("r1", 2, -3000, 0, "chat_answers", {}, "ann")
    assert [(m.at_ms, m.text) for m in archive.catalog.messages("r1")] == [
        (200, CHAT[1].text),
        (1500, CHAT[0].text),
        (5200, CHAT[2].text),
    ]


@given(st.integers(-8000, 8000), st.integers(-8000, 8000), st.integers(-15_000, 15_000), st.integers(0, 12_000))
def test_a_range_holds_just_what_lies_in_it_whatever_was_shifted(first: int, second: int, from_ms: int, length_ms: int) -> None:
    from sqlalchemy import create_engine

    from archive.chat_times import messages_between
    from archive.schema import metadata

    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as connection:
        _fill(connection, {1: first, 2: second})
        everything = messages_between(connection, "r1", None, None)
        within = messages_between(connection, "r1", from_ms, from_ms + length_ms)
    assert within == [m for m in everything if from_ms <= m.at_ms <= from_ms + length_ms]
    assert [m.at_ms for m in everything] == sorted(m.at_ms for m in everything)


def _fill(connection: object, shifts: dict[int, int]) -> None:
    from sqlalchemy import Connection, insert

    from archive import schema

    assert isinstance(connection, Connection)
    connection.execute(insert(schema.recordings).values(id="r1", duration_ms=10_000, admitted_at_ms=0))
    for number, shift in shifts.items():
        values = {"recording_id": "r1", "number": number, "role": "chat", "digest": f"d{number}", "size_bytes": 1, "file_name": "x"}
        connection.execute(insert(schema.sources).values(**values))
        told = {"shift_ms": shift, "uncertainty_ms": 0, "method": "chat_answers", "basis": {}, "made_at_ms": 0}
        connection.execute(insert(schema.source_clocks).values(recording_id="r1", source=number, version=1, **told))
    for number in range(20):
        row = {"at_ms": number * 500, "text": str(number), "kind": "chat", "uncertainty_ms": 0, "source": "s", "recalled": False}
        connection.execute(insert(schema.messages).values(recording_id="r1", number=number, source_number=number % 2 + 1, **row))


def test_a_package_of_a_recording_whose_clock_was_set_again_verifies(archive: Archive, media: dict[str, Path], tmp_path: Path) -> None:
    held = with_chat(archive, media, "chat.xml").parts[0].clock
    add_transcript(archive, "r1")
    archive.clocks.add_maps("r1", {1: ClockMap(held.starts_at_ms, STARTED, 3000, "anchors", 1, (PIECE, piece(6000, 46_000)))}, {}, "ann")
    archive.clocks.add_shift("r1", 1, 500, 8000, "chat_answers", {}, "ann")
    build_package(archive, open_case(archive, "r1"), "ann", tmp_path / "package.zip")
    report = verify_package(tmp_path / "package.zip")
    assert report.passed, report.failures


def part(number: int, start_ms: int, length_ms: int) -> Part:
    return Part(number, f"sha256:{number}", 1, f"{number}.flv", length_ms, "flv", None, ClockMap(start_ms, None, 0, "unknown"))


def test_what_two_parts_hold_counts_once() -> None:
    parts = (part(1, 0, 10_000), part(2, 8000, 5000), part(3, 9000, 1000), part(4, 20_000, 1000))
    found = Recording("r", None, None, None, None, None, 21_000, WallTime(0), parts, (Gap(13_000, 20_000, "between_parts"),))
    assert found.held_ms == 14_000
    assert found.overlaps == ((8000, 10_000),)
