"""The demo session's lines with their sound and who said them, and a model that is fit to tell its two synthetic voices apart."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.transcribe.voice_model import write_voice_model
from transcribe.audio import SAMPLE_RATE_HZ, Samples, Sound, ffmpeg_program, hold_sound

SESSION = Path(__file__).parents[2] / "infra" / "demo" / "session"
TRUTH = json.loads((SESSION / "truth.json").read_text("utf-8"))


def demo_sound(part: int, folder: Path) -> Sound:
    """A part's sound, decoded into the folder once."""
    held = folder / f"{part}.sound"
    if held.exists():
        return Sound.held(held)
    source = SESSION / next(each["file"] for each in TRUTH["parts"] if each["part"] == part)
    return hold_sound(source, held, program=ffmpeg_program(), timeout_s=60, max_hours=1)


def demo_lines(folder: Path) -> list[tuple[Samples, str]]:
    """Each line's sound, and its speaker."""
    sounds = {part["part"]: demo_sound(part["part"], folder) for part in TRUTH["parts"]}
    return [
        (sounds[line["part"]].read(line["part_start_ms"], line["part_start_ms"] + line["end_ms"] - line["start_ms"]), line["speaker"])
        for line in TRUTH["lines"]
    ]


def write_demo_voice_model(path: Path, spoken: Sequence[Samples]) -> Path:
    """The model whose average is that of these lines, whoever said them."""
    import sherpa_onnx

    plain = write_voice_model(path.with_suffix(".plain.onnx"))
    extractor = sherpa_onnx.SpeakerEmbeddingExtractor(sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=str(plain)))
    shapes = []
    for samples in spoken:
        stream = extractor.create_stream()
        stream.accept_waveform(SAMPLE_RATE_HZ, samples)
        stream.input_finished()
        shapes.append(extractor.compute(stream))
    return write_voice_model(path, np.mean(shapes, axis=0))
