"""Queues between the functions. Delivery is at least once; what a lost message would have done, a sweep does later."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from shared.domain.queue_message import Queue


class Queues(Protocol):
    """Where work is put for later. `send` raises Unavailable when the queue service does not take it."""

    def send(self, queue: Queue, messages: Sequence[str], *, delay: timedelta = timedelta()) -> None: ...

    def waiting(self, queue: Queue) -> int:
        """Return about how many messages wait."""
