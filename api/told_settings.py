"""The settings that a job was told to hear with: kept with it, so that whoever resumes it, in another process, hears the rest alike."""

import json
from collections.abc import Mapping
from typing import Final, cast

from api.workplace import Workplace
from archive.digest import Json
from transcribe.models import locate_model
from transcribe.settings import TranscribeSettings

# What is this machine's own affair, not the job's.
_OF_THE_MACHINE: Final = {"whisper_device", "whisper_threads", "whisper_workers", "whisper_bundled"}


def told(workplace: Workplace, settings: TranscribeSettings, more: Mapping[str, Json] | None = None) -> str:
    """What a job is told: the settings by name, the model as it was found on this machine, its digest, and `more`.

    ModelMissing or ModelUnusable.
    """
    model = locate_model(settings, workplace.archive.home)
    names = {name for name in TranscribeSettings.model_fields if name.startswith(("whisper_", "speech_"))} - _OF_THE_MACHINE
    wanted: dict[str, Json] = {**settings.model_dump(mode="json", include=names)}
    wanted["whisper_model"] = str(model.path.absolute()) if model.found_in == "path" else model.name
    return json.dumps({"settings": wanted, "model_digest": model.digest(), **(more or {})}, ensure_ascii=False, sort_keys=True)


def hearing_as_told(workplace: Workplace, wanted: str) -> Workplace:
    """The workplace with the settings and the model that `told` wrote; as it is where nothing was told."""
    kept: Mapping[str, Json] = json.loads(wanted)
    if "settings" not in kept:
        return workplace
    now = workplace.transcribe_settings
    meant = {name: value for name, value in cast(Mapping[str, Json], kept["settings"]).items() if name in TranscribeSettings.model_fields}
    settings = TranscribeSettings.model_validate({**now.model_dump(), **meant})
    return workplace.hearing_with(settings, str(kept["model_digest"]))


def settings_with(
    settings: TranscribeSettings,
    *,
    model: str | None = None,
    engine: str | None = None,
    language: str | None = None,
    beam: int | None = None,
) -> TranscribeSettings:
    """The settings with what was named instead; what was not (None) stays."""
    named = {"whisper_model": model, "whisper_engine": engine, "whisper_language": language, "whisper_beam": beam}
    return settings.model_copy(update={name: value for name, value in named.items() if value is not None})
