"""One Milvus server as this program uses it: collections by name, rows in and out, every call with a time limit and a plain error.

Only what Milvus and Milvus Lite both do is used: no filter templates, no analysers of the server, values quoted by hand.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog

from search.errors import IndexUnavailable
from search.settings import SearchSettings

if TYPE_CHECKING:
    from pymilvus import MilvusClient

_log = structlog.get_logger(__name__)

Row = dict[str, object]
_T = TypeVar("_T")
# Milvus takes 65,535 bytes in a VARCHAR and gives at most 16,384 rows to a query.
LONGEST_TEXT = 65_535
MOST_ROWS = 16_384
_ROWS_AT_ONCE, _BYTES_AT_ONCE = 1_000, 8_000_000
_KEYS_AT_ONCE = 2_000
_ID_BYTES = 512


@dataclass(frozen=True, slots=True)
class MilvusPlace:
    """Where the collections are. `prefix`: what their names begin with. Times in seconds; `fresh`: how old what is known may be."""

    uri: str
    token: str = field(default="", repr=False)
    database: str = "default"
    prefix: str = "liveproof"
    call_seconds: float = 10.0
    fresh_seconds: float = 1.0
    vector_index: str = "AUTOINDEX"


def milvus_place(settings: SearchSettings) -> MilvusPlace | None:
    """Where the settings put the index. None: it is the embedded one. IndexUnavailable if they name neither that nor a server."""
    if settings.search_index == "embedded":
        return None
    if not settings.search_index.startswith(("http://", "https://")):
        raise IndexUnavailable(
            f"LIVEPROOF_SEARCH_INDEX is {settings.search_index!r}: set it to embedded, or to a Milvus server's address, http(s)://host:port"
        )
    return MilvusPlace(
        settings.search_index,
        settings.milvus_token.get_secret_value(),
        settings.milvus_database,
        settings.milvus_prefix,
        settings.milvus_call_seconds,
        settings.milvus_fresh_seconds,
        settings.milvus_vector_index,
    )


@dataclass(frozen=True, slots=True)
class Columns:
    """A collection's columns beside its key `id`: texts and numbers by name; those in `found_by` are indexed.

    Exactly one of `terms` (a sparse vector), `width` (a dense vector of that length) makes the vector; 0 stands for a collection that is
    never searched by one: Milvus wants a vector in every collection, so it has a small one that says nothing.
    """

    texts: Mapping[str, int]
    numbers: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    found_by: tuple[str, ...] = ()
    terms: bool = False
    width: int = 0
    number_key: bool = False


def quoted(value: str) -> str:
    """A string as it stands in an expression. ValueError for control characters: none of our names has any."""
    if any(ord(character) < 32 for character in value):
        raise ValueError("control character in a name")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def one_of(column: str, values: Sequence[str], *, negate: bool = False) -> str:
    return f"{column} {'not in' if negate else 'in'} [{', '.join(map(quoted, values))}]"


class Server:
    """The archive's collections on a server. Safe for threads. IndexUnavailable from every method, with what to do about it."""

    def __init__(self, place: MilvusPlace) -> None:
        self._place = place
        self._ready: dict[str, Columns] = {}
        try:
            import pymilvus
        except ImportError as error:
            raise IndexUnavailable(
                "LIVEPROOF_SEARCH_INDEX names a Milvus server, but pymilvus is not installed: pip install 'liveproof[milvus]', "
                "or set it to embedded"
            ) from error
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what it would print with tracebacks is told in our errors
        self._pymilvus = pymilvus
        self._client: MilvusClient = self._call(
            lambda: pymilvus.MilvusClient(uri=place.uri, token=place.token, db_name=place.database, timeout=place.call_seconds)
        )

    def _call(self, act: Callable[[], _T]) -> _T:
        import grpc  # type: ignore[import-untyped]

        try:
            return act()
        except (self._pymilvus.exceptions.MilvusException, grpc.RpcError, grpc.FutureTimeoutError, ConnectionError, TimeoutError) as error:
            reason = str(getattr(error, "message", "") or error).strip()[:300]
            raise IndexUnavailable(
                f"the Milvus server at {self._place.uri} (database {self._place.database}, collections {self._place.prefix}_…) does not do "
                f"what was asked ({reason}): start it, or mend LIVEPROOF_SEARCH_INDEX, LIVEPROOF_MILVUS_TOKEN or the database's name; "
                "the archive holds all that is needed to index again"
            ) from error

    def name(self, kind: str) -> str:
        return f"{self._place.prefix}_{kind}"

    def ready(self, kind: str, columns: Columns) -> None:
        """Make the collection if there is none, and have it loaded."""
        if kind in self._ready:
            return
        name, seconds = self.name(kind), self._place.call_seconds
        if not self._call(lambda: self._client.has_collection(name, timeout=seconds)):
            try:
                self._call(partial(self._make, name, columns))
            except IndexUnavailable:
                # Another process may have made it between the question and the act.
                if not self._call(lambda: self._client.has_collection(name, timeout=seconds)):
                    raise
        self._call(lambda: self._client.load_collection(name, timeout=seconds))
        self._ready[kind] = columns

    def _make(self, name: str, columns: Columns) -> None:
        data = self._pymilvus.DataType
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        if columns.number_key:
            schema.add_field("id", data.INT64, is_primary=True)
        else:
            schema.add_field("id", data.VARCHAR, max_length=_ID_BYTES, is_primary=True)
        for column, size in columns.texts.items():
            schema.add_field(column, data.VARCHAR, max_length=size)
        for column in columns.numbers:
            schema.add_field(column, data.INT64)
        for column in columns.flags:
            schema.add_field(column, data.BOOL)
        for column in columns.lists:
            schema.add_field(column, data.ARRAY, element_type=data.VARCHAR, max_capacity=64, max_length=64)
        index = self._client.prepare_index_params()
        if columns.terms:
            schema.add_field("vector", data.SPARSE_FLOAT_VECTOR)
            index.add_index("vector", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
        elif columns.width:
            schema.add_field("vector", data.FLOAT_VECTOR, dim=columns.width)
            index.add_index("vector", index_type=self._place.vector_index, metric_type="COSINE")
        else:
            schema.add_field("vector", data.FLOAT_VECTOR, dim=2)
            index.add_index("vector", index_type="FLAT", metric_type="L2")
        for column in columns.found_by:
            index.add_index(column, index_type="INVERTED")
        seconds = self._place.call_seconds
        self._client.create_collection(name, schema=schema, consistency_level="Bounded", timeout=seconds)
        # Without waiting: nothing is in it yet, and pymilvus would ask only once a second.
        self._client.create_index(name, index, sync=False, timeout=seconds)
        _log.info("milvus_collection_made", collection=name)

    def has(self, kind: str) -> bool:
        return self._call(lambda: bool(self._client.has_collection(self.name(kind), timeout=self._place.call_seconds)))

    def kinds(self) -> list[str]:
        """What collections of this prefix there are, without it."""
        names: list[str] = self._call(lambda: self._client.list_collections(timeout=self._place.call_seconds))
        head = f"{self._place.prefix}_"
        return sorted(name[len(head) :] for name in names if name.startswith(head))

    def drop(self, kind: str) -> None:
        self._call(lambda: self._client.drop_collection(self.name(kind), timeout=self._place.call_seconds))
        self._ready.pop(kind, None)

    def upsert(self, kind: str, rows: Sequence[Row]) -> None:
        """Write rows, in requests that stay under the server's limits."""
        columns = self._ready[kind]
        if not (columns.terms or columns.width):
            rows = [{**row, "vector": [0.0, 0.0]} for row in rows]
        for batch in _batches(rows):
            self._call(partial(self._client.upsert, self.name(kind), batch, timeout=self._place.call_seconds))

    def get(self, kind: str, keys: Sequence[str] | Sequence[int], columns: Sequence[str], *, strong: bool = True) -> list[Row]:
        """Rows by key; those that aren't there are left out."""
        found: list[Row] = []
        level = "Strong" if strong else "Bounded"
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            act = partial(
                self._client.query,
                self.name(kind),
                ids=list(keys[start : start + _KEYS_AT_ONCE]),
                output_fields=["id", *columns],
                consistency_level=level,
                timeout=self._place.call_seconds,
            )
            found.extend(dict(row) for row in self._call(act))
        return found

    def rows(self, kind: str, where: str, columns: Sequence[str]) -> Iterator[Row]:
        """All rows that an expression passes, however many. It must not be empty."""
        iterator = self._call(
            lambda: self._client.query_iterator(
                self.name(kind),
                batch_size=_ROWS_AT_ONCE,
                filter=where,
                output_fields=["id", *columns],
                consistency_level="Strong",
                timeout=self._place.call_seconds,
            )
        )
        try:
            while batch := self._call(iterator.next):
                yield from (dict(row) for row in batch)
        finally:
            iterator.close()

    def search(self, kind: str, vector: object, where: str, limit: int, columns: Sequence[str], *, strong: bool) -> list[tuple[float, Row]]:
        """Rows by inner product (terms) or cosine (dense), best first: (score, row)."""
        dense = not self._ready[kind].terms
        found = self._call(
            lambda: self._client.search(
                self.name(kind),
                data=[vector],
                anns_field="vector",
                filter=where,
                limit=min(limit, MOST_ROWS),
                output_fields=list(columns),
                search_params={"metric_type": "COSINE" if dense else "IP"},
                consistency_level="Strong" if strong else "Bounded",
                timeout=self._place.call_seconds,
            )
        )
        return [(float(hit["distance"]), dict(hit["entity"])) for hit in found[0]]

    def delete(self, kind: str, where: str) -> None:
        """Delete what an expression passes."""
        self._call(lambda: self._client.delete(self.name(kind), filter=where, timeout=self._place.call_seconds))

    def compact(self, wait_s: float) -> bool:
        """Ask that deleted rows be thrown out of the segments that hold them, in all collections. Whether the server says within `wait_s`
        that this was done; it limits how often it may be asked."""
        deadline = time.monotonic() + wait_s
        under_way: list[int] = []
        for kind in self.kinds():
            try:
                self._call(partial(self._client.flush, self.name(kind), timeout=self._place.call_seconds))
                under_way.append(self._call(partial(self._client.compact, self.name(kind), timeout=self._place.call_seconds)))
            except IndexUnavailable as error:
                _log.warning("milvus_compaction_refused", collection=self.name(kind), reason=str(error))
                return False
        while True:
            states = [self._call(partial(self._client.get_compaction_state, job, timeout=self._place.call_seconds)) for job in under_way]
            if all(state == "Completed" for state in states):
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.2)

    def close(self) -> None:
        self._client.close()


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        weight = sum(len(value) * (12 if not isinstance(value, str) else 1) for value in row.values() if hasattr(value, "__len__")) + 64
        if batch and (len(batch) >= _ROWS_AT_ONCE or size + weight > _BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += weight
    if batch:
        yield batch
