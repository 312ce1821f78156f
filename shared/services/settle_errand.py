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


class Cancelled(Enum):
    """What became of what was cancelled."""

    REMOVED = auto()  # the ticket was never made, and is gone here too
    WITHDRAWN = auto()  # it may have been made: it is looked for, and gone here when it is not there
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
        return Cancelled.DROPPED
    if not errand.was_sent:
        remove_unmade(db, ticket, actor=actor, now=now)
        return Cancelled.REMOVED
    if errand.state is ErrandState.FAILED:
        errand.due_at = now
    errand.state, errand.is_withdrawn = ErrandState.WAITING, True
    return Cancelled.WITHDRAWN


def _locked(db: Session, errand_id: int, now: datetime) -> tuple[Errand, Ticket]:
    """Return what is still to be decided about, locked in the order in which the sender locks."""
    ticket_id = db.scalar(select(Errand.ticket_id).where(Errand.id == errand_id))
    ticket = None if ticket_id is None else lock_ticket(db, ticket_id)
    errand = db.get(Errand, errand_id, with_for_update=True, populate_existing=True)
    if ticket is None or errand is None:
        raise NotFound("There is no such errand (any more).")
    if errand.state in (ErrandState.DONE, ErrandState.CANCELLED) or errand.is_withdrawn:
        raise Conflict("Somebody was faster: this is settled already.")
    if errand.state is ErrandState.SENDING and errand.due_at > now:
        raise Conflict("It is just being sent. Look again in a minute.")
    return errand, ticket


def _record(db: Session, errand: Errand, action: str, actor: Actor, now: datetime) -> None:
    facts = {"errand": errand.id, "kind": errand.kind.value, "said": errand.last_error}
    record_act(db, actor, action, subject_type="ticket", subject_id=errand.ticket_id, before=facts, now=now)
