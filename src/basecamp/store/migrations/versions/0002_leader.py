"""One leader among several servers on one store."""

import sqlalchemy as sa
from alembic import op

from basecamp.store import column

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "leader",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", column.PlainText(), nullable=False),
        sa.Column("term", sa.Integer(), nullable=False),
        sa.Column("until", column.UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
