"""What a run was asked by, and what is left of runs that are not kept any more."""

import sqlalchemy as sa
from alembic import op

from basecamp.store import column

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "origin",
        sa.Column("run_id", column.PlainText(), nullable=False),
        sa.Column("request_id", column.PlainText(), nullable=True),
        sa.Column("traceparent", column.PlainText(), nullable=True),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_table(
        "expired",
        sa.Column("run_type", column.PlainText(), nullable=False),
        sa.Column("status", column.PlainText(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_type", "status"),
    )
    op.create_table(
        "horizon",
        sa.Column("dataset_name", column.PlainText(), nullable=False),
        sa.Column("fired_until", column.UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_name"),
    )
