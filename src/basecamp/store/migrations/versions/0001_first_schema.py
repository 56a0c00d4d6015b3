"""The first schema."""

import sqlalchemy as sa
from alembic import op

from basecamp.store import column

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "attempt",
        sa.Column("run_id", column.PlainText(), nullable=False),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_at", column.UtcInstant(), nullable=False),
        sa.Column("finished_at", column.UtcInstant(), nullable=False),
        sa.Column("outcome", column.PlainText(), nullable=False),
        sa.Column("error_message", column.PlainText(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "claim"),
    )
    op.create_table(
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
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_by_resource", "audit", ["resource", "id"], unique=False)
    op.create_table(
        "backfill",
        sa.Column("backfill_id", column.PlainText(), nullable=False),
        sa.Column("dataset_name", column.PlainText(), nullable=False),
        sa.Column("source_type", column.PlainText(), nullable=False),
        sa.Column("status", column.PlainText(), nullable=False),
        sa.Column("parameters", column.JsonText(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("end_date", sa.Date(), nullable=False),
        sa.Column("total_runs", sa.Integer(), nullable=False),
        sa.Column("completed_runs", sa.Integer(), nullable=False),
        sa.Column("triggered_by", column.PlainText(), nullable=False),
        sa.Column("created_at", column.UtcInstant(), nullable=False),
        sa.Column("started_at", column.UtcInstant(), nullable=True),
        sa.Column("finished_at", column.UtcInstant(), nullable=True),
        sa.Column("error_message", column.PlainText(), nullable=True),
        sa.Column("stop_reason", column.PlainText(), nullable=True),
        sa.PrimaryKeyConstraint("backfill_id"),
    )
    op.create_index("backfill_by_dataset", "backfill", ["dataset_name", "created_at"], unique=False)
    op.create_table(
        "code_version",
        sa.Column("version", column.PlainText(), nullable=False),
        sa.Column("published_by", column.PlainText(), nullable=False),
        sa.Column("published_at", column.UtcInstant(), nullable=False),
        sa.Column("spec_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "idempotency",
        sa.Column("scope_hash", column.PlainText(), nullable=False),
        sa.Column("body_hash", column.PlainText(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", column.JsonText(), nullable=False),
        sa.Column("created_at", column.UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("scope_hash"),
    )
    op.create_index("idempotency_by_age", "idempotency", ["created_at"], unique=False)
    op.create_table(
        "run",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("run_id", column.PlainText(), nullable=False),
        sa.Column("dataset_name", column.PlainText(), nullable=False),
        sa.Column("source_type", column.PlainText(), nullable=False),
        sa.Column("status", column.PlainText(), nullable=False),
        sa.Column("run_type", column.PlainText(), nullable=False),
        sa.Column("parameters", column.JsonText(), nullable=False),
        sa.Column("interval_start", column.UtcInstant(), nullable=False),
        sa.Column("interval_end", column.UtcInstant(), nullable=False),
        sa.Column("scheduled_for", column.UtcInstant(), nullable=True),
        sa.Column("timezone", column.PlainText(), nullable=False),
        sa.Column("spec_hash", column.PlainText(), nullable=False),
        sa.Column("backfill_id", column.PlainText(), nullable=True),
        sa.Column("triggered_by", column.PlainText(), nullable=False),
        sa.Column("created_at", column.UtcInstant(), nullable=False),
        sa.Column("started_at", column.UtcInstant(), nullable=True),
        sa.Column("finished_at", column.UtcInstant(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("retry_delay_seconds", sa.Integer(), nullable=False),
        sa.Column("retry_at", column.UtcInstant(), nullable=True),
        sa.Column("timeout_seconds", sa.Integer(), nullable=False),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("rows_affected", sa.BigInteger(), nullable=True),
        sa.Column("error_code", column.PlainText(), nullable=True),
        sa.Column("error_message", column.PlainText(), nullable=True),
        sa.Column("stop_reason", column.PlainText(), nullable=True),
        sa.Column("stopped_by", column.PlainText(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("dataset_name", "scheduled_for", name="run_scheduled_once"),
        sa.UniqueConstraint("run_id"),
    )
    op.create_index("run_by_backfill", "run", ["backfill_id", "seq"], unique=False)
    op.create_index("run_by_creation", "run", ["created_at"], unique=False)
    op.create_index("run_by_dataset", "run", ["dataset_name", "seq"], unique=False)
    op.create_index("run_by_status", "run", ["status", "seq"], unique=False)
    op.create_index("run_queue", "run", ["status", "dataset_name", "seq"], unique=False)
    op.create_table(
        "skipped_tick",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("dataset_name", column.PlainText(), nullable=False),
        sa.Column("source_type", column.PlainText(), nullable=False),
        sa.Column("first_at", column.UtcInstant(), nullable=False),
        sa.Column("last_at", column.UtcInstant(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("reason", column.PlainText(), nullable=False),
        sa.Column("created_at", column.UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("skipped_tick_by_dataset", "skipped_tick", ["dataset_name", "id"], unique=False)
    op.create_table(
        "spec",
        sa.Column("hash", column.PlainText(), nullable=False),
        sa.Column("content", column.JsonText(), nullable=False),
        sa.Column("created_at", column.UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "tally",
        sa.Column("dataset_name", column.PlainText(), nullable=False),
        sa.Column("source_type", column.PlainText(), nullable=False),
        sa.Column("run_type", column.PlainText(), nullable=False),
        sa.Column("status", column.PlainText(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_name", "source_type", "run_type", "status"),
    )
    op.create_table(
        "workflow",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("dataset_name", column.PlainText(), nullable=False),
        sa.Column("source_type", column.PlainText(), nullable=False),
        sa.Column("status", column.PlainText(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("cron", column.PlainText(), nullable=False),
        sa.Column("timezone", column.PlainText(), nullable=False),
        sa.Column("catchup", sa.Boolean(), nullable=False),
        sa.Column("next_fire_at", column.UtcInstant(), nullable=True),
        sa.Column("spec_hash", column.PlainText(), nullable=False),
        sa.Column("spec_enabled", sa.Boolean(), nullable=False),
        sa.Column("stored", sa.Boolean(), nullable=False),
        sa.Column("owner", column.PlainText(), nullable=False),
        sa.Column("team", column.PlainText(), nullable=False),
        sa.Column("description", column.PlainText(), nullable=False),
        sa.Column("tags", column.JsonText(), nullable=False),
        sa.Column("retry_max_attempts", sa.Integer(), nullable=False),
        sa.Column("retry_delay_seconds", sa.Integer(), nullable=False),
        sa.Column("timeout_seconds", sa.Integer(), nullable=False),
        sa.Column("last_run_at", column.UtcInstant(), nullable=True),
        sa.Column("last_run_status", column.PlainText(), nullable=True),
        sa.Column("pause_reason", column.PlainText(), nullable=True),
        sa.Column("paused_by", column.PlainText(), nullable=True),
        sa.Column("pause_until", column.UtcInstant(), nullable=True),
        sa.Column("error", column.PlainText(), nullable=True),
        sa.Column("created_at", column.UtcInstant(), nullable=False),
        sa.Column("updated_at", column.UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dataset_name", "source_type", name="workflow_name_source"),
    )
    op.create_index("workflow_due", "workflow", ["next_fire_at"], unique=False)
    op.create_index("workflow_pause_until", "workflow", ["pause_until"], unique=False)
    op.create_index("workflow_status", "workflow", ["status", "dataset_name"], unique=False)
