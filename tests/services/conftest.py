"""A mailbox in the fake Graph for the tests of what reads it."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from tests.services.mailbox_world import World, mailbox_world


@pytest.fixture
def world(committed_db: Session) -> Iterator[World]:
    """An empty mailbox whose import is switched on and moves nothing."""
    with mailbox_world(committed_db) as found:
        yield found
