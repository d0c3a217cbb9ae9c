"""Run by Alembic for each command, on the connection the caller hands over."""

from alembic import context

from studio.database.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
