"""Cases with what they rest on, how they went on, and what was built and read for them."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, ForeignKeyConstraint, Integer, Table, Text, UniqueConstraint

from archive.schema.metadata import SINCE_0003, metadata

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
    # The recording that a call's video was admitted as.
    Column("recording_id", Text, info=SINCE_0003),
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

# The text of an attachment as a machine read it. A further reading is a further version; the attachment itself is what is evidence.
record_readings = Table(
    "record_readings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case_id", Text, nullable=False),
    Column("attachment", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("engine", Text, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("model_digest", Text),
    Column("parameters", JSON, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("digest", Text, nullable=False),
    ForeignKeyConstraint(["case_id", "attachment"], ["case_attachments.case_id", "case_attachments.number"]),
    UniqueConstraint("case_id", "attachment", "version"),
)

# Pieces of that text in reading order. `place` says where: page, sheet and row, line, box, speaker, time.
record_texts = Table(
    "record_texts",
    metadata,
    Column("reading_id", Integer, ForeignKey("record_readings.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("place", JSON, nullable=False),
    Column("text", Text, nullable=False),
    Column("confidence", Float),
)
