"""Migrations: they arrive at the tables of the code, run once, and leave alone what they do not know."""

import re
import sqlite3
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sample_runs import NOW, a_run, a_tick, ended, started
from sqlalchemy import create_engine

from rota.model.error import Unusable
from rota.storage import migrate as migrations
from rota.storage import sqlite
from rota.storage.row import of_run
from rota.storage.schema import METADATA, REVISION, RUNS
from rota.storage.store import FILE, Store


def definitions(path):
    """What each table and index was made with, but for the way that it was written down."""
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%'"
    ).fetchall()
    connection.close()
    # A column that was added later stands behind the rules, on the line of the last of them.
    return {
        name: sorted(part.strip() for part in re.split(r"\n|, (?=[a-z_]+ [A-Z]+)|(?=\)$)", sql))
        for name, sql in rows
    }


OLDEST = min(migrations.known_revisions())


def write_of_revision(revision, data):
    """An empty database as a version of Rota left it that knew no later revision."""
    engine = sqlite.writing(data / FILE)
    (data / FILE).touch()
    with engine.connect() as connection:
        connection.exec_driver_sql(sqlite.BEGIN)
        migrations._upgrade(connection, revision)
        connection.commit()
    engine.dispose()


async def test_the_migrations_arrive_at_the_tables_of_the_code(tmp_path):
    write_of_revision(OLDEST, tmp_path)
    await Store.open(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'rota.db'}")

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, METADATA)

    engine.dispose()
    assert differences == []


async def test_the_checks_and_indexes_are_those_of_the_code_too(tmp_path):
    for folder in (tmp_path / "old", tmp_path / "new"):
        folder.mkdir(mode=0o700)
    write_of_revision(OLDEST, tmp_path / "old")
    await Store.open(tmp_path / "old").close()
    await Store.open(tmp_path / "new").close()

    migrated, made = definitions(tmp_path / "old" / FILE), definitions(tmp_path / "new" / FILE)

    assert migrated.keys() == made.keys()
    for name, sql in made.items():
        assert [part.rstrip(",") for part in migrated[name]] == [part.rstrip(",") for part in sql], name


def test_the_newest_migration_is_the_one_that_the_tables_name():
    scripts = ScriptDirectory(str(migrations._SCRIPTS))

    assert scripts.get_current_head() == REVISION
    assert {script.revision for script in scripts.walk_revisions()} == migrations.known_revisions()


@pytest.mark.parametrize("revision", sorted(migrations.known_revisions() - {REVISION}))
async def test_a_database_of_an_older_version_is_brought_up_to_date_with_its_runs(tmp_path, revision):
    runs = [a_run(1), ended(started(a_run(2))), a_tick(3)]
    write_of_revision(revision, tmp_path)
    _write_as_then(tmp_path / FILE, runs)

    store = Store.open(tmp_path)

    assert [await store.run(run.id) for run in runs] == runs
    assert await store.log_total() == 0
    await store.close()


def _write_as_then(path, runs):
    connection = sqlite3.connect(path)
    known = {name for _, name, *_ in connection.execute("PRAGMA table_info(runs)")}
    for run in runs:
        row = {name: value for name, value in zip(RUNS.c.keys(), of_run(run), strict=True) if name in known}
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO runs ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
    connection.commit()
    connection.close()


@pytest.mark.parametrize("is_new", [True, False])
async def test_a_database_that_is_new_or_up_to_date_is_opened_without_alembic(tmp_path, is_new):
    if not is_new:
        store = Store.open(tmp_path)
        await store.create(a_run())
        await store.close()
    program = (
        "import sys; from pathlib import Path; from rota.storage.store import Store;"
        "Store.open(Path(sys.argv[1])); assert 'sqlalchemy' in sys.modules;"
        "sys.exit('alembic' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program, tmp_path], check=False, timeout=60).returncode == 0


async def test_a_newer_database_is_refused_and_left_as_it_is(tmp_path):
    await Store.open(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "rota.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()

    with pytest.raises(Unusable, match="newer version of Rota"):
        Store.open(tmp_path)

    connection = sqlite3.connect(tmp_path / "rota.db")
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    connection.close()


def test_the_database_of_another_program_is_refused(tmp_path):
    connection = sqlite3.connect(tmp_path / "rota.db")
    connection.execute("CREATE TABLE photos (id INTEGER)")
    connection.commit()
    connection.close()

    with pytest.raises(Unusable, match="another program"):
        Store.open(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "rota.db").write_bytes(b"Dear diary, " * 1000)

    with pytest.raises(Unusable, match="is not a database"):
        Store.open(tmp_path)

    assert (tmp_path / "rota.db").read_bytes().startswith(b"Dear diary")


async def test_a_damaged_database_is_refused(tmp_path):
    await Store.open(tmp_path).close()
    content = bytearray((tmp_path / "rota.db").read_bytes())
    content[100:4096] = bytes(len(content[100:4096]))
    (tmp_path / "rota.db").write_bytes(content)

    with pytest.raises(Unusable, match=r"damaged|restore it"):
        Store.open(tmp_path)


def test_a_folder_in_the_place_of_the_database_is_refused(tmp_path):
    (tmp_path / "rota.db").mkdir(mode=0o700)

    with pytest.raises(Unusable, match="cannot be opened"):
        Store.open(tmp_path)


async def test_a_database_that_another_program_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("rota.storage.sqlite.BUSY_TIMEOUT", 0.01)
    await Store.open(tmp_path).close()
    other = sqlite3.connect(tmp_path / "rota.db")
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(Unusable, match="another program holds the database locked"):
        Store.open(tmp_path)
    other.close()

    await Store.open(tmp_path).close()


@pytest.mark.parametrize(("way", "is_new"), [("_make", True), ("_upgrade", False)])
async def test_tables_that_cannot_be_made_leave_nothing_behind(tmp_path, monkeypatch, way, is_new):
    if not is_new:
        write_of_revision(OLDEST, tmp_path)
    before = definitions(tmp_path / FILE)
    assert (before == {}) is is_new
    do = getattr(migrations, way)

    def fail(*given):
        do(*given)
        raise RuntimeError("the power went")

    monkeypatch.setattr(migrations, way, fail)
    with pytest.raises(RuntimeError):
        Store.open(tmp_path)
    assert definitions(tmp_path / FILE) == before

    monkeypatch.undo()
    store = Store.open(tmp_path)
    await store.save_horizon(NOW)
    await store.close()
