"""The catalog's database: SQLite in a file or PostgreSQL, brought to the present schema when it is opened."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from archive.errors import DatabaseUnavailable

BUSY_TIMEOUT_S = 30
_MIGRATION_LOCK = 0x4C50_0001


class Database:
    """An open catalog database. `reading` and `writing` each give one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = engine.execution_options(liveproof_writes=True)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def engine(self) -> Engine:
        return self._engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All or nothing: commits at the end, rolls back if anything is raised. Writers wait for each other."""
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()


def open_database(url: str) -> Database:
    """Open and migrate. DatabaseUnavailable names the database and what to do."""
    parsed = make_url(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S})
            _prepare_sqlite(engine)
        else:
            engine = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
        migrate(engine)
    except (SQLAlchemyError, CommandError, OSError) as error:
        shown = parsed.render_as_string(hide_password=True)
        raise DatabaseUnavailable(
            f"the catalog {shown} can't be opened: {str(error).splitlines()[0]}. Check LIVEPROOF_HOME or LIVEPROOF_DATABASE_URL, "
            "and that this LiveProof is not older than the one that wrote it"
        ) from error
    return Database(engine)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to `revision`; two processes that start together wait for each other."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.execution_options(liveproof_writes=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _prepare_sqlite(engine: Engine) -> None:
    """WAL for readers beside a writer, full sync because this is evidence, what is purged overwritten, and write locks taken at BEGIN so
    that nobody deadlocks."""

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        busy = f"busy_timeout={BUSY_TIMEOUT_S * 1000}"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", busy):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("liveproof_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
