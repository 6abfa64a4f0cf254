"""What telling a recogniser names does to real speech: names that come out right, character error, and prompts written over silence.

    python -m tests.benchmarks.expected_words CLIPS.tsv --model small [--names NAMES.tsv]

CLIPS.tsv: file, what is said in it, parted by tabs; files beside it. NAMES.tsv: file, names spoken in it, parted by |. Each clip is heard
three times: told nothing, told its own names, told those of all other clips (which a shelf mostly is). Then 2 min of silence and of noise
are heard, told all names. Nothing is held to a figure. Needs a real model: random or demo weights show nothing here.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from archive.settings import archive_settings
from archive.simplified import simplified_throughout
from archive.transcript import Segment
from infra.models.evaluate_whisper import edits, part_of
from transcribe.engines import Engine, load_engine
from transcribe.risk import Risk
from transcribe.settings import TranscribeSettings
from transcribe.speech_regions import Region, Window
from transcribe.transcription import sound_of, transcribe_batch, windows_of

QUIET_MS, WINDOW_MS = 120_000, 20_000


@dataclass(frozen=True)
class Clip:
    file: Path
    text: str
    names: tuple[str, ...]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("clips", type=Path)
    arguments.add_argument("--model", required=True)
    arguments.add_argument("--names", type=Path)
    asked = arguments.parse_args()
    settings = TranscribeSettings(whisper_model=asked.model, whisper_expected_words="on")
    engine, clips = load_engine(settings, archive_settings().home), read(asked.clips, asked.names)
    everything = list(dict.fromkeys(name for clip in clips for name in clip.names))
    with tempfile.TemporaryDirectory() as folder:
        for how in ("told nothing", "told its names", "told other names"):
            errors = letters = right = spoken = echoes = 0
            for clip in clips:
                others = [name for name in everything if name not in clip.names]
                told = {"told nothing": [], "told its names": list(clip.names), "told other names": others}[how]
                said = heard(clip.file, told, engine, settings, Path(folder) / f"{clip.file.name}.sound")
                truth, text = plain(clip.text), plain("".join(segment.text for segment in said))
                errors += sum(i is None or j is None or truth[i] != text[j] for i, j in edits(truth, text))
                letters += len(truth)
                right += sum(plain(name) in text for name in clip.names)
                spoken += len(clip.names)
                echoes += sum(Risk.PROMPT_ECHO in segment.risk for segment in said)
            print(f"{how:18} character error {errors / max(letters, 1):6.1%}   names right {right}/{spoken}   marked as echo {echoes}")
        for what, level in (("silence", 0.0), ("noise", 0.05)):
            said = heard_quiet(level, everything, engine, Path(folder) / f"{what}.wav", settings)
            unmarked = [segment.text for segment in said if not segment.risk]
            print(f"2 min of {what:9} {len(said)} segments, {len(unmarked)} unmarked {unmarked[:3]}")


def read(clips: Path, names: Path | None) -> list[Clip]:
    """Clips in the order of the file; without names where none are given."""
    spoken = dict(line.split("\t")[:2] for line in names.read_text("utf-8").splitlines() if "\t" in line) if names else {}
    rows = [line.split("\t") for line in clips.read_text("utf-8").splitlines() if "\t" in line]
    return [Clip(clips.parent / row[0], row[1], tuple(filter(None, spoken.get(row[0], "").split("|")))) for row in rows]


def heard(file: Path, told: Sequence[str], engine: Engine, settings: TranscribeSettings, scratch: Path) -> tuple[Segment, ...]:
    part = part_of(file, 3_600_000)
    sound = sound_of(file, scratch, settings)
    if sound is None:
        return ()
    windows = windows_of(part, sound, settings, engine).windows
    return transcribe_batch(sound, part, windows, engine, [told] * len(windows))


def heard_quiet(level: float, told: Sequence[str], engine: Engine, file: Path, settings: TranscribeSettings) -> tuple[Segment, ...]:
    """Silence or noise given to the recogniser as if it were speech: what the search for speech regions else keeps from it."""
    samples = np.random.default_rng(1).normal(0, level, QUIET_MS * 16) if level else np.zeros(QUIET_MS * 16)
    soundfile.write(file, samples.astype(np.float32), 16_000, subtype="PCM_16")
    sound = sound_of(file, file.with_suffix(".sound"), settings)
    assert sound is not None
    starts = range(0, QUIET_MS, WINDOW_MS)
    windows = [Window(n, (Region(start, start + WINDOW_MS, start, start + WINDOW_MS),)) for n, start in enumerate(starts)]
    return transcribe_batch(sound, part_of(file, QUIET_MS), windows, engine, [told] * len(windows))


def plain(text: str) -> str:
    """Letters alone, in simplified script and lower case."""
    return "".join(char for char in simplified_throughout(text).lower() if char.isalnum())


if __name__ == "__main__":
    main()
