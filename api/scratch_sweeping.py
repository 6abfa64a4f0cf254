"""What jobs left in `scratch` and nobody will come for: half-decoded sound of killed processes, sound and words of jobs long over."""

from collections.abc import Sequence

import structlog

from api.heard_spool import HeardSpool, spools
from api.workplace import Workplace
from archive.job_board import LIST_MAX, Job
from transcribe.audio import sweep_unfinished

# A job that failed or was cancelled may be retried, and then goes on with what it had heard.
KEPT_DAYS = 14

log = structlog.get_logger(__name__)


def sweep_scratch(workplace: Workplace, kinds: Sequence[str]) -> None:
    """Remove it. `kinds` are those of jobs that hear. Whatever a job under way works with stays; a race costs hearing something twice."""
    scratch = workplace.archive.home / "scratch"
    if not scratch.is_dir():
        return
    held = set(workplace.archive.catalog.ids())
    unfinished = sweep_unfinished(scratch)
    words = [spool for spool in spools(workplace.archive.home) if not _wanted(workplace, spool, kinds, held)]
    for spool in words:
        spool.discard()
    sounds = list(scratch.glob("*.sound"))
    if sounds:
        under_way = {
            job.subject for kind in kinds for job in workplace.job_board.jobs(kinds=(kind,), states=("waiting", "running"), limit=LIST_MAX)
        }
        parts = [part for recording_id in under_way & held for part in workplace.archive.catalog.recording(recording_id).parts]
        needed = {part.digest.removeprefix("sha256:") for part in parts}
        sounds = [sound for sound in sounds if sound.name.partition(".")[0] not in needed]
        for sound in sounds:
            sound.unlink(missing_ok=True)
    if unfinished or words or sounds:
        log.info("scratch_swept", unfinished=unfinished, words_of=[spool.recording_id for spool in words], sounds=len(sounds))


def _wanted(workplace: Workplace, spool: HeardSpool, kinds: Sequence[str], held: set[str]) -> bool:
    recording_id = spool.recording_id
    if recording_id is None or recording_id not in held:
        return False
    jobs = [job for kind in kinds if (job := workplace.job_board.newest(kind, recording_id))]
    return any(_may_go_on(workplace, job) for job in jobs)


def _may_go_on(workplace: Workplace, job: Job) -> bool:
    if job.under_way:
        return True
    age_ms = workplace.archive.clock().epoch_ms - job.updated_at.epoch_ms
    return job.state in ("failed", "cancelled") and age_ms < KEPT_DAYS * 24 * 3_600_000
