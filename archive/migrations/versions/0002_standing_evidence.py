"""What lets evidence stand: signed checkpoints, witnesses, time-stamps, retention, holds, tombstones, attachments and steps of cases,
revealed complainants and the keys of row digests."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('transcripts', sa.Column('salt', sa.Text(), nullable=True))
    op.create_table('checkpoints',
    sa.Column('tree_size', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('root', sa.Text(), nullable=False),
    sa.Column('at_ms', sa.BigInteger(), nullable=False),
    sa.Column('key_id', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('frontier', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('tree_size', name=op.f('pk_checkpoints'))
    )
    op.create_table('holds',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('subject_kind', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('placed_by', sa.Text(), nullable=False),
    sa.Column('placed_at_ms', sa.BigInteger(), nullable=False),
    sa.Column('released_by', sa.Text(), nullable=True),
    sa.Column('released_at_ms', sa.BigInteger(), nullable=True),
    sa.Column('release_reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_holds'))
    )
    op.create_index(op.f('ix_holds_subject'), 'holds', ['subject'], unique=False)
    op.create_table('retentions',
    sa.Column('recording_id', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('until_ms', sa.BigInteger(), nullable=False),
    sa.Column('basis', sa.JSON(), nullable=False),
    sa.Column('set_at_ms', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('recording_id', 'version', name=op.f('pk_retentions'))
    )
    op.create_table('timestamps',
    sa.Column('id', sa.Integer(), autoincrement=True, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('renews', sa.Integer(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('requested_at_ms', sa.BigInteger(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('tried_at_ms', sa.BigInteger(), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('authority', sa.Text(), nullable=True),
    sa.Column('response', sa.LargeBinary(), nullable=True),
    sa.Column('response_digest', sa.Text(), nullable=True),
    sa.Column('gen_time_ms', sa.BigInteger(), nullable=True),
    sa.Column('expires_at_ms', sa.BigInteger(), nullable=True),
    sa.Column('algorithm', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['renews'], ['timestamps.id'], name=op.f('fk_timestamps_renews')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_timestamps'))
    )
    op.create_index(op.f('ix_timestamps_digest'), 'timestamps', ['digest'], unique=False)
    op.create_index(op.f('ix_timestamps_state'), 'timestamps', ['state'], unique=False)
    op.create_table('tombstones',
    sa.Column('subject_kind', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('purged_at_ms', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('basis', sa.JSON(), nullable=False),
    sa.Column('digests', sa.JSON(), nullable=False),
    sa.Column('objects_gone_at_ms', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('subject_kind', 'subject', 'purged_at_ms', name=op.f('pk_tombstones'))
    )
    op.create_table('case_attachments',
    sa.Column('case_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('size_bytes', sa.BigInteger(), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=False),
    sa.Column('withheld', sa.Boolean(), nullable=False),
    sa.Column('added_at_ms', sa.BigInteger(), nullable=False),
    sa.Column('added_by', sa.Text(), nullable=False),
    sa.Column('withdrawn_at_ms', sa.BigInteger(), nullable=True),
    sa.Column('withdrawn_by', sa.Text(), nullable=True),
    sa.Column('withdrawn_reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('fk_case_attachments_case_id')),
    sa.PrimaryKeyConstraint('case_id', 'number', name=op.f('pk_case_attachments'))
    )
    op.create_index(op.f('ix_case_attachments_digest'), 'case_attachments', ['digest'], unique=False)
    op.create_table('case_steps',
    sa.Column('case_id', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('at_ms', sa.BigInteger(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('fk_case_steps_case_id')),
    sa.PrimaryKeyConstraint('case_id', 'number', name=op.f('pk_case_steps'))
    )
    op.create_table('witness_copies',
    sa.Column('tree_size', sa.BigInteger(), nullable=False),
    sa.Column('witness', sa.Text(), nullable=False),
    sa.Column('written_at_ms', sa.BigInteger(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('tried_at_ms', sa.BigInteger(), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['tree_size'], ['checkpoints.tree_size'], name=op.f('fk_witness_copies_tree_size')),
    sa.PrimaryKeyConstraint('tree_size', 'witness', name=op.f('pk_witness_copies'))
    )
    op.create_table('reveals',
    sa.Column('case_id', sa.Text(), nullable=False),
    sa.Column('pseudonym', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('at_ms', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['cases.id'], name=op.f('fk_reveals_case_id')),
    sa.PrimaryKeyConstraint('case_id', 'pseudonym', name=op.f('pk_reveals'))
    )
    op.create_table('row_keys',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_row_keys'))
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_on_sqlite()
    else:
        _guard_on_postgresql()


def _guard_on_sqlite() -> None:
    """INSERT OR REPLACE removes the row in its way without firing DELETE triggers: entries and checkpoints may only be added at the end."""
    op.execute(
        "CREATE TRIGGER custody_entries_only_at_the_end BEFORE INSERT ON custody_entries "
        "WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM custody_entries) "
        "OR EXISTS (SELECT 1 FROM custody_entries WHERE digest = NEW.digest) "
        "BEGIN SELECT RAISE(ABORT, 'the custody log is append-only'); END"
    )
    op.execute(
        "CREATE TRIGGER checkpoints_only_at_the_end BEFORE INSERT ON checkpoints "
        "WHEN NEW.tree_size <= (SELECT COALESCE(MAX(tree_size), 0) FROM checkpoints) "
        "BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END"
    )
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER checkpoints_no_{act.lower()} BEFORE {act} ON checkpoints "
            "BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER timestamps_kept BEFORE UPDATE ON timestamps WHEN OLD.state = 'granted' "
        "BEGIN SELECT RAISE(ABORT, 'a granted time-stamp is not changed'); END"
    )
    op.execute("CREATE TRIGGER timestamps_no_delete BEFORE DELETE ON timestamps BEGIN SELECT RAISE(ABORT, 'time-stamps are kept'); END")
    op.execute(
        "CREATE TRIGGER timestamps_no_replace BEFORE INSERT ON timestamps WHEN EXISTS (SELECT 1 FROM timestamps WHERE id = NEW.id) "
        "BEGIN SELECT RAISE(ABORT, 'time-stamps are kept'); END"
    )


def _guard_on_postgresql() -> None:
    """ENABLE ALWAYS: session_replication_role does not switch these off."""
    op.execute("ALTER TABLE custody_entries ENABLE ALWAYS TRIGGER custody_entries_no_change")
    op.execute(
        "CREATE FUNCTION custody_entries_at_the_end() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.seq IS DISTINCT FROM (SELECT COALESCE(MAX(seq), 0) + 1 FROM custody_entries) THEN "
        "RAISE EXCEPTION 'the custody log is append-only'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER custody_entries_only_at_the_end BEFORE INSERT ON custody_entries "
        "FOR EACH ROW EXECUTE FUNCTION custody_entries_at_the_end()"
    )
    op.execute("ALTER TABLE custody_entries ENABLE ALWAYS TRIGGER custody_entries_only_at_the_end")
    op.execute(
        "CREATE FUNCTION checkpoints_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'checkpoints are append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER checkpoints_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoints "
        "FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_append_only()"
    )
    op.execute("ALTER TABLE checkpoints ENABLE ALWAYS TRIGGER checkpoints_no_change")
    op.execute(
        "CREATE FUNCTION timestamps_kept() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'time-stamps are kept'; END $$"
    )
    op.execute(
        "CREATE TRIGGER timestamps_no_delete BEFORE DELETE OR TRUNCATE ON timestamps FOR EACH STATEMENT EXECUTE FUNCTION timestamps_kept()"
    )
    op.execute(
        "CREATE TRIGGER timestamps_kept BEFORE UPDATE ON timestamps FOR EACH ROW WHEN (OLD.state = 'granted') "
        "EXECUTE FUNCTION timestamps_kept()"
    )
    for trigger in ("timestamps_no_delete", "timestamps_kept"):
        op.execute(f"ALTER TABLE timestamps ENABLE ALWAYS TRIGGER {trigger}")
