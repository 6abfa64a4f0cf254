"""Immutable pages of text on a Milvus server: written once under a name that never comes again, read by name, dropped by name or owner.

What is kept under a name never changes, so what was read once can be kept in memory.
"""

import base64
import threading
import zlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from search.indexes.milvus_server import Columns, Row, Server, one_of, quoted

PAGES = "pages"
_COLUMNS = Columns(texts={"page": 96, "owner": 512, "made": 64, "body": 65_535}, numbers=("pieces",), found_by=("page", "owner", "made"))
_PIECE = 60_000
_NAMES_AT_ONCE = 500
_MEMORY_BYTES = 64_000_000


class Pages:
    """Safe for threads. `owner`: whose a page is; `made`: the write that made it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._read: OrderedDict[str, str] = OrderedDict()
        self._size = 0
        server.ready(PAGES, _COLUMNS)

    def put(self, owner: str, made: str, pages: Mapping[str, str]) -> None:
        """Write pages by name. A page may be of any length: it is packed and cut into rows."""
        rows: list[Row] = []
        for page, text in pages.items():
            packed = base64.b64encode(zlib.compress(text.encode())).decode("ascii")
            pieces = [packed[at : at + _PIECE] for at in range(0, len(packed), _PIECE)]
            for number, piece in enumerate(pieces):
                rows.append({"id": f"{page}.{number}", "page": page, "owner": owner, "made": made, "body": piece, "pieces": len(pieces)})
        self._server.upsert(PAGES, rows)

    def get(self, names: Sequence[str]) -> dict[str, str]:
        """Pages by name; those that aren't there are left out."""
        found: dict[str, str] = {}
        with self._lock:
            for name in names:
                if name in self._read:
                    self._read.move_to_end(name)
                    found[name] = self._read[name]
        wanted = [name for name in dict.fromkeys(names) if name not in found]
        for start in range(0, len(wanted), _NAMES_AT_ONCE):
            found.update(self._fetch(wanted[start : start + _NAMES_AT_ONCE]))
        return found

    def _fetch(self, names: Sequence[str]) -> dict[str, str]:
        columns = ("page", "pieces", "body")
        pieces = {str(row["id"]): row for row in self._server.get(PAGES, [f"{name}.0" for name in names], columns)}
        further = [f"{row['page']}.{n}" for row in list(pieces.values()) for n in range(1, int(str(row["pieces"])))]
        pieces |= {str(row["id"]): row for row in self._server.get(PAGES, further, columns)} if further else {}
        found = {}
        for name in names:
            first = pieces.get(f"{name}.0")
            parts = [pieces.get(f"{name}.{n}") for n in range(int(str(first["pieces"])))] if first else []
            if parts and all(parts):
                packed = "".join(str(part["body"]) for part in parts if part)
                found[name] = zlib.decompress(base64.b64decode(packed)).decode()
        self._keep(found)
        return found

    def _keep(self, pages: Mapping[str, str]) -> None:
        with self._lock:
            for name, text in pages.items():
                if name not in self._read:
                    self._size += len(text)
                self._read[name] = text
            while self._size > _MEMORY_BYTES and self._read:
                self._size -= len(self._read.popitem(last=False)[1])

    def forget(self) -> None:
        """Nothing is kept in memory any longer."""
        with self._lock:
            self._read.clear()
            self._size = 0

    def drop(self, names: Sequence[str]) -> None:
        for start in range(0, len(names), _NAMES_AT_ONCE):
            self._server.delete(PAGES, one_of("page", names[start : start + _NAMES_AT_ONCE]))

    def drop_of(self, owner: str) -> None:
        self._server.delete(PAGES, f"owner == {quoted(owner)}")
        self.forget()

    def drop_made_by(self, made: str) -> None:
        self._server.delete(PAGES, f"made == {quoted(made)}")
