"""Setting a recording's clock by hand: anchors that somebody saw, a time subtitle, or the estimate from its chat made again; then the index
moves to it. Every way stores further versions and their reasons; nothing is overwritten."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.clock_estimating import Estimated, estimate
from api.operations import index
from api.workplace import Workplace
from archive.clocks import ClockVersion
from archive.digest import Json, digest_bytes
from archive.errors import InvalidClock
from archive.recording import Recording
from ingest.captions import read_captions
from ingest.clock import recorder_zone
from ingest.clock_anchors import ANCHORS_MAX, METHOD, TEXT_MAX_CHARS, Anchor, anchors_in, clocks_from_anchors
from ingest.clock_files import tells_time, timed
from ingest.clock_subtitles import subtitle_clock, subtitle_observations
from ingest.input_file import check_file
from ingest.settings import ingest_settings

CUES_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class ClockSet:
    """What was stored by hand."""

    clocks: tuple[ClockVersion, ...]


def set_anchors(
    workplace: Workplace, recording: Recording, anchors: Sequence[Anchor], reason: str, actor: str, only: bool = False
) -> ClockSet:
    """Set the clock by what somebody saw, beside the anchors that it rests on already, or `only` these. InvalidClock says what is wrong."""
    why = reason.strip()
    if not 0 < len(why) <= TEXT_MAX_CHARS:
        raise InvalidClock(f"an anchor needs a reason of 1 to {TEXT_MAX_CHARS} characters: where was the time seen?")
    held = [] if only else _held_anchors(workplace, recording)
    new = {(anchor.part, anchor.media_ms) for anchor in anchors}
    together = [*(anchor for anchor in held if (anchor.part, anchor.media_ms) not in new), *anchors]
    if len(together) > ANCHORS_MAX:
        raise InvalidClock(f"a clock rests on at most {ANCHORS_MAX} anchors, these would be {len(together)}")
    clocks = clocks_from_anchors(recording, together)
    basis: dict[str, Json] = {"anchors": [anchor.as_json() for anchor in together], "by": actor, "reason": why}
    added = workplace.archive.clocks.add_maps(recording.id, clocks, basis, actor, _highest(recording))
    reindex(workplace, recording.id)
    return ClockSet(tuple(added))


def set_by_subtitle(workplace: Workplace, recording: Recording, part: int, file: Path, actor: str) -> ClockSet:
    """Set one part's clock by a time subtitle. InvalidClock for a file that isn't one, or of another part."""
    settings = ingest_settings()
    held = next((each for each in recording.parts if each.number == part), None)
    if held is None:
        raise InvalidClock(f"recording {recording.id} has no part {part}: it has {len(recording.parts)}")
    captions = read_captions(check_file(file, "captions", settings.captions_max_bytes), settings)
    if not tells_time(captions):
        raise InvalidClock(f"{file} is no time subtitle: its cues must say the time of day, as 2026-11-18 20:00:05, and nothing else")
    zone = recorder_zone(settings.recorder_time_zone)
    clock = subtitle_clock(timed(captions), zone, held.start_ms, held.duration_ms)
    if clock is None:
        raise InvalidClock(f"no cue of {file} lies within part {part}, which lasts {held.duration_ms} ms")
    seen = subtitle_observations(timed(captions), zone)
    cues: list[Json] = [[each.media_ms, each.wall_ms] for each in seen[:: -(-len(seen) // CUES_KEPT)]]
    basis: dict[str, Json] = {"file": file.name, "digest": digest_bytes(captions.content), "cues": cues, "of": len(seen), "by": actor}
    added = workplace.archive.clocks.add_maps(recording.id, {part: clock}, basis, actor, _highest(recording))
    reindex(workplace, recording.id)
    return ClockSet(tuple(added))


def estimate_again(workplace: Workplace, recording_id: str, actor: str) -> Estimated:
    """Hold the chat against the speech again; what is clear is stored and indexed."""
    done = estimate(workplace, recording_id, actor)
    if done.changed:
        reindex(workplace, recording_id)
    return done


def reindex(workplace: Workplace, recording_id: str) -> None:
    """Bring the index to the clock that now holds, if there is a transcript to index."""
    if workplace.archive.transcripts.newest_version(recording_id):
        index(workplace, recording_id)


def _held_anchors(workplace: Workplace, recording: Recording) -> list[Anchor]:
    newest = {version.part: version for version in workplace.archive.clocks.maps(recording.id)}
    resting = [version for version in newest.values() if version.clock.method == METHOD]
    return anchors_in(max(resting, key=lambda version: version.clock.version).basis) if resting else []


def _highest(recording: Recording) -> int:
    return max((part.clock.version for part in recording.parts), default=0)
