"""Queues between the functions. Delivery is at least once; what a lost message would have done, a sweep does later."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Protocol

from shared.domain.queue_message import Queue
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.clients.queue_memory import MemoryQueues

POISON = "-poison"
MAX_DEQUEUES = 5  # as host.json tells the platform
PATIENCE = timedelta(minutes=10)  # how long a message is out of sight while somebody works on it


class Queues(Protocol):
    """Where work is put for later. `send` raises Unavailable when the queue service does not take it."""

    def send(self, queue: Queue, messages: Sequence[str], *, delay: timedelta = timedelta()) -> None: ...

    def waiting(self, queue: Queue) -> int:
        """Return about how many messages wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A message somebody works on; out of sight for others until it is removed or comes back."""

    queue: str
    message_id: str
    body: str
    dequeues: int  # this time included
    receipt: str


class QueueService(Queues, Protocol):
    """What a queue service does for whoever empties its queues. Names are free here, so that poison queues have one.

    In Azure the platform does this. Every call may raise Unavailable.
    """

    def put(self, name: str, body: str, *, delay: timedelta = timedelta()) -> None: ...

    def take(self, name: str) -> Taken | None:
        """Take the next message out of sight for PATIENCE; None when none is due."""

    def remove(self, taken: Taken) -> None: ...

    def give_back(self, taken: Taken, delay: timedelta) -> None:
        """Let the message come back after `delay`."""


Handler = Callable[[Taken], object]


def open_queues(settings: Settings) -> QueueService:
    """Return the queues of the storage account that the settings name, else the ones in this process."""
    if not settings.has_queues:
        return queues_in_this_process()
    return _queues_of_the_account(
        settings.queue_connection, settings.queue_service_uri, settings.queue_identity_client_id
    )


@cache
def queues_in_this_process() -> "MemoryQueues":
    from shared.clients.queue_memory import MemoryQueues

    return MemoryQueues()


@cache
def _queues_of_the_account(connection: str, uri: str, identity: str) -> QueueService:
    from shared.clients.queue_azure import AzureQueues

    return AzureQueues(connection=connection, uri=uri, identity_client_id=identity)
