"""What goes wrong, in one line, and the code the command exits with. docs/errors.md holds the table; a test keeps it true."""

import errno
import sqlite3

from archive.errors import LiveProofError, StorageFull

UNEXPECTED = 70


def exit_code_of(error: BaseException) -> int:
    """The tabled exit code; UNEXPECTED for what nobody foresaw."""
    if isinstance(error, LiveProofError):
        return error.exit_code
    if is_disk_full(error):
        return StorageFull.exit_code
    return UNEXPECTED


def explain(error: BaseException) -> str:
    """One line for the person who meets it."""
    if isinstance(error, LiveProofError):
        return " ".join(str(error).split())
    if is_disk_full(error):
        return "the disk is full: free some space and run the command again; nothing half-written is left"
    first = " ".join(str(error).split())[:300]
    return f"unexpected {type(error).__name__}: {first}. Run again with LIVEPROOF_LOG_LEVEL=DEBUG and report what it prints"


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or what it came of, is that a disk has no room left."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
