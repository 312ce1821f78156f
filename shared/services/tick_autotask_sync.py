"""What the ticketing timer does at a tick: finds out what is due at the ticketing system, and has it done."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.domain.poll_course import poll_is_due
from shared.domain.queue_message import TicketTask
from shared.domain.ticket import TicketSource
from shared.domain.ticketing import Pace
from shared.models.ticketing import TicketingSettings, TicketingState
from shared.services.claim_errands import errands_are_due
from shared.services.incidents import keep_incidents
from shared.services.kick_errands import send_task
from shared.services.ticketing_state import is_resting, pace_of, usage_is_old


def tick_autotask_sync(queues: Queues, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Look after the incidents, and ask for what is due; return counts."""
    counts = keep_incidents(clock=clock)
    with transaction() as db:
        tasks = _due(db, clock())
    for task in tasks:
        send_task(queues, task)
    return {**counts, "tasks": len(tasks)}


def _due(db: Session, now: datetime) -> list[TicketTask]:
    chosen, state = db.get_one(TicketingSettings, 1), db.get_one(TicketingState, 1)
    if chosen.provider is TicketSource.MANUAL:
        return []
    tasks = [TicketTask.SEND] if errands_are_due(db, now=now) else []
    pace = pace_of(db, now=now)
    if pace is Pace.PAUSED and not usage_is_old(db, now=now):
        return tasks
    every = timedelta(minutes=chosen.poll_minutes)
    if poll_is_due(state.polled_at, every, pace, now=now) and not is_resting(db, now=now):
        tasks.append(TicketTask.POLL)
    if state.choices_at is None:  # no one knows them yet, or one of them was refused
        tasks.append(TicketTask.REFERENCE)
    return tasks
