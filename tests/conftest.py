"""The database the tests run on, and the list of what they skipped.

Each process of the run starts a PostgreSQL of its own, migrates a template once, and hands out copies of it.
"""

import hashlib
import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from infra.local.postgres import InUseError, Server
from tests.azurite import azurite

__all__ = ["azurite"]  # a fixture for all

# How long one example takes says more about the machine than about the code.
hypothesis.settings.register_profile("steady", deadline=None)
hypothesis.settings.load_profile("steady")

TEMPLATE = "template_backupchecks"
fresh_names = (f"test_{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A running server without durability, for this process alone."""
    server = _start_on_a_free_place()
    for leftover in server.databases():  # of a run that was killed
        server.drop_database(leftover)
    yield server
    server.destroy()


@pytest.fixture(scope="session")
def template(postgres: Server) -> str:
    """The name of a migrated database without rows."""
    from shared.db import migrate  # here, so that tests of parsers load no database code

    postgres.create_database(TEMPLATE)
    migrate.upgrade(postgres.url(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def worker_database(postgres: Server, template: str) -> str:
    """The address of the database that the rolled-back tests of this process share."""
    name = next(fresh_names)
    postgres.create_database(name, template=template)
    return postgres.url(name)


@pytest.fixture(scope="session")
def worker_engine(worker_database: str) -> Iterator[Engine]:
    engine = create_engine(worker_database)
    yield engine
    engine.dispose()


@pytest.fixture
def database_url(worker_database: str) -> Iterator[str]:
    """A migrated database; code under test reaches it through `transaction()`. Leave no committed rows in it."""
    with _reached_by_the_code(worker_database):
        yield worker_database


@pytest.fixture
def db(worker_engine: Engine) -> Iterator[Session]:
    """A session whose work, commits included, is rolled back after the test."""
    with worker_engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as open_session:
            yield open_session
        outer.rollback()


@pytest.fixture
def clean_database(postgres: Server, template: str) -> Iterator[str]:
    """The address of a fresh database, for tests of real commits; `transaction()` reaches it."""
    name = next(fresh_names)
    postgres.create_database(name, template=template)
    with _reached_by_the_code(postgres.url(name)):
        yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
def committed_db(clean_database: str) -> Iterator[Session]:
    """A session on a fresh database; what it commits, others see."""
    engine = create_engine(clean_database, poolclass=NullPool)
    with Session(engine, expire_on_commit=False) as open_session:
        yield open_session
    engine.dispose()


@pytest.fixture
def secret_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The APP_SECRET_KEY of this process, for tests that seal secrets."""
    from shared.settings import settings

    key = "a key of tests, and of nothing else"
    monkeypatch.setenv("APP_SECRET_KEY", key)
    settings.cache_clear()
    yield key
    settings.cache_clear()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not tested."""
    skipped = terminalreporter.getreports("skipped")
    if not skipped:
        return
    terminalreporter.section(f"{len(skipped)} TESTS WERE SKIPPED", sep="!", yellow=True, bold=True)
    for report in skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.line(f"{report.nodeid}: {reason}", yellow=True)


@contextmanager
def _reached_by_the_code(url: str) -> Iterator[None]:
    from shared.db import session

    session.configure(url)
    try:
        yield
    finally:
        session.dispose()


def _start_on_a_free_place() -> Server:
    """Start on the first place that nobody uses: a run that was killed leaves a server behind, the next one ends it."""
    project = hashlib.sha256(os.fsencode(Path(__file__).resolve())).hexdigest()[:8]
    home = Path(tempfile.gettempdir()) / f"backupchecks-tests-{os.getuid()}-{project}"
    home.mkdir(exist_ok=True)
    home.chmod(0o711)  # the server's own account has to pass
    for number in itertools.count():
        server = Server(home / f"pg{number}", durable=False, name=f"backupchecks tests {number}")
        try:
            server.start()
        except InUseError:
            continue
        return server
    raise AssertionError
