"""Which files of a watch folder form a session, which are closed, and what goes with what."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from ingest.watching import (
    Kind,
    Session,
    Stamp,
    Watched,
    kind_of,
    missing_segments,
    odd_name,
    owner_of,
    passed_over,
    quiet_ms,
    sessions_of,
    to_admit,
    without_copies,
)

CHINA = ZoneInfo("Asia/Shanghai")
GAP_MS, MAX_MS = 900_000, 48 * 3_600_000
MINUTE = 60_000


def part(path: str, minutes: float | None = 60, **more: object) -> Watched:
    duration = None if minutes is None else round(minutes * MINUTE)
    return replace(Watched(path, 0, GAP_MS, minutes is not None, duration, digest=f"sha256:{path}"), **more)  # type: ignore[arg-type]


def grouped(*files: Watched, max_ms: int = MAX_MS, parts_max: int = 2000) -> list[list[str]]:
    return [[p.path for p in session.parts] for session in sessions_of(files, CHINA, GAP_MS, max_ms, parts_max)]


def test_neighbours_whose_pause_is_shorter_than_the_gap_are_one_session() -> None:
    a, b, c = (f"录制-7-20261118-{time}-000-夜场.flv" for time in ("200000", "211400", "223000"))
    assert grouped(part(c), part(a), part(b)) == [[a, b], [c]]  # 14 minutes' pause, then 16


def test_a_title_changed_during_the_session_does_not_part_it() -> None:
    a, b = "录制-7-20261118-200000-000-夜场.flv", "录制-7-20261118-210010-000-返场.flv"
    assert grouped(part(a), part(b)) == [[a, b]]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("录制-8-20261118-210010-000-夜场.flv", "another room"),
        ("b/录制-7-20261118-210010-000-夜场.flv", "another folder"),
        ("录制-7-20261118-210010-000-夜场.mp4", "another ending: a remuxed copy"),
        ("session.flv", "no time in its name"),
        ("录制-7-20261118-200000-000-返场.flv", "the same start"),
    ],
)
def test_what_is_not_of_the_same_recorder_and_room_is_a_session_of_its_own(other: str, why: str) -> None:
    first = "录制-7-20261118-200000-000-夜场.flv"
    assert sorted(grouped(part(first), part(other))) == sorted([[first], [other]]), why


def test_names_that_begin_with_the_time_are_told_apart_by_what_follows() -> None:
    a, b = "2026-11-18 20-00-00-838 小鹿.mp4", "2026-11-18 21-00-10-838 小岚.mp4"
    assert len(grouped(part(a), part(b))) == 2


def test_numbered_segments_follow_each_other_by_their_lengths() -> None:
    names = [f"小鹿_2026-11-18_20-00-00_{n:03}.ts" for n in (0, 1, 10, 2)]
    again = "小鹿_2026-11-18_20-42-00_000.ts"  # four segments of 10 minutes, then 2 minutes' pause
    found = grouped(*(part(name, 10) for name in names), part(again, 10))
    assert found == [[names[0], names[1], names[3], names[2], again]]


def test_skipped_segment_numbers_are_named() -> None:
    names = [f"小鹿_2026-11-18_20-00-00_{n:03}.ts" for n in (0, 1, 4)]
    assert missing_segments(Session(tuple(part(name) for name in names)), CHINA) == [2, 3]


def test_a_file_still_growing_belongs_to_the_session_and_holds_it_open() -> None:
    a, b = part("录制-7-20261118-200000-000-x.flv"), part("录制-7-20261118-210010-000-x.flv", None)
    (session,) = sessions_of([a, b], CHINA, GAP_MS, MAX_MS, 2000)
    assert not session.closed
    assert not session.ended(GAP_MS)


def test_a_session_ends_when_every_part_has_been_quiet_for_the_gap() -> None:
    a, b = part("a.flv"), part("b.flv", quiet_ms=GAP_MS - 1)
    assert Session((a,)).ended(GAP_MS)
    assert not Session((a, b)).ended(GAP_MS)
    assert Session((a, b), full=True).ended(GAP_MS)


def test_a_room_that_never_ends_is_cut_where_a_session_may_be_no_longer() -> None:
    files = [part(f"录制-7-20261118-{hour:02}0000-000-x.flv") for hour in range(10, 20)]
    found = sessions_of(files, CHINA, GAP_MS, 4 * 60 * MINUTE, 2000)
    assert [(len(s.parts), s.full) for s in found] == [(4, True), (4, True), (2, False)]
    assert [len(s) for s in grouped(*files, parts_max=3)] == [3, 3, 3, 1]


def test_parts_that_come_after_the_admission_continue_the_recording_of_their_neighbours() -> None:
    parts = (part("0.flv"), part("1.flv", held_in="rec-1"), part("2.flv"), part("3.flv", held_in="rec-2"), part("4.flv"), part("5.flv"))
    session = Session(parts)
    runs = to_admit(session)
    assert [[p.path for p in run.parts] for run in runs] == [["0.flv"], ["2.flv"], ["4.flv", "5.flv"]]
    assert [session.holder_of(run.parts) for run in runs] == ["rec-1", "rec-1", "rec-2"]
    assert to_admit(Session((parts[1],))) == []
    assert Session((part("a.flv"),)).holder_of((part("a.flv"),)) is None


def test_of_a_session_that_goes_on_the_parts_before_the_first_open_one_can_be_taken() -> None:
    parts = (part("1.flv"), part("2.flv"), part("3.flv", minutes=None), part("4.flv"))
    beginning = Session(parts).closed_beginning()
    assert beginning is not None and [p.path for p in beginning.parts] == ["1.flv", "2.flv"]
    assert Session(parts[2:]).closed_beginning() is None


def test_a_copy_of_a_part_is_left_out_and_named() -> None:
    a, b = part("a.flv"), part("b.flv", digest="sha256:a.flv")
    session, copies = without_copies(Session((a, b)))
    assert (session.parts, copies) == ((a,), {"b.flv": "a.flv"})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x.FLV", Kind.MEDIA),
        ("x.m4a", Kind.MEDIA),
        ("x.xml", Kind.BESIDE),
        ("x.SRT", Kind.BESIDE),
        ("x.vtt", Kind.BESIDE),
        ("x.lrc", Kind.BESIDE),
        ("Products.JSON", Kind.PRODUCTS),
        ("events.csv", Kind.EVENTS),
        ("events.txt", Kind.BESIDE),
        ("readme.md", None),
        ("x", None),
    ],
)
def test_files_are_told_by_their_ending(name: str, kind: Kind | None) -> None:
    assert kind_of(name) is kind


@pytest.mark.parametrize("head", [b"FLV\x01\x05", b"\0\0\0\x20ftypisom", b"RIFF\0\0\0\0WAVEfmt ", b"G" + b"\0" * 187 + b"G"])
def test_media_without_an_ending_is_told_by_its_first_bytes(head: bytes) -> None:
    assert kind_of("recording", head) is Kind.MEDIA
    assert kind_of("recording", head[:3]) is None


@pytest.mark.parametrize("name", ["a.flv.tmp", "a.part", "a.mp4.part-Frag12", "a.flv.DOWNLOADING", ".a.flv", "~$a.xlsx", "a.crdownload"])
def test_unfinished_and_hidden_files_are_passed_over(name: str) -> None:
    assert passed_over(name)
    assert not passed_over("a.flv")


@pytest.mark.parametrize("name", ["a\n.flv", "a\u202evlf.exe", "a\udcff.flv", "..\\a.flv", "a.flv ", "a\u200b.flv"])
def test_names_that_hide_what_they_are_are_odd(name: str) -> None:
    assert odd_name(name)
    assert not odd_name("录制-7734200-20261118-200000-000-【夜场】 100%.flv")


def test_a_file_is_quiet_by_its_stamps_or_by_what_was_seen_whichever_is_longer() -> None:
    now = 1_000_000
    at = Stamp(1, (now - 50_000) * 1_000_000, (now - 30_000) * 1_000_000, 1)
    assert quiet_ms(at, now, now) == 30_000  # the inode's change counts: old stamps were copied
    from_the_future = replace(at, modified_ns=(now + 10**9) * 1_000_000)
    assert quiet_ms(from_the_future, now - 70_000, now) == 70_000
    assert quiet_ms(from_the_future, now, now) == 0


def test_chat_goes_with_the_longest_fitting_stem_in_its_own_folder() -> None:
    media = ["a.flv", "a.b.flv", "x/a.b.c.flv"]
    assert owner_of("a.b.xml", media) == "a.b.flv"
    assert owner_of("a.b.c.live_chat.json", media) == "a.b.flv"
    assert owner_of("a.xml", media) == "a.flv"
    assert owner_of("ab.xml", media) is None
