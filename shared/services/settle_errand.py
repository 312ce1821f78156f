"""What a person decides about an errand that did not get through: send it again, or send it no more."""

from datetime import datetime
from enum import Enum, auto

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.ticket import ErrandKind, ErrandState
from shared.models.ticketing import Errand
from shared.models.tickets import Ticket
from shared.services.audit import Actor, record_act
from shared.services.carry_ticket import lock_ticket
from shared.services.errors import Conflict, NotFound
from shared.services.remove_unmade import remove_unmade
from shared.services.tickets import mark_reopened


class Cancelled(Enum):
    """What became of what was cancelled."""

    REMOVED = auto()  # the ticket was never made, and is gone here too
    WITHDRAWN = auto()  # it may have been made: it is looked for, and gone here when it is not there
    REOPENED = auto()  # the end is not told over there, so the ticket is open here too
    DROPPED = auto()  # the word is not sent; what it was about stays as it is


def retry_errand(db: Session, errand_id: int, *, actor: Actor, now: datetime) -> None:
    """Have an errand sent at once. Raise NotFound or Conflict.

    What may have got through is looked up first. Where it was given up for lost, it is sent because a person says so.
    """
    errand, _ = _locked(db, errand_id, now)
    if errand.state is ErrandState.WAITING and errand.was_sent and errand.due_at > now:
        raise Conflict("It may have got through: that shows in a few minutes, and then it goes on by itself.")
    if errand.state is ErrandState.FAILED:
        errand.times_lost = 0
    errand.state, errand.due_at, errand.attempts = ErrandState.WAITING, now, 0
    _record(db, errand, "errand.retried", actor, now)


def cancel_errand(db: Session, errand_id: int, *, actor: Actor, now: datetime) -> Cancelled:
    """Have an errand sent no more, and return what that means. Raise NotFound or Conflict.

    A ticket that may have been made is looked for first: it is never forgotten over there.
    """
    errand, ticket = _locked(db, errand_id, now)
    _record(db, errand, "errand.cancelled", actor, now)
    if errand.kind is not ErrandKind.CREATE:
        errand.state = ErrandState.CANCELLED
        return _dropped(db, errand, ticket, actor, now)
    if not errand.was_sent:
        remove_unmade(db, ticket, actor=actor, now=now)
        return Cancelled.REMOVED
    if errand.state is ErrandState.FAILED:
        errand.due_at = now
    errand.state, errand.is_withdrawn = ErrandState.WAITING, True
    return Cancelled.WITHDRAWN


def _dropped(db: Session, errand: Errand, ticket: Ticket, actor: Actor, now: datetime) -> Cancelled:
    """Open a ticket here whose end is never told: no look would do so once it was resolved here for long.

    What is another ticket over there says nothing about this one, and it stays as it is.
    """
    is_ended = ticket.resolved_at is not None and ticket.remote_mismatch is None
    if errand.kind is not ErrandKind.RESOLVE or not is_ended or not mark_reopened(db, ticket, now=now):
        return Cancelled.DROPPED
    facts = {"code": ticket.ticket_code}
    record_act(db, actor, "ticket.reopened", subject_type="ticket", subject_id=ticket.id, after=facts, now=now)
    return Cancelled.REOPENED


def _locked(db: Session, errand_id: int, now: datetime) -> tuple[Errand, Ticket]:
    """Return what is still to be decided about, locked in the order in which the sender locks.

    What is withdrawn is decided, unless looking for it failed: then somebody says when to look again.
    """
    ticket_id = db.scalar(select(Errand.ticket_id).where(Errand.id == errand_id))
    ticket = None if ticket_id is None else lock_ticket(db, ticket_id)
    errand = db.get(Errand, errand_id, with_for_update=True, populate_existing=True)
    if ticket is None or errand is None:
        raise NotFound("There is no such errand (any more).")
    is_under_way = errand.is_withdrawn and errand.state is not ErrandState.FAILED
    if errand.state in (ErrandState.DONE, ErrandState.CANCELLED) or is_under_way:
        raise Conflict("Somebody was faster: this is settled already.")
    if errand.state is ErrandState.SENDING and errand.due_at > now:
        raise Conflict("It is just being sent. Look again in a minute.")
    return errand, ticket


def _record(db: Session, errand: Errand, action: str, actor: Actor, now: datetime) -> None:
    """What they said over there is told on the page alone: it may name their people."""
    facts = {"errand": errand.id, "kind": errand.kind.value}
    record_act(db, actor, action, subject_type="ticket", subject_id=errand.ticket_id, before=facts, now=now)
