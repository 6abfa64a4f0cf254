"""The catalog's tables. Times ending in `_ms` are milliseconds: wall-clock ones since 1970 UTC, the others on the recording's time line."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("platform", Text),
    Column("room", Text),
    Column("host", Text),
    Column("title", Text),
    Column("started_at_ms", BigInteger),
    Column("duration_ms", BigInteger, nullable=False),
    Column("admitted_at_ms", BigInteger, nullable=False),
    CheckConstraint("duration_ms >= 0", name="duration"),
)

parts = Table(
    "parts",
    metadata,
    Column("recording_id", Text, ForeignKey("recordings.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("digest", Text, nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("duration_ms", BigInteger, nullable=False),
    Column("container", Text, nullable=False),
    Column("probe", JSON, nullable=False),
    Column("damage", JSON, nullable=False),
)

# A new estimate of a clock is a further version; none is overwritten.
clock_maps = Table(
    "clock_maps",
    metadata,
    Column("recording_id", Text, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("starts_at_ms", BigInteger, nullable=False),
    Column("wall_start_ms", BigInteger),
    Column("uncertainty_ms", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    ForeignKeyConstraint(["recording_id", "part"], ["parts.recording_id", "parts.number"]),
)

gaps = Table(
    "gaps",
    metadata,
    Column("recording_id", Text, ForeignKey("recordings.id"), primary_key=True),
    Column("start_ms", BigInteger, primary_key=True),
    Column("end_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
)

# Every file that came in beside the media, kept as it came: chat, captions, products, product_events.
sources = Table(
    "sources",
    metadata,
    Column("recording_id", Text, ForeignKey("recordings.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("role", Text, nullable=False),
    Column("digest", Text, nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("file_name", Text, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("recording_id", Text, ForeignKey("recordings.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("author", Text),
    Column("kind", Text, nullable=False),
    Column("raw_offset", Text),
    Column("raw_wall", Text),
    Column("uncertainty_ms", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("recalled", Boolean, nullable=False),
    Index(None, "recording_id", "at_ms"),
)

products = Table(
    "products",
    metadata,
    Column("recording_id", Text, ForeignKey("recordings.id"), primary_key=True),
    Column("product_id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("shelf_no", Text),
    Column("aliases", JSON, nullable=False),
    Column("price_minor", BigInteger),
    Column("currency", Text, nullable=False),
    Column("listing_text", Text, nullable=False),
    Column("more", JSON, nullable=False),
)

product_events = Table(
    "product_events",
    metadata,
    Column("recording_id", Text, ForeignKey("recordings.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("event", Text, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("source", Text, nullable=False),
    Column("inferred", Boolean, nullable=False),
)

transcripts = Table(
    "transcripts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("recording_id", Text, ForeignKey("recordings.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("engine", Text, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("model_digest", Text),
    Column("parameters", JSON, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("speech", JSON, nullable=False),
    Column("skipped", JSON, nullable=False),
    Column("digest", Text, nullable=False),
    Column("salt", Text),
    UniqueConstraint("recording_id", "version"),
)

segments = Table(
    "segments",
    metadata,
    Column("transcript_id", Integer, ForeignKey("transcripts.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("part", Integer),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("words", JSON, nullable=False),
    Column("risk", JSON, nullable=False),
    Column("confidence", Float),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("problem_class", Text),
    Column("complaint", Text, nullable=False),
    Column("demand", Text),
    Column("order", JSON, nullable=False),
    Column("product_id", Text),
    Column("status", Text, nullable=False),
    Column("opened_at_ms", BigInteger, nullable=False),
)

case_moments = Table(
    "case_moments",
    metadata,
    Column("case_id", Text, ForeignKey("cases.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("recording_id", Text, ForeignKey("recordings.id"), nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("quote", Text, nullable=False),
    Column("purpose", Text, nullable=False),
)

packages = Table(
    "packages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("case_id", Text, ForeignKey("cases.id"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("built_at_ms", BigInteger, nullable=False),
)

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

# What else a case rests on: IM log, outbound and inspection records, logistics, sign-off, photos, documents. Withdrawn ones stay.
case_attachments = Table(
    "case_attachments",
    metadata,
    Column("case_id", Text, ForeignKey("cases.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("digest", Text, nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("withheld", Boolean, nullable=False),
    Column("added_at_ms", BigInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("withdrawn_at_ms", BigInteger),
    Column("withdrawn_by", Text),
    Column("withdrawn_reason", Text),
)

# How a case went on: each step names the stage it led to.
case_steps = Table(
    "case_steps",
    metadata,
    Column("case_id", Text, ForeignKey("cases.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("stage", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("detail", JSON, nullable=False),
)

# Whose name of a case's chat was shown, to whom it may concern and why: only the complainant's. The name itself is not kept here.
reveals = Table(
    "reveals",
    metadata,
    Column("case_id", Text, ForeignKey("cases.id"), primary_key=True),
    Column("pseudonym", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

# Keys of the digests that the custody log holds rows to: keyed, so that a digest shown to others gives no masked number away.
row_keys = Table(
    "row_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
