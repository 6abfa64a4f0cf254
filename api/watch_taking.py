"""Taking sessions of a watched folder in: a new one is admitted, a held one grows by what came since, a live one is closed at its end.

What can't be joined to the recording that it belongs to becomes a recording of its own, or is left, and that is told.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path, PurePosixPath

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api import operations
from api.exits import explain
from api.watch_memory import WatchMemory
from api.watch_telling import Teller, lasting
from api.workplace import Workplace
from archive.digest import digest_file, digest_json
from archive.errors import LiveProofError, NotFound
from ingest.admission import IngestRequest
from ingest.extension import ExtendRequest
from ingest.input_file import check_file
from ingest.settings import IngestSettings
from ingest.watched_beside import Beside, beside_of
from ingest.watched_folder import Found, Listing, still
from ingest.watching import Kind, Session, folder_of, missing_segments, owner_of, to_admit, without_copies

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class WatchRequest:
    """How to watch. `whole_sessions`: only sessions that no further part is to be expected of; else all whose files are closed.
    `as_it_grows`: from the first closed part on, the rest as it closes."""

    folder: Path
    actor: str
    whole_sessions: bool = True
    platform: str | None = None
    host: str | None = None
    as_it_grows: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at the folder found. `fingerprints`: of what was tried in this round."""

    listing: Listing
    closed: set[str]
    sessions: list[Session]
    fingerprints: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Brought:
    """Files of one admission or extension: parts in their order and what lies beside them. `clocks` are found by the gate itself."""

    parts: tuple[str, ...]
    chat: tuple[str, ...]
    captions: tuple[str, ...]
    clocks: tuple[str, ...]
    tables: dict[Kind, str]

    def paths(self) -> tuple[str, ...]:
        return (*self.parts, *self.chat, *self.captions, *self.clocks, *self.tables.values())


class Taker:
    """Takes in what the rounds of one watcher find. `save` writes the memory."""

    def __init__(
        self,
        place: Workplace,
        root: Path,
        request: WatchRequest,
        settings: IngestSettings,
        zone: tzinfo,
        memory: WatchMemory,
        teller: Teller,
        progress: operations.Progress,
        save: Callable[[], None],
    ) -> None:
        self._place, self._root, self._request, self._settings, self._zone = place, root, request, settings, zone
        self._memory, self._teller, self._progress, self._save = memory, teller, progress, save
        self._over: set[str] = set()

    def take(self, session: Session, now: Round) -> list[str]:
        """Ids of recordings that were admitted or grew."""
        ended = session.ended(self._settings.watch_session_gap_s * 1000)
        if self._request.as_it_grows and not ended:
            ready = session.closed_beginning()
        else:
            ready = session if (ended if self._request.whole_sessions else session.closed) else None
        if ready is None:
            return []
        live, failures = self._request.as_it_grows and not ended, len(self._teller.failures)
        changed = [recording for run in to_admit(ready) for recording in self._take_run(run, session, now, live)]
        if ended and len(self._teller.failures) == failures:
            changed += self._close(session, now)
        return list(dict.fromkeys(changed))

    def take_late_beside(self, now: Round) -> list[str]:
        """Chat and captions that came, or were changed, after their media's admission; ids of recordings that grew."""
        media = [path for path, found in now.listing.files.items() if found.kind is Kind.MEDIA]
        grown = []
        for path, found in sorted(now.listing.files.items()):
            known = self._memory.files[path]
            if found.kind is not Kind.BESIDE or known.settled or path not in now.closed:
                continue
            owner = owner_of(path, media)
            recording = self._memory.files[owner].recording if owner else None
            if recording is None or not self._place.archive.catalog.has(recording) or not still(self._root, found):
                continue
            if self._join_beside(found, recording):
                grown.append(recording)
        return grown

    def _take_run(self, run: Session, whole: Session, now: Round, live: bool) -> list[str]:
        """Parts that no recording holds yet: to the one that holds their neighbours, else to a new one."""
        session, copies = without_copies(run)
        for path, first in copies.items():
            self._memory.files[path].refused = f"holds the same bytes as {first}"
            self._teller.once("copy", path, detail=first)
        holder = whole.holder_of(session.parts)
        brought = self._brought(session, now, live, holder)
        if brought is None:
            return []
        paths = brought.paths()
        fingerprint = digest_json([[path, list(self._memory.files[path].stamp)] for path in paths])
        now.fingerprints.add(fingerprint)
        if fingerprint in self._memory.refused or not all(still(self._root, now.listing.files[path]) for path in paths):
            return []
        try:
            if self._held_meanwhile(session):
                return []
            if holder is not None and (grown := self._extend(holder, brought)):
                return grown
            return self._admit(brought, session, live, holder)
        except (LiveProofError, OSError, SQLAlchemyError) as error:
            if lasting(error):
                self._memory.refused[fingerprint] = explain(error)
                self._teller.tell("refused", paths, detail=explain(error))
                log.warning("watch.refused", files=paths, error=explain(error))
            else:
                self._teller.fail(error, *paths)
            return []

    def _admit(self, brought: _Brought, session: Session, live: bool, holder: str | None) -> list[str]:
        captions = brought.captions if len(brought.parts) == len(brought.captions) == 1 else ()
        for left in brought.captions if not captions else ():
            self._teller.once("captions_left", left)
        admitted = operations.ingest(
            self._place,
            IngestRequest(
                media=self._places(brought.parts),
                chat=self._places(brought.chat),
                captions=self._root / captions[0] if captions else None,
                products=self._table(brought, Kind.PRODUCTS),
                events=self._table(brought, Kind.EVENTS),
                platform=self._request.platform,
                host=self._request.host,
                live=live,
            ),
            self._request.actor,
            self._progress,
        )
        recording = admitted.recording.id
        self._note(brought, recording)
        self._teller.tell("held" if admitted.already_held else "admitted", brought.paths(), recording)
        if holder is not None:
            self._teller.tell("late", brought.paths(), recording, holder)
            log.warning("watch.late_part", recording=recording, files=brought.parts, belongs_to=holder)
        if missing := missing_segments(session, self._zone):
            self._teller.tell("segments", brought.paths(), recording, ", ".join(map(str, missing)))
        for note in admitted.notes:
            self._teller.tell("note", brought.paths(), recording, note)
        return [recording]

    def _extend(self, holder: str, brought: _Brought) -> list[str]:
        """The recording, grown; nothing where the parts can't be joined to it."""
        request = ExtendRequest(media=self._places(brought.parts), chat=self._places(brought.chat))
        try:
            extended = operations.extend(self._place, holder, request, self._request.actor, self._progress)
        except LiveProofError as error:
            if not lasting(error):
                raise
            log.warning("watch.not_joined", recording=holder, files=brought.parts, error=explain(error))
            return []
        for left in brought.captions:
            self._teller.once("captions_left", left)
        self._note(brought, holder)
        self._teller.tell("held" if extended.already_held else "extended", brought.paths(), holder)
        for note in extended.notes:
            self._teller.tell("note", brought.paths(), holder, note)
        return [holder]

    def _close(self, session: Session, now: Round) -> list[str]:
        """Say of a recording that is live, and holds nothing but this session, that it is over; the events come with that."""
        recording = self._memory.files[session.parts[-1].path].recording
        if recording is None or recording in self._over:
            return []
        try:
            held = self._place.archive.catalog.recording(recording)
            parts = {self._memory.files[part.path].digest for part in session.parts}
            if not held.live or not {part.digest for part in held.parts} <= parts:
                self._over.add(recording)
                return []
            tables = self._tables_of(session, now)
            if not now.closed.issuperset(tables.values()):
                return []
            events = self._root / tables[Kind.EVENTS] if Kind.EVENTS in tables else None
            try:
                operations.extend(self._place, recording, ExtendRequest(events=events, closes=True), self._request.actor, self._progress)
            except LiveProofError as error:
                if events is None or not lasting(error):
                    raise
                self._teller.refuse(self._memory.files[tables[Kind.EVENTS]], tables[Kind.EVENTS], error)
                operations.extend(self._place, recording, ExtendRequest(closes=True), self._request.actor, self._progress)
        except NotFound:
            self._over.add(recording)
            return []
        except (LiveProofError, OSError, SQLAlchemyError) as error:
            self._teller.fail(error, session.parts[-1].path)
            return []
        self._over.add(recording)
        self._teller.tell("closed", tuple(part.path for part in session.parts), recording)
        return [recording]

    def _join_beside(self, found: Found, recording: str) -> bool:
        """Whether a late file beside made the recording grow."""
        known, archive = self._memory.files[found.path], self._place.archive
        path = self._root / found.path
        try:
            kind = self._kind_beside(found)
            if kind is None:
                return False
            digest = digest_file(path)
            if any(source.digest == digest for source in archive.catalog.sources(recording)):
                known.recording = recording
                return False
            if kind is Beside.CLOCK or (kind is Beside.CAPTIONS and len(archive.catalog.recording(recording).parts) > 1):
                known.recording = recording
                self._teller.once("late_beside", found.path, recording)
                return False
            captions = path if kind is Beside.CAPTIONS else None
            request = ExtendRequest(chat=() if captions else (path,), captions=captions)
            extended = operations.extend(self._place, recording, request, self._request.actor, self._progress)
        except (LiveProofError, OSError, SQLAlchemyError) as error:
            if lasting(error):
                self._teller.refuse(known, found.path, error, "late_beside", recording)
            else:
                self._teller.fail(error, found.path)
            return False
        known.recording = recording
        self._save()
        self._teller.tell("extended", (found.path,), recording)
        for note in extended.notes:
            self._teller.tell("note", (found.path,), recording, note)
        return True

    def _held_meanwhile(self, session: Session) -> bool:
        """Whether somebody else admitted one of the parts since it was read; the next round takes that into account."""
        found = False
        for part in session.parts:
            holders = self._place.archive.catalog.holders_of(part.digest)
            if holders:
                self._memory.files[part.path].recording = holders[0][0]
                found = True
        return found

    def _brought(self, session: Session, now: Round, live: bool, holder: str | None) -> _Brought | None:
        """The parts and what goes with them, in the parts' order; None while one of those is still written, or can't be told.

        Of a session that goes on, what is still written comes later.
        """
        parts = tuple(part.path for part in session.parts)
        media = [path for path, found in now.listing.files.items() if found.kind is Kind.MEDIA]
        found_beside: dict[Beside, list[tuple[int, str]]] = {kind: [] for kind in Beside}
        for path, found in sorted(now.listing.files.items()):
            if found.kind is not Kind.BESIDE or folder_of(path) != session.folder or (owner := owner_of(path, media)) not in parts:
                continue
            if path not in now.closed:
                if live:
                    continue
                return None
            known = self._memory.files[path]
            kind = self._kind_beside(found)
            if kind is None and known.refused is None:
                return None
            if kind is not None:
                found_beside[kind].append((parts.index(owner), path))
        tables = self._tables_of(session, now) if holder is None else {}
        if live:
            tables.pop(Kind.EVENTS, None)
        if not now.closed.issuperset(tables.values()):
            return None
        chat, captions, clocks = (tuple(path for _, path in sorted(found_beside[kind])) for kind in Beside)
        return _Brought(parts, chat, captions, clocks, tables)

    def _kind_beside(self, found: Found) -> Beside | None:
        """What it is; None where it is nothing that is known (then it is refused), or that can't be told now."""
        known = self._memory.files[found.path]
        if known.refused is not None:
            return None
        if known.beside:
            return Beside(known.beside)
        try:
            file = check_file(self._root / found.path, "chat", self._settings.chat_max_bytes, may_be_empty=True)
            kind = beside_of(file, self._settings)
            file.check_unchanged()
        except (LiveProofError, OSError) as error:
            if lasting(error):
                self._teller.refuse(known, found.path, error, "unknown_chat")
            else:
                self._teller.fail(error, found.path)
            return None
        known.beside = kind.value
        return kind

    def _tables_of(self, session: Session, now: Round) -> dict[Kind, str]:
        """Shelf and events in the session's folder, JSON before CSV. With several sessions in one folder nothing says which of them the
        events are of: they are left, and that is told."""
        tables: dict[Kind, str] = {}
        files = now.listing.files
        for path, found in sorted(files.items(), key=lambda item: (PurePosixPath(item[0]).suffix.lower() != ".json", item[0])):
            if (
                found.kind in (Kind.PRODUCTS, Kind.EVENTS)
                and folder_of(path) == session.folder
                and self._memory.files[path].refused is None
            ):
                tables.setdefault(found.kind, path)
        if sum(other.folder == session.folder for other in now.sessions) > 1 and (left := tables.pop(Kind.EVENTS, "")):
            self._teller.once("events_left", session.folder, detail=left)
        return tables

    def _places(self, paths: tuple[str, ...]) -> tuple[Path, ...]:
        return tuple(self._root / path for path in paths)

    def _table(self, brought: _Brought, kind: Kind) -> Path | None:
        return self._root / brought.tables[kind] if kind in brought.tables else None

    def _note(self, brought: _Brought, recording: str) -> None:
        for path in brought.paths():
            self._memory.files[path].recording = recording
        self._save()
