"""Keeps a queue message that was given up, until a person decides about it."""

import logging
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.domain.queue_message import Queue
from shared.models.pipeline import DeadLetter

log = logging.getLogger(__name__)


def bury_message(db: Session, queue: Queue, *, message_id: str, body: str, now: datetime) -> bool:
    """Keep the message as a dead letter; return whether it was not there yet. It may be delivered more than once."""
    row = insert(DeadLetter).values(
        queue=queue.value,
        message_id=message_id,
        body=body.replace("\0", "\N{REPLACEMENT CHARACTER}"),  # no text column takes it
        died_at=now,
    )
    added = db.scalar(row.on_conflict_do_nothing().returning(DeadLetter.id))
    if added is not None:
        log.error("a queue message was given up", extra={"queue": queue.value, "dead_letter_id": added})
    return added is not None
