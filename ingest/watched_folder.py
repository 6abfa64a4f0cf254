"""Looking at a watch folder on the disk: its files, without following links, and who has them open for writing."""

import os
import stat
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import FolderUnwatchable
from ingest.input_file import InputFile
from ingest.watching import SNIFF_BYTES, Kind, Stamp, kind_of, odd_name, passed_over

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Found:
    """A file below a watch folder; `path` from there, parted by slashes."""

    path: str
    kind: Kind
    stamp: Stamp
    device: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What one look found: files by path, and paths that were passed over because their names hide what they are."""

    files: dict[str, Found]
    odd: tuple[str, ...]


def watch_root(folder: Path, home: Path) -> Path:
    """The folder to watch, resolved. FolderUnwatchable where there is nothing to watch, or it is the archive's own."""
    try:
        root = folder.resolve(strict=True)
        if not root.is_dir():
            raise FolderUnwatchable(f"{folder} is no folder: name the one that the recorder writes into")
        with os.scandir(root):
            pass
    except FolderUnwatchable:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "its name can't be used"
        raise FolderUnwatchable(
            f"folder {str(folder)!r} can't be watched ({reason}): name the one that the recorder writes into"
        ) from error
    if root.is_relative_to(home.resolve()):
        raise FolderUnwatchable(f"{folder} lies in the archive's own home: name the folder that the recorder writes into")
    return root


def look(root: Path, skip: Path, depth: int, files_max: int) -> Listing:
    """Every regular file down to `depth` levels below `root`, the folder `skip` left out. Links are not followed.

    FolderUnwatchable if the root can't be read or there are more than `files_max` entries; what vanishes or may not be read below it is
    left out.
    """
    files: dict[str, Found] = {}
    odd: list[str] = []
    waiting = [(root, "", 0)]
    seen = 0
    while waiting:
        folder, prefix, level = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                names = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if level == 0:
                raise FolderUnwatchable(f"folder {root} can't be read any more ({error.strerror}): is its disk still there?") from error
            continue
        for entry in names:
            seen += 1
            if seen > files_max:
                raise FolderUnwatchable(f"{root} holds more than the {files_max} files and folders that LIVEPROOF_WATCH_FILES_MAX allows")
            if passed_over(entry.name):
                continue
            path = prefix + entry.name
            if odd_name(entry.name):
                odd.append(path.encode("unicode_escape", "backslashreplace").decode("ascii"))
            elif entry.is_dir(follow_symlinks=False):
                if level < depth and Path(entry.path) != skip:
                    waiting.append((Path(entry.path), path + "/", level + 1))
            elif (found := _found(entry, path)) is not None:
                files[path] = found
    return Listing(files, tuple(odd))


def _found(entry: "os.DirEntry[str]", path: str) -> Found | None:
    try:
        status = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            return None
        kind = kind_of(entry.name) or kind_of(entry.name, _head(entry.path))
    except OSError:
        return None
    return Found(path, kind, _stamp(status), status.st_dev) if kind else None


def _head(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(handle, SNIFF_BYTES)
    finally:
        os.close(handle)


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def still(root: Path, found: Found) -> bool:
    """Whether the file is as it was found, and reached without a link."""
    path = root / found.path
    try:
        status = path.lstat()
        return stat.S_ISREG(status.st_mode) and _stamp(status) == found.stamp and path.resolve() == path
    except (OSError, RuntimeError):
        return False


def input_file(root: Path, found: Found) -> InputFile:
    """The file as it was found; opening it refuses another one under its name."""
    stamp = found.stamp
    return InputFile(root / found.path, stamp.size_bytes, stamp.modified_ns, stamp.changed_ns, found.device, stamp.inode)


def open_for_writing(files: Collection[Found]) -> set[str]:
    """Paths of those files that a process has open for writing, as far as this user may see; none on systems without /proc."""
    wanted = {(found.device, found.stamp.inode): found.path for found in files}
    written: set[str] = set()
    if not wanted or not _PROC.is_dir():
        return written
    for process in _PROC.iterdir():
        if not process.name.isdigit():
            continue
        try:
            handles = list((process / "fd").iterdir())
        except OSError:
            continue  # ended meanwhile, or another user's
        for handle in handles:
            path = _written(process, handle, wanted)
            if path is not None:
                written.add(path)
    return written


def _written(process: Path, handle: Path, wanted: dict[tuple[int, int], str]) -> str | None:
    try:
        target = str(handle.readlink())
        if not target.startswith("/") or target.startswith(("/dev/", "/proc/", "/sys/")):
            return None
        status = handle.stat()
        path = wanted.get((status.st_dev, status.st_ino))
        if path is None:
            return None
        flags = next(line for line in (process / "fdinfo" / handle.name).read_text("ascii").splitlines() if line.startswith("flags:"))
    except (OSError, StopIteration, ValueError):
        return None
    return path if int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY else None
