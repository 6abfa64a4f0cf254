"""Where captured media waits to be admitted: a folder of the home, so that nothing closed is lost when a capture is killed.

    captures/<recording>/capture.json          what is captured into which recording
    captures/<recording>/000001/               one stretch: what came over one connection
    captures/<recording>/000001/stretch.json   its container and how it began
    captures/<recording>/000001/clock.jsonl    when which media time arrived, or was said to be
    captures/<recording>/000001/placed.json    where it lies on the time line, once its first file was admitted
    captures/<recording>/000001/capture-….ts   files; all but the newest of a stretch under way are closed
    captures/<recording>/000001/lock           held by the capture and its ffmpeg for as long as either lives

A file is removed once the catalog holds it. Nothing here is evidence yet.
"""

import fcntl
import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from archive.atomic_write import write_bytes_whole
from archive.digest import digest_bytes
from ingest.capture_clock import Placed, StretchClock, thinned
from ingest.errors import AlreadyCaptured

log = structlog.get_logger(__name__)

_STRETCH = re.compile(r"\d{6}")
_FILE = re.compile(r"capture-\d{6}-\d{5}\.(?:ts|mkv)")
_SAMPLES_MAX = 20_000
_Note = TypeVar("_Note", bound=BaseModel)


class CaptureNote(BaseModel):
    """What a capture is of, as far as it may be written down: `shown` is the address without its secrets."""

    recording: str
    place_digest: str
    address_digest: str
    shown: str
    platform: str | None = None
    room: str | None = None
    host: str | None = None
    title: str | None = None


class StretchNote(BaseModel):
    """`reason`: why there was a break before it: connection_lost or capture_stopped. `step_ms` as in StretchClock."""

    container: str
    reason: str
    started_at_ms: int


class PlacedNote(BaseModel):
    """As Placed, and the time stamp that the stretch's first file begins with, in ms: media time 0."""

    line_ms: int
    gap_uncertainty_ms: int
    first_start_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A closed file that no recording holds yet."""

    stretch: "Stretch"
    path: Path


class Stretch:
    """One stretch's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._clock_stream: IO[str] | None = None
        self._written = {"arrived": 0, "told": 0}

    @property
    def number(self) -> int:
        return int(self.folder.name)

    @property
    def note(self) -> StretchNote | None:
        return _read(self.folder / "stretch.json", StretchNote)

    @property
    def placed(self) -> PlacedNote | None:
        return _read(self.folder / "placed.json", PlacedNote)

    def set_placed(self, placed: Placed, first_start_ms: int) -> PlacedNote:
        note = PlacedNote(line_ms=placed.line_ms, gap_uncertainty_ms=placed.gap_uncertainty_ms, first_start_ms=first_start_ms)
        write_bytes_whole(self.folder / "placed.json", note.model_dump_json().encode())
        return note

    def keep_clock(self, clock: StretchClock) -> None:
        """Append what was observed since the last call."""
        if self._clock_stream is None:
            self._clock_stream = (self.folder / "clock.jsonl").open("a", encoding="ascii")
            rest = {"follows_ms": clock.follows_ms, "step_ms": clock.step_ms}
            self._clock_stream.write(json.dumps(rest) + "\n")
        for kind, samples in (("arrived", clock.arrived), ("told", clock.told)):
            for sample in samples[self._written[kind] :]:
                self._clock_stream.write(json.dumps({kind: sample}) + "\n")
            self._written[kind] = len(samples)
        self._clock_stream.flush()

    def close_clock(self) -> None:
        if self._clock_stream:
            self._clock_stream.close()
            self._clock_stream = None

    def clock(self) -> StretchClock:
        """What was observed so far; a line that was torn is left out."""
        clock = StretchClock()
        with suppress(FileNotFoundError), (self.folder / "clock.jsonl").open(encoding="ascii", errors="replace") as stream:
            for line in stream:
                with suppress(ValueError, TypeError, KeyError):
                    said = json.loads(line)
                    if "step_ms" in said:
                        clock.follows_ms, clock.step_ms = said["follows_ms"], int(said["step_ms"])
                    for kind, samples in (("arrived", clock.arrived), ("told", clock.told)):
                        if kind in said:
                            samples.append((int(said[kind][0]), int(said[kind][1])))
        clock.arrived, clock.told = thinned(clock.arrived, _SAMPLES_MAX), thinned(clock.told, _SAMPLES_MAX)
        return clock

    def files(self) -> list[Path]:
        """Its media files in order, the one being written included."""
        with suppress(FileNotFoundError):
            return sorted(path for path in self.folder.iterdir() if _FILE.fullmatch(path.name))
        return []

    @contextmanager
    def held(self) -> Iterator[IO[bytes]]:
        """The lock, taken; hand it to ffmpeg, so that the stretch counts as under way for as long as either lives."""
        with (self.folder / "lock").open("a+b") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle

    def under_way(self) -> bool:
        """Whether somebody still writes it."""
        try:
            with (self.folder / "lock").open("a+b") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return False
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False


class Spool:
    """One capture's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def note(self) -> CaptureNote | None:
        return _read(self.folder / "capture.json", CaptureNote)

    def open(self, note: CaptureNote) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_bytes_whole(self.folder / "capture.json", note.model_dump_json().encode())

    def stretches(self) -> list[Stretch]:
        with suppress(FileNotFoundError):
            return [Stretch(path) for path in sorted(self.folder.iterdir()) if _STRETCH.fullmatch(path.name) and path.is_dir()]
        return []

    def begin_stretch(self, container: str, reason: str, now_ms: int) -> Stretch:
        known = self.stretches()
        stretch = Stretch(self.folder / f"{known[-1].number + 1 if known else 1:06}")
        stretch.folder.mkdir(mode=0o700)
        note = StretchNote(container=container, reason=reason, started_at_ms=now_ms)
        write_bytes_whole(stretch.folder / "stretch.json", note.model_dump_json().encode())
        return stretch

    def closed(self) -> list[Waiting]:
        """Files that can be admitted, in order. A stretch's turn comes when the one before it has ended and been admitted."""
        found: list[Waiting] = []
        for stretch in self.stretches():
            # Asked before the files are listed: what is there after the end is closed.
            writing = stretch.under_way()
            files = stretch.files()
            found.extend(Waiting(stretch, path) for path in (files[:-1] if writing else files))
            if writing:
                break
        return found

    def drop_empty(self, stretch: Stretch) -> None:
        """Forget a stretch over which nothing came."""
        stretch.close_clock()
        if not stretch.files():
            shutil.rmtree(stretch.folder, ignore_errors=True)

    def settle(self) -> None:
        """Forget stretches that were admitted whole, but for the last two: the next one is placed by them."""
        done = [stretch for stretch in self.stretches() if not stretch.under_way() and not stretch.files()]
        for stretch in done[:-2]:
            shutil.rmtree(stretch.folder, ignore_errors=True)

    def bytes_waiting(self) -> int:
        total = 0
        for stretch in self.stretches():
            for path in stretch.files():
                with suppress(FileNotFoundError):
                    total += path.stat().st_size
        return total

    def wait_until_quiet(self, within_s: float) -> None:
        """Wait for an ffmpeg that a killed capture left. AlreadyCaptured if it does not end."""
        deadline = time.monotonic() + within_s
        while any(stretch.under_way() for stretch in self.stretches()):
            if time.monotonic() > deadline:
                raise AlreadyCaptured(f"an ffmpeg of an earlier capture still writes to {self.folder}: end it, then capture again")
            time.sleep(0.2)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def spool_of(home: Path, recording_id: str) -> Spool:
    return Spool(home / "captures" / recording_id)


def all_spools(home: Path) -> list[Spool]:
    """Every capture's folder that has something in it."""
    with suppress(FileNotFoundError):
        return [Spool(path) for path in sorted((home / "captures").iterdir()) if (path / "capture.json").is_file()]
    return []


@contextmanager
def only_capture(home: Path, what: str, named: str) -> Iterator[None]:
    """Hold a room or a recording for this process. AlreadyCaptured if another one does; a killed one holds nothing."""
    lock = home / "captures" / ".locks" / f"{digest_bytes(what.encode()).removeprefix('sha256:')[:32]}.lock"
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock.open("a+b") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyCaptured(f"{named} is captured already by another process of this archive: leave it to that one") from error
        yield


def _read(path: Path, kind: type[_Note]) -> _Note | None:
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning("capture.note_lost", file=str(path), error=str(error).splitlines()[0])
        return None
