"""A mailbox in the fake Graph, and a tenant of the fake Autotask, for the tests of what reads and fills them."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

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
