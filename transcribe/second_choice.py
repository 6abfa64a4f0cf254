"""Who gives a second opinion: the other recogniser on the same weights, else another model, else nobody, and then what to do about it."""

from pathlib import Path

from archive.transcript import Provenance
from transcribe.errors import ModelMissing, ModelUnusable, NoSecondOpinion
from transcribe.known_models import KNOWN_MODELS
from transcribe.models import FoundModel, ModelFormat, find_by_name, locate_model
from transcribe.settings import TranscribeSettings

ENGINES = ("faster-whisper", "openai-whisper")


def second_settings(settings: TranscribeSettings, first: Provenance, home: Path) -> TranscribeSettings:
    """The settings to hear with for a second opinion on what `first` wrote. NoSecondOpinion where nobody else is there.

    As `second_whisper_engine` and `second_whisper_model` say. Left open: for captions, or what another engine wrote, the ordinary
    recogniser; for a model that can be read by both, the other recogniser; else the largest other model on this machine.
    """
    if settings.second_whisper_model != "auto":
        chosen = _as_named(settings, first)
    elif first.engine not in ENGINES:
        chosen = settings
    else:
        chosen = _same_weights(settings, first, home) or _another_model(settings, first, home)
    try:
        model = locate_model(chosen, home)
    except (ModelMissing, ModelUnusable) as error:
        raise NoSecondOpinion(f"the second opinion's model can't be used: {error}") from error
    if chosen.whisper_engine == first.engine and model.digest() == first.model_digest:
        raise NoSecondOpinion(
            f"{first.engine} with {first.model} wrote the transcript itself: name another model or recogniser by "
            "LIVEPROOF_SECOND_WHISPER_MODEL or LIVEPROOF_SECOND_WHISPER_ENGINE"
        )
    return chosen


def _as_named(settings: TranscribeSettings, first: Provenance) -> TranscribeSettings:
    model, engine = settings.second_whisper_model, settings.second_whisper_engine
    if engine == "auto":
        # A .pt file is read by both: then the other recogniser hears more independently.
        engine = "openai-whisper" if model.endswith(".pt") and first.engine == "faster-whisper" else "faster-whisper"
    return _with(settings, engine, model)


def _same_weights(settings: TranscribeSettings, first: Provenance, home: Path) -> TranscribeSettings | None:
    """The other recogniser on the first's own weights; None where they are not on this machine in a form that it reads."""
    other = next(engine for engine in ENGINES if engine != first.engine)
    if settings.second_whisper_engine not in ("auto", other):
        return None
    for name in (settings.whisper_model, first.model):
        chosen = _with(settings, other, name)
        try:
            model = locate_model(chosen, home)
        except (ModelMissing, ModelUnusable):
            continue
        if model.format is ModelFormat.OPENAI and model.digest() == first.model_digest:
            return chosen
    return None


def _another_model(settings: TranscribeSettings, first: Provenance, home: Path) -> TranscribeSettings:
    engine = "faster-whisper" if settings.second_whisper_engine == "auto" else settings.second_whisper_engine
    formats = tuple(ModelFormat) if engine == "faster-whisper" else (ModelFormat.OPENAI,)
    found = [model for name in KNOWN_MODELS if name != first.model and (model := find_by_name(name, home, formats))]
    if not found:
        others = [name for name in ("small", "medium", "large-v3-turbo") if name != first.model]
        raise NoSecondOpinion(
            f"no model but {first.model} is on this machine, and {first.model} can't be read by another recogniser here: fetch one with "
            f"“liveproof models fetch {others[0]}”, or name one by LIVEPROOF_SECOND_WHISPER_MODEL"
        )
    largest: FoundModel = max(found, key=lambda model: model.size_bytes)
    return _with(settings, engine, largest.name)


def _with(settings: TranscribeSettings, engine: str, model: str) -> TranscribeSettings:
    return settings.model_copy(update={"whisper_engine": engine, "whisper_model": model})
