"""The pipeline as the platform runs it: Microsoft's worker library, a real queue service, and a Graph that we play.

What the host itself does is played here too: it hands messages over, and puts outputs into the queues.
"""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine, text

from infra.local.postgres import Server
from shared.clients.queue_azure import AzureQueues
from shared.clients.queue_delivery import deliver
from shared.clients.queues import MAX_DEQUEUES, POISON, Taken
from shared.domain.client_state import client_state
from shared.domain.queue_message import Queue
from shared.domain.timer import Timer
from tests.fake_graph import FakeGraph
from tests.functions.worker import Answer, Worker, started

pytestmark = pytest.mark.worker

KEY = "k" * 32
NO_TIME = timedelta()
QUEUES = [queue + suffix for queue in Queue for suffix in ("", POISON)]


class Host:
    """What the platform does around the worker."""

    def __init__(self, worker: Worker, queues: AzureQueues) -> None:
        self.worker = worker
        self.queues = queues

    def call(self, function: str, body: bytes = b"", *, query: str = "") -> Answer:
        """Let Graph call; what the function says is queued before the answer leaves."""
        path = f"/api/graph/{function.removeprefix('graph_')}{query}"
        answer = self.worker.http("POST", path, body=body, function=function)
        for messages in answer.outputs.values():
            self.queues.send(Queue.MAIL_WAKE, messages)
        return answer

    def work_off(self) -> list[str]:
        """Start a function for each message until the queues are empty; return which."""
        begun: list[str] = []
        while sum(self._next(name, begun) for name in QUEUES):
            pass
        return begun

    def _next(self, name: str, begun: list[str]) -> bool:
        function = name.replace("-", "_")

        def start(taken: Taken) -> None:
            begun.append(function)
            answer = self.worker.queue(function, taken.body, message_id=taken.message_id, dequeues=taken.dequeues)
            if not answer["ok"]:
                raise RuntimeError(answer["error"])

        return deliver(self.queues, name, start, retry_after=NO_TIME)


@pytest.fixture(scope="module")
def graph() -> Iterator[FakeGraph]:
    with FakeGraph() as fake:
        yield fake


@pytest.fixture(scope="module")
def database(postgres: Server, template: str) -> Iterator[Engine]:
    """A database with the import switched on."""
    name = "test_worker_queues"
    postgres.create_database(name, template=template)
    engine = create_engine(postgres.url(name))
    with engine.begin() as connection:
        connection.execute(text("UPDATE system_settings SET import_enabled = true, move_processed = false"))
    yield engine
    engine.dispose()
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def worker(postgres: Server, database: Engine, graph: FakeGraph, azurite: str) -> Iterator[Worker]:
    own = {"GRAPH_BASE_URL": graph.url, "GRAPH_MAILBOX": graph.mailbox.address, "AzureWebJobsStorage": azurite}
    with started(postgres.environment(str(database.url.database)), **own) as process:
        yield process


@pytest.fixture
def host(worker: Worker, azurite: str) -> Iterator[Host]:
    queues = AzureQueues(connection=azurite)
    for name in QUEUES:
        while taken := queues.take(name):
            queues.remove(taken)
    yield Host(worker, queues)
    queues.close()


def said(graph: FakeGraph, state: str | None = None, *events: str) -> bytes:
    known = client_state(KEY, graph.mailbox.address) if state is None else state
    items = [{"subscriptionId": "s", "clientState": known, "lifecycleEvent": event} for event in events or ("",)]
    return json.dumps({"value": items}).encode()


def one(database: Engine, query: str) -> object:
    with database.connect() as connection:
        return connection.execute(text(query)).scalar_one()


@pytest.mark.parametrize("function", ["graph_notifications", "graph_lifecycle"])
def test_a_validation_is_echoed_as_plain_text(host: Host, function: str) -> None:
    answer = host.call(function, query="?validationToken=Validation%3A%20Request-Id%3A%201%2B2")

    assert (answer.status, answer.text) == (200, "Validation: Request-Id: 1+2")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.outputs == {}


@pytest.mark.parametrize("function", ["graph_notifications", "graph_lifecycle"])
def test_a_forged_call_is_answered_like_a_genuine_one_and_starts_nothing(
    host: Host, graph: FakeGraph, function: str
) -> None:
    asked = len(graph.calls)

    answer = host.call(function, said(graph, "forged", "missed"))

    assert (answer.status, answer.body, answer.outputs) == (202, b"", {})
    assert host.work_off() == []
    assert len(graph.calls) == asked


def test_a_notification_ends_as_mails_in_the_database(host: Host, graph: FakeGraph, database: Engine) -> None:
    """Through both queues: the worker's own message to the second one is read back by the platform's rules."""
    for number in range(3):
        graph.deliver(subject=f"Through the queues {number}")

    assert host.call("graph_notifications", said(graph)).status == 202
    begun = host.work_off()

    assert begun == ["mail_wake", "mail_parse"]
    assert one(database, "SELECT count(*) FROM mail_messages WHERE subject LIKE 'Through the queues %'") == 3
    assert one(database, "SELECT count(*) FROM mail_arrivals") == 0


def test_each_kind_of_lifecycle_event_is_a_message_of_its_own(host: Host, graph: FakeGraph) -> None:
    answer = host.call("graph_lifecycle", said(graph, None, "missed", "reauthorizationRequired", "missed"))

    [messages] = answer.outputs.values()
    assert [json.loads(message)["reason"] for message in messages] == ["lifecycle_reauthorize", "lifecycle_missed"]
    assert host.work_off() == ["mail_wake", "mail_wake"]


def test_a_message_that_nobody_can_read_becomes_a_dead_letter(host: Host, database: Engine) -> None:
    host.queues.put("mail-parse", "nonsense")

    begun = host.work_off()

    assert begun == ["mail_parse"] * MAX_DEQUEUES + ["mail_parse_poison"]
    assert one(database, "SELECT body FROM dead_letters WHERE queue = 'mail-parse'") == "nonsense"


def test_a_dead_message_that_is_delivered_twice_is_kept_once(host: Host, database: Engine) -> None:
    for _ in range(2):
        assert host.worker.queue("mail_wake_poison", "broken", message_id="twice")["ok"]

    assert one(database, "SELECT count(*) FROM dead_letters WHERE message_id = 'twice'") == 1


@pytest.mark.parametrize("timer", Timer, ids=str)
def test_every_timer_runs_and_says_so(host: Host, database: Engine, timer: Timer) -> None:
    answer = host.worker.timer(timer)

    assert answer["ok"], answer["error"]
    assert one(database, f"SELECT good_at >= beat_at FROM heartbeats WHERE name = '{timer}'") is True
    host.work_off()
