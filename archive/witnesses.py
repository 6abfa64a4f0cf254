"""Copies of checkpoints outside the archive's own reach: who rewrites the whole log, key in hand, still can't rewrite these (G4).

A witness is a folder (another machine's, a write-once medium), an S3 prefix, or a server that takes a POST. A copy is owed from the moment
its checkpoint is made and tried until it is written; its name carries the note's own digest, so that no later note takes its place.
"""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy import func, insert, select, text, update

from archive.atomic_write import write_bytes_whole
from archive.database import Database
from archive.digest import Json
from archive.errors import LiveProofError
from archive.schema import checkpoints, witness_copies
from archive.settings import ArchiveSettings
from archive.signing import NOTE_MAX_CHARS
from archive.timeline import Clock, WallTime
from archive.web_post import PeerUnavailable, post, shown_url

NOTES_MAX = 1_000_000
_ANSWER_MAX_BYTES = 64 << 10
_FIRST_PAUSE_MS = 60_000
_LONGEST_PAUSE_MS = 3_600_000
_BATCH = 200
_LOCK_KEY = 0x4C50_0004

log = structlog.get_logger(__name__)


class Witness(Protocol):
    """A place that keeps copies. Both raise LiveProofError or OSError where it can't be reached or holds something else."""

    def write(self, name: str, note: str) -> None:
        """Keep a note under a name. The same again changes nothing; another text under the name is an error."""
        ...

    def read(self) -> Iterator[tuple[str, str]] | None:
        """Every note that is held, with its name; None where the witness can only be written to."""
        ...


@dataclass(frozen=True, slots=True)
class WitnessState:
    """How far one witness is. `size`: entries under the newest checkpoint that it has a copy of, 0 for none."""

    witness: str
    size: int
    owed: int
    written_at: WallTime | None
    last_error: str | None

    def as_json(self) -> dict[str, Json]:
        return {
            "witness": self.witness,
            "size": self.size,
            "owed": self.owed,
            "written_at": self.written_at.iso() if self.written_at else None,
            "last_error": self.last_error,
        }


class Witnesses:
    """Brings checkpoints to the witnesses that the settings name."""

    def __init__(self, database: Database, settings: ArchiveSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._urls = tuple(dict.fromkeys(settings.witnesses.get_secret_value().replace(",", " ").split()))

    @property
    def names(self) -> tuple[str, ...]:
        """The witnesses' addresses, without users and passwords."""
        return tuple(shown_url(url) for url in self._urls)

    def tick(self) -> int:
        """Write what is owed and due; how many copies were written. Takes at most `custody_budget_s` and one `witness_timeout_s`."""
        deadline, written = time.monotonic() + self._settings.custody_budget_s, 0
        for url in self._urls:
            self._owe(shown_url(url))
            for size, note, attempts in self._due(shown_url(url)):
                if time.monotonic() >= deadline or not self._claim(shown_url(url), size, attempts):
                    break
                problem = self._write(url, size, note)
                self._note(shown_url(url), size, problem)
                if problem is not None:
                    log.warning("witness_behind", witness=shown_url(url), checkpoint=size, problem=problem)
                    break
                written += 1
        return written

    def states(self) -> list[WitnessState]:
        """How far each witness is."""
        with self._database.reading() as connection:
            latest = connection.execute(select(func.max(checkpoints.c.tree_size))).scalar() or 0
            found = []
            for name in self.names:
                mine = witness_copies.c.witness == name
                rows = select(witness_copies).where(mine, witness_copies.c.written_at_ms.is_not(None))
                last = connection.execute(rows.order_by(witness_copies.c.tree_size.desc()).limit(1)).mappings().first()
                size = last["tree_size"] if last else 0
                owed = select(witness_copies).where(mine, witness_copies.c.written_at_ms.is_(None))
                waiting = connection.execute(owed.order_by(witness_copies.c.tried_at_ms.desc())).mappings().all()
                # Those that the next round will owe are owed already.
                ahead = select(func.count()).select_from(checkpoints).where(checkpoints.c.tree_size > size)
                count = connection.execute(ahead).scalar_one() if last else int(latest > 0)
                older = sum(1 for row in waiting if row["tree_size"] <= size)
                at = WallTime(last["written_at_ms"]) if last else None
                found.append(WitnessState(name, size, count + older, at, waiting[0]["last_error"] if waiting else None))
        return found

    def written(self, name: str) -> dict[int, WallTime]:
        """Which checkpoints a witness is said to have, by size, and since when."""
        query = select(witness_copies).where(witness_copies.c.witness == name, witness_copies.c.written_at_ms.is_not(None))
        with self._database.reading() as connection:
            return {row["tree_size"]: WallTime(row["written_at_ms"]) for row in connection.execute(query).mappings()}

    def read(self, name: str) -> Iterator[tuple[str, str]] | None:
        """What the witness of that name holds; None where it can't be read. LiveProofError or OSError if it can't be reached."""
        url = next(url for url in self._urls if shown_url(url) == name)
        return open_witness(url, self._settings).read()

    def _owe(self, name: str) -> None:
        """Owe a witness every checkpoint since its last; a new one the latest, which speaks for all before it."""
        mine = select(func.max(witness_copies.c.tree_size)).where(witness_copies.c.witness == name)
        with self._database.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            last = connection.execute(mine).scalar()
            query = select(checkpoints.c.tree_size).order_by(checkpoints.c.tree_size)
            query = select(func.max(checkpoints.c.tree_size)) if last is None else query.where(checkpoints.c.tree_size > last)
            for size in connection.execute(query).scalars().all():
                known = select(witness_copies.c.tree_size).where(witness_copies.c.witness == name, witness_copies.c.tree_size == size)
                if size is not None and connection.execute(known).first() is None:
                    connection.execute(insert(witness_copies).values(tree_size=size, witness=name, attempts=0))

    def _due(self, name: str) -> list[tuple[int, str, int]]:
        """Size, note and attempts of the copies whose turn it is, oldest first."""
        now = self._clock().epoch_ms
        query = (
            select(checkpoints.c.tree_size, checkpoints.c.note, witness_copies.c.attempts, witness_copies.c.tried_at_ms)
            .join(witness_copies, witness_copies.c.tree_size == checkpoints.c.tree_size)
            .where(witness_copies.c.witness == name, witness_copies.c.written_at_ms.is_(None))
            .order_by(checkpoints.c.tree_size)
            .limit(_BATCH)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [(r.tree_size, r.note, r.attempts) for r in rows if r.tried_at_ms is None or r.tried_at_ms + _pause_ms(r.attempts) <= now]

    def _claim(self, name: str, size: int, attempts: int) -> bool:
        mine = witness_copies.c.tree_size == size, witness_copies.c.witness == name, witness_copies.c.attempts == attempts
        with self._database.writing() as connection:
            turn = update(witness_copies).where(*mine, witness_copies.c.written_at_ms.is_(None))
            return connection.execute(turn.values(attempts=attempts + 1, tried_at_ms=self._clock().epoch_ms)).rowcount == 1

    def _write(self, url: str, size: int, note: str) -> str | None:
        """Write one copy; what went wrong, None if nothing did."""
        try:
            open_witness(url, self._settings).write(note_name(size, note), note)
        except LiveProofError as error:
            return str(error)
        except OSError as error:
            return f"{shown_url(url)} can't be written: {error.strerror or error}"
        return None

    def _note(self, name: str, size: int, problem: str | None) -> None:
        said = {"last_error": problem[:2000]} if problem else {"last_error": None, "written_at_ms": self._clock().epoch_ms}
        with self._database.writing() as connection:
            mine = witness_copies.c.tree_size == size, witness_copies.c.witness == name
            connection.execute(update(witness_copies).where(*mine).values(**said))


def open_witness(url: str, settings: ArchiveSettings) -> Witness:
    """The witness at a folder's path, file:///…, s3://bucket/prefix or http(s)://…. PeerUnavailable for any other address."""
    scheme = urlsplit(url).scheme
    if scheme in ("http", "https"):
        return HttpWitness(url, settings.witness_timeout_s)
    if scheme == "s3":
        return S3Witness(url, settings)
    if scheme == "file":
        return FolderWitness(Path(unquote(urlsplit(url).path)))
    if scheme:
        raise PeerUnavailable(
            f"{shown_url(url)} is no witness: LIVEPROOF_WITNESSES takes folders, file:///…, s3://bucket/prefix, https://…"
        )
    return FolderWitness(Path(url))


def note_name(size: int, note: str) -> str:
    """A copy's name: the size, then sixteen digits of the note's SHA-256."""
    return f"checkpoint-{size:012}-{hashlib.sha256(note.encode()).hexdigest()[:16]}.txt"


class FolderWitness:
    """Files in a folder that must be there: one that is made on the spot may be a disk that isn't mounted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, note: str) -> None:
        if not self._folder.is_dir():
            raise PeerUnavailable(f"the witness folder {self._folder} is not there: make or mount it")
        place = self._folder / name
        if not place.exists():
            write_bytes_whole(place, note.encode())
        elif place.read_bytes() != note.encode():
            raise PeerUnavailable(f"{place} holds something else than the checkpoint that was written there: it was changed")

    def read(self) -> Iterator[tuple[str, str]]:
        if not self._folder.is_dir():
            raise PeerUnavailable(f"the witness folder {self._folder} is not there: make or mount it")
        for count, place in enumerate(sorted(self._folder.glob("checkpoint-*.txt"))):
            if count >= NOTES_MAX:
                raise PeerUnavailable(f"the witness folder {self._folder} holds more than {NOTES_MAX} checkpoints")
            with place.open("rb") as file:
                yield place.name, file.read(NOTE_MAX_CHARS * 4).decode("utf-8", "replace")


class S3Witness:
    """Objects under a prefix, best in a versioned bucket of somebody else's. Every version is read: none hides behind a later one."""

    def __init__(self, url: str, settings: ArchiveSettings) -> None:
        from archive.object_store.s3_bucket import open_bucket

        # The client tries five times, each for so long.
        named = {"object_store": url, "s3_timeout_s": min(settings.s3_timeout_s, max(1, settings.witness_timeout_s // 4))}
        self._bucket, self._prefix = open_bucket(settings.model_copy(update=named))

    def write(self, name: str, note: str) -> None:
        if not any(held == note for found, held in self._held(self._prefix + name) if found == name):
            self._bucket.write_small(self._prefix + name, note.encode())

    def read(self) -> Iterator[tuple[str, str]]:
        return self._held(self._prefix + "checkpoint-")

    def _held(self, prefix: str) -> Iterator[tuple[str, str]]:
        for count, version in enumerate(self._bucket.versions(prefix)):
            if count >= NOTES_MAX:
                raise PeerUnavailable(f"the witness {self._bucket.address} holds more than {NOTES_MAX} checkpoints")
            if not version.is_delete_marker:
                answer = self._bucket.read(version.key, version.id, 0)
                try:
                    note = answer.read(NOTE_MAX_CHARS * 4).decode("utf-8", "replace")
                finally:
                    answer.close()
                    answer.release_conn()
                yield version.key.rpartition("/")[2], note


class HttpWitness:
    """A server that is POSTed each note as text and says 2xx once it has it. It can't be read back from here."""

    def __init__(self, url: str, timeout_s: int) -> None:
        self._url = url
        self._timeout_s = timeout_s

    def write(self, name: str, note: str) -> None:
        post(self._url, note.encode(), "text/plain; charset=utf-8", "*/*", self._timeout_s, _ANSWER_MAX_BYTES)

    def read(self) -> None:
        return None


def _pause_ms(attempts: int) -> int:
    return min(_FIRST_PAUSE_MS << max(0, min(attempts, 20) - 1), _LONGEST_PAUSE_MS)
