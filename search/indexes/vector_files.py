"""One shard's vectors: a FAISS file of those written first (IVF, eight bits a number, mapped from the disk) and the newest in memory.

The file's table says to which recording each of its vectors belongs and what is marked on it, so that filters hold inside the search.
"""

import os
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import structlog
from numpy.typing import NDArray

if TYPE_CHECKING:
    import faiss

_log = structlog.get_logger(__name__)

# So many of the newest vectors are compared one by one before a file is made of them.
TAIL_MOST = 8192
MOST_LISTS = 1024
VECTORS_A_LIST = 64
TRAINED_WITH_A_LIST = 40
# How many cells: of those that pass a filter the nearest are spread wider.
PROBES, PROBES_FILTERED = 14, 42
# Where a filter lets no more than so many times what is wanted through, every vector that passes is compared.
EXACT_TIMES = 10
_CHUNK = 16384
_TAIL = (
    "SELECT v.id, v.vector, p.recording, p.flags FROM vectors v JOIN passages p ON p.id = v.id WHERE v.id > ? AND v.id < ? "
    "AND length(v.vector) = ? ORDER BY v.id"
)
Floats = NDArray[np.float32]
Numbers = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Passing:
    """What passes a filter: recordings by number (a table of yes and no for every number that was given; None: all), bits that a
    passage's flags must have, and those that they must not have."""

    recordings: NDArray[np.bool_] | None
    with_flags: int
    without_flags: int

    def mask(self, recordings: Numbers, flags: Numbers) -> NDArray[np.bool_]:
        passes = np.ones(len(recordings), np.bool_)
        if self.recordings is not None:
            passes = self.recordings.take(recordings, mode="clip")
        if self.with_flags:
            passes &= (flags & self.with_flags) == self.with_flags
        if self.without_flags:
            passes &= (flags & self.without_flags) == 0
        return passes


def packed(vector: object) -> bytes:
    """A vector as it is stored: sixteen bits a number."""
    return np.asarray(vector, dtype=np.float16).tobytes()


def unpacked(blob: bytes) -> Floats:
    return np.frombuffer(blob, dtype=np.float16).astype(np.float32)


def _matrix(blobs: list[bytes], width: int) -> Floats:
    return np.frombuffer(b"".join(blobs), np.float16).astype(np.float32).reshape(len(blobs), width)


class VectorFile:
    """A file made by `write`. OSError, RuntimeError or ValueError if it is missing or damaged."""

    def __init__(self, path: Path, base: int) -> None:
        import faiss

        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
        if not isinstance(index, faiss.IndexIVF):
            raise ValueError(f"{path} holds no cells")
        cells = index.invlists and faiss.downcast_InvertedLists(index.invlists)
        if isinstance(cells, faiss.OnDiskInvertedLists):
            # thirty-two threads a search that read ahead cost more than the search of what the system holds in memory anyway
            cells.prefetch_nthread = 0
        table = np.load(path.with_suffix(".npy"), mmap_mode="r")
        self._index = index
        self._recordings, self._flags = table[0], table[1]
        self._base = base
        self.width = int(index.d)

    def search(self, vector: Floats, passing: Passing | None, limit: int, files: int) -> list[tuple[float, int]]:
        """(cosine, passage) of the nearest, best first. `files`: how many are searched for these `limit`.

        The nearest that pass lie the further out the fewer pass: among the nearest limit ÷ share of all files together. So many cells are
        probed; all of them where hardly more pass than are wanted.
        """
        lists = self._index.nlist
        if passing is None:
            return self._asked(vector, limit, min(PROBES, lists), None)
        mask = passing.mask(self._recordings, self._flags)
        count = int(mask.sum())
        if not count:
            return []
        share = count / int((self._recordings > 0).sum())
        probes = lists if count <= EXACT_TIMES * limit else min(lists, max(PROBES, int(PROBES_FILTERED / share / files) + 1))
        found = self._asked(vector, limit, probes, mask)
        return self._asked(vector, limit, lists, mask) if len(found) < min(limit, count) and probes < lists else found

    def _asked(self, vector: Floats, limit: int, probes: int, mask: NDArray[np.bool_] | None) -> list[tuple[float, int]]:
        import faiss

        how = faiss.SearchParametersIVF()
        how.nprobe = probes
        if mask is not None:
            bits = np.packbits(mask, bitorder="little")
            chosen = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
            how.sel = chosen
        scores, places = self._index.search(vector[np.newaxis], limit, params=how)
        return [(score, self._base + place) for score, place in zip(scores[0].tolist(), places[0].tolist(), strict=True) if place >= 0]


class Tail:
    """The vectors of a shard that its file doesn't hold, in the order of their passages. It only grows. Safe for threads."""

    def __init__(self, after: int, width: int) -> None:
        import faiss

        self._through = after
        self._width = width
        self._index = faiss.IndexFlatIP(width)
        self._ids: list[int] = []
        self._told: list[tuple[Numbers, Numbers]] = []
        self._lock = threading.Lock()

    def search(self, db: sqlite3.Connection, end: int, vector: Floats, passing: Passing | None, limit: int) -> list[tuple[float, int]]:
        """(cosine, passage) of the nearest, best first. Adds before that what the moment that `db` reads holds before passage `end` and
        this doesn't yet.
        """
        import faiss

        with self._lock:
            self._bring(db, end)
            if not self._ids:
                return []
            how = faiss.SearchParameters()
            if passing is not None:
                recordings, flags = (np.concatenate(each) for each in zip(*self._told, strict=True))
                bits = np.packbits(passing.mask(recordings, flags), bitorder="little")
                chosen = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
                how.sel = chosen
            scores, places = self._index.search(vector[np.newaxis], min(limit, len(self._ids)), params=how)
            found = zip(scores[0].tolist(), places[0].tolist(), strict=True)
            return [(score, self._ids[place]) for score, place in found if place >= 0]

    def _bring(self, db: sqlite3.Connection, end: int) -> None:
        rows = db.execute(_TAIL, (self._through, end, 2 * self._width)).fetchall()
        if rows:
            self._index.add(_matrix([row[1] for row in rows], self._width))
            self._told.append((np.array([row[2] for row in rows], np.uint32), np.array([row[3] for row in rows], np.uint32)))
            self._ids += [row[0] for row in rows]
            self._through = rows[-1][0]


def write(db: sqlite3.Connection, path: Path, base: int, end: int, width: int, extends: Path | None) -> int:
    """Writes the shard's vectors of this width into a new file, with its table; how many. `extends`: a file to add to, whose cells stay."""
    import faiss

    index = faiss.read_index(str(extends)) if extends else _trained(db, base, end, width)
    after = base - 1
    if extends:
        after = base + int(np.load(extends.with_suffix(".npy"), mmap_mode="r").shape[1]) - 1
    while rows := _rows(db, after, end, width):
        matrix = _matrix([row[1] for row in rows], width)
        index.add_with_ids(matrix, np.array([row[0] - base for row in rows], np.int64))
        after = rows[-1][0]
    _keep(index, path, _table(db, base, after + 1))
    return int(index.ntotal)


def through(path: Path, base: int) -> int:
    """The last passage that a file knows of."""
    return base + int(np.load(path.with_suffix(".npy"), mmap_mode="r").shape[1]) - 1


def _trained(db: sqlite3.Connection, base: int, end: int, width: int) -> "faiss.Index":
    """An empty index with cells fit for these vectors."""
    import faiss

    count = db.execute("SELECT count(*) FROM vectors WHERE id >= ? AND id < ? AND length(vector) = ?", (base, end, 2 * width)).fetchone()[0]
    step = max(count // (MOST_LISTS * TRAINED_WITH_A_LIST), 1)
    rows = db.execute(
        "SELECT vector FROM vectors WHERE id >= ? AND id < ? AND length(vector) = ? AND id % ? = ? % ?",
        (base, end, 2 * width, step, base, step),
    ).fetchall()
    lists = int(np.clip(min(count // VECTORS_A_LIST, len(rows) // 8), 1, MOST_LISTS))
    index = faiss.index_factory(width, f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    assert isinstance(index, faiss.IndexIVF)  # noqa: S101 - for the type checker
    index.cp.niter = 8
    index.cp.min_points_per_centroid = 1
    index.train(_matrix([row[0] for row in rows], width))
    return index


def _rows(db: sqlite3.Connection, after: int, end: int, width: int) -> list[tuple[int, bytes]]:
    return db.execute(
        "SELECT id, vector FROM vectors WHERE id > ? AND id < ? AND length(vector) = ? ORDER BY id LIMIT ?", (after, end, 2 * width, _CHUNK)
    ).fetchall()


def _table(db: sqlite3.Connection, base: int, end: int) -> Numbers:
    """Recording and flags of the passages from `base` to before `end`, by place; 0 where there is none."""
    table = np.zeros((2, end - base), np.uint32)
    for passage, recording, flags in db.execute("SELECT id, recording, flags FROM passages WHERE id >= ? AND id < ?", (base, end)):
        table[0, passage - base] = recording
        table[1, passage - base] = flags
    return table


def _keep(index: "faiss.Index", path: Path, table: Numbers) -> None:
    """Both files are whole on the disk before the caller names them."""
    import faiss

    faiss.write_index(index, str(path))
    np.save(path.with_suffix(".npy"), table)
    for written in (path, path.with_suffix(".npy")):
        with written.open("rb") as handle:
            os.fsync(handle.fileno())
