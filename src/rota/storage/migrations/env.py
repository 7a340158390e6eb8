"""Runs the migrations on the connection that `storage/migrate.py` hands over, inside its transaction.

To write a new one: copy the newest file in `versions/`, count its number up, and do the same to
`REVISION` in `storage/schema.py`; the tests say where tables and migrations part. A released revision has a
frozen database, which `tests/integration/freeze.py` writes.
"""

from alembic import context

from rota.storage.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
with context.begin_transaction():
    context.run_migrations()
