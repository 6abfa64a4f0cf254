"""Puts together what the process that takes a paper apart hands over; pictures are read by OCR on the way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from archive.case_record import RecordPiece
from archive.digest import Json
from transcribe.errors import OcrMissing
from transcribe.ocr import Ocr
from transcribe.record_text import RecordText
from transcribe.record_text.frames import Region
from transcribe.record_text.limits import ReadLimits
from transcribe.record_text.picture_lines import PictureLines
from transcribe.record_text.taking_apart import Frame, frames_of
from transcribe.settings import TranscribeSettings

_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), " ")


def read(path: Path, media_type: str, settings: TranscribeSettings, ocr: Callable[[], Ocr]) -> RecordText:
    """See `transcribe.record_text.read_record`."""
    reading = _Reading(ocr)
    limits = ReadLimits.of(settings)
    size = path.stat().st_size if path.is_file() else 0
    if size > limits.max_bytes:
        reading.notes.append({"code": "too_large", "bytes": size})
    else:
        for frame in frames_of(path, media_type, limits):
            reading.take(frame)
    reading.finish_picture()
    return reading.result(settings)


@dataclass
class _Reading:
    """A record as it comes in, frame by frame."""

    ocr: Callable[[], Ocr]
    pieces: list[RecordPiece] = field(default_factory=list)
    notes: list[Mapping[str, Json]] = field(default_factory=list)
    started: Mapping[str, Json] = field(default_factory=dict)
    read: Mapping[str, Json] = field(default_factory=dict)
    reader: Ocr | None = None
    without_ocr: bool = False
    picture: PictureLines | None = None

    def take(self, frame: Frame) -> None:
        if frame.kind == "I":
            self._show(frame)
            return
        self.finish_picture()
        if frame.kind == "P":
            place = frame.head.get("place")
            self._add(place if isinstance(place, Mapping) else {}, str(frame.head.get("text", "")), None)
        elif frame.kind == "N":
            self.notes.append(frame.head)
        elif frame.kind == "S":
            self.started = frame.head
        else:
            self.read = frame.head

    def finish_picture(self) -> None:
        """The lines of a picture stand when all pieces of it have been read."""
        if self.picture is not None:
            found, self.picture = self.picture, None
            for line in found.lines():
                self._add({**found.place, "box": list(line.box)}, line.text, line.confidence)

    def result(self, settings: TranscribeSettings) -> RecordText:
        reader = self.reader
        parameters: dict[str, Json] = {
            "limits": {name: value for name, value in settings.model_dump().items() if name.startswith("record_")}
        }
        if reader is not None:
            parameters["ocr"] = {"name": reader.name, "version": reader.version, **reader.parameters}
        characters = sum(len(piece.text) for piece in self.pieces)
        return RecordText(
            str(self.started.get("format", "")),
            tuple(self.pieces),
            tuple(self.notes),
            {**self.read, "pieces": len(self.pieces), "characters": characters},
            str(self.started.get("engine", "none")),
            str(self.started.get("engine_version", "")),
            reader.model if reader else "",
            reader.model_digest if reader else None,
            parameters,
        )

    def _show(self, frame: Frame) -> None:
        place = frame.head.get("place")
        named = place if isinstance(place, Mapping) else {}
        if self.picture is None or self.picture.place != named:
            self.finish_picture()
            self.picture = PictureLines(named)
        if (reader := self._ocr()) is None:
            return
        width, height, region = _measures(frame.head)
        pixels = np.frombuffer(frame.body, np.uint8).reshape(height, width, 3)
        self.picture.add(region, reader.read(pixels))

    def _ocr(self) -> Ocr | None:
        if self.reader is None and not self.without_ocr:
            try:
                self.reader = self.ocr()
            except OcrMissing:
                self.without_ocr = True
                self.notes.append({"code": "no_ocr"})
        return self.reader

    def _add(self, place: Mapping[str, Json], text: str, confidence: float | None) -> None:
        # Databases hold no NULs and no halves of surrogate pairs.
        plain = _storable(text).strip()
        if plain:
            clean = {name: _storable(value) if isinstance(value, str) else value for name, value in place.items()}
            self.pieces.append(RecordPiece(clean, plain, confidence))


def _storable(text: str) -> str:
    return text.translate(_CONTROLS).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _measures(head: Mapping[str, Json]) -> tuple[int, int, Region]:
    width, height, region = head["width"], head["height"], head["region"]
    assert isinstance(width, int) and isinstance(height, int) and isinstance(region, list)  # noqa: S101 - `taking_apart` has looked
    left, top, across, down = (float(each) for each in region)
    return width, height, (left, top, across, down)
