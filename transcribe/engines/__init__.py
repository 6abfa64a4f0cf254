"""Recognisers. One Protocol, one file a variant; all pass the same contract suite (tests/contracts/test_engines_contract.py)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from archive.digest import Json
from transcribe.audio import Samples
from transcribe.models import locate_model
from transcribe.settings import TranscribeSettings


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word (in Chinese usually a character) in ms from the window's start, as the alignment gives it."""

    start_ms: int
    end_ms: int
    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class HeardSegment:
    """What the recogniser wrote between two of its own time stamps.

    `log_prob`: natural logarithm, mean over the segment's tokens (see tokens.heard_segments); `no_speech` is the window's.
    """

    start_ms: int
    end_ms: int
    text: str
    words: tuple[HeardWord, ...]
    log_prob: float
    no_speech: float


class Engine(Protocol):
    """A recogniser with its model loaded. Text is never dropped for being doubtful.

    Equal calls give equal answers on one machine, and a window is answered alike whichever windows are asked with it. `parameters` hold
    all that could change a word: `context_ms`, and `speech_pack_ms` where the model wants its own.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def model_digest(self) -> str: ...
    @property
    def parameters(self) -> dict[str, Json]: ...

    def transcribe(self, windows: Sequence[Samples], expected: Sequence[Sequence[str]] = ()) -> list[list[HeardSegment]]:
        """One list of segments for each window (float32 mono, 16 kHz, at most 30 s), in the order spoken; words join to the text.

        `expected`: for each window, names that may come up in it, the likeliest first. They go to the model as a prompt (see prompts.py),
        which is no part of the answer. A model that takes no prompt passes them over.
        """
        ...


def load_engine(settings: TranscribeSettings, home: Path) -> Engine:
    """The engine and model that the settings name. ModelMissing or ModelUnusable if there is none; nothing is downloaded.

    `home` is LIVEPROOF_HOME: models are looked for, and converted ones kept, in its folder `models`.
    """
    model = locate_model(settings, home)
    if settings.whisper_engine == "openai-whisper":
        from transcribe.engines.openai_whisper import OpenAIWhisper

        return OpenAIWhisper(model, settings)
    from transcribe.engines.faster_whisper import FasterWhisper

    return FasterWhisper(model, settings, home)
