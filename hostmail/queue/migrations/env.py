"""Run by Alembic: applies the migrations inside the transaction that `hostmail.queue.database.migrate` holds."""

from alembic import context

from hostmail.queue.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    version_table="queue_alembic_version",
)
with context.begin_transaction():
    context.run_migrations()
