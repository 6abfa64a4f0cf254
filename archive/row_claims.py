"""What the custody log says of the catalog's rows: an entry that writes rows claims their digest, and the newest claim must hold (G2).

A claim is {"table", "of": the columns that choose the rows, "rows": how many, "digest"}, with

    digest = HMAC-SHA-256(key, canonical JSON of [column names, then each row's stored values in the order of the primary key])

A column that a later migration added (`info["since"]`) stands in neither list; where it isn't NULL, {its name: its value} ends the row. So
claims made before the migration hold, and putting a value in later breaks them. The digest is
over the values as they are stored, not as they are read, so that a changed space inside a JSON column shows as well. It is keyed, because
entries leave the archive inside packages: an unkeyed digest of a complaint would let anyone try phone numbers until one fits (G9). The key
is in the catalog beside the rows; it keeps secrets from strangers, and the chain of entries, not the key, keeps the rows from operators.
"""

import hashlib
import hmac
import json
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from sqlalchemy import JSON, ColumnElement, Connection, Table, Text, cast, func, select, type_coerce
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import NullType

from archive import schema
from archive.custody import CustodyEntry
from archive.digest import Json, canonical_json
from archive.errors import VerificationFailed

KEY_NAME, KEY_BYTES = "row digests", 32
# A transcript of ten hours has rows enough to fill memory.
_ROWS_AT_ONCE = 500

CLAIMED: tuple[Table, ...] = (
    schema.recordings,
    schema.parts,
    schema.clock_maps,
    schema.gaps,
    schema.sources,
    schema.source_clocks,
    schema.media_checks,
    schema.messages,
    schema.products,
    schema.product_events,
    schema.transcripts,
    schema.segments,
    schema.screen_readings,
    schema.screen_texts,
    schema.cases,
    schema.case_moments,
    schema.case_attachments,
    schema.case_steps,
    schema.record_readings,
    schema.record_texts,
    schema.packages,
    schema.reveals,
    schema.retentions,
    schema.holds,
    schema.tombstones,
)
"""Tables every row of which some custody entry claims."""

Scope: TypeAlias = tuple[tuple[str, str | int], ...]


def claim(connection: Connection, table: Table, **of: str | int) -> dict[str, Json]:
    """Claim the rows of `table` whose columns equal `of`, as this transaction sees them: put it into the entry's detail under `rows`.

    Claims of one table must choose disjoint rows, always by the same columns. Where rows are changed rather than added, take the log's
    turn (`CustodyLog.queue`) before changing them. No rows are claimed as well: that is how a removal is logged.
    """
    count, digest = _digest(connection, _key(connection, make=True), table, of)
    return {"table": table.name, "of": dict(of), "rows": count, "digest": digest}


def broken_claims(connection: Connection, entries: Iterable[CustodyEntry]) -> Iterator[tuple[str, str]]:
    """(what, what is wrong with it) for every newest claim that doesn't hold, and for every table with rows that no claim covers."""
    newest: dict[tuple[str, Scope], tuple[int, Mapping[str, Json]]] = {}
    for entry in entries:
        for claimed in _claims_in(entry):
            newest[str(claimed["table"]), _scope(claimed["of"])] = entry.seq, claimed
    key = _key(connection, make=False)
    covered: dict[str, int] = defaultdict(int)
    for (name, scope), (seq, claimed) in newest.items():
        table = schema.metadata.tables[name]
        count, digest = _digest(connection, key, table, dict(scope))
        covered[name] += count
        if digest != claimed["digest"] or count != claimed["rows"]:
            chosen = ", ".join(f"{column} {value}" for column, value in scope)
            yield f"{name} ({chosen})", f"{_plural(count)} not as custody entry {seq} has them: changed, added or removed past the log"
    for table in CLAIMED:
        held = connection.execute(select(func.count()).select_from(table)).scalar_one()
        if held != covered[table.name]:
            yield table.name, f"{_plural(held)} held, the custody log speaks of {covered[table.name]}: slipped in, or moved past the log"


def count_claimed(connection: Connection) -> int:
    """How many rows the tables of `CLAIMED` hold."""
    return sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in CLAIMED)


def _claims_in(entry: CustodyEntry) -> Iterator[Mapping[str, Json]]:
    detail = json.loads(entry.detail)
    rows = detail.get("rows") if isinstance(detail, dict) else None
    yield from (claimed for claimed in rows or () if isinstance(claimed, dict))


def _scope(of: Json) -> Scope:
    chosen = of.items() if isinstance(of, Mapping) else ()
    return tuple(sorted((column, value) for column, value in chosen if isinstance(value, str | int)))


def _digest(connection: Connection, key: bytes, table: Table, of: Mapping[str, str | int]) -> tuple[int, str]:
    stored = [_as_stored(connection, column).label(column.name) for column in table.c]
    query = select(*stored).order_by(*table.primary_key.columns)
    for name, value in of.items():
        query = query.where(table.c[name] == value)
    first = [column.name for column in table.c if "since" not in column.info]
    added = [column.name for column in table.c if "since" in column.info]
    keyed = hmac.new(key, canonical_json(list[Json](first)), hashlib.sha256)
    count = 0
    for row in connection.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)).mappings():
        values = [_plain(row[name]) for name in first]
        since: dict[str, Json] = {name: _plain(row[name]) for name in added if row[name] is not None}
        keyed.update(b"\n" + canonical_json([*values, since] if since else values))
        count += 1
    return count, "hmac-sha256:" + keyed.hexdigest()


def _as_stored(connection: Connection, column: ColumnElement[object]) -> ColumnElement[object]:
    if connection.dialect.name == "postgresql":
        return cast(column, Text) if isinstance(column.type, JSON) else column
    return type_coerce(column, NullType())


def _plain(value: object) -> Json:
    """A stored value in a form that both databases share and that tells 1 from "1"."""
    if isinstance(value, bytes | memoryview):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, str | int | float):
        return value
    raise VerificationFailed(f"a row holds a value of an unexpected kind: {type(value).__name__}")


def _key(connection: Connection, make: bool) -> bytes:
    query = select(schema.row_keys.c.value).where(schema.row_keys.c.name == KEY_NAME)
    found = connection.execute(query).scalar()
    if found is None and make:
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        made = kind.insert(schema.row_keys).values(name=KEY_NAME, value=secrets.token_bytes(KEY_BYTES))
        connection.execute(made.on_conflict_do_nothing())
        found = connection.execute(query).scalar()
    return bytes(found) if found is not None else b""


def _plural(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"
