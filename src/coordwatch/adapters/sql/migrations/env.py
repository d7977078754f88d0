"""What Alembic runs: the revisions, on the connection that `migrating` gives it, in its transaction.

What enters: a connection. What leaves: tables of the newest revision. The next room: `versions`.
"""

from alembic import context

from coordwatch.adapters.sql.outbox_tables import messages

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=messages.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
