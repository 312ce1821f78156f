"""What every trigger does besides its work: a timer says that it runs, a message looks after the timers.

The functions translate what the platform hands them and call these; they open their own transactions.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from shared import clock
from shared.clients.queues import Queues, open_queues
from shared.db.session import transaction
from shared.domain.queue_message import Queue
from shared.domain.timer import Timer
from shared.services.bury_message import bury_message
from shared.services.heal_timers import look_after_timers
from shared.services.heartbeat import beating, intervals
from shared.settings import settings

log = logging.getLogger(__name__)


class TimerWork(Protocol):
    """What a timer does; it returns counts."""

    def __call__(self, queues: Queues, *, clock: Callable[[], datetime]) -> dict[str, int]: ...


MessageWork = Callable[[str, Queues], dict[str, int]]


def tick(timer: Timer, work: TimerWork, *, is_late: bool) -> None:
    """Do a timer's work and let its heart beat; what goes wrong goes on to the platform."""
    if is_late:
        log.warning("a timer is late", extra={"timer": timer.value})
    with beating(timer, every=intervals(settings().timer_schedules)[timer], clock=clock.now):
        counts = work(open_queues(settings()), clock=clock.now)
    log.info("a timer ticked", extra={"timer": timer.value, "counts": counts})


def handle(text: str, work: MessageWork) -> None:
    """Do what a message asks for."""
    look_after_timers(clock=clock.now)
    counts = work(text, open_queues(settings()))
    log.info("a queue message is worked off", extra={"work": work.__name__, "counts": counts})


def bury(queue: Queue, message_id: str, text: str) -> None:
    """Keep a message that failed too often, for people to see."""
    with transaction() as db:
        bury_message(db, queue, message_id=message_id, body=text, now=clock.now())
