"""What a live room leaves behind: recordings that grow, clocks in pieces, chat that lags, screen text, checks of media, texts of records."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("recordings", sa.Column("kind", sa.Text(), nullable=True))
    op.add_column("recordings", sa.Column("live", sa.Boolean(), nullable=True))
    op.add_column("clock_maps", sa.Column("pieces", sa.JSON(), nullable=True))
    op.add_column("clock_maps", sa.Column("basis", sa.JSON(), nullable=True))
    op.add_column("clock_maps", sa.Column("made_at_ms", sa.BigInteger(), nullable=True))
    op.add_column("gaps", sa.Column("uncertainty_ms", sa.BigInteger(), nullable=True))
    op.add_column("messages", sa.Column("source_number", sa.Integer(), nullable=True))
    op.add_column("messages", sa.Column("order_id", sa.Text(), nullable=True))
    op.add_column("transcripts", sa.Column("continues", sa.Integer(), nullable=True))
    op.add_column("case_attachments", sa.Column("recording_id", sa.Text(), nullable=True))
    op.create_table(
        "source_clocks",
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("shift_ms", sa.BigInteger(), nullable=False),
        sa.Column("uncertainty_ms", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("basis", sa.JSON(), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id", "source"], ["sources.recording_id", "sources.number"], name=op.f("fk_source_clocks_recording_id_source")
        ),
        sa.PrimaryKeyConstraint("recording_id", "source", "version", name=op.f("pk_source_clocks")),
    )
    op.create_table(
        "media_checks",
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id", "part"], ["parts.recording_id", "parts.number"], name=op.f("fk_media_checks_recording_id_part")
        ),
        sa.PrimaryKeyConstraint("recording_id", "part", "version", name=op.f("pk_media_checks")),
    )
    op.create_table(
        "screen_readings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("model_digest", sa.Text(), nullable=True),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id", "part"], ["parts.recording_id", "parts.number"], name=op.f("fk_screen_readings_recording_id_part")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screen_readings")),
        sa.UniqueConstraint("recording_id", "part", "version", name=op.f("uq_screen_readings_recording_id_part_version")),
    )
    op.create_table(
        "screen_texts",
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("start_ms", sa.BigInteger(), nullable=False),
        sa.Column("end_ms", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("box", sa.JSON(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["reading_id"], ["screen_readings.id"], name=op.f("fk_screen_texts_reading_id")),
        sa.PrimaryKeyConstraint("reading_id", "number", name=op.f("pk_screen_texts")),
    )
    op.create_table(
        "record_readings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("attachment", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("model_digest", sa.Text(), nullable=True),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id", "attachment"], ["case_attachments.case_id", "case_attachments.number"], name=op.f("fk_record_readings_case_id_attachment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record_readings")),
        sa.UniqueConstraint("case_id", "attachment", "version", name=op.f("uq_record_readings_case_id_attachment_version")),
    )
    op.create_table(
        "record_texts",
        sa.Column("reading_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("place", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["reading_id"], ["record_readings.id"], name=op.f("fk_record_texts_reading_id")),
        sa.PrimaryKeyConstraint("reading_id", "number", name=op.f("pk_record_texts")),
    )
