"""Mails as the mailbox hands them over: stored once each, however often that is, and given out to be imported."""

import logging
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.clients.errors import Unavailable
from shared.clients.graph_mailbox import Arrived
from shared.clients.queues import Queues
from shared.domain.mailflow import MimeState
from shared.domain.queue_message import MAX_IDS, ParseBatch, Queue
from shared.models.mail import MailMessage
from shared.models.mailbox import MailArrival

log = logging.getLogger(__name__)

LOST_AFTER = timedelta(minutes=10)  # as long as a queue message is out of sight while somebody works on it


def store_arrivals(db: Session, mailbox_id: int, arrived: Sequence[Arrived], *, now: datetime) -> list[int]:
    """Store the mails that are neither waiting nor imported; return the ids of their arrivals."""
    ids = [each.graph_id for each in arrived]
    known = set(db.scalars(select(MailMessage.graph_id).where(MailMessage.graph_id.in_(ids))))
    # In one order, so that two who store the same mails wait for each other one way only.
    rows = [_row(mailbox_id, each, now) for each in sorted(arrived, key=_id_of) if each.graph_id not in known]
    if not rows:
        return []
    stored = set(db.scalars(insert(MailArrival).on_conflict_do_nothing().returning(MailArrival.id), rows))
    return sorted(stored - _imported_meanwhile(db, stored))


def lost_arrivals(db: Session, *, now: datetime) -> list[int]:
    """Return the arrivals that were given out too long ago, or never; they count as given out now."""
    lost = or_(MailArrival.queued_at.is_(None), MailArrival.queued_at <= now - LOST_AFTER)
    again = update(MailArrival).where(lost, MailArrival.mime != MimeState.WANTED).values(queued_at=now)
    return sorted(db.scalars(again.returning(MailArrival.id)))


def give_out(queues: Queues, arrival_ids: Sequence[int]) -> None:
    """Let the arrivals be imported. Call it after the commit; what the queue does not take, the next sweep finds."""
    batches = [ParseBatch(arrival_ids=ids).to_json() for ids in _batches(arrival_ids)]
    try:
        if batches:
            queues.send(Queue.MAIL_PARSE, batches)
    except Unavailable:
        log.warning("the queue takes no mails to import", extra={"mails": len(arrival_ids)}, exc_info=True)


def _batches(ids: Sequence[int]) -> list[tuple[int, ...]]:
    return [tuple(ids[start : start + MAX_IDS]) for start in range(0, len(ids), MAX_IDS)]


def _imported_meanwhile(db: Session, stored: set[int]) -> set[int]:
    """Take back what somebody imported between the look at the mails and the insert, which waited for that."""
    imported = exists().where(MailMessage.graph_id == MailArrival.graph_id)
    gone = delete(MailArrival).where(MailArrival.id.in_(stored), imported).returning(MailArrival.id)
    return set(db.scalars(gone))


def _row(mailbox_id: int, arrived: Arrived, now: datetime) -> dict[str, object]:
    return {
        "mailbox_id": mailbox_id,
        "graph_id": arrived.graph_id,
        "received_at": arrived.received_at,
        "arrived_at": now,
        "content": zlib.compress(arrived.content),
        "queued_at": now,
    }


def _id_of(arrived: Arrived) -> str:
    return arrived.graph_id
