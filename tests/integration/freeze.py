"""Writes `frozen/revision_NNNN.sql` of the newest revision, for a release that has one.

    .venv/bin/python tests/integration/freeze.py

What it is to hold stands in `frozen/revision_NNNN.py`. A frozen database of a release is never written anew.
"""

import asyncio
import sqlite3
import tempfile
from importlib import import_module
from pathlib import Path

from rota.storage.schema import REVISION
from rota.storage.store import FILE, Store

FROZEN = Path(__file__).parent / "frozen"


async def freeze(content, data):
    """The database as SQL."""
    store = Store.open(data, now=lambda: content.NOON)
    await content.write(store)
    await store.close()
    connection = sqlite3.connect(data / FILE)
    connection.execute("UPDATE meta SET value = ? WHERE key = 'store_id'", (content.STORE_ID,))
    connection.commit()
    sql = "".join(f"{line}\n" for line in connection.iterdump())
    connection.close()
    return sql


def main():
    """Write the file."""
    content = import_module(f"frozen.revision_{REVISION}")
    with tempfile.TemporaryDirectory() as data:
        sql = asyncio.run(freeze(content, Path(data)))
    (FROZEN / f"revision_{REVISION}.sql").write_text(sql)


if __name__ == "__main__":
    main()
