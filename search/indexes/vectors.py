"""FAISS over passage ids: an exact inner-product index kept as a file beside the SQLite index, one per generation, remade when missing."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import structlog
from numpy.typing import NDArray

if TYPE_CHECKING:
    import faiss

_log = structlog.get_logger(__name__)


class Vectors:
    """Vectors of one width; width 0 and no index where nothing was embedded."""

    def __init__(self, index: "faiss.Index | None", width: int) -> None:
        self._index = index
        self.width = width

    @classmethod
    def build(cls, ids: list[int], rows: list[NDArray[np.float32]]) -> Self:
        """An index over rows of equal length."""
        import faiss

        if not ids:
            return cls(None, 0)
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(len(rows[0])))
        index.add_with_ids(np.vstack(rows), np.asarray(ids, dtype=np.int64))
        return cls(index, len(rows[0]))

    @classmethod
    def load(cls, folder: Path, generation: int) -> Self | None:
        """The file of this generation. None if it is missing or unreadable: it can be remade."""
        import faiss

        path = folder / f"vectors-{generation}.faiss"
        if not path.is_file():
            return None
        try:
            index = faiss.read_index(str(path))
        except RuntimeError as error:
            _log.warning("vectors unreadable, remade", file=str(path), reason=str(error))
            return None
        return cls(index, index.d)

    def save(self, folder: Path, generation: int) -> None:
        """Writes this generation's file and removes older ones."""
        import faiss

        if self._index is None:
            return
        path = folder / f"vectors-{generation}.faiss"
        temporary = folder / f".{path.name}.{os.getpid()}"
        faiss.write_index(self._index, str(temporary))
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
        for held in folder.glob("vectors-*.faiss"):
            # One who still reads an older moment leaves the newer file alone.
            number = held.stem.removeprefix("vectors-")
            if number.isdecimal() and int(number) < generation:
                held.unlink(missing_ok=True)

    def search(self, vector: Sequence[float], limit: int) -> list[tuple[int, float]]:
        """Passage ids and cosines, best first."""
        if self._index is None:
            return []
        scores, ids = self._index.search(np.asarray([vector], dtype=np.float32), limit)
        return [(int(passage), float(score)) for passage, score in zip(ids[0], scores[0], strict=True) if passage >= 0]
