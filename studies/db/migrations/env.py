"""Run the migrations on the connection, already in a transaction, that `studies.db.migrate` hands over."""

from alembic import context

from studies.db.migrate import VERSION_TABLE, is_ours
from studies.db.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    include_name=is_ours,
)
with context.begin_transaction():
    context.run_migrations()
