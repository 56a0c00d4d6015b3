"""Runs migrations on the connection that `basecamp.store.schema` hands over."""

from alembic import context

from basecamp.store.table import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
