"""What was read out of the media: transcripts and screen text, each a version with its provenance."""

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, ForeignKeyConstraint, Integer, Table, Text, UniqueConstraint

from archive.schema.metadata import SINCE_0003, SINCE_0004, metadata

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
    # The version whose segments this one keeps and adds to; its own rows are the added ones only.
    Column("continues", Integer, info=SINCE_0003),
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
    # Who spoke, as told apart by voice; what a second recogniser heard instead.
    Column("speaker", Text, info=SINCE_0004),
    Column("heard_otherwise", Text, info=SINCE_0004),
)

# One reading of a part's pictures; `frames` is how many were looked at.
screen_readings = Table(
    "screen_readings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("recording_id", Text, nullable=False),
    Column("part", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("engine", Text, nullable=False),
    Column("engine_version", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("model_digest", Text),
    Column("parameters", JSON, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("frames", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    ForeignKeyConstraint(["recording_id", "part"], ["parts.recording_id", "parts.number"]),
    UniqueConstraint("recording_id", "part", "version"),
)

# A line of text for as long as it stood there, on the recording's time line. `box`: [left, top, width, height] as shares of the picture.
screen_texts = Table(
    "screen_texts",
    metadata,
    Column("reading_id", Integer, ForeignKey("screen_readings.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("box", JSON, nullable=False),
    Column("confidence", Float),
)
