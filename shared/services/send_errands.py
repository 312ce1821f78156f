"""Sends what was written down for the ticketing system: claim, commit, call, and write down what came of it.

Opens its own transactions. It may die anywhere: what it claimed is claimed again when the claim has run out, and looked
up before it is sent again.
"""

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import update
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.ticket import ErrandKind, ErrandState
from shared.domain.ticketing import Pace, TicketProvider
from shared.models.system import SystemSettings
from shared.models.ticketing import Errand, TicketingState
from shared.models.tickets import Ticket
from shared.services.audit import SYSTEM
from shared.services.carry_ticket import lock_tickets
from shared.services.claim_errands import Claim, claim_errand, note_sending
from shared.services.remove_unmade import remove_unmade
from shared.services.run_errand import Again, Done, Failed, Gone, Outcome, broke_off, run_errand
from shared.services.take_made import join_twin, take_made, twin_of

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

LONGEST = timedelta(minutes=4)  # then the next one goes on


def send_errands(provider: TicketProvider, *, public_url: str, pace: Pace, clock: Clock) -> dict[str, int]:
    """Send what is due, one after the other; return counts. Several workers may do so at once."""
    counts: Counter[str] = Counter()
    until = clock() + LONGEST
    while clock() <= until:
        with transaction() as db:
            if db.get_one(SystemSettings, 1).is_sandbox:  # since just now
                break
            claim = claim_errand(db, urgent_only=pace is Pace.PAUSED, public_url=public_url, now=clock())
        if claim is None:
            break
        outcome = run_errand(provider, claim, about_to_send=partial(_note_sending, claim))
        counts[_settled(claim, outcome, clock)] += 1
        if isinstance(outcome, Again) and outcome.all_wait:
            break
    return dict(counts)


def settle_claim(db: Session, claim: Claim, outcome: Outcome, *, now: datetime) -> None:
    """Write down what came of an errand. What was done counts whoever holds the claim by now."""
    twin_id = _twin_of(db, claim, outcome)
    locked = lock_tickets(db, [claim.ticket_id] if twin_id is None else [claim.ticket_id, twin_id])
    ticket = locked.get(claim.ticket_id)
    errand = db.get(Errand, claim.errand_id, with_for_update=True, populate_existing=True)
    if ticket is None or errand is None:
        log.warning("an errand went with its ticket", extra={"ticket_id": claim.ticket_id, "key": claim.key})
        return
    if twin_id in locked and errand.state is not ErrandState.DONE:
        join_twin(db, ticket, locked[twin_id], now=now)
        return
    is_ours = errand.state is ErrandState.SENDING and errand.due_at == claim.until
    match outcome:
        case Done() if errand.state is not ErrandState.DONE:
            _done(db, errand, ticket, claim, outcome, now)
        case Gone() if is_ours:
            remove_unmade(db, ticket, actor=SYSTEM, now=now)
        case Again() if is_ours:
            errand.state, errand.due_at, errand.last_error = ErrandState.WAITING, now + outcome.after, outcome.says
            is_lost = outcome.is_lost and errand.times_lost > claim.times_lost  # else nothing was sent yet
            errand.was_sent, errand.times_lost = claim.may_exist or is_lost, claim.times_lost + is_lost
            errand.attempts -= 0 if outcome.counts else 1
        case Failed() if is_ours:
            errand.state, errand.last_error, errand.was_sent = ErrandState.FAILED, outcome.says, claim.may_exist
            errand.times_lost = claim.times_lost
            if outcome.reference_is_stale:
                db.execute(update(TicketingState).values(choices_at=None))  # the next tick asks for them anew


def _note_sending(claim: Claim) -> None:
    with transaction() as db:
        note_sending(db, claim)


def _settled(claim: Claim, outcome: Outcome, clock: Clock) -> str:
    """Write down what came of an errand, and return as what it counts. One that can't be must not stop the others."""
    try:
        with transaction() as db:
            settle_claim(db, claim, outcome, now=clock())
        return type(outcome).__name__.lower()
    except Exception:
        log.exception("what came of an errand was not written down", extra={"errand_id": claim.errand_id})
    with suppress(Exception), transaction() as db:  # else its claim runs out
        settle_claim(db, claim, broke_off(claim), now=clock())
    return "broken"


def _twin_of(db: Session, claim: Claim, outcome: Outcome) -> int | None:
    if claim.kind is not ErrandKind.CREATE or not isinstance(outcome, Done) or outcome.ticket is None:
        return None
    return twin_of(db, claim.ticket_id, outcome.ticket)


def _done(db: Session, errand: Errand, ticket: Ticket, claim: Claim, outcome: Done, now: datetime) -> None:
    errand.state, errand.done_at, errand.last_error = ErrandState.DONE, now, ""
    if outcome.ticket is None:
        return
    if claim.kind is ErrandKind.CREATE:
        take_made(db, ticket, outcome.ticket, draft=claim.draft, now=now)
    ticket.remote_status_id, ticket.remote_seen_at, ticket.misses = outcome.ticket.status_id, now, 0
