"""Every model that a setting needs, in one list: speech, sentences and what tells voices apart; and those that are published by name."""

from dataclasses import dataclass
from pathlib import Path

from api.workplace import Workplace
from archive.model_files import ModelManifest, PublishedModel
from search.cross_encoder import list_cross_encoder
from search.embeddings import DEFAULT_MODEL, PUBLISHED_DEFAULT
from search.embeddings import list_models as list_sentence_models
from transcribe.errors import ModelMissing
from transcribe.known_models import KNOWN_MODELS, KNOWN_VOICES
from transcribe.models import find_by_name, locate_model, missing
from transcribe.models import list_models as list_speech_models
from transcribe.speakers import list_voice_models


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model: what needs it, where it is, and what to do if it isn't. `state`: in use, ready, missing or unusable. Sizes in bytes."""

    name: str
    needed_for: str
    where: str | None
    size_bytes: int | None
    digest: str | None
    state: str
    note: str


def inventory(place: Workplace, *, with_digests: bool = False) -> list[ModelRow]:
    """Speech models, sentence models, the cross-encoder, then those that tell voices apart; of each the one in use first.

    Digests read every byte found.
    """
    speech = list_speech_models(place.transcribe_settings, place.archive.home, with_digests=with_digests)
    sentences = list_sentence_models(place.search_settings, place.archive.home, with_digests=with_digests)
    pairs = list_cross_encoder(place.search_settings, place.archive.home, with_digest=with_digests)
    voices = list_voice_models(place.transcribe_settings, place.archive.home, with_digests=with_digests)
    every = (*speech, *sentences, *([pairs] if pairs else ()), *voices)
    return [ModelRow(m.name, m.needed_for, m.where, m.size_bytes, m.digest, m.state, m.note) for m in every]


def missing_model(place: Workplace) -> str | None:
    """What the speech model's absence is and how it is mended; None where one is here."""
    try:
        locate_model(place.transcribe_settings, place.archive.home)
    except ModelMissing as error:
        return str(error)
    return None


def published(name: str, home: Path) -> PublishedModel:
    """The published model of a name. ModelMissing, naming those that there are, if it is none."""
    known = {**KNOWN_MODELS, PUBLISHED_DEFAULT.name: PUBLISHED_DEFAULT, DEFAULT_MODEL: PUBLISHED_DEFAULT, **KNOWN_VOICES}
    if name not in known:
        others = ", ".join([PUBLISHED_DEFAULT.name, *KNOWN_VOICES])
        raise ModelMissing(f"{missing(name, home)}. Other models by name: {others}")
    return known[name]


def where_held(model: PublishedModel, home: Path) -> Path | None:
    """Where a published model lies on this machine already: in the home, or in the hub's cache for speech."""
    folder = home / "models" / model.name
    if folder.is_dir():
        return folder
    found = find_by_name(model.name, home) if model.name in KNOWN_MODELS else None
    return found.path if found else None


def is_as_published(manifest: ModelManifest) -> bool | None:
    """Whether a model's weights are those published under its name; None where nobody knows."""
    known = {**KNOWN_MODELS, **KNOWN_VOICES}.get(manifest.name)
    if known is None:
        return None
    told = {file.name: file.digest for file in manifest.files}
    if checkpoint := told.get(f"{manifest.name}.pt"):
        return _openais_digest(manifest.name) == checkpoint
    weights = [digest for name, digest in told.items() if name.endswith((".bin", ".onnx"))]
    return set(weights) == set(known.digests.values()) if known.digests else None


def _openais_digest(name: str) -> str | None:
    """openai-whisper fetches each checkpoint from an address that holds its SHA-256."""
    import whisper

    url: str = whisper._MODELS.get(name, "")
    return f"sha256:{url.split('/')[-2]}" if url.count("/") > 1 else None
