"""How Whisper models are found: an explicit path, LIVEPROOF_HOME/models, the caches of the hub and of openai-whisper.

Only `fetch_model` downloads.

`auto` takes a real model if one is on this machine and else the bundled demo model, which reads the demo session's synthetic voice and
nothing else; which of the two it was stands in every transcript's provenance.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import structlog

from archive.digest import digest_file, digest_json
from transcribe.errors import ModelMissing, ModelUnusable
from transcribe.settings import TranscribeSettings

_log = structlog.get_logger(__name__)


class ModelFormat(StrEnum):
    OPENAI = "openai"
    CTRANSLATE2 = "ctranslate2"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A published model: where its CTranslate2 folder is, and about how many bytes it takes (nearly the same for OpenAI's .pt)."""

    repository: str
    size_bytes: int


KNOWN_MODELS: dict[str, KnownModel] = {
    "tiny": KnownModel("Systran/faster-whisper-tiny", 78_000_000),
    "base": KnownModel("Systran/faster-whisper-base", 148_000_000),
    "small": KnownModel("Systran/faster-whisper-small", 486_000_000),
    "medium": KnownModel("Systran/faster-whisper-medium", 1_530_000_000),
    "large-v2": KnownModel("Systran/faster-whisper-large-v2", 3_090_000_000),
    "large-v3": KnownModel("Systran/faster-whisper-large-v3", 3_090_000_000),
    "large-v3-turbo": KnownModel("mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1_620_000_000),
}
BUNDLED_NAME = "demo-whisper"


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
        """Of the .pt file's bytes; of a folder, of the canonical JSON {file name: digest}."""
        if self.path.is_file():
            return digest_file(self.path)
        return digest_json({file.name: digest_file(file) for file in self._files()})

    def _files(self) -> list[Path]:
        return [self.path] if self.path.is_file() else sorted(file for file in self.path.iterdir() if file.is_file())


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
        preferred = ["large-v3-turbo", "small"] if device_of(settings) == "cuda" else ["small"]
        for name in preferred:
            if model := find_by_name(name, home, formats):
                return model
        if settings.whisper_bundled.is_file():
            return FoundModel(BUNDLED_NAME, settings.whisper_bundled, ModelFormat.OPENAI, "bundled")
        raise missing(preferred[-1], home)
    if wanted == BUNDLED_NAME and settings.whisper_bundled.is_file():
        return FoundModel(BUNDLED_NAME, settings.whisper_bundled, ModelFormat.OPENAI, "bundled")
    path = Path(wanted).expanduser()
    if path.suffix == ".pt" or len(path.parts) > 1 or path.is_dir():
        return _at_path(path)
    if model := find_by_name(wanted, home, formats):
        return model
    raise missing(wanted, home)


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
    folder, checkpoint = home / "models" / name, home / "models" / f"{name}.pt"
    if ModelFormat.CTRANSLATE2 in formats:
        if (folder / "model.bin").is_file():
            return FoundModel(name, folder, ModelFormat.CTRANSLATE2, "home")
        if cached := _in_hub_cache(name):
            return FoundModel(name, cached, ModelFormat.CTRANSLATE2, "hub cache")
    if ModelFormat.OPENAI in formats:
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
    target = home / "models" / name
    elsewhere = "or set LIVEPROOF_WHISPER_MODEL to its path"
    known = KNOWN_MODELS.get(name)
    if known is None:
        return ModelMissing(
            f"no Whisper model “{name}” is on this machine, nor is it one of {', '.join(KNOWN_MODELS)}: "
            f"put its CTranslate2 folder at {target} or its .pt file at {target}.pt, {elsewhere}"
        )
    return ModelMissing(
        f"the Whisper model “{name}” (about {_megabytes(known.size_bytes)}) is not on this machine. "
        f"With a network: “liveproof models fetch {name}”. "
        f"Without: copy the files of https://huggingface.co/{known.repository} into {target}, "
        f"or OpenAI's {name}.pt to {target}.pt, {elsewhere}"
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


def list_models(settings: TranscribeSettings, home: Path, *, with_digests: bool = True) -> list[ModelRow]:
    """The model in use, then the other ones known by name. Digests read every byte of what was found."""
    rows: list[ModelRow] = []
    chosen: FoundModel | None = None
    try:
        chosen = locate_model(settings, home)
        rows.append(_row(chosen, "speech to text", "in use", with_digests))
    except (ModelMissing, ModelUnusable) as error:
        state = "missing" if isinstance(error, ModelMissing) else "unusable"
        rows.append(ModelRow(settings.whisper_model, "speech to text", None, None, None, state, str(error)))
    bundled = FoundModel(BUNDLED_NAME, settings.whisper_bundled, ModelFormat.OPENAI, "bundled")
    others = [bundled] if settings.whisper_bundled.is_file() else []
    others += [model for name in KNOWN_MODELS if (model := find_by_name(name, home))]
    taken = {chosen.path} if chosen else set()
    rows += [_row(model, _purpose(model), "ready", with_digests) for model in others if model.path not in taken]
    listed = {row.name for row in rows}
    rows += [
        ModelRow(name, "speech to text", None, known.size_bytes, None, "missing", f"liveproof models fetch {name}")
        for name, known in KNOWN_MODELS.items()
        if name not in listed
    ]
    return rows


def _purpose(model: FoundModel) -> str:
    return "the demo session's synthetic voice only" if model.is_bundled else "speech to text"


def _row(model: FoundModel, needed_for: str, state: str, with_digests: bool) -> ModelRow:
    note = "reads the demo session's synthetic voice only" if model.is_bundled else f"found in: {model.found_in}"
    return ModelRow(model.name, needed_for, str(model.path), model.size_bytes, model.digest() if with_digests else None, state, note)


def fetch_model(name: str, home: Path, announce: Callable[[str, int], None]) -> FoundModel:
    """Download a known model into LIVEPROOF_HOME/models, whole or not at all.

    `announce(repository, bytes)` is called before the first byte. ModelMissing with the offline way if the hub can't be reached.
    """
    if name not in KNOWN_MODELS:
        raise missing(name, home)
    if found := find_by_name(name, home, (ModelFormat.CTRANSLATE2,)):
        return found
    import httpx
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    repository, target = KNOWN_MODELS[name].repository, home / "models" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=target.parent) as unfinished:
        folder = Path(unfinished) / name
        try:
            files = HfApi().model_info(repository, files_metadata=True, timeout=20).siblings or []
            announce(repository, sum(file.size or 0 for file in files))
            snapshot_download(repository, local_dir=folder, etag_timeout=20)
        except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, httpx.HTTPError, OSError) as error:
            raise ModelMissing(f"{missing(name, home)}. The hub could not be reached: {error}") from error
        shutil.rmtree(folder / ".cache", ignore_errors=True)
        folder.replace(target)
    return FoundModel(name, target, ModelFormat.CTRANSLATE2, "home")
