"""A person's correction of a transcript: a further version, and the search index brought up to it."""

from api import operations
from api.workplace import Workplace
from archive.transcript import Transcript


def edit_transcript(
    workplace: Workplace, recording_id: str, segment: int, text: str, reason: str, actor: str, expected_version: int | None = None
) -> Transcript:
    """Put other words into a segment; search finds them from now on. NotFound, InvalidEdit as `TranscriptCatalog.edit` says."""
    archive = workplace.archive
    archive.catalog.recording(recording_id)
    edited = archive.transcripts.edit(recording_id, segment, text, reason, actor, archive.clock(), expected_version)
    operations.index(workplace, recording_id)
    return edited
