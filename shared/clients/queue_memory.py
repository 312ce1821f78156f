"""Queues in this process: for `make run` without a storage account, the command line and tests.

They hold what a queue service holds, delays and poison queues included, but not beyond the process; the sweep of the
import timer finds the work that they forget.
"""

import heapq
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count

from shared.clients.queue_delivery import deliver
from shared.clients.queues import PATIENCE, Handler, Taken
from shared.domain.queue_message import Queue


@dataclass(order=True, slots=True)
class _Waiting:
    due: float
    number: int
    body: str = field(compare=False)
    dequeues: int = field(compare=False, default=0)


class MemoryQueues:
    """Safe to use from several threads. `monotonic` tells the seconds that delays are counted in."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._waiting: defaultdict[str, list[_Waiting]] = defaultdict(list)

    def send(self, queue: Queue, messages: Sequence[str], *, delay: timedelta = timedelta()) -> None:
        for body in messages:
            self.put(queue.value, body, delay=delay)

    def waiting(self, queue: Queue) -> int:
        with self._lock:
            return len(self._waiting[queue.value])

    def put(self, name: str, body: str, *, delay: timedelta = timedelta()) -> None:
        with self._lock:
            fresh = _Waiting(self._in(delay), next(self._numbers), body)
            heapq.heappush(self._waiting[name], fresh)

    def take(self, name: str) -> Taken | None:
        with self._lock:
            waiting = self._waiting[name]
            if not waiting or waiting[0].due > self._monotonic():
                return None
            # Stays in the queue, out of sight: whoever dies over it loses nothing.
            found = replace(waiting[0], due=self._in(PATIENCE), dequeues=waiting[0].dequeues + 1)
            heapq.heapreplace(waiting, found)
        number = str(found.number)
        return Taken(queue=name, message_id=number, body=found.body, dequeues=found.dequeues, receipt=number)

    def remove(self, taken: Taken) -> None:
        with self._lock:
            self._pull(taken)

    def give_back(self, taken: Taken, delay: timedelta) -> None:
        with self._lock:
            if found := self._pull(taken):
                heapq.heappush(self._waiting[taken.queue], replace(found, due=self._in(delay)))

    def drain(self, handlers: Mapping[str, Handler]) -> int:
        """Deliver everything that is due to the handlers by queue name; return how many messages that were.

        What fails is tried again at once, and given up like on the platform. What is put for later stays.
        """
        total = 0
        while done := sum(deliver(self, name, each, retry_after=timedelta()) for name, each in handlers.items()):
            total += done
        return total

    def _pull(self, taken: Taken) -> _Waiting | None:
        waiting = self._waiting[taken.queue]
        found = next((each for each in waiting if str(each.number) == taken.receipt), None)
        if found:
            waiting.remove(found)
            heapq.heapify(waiting)
        return found

    def _in(self, delay: timedelta) -> float:
        return self._monotonic() + delay.total_seconds()
