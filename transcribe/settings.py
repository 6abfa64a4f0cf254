"""Settings of transcription. Nothing else in the package reads the environment."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

BUNDLED_MODEL = Path(__file__).parent.parent / "infra" / "models" / "demo-whisper" / "demo.pt"
# What Whisper's encoder was made for.
FULL_CONTEXT_MS = 30_000


class TranscribeSettings(BaseSettings):
    """Read from LIVEPROOF_…; frozen."""

    model_config = SettingsConfigDict(env_prefix="LIVEPROOF_", frozen=True, extra="ignore")

    whisper_model: str = Field(
        "auto",
        description="Name (small, large-v3-turbo, …), folder of a CTranslate2 model or OpenAI .pt file. "
        "auto: large-v3-turbo (on a GPU) or small, or else whichever was put into the home; the bundled demo model only by its name.",
    )
    whisper_engine: Literal["faster-whisper", "openai-whisper"] = Field("faster-whisper", description="Which recogniser reads the model.")
    whisper_language: str = Field("zh", description="Language spoken, as Whisper names it (zh, en, ja, …); auto: told from each window.")
    whisper_device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where the model runs; auto: the GPU if there is one.")
    whisper_compute: str = Field("default", description="CTranslate2 number type; default: int8 on a CPU, float16 on a GPU.")
    whisper_threads: int = Field(0, ge=0, le=256, description="Processor threads; 0: one for each core that may be used.")
    whisper_workers: int = Field(
        0, ge=0, le=16, description="Groups of a batch decoded side by side, which share the threads; 0: two on a CPU that has two cores."
    )
    whisper_beam: int = Field(5, ge=1, le=20, description="Hypotheses followed while decoding; 1 is fastest.")
    whisper_batch: int = Field(4, ge=1, le=64, description="Windows of 30 s decoded at once; also what a crash can cost.")
    whisper_context_ms: int | None = Field(
        None,
        ge=1000,
        le=FULL_CONTEXT_MS,
        multiple_of=20,
        description="Sound that the recogniser's features span, in ms, filled up with silence; longer windows get several times that. "
        "None: what the model's description says, and 30000 without one.",
    )
    whisper_expected_words: Literal["auto", "on", "off"] = Field(
        "auto", description="Names expected in a window are told to the model as a prompt; auto: unless its description says no."
    )
    whisper_hear_again: bool = Field(True, description="A window whose text goes round in circles is heard again, in halves.")
    second_whisper_engine: Literal["auto", "faster-whisper", "openai-whisper"] = Field(
        "auto", description="Which recogniser gives a second opinion. auto: the other one where it can read the model."
    )
    second_whisper_model: str = Field(
        "auto",
        description="Model of the second opinion: name, folder or .pt file. auto: the same weights in the other recogniser, "
        "else another model that is on this machine.",
    )
    whisper_bundled: Path = Field(BUNDLED_MODEL, description="The demo model, which demo-whisper names.")
    speech_threshold: float = Field(0.4, gt=0, lt=1, description="Silero probability from which a 32 ms frame counts as speech.")
    speech_min_pause_ms: int = Field(224, ge=64, le=5000, description="A pause this long ends an utterance, in ms.")
    speech_pad_ms: int = Field(200, ge=0, le=1000, description="Sound kept before and after each utterance, in ms.")
    speech_window_ms: int = Field(28_000, ge=5000, le=29_500, description="Most sound given to the recogniser at once, in ms.")
    speech_pack_ms: int | None = Field(
        None,
        ge=0,
        le=29_500,
        description="Utterances share a window up to this length, in ms; 0: each has its own (slower, surest times). "
        "None: what the model's description says (0 for the bundled demo model), and 28000 without one.",
    )
    speaker_model: str = Field(
        "none", description="Name or .onnx file of the model that tells voices apart (sherpa-onnx); none: nobody is told apart."
    )
    speaker_threshold: float = Field(0.5, gt=0, lt=1, description="Cosine from which two stretches of speech count as one voice.")
    speaker_most: int = Field(8, ge=1, le=50, description="Voices told apart in one recording at most; further ones stay unsaid.")
    speaker_min_ms: int = Field(1000, ge=300, le=10_000, description="Shorter segments are given to no voice, in ms.")
    sound_max_hours: int = Field(100, ge=1, le=240, description="A file whose sound is longer is refused, in hours.")
    ocr_threads: int = Field(
        1, ge=0, le=256, description="Processor threads of reading text in pictures, which comes after hearing; 0: one for each core."
    )
    record_max_bytes: int = Field(200 << 20, ge=1, description="A record of a case that is longer is not read, in bytes.")
    record_max_pages: int = Field(1000, ge=1, description="Pages, slides or pictures of one record that are read at most.")
    record_ocr_max: int = Field(300, ge=0, description="Pictures and pages of one record that are read by OCR at most.")
    record_max_pixels: int = Field(100_000_000, ge=1, description="A picture with more pixels is not read.")
    record_max_cells: int = Field(2_000_000, ge=1, description="Cells of one table that are read at most.")
    record_max_chars: int = Field(5_000_000, ge=1, description="Characters of one record that are kept at most.")
    record_unpacked_max_bytes: int = Field(512 << 20, ge=1, description="A packed record that unpacks to more is not read, in bytes.")
    record_unpacked_max_ratio: int = Field(200, ge=1, description="A packed record that unpacks to more times its size is not read.")
    record_seconds: int = Field(120, ge=1, description="Longest that taking one record apart may take, OCR not counted, in seconds.")
    record_memory_bytes: int = Field(2 << 30, ge=256 << 20, description="Memory that taking a record apart may take, in bytes.")
    screen_text: bool = Field(
        True, description="on: once a recording's words can be searched, its pictures are read for text too; off: only when asked."
    )
    screen_text_step_ms: int = Field(2000, ge=200, le=60_000, description="The screen is looked at once in this time, in ms.")
    screen_text_px: int = Field(1280, ge=320, le=4096, description="Pictures are made no larger than this on their longer side, in pixels.")
    screen_text_confidence: float = Field(0.7, ge=0, lt=1, description="Lines that were read less surely than this are left out.")
    screen_text_lines: int = Field(5000, ge=10, le=100_000, description="Most lines kept of a part; the shortest-lived go first.")
    ffmpeg: str | None = Field(None, description="Path of the ffmpeg program; none: looked for.")


@cache
def transcribe_settings() -> TranscribeSettings:
    """The settings of this process."""
    return TranscribeSettings()
