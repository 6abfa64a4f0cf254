"""What an admission writes is what is read back, all or nothing, on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from archive.admission import Admission, Source
from archive.catalog import Catalog
from archive.custody import CustodyLog
from archive.database import Database, open_database
from archive.errors import AlreadyHeld, NotFound
from archive.recording import EventKind, Gap, Message, MessageKind, Part, Product, ProductEvent, Recording
from archive.timeline import ClockMap, WallTime
from tests.archive.held import SteppingClock
from tests.simulators.databases import KINDS, database_url

STARTED = WallTime.parse("2026-11-18T20:00:00.250+08:00")


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with database_url(request.param, tmp_path) as url:
        opened = open_database(url)
        yield opened
        opened.close()


@pytest.fixture
def custody(database: Database) -> CustodyLog:
    return CustodyLog(database, SteppingClock())


@pytest.fixture
def catalog(database: Database, custody: CustodyLog) -> Catalog:
    return Catalog(database, custody)


def part(number: int, starts_at_ms: int, duration_ms: int, digest: str = "ab") -> Part:
    clock = ClockMap(starts_at_ms, STARTED.plus_ms(starts_at_ms), 1000, "file_name")
    return Part(
        number, "sha256:" + digest * 32, 5 << 30, f"第{number}段.flv", duration_ms, "flv", {"fps": 25.0, "streams": [{"index": 0}]}, clock
    )


def admission(recording_id: str = "专场-1") -> Admission:
    recording = Recording(
        recording_id,
        "douyin",
        "7734200",
        "小鹿",
        "换季 “专场”",
        STARTED,
        20_000,
        STARTED.plus_ms(86_400_000),
        (part(1, 0, 9000), replace(part(2, 11_000, 9000, "cd"), damage=("the tail is missing",))),
        (Gap(9000, 11_000, "between_parts"),),
    )
    messages = (
        Message(4000, "链接呢", "用户乙", MessageKind.CHAT, "4.000", "1795003204", 1000, "bilibili_xml/blrec"),
        Message(1500, "送出小花花 🌸", None, MessageKind.GIFT, None, "1795003201500", 3000, "bilibili_xml/recorder", recalled=True),
        Message(4000, "同一毫秒", "用户丙"),
    )
    products = (Product("p2", "围巾", "2号链接", ("羊绒围巾",), 29900, "CNY", "山羊绒", {"sku_id": "9"}), Product("p1", "杯子"))
    events = (ProductEvent(EventKind.EXPLAIN_START, "p2", 1000, "platform"), ProductEvent(EventKind.CARD_SHOWN, "p1", 500, "", True))
    return Admission(recording, messages, products, events, (Source("chat", "sha256:" + "ef" * 32, 12, "弹幕.xml"),))


def test_an_admission_is_read_back_as_it_was_given(catalog: Catalog) -> None:
    given = admission()
    catalog.admit(given, "小王")
    held = catalog.recording("专场-1")
    assert held == given.recording
    assert catalog.products("专场-1") == list(given.products)
    assert catalog.events("专场-1") == sorted(given.events, key=lambda event: event.at_ms)
    assert catalog.sources("专场-1") == list(given.sources)
    assert catalog.counts("专场-1") == (3, 2)


def test_messages_come_in_time_order_and_by_span(catalog: Catalog) -> None:
    given = admission()
    catalog.admit(given, "小王")
    assert catalog.messages("专场-1") == [given.messages[1], given.messages[0], given.messages[2]]
    assert catalog.messages("专场-1", 1501, 3999) == []
    assert catalog.messages("专场-1", 1500, 1500) == [given.messages[1]]


def test_an_admission_is_in_the_custody_log_with_its_digests(catalog: Catalog, custody: CustodyLog) -> None:
    catalog.admit(admission(), "小王")
    (entry,) = custody.entries()
    assert (entry.actor, entry.action, entry.subject) == ("小王", "admit", "专场-1")
    assert "sha256:" + "cd" * 32 in entry.detail and "sha256:" + "ef" * 32 in entry.detail


def test_a_taken_id_is_refused_and_nothing_changes(catalog: Catalog, custody: CustodyLog) -> None:
    catalog.admit(admission(), "小王")
    other = replace(admission(), recording=replace(admission().recording, title="别的"), messages=())
    with pytest.raises(AlreadyHeld, match="专场-1 is already held"):
        catalog.admit(other, "小王")
    assert catalog.recording("专场-1").title == "换季 “专场”"
    assert catalog.counts("专场-1") == (3, 2)
    assert custody.verify() == 1


def test_an_admission_that_fails_on_the_way_leaves_no_row(catalog: Catalog, custody: CustodyLog) -> None:
    twice = replace(admission(), products=(Product("p1", "杯子"), Product("p1", "杯子")))
    with pytest.raises(IntegrityError):
        catalog.admit(twice, "小王")
    assert not catalog.has("专场-1")
    assert catalog.messages("专场-1") == []
    assert custody.verify() == 0


def test_recordings_come_newest_session_first(catalog: Catalog) -> None:
    for recording_id, later_ms in (("a", 0), ("b", 5000), ("c", 1000)):
        given = admission(recording_id)
        catalog.admit(replace(given, recording=replace(given.recording, started_at=STARTED.plus_ms(later_ms))), "小王")
    assert [recording.id for recording in catalog.recordings()] == ["b", "c", "a"]


def test_a_recording_without_media_and_without_a_start_is_held(catalog: Catalog) -> None:
    bare = Recording("only-captions", None, None, None, None, None, 3_600_000 * 50, STARTED)
    catalog.admit(Admission(bare), "小王")
    assert catalog.recording("only-captions") == bare
    assert not catalog.recording("only-captions").has_media


def test_parts_are_found_by_their_bytes(catalog: Catalog) -> None:
    catalog.admit(admission("a"), "小王")
    catalog.admit(admission("b"), "小王")
    assert catalog.holders_of("sha256:" + "cd" * 32) == [("a", 2), ("b", 2)]
    assert catalog.holders_of("sha256:" + "00" * 32) == []


@pytest.mark.parametrize("hostile", ["x'; DROP TABLE recordings; --", "%", "../../etc/passwd", "专场-1 "])
def test_unknown_ids_are_named_in_the_error(catalog: Catalog, hostile: str) -> None:
    catalog.admit(admission(), "小王")
    with pytest.raises(NotFound) as refused:
        catalog.recording(hostile)
    assert hostile in str(refused.value)
    with pytest.raises(NotFound, match="no product"):
        catalog.product("专场-1", hostile)
