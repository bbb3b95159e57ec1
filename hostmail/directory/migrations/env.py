"""Run by Alembic: applies the migrations inside the transaction that `Migrations.apply` holds."""

from alembic import context

from hostmail.directory.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
