"""Run by Alembic: applies the migrations inside the transaction that `Migrations.apply` holds."""

from alembic import context

from hostmail.queue.tables import MIGRATIONS, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    version_table=MIGRATIONS.version_table,
)
with context.begin_transaction():
    context.run_migrations()
