"""The catalog as it first was: recordings, chat, shelf, transcripts, cases, custody log with its guard triggers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('cases',
        sa.Column('id', sa.Text(), nullable=False),
        sa.Column('title', sa.Text(), nullable=False),
        sa.Column('problem_class', sa.Text(), nullable=True),
        sa.Column('complaint', sa.Text(), nullable=False),
        sa.Column('demand', sa.Text(), nullable=True),
        sa.Column('order', sa.JSON(), nullable=False),
        sa.Column('product_id', sa.Text(), nullable=True),
        sa.Column('status', sa.Text(), nullable=False),
        sa.Column('opened_at_ms', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_cases'))
        )
    op.create_table('custody_entries',
        sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('at_ms', sa.BigInteger(), nullable=False),
        sa.Column('actor', sa.Text(), nullable=False),
        sa.Column('action', sa.Text(), nullable=False),
        sa.Column('subject', sa.Text(), nullable=False),
        sa.Column('detail', sa.Text(), nullable=False),
        sa.Column('previous', sa.Text(), nullable=False),
        sa.Column('digest', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('seq', name=op.f('pk_custody_entries')),
        sa.UniqueConstraint('digest', name=op.f('uq_custody_entries_digest'))
        )
    op.create_index(op.f('ix_custody_entries_subject'), 'custody_entries', ['subject'], unique=False)
    op.create_table('recordings',
        sa.Column('id', sa.Text(), nullable=False),
        sa.Column('platform', sa.Text(), nullable=True),
        sa.Column('room', sa.Text(), nullable=True),
        sa.Column('host', sa.Text(), nullable=True),
        sa.Column('title', sa.Text(), nullable=True),
        sa.Column('started_at_ms', sa.BigInteger(), nullable=True),
        sa.Column('duration_ms', sa.BigInteger(), nullable=False),
        sa.Column('admitted_at_ms', sa.BigInteger(), nullable=False),
        sa.CheckConstraint('duration_ms >= 0', name=op.f('ck_recordings_duration')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_recordings'))
        )
    op.create_table('case_moments',
        sa.Column('case_id', sa.Text(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('recording_id', sa.Text(), nullable=False),
        sa.Column('start_ms', sa.BigInteger(), nullable=False),
        sa.Column('end_ms', sa.BigInteger(), nullable=False),
        sa.Column('quote', sa.Text(), nullable=False),
        sa.Column('purpose', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('fk_case_moments_case_id')),
        sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_case_moments_recording_id')),
        sa.PrimaryKeyConstraint('case_id', 'number', name=op.f('pk_case_moments'))
        )
    op.create_table('gaps',
        sa.Column('recording_id', sa.Text(), nullable=False),
        sa.Column('start_ms', sa.BigInteger(), nullable=False),
        sa.Column('end_ms', sa.BigInteger(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_gaps_recording_id')),
        sa.PrimaryKeyConstraint('recording_id', 'start_ms', name=op.f('pk_gaps'))
        )
    op.create_table('messages',
        sa.Column('recording_id', sa.Text(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('at_ms', sa.BigInteger(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('author', sa.Text(), nullable=True),
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('raw_offset', sa.Text(), nullable=True),
        sa.Column('raw_wall', sa.Text(), nullable=True),
        sa.Column('uncertainty_ms', sa.BigInteger(), nullable=False),
        sa.Column('source', sa.Text(), nullable=False),
        sa.Column('recalled', sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_messages_recording_id')),
        sa.PrimaryKeyConstraint('recording_id', 'number', name=op.f('pk_messages'))
        )
    op.create_index(op.f('ix_messages_recording_id_at_ms'), 'messages', ['recording_id', 'at_ms'], unique=False)
    op.create_table('packages',
        sa.Column('id', sa.Text(), nullable=False),
        sa.Column('case_id', sa.Text(), nullable=False),
        sa.Column('digest', sa.Text(), nullable=False),
        sa.Column('size_bytes', sa.BigInteger(), nullable=False),
        sa.Column('built_at_ms', sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('fk_packages_case_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_packages'))
        )
    op.create_table('parts',
        sa.Column('recording_id', sa.Text(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('digest', sa.Text(), nullable=False),
        sa.Column('size_bytes', sa.BigInteger(), nullable=False),
        sa.Column('file_name', sa.Text(), nullable=False),
        sa.Column('duration_ms', sa.BigInteger(), nullable=False),
        sa.Column('container', sa.Text(), nullable=False),
        sa.Column('probe', sa.JSON(), nullable=False),
        sa.Column('damage', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_parts_recording_id')),
        sa.PrimaryKeyConstraint('recording_id', 'number', name=op.f('pk_parts'))
        )
    op.create_index(op.f('ix_parts_digest'), 'parts', ['digest'], unique=False)
    op.create_table('product_events',
        sa.Column('recording_id', sa.Text(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('event', sa.Text(), nullable=False),
        sa.Column('product_id', sa.Text(), nullable=False),
        sa.Column('at_ms', sa.BigInteger(), nullable=False),
        sa.Column('source', sa.Text(), nullable=False),
        sa.Column('inferred', sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_product_events_recording_id')),
        sa.PrimaryKeyConstraint('recording_id', 'number', name=op.f('pk_product_events'))
        )
    op.create_table('products',
        sa.Column('recording_id', sa.Text(), nullable=False),
        sa.Column('product_id', sa.Text(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('title', sa.Text(), nullable=False),
        sa.Column('shelf_no', sa.Text(), nullable=True),
        sa.Column('aliases', sa.JSON(), nullable=False),
        sa.Column('price_minor', sa.BigInteger(), nullable=True),
        sa.Column('currency', sa.Text(), nullable=False),
        sa.Column('listing_text', sa.Text(), nullable=False),
        sa.Column('more', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_products_recording_id')),
        sa.PrimaryKeyConstraint('recording_id', 'product_id', name=op.f('pk_products'))
        )
    op.create_table('sources',
        sa.Column('recording_id', sa.Text(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('role', sa.Text(), nullable=False),
        sa.Column('digest', sa.Text(), nullable=False),
        sa.Column('size_bytes', sa.BigInteger(), nullable=False),
        sa.Column('file_name', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_sources_recording_id')),
        sa.PrimaryKeyConstraint('recording_id', 'number', name=op.f('pk_sources'))
        )
    op.create_index(op.f('ix_sources_digest'), 'sources', ['digest'], unique=False)
    op.create_table('transcripts',
        sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
        sa.Column('recording_id', sa.Text(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('engine', sa.Text(), nullable=False),
        sa.Column('engine_version', sa.Text(), nullable=False),
        sa.Column('model', sa.Text(), nullable=False),
        sa.Column('model_digest', sa.Text(), nullable=True),
        sa.Column('parameters', sa.JSON(), nullable=False),
        sa.Column('created_at_ms', sa.BigInteger(), nullable=False),
        sa.Column('speech', sa.JSON(), nullable=False),
        sa.Column('skipped', sa.JSON(), nullable=False),
        sa.Column('digest', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['recording_id'], ['recordings.id'], name=op.f('fk_transcripts_recording_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_transcripts')),
        sa.UniqueConstraint('recording_id', 'version', name=op.f('uq_transcripts_recording_id_version'))
        )
    op.create_table('clock_maps',
        sa.Column('recording_id', sa.Text(), nullable=False),
        sa.Column('part', sa.Integer(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('starts_at_ms', sa.BigInteger(), nullable=False),
        sa.Column('wall_start_ms', sa.BigInteger(), nullable=True),
        sa.Column('uncertainty_ms', sa.BigInteger(), nullable=False),
        sa.Column('method', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['recording_id', 'part'], ['parts.recording_id', 'parts.number'], name=op.f('fk_clock_maps_recording_id_part')),
        sa.PrimaryKeyConstraint('recording_id', 'part', 'version', name=op.f('pk_clock_maps'))
        )
    op.create_table('segments',
        sa.Column('transcript_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('part', sa.Integer(), nullable=True),
        sa.Column('start_ms', sa.BigInteger(), nullable=False),
        sa.Column('end_ms', sa.BigInteger(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('words', sa.JSON(), nullable=False),
        sa.Column('risk', sa.JSON(), nullable=False),
        sa.Column('confidence', sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(['transcript_id'], ['transcripts.id'], name=op.f('fk_segments_transcript_id')),
        sa.PrimaryKeyConstraint('transcript_id', 'number', name=op.f('pk_segments'))
        )
    _guard_custody_log()


def _guard_custody_log() -> None:
    """Nobody updates or deletes a custody entry through the database."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER custody_entries_no_{act.lower()} BEFORE {act} ON custody_entries "
                "BEGIN SELECT RAISE(ABORT, 'the custody log is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION custody_entries_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the custody log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER custody_entries_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON custody_entries "
        "FOR EACH STATEMENT EXECUTE FUNCTION custody_entries_append_only()"
    )
