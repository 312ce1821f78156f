"""Alembic's entry: works on the connection that shared/db/migrate.py hands in."""

from alembic import context

from shared import models
from shared.db.base import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
assert models.__all__  # the tables are known only once their modules are loaded
with context.begin_transaction():
    context.run_migrations()
