"""Character error and start-time error of a checkpoint on the demo session's lines, through the product's own pipeline.

    python -m infra.models.evaluate_whisper CHECKPOINT [--engine faster-whisper|openai-whisper] [--session FOLDER] [--lines]

The lines are held back from training (infra/models/grammar.py). Without --session they are spoken anew (needs espeak-ng); with it the
committed FLV parts and their truth.json are used.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archive.logs import configure_logs
from archive.recording import Part
from archive.settings import archive_settings
from archive.timeline import ClockMap
from transcribe.audio import SAMPLE_RATE_HZ
from transcribe.engines import Engine, load_engine
from transcribe.settings import TranscribeSettings
from transcribe.transcription import PartTranscript, transcribe_part


@dataclass(frozen=True)
class TrueLine:
    """A line as spoken, in ms of the part's media time."""

    start_ms: int
    end_ms: int
    text: str
    char_ms: tuple[int, ...]


@dataclass(frozen=True)
class Score:
    """Figures of one part or several. `start_ms`: errors of the segment that overlaps a line most; `char_ms`: of equal characters."""

    characters: int
    errors: int
    start_ms: tuple[int, ...]
    char_ms: tuple[int, ...]
    unheard: int
    extra: int

    def plus(self, other: "Score") -> "Score":
        return Score(
            self.characters + other.characters,
            self.errors + other.errors,
            self.start_ms + other.start_ms,
            self.char_ms + other.char_ms,
            self.unheard + other.unheard,
            self.extra + other.extra,
        )

    def __str__(self) -> str:
        def spread(errors: Sequence[int]) -> str:
            ordered = sorted(abs(error) for error in errors) or [0]
            return f"median {statistics.median(ordered):.0f} ms, p95 {ordered[int(0.95 * (len(ordered) - 1))]} ms, worst {ordered[-1]} ms"

        return (
            f"character error {self.errors / max(1, self.characters):.4f} ({self.errors} of {self.characters})\n"
            f"lines unheard {self.unheard}, segments beside any line {self.extra}\n"
            f"line start: {spread(self.start_ms)}\nword start: {spread(self.char_ms)}"
        )


def edits(truth: str, heard: str) -> list[tuple[int | None, int | None]]:
    """A cheapest alignment of two texts: index pairs, None where one of them has nothing."""
    rows = [list(range(len(heard) + 1))]
    for i, wanted in enumerate(truth, 1):
        row = [i]
        for j, got in enumerate(heard, 1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (wanted != got)))
        rows.append(row)
    pairs: list[tuple[int | None, int | None]] = []
    i, j = len(truth), len(heard)
    while i or j:
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (truth[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]


def score(lines: Sequence[TrueLine], transcript: PartTranscript, show: bool = False) -> Score:
    """Compare one part's transcript with what was spoken."""
    truth, heard = "".join(line.text for line in lines), "".join(segment.text for segment in transcript.segments)
    pairs = edits(truth, heard)
    errors = sum(i is None or j is None or truth[i] != heard[j] for i, j in pairs)
    true_ms = [ms for line in lines for ms in line.char_ms]
    heard_ms = [
        word.start_ms + (word.end_ms - word.start_ms) * index // len(word.text)
        for segment in transcript.segments
        for word in segment.words
        for index in range(len(word.text))
    ]
    char_ms = tuple(heard_ms[j] - true_ms[i] for i, j in pairs if i is not None and j is not None and truth[i] == heard[j])
    starts, unheard = [], 0
    for line in lines:
        shared = [(min(line.end_ms, s.end_ms) - max(line.start_ms, s.start_ms), s) for s in transcript.segments]
        most, segment = max(shared, key=lambda pair: pair[0], default=(0, None))
        if segment is None or most <= 0:
            unheard += 1
        else:
            starts.append(segment.start_ms - line.start_ms)
        if show:
            print(f"{line.start_ms:7} {line.text}\n{segment.start_ms if segment else 0:7} {segment.text if segment else ''} "
                  f"{segment.risk if segment else ''}")  # fmt: skip
    extra = sum(all(s.end_ms <= line.start_ms or s.start_ms >= line.end_ms for line in lines) for s in transcript.segments)
    return Score(len(truth), errors, tuple(starts), char_ms, unheard, extra)


def part_of(path: Path, duration_ms: int) -> Part:
    """A part as the archive would describe it, for a file that isn't admitted."""
    return Part(1, "sha256:" + "0" * 64, path.stat().st_size, path.name, duration_ms, "wav", {}, ClockMap(0, None, 0, "unknown"))


def spoken_parts(folder: Path) -> list[tuple[Path, int, list[TrueLine]]]:
    """The demo session's sound spoken anew: file, duration in ms and lines of each part."""
    import soundfile

    from infra.demo.script import PARTS
    from infra.demo.soundtrack import lay_out

    parts = []
    for number, items in enumerate(PARTS, 1):
        sound = lay_out(items, number)
        path = folder / f"part{number}.wav"
        soundfile.write(path, np.clip(sound.samples, -1, 1), SAMPLE_RATE_HZ, subtype="PCM_16")
        lines = [TrueLine(placed.start_ms, placed.end_ms, placed.line.text, tuple(placed.char_ms)) for placed in sound.lines]
        parts.append((path, sound.duration_ms, lines))
    return parts


def committed_parts(session: Path) -> list[tuple[Path, int, list[TrueLine]]]:
    """The same from the committed session: its FLV parts and truth.json."""
    truth = json.loads((session / "truth.json").read_text())
    parts = []
    for part in truth["parts"]:
        # The truth is told on the recording's time line, on which the part begins at start_ms.
        begin = part["start_ms"]
        lines = [
            TrueLine(line["start_ms"] - begin, line["end_ms"] - begin, line["text"], tuple(ms - begin for _, ms in line["chars"]))
            for line in truth["lines"]
            if line["part"] == part["part"]
        ]
        parts.append((session / part["file"], part["duration_ms"], lines))
    return parts


def evaluate(engine: Engine, settings: TranscribeSettings, session: Path | None, show: bool = False) -> Score:
    """Score over all parts."""
    total = Score(0, 0, (), (), 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        parts = committed_parts(session) if session else spoken_parts(Path(folder))
        for number, (path, duration_ms, lines) in enumerate(parts, 1):
            scratch = Path(folder) / f"part{number}.s16"
            transcript = transcribe_part(path, part_of(path, duration_ms), engine, settings, scratch)
            total = total.plus(score(lines, transcript, show))
    return total


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("checkpoint", type=Path)
    arguments.add_argument("--engine", default="faster-whisper", choices=["faster-whisper", "openai-whisper"])
    arguments.add_argument("--session", type=Path, help="folder of the committed demo session")
    arguments.add_argument("--beam", type=int, default=5)
    arguments.add_argument("--pack", type=int, default=0, help="most sound that utterances share, in ms")
    arguments.add_argument("--lines", action="store_true", help="print every line beside what was heard")
    given = arguments.parse_args()
    configure_logs(archive_settings())
    with tempfile.TemporaryDirectory() as home:
        settings = TranscribeSettings(
            whisper_model=str(given.checkpoint), whisper_engine=given.engine, whisper_beam=given.beam, speech_pack_ms=given.pack
        )
        print(evaluate(load_engine(settings, Path(home)), settings, given.session, given.lines))


if __name__ == "__main__":
    main()
