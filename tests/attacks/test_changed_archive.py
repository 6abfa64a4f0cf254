"""G2, G4: an operator who changes what is held, past every trigger, is found by `verify --archive`."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from archive.evidence_package import build_package
from archive.opening import Archive
from archive.verification import verify_archive
from tests.archive.held import CHAT, EVENTS, SHELF, add_transcript, admit, open_case, open_test_archive


@pytest.fixture(scope="session")
def home(media: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a recording, its transcript, a case and a package in it; each test attacks a copy."""
    folder = tmp_path_factory.mktemp("held") / "home"
    archive = open_test_archive(folder)
    admit(archive, "r1", [media["flv"]], messages=CHAT, products=SHELF, events=EVENTS)
    add_transcript(archive, "r1")
    build_package(archive, open_case(archive, "r1"), "ann")
    assert verify_archive(archive).passed
    archive.close()
    return folder


@pytest.fixture
def held(home: Path, tmp_path: Path) -> Iterator[Archive]:
    shutil.copytree(home, tmp_path / "copy")
    archive = open_test_archive(tmp_path / "copy")
    yield archive
    archive.close()


def failed(archive: Archive) -> set[str]:
    return {check.name for check in verify_archive(archive).failures}


def run_sql(archive: Archive, *statements: str) -> None:
    with archive.database.writing() as connection:
        for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        for statement in statements:
            connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE custody_entries SET actor = 'nobody' WHERE seq = 2",
        "UPDATE custody_entries SET at_ms = at_ms + 1 WHERE seq = 1",
        "UPDATE custody_entries SET detail = replace(detail, '1', '2') WHERE seq = 1",
        "DELETE FROM custody_entries WHERE seq = 3",
        "DELETE FROM custody_entries WHERE seq = 1",
        "UPDATE custody_entries SET seq = 100 WHERE seq = 2",
    ],
)
def test_a_custody_entry_changed_by_raw_sql_is_found(held: Archive, statement: str) -> None:
    run_sql(held, statement)
    assert "custody" in failed(held)


def test_two_custody_entries_swapped_are_found(held: Archive) -> None:
    swap = ("SET seq = 1000 WHERE seq = 2", "SET seq = 2 WHERE seq = 3", "SET seq = 3 WHERE seq = 1000")
    run_sql(held, *(f"UPDATE custody_entries {step}" for step in swap))
    assert "custody" in failed(held)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE segments SET text = '这条手串保真' WHERE number = 2",
        "UPDATE segments SET start_ms = start_ms + 1 WHERE number = 1",
        "DELETE FROM segments WHERE number = 3",
        "UPDATE transcripts SET model = 'a better one'",
        "UPDATE transcripts SET digest = 'sha256:00'",
        "UPDATE transcripts SET version = 7",
    ],
)
def test_a_transcript_changed_by_raw_sql_is_found(held: Archive, statement: str) -> None:
    run_sql(held, statement)
    assert "transcripts" in failed(held)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE messages SET text = '主播说质保三年' WHERE number = 1",
        "UPDATE messages SET at_ms = at_ms + 1 WHERE number = 2",
        "DELETE FROM messages WHERE number = 3",
        "UPDATE products SET price_minor = 19900",
        "UPDATE product_events SET at_ms = at_ms + 1",
        "UPDATE recordings SET host = '小丽'",
        "UPDATE recordings SET started_at_ms = started_at_ms + 3600000",
        "UPDATE parts SET file_name = 'another.flv'",
        "UPDATE clock_maps SET wall_start_ms = wall_start_ms + 3600000",
        "UPDATE packages SET digest = 'sha256:00'",
        "DELETE FROM packages",
        "UPDATE messages SET kind = 'nonsense'",
        "UPDATE custody_entries SET detail = 'no json' WHERE seq = 1",
        "DELETE FROM custody_entries WHERE seq = (SELECT max(seq) FROM custody_entries)",
        "DELETE FROM custody_entries WHERE seq > 1",
    ],
)
def test_catalog_rows_changed_and_a_log_cut_short_are_found(held: Archive, statement: str) -> None:
    run_sql(held, statement)
    assert "rows" in failed(held)


def test_one_byte_of_a_stored_part_is_found(held: Archive) -> None:
    digest = held.catalog.recording("r1").parts[0].digest
    path = held.store.path(digest)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    assert {check.file for check in verify_archive(held).failures} == {digest}


def test_a_part_that_is_gone_is_found(held: Archive) -> None:
    held.store.path(held.catalog.recording("r1").parts[0].digest).unlink()
    assert "presence" in failed(held)


def test_a_kept_media_proof_that_was_touched_is_made_anew(held: Archive, tmp_path: Path) -> None:
    from archive.clip import cut_clip, verify_proof_clip

    (kept,) = (held.home / "derived" / "media-proofs").iterdir()
    content = json.loads(kept.read_bytes())
    content["leaves"][2] = "00" * 32
    kept.write_text(json.dumps(content))
    clip = cut_clip(held, "r1", 3500, 5000, tmp_path / "clip.mp4", "ann")
    assert verify_proof_clip(clip.proof_clip, clip.proof)
