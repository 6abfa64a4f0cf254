"""Reads the text of a case's papers: PDF, pictures, tables, documents, mail, talks with assistants. One file a format.

    RecordText = read_record(path, media_type, settings, open_ocr)

A paper comes from anywhere, so the formats are taken apart in a process of its own, bounded in memory and time (`apart`), which hands over
text and decoded pictures; pictures are read by OCR here. What is wrong with a paper becomes a note: it stays admitted, whatever it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archive.case_record import RecordPiece
from archive.digest import Json

if TYPE_CHECKING:
    from transcribe.ocr import Ocr
    from transcribe.settings import TranscribeSettings


@dataclass(frozen=True, slots=True)
class RecordText:
    """What was read. `format` "" where no reader knew the paper; `notes`: {"code", …}; `model` "" where no picture was read.

    `counts` says how much: pieces, characters, and where they apply pages, ocr_pages, pictures, rows, turns.
    """

    format: str
    pieces: tuple[RecordPiece, ...]
    notes: tuple[Mapping[str, Json], ...]
    counts: Mapping[str, Json]
    engine: str
    engine_version: str
    model: str
    model_digest: str | None
    parameters: Mapping[str, Json]


def read_record(path: Path, media_type: str, settings: "TranscribeSettings", ocr: "Callable[[], Ocr]") -> RecordText:
    """Read a paper as its content and `media_type` say it is. `ocr` is asked for its reader when a picture comes first.

    RecordUnreadable only where the file isn't there or no process can be started; whatever the file holds is told in notes.
    """
    # The process that takes papers apart imports this package too, and needs none of what reading in this one needs.
    from transcribe.record_text.reading import read

    return read(path, media_type, settings, ocr)
