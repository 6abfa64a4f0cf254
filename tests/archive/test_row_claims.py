"""The custody log holds every row to what it was, as it is stored, on both databases."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import column, select, table, text

from archive.digest import canonical_json
from archive.opening import Archive, open_archive
from archive.row_claims import CLAIMED, broken_claims
from archive.settings import ArchiveSettings
from tests.archive.held import CHAT, EVENTS, SHELF, SteppingClock, add_transcript, admit, open_case
from tests.simulators.databases import KINDS, database_url


def filled(home: Path, url: str) -> Archive:
    opened = open_archive(ArchiveSettings(home=home, database_url=url, free_space_margin_bytes=0), SteppingClock())
    admit(opened, "r1", [], messages=CHAT, products=SHELF, events=EVENTS)
    add_transcript(opened, "r1", None)
    open_case(opened, "r1")
    return opened


@pytest.fixture(params=KINDS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    with database_url(request.param, tmp_path) as url:
        opened = filled(tmp_path / "home", url)
        yield opened
        opened.close()


def broken(archive: Archive) -> list[str]:
    with archive.database.reading() as connection:
        return [what for what, _ in broken_claims(connection, archive.custody.entries())]


def test_what_was_written_holds(archive: Archive) -> None:
    assert broken(archive) == []


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("UPDATE messages SET number = 9 WHERE number = 3", "messages"),
        ("UPDATE messages SET author = NULL WHERE number = 1", "messages"),
        ("UPDATE products SET aliases = '[\"手串\" ]'", "products"),
        ("UPDATE segments SET words = '[]' WHERE number = 1", "segments"),
        ("UPDATE transcripts SET created_at_ms = created_at_ms + 1", "transcripts"),
        ("UPDATE cases SET complaint = 'x'", "cases"),
        ("UPDATE case_moments SET purpose = ''", "case_moments"),
        ("UPDATE case_steps SET actor = 'bob'", "case_steps"),
        ("DELETE FROM product_events WHERE number = 1", "product_events"),
        ("INSERT INTO gaps VALUES ('r1', 5, 9, 'lost', 0)", "gaps"),
        ("UPDATE messages SET order_id = '7' WHERE number = 1", "messages"),
        ("UPDATE recordings SET live = (1 = 1)", "recordings"),
        ("INSERT INTO retentions VALUES ('r9', 1, 5, '[]', 5)", "retentions"),
    ],
)
def test_a_value_a_space_or_a_row_more_or_less_breaks_a_claim(archive: Archive, statement: str, table: str) -> None:
    with archive.database.writing() as connection:
        connection.execute(text(statement))
    found = broken(archive)
    assert found
    assert all(what.startswith(table) for what in found)


def test_a_claim_made_before_a_column_was_added_holds_after_it(archive: Archive) -> None:
    """As the version before migration 0003 computed it: without the columns that came with it."""
    entry = next(entry for entry in archive.custody.entries() if entry.action == "admit")
    claimed = next(each for each in json.loads(entry.detail)["rows"] if each["table"] == "recordings")
    columns = ["id", "platform", "room", "host", "title", "started_at_ms", "duration_ms", "admitted_at_ms"]
    with archive.database.reading() as connection:
        key = bytes(connection.execute(text("SELECT value FROM row_keys")).scalar_one())
        row = connection.execute(select(*(column(name) for name in columns)).select_from(table("recordings"))).one()
    then = hmac.new(key, canonical_json(columns) + b"\n" + canonical_json(list(row)), hashlib.sha256)
    assert claimed["digest"] == "hmac-sha256:" + then.hexdigest()


def test_the_key_being_changed_or_gone_breaks_every_claim(archive: Archive) -> None:
    with archive.database.writing() as connection:
        connection.execute(text("DELETE FROM row_keys"))
    assert {what.split(" ")[0] for what in broken(archive)} >= {"recordings", "messages", "segments", "cases"}


def test_equal_rows_of_two_archives_have_unlike_digests_so_that_none_can_be_guessed(tmp_path: Path) -> None:
    digests = []
    for name in ("one", "two"):
        archive = filled(tmp_path / name, f"sqlite:///{tmp_path / name}.db")
        entry = next(entry for entry in archive.custody.entries() if entry.action == "case.moment")
        digests.append(json.loads(entry.detail)["rows"][0]["digest"])
        archive.close()
    assert digests[0] != digests[1]


def test_every_table_of_evidence_is_claimed_or_checked_otherwise() -> None:
    from archive.schema import metadata

    otherwise = {"custody_entries", "checkpoints", "timestamps", "witness_copies", "row_keys"}
    assert {table.name for table in CLAIMED} | otherwise == set(metadata.tables)
