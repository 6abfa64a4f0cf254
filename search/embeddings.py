"""Sentence embeddings, optional: without a model everything degrades to neutral."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from search.errors import EmbeddingModelUnusable

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
        self._batch = batch
        self._prompt = next((prompt for mark, prompt in QUERY_PROMPTS.items() if mark in source), "")
        self.name = source

    def embed_passages(self, texts: Sequence[str]) -> list[list[float]]:
        vectors = self._model.encode(list(texts), batch_size=self._batch, normalize_embeddings=True, show_progress_bar=False)
        return [[float(value) for value in vector] for vector in vectors]

    def embed_question(self, text: str) -> list[float]:
        return self.embed_passages([self._prompt + text])[0]


def open_embedder(model: str | Path | None, *, batch: int = 64) -> Embedder | None:
    """The sentence-transformers model in a folder or of a name in the local cache. None where no model is named or present.

    EmbeddingModelUnusable: a folder is there but holds no such model. Nothing is fetched from a hub here.
    """
    if not model:
        return None
    folder = Path(model)
    if not folder.is_dir():
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

        try:
            folder = Path(snapshot_download(str(model), local_files_only=True))
        except (LocalEntryNotFoundError, HFValidationError):
            return None
    try:
        return _SentenceTransformer(str(folder), batch)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise EmbeddingModelUnusable(
            f"{folder} holds no usable sentence-transformers model ({error}): put one there or unset LIVEPROOF_EMBEDDING_MODEL"
        ) from error
