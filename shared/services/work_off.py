"""Does in this process what the queues hold, where no platform does it: for the command line."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import exists, select

from shared.clients.queues import QueueService
from shared.db.session import transaction
from shared.domain.mailflow import MoveState
from shared.domain.queue_message import Queue, Wake, WakeReason
from shared.models.mailbox import MailboxRow, MailMove
from shared.models.system import SystemSettings
from shared.services.mail_queue import handle_parse, handle_wake
from shared.services.tick_missed_runs import handle_job_watch
from shared.services.ticket_work import handle_ticket_work

Clock = Callable[[], datetime]


@dataclass(slots=True)
class WorkDone:
    """What was done, and what Graph has to say where it wasn't."""

    counts: dict[str, int] = field(default_factory=dict)
    problem: str = ""


def work_off(queues: QueueService, *, clock: Clock) -> WorkDone:
    """Handle everything that is due, and the moves of what came in by that. What is put for later stays."""
    found, imported = Counter[str](), Counter[str]()
    _handle_all(queues, clock, found, imported)
    if imported["new"] and _moves_are_due(clock()):
        queues.send(Queue.MAIL_WAKE, [Wake(reason=WakeReason.MORE, at=clock()).to_json()])
        _handle_all(queues, clock, found, imported)
    return WorkDone(counts={**found, **imported}, problem=_problem() if found["failed"] else "")


def _handle_all(queues: QueueService, clock: Clock, found: Counter[str], imported: Counter[str]) -> None:
    """Handle mails to import first, so that few of them are ever in memory."""
    while True:
        if taken := queues.take(Queue.MAIL_PARSE.value):
            imported.update(handle_parse(taken.body, queues, clock=clock))
        elif taken := queues.take(Queue.MAIL_WAKE.value):
            found.update(handle_wake(taken.body, queues, clock=clock, sleep=time.sleep))
        elif taken := queues.take(Queue.JOB_WATCH.value):
            found.update(handle_job_watch(taken.body, queues, clock=clock))
        elif taken := queues.take(Queue.TICKET_ERRANDS.value):
            found.update(handle_ticket_work(taken.body, queues, clock=clock))
        else:
            return
        queues.remove(taken)


def _moves_are_due(now: datetime) -> bool:
    due = exists().where(MailMove.state == MoveState.WAITING, MailMove.due_at <= now)
    with transaction() as db:
        return db.get_one(SystemSettings, 1).move_processed and bool(db.scalar(select(due)))


def _problem() -> str:
    with transaction() as db:
        return next(iter(db.scalars(select(MailboxRow.last_error).where(MailboxRow.last_error != ""))), "")
