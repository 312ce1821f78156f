"""One engine a process, made at first use, and the transaction that every entry point opens."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from shared.settings import settings

_engine: Engine | None = None
# Loads nothing lazily behind a page's back and never expires what was read.
_sessions: sessionmaker[Session] = sessionmaker(expire_on_commit=False)


def configure(url: str) -> Engine:
    """Point this process at the database of `url`; the old engine's connections are closed."""
    global _engine  # noqa: PLW0603 -- the one engine of the process
    dispose()
    _engine = create_engine(
        url,
        pool_size=4,
        max_overflow=6,
        pool_timeout=10,
        pool_recycle=1500,
        pool_pre_ping=True,  # workers sleep, servers close idle connections
        pool_use_lifo=True,
        connect_args={
            "connect_timeout": 10,
            "keepalives_idle": 30,
            "application_name": f"backupchecks-{os.getenv('WEBSITE_INSTANCE_ID', 'local')[:8]}",
        },
    )
    return _engine


def engine() -> Engine:
    return _engine or configure(settings().database_url)


def dispose() -> None:
    global _engine  # noqa: PLW0603
    if _engine is not None:
        _engine.dispose()
        _engine = None


def new_session() -> Session:
    """Return a session on this process's engine."""
    return _sessions(bind=engine())


@contextmanager
def transaction(on: Connection | None = None) -> Iterator[Session]:
    """Yield a session; commit when the block ends well, else roll back. Services never commit.

    `on` is a held connection, for those who open one transaction after another.
    """
    with _sessions(bind=on or engine()) as db, db.begin():
        yield db


@contextmanager
def held_connection() -> Iterator[Connection]:
    """Yield a connection that was found alive, for many transactions in a row: nobody asks it again before each."""
    with engine().connect() as connection:
        yield connection
