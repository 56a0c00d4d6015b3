"""The registry: versions of specs that callers registered."""

import sqlalchemy as sa
from alembic import op

from basecamp.store import column

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "registration",
        sa.Column("kind", column.PlainText(), nullable=False),
        sa.Column("name", column.PlainText(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("spec_hash", column.PlainText(), nullable=False),
        sa.Column("owner", column.PlainText(), nullable=False),
        sa.Column("team", column.PlainText(), nullable=False),
        sa.Column("description", column.PlainText(), nullable=False),
        sa.Column("tags", column.JsonText(), nullable=False),
        sa.Column("author", column.PlainText(), nullable=False),
        sa.Column("created_at", column.UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", "version"),
    )
