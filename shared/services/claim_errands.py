"""Takes the next errand that is due, for one worker alone. Whoever dies over it leaves it to the next one.

Of a ticket's errands one goes after the other, and none before the ticket is made.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from shared.domain.errand_course import BROKE_OFF, CLAIM, pause_after
from shared.domain.ticket import ErrandKind, ErrandState
from shared.domain.ticketing import KnownAs, TicketDraft
from shared.models.ticketing import Errand
from shared.models.tickets import Ticket
from shared.services.draft_ticket import CannotBeSent, draft_of
from shared.services.known_as import known_as

log = logging.getLogger(__name__)

UNFINISHED = (ErrandState.WAITING, ErrandState.SENDING)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """An errand that is ours until its claim runs out. `may_exist` when an earlier attempt may have got through.

    `attempt` tells this claim from later ones. A withdrawn errand is looked up and not sent; it has no draft.
    """

    errand_id: int
    attempt: int
    kind: ErrandKind
    key: str
    ticket_id: int
    remote_id: str
    known: KnownAs
    title: str
    content: Mapping[str, Any]
    may_exist: bool
    is_withdrawn: bool
    draft: TicketDraft | None


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


def _claimed(db: Session, errand: Errand, ticket: Ticket, *, public_url: str, now: datetime) -> Claim:
    is_new = errand.kind is ErrandKind.CREATE and not errand.is_withdrawn
    draft = draft_of(db, errand, ticket, public_url=public_url, now=now) if is_new else None
    may_exist = errand.was_sent
    errand.state, errand.due_at, errand.attempts = ErrandState.SENDING, now + CLAIM, errand.attempts + 1
    errand.was_sent = True
    return Claim(
        errand_id=errand.id,
        attempt=errand.attempts,
        kind=errand.kind,
        key=errand.key,
        ticket_id=ticket.id,
        remote_id=ticket.remote_id or "",
        known=known_as(db, ticket),
        title=ticket.title,
        content=errand.content,
        may_exist=may_exist,
        is_withdrawn=errand.is_withdrawn,
        draft=draft,
    )


def _put_off(errand: Errand, now: datetime) -> None:
    """Let an errand over which the app breaks off wait, so that the others go on."""
    errand.attempts += 1
    errand.state, errand.due_at = ErrandState.WAITING, now + pause_after(errand.attempts)
    errand.last_error = BROKE_OFF


_earlier = aliased(Errand)


def _next(*, urgent_only: bool, now: datetime) -> Any:  # noqa: ANN401 -- SQLAlchemy's own type
    before = exists().where(
        _earlier.ticket_id == Errand.ticket_id, _earlier.id < Errand.id, _earlier.state.in_(UNFINISHED)
    )
    waits_for_nobody = and_(Errand.kind == ErrandKind.NOTE, Errand.created_by.is_(None))
    return (
        select(Errand, Ticket)
        .join(Ticket, Ticket.id == Errand.ticket_id)
        .where(*_is_due(now), ~before, or_(Errand.kind == ErrandKind.CREATE, Ticket.remote_id.is_not(None)))
        .where(*([~waits_for_nobody] if urgent_only else []))
        .order_by(Errand.due_at, Errand.id)
        .limit(1)
        .with_for_update(of=Errand, skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Errand.state.in_(UNFINISHED), Errand.due_at <= now)
