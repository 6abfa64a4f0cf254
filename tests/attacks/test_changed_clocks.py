"""G2, G4: clocks decide at what time of day a promise was made; who changes one past the log, removes a version or moves chat is found."""

import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from archive.catalog import Source
from archive.opening import Archive
from archive.timeline import ClockMap, ClockPiece
from archive.verification import verify_archive
from tests.archive.held import CHAT, STARTED, admit, open_test_archive

PIECES = (
    ClockPiece(0, STARTED, 0, 800, 120, "time_subtitle"),
    ClockPiece(6000, STARTED.plus_ms(46_000), 12, 900, 130, "time_subtitle"),
)


@pytest.fixture(scope="session")
def home(media: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a recording whose clock was estimated twice more and whose chat was shifted twice; each test attacks a copy."""
    folder = tmp_path_factory.mktemp("clocks") / "home"
    archive = open_test_archive(folder)
    chat = Source("chat", *archive.store.put(io.BytesIO(b"<i></i>")), "chat.xml")
    messages = tuple(replace(message, source_number=1) for message in CHAT)
    recording = admit(archive, "r1", [media["flv"]], messages=messages, sources=(chat,))
    at = recording.parts[0].start_ms
    archive.clocks.add_maps("r1", {1: ClockMap(at, STARTED.plus_ms(40_000), 9000, "chat_answers")}, {"decision": "taken"}, "ann")
    archive.clocks.add_maps("r1", {1: ClockMap(at, STARTED, 900, "time_subtitle", 1, PIECES)}, {"file": "x.srt"}, "ann")
    archive.clocks.add_shift("r1", 1, -42_000, 8900, "chat_answers", {"answers": {"lag_ms": -35_000}}, "ann")
    archive.clocks.add_shift("r1", 1, -40_500, 8200, "chat_answers", {"answers": {"lag_ms": -33_500}}, "ann")
    assert verify_archive(archive).passed
    archive.close()
    return folder


@pytest.fixture
def held(home: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(home, tmp_path / "copy")
    archive = open_test_archive(tmp_path / "copy")
    yield archive
    archive.close()


def run_sql(archive: Archive, statement: str, **values: object) -> None:
    with archive.database.writing() as connection:
        for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        assert connection.execute(text(statement), values).rowcount


def failed(archive: Archive) -> set[str]:
    return {check.name for check in verify_archive(archive, only=("rows", "claims", "custody")).failures}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE clock_maps SET pieces = replace(pieces, '800', '801') WHERE version = 3",
        "UPDATE clock_maps SET pieces = NULL WHERE version = 3",
        "UPDATE clock_maps SET wall_start_ms = wall_start_ms + 1 WHERE version = 2",
        "UPDATE clock_maps SET uncertainty_ms = 500 WHERE version = 2",
        "UPDATE clock_maps SET method = 'given' WHERE version = 3",
        "UPDATE clock_maps SET basis = '{}' WHERE version = 3",
        "UPDATE clock_maps SET made_at_ms = made_at_ms - 1 WHERE version = 2",
        "UPDATE clock_maps SET made_at_ms = 0 WHERE version = 1",
        "UPDATE source_clocks SET shift_ms = shift_ms + 1000 WHERE version = 2",
        "UPDATE source_clocks SET uncertainty_ms = 100 WHERE version = 1",
        "UPDATE source_clocks SET basis = '{}' WHERE version = 2",
    ],
)
def test_a_clock_or_a_shift_changed_by_raw_sql_is_found(held: Archive, statement: str) -> None:
    run_sql(held, statement)
    assert "claims" in failed(held)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_removed_version_of_a_clock_is_found(held: Archive, version: int) -> None:
    run_sql(held, "DELETE FROM clock_maps WHERE version = :version", version=version)
    assert "claims" in failed(held)


@pytest.mark.parametrize("version", [1, 2])
def test_a_removed_shift_is_found(held: Archive, version: int) -> None:
    run_sql(held, "DELETE FROM source_clocks WHERE version = :version", version=version)
    assert "claims" in failed(held)


def test_a_clock_slipped_in_past_the_log_is_found(held: Archive) -> None:
    run_sql(
        held,
        "INSERT INTO clock_maps (recording_id, part, version, starts_at_ms, wall_start_ms, uncertainty_ms, method) "
        "VALUES ('r1', 1, 4, 0, 1795003199000, 10, 'given')",
    )
    assert "claims" in failed(held)


def test_moved_messages_are_found_though_a_shift_stands_over_them(held: Archive) -> None:
    run_sql(held, "UPDATE messages SET at_ms = at_ms + 1000 WHERE number = 1")
    assert {"rows", "claims"} <= failed(held)


def test_the_first_estimate_can_still_be_read_from_the_log_alone(held: Archive) -> None:
    entries = [json.loads(entry.detail) for entry in held.custody.entries(["r1"]) if entry.action == "clock"]
    assert [entry["clocks"][0]["method"] for entry in entries[:2]] == ["chat_answers", "time_subtitle"]
    assert entries[1]["clocks"][0]["pieces"][1][0] == 6000
    assert [entry["shift"]["shift_ms"] for entry in entries[2:]] == [-42_000, -40_500]
