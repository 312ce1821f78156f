"""Brings the schema to head, one process at a time; the app itself only compares revisions."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_301_001  # any constant; other advisory locks of the app use other numbers


def upgrade(url: str) -> None:
    """Bring the database at `url` to the newest revision; a second process waits for the first."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()


def current_revision(connection: Connection) -> str | None:
    """Return the revision the database is at, None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def expected_revision() -> str | None:
    """Return the newest revision that this code knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
