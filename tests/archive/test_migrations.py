"""The migrated schema is the schema that the code states, on both databases."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DatabaseError

from archive.custody import CustodyLog
from archive.database import open_database
from archive.errors import DatabaseUnavailable
from archive.schema import metadata
from archive.timeline import WallTime
from tests.simulators.databases import KINDS, database_url


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database_url(request.param, tmp_path) as found:
        yield found


def described(engine: Engine) -> dict[str, object]:
    """Tables, columns, keys, indexes and checks as the database itself tells them."""
    found = inspect(engine)
    tables = sorted(set(found.get_table_names()) - {"alembic_version"})
    return {
        table: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], bool(column.get("autoincrement") is True))
                for column in sorted(found.get_columns(table), key=lambda column: column["name"])
            ],
            "primary": found.get_pk_constraint(table),
            "foreign": sorted(map(str, found.get_foreign_keys(table))),
            "unique": sorted(map(str, found.get_unique_constraints(table))),
            "indexes": sorted(map(str, found.get_indexes(table))),
            "checks": sorted(map(str, found.get_check_constraints(table))),
        }
        for table in tables
    }


def test_the_migrated_schema_is_the_fresh_schema(url: str, tmp_path: Path) -> None:
    migrated = open_database(url)
    (tmp_path / "fresh").mkdir()
    with database_url(migrated.dialect, tmp_path / "fresh") as other:
        fresh = create_engine(other)
        metadata.create_all(fresh)
        assert described(migrated.engine) == described(fresh)
        fresh.dispose()
    migrated.close()


def test_alembic_finds_nothing_left_to_migrate(url: str) -> None:
    database = open_database(url)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
    database.close()


def test_opening_a_migrated_database_again_changes_nothing(url: str) -> None:
    first = open_database(url)
    before = described(first.engine)
    first.close()
    again = open_database(url)
    assert described(again.engine) == before
    again.close()


def test_a_database_of_a_later_version_is_refused_by_name(url: str) -> None:
    database = open_database(url)
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(DatabaseUnavailable, match="older than the one that wrote it"):
        open_database(url)


def test_a_failed_migration_leaves_nothing_behind(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE segments (clash INTEGER)"))
    with pytest.raises((DatabaseUnavailable, DatabaseError), match="segments"):
        open_database(url)
    left = set(inspect(engine).get_table_names()) - {"segments", "alembic_version"}
    engine.dispose()
    assert left == set()


def test_processes_that_open_an_empty_database_together_all_find_it_migrated(url: str) -> None:
    openers = [subprocess.Popen([sys.executable, "-m", "tests.simulators.appending_process", url, f"opener-{n}", "1"]) for n in range(3)]
    try:
        assert [opener.wait(timeout=120) for opener in openers] == [0, 0, 0]
    finally:
        for opener in openers:
            opener.kill()
    database = open_database(url)
    assert CustodyLog(database, WallTime.now).verify() == 3
    database.close()
