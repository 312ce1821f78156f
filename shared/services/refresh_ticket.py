"""Looks up one ticket at the ticketing system because somebody wants to know now."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum, auto

from sqlalchemy import or_, update

from shared.clients import errors as clients
from shared.db.session import transaction
from shared.domain.ticketing import RemoteTicket, TicketProvider
from shared.models.tickets import Ticket
from shared.services.apply_remote import apply_deletion, apply_seen, note_unseen
from shared.services.errors import Conflict, NotFound, Upstream

DEBOUNCE = timedelta(seconds=30)


class Refreshed(Enum):
    """What a look at one ticket found."""

    SEEN = auto()
    FRESH = auto()  # somebody looked just before
    ANOTHER = auto()  # seen, and not this ticket or not its company's: it does not follow
    HIDDEN = auto()  # not to be seen, and no proof that it is gone
    DELETED = auto()


def refresh_ticket(provider: TicketProvider, ticket_id: int, *, clock: Callable[[], datetime]) -> Refreshed:
    """Let one ticket follow the ticketing system. Raise NotFound, Conflict (it is not there yet) or Upstream.

    Opens its own transactions. Who asks again within half a minute gets what is known.
    """
    remote_id = _take(ticket_id, clock())
    if remote_id is None:
        return Refreshed.FRESH
    looked_at = clock()
    try:
        found = _find(provider, remote_id)
        proofs = provider.proven_deleted([remote_id]) if found is None else []
    except clients.Upstream as problem:
        _give_back(ticket_id)
        raise Upstream(f"The ticket could not be looked up: {problem}.", retryable=problem.retryable) from problem
    with transaction() as db:
        if found is not None:
            apply_seen(db, [found], looked_at=looked_at, now=clock())
            is_another = db.get_one(Ticket, ticket_id).remote_mismatch is not None
            return Refreshed.ANOTHER if is_another else Refreshed.SEEN
        note_unseen(db, [ticket_id])
    with transaction() as db:
        for proof in proofs:
            apply_deletion(db, proof, now=clock())
    return Refreshed.DELETED if proofs else Refreshed.HIDDEN


def _take(ticket_id: int, now: datetime) -> str | None:
    """Return the ticket's id over there if it is our turn to ask; whoever comes soon after gets None."""
    is_our_turn = or_(Ticket.remote_asked_at.is_(None), Ticket.remote_asked_at <= now - DEBOUNCE)
    asks = update(Ticket).where(Ticket.id == ticket_id, is_our_turn).values(remote_asked_at=now)
    with transaction() as db:
        ticket = db.get(Ticket, ticket_id)
        if ticket is None:
            raise NotFound("This ticket doesn't exist (any more).")
        if ticket.remote_id is None:
            raise Conflict("This ticket is not in the ticketing system: there is nothing to look up.")
        return db.scalar(asks.returning(Ticket.remote_id))


def _give_back(ticket_id: int) -> None:
    """Let the next one ask at once: nobody has learned anything."""
    with transaction() as db:
        db.execute(update(Ticket).where(Ticket.id == ticket_id).values(remote_asked_at=None))


def _find(provider: TicketProvider, remote_id: str) -> RemoteTicket | None:
    try:
        return provider.ticket(remote_id)
    except clients.NotFound:
        return None
