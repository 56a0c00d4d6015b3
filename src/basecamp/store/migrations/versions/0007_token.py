"""Tokens, and the team that each name belongs to."""

import json

import sqlalchemy as sa
from alembic import op

from basecamp.store import column

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _create_holding()
    _create_token()
    _fill_holding(op.get_bind())


def _create_holding() -> None:
    op.create_table(
        "holding",
        sa.Column("kind", column.PlainText(), nullable=False),
        sa.Column("name", column.PlainText(), nullable=False),
        sa.Column("team", column.PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name"),
    )
    op.create_index("holding_by_team", "holding", ["kind", "team", "name"])


def _create_token() -> None:
    op.create_table(
        "token",
        sa.Column("token_id", column.PlainText(), nullable=False),
        sa.Column("secret_hash", column.PlainText(), nullable=False),
        sa.Column("last4", column.PlainText(), nullable=False),
        sa.Column("name", column.PlainText(), nullable=False),
        sa.Column("role", column.PlainText(), nullable=False),
        sa.Column("teams", column.JsonText(), nullable=False),
        sa.Column("scopes", column.JsonText(), nullable=False),
        sa.Column("created_at", column.UtcInstant(), nullable=False),
        sa.Column("created_by", column.PlainText(), nullable=False),
        sa.Column("lifetime_hours", sa.Integer(), nullable=False),
        sa.Column("expires_at", column.UtcInstant(), nullable=False),
        sa.Column("revoked_at", column.UtcInstant()),
        sa.Column("revoked_by", column.PlainText()),
        sa.Column("last_used_at", column.UtcInstant()),
        sa.PrimaryKeyConstraint("token_id"),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index("token_by_name", "token", ["name", "created_at"])


def _fill_holding(connection: sa.Connection) -> None:
    """A name is the team's whose workflow is in force, whose registration or whose run is newest."""
    found: dict[tuple[str, str], str] = {}
    runs = """
        SELECT r.dataset_name, s.content FROM run r JOIN spec s ON s.hash = r.spec_hash
        WHERE r.seq IN (SELECT max(seq) FROM run GROUP BY dataset_name)
    """
    for name, content in connection.execute(sa.text(runs)):
        found["dataset", name] = json.loads(content)["team"]
    registered = "SELECT kind, name, team FROM registration ORDER BY version"
    for kind, name, team in connection.execute(sa.text(registered)):
        found[kind, name] = team
    in_force = "SELECT dataset_name, team FROM workflow WHERE status <> 'overridden'"
    for name, team in connection.execute(sa.text(in_force)):
        found["dataset", name] = team
    rows = [{"kind": kind, "name": name, "team": team} for (kind, name), team in found.items()]
    if rows:
        insert = "INSERT INTO holding (kind, name, team) VALUES (:kind, :name, :team)"
        connection.execute(sa.text(insert), rows)
