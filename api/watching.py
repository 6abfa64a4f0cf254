"""Watching a folder: each round looks at it, reads what was closed since, and admits the sessions that are over.

What a round does is safe to break off anywhere: the catalog says what is held, by digest, so the next run goes on.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api import operations
from api.exits import explain
from api.watch_memory import Remembered, memory_file, only_watcher, read_memory
from api.workplace import Workplace
from archive.atomic_write import write_bytes_whole
from archive.digest import digest_json, digest_stream
from archive.errors import LiveProofError
from ingest.admission import IngestRequest
from ingest.chat import detect, read_head
from ingest.clock import recorder_zone
from ingest.errors import FileChanged
from ingest.input_file import check_file
from ingest.media_probe import probe
from ingest.settings import IngestSettings
from ingest.watched_folder import Found, Listing, input_file, look, open_for_writing, still, watch_root
from ingest.watching import (
    Kind,
    Session,
    Watched,
    folder_of,
    missing_segments,
    owner_of,
    quiet_ms,
    sessions_of,
    to_admit,
    without_copies,
)

log = structlog.get_logger(__name__)

SAVE_EVERY_S = 2


@dataclass(frozen=True, slots=True)
class Told:
    """Something that a person wants to know. `word`: admitted, held, late, refused, unknown_chat, late_beside, odd_name, copy, segments,
    events_left, note or failed; `detail` is the error's or note's own text."""

    word: str
    paths: tuple[str, ...]
    recording: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """How to watch. `whole_sessions`: only sessions that no further part is to be expected of; else all whose files are closed."""

    folder: Path
    actor: str
    whole_sessions: bool = True
    platform: str | None = None
    host: str | None = None


class Watcher:
    """One folder, held by this process while it is watched. `failures` are those of the last round that may pass by themselves."""

    def __init__(
        self,
        place: Workplace,
        root: Path,
        request: WatchRequest,
        settings: IngestSettings,
        tell: Callable[[Told], None],
        progress: operations.Progress,
    ) -> None:
        self._place, self._root, self._request, self._settings = place, root, request, settings
        self._tell, self._progress = tell, progress
        self._zone = recorder_zone(settings.recorder_time_zone)
        self._file = memory_file(place.archive.home, root)
        self._memory = read_memory(self._file, root)
        self._saved, self._saved_at = "", time.monotonic()
        self._failed_with: set[str] = set()
        self.failures: list[Exception] = []

    def recordings(self) -> set[str]:
        """Ids of recordings that hold a file of the folder."""
        return {file.recording for file in self._memory.files.values() if file.recording}

    def round(self) -> list[str]:
        """Look once; ids of what was admitted. FolderUnwatchable where the folder is gone; what fails otherwise is told and tried again."""
        self.failures = []
        settings = self._settings
        listing = look(self._root, self._place.archive.home.resolve(), settings.watch_depth, settings.watch_files_max)
        now_ms = self._place.archive.clock().epoch_ms
        self._remember(listing, now_ms)
        for path in listing.odd:
            self._once("odd_name", path)
        closed = self._closed(listing, now_ms)
        media = [found for found in listing.files.values() if found.kind is Kind.MEDIA]
        for found in media:
            if found.path in closed and not self._memory.files[found.path].settled:
                self._read(found)
        sessions = sessions_of(
            [self._watched(found, closed, now_ms) for found in media if not self._memory.files[found.path].refused],
            self._zone,
            settings.watch_session_gap_s * 1000,
            settings.watch_session_max_s * 1000,
            settings.parts_max,
        )
        admitted: list[str] = []
        fingerprints: set[str] = set()
        for session in sessions:
            if session.ended(settings.watch_session_gap_s * 1000) if self._request.whole_sessions else session.closed:
                for later in to_admit(session):
                    admitted.extend(self._admit(later, session, listing, closed, sessions, fingerprints))
        self._memory.refused = {key: why for key, why in self._memory.refused.items() if key in fingerprints}
        self._late_beside(listing, closed, media)
        self._save()
        return admitted

    def fail(self, error: Exception, *paths: str) -> None:
        """Tell what hindered a round and may pass by itself, once for each wording in this process."""
        self.failures.append(error)
        text = explain(error)
        if text not in self._failed_with:
            self._failed_with.add(text)
            self._tell(Told("failed", paths, detail=text))
        log.warning("watch.failed", files=list(paths), error=text)

    def _remember(self, listing: Listing, now_ms: int) -> None:
        memory = self._memory
        memory.files = {path: file for path, file in memory.files.items() if path in listing.files}
        folders = {folder_of(path) for path in listing.files}
        memory.told = {path: said for path, said in memory.told.items() if path in listing.files or path in listing.odd or path in folders}
        for path, found in listing.files.items():
            memory.see(path, found.stamp, now_ms)

    def _closed(self, listing: Listing, now_ms: int) -> set[str]:
        quiet = self._settings.watch_quiet_s * 1000
        files = self._memory.files
        still_ones = [f for f in listing.files.values() if quiet_ms(f.stamp, files[f.path].seen_ms, now_ms) >= quiet]
        return {f.path for f in still_ones} - open_for_writing([f for f in still_ones if not files[f.path].settled])

    def _watched(self, found: Found, closed: set[str], now_ms: int) -> Watched:
        known = self._memory.files[found.path]
        return Watched(
            found.path,
            found.stamp.last_write_ms,
            quiet_ms(found.stamp, known.seen_ms, now_ms),
            found.path in closed and known.duration_ms is not None,
            known.duration_ms,
            known.digest,
            known.recording,
        )

    def _read(self, found: Found) -> None:
        """Hash and probe a closed media file, once as long as it stays as it is."""
        known = self._memory.files[found.path]
        if not still(self._root, found):
            return
        try:
            check_file(self._root / found.path, "media", self._settings.media_max_bytes)
            file = input_file(self._root, found)
            with file.open() as stream:
                digest, _ = digest_stream(stream)
            holders = self._place.archive.catalog.holders_of(digest)
            if holders:
                recording, number = holders[0]
                parts = self._place.archive.catalog.recording(recording).parts
                known.duration_ms = next(part.duration_ms for part in parts if part.number == number)
                known.recording = recording
            else:
                known.duration_ms = probe(file).duration_ms
            file.check_unchanged()
            known.digest = digest
        except (LiveProofError, OSError, SQLAlchemyError) as error:
            known.duration_ms = known.recording = None
            if _lasting(error):
                self._refuse(known, found.path, error)
            else:
                self.fail(error, found.path)
        if time.monotonic() - self._saved_at >= SAVE_EVERY_S:
            self._save()

    def _admit(
        self, late: Session, whole: Session, listing: Listing, closed: set[str], sessions: list[Session], fingerprints: set[str]
    ) -> list[str]:
        """Admit parts that no recording holds yet; the new recording's id. `whole` is the session with those that one does."""
        session, copies = without_copies(late)
        for path, first in copies.items():
            self._memory.files[path].refused = f"holds the same bytes as {first}"
            self._once("copy", path, detail=first)
        chat = self._chat_of(session, listing, closed)
        if chat is None:
            return []
        tables, left = self._tables_of(session, listing, sessions)
        if not closed.issuperset(tables.values()):
            return []
        brought = [*(part.path for part in session.parts), *chat, *tables.values()]
        fingerprint = digest_json([[path, list(self._memory.files[path].stamp)] for path in brought])
        fingerprints.add(fingerprint)
        if fingerprint in self._memory.refused or not all(still(self._root, listing.files[path]) for path in brought):
            return []
        try:
            if self._held_meanwhile(session):
                return []
            admitted = operations.ingest(
                self._place,
                IngestRequest(
                    media=tuple(self._root / part.path for part in session.parts),
                    chat=tuple(self._root / path for path in chat),
                    products=self._root / tables[Kind.PRODUCTS] if Kind.PRODUCTS in tables else None,
                    events=self._root / tables[Kind.EVENTS] if Kind.EVENTS in tables else None,
                    platform=self._request.platform,
                    host=self._request.host,
                ),
                self._request.actor,
                self._progress,
            )
        except (LiveProofError, OSError, SQLAlchemyError) as error:
            if _lasting(error):
                self._memory.refused[fingerprint] = explain(error)
                self._tell(Told("refused", tuple(brought), detail=explain(error)))
                log.warning("watch.refused", files=brought, error=explain(error))
            else:
                self.fail(error, *brought)
            return []
        recording = admitted.recording.id
        for path in brought:
            self._memory.files[path].recording = recording
        self._save()
        paths = tuple(brought)
        self._tell(Told("held" if admitted.already_held else "admitted", paths, recording))
        earlier = sorted({part.held_in for part in whole.parts if part.held_in})
        if earlier:
            self._tell(Told("late", paths, recording, ", ".join(earlier)))
            log.warning("watch.late_part", recording=recording, files=brought, belongs_to=earlier)
        if missing := missing_segments(session, self._zone):
            self._tell(Told("segments", paths, recording, ", ".join(map(str, missing))))
        if left:
            self._once("events_left", session.folder, recording, left)
        for note in admitted.notes:
            self._tell(Told("note", paths, recording, note))
        return [recording]

    def _held_meanwhile(self, session: Session) -> bool:
        """Whether somebody else admitted one of the parts since it was read; the next round takes that into account."""
        found = False
        for part in session.parts:
            holders = self._place.archive.catalog.holders_of(part.digest)
            if holders:
                self._memory.files[part.path].recording = holders[0][0]
                found = True
        return found

    def _chat_of(self, session: Session, listing: Listing, closed: set[str]) -> list[str] | None:
        """Chat files that go with the parts, in the parts' order; None while one of them is still written."""
        parts = [part.path for part in session.parts]
        media = [path for path, found in listing.files.items() if found.kind is Kind.MEDIA]
        chat = []
        for path, found in sorted(listing.files.items()):
            if found.kind is not Kind.BESIDE or folder_of(path) != session.folder or (owner := owner_of(path, media)) not in parts:
                continue
            if path not in closed:
                return None
            known = self._memory.files[path]
            is_chat = known.refused is None and self._is_chat(found, known)
            if is_chat is None:
                return None
            if is_chat:
                chat.append((parts.index(owner), path))
        return [path for _, path in sorted(chat)]

    def _is_chat(self, found: Found, known: Remembered) -> bool | None:
        """Whether it is of a known format; None where that can't be told now."""
        try:
            file = check_file(self._root / found.path, "chat", self._settings.chat_max_bytes, may_be_empty=True)
            detect(file, read_head(file))
        except (LiveProofError, OSError) as error:
            if not _lasting(error):
                self.fail(error, found.path)
                return None
            self._refuse(known, found.path, error, "unknown_chat")
            return False
        return True

    def _tables_of(self, session: Session, listing: Listing, sessions: list[Session]) -> tuple[dict[Kind, str], str]:
        """Shelf and events in the session's folder, JSON before CSV, and the events file that was left: with several sessions in one
        folder nothing says which of them the events are of."""
        tables: dict[Kind, str] = {}
        for path, found in sorted(listing.files.items(), key=lambda item: (PurePosixPath(item[0]).suffix.lower() != ".json", item[0])):
            if found.kind in (Kind.PRODUCTS, Kind.EVENTS) and folder_of(path) == session.folder:
                tables.setdefault(found.kind, path)
        if sum(other.folder == session.folder for other in sessions) > 1:
            return tables, tables.pop(Kind.EVENTS, "")
        return tables, ""

    def _late_beside(self, listing: Listing, closed: set[str], media: list[Found]) -> None:
        """Say of chat that came, or was changed, after its media's admission that the recording doesn't hold it."""
        paths = [found.path for found in media]
        for path, found in listing.files.items():
            known = self._memory.files[path]
            if found.kind is not Kind.BESIDE or known.settled or path not in closed:
                continue
            owner = owner_of(path, paths)
            recording = self._memory.files[owner].recording if owner else None
            if recording is None or not self._place.archive.catalog.has(recording):
                continue
            held = {
                source.file_name for source in self._place.archive.catalog.sources(recording) if source.size_bytes == found.stamp.size_bytes
            }
            known.recording = recording
            if PurePosixPath(path).name not in held:
                self._once("late_beside", path, recording)

    def _refuse(self, known: Remembered, path: str, error: Exception, word: str = "refused") -> None:
        known.refused = explain(error)
        self._once(word, path, detail=known.refused)
        log.warning("watch.refused", file=path, error=known.refused)

    def _once(self, word: str, path: str, recording: str | None = None, detail: str = "") -> None:
        if self._memory.first_telling(path, word):
            self._tell(Told(word, (path,), recording, detail))

    def _save(self) -> None:
        content = self._memory.model_dump_json()
        if content != self._saved:
            write_bytes_whole(self._file, content.encode())
            self._saved = content
        self._saved_at = time.monotonic()


@contextmanager
def watching(
    place: Workplace,
    request: WatchRequest,
    settings: IngestSettings,
    tell: Callable[[Told], None],
    progress: operations.Progress = operations.ignore_progress,
) -> Iterator[Watcher]:
    """Take hold of a folder. FolderUnwatchable or AlreadyWatched say why it can't be."""
    root = watch_root(request.folder, place.archive.home)
    with only_watcher(place.archive.home, root):
        yield Watcher(place, root, request, settings, tell, progress)


def _lasting(error: Exception) -> bool:
    """Whether trying again without a change of the files would end the same."""
    return isinstance(error, LiveProofError) and error.status < 500 and not isinstance(error, FileChanged)
