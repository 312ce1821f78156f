"""The real clients, and Graph and Autotask as their fakes play them, on real sockets."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from shared.clients.autotask import AutotaskTickets
from shared.clients.autotask_breaker import InMemoryBreaker
from shared.clients.autotask_connection import Connection, Credentials
from shared.clients.autotask_line import AutotaskLine
from shared.clients.autotask_tickets import Conventions
from shared.clients.autotask_wire import CallRecord
from shared.clients.graph import GraphClient
from shared.clients.graph_line import GraphLine
from shared.clients.patience import Patience
from tests.fake_autotask import CODE, SECRET, USER, FakeAutotask
from tests.fake_graph import FakeGraph
from tests.fake_graph.webhook import Webhook

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADDRESS = "reports@msp.example"


class Waits(list[float]):
    """Stands in for sleeping: how long the client wanted to wait, each time."""

    async def sleep(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def fake() -> Iterator[FakeGraph]:
    with FakeGraph(now=lambda: NOON) as running:
        yield running


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def line(fake: FakeGraph, waits: Waits) -> Iterator[GraphLine]:
    made = GraphLine(fake.url, None, sleep=waits.sleep, now=lambda: NOON)
    yield made
    made.close()


@pytest.fixture
def mailbox(line: GraphLine) -> GraphClient:
    return GraphClient(ADDRESS, line)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as listening:
        yield listening


CREDENTIALS = Credentials(username=USER, secret=SECRET, integration_code=CODE)


@pytest.fixture
def tenant() -> Iterator[FakeAutotask]:
    """Whatever a test does: nothing was put, no text lost its formatting, and every operator was one that exists."""
    with FakeAutotask(now=lambda: NOON) as running:
        yield running
    assert [call for call in running.calls if call.method == "PUT"] == []
    assert running.world.rich_text_lost == 0
    assert running.world.unknown_operators == []


@pytest.fixture
def naps() -> list[float]:
    """How long the Autotask client wanted to wait, each time."""
    return []


@pytest.fixture
def breaker() -> InMemoryBreaker:
    return InMemoryBreaker()


@pytest.fixture
def records() -> list[CallRecord]:
    """What its flight recorder was told."""
    return []


@pytest.fixture
def way(
    tenant: FakeAutotask, naps: list[float], breaker: InMemoryBreaker, records: list[CallRecord]
) -> Iterator[AutotaskLine]:
    with way_to(tenant.url, naps, breaker, records) as line:
        yield line


@contextmanager
def way_to(
    url: str,
    naps: list[float],
    breaker: InMemoryBreaker,
    records: list[CallRecord],
    *,
    patience: Patience | None = None,
    credentials: Credentials = CREDENTIALS,
) -> Iterator[AutotaskLine]:
    connection = Connection(url, credentials, patience=patience, sleep=naps.append, now=lambda: NOON)
    yield AutotaskLine(connection, breaker=breaker, record=records.append)
    connection.close()


@pytest.fixture
def psa(way: AutotaskLine) -> AutotaskTickets:
    return AutotaskTickets(way, Conventions())


def look(psa: AutotaskTickets) -> list[str]:
    """Ask for something harmless."""
    return [company.name for company in psa.companies(["0"])]
