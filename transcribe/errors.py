"""What can go wrong while sound becomes words, said for the person who meets it."""

from archive.errors import LiveProofError


class ModelMissing(LiveProofError):
    """A model that the settings ask for is not on this machine."""

    exit_code = 24
    status = 503


class ModelUnusable(LiveProofError):
    """A model is there, but it is damaged or of another kind than the engine reads."""

    exit_code = 25
    status = 503


class NoSecondOpinion(LiveProofError):
    """No other recogniser or model is on this machine that could hear the same again, or there is nothing for it to hear."""

    exit_code = 83
    status = 503


class SoundUnreadable(LiveProofError):
    """The sound of a file can't be decoded, or takes longer than is allowed."""

    exit_code = 26
    status = 422


class OcrMissing(LiveProofError):
    """What reads text in pictures is not installed, or its models are not with it."""

    exit_code = 64
    status = 503


class PicturesUnreadable(LiveProofError):
    """The pictures of a file can't be decoded, or that takes longer than is allowed."""

    exit_code = 67
    status = 422


class RecordUnreadable(LiveProofError):
    """A paper of a case is not there to be read, or no process can be started to read it."""

    exit_code = 59
    status = 503
