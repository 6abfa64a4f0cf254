"""Readings of the screen are versions with provenance that the custody log holds; verification finds what was done to them."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, update

from archive.errors import NotFound
from archive.opening import Archive, open_archive
from archive.schema import screen_readings, screen_texts
from archive.screen_readings import ScreenText
from archive.settings import ArchiveSettings
from archive.timeline import WallTime
from archive.transcript import Provenance
from archive.verification import verify_archive
from tests.archive.held import admit

CARD = ScreenText(1000, 9000, "三号链接", (0.1, 0.1, 0.3, 0.08), 0.99)
PRICE = ScreenText(2000, 5000, "到手价299元", (0.1, 0.2, 0.3, 0.08), 0.97)
CHECKS = ("screens", "claims", "custody", "purges")


def provenance(archive: Archive) -> Provenance:
    return Provenance("rapidocr", "3.10.0", "PP-OCRv6", "sha256:" + "ab" * 32, {"step_ms": 2000, "notes": {"readings": 5}}, archive.clock())


def read(archive: Archive, *texts: ScreenText) -> None:
    archive.screens.add("r1", 1, provenance(archive), 30, texts, "tester")


@pytest.fixture
def held(archive: Archive, media: dict[str, Path]) -> Archive:
    admit(archive, "r1", [media["flv"]])
    read(archive, PRICE, CARD)
    return archive


def problems(archive: Archive) -> set[str]:
    return {check.name for check in verify_archive(archive, only=CHECKS).failures}


def test_a_further_reading_is_a_further_version_and_the_newest_is_shown(held: Archive) -> None:
    read(held, replace(PRICE, text="到手价259元"))
    assert held.screens.versions("r1") == {1: 2}
    assert [text.text for text in held.screens.texts("r1")] == ["到手价259元"]
    first = held.screens.version("r1", 1, 1)
    assert first.texts == (CARD, PRICE) and first.provenance.model_digest == "sha256:" + "ab" * 32
    with pytest.raises(NotFound):
        held.screens.version("r1", 2, 1)
    assert problems(held) == set()


def test_lines_are_found_by_when_they_stood(held: Archive) -> None:
    assert held.screens.texts("r1", 0, 1000) == []
    assert held.screens.texts("r1", 4999, 5001) == [CARD, PRICE]
    assert held.screens.texts("r1", 5000, 9000) == [CARD]
    assert held.screens.texts("another") == []


@pytest.mark.parametrize(
    "change",
    [
        update(screen_texts).where(screen_texts.c.number == 2).values(text="到手价99元"),
        update(screen_texts).where(screen_texts.c.number == 2).values(start_ms=0),
        update(screen_readings).values(parameters={"step_ms": 1}),
        delete(screen_texts).where(screen_texts.c.number == 1),
        delete(screen_texts),
    ],
)
def test_a_changed_or_missing_line_is_found(held: Archive, change: object) -> None:
    with held.database.writing() as connection:
        connection.execute(change)  # type: ignore[call-overload]
    assert {"screens", "claims"} <= problems(held)


def test_a_reading_that_was_slipped_in_is_found(held: Archive) -> None:
    slipped = {
        "recording_id": "r1", "part": 1, "version": 2, "engine": "rapidocr", "engine_version": "3", "model": "", "parameters": {},
        "created_at_ms": 1, "frames": 1, "digest": "sha256:0",
    }  # fmt: skip
    with held.database.writing() as connection:
        connection.execute(insert(screen_readings).values(**slipped))
    assert {"screens", "claims"} <= problems(held)


def test_a_purge_takes_readings_with_their_recording(tmp_path: Path, media: dict[str, Path]) -> None:
    now = [WallTime.parse("2026-11-20T09:30:00+08:00")]
    archive = open_archive(ArchiveSettings(home=tmp_path / "home", free_space_margin_bytes=0), lambda: now[0])
    try:
        admit(archive, "r1", [media["flv"]])
        read(archive, PRICE, CARD)
        now[0] = WallTime.parse("2040-01-01T00:00:00+08:00")
        archive.retention.purge(archive.retention.plan_purge(), "tester")
        assert archive.catalog.ids() == [] and archive.screens.versions("r1") == {} and archive.screens.texts("r1") == []
        assert problems(archive) == set()
    finally:
        archive.close()
