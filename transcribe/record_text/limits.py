"""How much of one record is read, as the process that takes it apart is told."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from transcribe.settings import TranscribeSettings

# Pictures go to OCR no longer than this on a side, in pixels: it would make them smaller itself.
PICTURE_SIDE_PX = 2000
PIECE_MAX_CHARS = 2000
MEMBERS_MAX = 5000


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Bytes, counts and seconds; what each is stands in `transcribe.settings` under `record_…`."""

    max_bytes: int
    max_pages: int
    ocr_max: int
    max_pixels: int
    max_cells: int
    max_chars: int
    unpacked_max_bytes: int
    unpacked_max_ratio: int
    seconds: int
    memory_bytes: int

    @classmethod
    def of(cls, settings: "TranscribeSettings") -> Self:
        return cls(
            settings.record_max_bytes,
            settings.record_max_pages,
            settings.record_ocr_max,
            settings.record_max_pixels,
            settings.record_max_cells,
            settings.record_max_chars,
            settings.record_unpacked_max_bytes,
            settings.record_unpacked_max_ratio,
            settings.record_seconds,
            settings.record_memory_bytes,
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def to_json(self) -> str:
        return json.dumps(asdict(self))
