"""Media files, checkpoints and parts that the transcription tests need, made on the spot by the ordinary tools."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch

from archive.recording import Part
from archive.timeline import ClockMap
from transcribe.audio import SAMPLE_RATE_HZ, Samples, ffmpeg_program

ASSETS = Path(__file__).parents[1] / "assets"
SPEECH = ASSETS / "speech.flac"


@dataclass(frozen=True)
class Spoken:
    """One line of the committed speech, in ms."""

    start_ms: int
    end_ms: int
    text: str
    char_ms: list[int]


def spoken_lines() -> list[Spoken]:
    return [Spoken(**line) for line in json.loads((ASSETS / "speech.json").read_text())["lines"]]


def speech_samples() -> Samples:
    samples, _ = soundfile.read(SPEECH, dtype="float32")
    return np.asarray(samples, np.float32)


def part_for(path: Path, duration_ms: int, *, number: int = 1, starts_at_ms: int = 0) -> Part:
    clock = ClockMap(starts_at_ms, None, 0, "unknown")
    return Part(number, "sha256:" + "0" * 64, path.stat().st_size, path.name, duration_ms, path.suffix[1:], {}, clock)


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run([ffmpeg_program(), "-nostdin", "-v", "error", "-y", *map(str, arguments)], check=True, timeout=60)


def click_at(path: Path, click_ms: int, duration_ms: int) -> Path:
    """A WAV of silence with one loud millisecond."""
    samples = np.zeros(duration_ms * 16, np.float32)
    samples[click_ms * 16 : click_ms * 16 + 16] = 0.9
    soundfile.write(path, samples, SAMPLE_RATE_HZ, subtype="PCM_16")
    return path


def write_checkpoint(
    path: Path, *, width: int = 64, layers: int = 2, vocabulary: int = 51865, mels: int = 80, seed: int = 5, tokens: int | None = None
) -> Path:
    """A Whisper checkpoint in OpenAI's format with random weights: it hears nothing, but loads, decodes and aligns like any other.

    The end of text grows likelier with every token, so that it stops after some dozens of them. With `tokens` it writes about that many
    in every window, and few time stamps, as speech would have.
    """
    import whisper

    torch.manual_seed(seed)
    heads = width // 32
    dims = whisper.model.ModelDimensions(mels, 1500, width, heads, layers, vocabulary, 448, width, heads, layers)
    model = whisper.model.Whisper(dims)
    for name, parameter in model.named_parameters():
        if "embedding" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    end_of_text = 50257 if vocabulary >= 51865 else 50256
    with torch.no_grad():
        words, places = model.decoder.token_embedding.weight, model.decoder.positional_embedding
        words[:, 0] = 0
        words[end_of_text] = 0
        words[end_of_text, 0] = 1
        places[:, 0] = torch.linspace(-1, 40, 448)
        if tokens is not None:
            words *= 30 / width**0.5
            words[end_of_text, 0] = 1
            words[vocabulary - 1501 :] = 0
            places[:, 0] = torch.where(torch.arange(448) < tokens, -1.0, 40.0)
    torch.save({"dims": dims.__dict__, "model_state_dict": {k: v.half() for k, v in model.state_dict().items()}}, path)
    return path
