"""Alembic runs this for every command; the connection is the caller's."""

from alembic import context

import gateway.database.accounts
import gateway.database.feedback
import gateway.database.history
import gateway.database.usage  # noqa: F401 - their tables
from gateway.database.metadata import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
    render_as_batch=True,  # SQLite alters no column in place
)
with context.begin_transaction():
    context.run_migrations()
