"""Has what was written down for the ticketing system sent soon. The timer makes up for a kick that gets lost."""

import logging

from sqlalchemy import event
from sqlalchemy.orm import Session

from shared.clients.errors import Unavailable
from shared.clients.queues import Queues
from shared.domain.queue_message import Queue, TicketTask, TicketWork

log = logging.getLogger(__name__)

WANTED = "ticket tasks"


def kick_errands(db: Session, queues: Queues, task: TicketTask = TicketTask.SEND) -> None:
    """Have the errands of this transaction sent once it is committed, not before: nobody would find them.

    May be called in the middle of it and several times. Never raises.
    """
    if WANTED not in db.info:
        db.info[WANTED] = set()
        event.listen(db, "after_commit", lambda session: _kick(session, queues))
    db.info[WANTED].add(task)


def send_task(queues: Queues, task: TicketTask) -> None:
    """Ask for work at the ticketing system. Never raises: the timer asks again."""
    try:
        queues.send(Queue.TICKET_ERRANDS, [TicketWork(task=task).to_json()])
    except Unavailable:
        log.warning("the queue did not take a kick, the timer makes up for it", exc_info=True)


def _kick(db: Session, queues: Queues) -> None:
    if db.in_nested_transaction():  # a savepoint is no commit
        return
    wanted: set[TicketTask] = db.info[WANTED]
    for task in sorted(wanted):
        send_task(queues, task)
    wanted.clear()
