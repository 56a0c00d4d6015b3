"""Runs migrations on the connection that `basecamp.store.schema` hands over."""

from alembic import context

from basecamp.failpoint import failpoint
from basecamp.store.table import metadata


def _step(*_: object, **__: object) -> None:
    failpoint("schema.step")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    on_version_apply=_step,
)
with context.begin_transaction():
    context.run_migrations()
