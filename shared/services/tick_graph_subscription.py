"""What the subscription timer does at a tick."""

import time
from collections.abc import Callable
from datetime import datetime

from shared.clients.graph import open_mailbox
from shared.clients.queues import Queues
from shared.services.keep_subscription import keep_subscriptions
from shared.settings import settings


def tick_graph_subscription(
    queues: Queues, *, clock: Callable[[], datetime], sleep: Callable[[float], object] = time.sleep
) -> dict[str, int]:
    """Bring the subscriptions in order where a mailbox is read; return counts."""
    if not settings().graph_mailbox:
        return {}
    return keep_subscriptions(open_mailbox(settings()), queues, settings=settings(), clock=clock, sleep=sleep)
