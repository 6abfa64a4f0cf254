"""Watching a folder: each round looks at it, reads what was closed since, and takes in what is ready (api/watch_taking.py).

What a round does is safe to break off anywhere: the catalog says what is held, by digest, so the next run goes on.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from api import operations
from api.watch_memory import memory_file, only_watcher, read_memory
from api.watch_taking import Round, Taker, WatchRequest
from api.watch_telling import Teller, Told, lasting
from api.workplace import Workplace
from archive.atomic_write import write_bytes_whole
from archive.digest import digest_stream
from archive.errors import LiveProofError
from ingest.clock import recorder_zone
from ingest.input_file import check_file
from ingest.media_probe import probe
from ingest.settings import IngestSettings
from ingest.watched_folder import Found, Listing, input_file, look, open_for_writing, still, watch_root
from ingest.watching import Kind, Watched, folder_of, quiet_ms, sessions_of

__all__ = ["Told", "WatchRequest", "Watcher", "watching"]

SAVE_EVERY_S = 2


class Watcher:
    """One folder, held by this process while it is watched."""

    def __init__(
        self,
        place: Workplace,
        root: Path,
        request: WatchRequest,
        settings: IngestSettings,
        tell: Callable[[Told], None],
        progress: operations.Progress,
    ) -> None:
        self._place, self._root, self._settings = place, root, settings
        self._zone = recorder_zone(settings.recorder_time_zone)
        self._file = memory_file(place.archive.home, root)
        self._memory = read_memory(self._file, root)
        self._saved, self._saved_at = "", time.monotonic()
        self._teller = Teller(self._memory, tell)
        self._taker = Taker(place, root, request, settings, self._zone, self._memory, self._teller, progress, self._save)

    def recordings(self) -> set[str]:
        """Ids of recordings that hold a file of the folder."""
        return {file.recording for file in self._memory.files.values() if file.recording}

    def round(self) -> list[str]:
        """Look once; ids of what was admitted or grew. FolderUnwatchable where the folder is gone; what fails otherwise is told and tried
        again."""
        self._teller.failures = []
        settings = self._settings
        listing = look(self._root, self._place.archive.home.resolve(), settings.watch_depth, settings.watch_files_max)
        now_ms = self._place.archive.clock().epoch_ms
        self._remember(listing, now_ms)
        for path in listing.odd:
            self._teller.once("odd_name", path)
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
        now = Round(listing, closed, sessions)
        changed = [recording for session in sessions for recording in self._taker.take(session, now)]
        self._memory.refused = {key: why for key, why in self._memory.refused.items() if key in now.fingerprints}
        changed += self._taker.take_late_beside(now)
        self._save()
        return list(dict.fromkeys(changed))

    @property
    def failures(self) -> list[Exception]:
        """Those of the last round that may pass by themselves."""
        return self._teller.failures

    def fail(self, error: Exception, *paths: str) -> None:
        """Tell what hindered a round and may pass by itself."""
        self._teller.fail(error, *paths)

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
            if lasting(error):
                self._teller.refuse(known, found.path, error)
            else:
                self._teller.fail(error, found.path)
        if time.monotonic() - self._saved_at >= SAVE_EVERY_S:
            self._save()

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
