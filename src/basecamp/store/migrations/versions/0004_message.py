"""Messages that wait to be sent."""

import sqlalchemy as sa
from alembic import op

from basecamp.store import column

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("target", column.JsonText(), nullable=False),
        sa.Column("title", column.PlainText(), nullable=False),
        sa.Column("body", column.PlainText(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", column.UtcInstant(), nullable=False),
        sa.Column("next_try_at", column.UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("message_due", "message", ["next_try_at"])
