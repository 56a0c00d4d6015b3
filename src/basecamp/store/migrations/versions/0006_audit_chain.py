"""Audit rows are chained: the table is made anew, each row with its hash."""

import hashlib
import json
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from alembic import op

from basecamp.store import column

revision = "0006"
down_revision = "0005"

_KEPT = ("id", "at", "actor", "action", "resource", "request_id", "reason", "detail")


def upgrade() -> None:
    connection = op.get_bind()
    op.drop_index("audit_by_resource", "audit")
    op.rename_table("audit", "audit_before")
    if connection.dialect.name == "postgresql":  # its names are those of the schema, not the table
        op.execute("ALTER TABLE audit_before RENAME CONSTRAINT audit_pkey TO audit_before_pkey")
        op.execute("ALTER SEQUENCE audit_id_seq RENAME TO audit_before_id_seq")
    audit = op.create_table(
        "audit",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", column.UtcInstant(), nullable=False),
        sa.Column("actor", column.PlainText(), nullable=False),
        sa.Column("action", column.PlainText(), nullable=False),
        sa.Column("resource", column.PlainText(), nullable=False),
        sa.Column("request_id", column.PlainText(), nullable=True),
        sa.Column("reason", column.PlainText(), nullable=True),
        sa.Column("detail", column.JsonText(), nullable=False),
        sa.Column("hash", column.PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_by_resource", "audit", ["resource", "id"])
    _chain(connection, audit)
    op.drop_table("audit_before")


def _chain(connection: sa.Connection, audit: sa.Table) -> None:
    before = sa.table("audit_before", *(sa.column(name, audit.c[name].type) for name in _KEPT))
    digest, last_id = "0" * 64, 0
    while True:
        query = sa.select(before).where(before.c.id > last_id).order_by(before.c.id).limit(1_000)
        rows: list[dict[str, Any]] = [dict(row) for row in connection.execute(query).mappings()]
        if not rows:
            break
        for row in rows:
            row["hash"] = digest = _chained(digest, row)
        connection.execute(sa.insert(audit), rows)
        last_id = rows[-1]["id"]
    if connection.dialect.name == "postgresql" and last_id:
        connection.execute(sa.text("SELECT setval('audit_id_seq', :last)"), {"last": last_id})


def _chained(before: str, row: dict[str, Any]) -> str:
    """As at the time of this migration; what is stored must not change with the code."""
    fields = {name: row[name] for name in _KEPT if name != "id"}
    fields["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps([before, fields], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    text = text.replace(r"\u0000", r"\ufffd")
    return hashlib.sha256(text.encode()).hexdigest()
