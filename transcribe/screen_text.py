"""From a part's pictures to the lines of text that stood on them, in steps that a durable job can keep: read a stretch, then join them.

Every step is a pure function of the media, the settings and the model. Text in motion, such as chat that scrolls over the picture, and
counters that run are no lines that stood there: they are left out and counted.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import structlog

from archive.digest import Json
from archive.recording import Part
from archive.screen_readings import ScreenText
from archive.settings import archive_settings
from archive.timeline import WallTime
from archive.transcript import Provenance
from transcribe.frames import Decoding, frames_between, has_pictures
from transcribe.ocr import Ocr
from transcribe.screen_standing import standing
from transcribe.screen_tracks import Track
from transcribe.screen_watch import watch
from transcribe.settings import TranscribeSettings

STRETCH_MS = 300_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one stretch of a part showed; times in ms of media time. `keys`: only key frames were looked at."""

    tracks: tuple[Track, ...]
    frames: int
    readings: int
    read_share: float
    left_out: int
    damaged: int
    keys: bool
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Json]:
        """What a durable job keeps of it."""
        return {
            "tracks": [track.to_json() for track in self.tracks],
            "frames": self.frames,
            "readings": self.readings,
            "read_share": self.read_share,
            "left_out": self.left_out,
            "damaged": self.damaged,
            "keys": self.keys,
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Json]) -> "Stretch":
        """The stretch that `to_json` wrote."""
        return cls(
            tuple(Track.from_json(cast(Mapping[str, Json], track)) for track in cast(Sequence[Json], kept["tracks"])),
            cast(int, kept["frames"]),
            cast(int, kept["readings"]),
            cast(float, kept["read_share"]),
            cast(int, kept["left_out"]),
            cast(int, kept["damaged"]),
            cast(bool, kept["keys"]),
            tuple(cast(Sequence[str], kept["notes"])),
        )


@dataclass(frozen=True, slots=True)
class PartScreen:
    """A part's lines on the recording's time line. `frames` 0: it has no pictures. `notes`: counts of what was left out, and why."""

    part: int
    texts: tuple[ScreenText, ...]
    frames: int
    notes: dict[str, Json]


def stretches_of(source: Path, part: Part) -> list[tuple[int, int]]:
    """Spans of media time that are read one by one; none where the file has no pictures. PicturesUnreadable if it is no media."""
    if not has_pictures(source):
        _log.info("part_without_pictures", part=part.number, file=part.file_name)
        return []
    ends = [*range(STRETCH_MS, part.duration_ms, STRETCH_MS), part.duration_ms]
    return list(zip([0, *ends], ends, strict=False))


def read_stretch(source: Path, span: tuple[int, int], ocr: Ocr, settings: TranscribeSettings) -> Stretch:
    """The lines in a span of media time, those at its ends still open. PicturesUnreadable if it can't be decoded in time."""
    decoding = Decoding()
    frames = frames_between(
        source,
        *span,
        step_ms=settings.screen_text_step_ms,
        longest_px=settings.screen_text_px,
        timeout_s=archive_settings().subprocess_timeout_s,
        threads=settings.ocr_threads,
        decoding=decoding,
    )
    seen = watch(frames, ocr, step_ms=settings.screen_text_step_ms, least_confidence=settings.screen_text_confidence)
    return Stretch(
        tuple(seen.tracks),
        seen.frames,
        seen.readings,
        round(seen.read_share, 2),
        seen.left_out,
        decoding.damaged,
        decoding.keys,
        tuple(decoding.notes),
    )


def joined(part: Part, spans: Sequence[tuple[int, int]], stretches: Sequence[Stretch], settings: TranscribeSettings) -> PartScreen:
    """The part's lines from its stretches, on the recording's time line; at most `screen_text_lines`, the shortest left out first."""
    lines, dropped = standing([stretch.tracks for stretch in stretches], spans, settings.screen_text_step_ms)
    dropped["over_limit"] += sum(stretch.left_out for stretch in stretches)
    if len(lines) > settings.screen_text_lines:
        dropped["over_limit"] += len(lines) - settings.screen_text_lines
        longest = sorted(lines, key=lambda line: (line.start_ms - line.ended_ms, line.start_ms))[: settings.screen_text_lines]
        lines = sorted(longest, key=lambda line: (line.start_ms, line.box[1]))
    at = part.clock.to_recording
    texts = tuple(ScreenText(at(line.start_ms), at(line.ended_ms), line.text, line.box, line.confidence) for line in lines)
    damage: Counter[str] = Counter({"damaged_pictures": sum(stretch.damaged for stretch in stretches)})
    notes: dict[str, Json] = {
        "left_out": {why: count for why, count in sorted(dropped.items()) if count},
        "readings": sum(stretch.readings for stretch in stretches),
        "pictures_read": round(sum(stretch.read_share for stretch in stretches), 2),
        **{name: count for name, count in damage.items() if count},
    }
    if told := sorted({note for stretch in stretches for note in stretch.notes}):
        notes["decoding"] = list(told)
    if not spans:
        notes["pictures"] = False
    return PartScreen(part.number, texts, sum(stretch.frames for stretch in stretches), notes)


def read_part(
    source: Path, part: Part, ocr: Ocr, settings: TranscribeSettings, progress: Callable[[int, int], None] | None = None
) -> PartScreen:
    """All steps in one go. `progress(done, total)` counts stretches."""
    spans = stretches_of(source, part)
    stretches: list[Stretch] = []
    for span in spans:
        stretches.append(read_stretch(source, span, ocr, settings))
        if progress:
            progress(len(stretches), len(spans))
    return joined(part, spans, stretches, settings)


def screen_provenance(ocr: Ocr, settings: TranscribeSettings, screen: PartScreen, created_at: WallTime) -> Provenance:
    """Who read it (G7): engine, models with digest, every setting that could change a line, and what was left out."""
    parameters: dict[str, Json] = {
        **ocr.parameters,
        "step_ms": settings.screen_text_step_ms,
        "longest_px": settings.screen_text_px,
        "least_line_confidence": settings.screen_text_confidence,
        "most_lines": settings.screen_text_lines,
        "notes": screen.notes,
    }
    return Provenance(ocr.name, ocr.version, ocr.model, ocr.model_digest, parameters, created_at)
