"""Every queue service keeps the same promises: the one in the process, and Azure's, here played by Azurite."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from shared.clients.errors import Unavailable
from shared.clients.queue_azure import AzureQueues
from shared.clients.queue_delivery import RETRY_AFTER, deliver
from shared.clients.queue_memory import MemoryQueues
from shared.clients.queues import MAX_DEQUEUES, POISON, QueueService, Taken, open_queues
from shared.domain.queue_message import Queue
from shared.settings import Settings
from tests.azurite import connection_string

ROOT = Path(__file__).parents[2]
NOW = timedelta()
names = (f"queue-{number}" for number in count())


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def azure(azurite: str) -> Iterator[AzureQueues]:
    queues = AzureQueues(connection=azurite)
    yield queues
    queues.close()


@pytest.fixture(params=["memory", "azure"])
def queues(request: pytest.FixtureRequest) -> QueueService:
    if request.param == "memory":
        return MemoryQueues()
    found: QueueService = request.getfixturevalue("azure")
    return found


@pytest.fixture
def name() -> str:
    """A queue that nobody has used."""
    return next(names)


def fail(taken: Taken) -> None:
    raise ValueError("no")


def bodies(queues: QueueService, name: str) -> list[str]:
    found: list[str] = []
    while deliver(queues, name, lambda taken: found.append(taken.body)):
        pass
    return found


def test_what_is_put_is_delivered_once(queues: QueueService, name: str) -> None:
    texts = {'{"version": 1}', "Bäckerei ✓", ""}
    for text in texts:
        queues.put(name, text)

    assert set(bodies(queues, name)) == texts
    assert bodies(queues, name) == []


def test_a_batch_is_sent_message_by_message_and_counted(queues: QueueService) -> None:
    queues.send(Queue.MAIL_PARSE, ["one", "two", "three"])

    assert queues.waiting(Queue.MAIL_PARSE) == 3
    assert sorted(bodies(queues, "mail-parse")) == ["one", "three", "two"]
    assert queues.waiting(Queue.MAIL_PARSE) == 0


def test_a_queue_that_was_never_used_is_empty(queues: QueueService, name: str) -> None:
    assert queues.take(name) is None


def test_a_message_that_somebody_works_on_is_out_of_sight_but_not_gone(queues: QueueService) -> None:
    queues.send(Queue.MAIL_WAKE, ["work"])

    taken = queues.take("mail-wake")
    assert taken is not None
    assert queues.take("mail-wake") is None
    assert queues.waiting(Queue.MAIL_WAKE) == 1

    queues.remove(taken)
    assert queues.waiting(Queue.MAIL_WAKE) == 0


def test_a_delayed_message_is_not_due_yet(queues: QueueService, name: str) -> None:
    queues.put(name, "later", delay=timedelta(minutes=1))

    assert queues.take(name) is None


def test_a_message_that_fails_comes_back_and_ends_in_the_poison_queue(
    queues: QueueService, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    queues.put(name, "bad")

    tries = 0
    while deliver(queues, name, fail, retry_after=NOW):
        tries += 1

    assert tries == MAX_DEQUEUES
    assert bodies(queues, name + POISON) == ["bad"]
    assert caplog.messages.count("a queue message failed") == MAX_DEQUEUES


def test_a_message_that_fails_waits_before_it_is_tried_again(queues: QueueService, name: str) -> None:
    queues.put(name, "bad")

    assert deliver(queues, name, fail)
    assert not deliver(queues, name, fail)


def test_a_poison_queue_has_no_poison_queue_of_its_own(queues: QueueService, name: str) -> None:
    queues.put(name + POISON, "bad")

    assert deliver(queues, name + POISON, fail, retry_after=NOW)
    assert queues.take(name + POISON) is None
    assert queues.take(name + POISON + POISON) is None


def test_in_memory_a_delay_passes() -> None:
    clock = Clock()
    queues = MemoryQueues(clock)
    queues.put("tea", "later", delay=timedelta(minutes=1))
    queues.put("tea", "now")

    assert bodies(queues, "tea") == ["now"]
    clock.seconds += 61
    assert bodies(queues, "tea") == ["later"]


def test_in_memory_a_message_comes_back_when_its_worker_died() -> None:
    clock = Clock()
    queues = MemoryQueues(clock)
    queues.put("tea", "work")
    queues.take("tea")

    clock.seconds += 601
    again = queues.take("tea")

    assert again is not None
    assert (again.body, again.dequeues) == ("work", 2)


def test_draining_delivers_what_handlers_send_on_and_leaves_what_is_put_for_later() -> None:
    queues = MemoryQueues()
    parsed: list[str] = []

    def wake(taken: Taken) -> None:
        queues.send(Queue.MAIL_PARSE, ["1", "2"])
        queues.send(Queue.MAIL_WAKE, ["more"], delay=timedelta(minutes=5))

    queues.send(Queue.MAIL_WAKE, ["wake"])
    count = queues.drain({"mail-wake": wake, "mail-parse": lambda taken: parsed.append(taken.body)})

    assert (count, parsed) == (3, ["1", "2"])
    assert queues.waiting(Queue.MAIL_WAKE) == 1


def test_draining_gives_up_what_always_fails() -> None:
    queues = MemoryQueues()
    buried: list[str] = []
    queues.put("tea", "bad")

    queues.drain({"tea": fail, "tea" + POISON: lambda taken: buried.append(taken.body)})

    assert buried == ["bad"]


def test_in_azure_bodies_are_base64_as_the_platform_expects(azurite: str, azure: AzureQueues, name: str) -> None:
    from azure.storage.queue import QueueClient

    azure.put(name, "Bäckerei")

    with QueueClient.from_connection_string(azurite, name) as raw:
        assert base64.b64decode(raw.receive_message()["content"]).decode() == "Bäckerei"


def test_in_azure_a_message_that_is_no_base64_is_handed_over_as_it_is(
    azurite: str, azure: AzureQueues, name: str
) -> None:
    """It fails then, and ends in the poison queue; raising here would hold up the queue for ever."""
    from azure.storage.queue import QueueClient

    with QueueClient.from_connection_string(azurite, name) as raw:
        raw.create_queue()
        raw.send_message("plain text!")

    assert bodies(azure, name) == ["plain text!"]


@pytest.mark.parametrize(
    "call",
    [
        lambda queues: queues.send(Queue.MAIL_WAKE, ["work"]),
        lambda queues: queues.waiting(Queue.MAIL_WAKE),
        lambda queues: queues.take("mail-wake"),
    ],
    ids=["send", "waiting", "take"],
)
@pytest.mark.parametrize("connection", [connection_string(1), "nonsense"], ids=["nobody listens", "no address"])
def test_a_service_that_cannot_be_reached_is_unavailable(
    connection: str, call: Callable[[AzureQueues], object]
) -> None:
    queues = AzureQueues(connection=connection)
    try:
        with pytest.raises(Unavailable) as problem:
            call(queues)
    finally:
        queues.close()

    assert "devstoreaccount1" not in str(problem.value)


def test_the_settings_say_which_queues_are_used() -> None:
    assert isinstance(open_queues(Settings()), MemoryQueues)
    assert open_queues(Settings()) is open_queues(Settings(app_port=1))
    assert isinstance(open_queues(Settings(queue_connection=connection_string(1))), AzureQueues)
    assert isinstance(open_queues(Settings(queue_service_uri="https://queues.example")), AzureQueues)


def test_the_platform_is_told_the_same_rules() -> None:
    told = json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]

    assert told["messageEncoding"] == "base64"
    assert told["maxDequeueCount"] == MAX_DEQUEUES
    assert told["visibilityTimeout"] == f"0{RETRY_AFTER}"
