"""The tables of the state store; a change here needs a migration and a new `HEAD`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)

from basecamp.store.column import JsonText, PlainText, UtcInstant

HEAD = "0008"
"""Revision of the newest migration: what these definitions describe."""

metadata = MetaData()
_serial = BigInteger().with_variant(Integer, "sqlite")

spec = Table(
    "spec",
    metadata,
    Column("hash", PlainText, primary_key=True),
    Column("content", JsonText, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
)

workflow = Table(
    "workflow",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("dataset_name", PlainText, nullable=False),
    Column("source_type", PlainText, nullable=False),
    Column("status", PlainText, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("cron", PlainText, nullable=False),
    Column("timezone", PlainText, nullable=False),
    Column("catchup", Boolean, nullable=False),
    Column("next_fire_at", UtcInstant),
    Column("spec_hash", PlainText, nullable=False),
    Column("spec_enabled", Boolean, nullable=False),
    Column("stored", Boolean, nullable=False),  # its file is in the spec store
    Column("owner", PlainText, nullable=False),
    Column("team", PlainText, nullable=False),
    Column("description", PlainText, nullable=False),
    Column("tags", JsonText, nullable=False),
    Column("retry_max_attempts", Integer, nullable=False),
    Column("retry_delay_seconds", Integer, nullable=False),
    Column("timeout_seconds", Integer, nullable=False),
    Column("last_run_at", UtcInstant),
    Column("last_run_status", PlainText),
    Column("pause_reason", PlainText),
    Column("paused_by", PlainText),
    Column("pause_until", UtcInstant),
    Column("error", PlainText),
    Column("created_at", UtcInstant, nullable=False),
    Column("updated_at", UtcInstant, nullable=False),
    UniqueConstraint("dataset_name", "source_type", name="workflow_name_source"),
    Index("workflow_due", "next_fire_at"),
    Index("workflow_pause_until", "pause_until"),
    Index("workflow_status", "status", "dataset_name"),
)

run = Table(
    "run",
    metadata,
    Column("seq", _serial, primary_key=True, autoincrement=True),
    Column("run_id", PlainText, nullable=False, unique=True),
    Column("dataset_name", PlainText, nullable=False),
    Column("source_type", PlainText, nullable=False),
    Column("status", PlainText, nullable=False),
    Column("run_type", PlainText, nullable=False),
    Column("parameters", JsonText, nullable=False),
    Column("interval_start", UtcInstant, nullable=False),
    Column("interval_end", UtcInstant, nullable=False),
    Column("scheduled_for", UtcInstant),  # logical instant; only scheduled runs have one
    Column("timezone", PlainText, nullable=False),
    Column("spec_hash", PlainText, nullable=False),
    Column("backfill_id", PlainText),
    Column("triggered_by", PlainText, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("started_at", UtcInstant),
    Column("finished_at", UtcInstant),
    Column("attempt", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("retry_delay_seconds", Integer, nullable=False),
    Column("retry_at", UtcInstant),
    Column("timeout_seconds", Integer, nullable=False),
    Column("claim", Integer, nullable=False),  # fencing number: each hand-over to a worker adds one
    Column("crashes", Integer, nullable=False),
    Column("rows_affected", BigInteger),
    Column("error_code", PlainText),
    Column("error_message", PlainText),
    Column("stop_reason", PlainText),
    Column("stopped_by", PlainText),
    UniqueConstraint("dataset_name", "scheduled_for", name="run_scheduled_once"),
    Index("run_queue", "status", "dataset_name", "seq"),
    Index("run_by_dataset", "dataset_name", "seq"),
    Index("run_by_status", "status", "seq"),
    Index("run_by_backfill", "backfill_id", "seq"),
    Index("run_by_creation", "created_at"),
)

attempt = Table(
    "attempt",
    metadata,
    Column("run_id", PlainText, primary_key=True),
    Column("claim", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("started_at", UtcInstant, nullable=False),
    Column("finished_at", UtcInstant, nullable=False),
    Column("outcome", PlainText, nullable=False),
    Column("error_message", PlainText),
)

backfill = Table(
    "backfill",
    metadata,
    Column("backfill_id", PlainText, primary_key=True),
    Column("dataset_name", PlainText, nullable=False),
    Column("source_type", PlainText, nullable=False),
    Column("status", PlainText, nullable=False),
    Column("parameters", JsonText, nullable=False),
    Column("start_date", Date, nullable=False),
    Column("end_date", Date, nullable=False),
    Column("total_runs", Integer, nullable=False),
    Column("completed_runs", Integer, nullable=False),
    Column("triggered_by", PlainText, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("started_at", UtcInstant),
    Column("finished_at", UtcInstant),
    Column("error_message", PlainText),
    Column("stop_reason", PlainText),
    Index("backfill_by_dataset", "dataset_name", "created_at"),
)

tally = Table(
    "tally",
    metadata,
    Column("dataset_name", PlainText, primary_key=True),
    Column("source_type", PlainText, primary_key=True),
    Column("run_type", PlainText, primary_key=True),
    Column("status", PlainText, primary_key=True),
    Column("count", Integer, nullable=False),
)

skipped_tick = Table(
    "skipped_tick",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("dataset_name", PlainText, nullable=False),
    Column("source_type", PlainText, nullable=False),
    Column("first_at", UtcInstant, nullable=False),
    Column("last_at", UtcInstant, nullable=False),
    Column("count", Integer, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Index("skipped_tick_by_dataset", "dataset_name", "id"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("scope_hash", PlainText, primary_key=True),
    Column("body_hash", PlainText, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", JsonText, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Index("idempotency_by_age", "created_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("at", UtcInstant, nullable=False),
    Column("actor", PlainText, nullable=False),
    Column("action", PlainText, nullable=False),
    Column("resource", PlainText, nullable=False),
    Column("request_id", PlainText),
    Column("reason", PlainText),
    Column("detail", JsonText, nullable=False),
    Column("hash", PlainText, nullable=False),  # of this row and the one before
    Index("audit_by_resource", "resource", "id"),
)

code_version = Table(
    "code_version",
    metadata,
    Column("version", PlainText, primary_key=True),
    Column("published_by", PlainText, nullable=False),
    Column("published_at", UtcInstant, nullable=False),
    Column("spec_count", Integer, nullable=False),
)

leader = Table(
    "leader",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row alone
    Column("holder", PlainText, nullable=False),
    Column("term", Integer, nullable=False),  # fencing number: each change of leader adds one
    Column("until", UtcInstant, nullable=False),
)

registration = Table(
    "registration",
    metadata,
    Column("kind", PlainText, primary_key=True),
    Column("name", PlainText, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("spec_hash", PlainText, nullable=False),
    Column("owner", PlainText, nullable=False),
    Column("team", PlainText, nullable=False),
    Column("description", PlainText, nullable=False),
    Column("tags", JsonText, nullable=False),
    Column("author", PlainText, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
)

message = Table(
    "message",
    metadata,
    Column("id", _serial, primary_key=True, autoincrement=True),
    Column("target", JsonText, nullable=False),
    Column("title", PlainText, nullable=False),
    Column("body", PlainText, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("next_try_at", UtcInstant, nullable=False),
    Index("message_due", "next_try_at"),
)

quality_schedule = Table(
    "quality_schedule",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("spec_hash", PlainText, nullable=False),
    Column("cron", PlainText, nullable=False),
    Column("timezone", PlainText, nullable=False),
    Column("next_fire_at", UtcInstant),
    Column("pending_at", UtcInstant),  # the fire whose tests have not ended yet
    Column("attempt", Integer, nullable=False),
    Column("try_at", UtcInstant),
)

holding = Table(
    "holding",
    metadata,
    Column("kind", PlainText, primary_key=True),
    Column("name", PlainText, primary_key=True),
    Column("team", PlainText, nullable=False),
    Index("holding_by_team", "kind", "team", "name"),
)

token = Table(
    "token",
    metadata,
    Column("token_id", PlainText, primary_key=True),
    Column("secret_hash", PlainText, nullable=False, unique=True),
    Column("last4", PlainText, nullable=False),
    Column("name", PlainText, nullable=False),
    Column("role", PlainText, nullable=False),
    Column("teams", JsonText, nullable=False),
    Column("scopes", JsonText, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("created_by", PlainText, nullable=False),
    Column("lifetime_hours", Integer, nullable=False),
    Column("expires_at", UtcInstant, nullable=False),
    Column("revoked_at", UtcInstant),
    Column("revoked_by", PlainText),
    Column("last_used_at", UtcInstant),
    Index("token_by_name", "name", "created_at"),
)

origin = Table(
    "origin",
    metadata,
    Column("run_id", PlainText, primary_key=True),
    Column("request_id", PlainText),
    Column("traceparent", PlainText),
)

expired = Table(  # counts of runs that are not kept any more
    "expired",
    metadata,
    Column("run_type", PlainText, primary_key=True),
    Column("status", PlainText, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

horizon = Table(
    "horizon",
    metadata,
    Column("dataset_name", PlainText, primary_key=True),
    Column("fired_until", UtcInstant, nullable=False),  # no instant up to it fires any more
)
