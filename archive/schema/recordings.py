"""Live sessions as they were admitted: parts with their clocks, gaps, chat, shelf and the files beside the media."""

from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Integer, Table, Text

from archive.schema.metadata import SINCE_0003, metadata

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
    # What it is of: NULL is a live session; "call" a video call that belongs to a case.
    Column("kind", Text, info=SINCE_0003),
    # True while a capture still adds parts to it.
    Column("live", Boolean, info=SINCE_0003),
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
    # Where one offset does not do for the whole part: its pieces in order of media time; see archive/timeline.py.
    Column("pieces", JSON, info=SINCE_0003),
    # What the estimate rests on: anchors, samples, residuals, who asked for it.
    Column("basis", JSON, info=SINCE_0003),
    Column("made_at_ms", BigInteger, info=SINCE_0003),
    ForeignKeyConstraint(["recording_id", "part"], ["parts.recording_id", "parts.number"]),
)

gaps = Table(
    "gaps",
    metadata,
    Column("recording_id", Text, ForeignKey("recordings.id"), primary_key=True),
    Column("start_ms", BigInteger, primary_key=True),
    Column("end_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("uncertainty_ms", BigInteger, info=SINCE_0003),
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
    # Which of the recording's sources it came in (`sources.number`), and the order an IM log names.
    Column("source_number", Integer, info=SINCE_0003),
    Column("order_id", Text, info=SINCE_0003),
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

# How far a chat file's times lie from the media's: `shift_ms` is added to its messages' `at_ms`. The newest version holds; none goes.
source_clocks = Table(
    "source_clocks",
    metadata,
    Column("recording_id", Text, primary_key=True),
    Column("source", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("shift_ms", BigInteger, nullable=False),
    Column("uncertainty_ms", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("basis", JSON, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
    ForeignKeyConstraint(["recording_id", "source"], ["sources.recording_id", "sources.number"]),
)

# What decoding found in a part: `findings` name what is damaged and where. A further check is a further version.
media_checks = Table(
    "media_checks",
    metadata,
    Column("recording_id", Text, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("method", Text, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("made_at_ms", BigInteger, nullable=False),
    ForeignKeyConstraint(["recording_id", "part"], ["parts.recording_id", "parts.number"]),
)
