"""Where originals and everything derived are kept, by the digest of their bytes.

The contract, held by one suite over every variant: an object is hashed while its first copy is written (G1); it is there whole or not
at all; writing the same bytes again changes nothing; a read gives what was written or says that it doesn't; a retained or held object is
not removed, and a retention only ever moves later.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from archive.digest import Json
from archive.errors import LockNotEnforced
from archive.settings import ArchiveSettings
from archive.timeline import Clock, WallTime


@dataclass(frozen=True, slots=True)
class ObjectLock:
    """What keeps an object from being removed: a retention `until` an instant (None: none was ever set), a legal hold, or both."""

    until: WallTime | None
    held: bool

    def binds(self, now: WallTime) -> bool:
        """Whether the object may not be removed at `now`."""
        return self.held or (self.until is not None and self.until > now)


@dataclass(frozen=True, slots=True)
class LockTrial:
    """One thing that was tried on a locked canary. `withstood`: the canary was afterwards what it was; `answer` is what the store said."""

    name: str
    withstood: bool
    answer: str


@dataclass(frozen=True, slots=True)
class LockReport:
    """What trying to break a lock gave. `by`: who refuses, the S3 `server`, or only this `program`, which whoever may write the folder
    can get round."""

    store: str
    by: Literal["server", "program"]
    at: WallTime
    trials: tuple[LockTrial, ...]

    @property
    def enforced(self) -> bool:
        return bool(self.trials) and all(trial.withstood for trial in self.trials)

    def as_json(self) -> dict[str, Json]:
        trials: list[Json] = [{"name": t.name, "withstood": t.withstood, "answer": t.answer} for t in self.trials]
        return {"store": self.store, "by": self.by, "at": self.at.iso(), "enforced": self.enforced, "trials": trials}


class ObjectStore(Protocol):
    """Content-addressed storage. Digests are `sha256:…`; sizes in bytes.

    Beside what each method names: StoreUnavailable where a server doesn't answer or refuses its credentials.
    """

    def put(self, source: BinaryIO, retain_until: WallTime | None = None) -> tuple[str, int]:
        """Keep what is left in `source`, locked from its first instant where `retain_until` says so; its digest and size.

        StorageFull if the disk hasn't the room, LockNotEnforced if the server only pretends to lock.
        """
        ...

    def put_file(self, path: Path, retain_until: WallTime | None = None) -> tuple[str, int]:
        """As `put`, of a file's bytes."""
        ...

    def open(self, digest: str) -> BinaryIO:
        """The object's bytes, seekable. NotFound if it isn't held."""
        ...

    def path(self, digest: str) -> Path:
        """A local path to read it from, for programs that need one. NotFound if it isn't held, VerificationFailed if its bytes differ."""
        ...

    def size(self, digest: str) -> int:
        """Bytes held. NotFound if it isn't."""
        ...

    def has(self, digest: str) -> bool: ...

    def digests(self) -> Iterator[str]:
        """Every object held, in no order."""
        ...

    def retain(self, digest: str, until: WallTime) -> WallTime:
        """Lock until an instant; what now holds, which is later where a later one held already. NotFound if it isn't held."""
        ...

    def hold(self, digest: str, on: bool) -> None:
        """Set or lift the legal hold. NotFound if it isn't held."""
        ...

    def retention(self, digest: str) -> ObjectLock:
        """What keeps the object now. NotFound if it isn't held."""
        ...

    def remove(self, digest: str) -> None:
        """Remove every trace of the object. Locked while it is retained or held; nothing happens if it isn't there."""
        ...

    def url(self, digest: str, valid_s: int) -> str | None:
        """An address that anybody may read it from for `valid_s` seconds, with Range; None where the store has no server."""
        ...

    def canary(self) -> LockReport:
        """Lock a small object and try to delete, shorten and overwrite it."""
        ...


def open_store(settings: ArchiveSettings, clock: Clock = WallTime.now) -> ObjectStore:
    """The store that the settings name: a folder, or s3://bucket/prefix. No server is asked anything yet."""
    if settings.on_s3:
        from archive.object_store.s3 import S3Store

        return S3Store.from_settings(settings)
    from archive.object_store.disk import DiskStore

    return DiskStore(settings.objects_folder, settings.free_space_margin_bytes, clock)


def assert_enforced(report: LockReport | None) -> None:
    """LockNotEnforced unless every attack on the canary failed."""
    if report is None or not report.enforced:
        failed = [f"{trial.name}: {trial.answer}" for trial in report.trials if not trial.withstood] if report else ["never tried"]
        raise LockNotEnforced(
            f"{report.store if report else 'the store'} does not really lock ({'; '.join(failed)}), so no evidence is put there: "
            "use a bucket with object lock on a server that enforces it, then run liveproof store check"
        )
