"""The custody log: a chain that can't be changed, swapped, cut or forked unnoticed (G4), on both databases."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from archive.custody import GENESIS, CustodyEntry, CustodyLog, verify_chain
from archive.database import Database, open_database
from archive.errors import VerificationFailed
from tests.archive.held import SteppingClock
from tests.simulators.databases import KINDS, database_url


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database_url(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()


@pytest.fixture
def log(database: Database) -> CustodyLog:
    return CustodyLog(database, SteppingClock())


def filled(log: CustodyLog, count: int = 5) -> list[CustodyEntry]:
    return [log.record("小王", "admit", f"rec-{n}", {"n": n, "名": "证据"}) for n in range(1, count + 1)]


def test_entries_are_read_back_as_they_were_appended(log: CustodyLog) -> None:
    written = filled(log)
    assert list(log.entries()) == written
    assert [entry.seq for entry in written] == [1, 2, 3, 4, 5]
    assert written[0].previous == GENESIS
    assert log.head() == written[-1]
    assert log.verify() == 5


def test_entries_can_be_asked_for_by_subject(log: CustodyLog) -> None:
    filled(log)
    assert [entry.subject for entry in log.entries(["rec-2", "rec-4"])] == ["rec-2", "rec-4"]


def test_an_empty_log_is_whole_and_has_no_head(log: CustodyLog) -> None:
    assert log.head() is None
    assert log.verify() == 0


@pytest.mark.parametrize("field, value", [("actor", "别人"), ("action", "export"), ("subject", "rec-9"), ("detail", "{}"), ("seq", 9)])
def test_a_changed_field_is_found(log: CustodyLog, field: str, value: object) -> None:
    entries = filled(log)
    entries[2] = replace(entries[2], **{field: value})
    with pytest.raises(VerificationFailed, match="custody log: entry"):
        verify_chain(entries)


def test_a_changed_time_is_found(log: CustodyLog) -> None:
    entries = filled(log)
    entries[1] = replace(entries[1], at=entries[1].at.plus_ms(-1))
    with pytest.raises(VerificationFailed, match=r"entry 2 .*changed"):
        verify_chain(entries)


def test_a_change_with_its_own_digest_made_again_is_found_at_the_next_entry(log: CustodyLog) -> None:
    entries = filled(log)
    forged = replace(entries[2], actor="别人")
    entries[2] = replace(forged, digest=forged.expected_digest())
    with pytest.raises(VerificationFailed, match="entry 4 does not follow"):
        verify_chain(entries)


def test_swapped_and_removed_entries_are_found(log: CustodyLog) -> None:
    entries = filled(log)
    with pytest.raises(VerificationFailed):
        verify_chain([entries[0], entries[2], entries[1], *entries[3:]])
    with pytest.raises(VerificationFailed, match="entry 3 is missing"):
        verify_chain([*entries[:2], *entries[3:]])


ADD = "INSERT INTO custody_entries (seq, at_ms, actor, action, subject, detail, previous, digest) "
FORGED = "SELECT seq, at_ms, 'x', action, subject, detail, previous, digest FROM custody_entries WHERE seq = 2"
LATER = "SELECT {}, at_ms, 'x', action, subject, detail, previous, {} FROM custody_entries WHERE seq = 2"
ON_BOTH = (
    "UPDATE custody_entries SET actor = 'x'",
    "UPDATE custody_entries SET seq = 9 WHERE seq = 5",
    "DELETE FROM custody_entries WHERE seq = 2",
    ADD + FORGED + " AND true ON CONFLICT (seq) DO UPDATE SET actor = 'x'",
    ADD + LATER.format(9, "'sha256:9'"),
)
ON_SQLITE = (
    "INSERT OR REPLACE INTO custody_entries " + FORGED,
    "REPLACE INTO custody_entries " + FORGED,
    "INSERT OR REPLACE INTO custody_entries " + LATER.format(6, "digest"),
    "UPDATE OR REPLACE custody_entries SET seq = 2 WHERE seq = 3",
)
ON_POSTGRESQL = (
    "TRUNCATE custody_entries",
    "TRUNCATE custody_entries CASCADE",
    "SET session_replication_role = replica; DELETE FROM custody_entries",
    "MERGE INTO custody_entries AS t USING (SELECT 2 AS seq) AS s ON t.seq = s.seq WHEN MATCHED THEN DELETE",
)


@pytest.mark.parametrize(
    "kind, statement",
    [
        *((kind, statement) for kind in KINDS for statement in ON_BOTH),
        *(("sqlite", statement) for statement in ON_SQLITE),
        *(("postgresql", statement) for statement in ON_POSTGRESQL),
    ],
)
@pytest.mark.parametrize("recursive", ["OFF", "ON"])
def test_the_database_refuses_to_change_the_log(kind: str, statement: str, recursive: str, tmp_path: Path) -> None:
    with database_url(kind, tmp_path) as url:
        database = open_database(url)
        log = CustodyLog(database, SteppingClock())
        written = filled(log)
        with pytest.raises(DatabaseError, match="append-only"), database.writing() as connection:
            if kind == "sqlite":
                connection.execute(text(f"PRAGMA recursive_triggers = {recursive}"))
            for step in statement.split("; "):
                connection.execute(text(step))
        assert list(log.entries()) == written
        database.close()


def test_an_entry_falls_with_the_act_that_it_stands_for(database: Database, log: CustodyLog) -> None:
    filled(log, 2)
    with pytest.raises(RuntimeError, match="power cut"), database.writing() as connection:
        log.append(connection, "小王", "admit", "rec-3", {})
        raise RuntimeError("power cut")
    assert log.verify() == 2


def test_appends_from_several_processes_keep_one_whole_chain(url: str, database: Database) -> None:
    workers = [subprocess.Popen([sys.executable, "-m", "tests.simulators.appending_process", url, f"worker-{n}", "15"]) for n in range(3)]
    try:
        assert [worker.wait(timeout=120) for worker in workers] == [0, 0, 0]
    finally:
        for worker in workers:
            worker.kill()
    log = CustodyLog(database, SteppingClock())
    assert log.verify() == 45
    by_actor = {f"worker-{n}": [e.subject for e in log.entries() if e.actor == f"worker-{n}"] for n in range(3)}
    assert all(subjects == [f"subject-{n}" for n in range(15)] for subjects in by_actor.values())
