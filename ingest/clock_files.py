"""Time subtitles among what is brought and beside the media: found by what is in them, kept as sources of role `time_subtitle`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path, PurePath

from archive.errors import LiveProofError
from archive.timeline import ClockMap
from ingest.captions import Captions, read_captions
from ingest.clock import Alignment
from ingest.clock_subtitles import TimedText, is_time_subtitle, subtitle_clock, written_time
from ingest.errors import InvalidContent
from ingest.input_file import InputFile, check_file
from ingest.settings import IngestSettings

ROLE = "time_subtitle"
ENDINGS = (".srt", ".vtt", ".ass", ".lrc")
HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class TimeSubtitle:
    """A time subtitle with the bytes that were read of it. `part` is the position of the media file whose clock it is."""

    file: InputFile
    captions: Captions
    part: int

    def clock(self, zone: tzinfo, starts_at_ms: int, duration_ms: int) -> ClockMap | None:
        return subtitle_clock(timed(self.captions), zone, starts_at_ms, duration_ms)


def timed(captions: Captions) -> list[TimedText]:
    return [TimedText(segment.start_ms, segment.text) for segment in captions.segments]


def tells_time(captions: Captions) -> bool:
    """Whether captions are a clock and no transcript."""
    return is_time_subtitle(timed(captions))


def beside(media: Sequence[InputFile], named: Sequence[Path], settings: IngestSettings) -> list[TimeSubtitle]:
    """Time subtitles that lie beside media files under their name, at most one each; what was `named` in the request is left to it. What
    can't be read, or is no time subtitle, nobody asked for: it is passed over."""
    taken = {path.absolute() for path in named}
    found: list[TimeSubtitle] = []
    for position, file in enumerate(media):
        for path in (candidate for ending in ENDINGS for candidate in (file.path.with_suffix(ending), Path(f"{file.path}{ending}"))):
            captions = None if path.absolute() in taken else _read(path, settings)
            if captions:
                found.append(TimeSubtitle(captions[0], captions[1], position))
                break
    return found


def given_with(file: InputFile, captions: Captions, media_names: Sequence[str]) -> TimeSubtitle:
    """A time subtitle that was given as captions: the clock of the media file whose name it bears, or of the only one there is.

    InvalidContent where it is nobody's.
    """
    stems = [PurePath(name).stem for name in media_names]
    own = next((n for n, stem in enumerate(stems) if PurePath(file.name).stem == stem), 0 if len(stems) == 1 else None)
    if own is None:
        raise InvalidContent(
            f"{file.path} says the time of day and nobody's words: it is a clock. Give the media file that it is of, under the same name"
        )
    return TimeSubtitle(file, captions, own)


def with_subtitles(alignment: Alignment, subtitles: Sequence[TimeSubtitle], durations_ms: Sequence[int], zone: tzinfo) -> Alignment:
    """The parts' clocks by their time subtitles, where nobody gave the start; the parts' places stay."""
    if not subtitles or not alignment.clocks or alignment.clocks[0].method in ("given", "capture"):
        return alignment
    clocks = list(alignment.clocks)
    for each in subtitles:
        seen = each.clock(zone, clocks[each.part].starts_at_ms, durations_ms[each.part])
        if seen:
            clocks[each.part] = seen
    return replace(alignment, clocks=tuple(clocks))


def _read(path: Path, settings: IngestSettings) -> tuple[InputFile, Captions] | None:
    try:
        if path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        if not written_time(head.decode("utf-8", "replace")):
            return None
        file = check_file(path, "captions", settings.captions_max_bytes)
        captions = read_captions(file, settings)
    except (LiveProofError, OSError, ValueError):
        return None
    return (file, captions) if tells_time(captions) else None
