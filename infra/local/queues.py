"""Empties the queues on this machine: hands each message to the function that the platform would start with it."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from infra.local.threads import Work
from shared.clients.queue_delivery import deliver
from shared.clients.queue_memory import MemoryQueues
from shared.clients.queues import Handler, QueueService

log = logging.getLogger(__name__)

PAUSE = 0.1  # seconds between two looks into an empty queue of this process
PAUSE_BETWEEN_REQUESTS = 1.0  # where each look is a request
PAUSE_WITHOUT_SERVICE = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Emptying:
    """The work of a thread: one queue, one message at a time."""

    queues: QueueService
    name: str
    handler: Handler

    def __call__(self, stop: threading.Event) -> None:
        while not stop.wait(self._step()):
            pass

    def _step(self) -> float:
        """Deliver the next message; return how long to wait before the one after it."""
        try:
            if deliver(self.queues, self.name, self.handler):
                return 0
        except Exception:  # whatever it is, the queue must be emptied again some time
            log.warning("a queue cannot be emptied for now", exc_info=True, extra={"queue": self.name})
            return PAUSE_WITHOUT_SERVICE
        return PAUSE if isinstance(self.queues, MemoryQueues) else PAUSE_BETWEEN_REQUESTS


def emptying(queues: QueueService, handlers: Mapping[str, Handler]) -> dict[str, Work]:
    """Return the work that empties these queues, for a thread each."""
    return {f"queue {name}": Emptying(queues=queues, name=name, handler=handler) for name, handler in handlers.items()}
