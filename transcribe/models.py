"""How Whisper models are found: an explicit path, LIVEPROOF_HOME/models, the caches of the hub and of openai-whisper; none is downloaded.

`auto` takes a real model that is on this machine, else there is none: the bundled demo model reads the demo session's synthetic voice and
nothing else, so it hears only where it was named outright. Which model it was stands in every transcript's provenance.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import structlog

from archive.digest import digest_file, digest_json
from archive.model_files import model_files
from transcribe.errors import ModelMissing, ModelUnusable
from transcribe.known_models import CTRANSLATE2_FILES, KNOWN_MODELS, SPEECH
from transcribe.settings import TranscribeSettings

_log = structlog.get_logger(__name__)


class ModelFormat(StrEnum):
    OPENAI = "openai"
    CTRANSLATE2 = "ctranslate2"


BUNDLED_NAME = "demo-whisper"
CONVERTED_PREFIX = "converted-"
# What `auto` takes, best first; those behind the first line only where somebody put them into LIVEPROOF_HOME/models.
_PREFERRED = {"cuda": ("large-v3-turbo", "small"), "cpu": ("small",)}
_ELSE = {
    "cuda": ("large-v3", "large-v2", "medium", "base", "tiny"),
    "cpu": ("medium", "base", "large-v3-turbo", "large-v3", "large-v2", "tiny"),
}


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model on this machine. `found_in`: path, home, hub cache, whisper cache or bundled."""

    name: str
    path: Path
    format: ModelFormat
    found_in: str

    @property
    def is_bundled(self) -> bool:
        return self.found_in == "bundled"

    @property
    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in self._files())

    def digest(self) -> str:
        """Of the .pt file's bytes; of a folder, of the canonical JSON {file name: digest} of what the engine reads."""
        if self.path.is_file():
            return digest_file(self.path)
        return digest_json({file.name: digest_file(file) for file in self._files()})

    def _files(self) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        # A card or a manifest beside them makes no other model of the same weights.
        return [file for file in model_files(self.path) if file.name in CTRANSLATE2_FILES]


def locate_model(settings: TranscribeSettings, home: Path) -> FoundModel:
    """The model that the settings name, on this machine. ModelMissing or ModelUnusable otherwise; nothing is downloaded."""
    model = _locate(settings, home)
    if settings.whisper_engine == "openai-whisper" and model.format is not ModelFormat.OPENAI:
        raise ModelUnusable(
            f"{model.path} is a CTranslate2 model, which openai-whisper can't read: set LIVEPROOF_WHISPER_MODEL to OpenAI's .pt file "
            "or LIVEPROOF_WHISPER_ENGINE to faster-whisper"
        )
    _log.info("model_chosen", name=model.name, path=str(model.path), found_in=model.found_in)
    return model


def _locate(settings: TranscribeSettings, home: Path) -> FoundModel:
    wanted = settings.whisper_model
    formats = tuple(ModelFormat) if settings.whisper_engine == "faster-whisper" else (ModelFormat.OPENAI,)
    if wanted == "auto":
        return _chosen(device_of(settings), home, formats)
    path = Path(wanted).expanduser()
    if settings.whisper_bundled.is_file() and (wanted == BUNDLED_NAME or (path.is_file() and path.samefile(settings.whisper_bundled))):
        return FoundModel(BUNDLED_NAME, settings.whisper_bundled, ModelFormat.OPENAI, "bundled")
    if path.suffix == ".pt" or len(path.parts) > 1 or path.is_dir():
        return _at_path(path)
    if model := find_by_name(wanted, home, formats):
        return model
    raise missing(wanted, home)


def _chosen(device: str, home: Path, formats: tuple[ModelFormat, ...]) -> FoundModel:
    for name in _PREFERRED[device]:
        if model := find_by_name(name, home, formats):
            return model
    for name in _ELSE[device]:
        model = find_by_name(name, home, formats)
        if model and model.found_in == "home":
            return model
    raise ModelMissing(
        f"{missing(_PREFERRED[device][0], home)}. The bundled demo model is not taken instead: it hears the demo session's synthetic voice "
        "and nothing else"
    )


def device_of(settings: TranscribeSettings) -> str:
    """`cuda` or `cpu`."""
    if settings.whisper_device != "auto":
        return settings.whisper_device
    import ctranslate2

    return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"


def _at_path(path: Path) -> FoundModel:
    if path.is_file():
        return FoundModel(path.stem, path, ModelFormat.OPENAI, "path")
    if (path / "model.bin").is_file():
        return FoundModel(path.name, path, ModelFormat.CTRANSLATE2, "path")
    if path.is_dir():
        raise ModelUnusable(f"the folder {path} holds no model.bin, so it is no CTranslate2 model")
    raise ModelMissing(f"LIVEPROOF_WHISPER_MODEL names {path}, which does not exist: correct it, or leave it out to have a model chosen")


def find_by_name(name: str, home: Path, formats: tuple[ModelFormat, ...] = tuple(ModelFormat)) -> FoundModel | None:
    """A model of this name in LIVEPROOF_HOME/models or in the caches that other programs share."""
    folder = home / "models" / name
    if ModelFormat.CTRANSLATE2 in formats:
        if (folder / "model.bin").is_file():
            return FoundModel(name, folder, ModelFormat.CTRANSLATE2, "home")
        if cached := _in_hub_cache(name):
            return FoundModel(name, cached, ModelFormat.CTRANSLATE2, "hub cache")
    if ModelFormat.OPENAI in formats:
        for checkpoint in (folder / f"{name}.pt", home / "models" / f"{name}.pt"):
            if checkpoint.is_file():
                return FoundModel(name, checkpoint, ModelFormat.OPENAI, "home")
        shared = Path.home() / ".cache" / "whisper" / f"{name}.pt"
        if shared.is_file():
            return FoundModel(name, shared, ModelFormat.OPENAI, "whisper cache")
    return None


def _in_hub_cache(name: str) -> Path | None:
    if name not in KNOWN_MODELS:
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(KNOWN_MODELS[name].repository, "model.bin")
    return Path(found).parent if isinstance(found, str) else None


def missing(name: str, home: Path) -> ModelMissing:
    """The error that says which model, how large, where to get it and where to put it."""
    known = KNOWN_MODELS.get(name)
    if known is None:
        return ModelMissing(
            f"no Whisper model “{name}” is on this machine, nor is it one of {', '.join(KNOWN_MODELS)}: take its CTranslate2 folder or .pt "
            f"file in with “liveproof models add {name} PATH”, or set LIVEPROOF_WHISPER_MODEL to its path"
        )
    return ModelMissing(
        f"the Whisper model “{name}” (about {_megabytes(known.size_bytes)}) is not on this machine. "
        f"With a network: “liveproof models fetch {name}”. Without: “liveproof models fetch {name} --offline” says how to bring the "
        f"files of https://huggingface.co/{known.repository} here from another machine; they go to {home / 'models' / name}"
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One line of `liveproof models`. `state`: in use, ready, missing or unusable (then `note` says why)."""

    name: str
    needed_for: str
    where: str | None
    size_bytes: int | None
    digest: str | None
    state: str
    note: str = ""


def list_models(settings: TranscribeSettings, home: Path, *, with_digests: bool = False) -> list[ModelRow]:
    """The model in use, then the other ones in LIVEPROOF_HOME/models or known by name. Digests read every byte of what was found."""
    rows: list[ModelRow] = []
    chosen: FoundModel | None = None
    try:
        chosen = locate_model(settings, home)
        rows.append(_row(chosen, SPEECH, "in use", with_digests))
    except (ModelMissing, ModelUnusable) as error:
        state = "missing" if isinstance(error, ModelMissing) else "unusable"
        rows.append(ModelRow(settings.whisper_model, SPEECH, None, None, None, state, str(error)))
    bundled = FoundModel(BUNDLED_NAME, settings.whisper_bundled, ModelFormat.OPENAI, "bundled")
    others = [bundled] if settings.whisper_bundled.is_file() else []
    others += [model for name in _names_at(home) if (model := find_by_name(name, home))]
    taken = {chosen.path} if chosen else set()
    rows += [_row(model, _purpose(model), "ready", with_digests) for model in others if model.path not in taken]
    listed = {row.name for row in rows}
    rows += [
        ModelRow(name, SPEECH, None, known.size_bytes, None, "missing", f"liveproof models fetch {name}")
        for name, known in KNOWN_MODELS.items()
        if name not in listed
    ]
    return rows


def _names_at(home: Path) -> list[str]:
    """The known names, and those of whatever else was put into LIVEPROOF_HOME/models."""
    folder = home / "models"
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    here = [entry.stem if entry.suffix == ".pt" else entry.name for entry in entries if not entry.name.startswith((".", CONVERTED_PREFIX))]
    return list(dict.fromkeys([*KNOWN_MODELS, *here]))


def _purpose(model: FoundModel) -> str:
    return "the demo session's synthetic voice only" if model.is_bundled else SPEECH


def _row(model: FoundModel, needed_for: str, state: str, with_digests: bool) -> ModelRow:
    note = "reads the demo session's synthetic voice only" if model.is_bundled else f"found in: {model.found_in}"
    return ModelRow(model.name, needed_for, str(model.path), model.size_bytes, model.digest() if with_digests else None, state, note)
