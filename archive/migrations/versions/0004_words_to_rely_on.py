"""Words to rely on: who spoke, and what a second recogniser heard instead."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("segments", sa.Column("speaker", sa.Text(), nullable=True))
    op.add_column("segments", sa.Column("heard_otherwise", sa.Text(), nullable=True))
