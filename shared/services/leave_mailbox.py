"""Gives the mailbox back, and sees to it that whoever asked meanwhile, and what is left to do, gets a read."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from shared.clients.errors import Unavailable
from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.domain.queue_message import Queue, Wake, WakeReason
from shared.services.lease_mailbox import Lease, end_lease

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Following:
    """The wake that a read leaves behind."""

    reason: WakeReason
    delay: timedelta = timedelta()


def leave_mailbox(
    queues: Queues, lease: Lease, *, clock: Callable[[], datetime], following: Following | None = None
) -> None:
    """End the lease; never raises what the next one can live with."""
    try:
        with transaction() as db:
            asked_at = end_lease(db, lease)
    except SQLAlchemyError:  # the lease ends by itself
        log.exception("a mailbox could not be given back", extra={"mailbox_id": lease.mailbox_id})
        return
    if asked_at is not None:
        following = following or Following(reason=WakeReason.MORE)
    if following is not None:
        _send(queues, Wake(reason=following.reason, at=clock()), following.delay)


def _send(queues: Queues, wake: Wake, delay: timedelta) -> None:
    try:
        queues.send(Queue.MAIL_WAKE, [wake.to_json()], delay=delay)
    except Unavailable:
        log.warning("the queue takes no wake: the timer will see to it", exc_info=True)
