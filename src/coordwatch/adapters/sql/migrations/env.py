"""What Alembic runs: the revisions, on the connection that `migrating` gives it, in its transaction.

What enters: a connection. What leaves: tables of the newest revision. The next room: `versions`.
"""

from alembic import context

from coordwatch.adapters.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
