"""Does the import timer's work in its place when it has stopped. Whoever works anyhow looks after it now and then.

Unlike other services it opens its own transaction, and sends after it.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.clients.queues import Queues, open_queues
from shared.db.session import transaction
from shared.domain.queue_message import Queue, Wake, WakeReason
from shared.domain.timer import Timer
from shared.models.pipeline import Heartbeat
from shared.services.heartbeat import intervals, stale_after
from shared.settings import settings

log = logging.getLogger(__name__)

PAUSE = 60.0  # seconds between two looks of a process


class Pause:
    """Lets somebody through at most once in PAUSE seconds, from whatever thread."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._last: float | None = None

    def is_over(self) -> bool:
        with self._lock:
            now = self._monotonic()
            if self._last is not None and now - self._last < PAUSE:
                return False
            self._last = now
            return True

    def begin(self) -> None:
        """Let nobody through for now: timers that start with this process have not ticked yet."""
        self.is_over()


pause = Pause()


def look_after_timers(*, clock: Callable[[], datetime], pause: Pause = pause) -> None:
    """Heal what has stopped, at most once a minute. Never raises: whoever looks has work of his own."""
    if pause.is_over():
        _look(clock)


def look_beside(*, clock: Callable[[], datetime], pause: Pause = pause) -> None:
    """Do the same in a thread of its own, for those who cannot wait."""
    if pause.is_over():
        threading.Thread(target=_look, args=(clock,), name="look after timers", daemon=True).start()


def _look(clock: Callable[[], datetime]) -> None:
    try:
        heal(open_queues(settings()), every=intervals(settings().timer_schedules), now=clock())
    except Exception:  # a database or queue that is away shows up in that work too
        log.warning("the timers could not be looked after", exc_info=True)


def heal(queues: Queues, *, every: Mapping[Timer, timedelta], now: datetime) -> bool:
    """Ask for a read of the mailbox where the import timer has stopped; return whether it had.

    Of many processes that find it so, one asks in each interval. Raise Unavailable.
    """
    with transaction() as db:
        _expect(db, every, now)
        stopped = _claim(db, every[Timer.MAIL_IMPORT], now)
    if stopped:
        log.error("the import timer has stopped; asking for a read in its place")
        queues.send(Queue.MAIL_WAKE, [Wake(reason=WakeReason.HEAL, at=now).to_json()])
    return stopped


def _expect(db: Session, every: Mapping[Timer, timedelta], now: datetime) -> None:
    """Let there be a row for each timer, so that one that never ran is missed, and none for timers of older code."""
    rows = [
        {"name": timer.value, "every_seconds": max(1, int(gap.total_seconds())), "beat_at": now}
        for timer, gap in every.items()
    ]
    db.execute(insert(Heartbeat).values(rows).on_conflict_do_nothing())
    db.execute(delete(Heartbeat).where(Heartbeat.name.not_in([timer.value for timer in Timer])))


def _claim(db: Session, every: timedelta, now: datetime) -> bool:
    """Say in the row of the import timer that its work is done now, if it is stale and nobody else said so."""
    stale = select(Heartbeat).where(
        Heartbeat.name == Timer.MAIL_IMPORT.value, Heartbeat.beat_at < now - stale_after(every)
    )
    row = db.scalar(stale.with_for_update(skip_locked=True))
    if row is None or (row.healed_at is not None and now - row.healed_at < every):
        return False
    row.healed_at = now
    return True
