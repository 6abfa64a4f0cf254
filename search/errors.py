"""What can go wrong in search, said for the person who meets it."""

from archive.errors import LiveProofError


class InvalidQuestion(LiveProofError):
    """The question is empty or longer than what is searched."""

    exit_code = 2
    status = 422


class IndexUnavailable(LiveProofError):
    """The search index can't be opened, is damaged, or was written by another version; it can be rebuilt from the archive."""

    exit_code = 14
    status = 503


class EmbeddingModelUnusable(LiveProofError):
    """The embedding model named in the settings is there but can't be loaded."""

    exit_code = 15
    status = 503


class CrossEncoderUnusable(LiveProofError):
    """The cross-encoder named in the settings is not on this machine, or can't be loaded."""

    exit_code = 48
    status = 503


class JudgementsUnreadable(LiveProofError):
    """The file of judgements or of questions to judge holds something that can't be read; the message names the line."""

    exit_code = 63
    status = 422


class UnknownCategory(LiveProofError):
    """The category that a search or a ledger of promises is limited to is none of those that promises have; the message lists them."""

    exit_code = 58
    status = 422
