"""A file handed to the gate: is it there, may it be read, how large is it, does it hold still, and what text is in it."""

import codecs
import errno
import os
import re
import stat
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path

from ingest.errors import FileChanged, InputTooLarge, UnknownFormat, UnreadableFile


@dataclass(frozen=True, slots=True)
class InputFile:
    """A readable regular file as it stood when it was checked: device, inode, times of its last writing and of its inode's last change."""

    path: Path
    size_bytes: int
    modified_ns: int
    changed_ns: int = 0
    device: int = 0
    inode: int = 0

    @property
    def name(self) -> str:
        """The file's name as text that can be stored, whatever bytes the file system holds."""
        return storable(self.path.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))

    def open(self) -> FileIO:
        """The file that was checked, to read, unbuffered. FileChanged if another one, or none, stands under its name by now."""
        try:
            stream = self.path.open("rb", buffering=0)
        except FileNotFoundError as error:
            raise self._changed() from error
        try:
            self._compare(os.fstat(stream.fileno()))
        except BaseException:
            stream.close()
            raise
        return stream

    def check_unchanged(self) -> None:
        """FileChanged if it was written to, renamed or replaced since it was checked.

        Setting the time of writing back changes the inode's own time. What this can't see: writes through a memory map whose page was
        dirty before, and clocks set back by root. Who can do that could as well have changed the file before it was admitted.
        """
        try:
            self._compare(self.path.stat())
        except FileNotFoundError as error:
            raise self._changed() from error

    def _compare(self, now: os.stat_result) -> None:
        if _identity(now) != (self.size_bytes, self.modified_ns, self.changed_ns, self.device, self.inode):
            raise self._changed()

    def _changed(self) -> FileChanged:
        return FileChanged(f"{self.path} changed while it was read: wait until the recorder has closed it, then ingest again")


def _identity(found: os.stat_result) -> tuple[int, int, int, int, int]:
    """What tells a file from another, and from itself after a change."""
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_dev, found.st_ino


def check_file(path: Path, what: str, max_bytes: int, *, may_be_empty: bool = False) -> InputFile:
    """Look at a file before anything is read from it. UnreadableFile or InputTooLarge names it; `what` says what it was to be."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise UnreadableFile(f"{path} is a folder: name the {what} file in it")
        if not stat.S_ISREG(found.st_mode):
            raise UnreadableFile(f"{path} is a device or pipe, not a file: save the {what} to a file first")
        with path.open("rb"):
            pass
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnreadableFile(f"there is no {what} file {path}: check the name") from error
    except PermissionError as error:
        raise UnreadableFile(f"{what} file {path} may not be read: give this user the right to read it") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.errno != errno.EINVAL else "the name can't be used"
        raise UnreadableFile(f"{what} file {path!r} can't be read: {reason}") from error
    if found.st_size == 0 and not may_be_empty:
        raise UnreadableFile(f"{what} file {path} is empty: nothing was recorded in it, or the copy failed")
    if found.st_size > max_bytes:
        raise InputTooLarge(f"{what} file {path} has {found.st_size} bytes, more than the {max_bytes} that are allowed")
    return InputFile(path, *_identity(found))


def read_bytes(file: InputFile) -> bytes:
    """The whole file, as it was when it was checked."""
    with file.open() as stream, BufferedReader(stream) as buffered:
        content = buffered.read(file.size_bytes + 1)
    if len(content) != file.size_bytes:
        file.check_unchanged()
        raise FileChanged(f"{file.path} changed while it was read: ingest it again")
    return content


_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decode(content: bytes, name: str) -> tuple[str, str]:
    """Text and the encoding it was in: by byte order mark, else UTF-8, UTF-16 (by its zero bytes) or GB 18030 (which holds GBK).

    UnknownFormat names the file if none fits.
    """
    for encoding in _candidates(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n"), encoding
    raise UnknownFormat(f"{name} is no text in UTF-8, UTF-16 or GBK: save it as UTF-8 and ingest again")


def _candidates(content: bytes) -> list[str]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return [encoding]
    head = content[:4096]
    if len(content) % 2 == 0 and head.count(0) * 8 >= len(head) > 0:
        return ["utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"]
    return ["utf-8", "gb18030"]


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Text that every database takes: NULs dropped, halves of surrogate pairs replaced."""
    if not _UNSTORABLE.search(text):
        return text
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
