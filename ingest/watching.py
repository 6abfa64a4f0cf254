"""What a folder that recorders write into holds: which files count, which are closed, what forms a session, and what goes with what.

Pure decisions; `ingest/watched_folder.py` looks at the disk, `api/watching.py` acts.

* A file is closed when its size and stamps have stood still for the quiet time: by the stamps, or by what was seen before, so that neither
  a clock that is off nor a copied file's old stamps settle it. Who has it open is asked in `watched_folder.py`.
* Files of one folder, one ending and one text before the time in their names are a series: one recorder, one room. Neighbours in it are
  parts of one session when the next starts after the one before and less than the session gap after its end.
* A name without a time is a session of its own.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from itertools import pairwise, takewhile
from pathlib import PurePosixPath

from ingest.chat_files import same_stem
from ingest.clock import NameSeries, name_series
from ingest.watched_beside import CAPTION_ENDINGS

_PICTURES = ".flv .mp4 .m4v .m4s .mov .mkv .webm .ts .m2ts .mts .mpg .mpeg .avi .wmv .asf .3gp .f4v"
_SOUNDS = ".m4a .mka .mp3 .aac .wav .flac .ogg .opus"
_MEDIA = frozenset(f"{_PICTURES} {_SOUNDS}".split())
_BESIDE = frozenset((".xml", ".json", ".jsonl", ".txt", ".csv", ".xlsx")) | CAPTION_ENDINGS
_UNFINISHED = re.compile(r"\.(tmp|temp|part|partial|part-frag\d+|downloading|download|crdownload|ytdl|aria2|unfinished)$", re.IGNORECASE)
_SNIFFED = (b"FLV\x01", b"\x1aE\xdf\xa3", b"OggS", b"ID3", b"fLaC")
SNIFF_BYTES = 189


class Kind(StrEnum):
    """What a file in a watch folder may be by its name and first bytes; whether it is so is the gate's to say."""

    MEDIA = "media"
    BESIDE = "beside"
    PRODUCTS = "products"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells a file from another and from itself after a change. Times in ns since 1970: last writing, and last change of the inode."""

    size_bytes: int
    modified_ns: int
    changed_ns: int
    inode: int

    @property
    def last_write_ms(self) -> int:
        return max(self.modified_ns, self.changed_ns) // 1_000_000


@dataclass(frozen=True, slots=True)
class Watched:
    """A media file as far as it is known. `path` is below the watch folder; duration and digest are there once it is closed and read.

    `held_in` names the recording that holds its bytes already.
    """

    path: str
    last_write_ms: int
    quiet_ms: int
    closed: bool
    duration_ms: int | None = None
    digest: str = ""
    held_in: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Parts of one recording in their order. `full`: it has the longest length that a session may have, so nothing more joins it."""

    parts: tuple[Watched, ...]
    full: bool = False

    @property
    def folder(self) -> str:
        return folder_of(self.parts[0].path)

    @property
    def closed(self) -> bool:
        return all(part.closed for part in self.parts)

    def closed_beginning(self) -> "Session | None":
        """The parts that are closed up to the first that isn't: what can be taken of a session that goes on."""
        parts = tuple(takewhile(lambda part: part.closed, self.parts))
        return Session(parts, self.full) if parts else None

    def holder_of(self, parts: Sequence[Watched]) -> str | None:
        """The recording that these parts, which none holds yet, continue: that of the nearest part before them, else behind them."""
        first = self.parts.index(parts[0])
        before, behind = self.parts[:first][::-1], self.parts[first:]
        return next((part.held_in for part in (*before, *behind) if part.held_in), None)

    def ended(self, gap_ms: int) -> bool:
        """Whether no further part is to be expected."""
        return self.closed and (self.full or all(part.quiet_ms >= gap_ms for part in self.parts))


def folder_of(path: str) -> str:
    return str(PurePosixPath(path).parent)


def odd_name(name: str) -> bool:
    """Whether a name hides what it is: control and direction marks, bytes that are no text, separators of other systems."""
    return "\\" in name or name != name.strip() or any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in name)


def passed_over(name: str) -> bool:
    """Hidden files, and those that a program says it isn't done with."""
    return name.startswith((".", "~$")) or _UNFINISHED.search(name) is not None


def kind_of(name: str, head: bytes = b"") -> Kind | None:
    """By name, else by the first SNIFF_BYTES; None for what isn't a session's."""
    path = PurePosixPath(name)
    ending, stem = path.suffix.lower(), path.stem.lower()
    if ending in (".json", ".csv") and stem in ("products", "events"):
        return Kind(stem)
    if ending in _BESIDE:
        return Kind.BESIDE
    if ending in _MEDIA or _looks_like_media(head):
        return Kind.MEDIA
    return None


def _looks_like_media(head: bytes) -> bool:
    if head.startswith(_SNIFFED) or head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] in (b"WAVE", b"AVI ")):
        return True
    return len(head) >= SNIFF_BYTES and head[0] == 0x47 == head[188]


def quiet_ms(stamp: Stamp, seen_since_ms: int, now_ms: int) -> int:
    """How long a file has stood still: since its stamps, or since it was first seen as it is; clocks in the future don't hold it up."""
    return max(now_ms - stamp.last_write_ms, now_ms - seen_since_ms, 0)


def sessions_of(files: Sequence[Watched], zone: tzinfo, gap_ms: int, max_ms: int, parts_max: int) -> list[Session]:
    """Lay the media files of a folder out as sessions, by path and time."""
    alone: list[Session] = []
    series: dict[tuple[str, ...], list[tuple[NameSeries, Watched]]] = {}
    for file in sorted(files, key=lambda file: file.path):
        path = PurePosixPath(file.path)
        named = name_series(path.name, zone)
        if named is None:
            alone.append(Session((file,)))
        else:
            # Where nothing stands before the time, what stands after it is all that tells rooms apart.
            key = (folder_of(file.path), named.before, "" if named.before else named.after, path.suffix.lower())
            series.setdefault(key, []).append((named, file))
    found = [session for members in series.values() for session in _split(members, gap_ms, max_ms, parts_max)]
    return sorted([*alone, *found], key=lambda session: session.parts[0].path)


def _split(members: list[tuple[NameSeries, Watched]], gap_ms: int, max_ms: int, parts_max: int) -> list[Session]:
    members = sorted(members, key=lambda member: (member[0].time.wall.epoch_ms, member[0].segment or 0, member[1].path))
    done: list[Session] = []
    parts: list[Watched] = []
    session_start = start = end = 0
    before: NameSeries | None = None
    for named, file in members:
        wall = named.time.wall.epoch_ms
        # A later segment bears the session's time: it starts where the one before it ends.
        follows = bool(
            before and named.segment and before.segment is not None and before.time == named.time and before.segment < named.segment
        )
        own_start = end if follows else wall
        joins = before is not None and (follows or (own_start > start and own_start - end < gap_ms))
        fits = own_start - session_start < max_ms and len(parts) < parts_max
        if parts and not (joins and fits):
            done.append(Session(tuple(parts), full=joins and not fits))
            parts = []
        if not parts:
            session_start = own_start
        parts.append(file)
        start, before = own_start, named
        # One that still grows has been recorded until now, as far as is known.
        end = own_start + file.duration_ms if file.duration_ms is not None else max(own_start, file.last_write_ms)
    if parts:
        done.append(Session(tuple(parts)))
    return done


def to_admit(session: Session) -> list[Session]:
    """What of a session isn't held yet: all of it, or, where some parts were admitted before, each run of neighbours that came later."""
    runs: list[list[Watched]] = []
    open_run = False
    for part in session.parts:
        if part.held_in is not None:
            open_run = False
            continue
        if open_run:
            runs[-1].append(part)
        else:
            runs.append([part])
        open_run = True
    return [Session(tuple(run), session.full) for run in runs]


def without_copies(session: Session) -> tuple[Session, dict[str, str]]:
    """The session without files that hold the same bytes as an earlier part, and for each of those the path of that part."""
    first: dict[str, str] = {}
    copies: dict[str, str] = {}
    kept: list[Watched] = []
    for part in session.parts:
        if part.digest and part.digest in first:
            copies[part.path] = first[part.digest]
        else:
            first[part.digest] = part.path
            kept.append(part)
    return Session(tuple(kept), session.full), copies


def missing_segments(session: Session, zone: tzinfo) -> list[int]:
    """Numbers that a recorder's segments skip within a session."""
    named = [name_series(PurePosixPath(part.path).name, zone) for part in session.parts]
    missing: list[int] = []
    for left, right in pairwise(named):
        if left and right and left.segment is not None and right.segment is not None and left.time == right.time:
            missing.extend(range(left.segment + 1, right.segment))
    return missing


def owner_of(beside: str, media: Sequence[str]) -> str | None:
    """The media file that a file beside goes with: in the same folder, by the same stem, the longest that fits; None where none does."""
    path = PurePosixPath(beside)
    fitting = [m for m in media if folder_of(m) == folder_of(beside) and same_stem(path.name, PurePosixPath(m).stem)]
    return max(fitting, key=lambda m: (len(PurePosixPath(m).stem), m), default=None)
