"""A recording's clocks estimated from what its chat tells: by the job that makes it searchable, after hearing, and whenever somebody asks.

Estimates count from what was admitted and are only stored where they are clear and differ from what is held by more than both
uncertainties; so a step that runs again after a crash finds its work done.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from api.workplace import Workplace
from archive.clocks import ChatShift, ClockVersion
from archive.digest import Json
from archive.errors import InvalidClock, LiveProofError
from ingest.clock import recorder_zone
from ingest.clock_answers import AnswerLag
from ingest.clock_heads import other_witnesses
from ingest.clock_witnesses import METHOD, estimate_clocks
from ingest.settings import ingest_settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Estimated:
    """What an estimate stored (nothing: the clocks stay as they are), what it decided, and what the answers told."""

    clocks: tuple[ClockVersion, ...]
    shifts: tuple[ChatShift, ...]
    decision: str
    speech: AnswerLag

    @property
    def changed(self) -> bool:
        return bool(self.clocks or self.shifts)


def estimate_or_leave(workplace: Workplace, recording_id: str, actor: str) -> str:
    """Estimate as a step of a job: what was decided. What goes wrong is logged and leaves the clocks as they are; search can do without.

    While a capture goes on nothing is estimated: it measures its clock itself, and there is more to go by at its end.
    """
    try:
        if workplace.archive.catalog.recording(recording_id).live:
            return "live"
        return estimate(workplace, recording_id, actor).decision
    except (LiveProofError, OSError) as error:
        log.warning("clock.not_estimated", recording=recording_id, error=str(error))
        return "failed"


def estimate(workplace: Workplace, recording_id: str, actor: str) -> Estimated:
    """Hold the chat against the newest transcript and store what is clear. NotFound for an unknown recording."""
    archive = workplace.archive
    recording = archive.catalog.recording(recording_id)
    brought = archive.catalog.messages_brought(recording_id)
    # Without chat there is nothing to hold against the words, and those of ten hours are many.
    transcript = archive.transcripts.latest(recording_id) if brought else None
    zone = recorder_zone(ingest_settings().recorder_time_zone)
    chats = [number for number, source in enumerate(archive.catalog.sources(recording_id), 1) if source.role == "chat"]
    found = estimate_clocks(
        recording,
        brought,
        {shift.source: shift for shift in archive.clocks.shifts(recording_id)},
        transcript.segments if transcript else (),
        other_witnesses(archive, recording, zone) if recording.has_media and brought else (),
        zone,
        chats[0] if len(chats) == 1 else None,
    )
    heard: Mapping[str, Json] = {"transcript_version": transcript.version if transcript else 0}
    clocks: list[ClockVersion] = []
    if found.clocks:
        highest = max(part.clock.version for part in recording.parts)
        try:
            clocks = archive.clocks.add_maps(recording_id, found.clocks, {**found.basis, **heard}, actor, highest)
        except InvalidClock as error:
            # The chat tells what can't be, or somebody set the clock meanwhile: what is held stays.
            log.warning("clock.refused", recording=recording_id, error=str(error))
    shifts = [
        archive.clocks.add_shift(recording_id, each.source, each.shift_ms, each.uncertainty_ms, METHOD, {**each.basis, **heard}, actor)
        for each in found.shifts
        if each.source in chats
    ]
    log.info(
        "clock.estimated",
        recording=recording_id,
        decision=found.decision,
        lag_ms=found.speech.lag_ms,
        why=found.speech.why,
        clocks=len(clocks),
        shifts=[shift.shift_ms for shift in shifts],
    )
    return Estimated(tuple(clocks), tuple(shifts), found.decision, found.speech)
