"""What a model wants of its sound, where that is not what Whisper was trained on: a small JSON file beside its weights, if there is one.

`hearing.json` in a CTranslate2 folder, `NAME.hearing.json` beside `NAME.pt`. Models without one get what Whisper's own training saw:
features of 30 s, utterances packed into shared windows, words expected as a prompt. Each of them can be overruled by a setting.
"""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from transcribe.errors import ModelUnusable
from transcribe.settings import FULL_CONTEXT_MS, TranscribeSettings

_MOST_BYTES = 65_536


class ModelDescription(BaseModel):
    """`context_ms`: length of the windows it was trained on; `pack_ms`: as the setting speech_pack_ms; `expected_words`: reads a prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    context_ms: int = Field(FULL_CONTEXT_MS, ge=1000, le=FULL_CONTEXT_MS, multiple_of=20)
    pack_ms: int | None = Field(None, ge=0, le=29_500)
    expected_words: bool = True


def description_of(model: Path) -> ModelDescription:
    """What stands beside a `.pt` file or in a model's folder; Whisper's own habits without it. ModelUnusable if it can't be read."""
    file = model / "hearing.json" if model.is_dir() else model.with_suffix(".hearing.json")
    if not file.is_file():
        return ModelDescription()
    try:
        with file.open("rb") as stream:
            return ModelDescription.model_validate(json.loads(stream.read(_MOST_BYTES)))
    except (ValidationError, ValueError, OSError) as error:
        raise ModelUnusable(f"{file} does not describe a model ({str(error).splitlines()[0]}): correct it or delete it") from error


def described(model: Path, settings: TranscribeSettings) -> ModelDescription:
    """The model's description with what the settings overrule."""
    own = description_of(model)
    asked = settings.whisper_expected_words
    return ModelDescription(
        context_ms=settings.whisper_context_ms or own.context_ms,
        pack_ms=own.pack_ms,
        expected_words=own.expected_words if asked == "auto" else asked == "on",
    )


def fitted_ms(length_ms: int, context_ms: int) -> int:
    """How much sound a window's features span, in ms: as many contexts as hold it, 30 s at most. Told by the window alone, so that what
    is heard in it does not depend on the windows beside it."""
    return min(FULL_CONTEXT_MS, context_ms * max(1, -(-length_ms // context_ms)))
