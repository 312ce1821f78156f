"""The fake Autotask, and the real client in front of it, for tests of what uses it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.clients.autotask import AutotaskTickets
from shared.clients.autotask_breaker import InMemoryBreaker
from shared.clients.autotask_connection import Connection, Credentials
from shared.clients.autotask_line import AutotaskLine
from shared.clients.autotask_tickets import Conventions
from shared.settings import settings
from tests.fake_autotask import CODE, SECRET, USER, FakeAutotask

VARIABLES = {"AUTOTASK_USERNAME": USER, "AUTOTASK_SECRET": SECRET, "AUTOTASK_INTEGRATION_CODE": CODE}


@contextmanager
def running_tenant() -> Iterator[FakeAutotask]:
    """Whatever a test does: nothing is put, no text loses its formatting, and every operator is one that exists."""
    with FakeAutotask() as tenant:
        yield tenant
    assert [call for call in tenant.calls if call.method == "PUT"] == []
    assert tenant.world.rich_text_lost == 0
    assert tenant.world.unknown_operators == []


@contextmanager
def client_of(tenant: FakeAutotask) -> Iterator[AutotaskTickets]:
    """Yield a client that never sleeps."""
    who = Credentials(username=USER, secret=SECRET, integration_code=CODE)
    connection = Connection(tenant.url, who, sleep=lambda _: None)
    yield AutotaskTickets(AutotaskLine(connection, breaker=InMemoryBreaker()), Conventions())
    connection.close()


@contextmanager
def tenant_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAutotask]:
    """Yield a tenant that the settings of this process name."""
    with running_tenant() as tenant:
        for name, value in {"AUTOTASK_BASE_URL": tenant.url, **VARIABLES}.items():
            monkeypatch.setenv(name, value)
        settings.cache_clear()
        yield tenant
