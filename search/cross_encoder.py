"""A cross-encoder reads a question and a quote together and says how well they go together: optional, for the head of a ranking.

It orders what was found, it decides nothing: whether something was said is told from what was heard, with or without such a model.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from search.embeddings import SentenceModel, described_model, locate_folder
from search.errors import CrossEncoderUnusable
from search.ranking import Span
from search.settings import SearchSettings

HEAD = 12
LONGEST_DESCRIPTION = 1 << 20
_NEEDED_FOR = "reading the first hits again"
# What tells one from a model of sentences: of its library, or of its architecture.
_DESCRIPTIONS = {"config_sentence_transformers.json": '"CrossEncoder"', "config.json": 'ForSequenceClassification"'}
LONGEST_CHARS = 600
LONGEST_TOKENS = 512


class CrossEncoder(Protocol):
    """`weight`: how much its reading counts beside a span's own score."""

    @property
    def name(self) -> str: ...

    @property
    def weight(self) -> float: ...

    def read(self, question: str, quotes: Sequence[str]) -> list[float]:
        """How well each quote goes with the question, 0…1."""


class _SentenceTransformersModel:
    def __init__(self, source: str, weight: float, batch: int) -> None:
        from sentence_transformers import CrossEncoder as Model
        from torch.nn import Sigmoid

        self._model = Model(source, device="cpu", max_length=LONGEST_TOKENS, local_files_only=True, activation_fn=Sigmoid())
        self._batch = batch
        self.name = source
        self.weight = weight

    def read(self, question: str, quotes: Sequence[str]) -> list[float]:
        pairs = [(question, quote[:LONGEST_CHARS]) for quote in quotes]
        scores = self._model.predict(pairs, batch_size=self._batch, show_progress_bar=False, convert_to_numpy=True)
        return [float(score) for score in scores]


def open_cross_encoder(settings: SearchSettings, home: Path) -> CrossEncoder | None:
    """The cross-encoder that the settings name, from this machine only; None where none is named.

    CrossEncoderUnusable: it isn't here, or is no cross-encoder with one score. Nothing is fetched from a hub.
    """
    wanted = settings.cross_encoder
    if wanted == "none":
        return None
    folder = locate_folder(wanted, home, "config.json")
    if folder is None:
        raise CrossEncoderUnusable(
            f"the cross-encoder {wanted} is not on this machine: take it in with “liveproof models add {Path(wanted).name} FOLDER”, "
            "or set LIVEPROOF_CROSS_ENCODER to none"
        )
    try:
        model = _SentenceTransformersModel(str(folder), settings.cross_encoder_weight, settings.embedding_batch)
        model.read("包邮吗", ["全场包邮"])
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise CrossEncoderUnusable(
            f"{folder} holds no usable cross-encoder with one score ({error}): put one there or set LIVEPROOF_CROSS_ENCODER to none"
        ) from error
    return model


def is_cross_encoder(folder: Path) -> bool:
    """Whether the folder's own description says that it is one."""
    return any(mark in _told(folder / name) for name, mark in _DESCRIPTIONS.items())


def _told(path: Path) -> str:
    return path.read_text("utf-8", "replace")[:LONGEST_DESCRIPTION] if path.is_file() else ""


def list_cross_encoder(settings: SearchSettings, home: Path, *, with_digest: bool = False) -> SentenceModel | None:
    """The one that the settings name; None where none is named."""
    wanted = settings.cross_encoder
    return None if wanted == "none" else described_model(wanted, _NEEDED_FOR, locate_folder(wanted, home, "config.json"), with_digest)


def read_again(spans: Sequence[Span], quotes: Sequence[str], question: str, model: CrossEncoder) -> list[Span]:
    """Spans in the order of their score and of what the model makes of their quotes, one each.

    What a span gains is measured from the mean reading of them all, so that they stand as a whole where they stood.
    """
    if len(spans) < 2:
        return list(spans)
    readings = model.read(question, quotes)
    mean = sum(readings) / len(readings)
    read = [
        replace(span, score=span.score + model.weight * (reading - mean), parts={**span.parts, "read_together": reading})
        for span, reading in zip(spans, readings, strict=True)
    ]
    return sorted(read, key=lambda span: -span.score)
