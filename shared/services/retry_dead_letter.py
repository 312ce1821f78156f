"""What a person decides about a queue message that was given up: try it once more, or let it be."""

import logging
from datetime import datetime

from sqlalchemy.orm import Session

from shared.clients.errors import Unavailable
from shared.clients.queues import Queues
from shared.domain.queue_message import Queue
from shared.models.pipeline import DeadLetter
from shared.services.audit import Actor, record_act
from shared.services.errors import Conflict, NotFound, Upstream

log = logging.getLogger(__name__)

RETRIED = "retried"
DISCARDED = "discarded"


def retry_dead_letter(db: Session, actor: Actor, letter_id: int, *, queues: Queues, now: datetime) -> None:
    """Send the message to its queue again. Raise NotFound, Conflict, or Upstream when the queue does not take it.

    It is sent before the commit, because what is written down must have happened. If the commit fails it may be sent
    twice, which is harmless: every message is.
    """
    letter = _open_letter(db, actor, letter_id)
    try:
        queues.send(Queue(letter.queue), [letter.body])
    except Unavailable as problem:
        sentence = "The queue did not take the message; it stays here. Try again in a minute."
        raise Upstream(sentence, retryable=True) from problem
    _settle(db, actor, letter, RETRIED, now)


def discard_dead_letter(db: Session, actor: Actor, letter_id: int, *, now: datetime) -> None:
    """Let the message be: what it asked for is not done. Raise NotFound or Conflict."""
    _settle(db, actor, _open_letter(db, actor, letter_id), DISCARDED, now)


def _open_letter(db: Session, actor: Actor, letter_id: int) -> DeadLetter:
    """Return the letter, locked so that of two people one decides. Raise NotAllowed for whoever is no person."""
    log.info("dead letter taken up", extra={"dead_letter_id": letter_id, "user_id": actor.person_id})
    letter = db.get(DeadLetter, letter_id, with_for_update=True)
    if letter is None:
        raise NotFound("There is no such dead letter.")
    if letter.settled_at is not None:
        raise Conflict(f"This message has been {letter.settled_as} already.")
    return letter


def _settle(db: Session, actor: Actor, letter: DeadLetter, verdict: str, now: datetime) -> None:
    letter.settled_at, letter.settled_by, letter.settled_as = now, actor.person_id, verdict
    record_act(
        db,
        actor,
        f"dead_letter.{verdict}",
        subject_type="dead_letter",
        subject_id=letter.id,
        after={"queue": letter.queue},
        now=now,
    )
