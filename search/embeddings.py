"""Sentence embeddings, optional: without a model everything degrades to neutral."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from archive.digest import digest_file, digest_json
from archive.model_files import PublishedModel, model_files
from search.errors import EmbeddingModelUnusable
from search.settings import SearchSettings

DEFAULT_MODEL = "BAAI/bge-small-zh-v1.5"
BUNDLED_NAME = "demo-sentences"
_NEEDED_FOR = "search by meaning"
PUBLISHED_DEFAULT = PublishedModel(
    "bge-small-zh-v1.5",
    _NEEDED_FOR,
    DEFAULT_MODEL,
    "7999e1d3359715c523056ef9478215996d62a620",
    96_000_000,
    (
        "1_Pooling/config.json",
        "config.json",
        "config_sentence_transformers.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ),
    {},
)

QUERY_PROMPTS = {
    "bge-small-zh": "为这个句子生成表示以用于检索相关文章：",
    "bge-base-zh": "为这个句子生成表示以用于检索相关文章：",
    "bge-large-zh": "为这个句子生成表示以用于检索相关文章：",
}


class Embedder(Protocol):
    """Turns text into vectors of unit norm and of one length."""

    @property
    def name(self) -> str: ...

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]: ...

    def embed_question(self, text: str) -> list[float]: ...


class _SentenceTransformer:
    def __init__(self, source: str, batch: int) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(source, device="cpu")
        _without_cache(self._model.tokenizer)
        self._batch = batch
        self._prompt = next((prompt for mark, prompt in QUERY_PROMPTS.items() if mark in source), "")
        self.name = source

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        vectors = self._model.encode(list(texts), batch_size=self._batch, normalize_embeddings=True, show_progress_bar=False)
        return [[float(value) for value in vector] for vector in vectors]

    def embed_question(self, text: str) -> list[float]:
        return self.embed_passages([self._prompt + text])[0]


def _without_cache(tokenizer: object) -> None:
    """Some tokenizers keep what they cut before. Passages seldom come again, and ten thousand of them are 40 MB."""
    resize = getattr(getattr(tokenizer, "model", None), "_resize_cache", None)
    if resize is not None:
        resize(0)


@dataclass(frozen=True, slots=True)
class SentenceModel:
    """A sentence model that the settings could mean. `where` None: not on this machine. `state`: in use, ready or missing."""

    name: str
    needed_for: str
    where: str | None
    size_bytes: int | None
    digest: str | None
    state: str
    note: str = ""


def open_embedder(settings: SearchSettings, home: Path) -> Embedder | None:
    """The sentence model that the settings name, from this machine only. None where there is none or it is switched off.

    EmbeddingModelUnusable: a model that was named outright is not here, or a folder holds no such model. Nothing is fetched from a hub.
    """
    folder = _locate(settings, home)
    if folder is None:
        return None
    try:
        return _SentenceTransformer(str(folder), settings.embedding_batch)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise EmbeddingModelUnusable(
            f"{folder} holds no usable sentence-transformers model ({error}): put one there or unset LIVEPROOF_EMBEDDING_MODEL"
        ) from error


def list_models(settings: SearchSettings, home: Path, *, with_digests: bool = False) -> list[SentenceModel]:
    """The default model, the bundled one and, if it is another, the one that is set. Digests read every byte of what was found."""
    used = _locate(settings, home) if settings.embedding_model != "none" else None
    names = dict.fromkeys([settings.embedding_model, DEFAULT_MODEL, BUNDLED_NAME])
    return [_row(name, settings, home, used, with_digests) for name in names if name not in ("auto", "none")]


def _row(name: str, settings: SearchSettings, home: Path, used: Path | None, with_digest: bool) -> SentenceModel:
    folder = settings.embedding_bundled if name == BUNDLED_NAME else locate_folder(name, home)
    if folder is None or not folder.is_dir():
        if name == DEFAULT_MODEL:
            note = f"liveproof models fetch {PUBLISHED_DEFAULT.name}"
            return SentenceModel(name, _NEEDED_FOR, None, PUBLISHED_DEFAULT.size_bytes, None, "missing", note)
        return described_model(name, _NEEDED_FOR, None, with_digest)
    return described_model(name, _NEEDED_FOR, folder, with_digest, in_use=folder == used)


def described_model(name: str, needed_for: str, folder: Path | None, with_digest: bool, *, in_use: bool = True) -> SentenceModel:
    """A row of `list_models` for what lies in this folder; the digest reads every byte of it."""
    if folder is None:
        return SentenceModel(name, needed_for, None, None, None, "missing", f"liveproof models add {Path(name).name} FOLDER")
    files = model_files(folder)
    digest = digest_json({str(file.relative_to(folder)): digest_file(file) for file in files}) if with_digest else None
    size = sum(file.stat().st_size for file in files)
    return SentenceModel(name, needed_for, str(folder), size, digest, "in use" if in_use else "ready")


def _locate(settings: SearchSettings, home: Path) -> Path | None:
    wanted = settings.embedding_model
    if wanted == "none":
        return None
    if wanted == BUNDLED_NAME:
        return settings.embedding_bundled
    if wanted != "auto":
        found = locate_folder(wanted, home)
        if found is None:
            raise EmbeddingModelUnusable(
                f"the sentence model {wanted} is not on this machine: put its folder into {home / 'models'}, "
                "or set LIVEPROOF_EMBEDDING_MODEL to auto or none"
            )
        return found
    found = locate_folder(DEFAULT_MODEL, home)
    return found or (settings.embedding_bundled if settings.embedding_bundled.is_dir() else None)


def locate_folder(name: str, home: Path, known_by: str = "modules.json") -> Path | None:
    """Where a model lies: an explicit folder, LIVEPROOF_HOME/models, the hub's local cache; in this order. `known_by`: a file of it."""
    for folder in (Path(name).expanduser(), home / "models" / Path(name).name):
        if (folder / known_by).is_file():
            return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
