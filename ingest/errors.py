"""What can go wrong at the gate, said for the person who meets it. Whatever is raised here, nothing was admitted."""

from archive.errors import LiveProofError


class InvalidRequest(LiveProofError):
    """The request itself can't be met: an id that can't be used, no input at all, the same file twice, parts out of order."""

    exit_code = 2
    status = 422


class InvalidContent(LiveProofError):
    """A file was read, but a line, row or field in it is wrong; the message names it."""

    exit_code = 30
    status = 422


class UnreadableFile(LiveProofError):
    """A file is missing, empty, a folder, or may not be read."""

    exit_code = 31
    status = 422


class NotMedia(LiveProofError):
    """The file holds no sound or picture that can be read."""

    exit_code = 32
    status = 415


class UnknownFormat(LiveProofError):
    """The file is of no chat, caption or table format that is known."""

    exit_code = 33
    status = 415


class InputTooLarge(LiveProofError):
    """A file is larger, or holds more entries, than the settings allow."""

    exit_code = 34
    status = 413


class FileChanged(LiveProofError):
    """A file changed while it was read: a recorder still writes it."""

    exit_code = 35
    status = 409


class AlreadyWatched(LiveProofError):
    """Another process of this archive watches the folder."""

    exit_code = 65
    status = 409


class FolderUnwatchable(LiveProofError):
    """A folder can't be watched: it isn't there, may not be read, lies in the archive's own home, or holds too many files."""

    exit_code = 66
    status = 422


class AddressRefused(LiveProofError):
    """An address to capture is of a protocol that is not captured, can't be read, or gives a stream that can't be kept as it comes."""

    exit_code = 49
    status = 422


class AlreadyCaptured(LiveProofError):
    """Another process of this archive captures the room, or the recording."""

    exit_code = 53
    status = 409


class StreamUnavailable(LiveProofError):
    """Nothing came from the address of a live stream within the time that was given to it."""

    exit_code = 54
    status = 502

    def __init__(self, message: str, answered: int | None = None) -> None:
        """`answered`: the HTTP status that the server gave in place of what was asked for."""
        super().__init__(message)
        self.answered = answered


class NotThisCapture(LiveProofError):
    """The id that a capture is to go on with is a recording that no capture made, or is of another room."""

    exit_code = 72
    status = 409
