"""What a machine read out of a paper of a case: derived evidence, versioned; the paper itself stays what is evidence."""

from collections.abc import Mapping
from dataclasses import dataclass

from archive.digest import Json
from archive.transcript import Provenance


@dataclass(frozen=True, slots=True)
class RecordPiece:
    """A piece of text in reading order. `place` says where it stands; `confidence`, 0…1, where it was recognised in a picture.

    Keys of `place`, as far as they apply: page, line, sheet, row, paragraph, table, slide, frame, box ([left, top, width, height] as shares
    of the upright picture), section (of a mail or document), speaker, turn, conversation, at (when it was said, as it stood), sender, role,
    recalled, order.
    """

    place: Mapping[str, Json]
    text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class RecordReading:
    """One reading of an attachment. `notes` say what was left out or could not be read: {"code", and values}, worded by the api.

    `provenance.parameters` holds the format it was read as, the limits, and under `read` how much was read. `pieces` is empty where
    only an overview was asked for.
    """

    case_id: str
    attachment: int
    version: int
    provenance: Provenance
    notes: tuple[Mapping[str, Json], ...]
    pieces: tuple[RecordPiece, ...]
    id: int = 0
    digest: str = ""

    @property
    def format(self) -> str:
        return str(self.provenance.parameters.get("format") or "")

    @property
    def counts(self) -> Mapping[str, Json]:
        """How much was read: pieces, characters, and where they apply pages, ocr_pages (numbers), pictures, rows, turns, messages."""
        read = self.provenance.parameters.get("read")
        return read if isinstance(read, Mapping) else {}
