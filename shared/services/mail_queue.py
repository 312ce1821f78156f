"""What the queue messages about mails do. The functions and the command line hand over the text of a message."""

import time
from collections.abc import Callable
from datetime import datetime

from shared import clock as machine
from shared.clients.graph import open_mailbox
from shared.clients.mailbox import FolderMailbox
from shared.clients.queues import Queues
from shared.domain.queue_message import ParseBatch, Queue, Wake, WakeReason
from shared.services.import_arrivals import import_arrivals
from shared.services.import_folder import import_folder
from shared.services.keep_subscription import keep_subscriptions
from shared.services.sync_mailbox import sync_mailbox
from shared.settings import settings

Clock = Callable[[], datetime]
Sleep = Callable[[float], object]

_ABOUT_SUBSCRIPTIONS = (WakeReason.SUBSCRIBE, WakeReason.LIFECYCLE_REAUTHORIZE, WakeReason.LIFECYCLE_REMOVED)


def handle_wake(text: str, queues: Queues, *, clock: Clock = machine.now, sleep: Sleep = time.sleep) -> dict[str, int]:
    """Look for new mails, after setting right what Graph says of its subscriptions; return counts. Raise BadMessage."""
    wake = Wake.from_json(text)
    if not settings().graph_mailbox:
        return import_folder(FolderMailbox(settings().mail_folder), wake, clock=clock)
    mailbox = open_mailbox(settings())
    if wake.reason in _ABOUT_SUBSCRIPTIONS:
        told_at = None if wake.reason is WakeReason.SUBSCRIBE else wake.at
        keep_subscriptions(mailbox, queues, settings=settings(), clock=clock, sleep=sleep, told_at=told_at)
    if wake.reason in (WakeReason.SUBSCRIBE, WakeReason.LIFECYCLE_REAUTHORIZE):
        return {}
    return sync_mailbox(mailbox, queues, wake, clock=clock, sleep=sleep)


def handle_parse(text: str, queues: Queues, *, clock: Clock = machine.now) -> dict[str, int]:
    """Import the arrivals that the message names; return counts. Raise BadMessage."""
    done = import_arrivals(ParseBatch.from_json(text).arrival_ids, clock=clock)
    if done.wanted:
        queues.send(Queue.MAIL_WAKE, [Wake(reason=WakeReason.MORE, at=clock()).to_json()])
    return done.as_counts()
