"""Demo speech clean, over music, and with 40 % silence: character error, and phantoms that carry no risk.

The target is shown at the level of a live room's music, 15 dB below the voice; louder and softer beds are shown beside it. A phantom is a
segment that overlaps no spoken line, or of whose characters fewer than half were said there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archive.transcript import Segment, doubts
from infra.models.evaluate_whisper import TrueLine, edits, score
from tests.benchmarks.spoken_material import Material, clean, over_music, part_of, with_silence
from tests.benchmarks.transcription import Given, Line
from transcribe.engines import Engine, load_engine
from transcribe.settings import BUNDLED_MODEL, TranscribeSettings
from transcribe.transcription import PartTranscript, transcribe_part

# Thresholds were set on other sentences, and on music and noise from seeds of 900 and more.
SEED = 11
MINUTES, SHORT_MINUTES = 10.0, 2.5
ROOM_MUSIC_DB = 15
OTHER_DB = (20, 10, 5)
WANTED_POINTS = 2.0
_SAID = 0.5


@dataclass(frozen=True)
class Heard:
    """What came of a material: errors of `characters`, segments, how many of the lines heard rightly are marked, unmarked phantoms."""

    characters: int
    errors: int
    segments: int
    right: int
    right_marked: int
    marked: int
    unmarked_phantoms: tuple[Segment, ...]

    @property
    def character_error(self) -> float:
        return self.errors / max(1, self.characters)


def measure(given: Given) -> Iterator[Line]:
    """Lines for `tests.benchmarks.transcription`."""
    minutes = SHORT_MINUTES if given.short else MINUTES
    engine, settings = listener(given.model, given.folder)
    speech = clean(minutes, SEED)
    plain = heard(speech, engine, settings, given.folder)
    yield Line("character error, clean", _percent(plain))
    share = plain.right_marked / max(1, plain.right)
    yield Line("  lines heard rightly that are marked", f"{share:.1%} of {plain.right}", "at most 2 %", share <= 0.02)
    yield _phantoms("  phantoms unmarked", plain)
    quiet = heard(with_silence(minutes / 0.6, 0.4, SEED), engine, settings, given.folder)
    yield from _compared("40 % silence", quiet, plain, wanted=True)
    for below in (ROOM_MUSIC_DB, *OTHER_DB):
        bed = heard(over_music(speech, below, SEED), engine, settings, given.folder)
        yield from _compared(f"music {below} dB below the voice", bed, plain, wanted=below == ROOM_MUSIC_DB)


def listener(model: Path, folder: Path) -> tuple[Engine, TranscribeSettings]:
    """The engine as the product loads it; the bundled model by its name, so that what is known of it holds."""
    settings = TranscribeSettings(whisper_model="demo-whisper" if model == BUNDLED_MODEL else str(model))
    return load_engine(settings, folder), settings


def heard(material: Material, engine: Engine, settings: TranscribeSettings, folder: Path) -> Heard:
    """Transcribed as a part is, and held against what was spoken."""
    path = material.written(folder / "material.wav")
    transcript = transcribe_part(path, part_of(path, material.duration_ms), engine, settings, folder / "sound")
    counted = score(material.lines, transcript)
    shares = [said_share(segment, material.lines) for segment in transcript.segments]
    right = [segment for segment, share in zip(transcript.segments, shares, strict=True) if share >= 0.8]
    return Heard(
        counted.characters,
        counted.errors,
        len(transcript.segments),
        len(right),
        sum(bool(doubts(segment.risk)) for segment in right),
        sum(bool(doubts(segment.risk)) for segment in transcript.segments),
        unmarked_phantoms(transcript, material.lines),
    )


def unmarked_phantoms(transcript: PartTranscript, lines: Sequence[TrueLine]) -> tuple[Segment, ...]:
    """Segments without a risk whose text was mostly not said where they lie."""
    return tuple(s for s in transcript.segments if not doubts(s.risk) and said_share(s, lines) < _SAID)


def said_share(segment: Segment, lines: Sequence[TrueLine]) -> float:
    """The share of a segment's characters that the lines it overlaps hold, in their order."""
    truth = "".join(line.text for line in lines if line.start_ms < segment.end_ms and line.end_ms > segment.start_ms)
    pairs = _edits(truth, segment.text)
    return sum(i is not None and j is not None and truth[i] == segment.text[j] for i, j in pairs) / max(1, len(segment.text))


@cache
def _edits(truth: str, text: str) -> list[tuple[int | None, int | None]]:
    return edits(truth, text)


def _compared(name: str, found: Heard, plain: Heard, wanted: bool) -> Iterator[Line]:
    points = 100 * (found.character_error - plain.character_error)
    yield Line(f"character error, {name}", _percent(found))
    limit = f"at most {WANTED_POINTS:.0f} points" if wanted else ""
    yield Line("  more than clean", f"{points:+.1f} points", limit, points <= WANTED_POINTS if wanted else None)
    yield _phantoms("  phantoms unmarked", found, wanted)


def _phantoms(name: str, found: Heard, wanted: bool = True) -> Line:
    count = len(found.unmarked_phantoms)
    texts = "; ".join(segment.text for segment in found.unmarked_phantoms[:3])
    figure = f"{count} of {found.segments} ({found.marked} marked)"
    return Line(name + (f" ({texts})" if texts else ""), figure, "none" if wanted else "", count == 0 if wanted else None)


def _percent(found: Heard) -> str:
    return f"{found.character_error:.2%} of {found.characters}"
