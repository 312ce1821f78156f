"""A mailbox in the fake Graph, and a tenant of the fake Autotask, for the tests of what reads and fills them."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from shared.clients import autotask
from shared.settings import settings
from tests.fake_autotask import CODE, SECRET, USER
from tests.services.mailbox_world import World, mailbox_world
from tests.services.ticket_world import TicketWorld, ticket_world


@pytest.fixture
def world(committed_db: Session) -> Iterator[World]:
    """An empty mailbox whose import is switched on and moves nothing."""
    with mailbox_world(committed_db) as found:
        yield found


@pytest.fixture
def tickets(committed_db: Session) -> Iterator[TicketWorld]:
    """A tenant of the fake Autotask; its choices are those of the settings."""
    with ticket_world(committed_db) as found:
        yield found


@pytest.fixture
def installed(tickets: TicketWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[TicketWorld]:
    """The tenant as the environment of this process names it."""
    environment = {
        "APP_SECRET_KEY": "a key of tests",
        "AUTOTASK_BASE_URL": tickets.fake.url,
        "AUTOTASK_USERNAME": USER,
        "AUTOTASK_SECRET": SECRET,
        "AUTOTASK_INTEGRATION_CODE": CODE,
        "PUBLIC_URL": "https://backups.example",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield tickets
    settings.cache_clear()
    for connection in autotask._open.values():
        connection.close()
    autotask._open.clear()
