"""Takes the next errand that is due, for one worker alone. Whoever dies over it leaves it to the next one.

Of a ticket's errands one goes after the other, and none before the ticket is made.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from shared.domain.errand_course import BROKE_OFF, CLAIM, LOST, MOST_LOST, pause_after
from shared.domain.ticket import ErrandKind, ErrandState
from shared.domain.ticketing import KnownAs, TicketDraft
from shared.models.ticketing import Errand
from shared.models.tickets import Ticket
from shared.services.draft_ticket import CannotBeSent, draft_of
from shared.services.known_as import known_as

log = logging.getLogger(__name__)

UNFINISHED = (ErrandState.WAITING, ErrandState.SENDING)


class ClaimLost(Exception):
    """Somebody else has the errand by now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """An errand that is ours until its claim runs out. `may_exist` when an earlier attempt may have got through.

    `until` tells this claim from later ones, which all end later. What is withdrawn or `held_back` (it says why) is
    looked up and not sent; it has no draft. `times_lost` counts what was sent before and got no answer.
    """

    errand_id: int
    until: datetime
    attempt: int
    kind: ErrandKind
    key: str
    ticket_id: int
    remote_id: str
    known: KnownAs
    content: Mapping[str, Any]
    may_exist: bool
    times_lost: int
    is_withdrawn: bool
    held_back: str
    draft: TicketDraft | None

    @property
    def is_to_be_sent(self) -> bool:
        return not self.is_withdrawn and not self.held_back


def claim_errand(db: Session, *, urgent_only: bool, public_url: str, now: datetime) -> Claim | None:
    """Claim the next errand, None when nothing is due; what can't be sent fails on the way.

    The claim is to be committed before anything is sent. `urgent_only`: what nobody waits for stays.
    """
    while (found := db.execute(_next(urgent_only=urgent_only, now=now)).one_or_none()) is not None:
        errand, ticket = found
        if ticket.deleted_at is not None and errand.kind is not ErrandKind.CREATE:
            errand.state = ErrandState.CANCELLED
            errand.last_error = "The ticket was deleted over there."
        else:
            try:
                with db.begin_nested():
                    return _claimed(db, errand, ticket, public_url=public_url, now=now)
            except CannotBeSent as problem:
                errand.state, errand.last_error = ErrandState.FAILED, str(problem)
            except Exception:
                log.exception("an errand could not be put together", extra={"errand_id": errand.id})
                _put_off(errand, now)
        db.flush()  # the next look must not find it again
    return None


def errands_are_due(db: Session, *, now: datetime) -> bool:
    return bool(db.scalar(select(exists().where(*_is_due(now)))))


def note_sending(db: Session, claim: Claim) -> None:
    """Note that an errand is sent now: should that be the last we hear of it, it was lost. Raise ClaimLost."""
    ours = (Errand.id == claim.errand_id, Errand.state == ErrandState.SENDING, Errand.due_at == claim.until)
    noted = update(Errand).where(*ours).values(times_lost=claim.times_lost + 1).returning(Errand.id)
    if db.scalar(noted) is None:
        raise ClaimLost(f"errand {claim.errand_id}")


def _claimed(db: Session, errand: Errand, ticket: Ticket, *, public_url: str, now: datetime) -> Claim:
    draft, held_back = _to_send(db, errand, ticket, public_url=public_url, now=now)
    may_exist = errand.was_sent
    errand.state, errand.due_at, errand.attempts = ErrandState.SENDING, now + CLAIM, errand.attempts + 1
    errand.was_sent = True
    return Claim(
        errand_id=errand.id,
        until=errand.due_at,
        attempt=errand.attempts,
        kind=errand.kind,
        key=errand.key,
        ticket_id=ticket.id,
        remote_id=ticket.remote_id or "",
        known=known_as(db, ticket),
        content=errand.content,
        may_exist=may_exist,
        times_lost=errand.times_lost,
        is_withdrawn=errand.is_withdrawn,
        held_back=held_back,
        draft=draft,
    )


def _to_send(
    db: Session, errand: Errand, ticket: Ticket, *, public_url: str, now: datetime
) -> tuple[TicketDraft | None, str]:
    """Return the ticket to make, if it is one, and why it is only looked for. Raise CannotBeSent of what never was."""
    if errand.is_withdrawn or errand.kind is ErrandKind.RESOLVE:
        return None, ""
    if errand.times_lost >= MOST_LOST:
        return None, LOST
    if errand.kind is ErrandKind.NOTE:
        return None, ""
    try:
        return draft_of(db, errand, ticket, public_url=public_url, now=now), ""
    except CannotBeSent as problem:
        if not errand.was_sent:
            raise
        return None, str(problem)


def _put_off(errand: Errand, now: datetime) -> None:
    """Let an errand over which the app breaks off wait, so that the others go on."""
    errand.attempts += 1
    errand.state, errand.due_at = ErrandState.WAITING, now + pause_after(errand.attempts)
    errand.last_error = BROKE_OFF


_earlier = aliased(Errand)


def _next(*, urgent_only: bool, now: datetime) -> Any:  # noqa: ANN401 -- SQLAlchemy's own type
    before = exists().where(
        _earlier.ticket_id == Errand.ticket_id,
        _earlier.id < Errand.id,
        _earlier.state.in_(UNFINISHED),
        *([_somebody_waits(_earlier)] if urgent_only else []),  # what stays lying holds up nobody
    )
    return (
        select(Errand, Ticket)
        .join(Ticket, Ticket.id == Errand.ticket_id)
        .where(*_is_due(now), ~before, or_(Errand.kind == ErrandKind.CREATE, Ticket.remote_id.is_not(None)))
        .where(*([_somebody_waits(Errand)] if urgent_only else []))
        .order_by(Errand.due_at, Errand.id)
        .limit(1)
        .with_for_update(of=Errand, skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _somebody_waits(errand: type[Errand]) -> ColumnElement[bool]:
    return or_(errand.kind != ErrandKind.NOTE, errand.created_by.is_not(None))


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Errand.state.in_(UNFINISHED), Errand.due_at <= now)
