"""What can go wrong in the archive, said for the person who meets it.

Every error of LiveProof is a `LiveProofError`, here or in the other packages' `errors.py`: `exit_code` is what the command
exits with, `status` what HTTP answers, and the message says what is wrong, with which file or field, and what to do.
"""


class LiveProofError(Exception):
    """Something is wrong that a person can mend."""

    exit_code = 1
    status = 400

    def __str__(self) -> str:
        """What is wrong, as text that can be stored and sent: file names and quoted content may hold NULs and halves of surrogate pairs."""
        return super().__str__().replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


class NotFound(LiveProofError):
    """No such recording, case or product is held."""

    exit_code = 4
    status = 404


class AlreadyHeld(LiveProofError):
    """The id is taken by something else."""

    exit_code = 5
    status = 409


class GrownMeanwhile(LiveProofError):
    """A recording grew by what another process brought while something was being added to it."""

    exit_code = 47
    status = 409


class StorageFull(LiveProofError):
    """There is not enough room on the disk to go on."""

    exit_code = 6
    status = 507


class DatabaseUnavailable(LiveProofError):
    """The catalog can't be opened or is of another version."""

    exit_code = 7
    status = 503


class MissingProgram(LiveProofError):
    """A program that this step needs, such as ffmpeg, is not installed."""

    exit_code = 8
    status = 503


class VerificationFailed(LiveProofError):
    """What was checked is not what it was."""

    exit_code = 9
    status = 422


class InvalidTime(LiveProofError):
    """A time or span lies outside what is held, or is written in a way that can't be read."""

    exit_code = 2
    status = 422


class NoMediaHeld(LiveProofError):
    """The recording holds captions only, so there is nothing to cut or play."""

    exit_code = 10
    status = 409


class ProgramFailed(LiveProofError):
    """A program such as ffmpeg ended with an error or ran longer than it may."""

    exit_code = 20
    status = 500


class TooLarge(LiveProofError):
    """A clip or package would be larger than what is allowed."""

    exit_code = 21
    status = 413


class Locked(LiveProofError):
    """An object, recording or case is retained or under a hold and may not be removed by anyone."""

    exit_code = 40
    status = 409


class StoreUnavailable(LiveProofError):
    """The S3 server with the objects does not answer, or refuses its credentials or the bucket."""

    exit_code = 41
    status = 503


class LockNotEnforced(LiveProofError):
    """The S3 server only pretends to lock, or its bucket can't: it is refused for evidence."""

    exit_code = 42
    status = 503


class PlanChanged(LiveProofError):
    """What a purge would remove is not what the plan showed."""

    exit_code = 43
    status = 409


class InvalidHold(LiveProofError):
    """A hold is to be placed or released without a reason, or with one that is too long."""

    exit_code = 2
    status = 422


class InvalidRules(LiveProofError):
    """A file of retention rules can't be read, or a rule in it lacks what a rule needs."""

    exit_code = 44
    status = 500


class InvalidCase(LiveProofError):
    """A case, a step or an attachment lacks what it needs, or says what it may not."""

    exit_code = 55
    status = 422


class InvalidEdit(LiveProofError):
    """An edit of a transcript names no segment, changes nothing, or was made against a version that is no longer the newest."""

    exit_code = 56
    status = 409


class InvalidClock(LiveProofError):
    """A clock, an anchor or a shift of chat can't be true, or was estimated from what has changed meanwhile."""

    exit_code = 57
    status = 422


class RevealRefused(LiveProofError):
    """Who asks may not see a complainant's name, or who is asked for is not the complainant."""

    exit_code = 60
    status = 403


class InvalidReveal(LiveProofError):
    """A name is asked for without a sufficient reason, or by somebody who doesn't say who they are."""

    exit_code = 61
    status = 422


class InvalidRegion(LiveProofError):
    """A region to blur lies outside the picture, or is written in a way that can't be read."""

    exit_code = 45
    status = 422


class StillUnredacted(LiveProofError):
    """A clip with something taken out would lie beside a proof clip that still holds it."""

    exit_code = 46
    status = 409


class TimesNotRetold(LiveProofError):
    """The time stamps of a part jump, and can't be joined again as admission joined them: nothing is cut from it at an unsure place."""

    exit_code = 68
    status = 409
