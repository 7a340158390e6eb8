"""Migrations: they arrive at the tables of the code, run once, and leave alone what they do not know."""

import re
import sqlite3
import subprocess
import sys
from functools import partial

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sample_runs import NOW, a_run, a_tick, ended, started
from sqlalchemy import create_engine

from rota.model.error import Unusable
from rota.storage import migrate as migrations
from rota.storage.row import of_run
from rota.storage.schema import METADATA, REVISION, RUNS
from rota.storage.store import Store


def definitions(path):
    """What each table and index was made with, but for the way that it was written down."""
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
        " AND name NOT LIKE 'sqlite%'"
    ).fetchall()
    connection.close()
    # A column that was added later stands behind the rules, on the line of the last of them.
    return {
        name: sorted(part.strip() for part in re.split(r"\n|, (?=[a-z_]+ [A-Z]+)|(?=\)$)", sql))
        for name, sql in rows
    }


async def test_the_migrations_arrive_at_the_tables_of_the_code(tmp_path):
    await Store.open(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'rota.db'}")

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, METADATA)

    engine.dispose()
    assert differences == []


async def test_the_checks_and_indexes_are_those_of_the_code_too(tmp_path):
    await Store.open(tmp_path).close()
    engine = create_engine(f"sqlite:///{tmp_path / 'code.db'}")
    METADATA.create_all(engine)
    engine.dispose()

    migrated, made = definitions(tmp_path / "rota.db"), definitions(tmp_path / "code.db")

    assert migrated.keys() == made.keys()
    for name, sql in made.items():
        assert [part.rstrip(",") for part in migrated[name]] == [part.rstrip(",") for part in sql], name


def test_the_newest_migration_is_the_one_that_the_tables_name():
    scripts = ScriptDirectory(str(migrations._SCRIPTS))

    assert scripts.get_current_head() == REVISION
    assert {script.revision for script in scripts.walk_revisions()} == migrations.known_revisions()


@pytest.mark.parametrize("revision", sorted(migrations.known_revisions() - {REVISION}))
async def test_a_database_of_an_older_version_is_brought_up_to_date_with_its_runs(
    tmp_path, monkeypatch, revision
):
    runs = [a_run(1), ended(started(a_run(2))), a_tick(3)]
    monkeypatch.setattr("alembic.command.upgrade", partial(_upgrade_to, revision, command.upgrade))
    await Store.open(tmp_path).close()
    _write_as_then(tmp_path / "rota.db", runs)
    monkeypatch.undo()

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


def _upgrade_to(revision, upgrade, config, _head):
    upgrade(config, revision)


async def test_a_database_that_is_up_to_date_is_opened_without_alembic(tmp_path):
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


async def test_a_migration_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    upgrade = migrations._upgrade

    def fail(connection):
        upgrade(connection)
        raise RuntimeError("the power went")

    monkeypatch.setattr(migrations, "_upgrade", fail)
    with pytest.raises(RuntimeError):
        Store.open(tmp_path)
    assert definitions(tmp_path / "rota.db") == {}

    monkeypatch.undo()
    store = Store.open(tmp_path)
    await store.save_horizon(NOW)
    await store.close()
