"""The SQLite file of the embedded index: its tables, a connection for each thread, and one writer at a time over threads and processes.

SQLite holds the truth; the shards' files beside it (`search.indexes.shards`) are made of it.
"""

import fcntl
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from search.errors import IndexUnavailable
from search.indexes import record_tables

_log = structlog.get_logger(__name__)

# 7: a recording that grew is gone on with from its seams; amounts lie where they are in their unit.
FORMAT_VERSION = 7
FILE_NAME = "search.sqlite"
# What stands beside the SQLite file and is made of it.
DERIVED = ("lexical-*", "vectors-*")
LOCK_POLL_S = 0.004
_KEYED = "PRIMARY KEY (recording, number)) WITHOUT ROWID"
# `keys` gives a recording a number that is never given to another; `presence` says which shards ever held words of it. `pending` are
# passage ids that a writer took and has not published, `dead` passages that are no more but whose terms may still lie in a shard, `debts`
# shards that hold words of what was removed (PAPERS and LOG: the papers' terms, the write-ahead log).
_SCHEMA = (
    "CREATE TABLE meta (version INTEGER NOT NULL, generation INTEGER NOT NULL, deletions INTEGER NOT NULL, next_passage INTEGER NOT NULL, "
    "next_recording INTEGER NOT NULL)",
    "CREATE TABLE keys (id TEXT PRIMARY KEY, recording INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE recordings (recording INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, platform TEXT, room TEXT, host TEXT, kind TEXT, "
    "started_ms INTEGER, ended_ms INTEGER, live INTEGER NOT NULL, has_media INTEGER NOT NULL, shelf INTEGER NOT NULL, "
    "duration_ms INTEGER NOT NULL, held_ms INTEGER NOT NULL, missing_ms INTEGER NOT NULL, transcribed_ms INTEGER NOT NULL, "
    "risky_ms INTEGER NOT NULL, segments INTEGER NOT NULL, messages INTEGER NOT NULL, units INTEGER NOT NULL, passages INTEGER NOT NULL, "
    "transcript INTEGER NOT NULL, as_of INTEGER NOT NULL, embedder TEXT NOT NULL)",
    "CREATE INDEX recordings_by_host ON recordings (host)",
    "CREATE INDEX recordings_by_room ON recordings (platform, room)",
    "CREATE INDEX recordings_by_start ON recordings (started_ms)",
    "CREATE TABLE bodies (recording INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    f"CREATE TABLE units (recording INTEGER NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, {_KEYED}",
    f"CREATE TABLE claims (recording INTEGER NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, {_KEYED}",
    "CREATE TABLE products (recording INTEGER NOT NULL, product_id TEXT NOT NULL, body TEXT NOT NULL, "
    "PRIMARY KEY (recording, product_id)) WITHOUT ROWID",
    "CREATE INDEX products_by_id ON products (product_id)",
    "CREATE TABLE messages (recording INTEGER NOT NULL, at_ms INTEGER NOT NULL, number INTEGER NOT NULL, text TEXT NOT NULL, "
    f"kind TEXT NOT NULL, uncertainty_ms INTEGER NOT NULL, {_KEYED}",
    "CREATE INDEX messages_by_time ON messages (recording, at_ms)",
    "CREATE TABLE passages (id INTEGER PRIMARY KEY, recording INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, "
    "flags INTEGER NOT NULL, mark BLOB NOT NULL, screen TEXT)",
    "CREATE INDEX passages_by_recording ON passages (recording, first)",
    "CREATE TABLE seams (recording INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    "CREATE TABLE vectors (id INTEGER PRIMARY KEY, vector BLOB NOT NULL)",
    "CREATE TABLE categories (name TEXT PRIMARY KEY, bit INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE shards (number INTEGER PRIMARY KEY, generation INTEGER NOT NULL, lexical TEXT NOT NULL, dead INTEGER NOT NULL, "
    "vectors TEXT, through INTEGER NOT NULL, trained INTEGER NOT NULL)",
    "CREATE TABLE presence (shard INTEGER NOT NULL, recording INTEGER NOT NULL, PRIMARY KEY (shard, recording)) WITHOUT ROWID",
    "CREATE INDEX presence_by_recording ON presence (recording)",
    "CREATE TABLE pending (first INTEGER PRIMARY KEY, last INTEGER NOT NULL)",
    "CREATE TABLE dead (id INTEGER PRIMARY KEY)",
    "CREATE TABLE debts (shard INTEGER PRIMARY KEY, generation INTEGER NOT NULL)",
    *record_tables.RECORD_SCHEMA,
)


class Database:
    """The file in `folder`, made if absent; what an older program wrote is emptied. IndexUnavailable if it can't be opened."""

    def __init__(self, folder: Path, busy_seconds: float) -> None:
        self.folder = folder
        self._path = folder / FILE_NAME
        self._busy_s = busy_seconds
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._prepare()
        except (OSError, sqlite3.DatabaseError) as error:
            raise IndexUnavailable(
                f"{self._path} can't be opened ({error}): delete {folder} and index again; the archive holds all that is needed"
            ) from error

    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        return self._of_thread("connection")

    def aside(self) -> sqlite3.Connection:
        """Another connection of this thread, for what must not wait for, or must see past, the moment that the first one reads."""
        return self._of_thread("aside")

    @contextmanager
    def alone(self, name: str, wait_s: float | None = None) -> Iterator[None]:
        """Holds the named lock of this index, over threads and processes. IndexUnavailable if it isn't free in time."""
        until = time.monotonic() + (self._busy_s if wait_s is None else wait_s)
        with (self.folder / f"{name}.lock").open("ab") as handle:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() >= until:
                        raise IndexUnavailable(f"{self.folder} can't be written: another program has been at it for too long") from error
                    time.sleep(LOCK_POLL_S)
            yield

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction on this thread's connection. IndexUnavailable if the file can't be written."""
        db = self.connection()
        try:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise IndexUnavailable(
                f"{self._path} can't be written ({error}): is the disk full, or does another program hold it?"
            ) from error

    def empty_log(self, wait_s: float) -> bool:
        """Takes what the write-ahead log holds over and cuts it to nothing. False where readers of older moments stand in the way for so
        long."""
        db = self.connection()
        db.execute(f"PRAGMA busy_timeout={int(wait_s * 1000)}")
        try:
            busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            db.execute(f"PRAGMA busy_timeout={int(self._busy_s * 1000)}")
        return not busy

    def close(self) -> None:
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
            self._local = threading.local()

    def _of_thread(self, which: str) -> sqlite3.Connection:
        held: sqlite3.Connection | None = getattr(self._local, which, None)
        if held is None:
            held = sqlite3.connect(self._path, timeout=self._busy_s, isolation_level=None, check_same_thread=False)
            # FULL: an id that a power cut gives back would be given to another passage. secure_delete: what is deleted is overwritten.
            for pragma in ("synchronous=FULL", "secure_delete=ON", "mmap_size=1073741824", "cache_size=-16384"):
                held.execute(f"PRAGMA {pragma}")
            setattr(self._local, which, held)
            with self._lock:
                self._opened.append(held)
        return held

    def _prepare(self) -> None:
        db = self.connection()
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("BEGIN IMMEDIATE")
        try:
            known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
            version, generation = db.execute("SELECT version, generation FROM meta").fetchone() if known else (0, -1)
            if version < FORMAT_VERSION:
                # All of it is derived: what an older program wrote is let go of, and is then indexed again like anything that is not there.
                _empty(db)
                for statement in _SCHEMA:
                    db.execute(statement)
                db.execute("INSERT INTO meta VALUES (?, ?, 0, 1, 1)", (FORMAT_VERSION, generation + 1))
                for left in (path for pattern in DERIVED for path in self.folder.glob(pattern)):
                    discard(left)  # of an index that is no more: its numbers come again
                if known:
                    _log.warning("index_emptied", index=str(self._path), format=version, now=FORMAT_VERSION)
                version = FORMAT_VERSION
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")
        if version != FORMAT_VERSION:
            raise IndexUnavailable(
                f"{self._path} has format {version}, this program reads {FORMAT_VERSION}: delete {self.folder} and index again"
            )


def discard(path: Path) -> None:
    """Removes a derived file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _empty(db: sqlite3.Connection) -> None:
    """Drop every table. Virtual ones first: they take the tables behind them along."""
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND sql LIKE 'CREATE {}TABLE%'"
    for kind in ("VIRTUAL ", ""):
        for (name,) in db.execute(tables.format(kind)).fetchall():
            db.execute(f'DROP TABLE IF EXISTS "{name}"')
