"""Looks up the tickets that are open here at the ticketing system, all together and one poll at a time.

Opens its own transactions: nothing is written before everything was answered. A ticket that is out of sight is not
deleted; many at once out of sight are not believed at all.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from shared.clients.errors import BadCredentials, BreakerOpen, Throttled, Upstream
from shared.db.session import transaction
from shared.domain.poll_course import WATCHED_AFTER, KnownTicket, Look, compare
from shared.domain.ticket import ErrandKind, TicketSource
from shared.domain.ticketing import Ability, Deletion, TicketProvider
from shared.models.ticketing import Errand, TicketingSettings
from shared.models.tickets import Ticket
from shared.services.apply_remote import OPEN_ERRANDS, apply_deletion, apply_seen, note_seen, note_unseen
from shared.services.known_as import number_of
from shared.services.ticketing_state import end_poll, keep_told_to_wait, take_poll

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

NOT_BELIEVED = (
    "{vanished} of {known} tickets are not to be seen any more, all at once. Nothing was changed: usually a right of "
    "our user was taken away. See to it, or say that it is so."
)
NOT_LOOKED_UP = "The tickets could not be looked up: {why}. It is tried again by itself."
NOT_PROVEN = "Some tickets are not to be seen, and whether they were deleted could not be found out: {why}."


class TakenOver(Exception):
    """Somebody else polls by now: what we heard is old."""


class Incredible(Exception):
    """Too many tickets vanished at once to be true."""

    def __init__(self, vanished: int, known: int) -> None:
        super().__init__(NOT_BELIEVED.format(vanished=vanished, known=known))
        self.vanished = vanished


@dataclass(frozen=True, kw_only=True, slots=True)
class Proofs:
    """What was proven to be deleted of what is out of sight, or why nothing could be."""

    deletions: Sequence[Deletion] = ()
    trouble: Upstream | None = None

    @property
    def says(self) -> str:
        return NOT_PROVEN.format(why=_clause(self.trouble)) if self.trouble else ""


def poll_tickets(provider: TicketProvider, *, clock: Clock, anyway: bool = False) -> dict[str, int]:
    """Let tickets follow the ticketing system; return counts, none where somebody else polls.

    `anyway`: a person says that it is so, however many vanished.
    """
    looked_at = clock()
    with transaction() as db:
        lease = take_poll(db, force=anyway, now=looked_at)
        known = [] if lease is None else _watched(db, now=looked_at)
    if lease is None:
        return {}
    try:
        look, proofs = _look(provider, known, anyway=anyway)
    except (Upstream, Incredible) as problem:
        return _given_up(problem, lease, clock())
    try:
        happened = _written_down(look, proofs, lease, looked_at, clock)
    except TakenOver:
        return {}
    deleted = _delete(proofs.deletions, clock)
    return {"polled": len(known), "unseen": len(look.unseen), "deleted": deleted, **happened}


def _watched(db: Session, *, now: datetime) -> list[KnownTicket]:
    """Return the tickets to look up: open ones, those just resolved, and those whose end they have yet to be told."""
    to_be_told = exists().where(
        Errand.ticket_id == Ticket.id, Errand.kind == ErrandKind.RESOLVE, Errand.state.in_(OPEN_ERRANDS)
    )
    is_watched = or_(Ticket.resolved_at.is_(None), Ticket.resolved_at > now - WATCHED_AFTER, to_be_told)
    is_there = (
        Ticket.source == TicketSource.AUTOTASK,
        Ticket.remote_id.is_not(None),
        Ticket.deleted_at.is_(None),
    )
    found = db.scalars(select(Ticket).where(*is_there, is_watched).order_by(Ticket.id))
    return [
        KnownTicket(
            ticket_id=row.id,
            remote_id=str(row.remote_id),
            number=number_of(row),
            company_id=row.remote_company_id or "",
            is_another=row.remote_mismatch is not None,
            is_resolved=row.resolved_at is not None,
            status_id=row.remote_status_id,
            misses=row.misses,
        )
        for row in found
    ]


def _look(provider: TicketProvider, known: Sequence[KnownTicket], *, anyway: bool) -> tuple[Look, Proofs]:
    """Ask for all, and then for proofs of what is out of sight. Raise Upstream, or Incredible."""
    look = compare(known, provider.tickets([each.remote_id for each in known]) if known else [])
    if look.is_incredible and not anyway:
        raise Incredible(look.vanished, len(known))
    return look, _proofs(provider, [each.remote_id for each in look.unseen])


def _proofs(provider: TicketProvider, unseen: Sequence[str]) -> Proofs:
    """Ask what of this is deleted. No answer is no proof, and no reason to forget what was seen of the others."""
    if not unseen or Ability.PROVE_DELETED not in provider.abilities:
        return Proofs()
    try:
        return Proofs(deletions=provider.proven_deleted(unseen))
    except (BadCredentials, BreakerOpen):
        raise
    except Upstream as problem:
        log.warning("no deletion can be proven", extra={"why": type(problem).__name__})
        return Proofs(trouble=problem)


def _written_down(
    look: Look, proofs: Proofs, lease: datetime, looked_at: datetime, clock: Clock
) -> Counter[str]:  # fmt: skip
    """Let the tickets follow what was seen, and end the poll. Raise TakenOver, with nothing changed.

    Tickets first and the state after them, as whoever settles an errand does: else both wait for each other.
    """
    with transaction() as db:
        happened = Counter(apply_seen(db, look.news, looked_at=looked_at, now=clock()))
        note_seen(db, look.seen, looked_at=looked_at)
        note_unseen(db, [each.ticket_id for each in look.unseen])
        rest = _wait(proofs.trouble)
        rest_until = clock() + rest if rest else None
        if not end_poll(db, lease, rest_until=rest_until, polled_at=looked_at, poll_error=proofs.says, vanished=0):
            raise TakenOver
        return happened


def _given_up(problem: Upstream | Incredible, lease: datetime, now: datetime) -> dict[str, int]:
    """Change no ticket, say why, and let nobody poll for a while."""
    log.warning("the tickets could not be looked up", extra={"why": type(problem).__name__})
    says, vanished = NOT_LOOKED_UP.format(why=_clause(problem)), 0
    if isinstance(problem, Incredible):
        says, vanished = str(problem), problem.vanished
    with transaction() as db:
        rest = max(_wait(problem), timedelta(minutes=db.get_one(TicketingSettings, 1).poll_minutes))
        end_poll(db, lease, rest_until=now + rest, poll_error=says, vanished=vanished)
        if isinstance(problem, Throttled):
            keep_told_to_wait(db, now=now)
    return {"given_up": 1}


def _wait(problem: Exception | None) -> timedelta:
    """Return for how long we were told to be silent."""
    return (problem.retry_after or timedelta()) if isinstance(problem, Throttled) else timedelta()


def _clause(problem: Exception) -> str:
    return str(problem).rstrip(".")


def _delete(proofs: Sequence[Deletion], clock: Clock) -> int:
    deleted = 0
    for proof in proofs:
        with transaction() as db:
            deleted += apply_deletion(db, proof, now=clock())
    return deleted
