"""What can go wrong at the door over HTTP alone, said for the program or person that meets it."""

from archive.errors import LiveProofError


class UploadConflict(LiveProofError):
    """An upload does not stand where the request says: another offset, not complete yet, or the same key for another request."""

    exit_code = 69
    status = 409


class UploadGone(LiveProofError):
    """An upload was not finished or not admitted in time, and its bytes were removed."""

    exit_code = 71
    status = 410


class InvalidUpload(LiveProofError):
    """A header of an upload is missing, can't be read, or asks for what isn't offered."""

    exit_code = 2
    status = 400


class UploadServerUnavailable(LiveProofError):
    """The server that files are uploaded to does not answer, or is no LiveProof server."""

    exit_code = 75
    status = 502


class UploadRefused(LiveProofError):
    """The server that files are uploaded to refuses them, or what they are to become; its own words say why."""

    exit_code = 76
    status = 502


class CallAsked(LiveProofError):
    """A video call is searched within its case only: what is said in it is no answer to what a host said on air."""

    exit_code = 62
    status = 422


class ModelNotTaken(LiveProofError):
    """A model was not fetched or taken in: nobody agreed, the hub failed or gave other bytes, or the files are no model."""

    exit_code = 84
    status = 502


class ModelChanged(LiveProofError):
    """Files of a model are not those that were fetched or taken in."""

    exit_code = 85
    status = 503


class HouseWordsUnusable(LiveProofError):
    """The file of house words can't be read, or a line of it is nothing that a recogniser may be told."""

    exit_code = 82
    status = 503


# No command ends with these, so they have no exit code of their own.
class UploadBusy(LiveProofError):
    """An upload is being written to, admitted or removed by another request."""

    status = 423


class ChecksumMismatch(LiveProofError):
    """The bytes that arrived are not those that the checksum was made of; none of them were kept."""

    status = 460


class WrongUploadVersion(LiveProofError):
    """The request names no version of the tus protocol, or one that isn't spoken here."""

    status = 412


class WrongUploadType(LiveProofError):
    """The bytes of an upload are not sent as application/offset+octet-stream."""

    status = 415
