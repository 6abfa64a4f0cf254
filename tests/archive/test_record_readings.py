"""What was read out of a case's papers: versions, held by the custody log, gone with their case."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from archive.case_attachments import attach, attach_call, given_as
from archive.case_record import RecordPiece, RecordReading
from archive.catalog import Admission
from archive.errors import InvalidCase, NotFound
from archive.opening import Archive
from archive.record_readings import reading_digest
from archive.recording import Part, Recording
from archive.timeline import ClockMap, WallTime
from archive.transcript import Provenance
from archive.verification import verify_archive
from tests.archive.held import NOW, STARTED, open_test_archive

PIECES = (
    RecordPiece({"page": 1, "line": 1}, "质保三年，以收货日起算"),
    RecordPiece({"page": 2, "box": [0.1, 0.2, 0.3, 0.04]}, "盖章：暖岚优选", 0.94),
)
MADE = Provenance("pypdfium2", "5.15.2", "ocr", "sha256:" + "cd" * 32, {"format": "pdf", "read": {"pages": 2}}, NOW)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened = open_test_archive(tmp_path / "home")
    opened.cases.open("case-1", "质保", "说好三年", "tester")
    attach(opened, "case-1", io.BytesIO(b"%PDF-1.7 contract"), "合同.pdf", "document", "tester")
    yield opened
    opened.close()


def read(archive: Archive, pieces: tuple[RecordPiece, ...] = PIECES) -> RecordReading:
    return archive.records.add("case-1", 1, MADE, pieces, ({"code": "page_by_ocr", "page": 2},), "tester")


def passed(archive: Archive) -> bool:
    return verify_archive(archive).passed


def test_a_reading_comes_back_as_it_was_and_a_further_one_is_a_further_version(archive: Archive) -> None:
    first = read(archive)
    assert archive.records.latest("case-1", 1) == first
    second = read(archive, (replace(PIECES[0], text="质保一年"),))
    assert (first.version, second.version) == (1, 2)
    assert archive.records.version("case-1", 1, 1) == first
    assert archive.records.overview("case-1")[1].version == 2
    assert archive.records.newest_versions() == {("case-1", 1): 2}
    assert reading_digest(replace(first, id=0, digest="")) == first.digest
    with pytest.raises(NotFound):
        archive.records.version("case-1", 1, 3)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE record_texts SET text = '质保十年' WHERE number = 1",
        "UPDATE record_texts SET confidence = 0.99 WHERE number = 2",
        "UPDATE record_texts SET place = '{\"page\": 3}' WHERE number = 1",
        "DELETE FROM record_texts WHERE number = 2",
        "UPDATE record_readings SET model = 'another'",
        "UPDATE record_readings SET notes = '[]'",
    ],
)
def test_a_changed_reading_is_found(archive: Archive, change: str) -> None:
    read(archive)
    assert passed(archive)
    with archive.database.writing() as connection:
        connection.execute(text(change))
    assert not passed(archive)


def test_a_withdrawn_paper_is_not_read_any_more_and_its_reading_stays(archive: Archive) -> None:
    held = read(archive)
    archive.cases.withdraw_attachment("case-1", 1, "传错了", "tester")
    with pytest.raises(InvalidCase, match="withdrawn"):
        read(archive)
    assert archive.records.newest_versions() == {}
    assert archive.records.latest("case-1", 1) == held
    with pytest.raises(NotFound):
        archive.records.add("case-1", 2, MADE, (), (), "tester")


def test_a_purged_case_takes_its_readings_along(archive: Archive) -> None:
    read(archive)
    later = replace(archive, retention=_retention_at(archive, archive.clock().plus_ms(40 * 365 * 86_400_000)))
    plan = later.retention.plan_purge()
    assert [item.subject for item in plan.items] == ["case-1"]
    later.retention.purge(plan, "tester", "保存期满")
    assert archive.records.latest("case-1", 1) is None
    with archive.database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM record_texts")).scalar_one() == 0
    assert passed(archive)


def test_a_call_goes_with_its_case_and_into_packages_by_its_digest_alone(archive: Archive) -> None:
    digest, size = archive.store.put(io.BytesIO(b"\0\0\0\x18ftypmp42 a call"))
    part = Part(1, digest, size, "通话.mp4", 1000, "mp4", {}, ClockMap(0, STARTED, 500, "given"))
    call = Recording("call-1", None, None, None, None, STARTED, 1000, archive.clock(), (part,), kind="call")
    archive.catalog.admit(Admission(call), "tester")
    paper = attach_call(archive, "case-1", call, "与小李通话.mp4", "tester", purpose="客服答应退差价")
    assert (paper.recording_id, paper.media_type, given_as(paper)) == ("call-1", "video/mp4", "withheld")
    assert archive.cases.case("case-1").attachments[1] == paper
    with pytest.raises(InvalidCase, match="live session"):
        attach_call(archive, "case-1", replace(call, kind=None), "通话.mp4", "tester")
    later = replace(archive, retention=_retention_at(archive, archive.clock().plus_ms(40 * 365 * 86_400_000)))
    plan = later.retention.plan_purge()
    assert {item.subject for item in plan.items} == {"case-1", "call-1"}
    archive.retention.place_hold("recording", "call-1", "诉讼", "tester")
    assert later.retention.plan_purge().items == ()
    assert passed(archive)


def _retention_at(archive: Archive, now: WallTime) -> "object":
    from archive.retention import Retention

    r = archive.retention
    return Retention(archive.database, archive.custody, archive.catalog, archive.store, r.rules, archive.home, lambda: now)
