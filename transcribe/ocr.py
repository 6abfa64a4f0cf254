"""Reads the text in a picture: `rapidocr` with the Chinese and English models that lie in its wheel; nothing is ever downloaded."""

import os
import threading
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from archive.digest import Json, digest_file, digest_json
from transcribe.errors import OcrMissing
from transcribe.settings import TranscribeSettings

DETECTOR, CLASSIFIER, RECOGNISER = "PP-OCRv6_det_small.onnx", "ch_ppocr_mobile_v2.0_cls_mobile.onnx", "PP-OCRv6_rec_small.onnx"
LONGEST_SIDE_PX = 2000
SHORTEST_SIDE_PX = 16
LEAST_CONFIDENCE = 0.5

Picture: TypeAlias = npt.NDArray[np.uint8]
Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text in a picture. `box`: (left, top, width, height) as shares of the picture, 0…1; `confidence` 0…1."""

    text: str
    box: Box
    confidence: float


class Ocr(Protocol):
    """A reader with its models loaded. Equal pictures give equal lines on one machine with one count of threads."""

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

    def read(self, picture: Picture) -> list[Line]:
        """The lines of a picture (RGB, height × width × 3), top to bottom and left to right; none for one under 16 pixels a side."""
        ...


def open_ocr(settings: TranscribeSettings) -> Ocr:
    """The reader of pictures, its models loaded. OcrMissing says what to install where the package or a model isn't there."""
    if util.find_spec("rapidocr") is None or util.find_spec("onnxruntime") is None:
        raise OcrMissing("reading text in pictures needs the packages rapidocr and onnxruntime: pip install -c constraints.txt rapidocr")
    return _RapidOcr(settings)


class _RapidOcr:
    name = "rapidocr"

    def __init__(self, settings: TranscribeSettings) -> None:
        files = _model_files()
        self._files = files
        self._threads = min(settings.ocr_threads or os.cpu_count() or 1, os.cpu_count() or 1)
        # Paths stand for every model, because rapidocr downloads what it isn't given one for.
        params: dict[str, str | int | bool | float] = {
            "Global.log_level": "critical",
            "Global.text_score": LEAST_CONFIDENCE,
            "Global.max_side_len": LONGEST_SIDE_PX,
            "Global.min_side_len": SHORTEST_SIDE_PX,
            "Det.model_path": str(files[DETECTOR]),
            "Cls.model_path": str(files[CLASSIFIER]),
            "Rec.model_path": str(files[RECOGNISER]),
            # Pieces of a picture are read at the size they have: enlarging them costs much and reads no better.
            "Det.limit_type": "max",
            "Det.limit_side_len": LONGEST_SIDE_PX,
            "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
        import cv2
        from rapidocr import RapidOCR

        cv2.setNumThreads(self._threads)
        self._reader = RapidOCR(params=params)
        self._reading = threading.Lock()  # rapidocr keeps the state of a reading in itself

    @property
    def version(self) -> str:
        return metadata.version("rapidocr")

    @property
    def model(self) -> str:
        return " + ".join(Path(name).stem for name in self._files)

    @property
    def model_digest(self) -> str:
        """Of the canonical JSON {file name: digest}."""
        return digest_json({name: digest_file(path) for name, path in self._files.items()})

    @property
    def parameters(self) -> dict[str, Json]:
        return {
            "onnxruntime": metadata.version("onnxruntime"),
            "least_confidence": LEAST_CONFIDENCE,
            "longest_side_px": LONGEST_SIDE_PX,
            "threads": self._threads,
        }

    def read(self, picture: Picture) -> list[Line]:
        height, width = picture.shape[:2]
        if min(height, width) < SHORTEST_SIDE_PX:
            return []
        with self._reading:
            found = self._reader(np.ascontiguousarray(picture[:, :, ::-1]))
        texts, scores, corners = getattr(found, "txts", None), getattr(found, "scores", None), getattr(found, "boxes", None)
        if texts is None or scores is None or corners is None:
            return []
        return [
            Line(text.strip(), _box(np.asarray(points, np.float64), width, height), round(float(score), 4))
            for text, score, points in zip(texts, scores, corners, strict=True)
            if text.strip()
        ]


def _model_files() -> dict[str, Path]:
    spec = util.find_spec("rapidocr")
    folder = Path(spec.origin).parent / "models" if spec and spec.origin else Path()
    files = {name: folder / name for name in (DETECTOR, CLASSIFIER, RECOGNISER)}
    if absent := [name for name, path in files.items() if not path.is_file()]:
        raise OcrMissing(
            f"rapidocr {metadata.version('rapidocr')} is installed without {', '.join(absent)}: "
            "install the release named in constraints.txt, whose wheel carries its models (pip install -c constraints.txt rapidocr)"
        )
    return files


def _box(corners: npt.NDArray[np.float64], width: int, height: int) -> Box:
    """The upright rectangle around four corners in pixels, as shares of the picture."""
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    left, right = max(0.0, left / width), min(1.0, right / width)
    top, bottom = max(0.0, top / height), min(1.0, bottom / height)
    return round(float(left), 4), round(float(top), 4), round(float(max(0.0, right - left)), 4), round(float(max(0.0, bottom - top)), 4)
