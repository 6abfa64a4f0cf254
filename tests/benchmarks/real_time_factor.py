"""How fast both engines read the same file with the same weights, as seconds of work for each second of sound, and their ratio.

    python -m tests.benchmarks.real_time_factor [MODEL.pt] [--minutes 3] [--beam 1]

Without a model, the bundled demo model is used; where that is missing, random weights of its size, which cost the same per token.
Loading and conversion are not counted. Nothing is asserted: machines differ, the ratio is what to look at.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from tests.transcribe.worlds import part_for, speech_samples, write_checkpoint
from transcribe.audio import SAMPLE_RATE_HZ
from transcribe.engines import load_engine
from transcribe.settings import BUNDLED_MODEL, TranscribeSettings
from transcribe.transcription import transcribe_part


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("model", type=Path, nargs="?", default=BUNDLED_MODEL)
    arguments.add_argument("--minutes", type=float, default=3.0)
    arguments.add_argument("--beam", type=int, default=1)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = given.model if given.model.is_file() else write_checkpoint(folder / "random.pt", width=192, layers=3)
        samples = speech_samples()
        repeated = np.tile(samples, max(1, round(given.minutes * 60 * SAMPLE_RATE_HZ / len(samples))))
        path = folder / "speech.wav"
        soundfile.write(path, repeated, SAMPLE_RATE_HZ, subtype="PCM_16")
        duration_s = len(repeated) / SAMPLE_RATE_HZ
        factors = {}
        for engine_name in ("faster-whisper", "openai-whisper"):
            settings = TranscribeSettings(whisper_model=str(model), whisper_engine=engine_name, whisper_beam=given.beam)
            engine = load_engine(settings, folder)
            begin = time.perf_counter()
            transcript = transcribe_part(path, part_for(path, round(duration_s * 1000)), engine, settings, folder / "sound")
            factors[engine_name] = (time.perf_counter() - begin) / duration_s
            print(
                f"{engine_name:15} real-time factor {factors[engine_name]:.4f}, {len(transcript.segments)} segments of {duration_s:.0f} s"
            )
        print(f"ratio openai-whisper / faster-whisper: {factors['openai-whisper'] / factors['faster-whisper']:.1f}")


if __name__ == "__main__":
    main()
