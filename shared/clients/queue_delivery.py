"""How a message reaches its handler where the platform does not see to it: local runner, command line, tests."""

import logging
from datetime import timedelta

from shared.clients.queues import MAX_DEQUEUES, PATIENCE, POISON, Handler, QueueService

log = logging.getLogger(__name__)

RETRY_AFTER = timedelta(seconds=45)  # as host.json tells the platform


def deliver(queues: QueueService, name: str, handler: Handler, *, retry_after: timedelta = RETRY_AFTER) -> bool:
    """Deliver the next message of a queue that is due; return whether there was one. Raise Unavailable.

    As on the platform, one that fails comes back, and after the last try moves to the poison queue. A poison queue has
    none of its own: its messages stay until they are taken.
    """
    taken = queues.take(name)
    if taken is None:
        return False
    try:
        handler(taken)
    except Exception:  # whatever it is, the message must not be lost
        log.exception("a queue message failed", extra={"queue": name, "dequeues": taken.dequeues})
        if name.endswith(POISON):
            queues.give_back(taken, PATIENCE)
        elif taken.dequeues < MAX_DEQUEUES:
            queues.give_back(taken, retry_after)
        else:
            queues.put(name + POISON, taken.body)
            queues.remove(taken)
    else:
        queues.remove(taken)
    return True
