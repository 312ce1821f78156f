"""The real client, and Graph as the fake plays it, on real sockets."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from shared.clients.graph import GraphClient
from shared.clients.graph_line import GraphLine
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
