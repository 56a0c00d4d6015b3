"""When the tests of quality specs run by themselves."""

import sqlalchemy as sa
from alembic import op

from basecamp.store import column

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "quality_schedule",
        sa.Column("name", column.PlainText(), nullable=False),
        sa.Column("spec_hash", column.PlainText(), nullable=False),
        sa.Column("cron", column.PlainText(), nullable=False),
        sa.Column("timezone", column.PlainText(), nullable=False),
        sa.Column("next_fire_at", column.UtcInstant(), nullable=True),
        sa.Column("pending_at", column.UtcInstant(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("try_at", column.UtcInstant(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
