"""The migrated schema is the one that the models describe, however often and by whomever it is made."""

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from infra.local.postgres import Server
from shared import models
from shared.db import migrate
from shared.db.base import Base

ROOT = Path(__file__).parents[2]


def test_models_and_migrated_schema_do_not_differ(clean_database: str) -> None:
    assert models.__all__  # all tables are known
    engine = create_engine(clean_database)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        differences = compare_metadata(context, Base.metadata)

    engine.dispose()
    assert differences == []


def test_every_check_of_the_models_is_in_the_database(clean_database: str) -> None:
    """Alembic doesn't compare checks."""
    engine = create_engine(clean_database)
    inspector = inspect(engine)

    found = {
        (table, check["name"])
        for table in inspector.get_table_names()
        for check in inspector.get_check_constraints(table)
    }

    engine.dispose()
    wanted = {
        (table.name, str(constraint.name))
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if type(constraint).__name__ == "CheckConstraint"
    }
    assert wanted - found == set()


def test_upgrading_again_changes_nothing(clean_database: str) -> None:
    migrate.upgrade(clean_database)
    engine = create_engine(clean_database)

    with engine.connect() as connection:
        assert migrate.current_revision(connection) == migrate.expected_revision()

    engine.dispose()


def test_processes_that_upgrade_at_once_do_not_disturb_each_other(postgres: Server) -> None:
    postgres.create_database("upgraded_at_once")
    url = postgres.url("upgraded_at_once")
    program = "import sys; from shared.db import migrate; migrate.upgrade(sys.argv[1])"

    running = [subprocess.Popen([sys.executable, "-c", program, url], cwd=ROOT) for _ in range(3)]
    ended = [process.wait(60) for process in running]

    engine = create_engine(url)
    with engine.connect() as connection:
        revision = migrate.current_revision(connection)
    engine.dispose()
    postgres.drop_database("upgraded_at_once")
    assert ended == [0, 0, 0]
    assert revision == migrate.expected_revision()


def test_what_is_older_than_the_code_is_seen(postgres: Server) -> None:
    postgres.create_database("empty")
    engine = create_engine(postgres.url("empty"))

    with engine.connect() as connection:
        assert migrate.current_revision(connection) is None

    engine.dispose()
    postgres.drop_database("empty")
