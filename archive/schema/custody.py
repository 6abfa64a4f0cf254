"""The custody log, what holds it (checkpoints, witnesses, time-stamps) and how long things must be kept."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from archive.schema.metadata import metadata

# Append-only: triggers in the migration refuse UPDATE and DELETE on both databases (G4).
custody_entries = Table(
    "custody_entries",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Index(None, "subject"),
)

# Signed heads of the log's Merkle tree. `note` is the signed text; `frontier` the roots of its perfect subtrees, largest first (hex).
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("frontier", JSON, nullable=False),
)

# Which witness has a copy of which checkpoint; `written_at_ms` stays empty while it can't be reached.
witness_copies = Table(
    "witness_copies",
    metadata,
    Column("tree_size", BigInteger, ForeignKey("checkpoints.tree_size"), primary_key=True),
    Column("witness", Text, primary_key=True),
    Column("written_at_ms", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("tried_at_ms", BigInteger),
    Column("last_error", Text),
)

# RFC 3161 time-stamps: of an admission (digest of its custody entry) or of a checkpoint (digest of its note). A renewal is a further row.
timestamps = Table(
    "timestamps",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("digest", Text, nullable=False, index=True),
    Column("renews", Integer, ForeignKey("timestamps.id")),
    Column("state", Text, nullable=False, index=True),
    Column("requested_at_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tried_at_ms", BigInteger),
    Column("last_error", Text),
    Column("authority", Text),
    Column("response", LargeBinary),
    Column("response_digest", Text),
    Column("gen_time_ms", BigInteger),
    Column("expires_at_ms", BigInteger),
    Column("algorithm", Text),
)

# How long a recording must be kept; a new computation is a further version, and none is earlier than the one before.
retentions = Table(
    "retentions",
    metadata,
    Column("recording_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
    Column("basis", JSON, nullable=False),
    Column("set_at_ms", BigInteger, nullable=False),
)

# Legal holds on a recording or a case; released ones stay, with who and why.
holds = Table(
    "holds",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("placed_at_ms", BigInteger, nullable=False),
    Column("released_by", Text),
    Column("released_at_ms", BigInteger),
    Column("release_reason", Text),
)

# What was purged: `digests` names every object of it, so that their absence is known to be lawful and a copy can still be recognised.
# `objects_gone_at_ms` is empty until the objects that nothing else names are removed from the store.
tombstones = Table(
    "tombstones",
    metadata,
    Column("subject_kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("purged_at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("basis", JSON, nullable=False),
    Column("digests", JSON, nullable=False),
    Column("objects_gone_at_ms", BigInteger),
)

# Keys of the digests that the custody log holds rows to: keyed, so that a digest shown to others gives no masked number away.
row_keys = Table(
    "row_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
