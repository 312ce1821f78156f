"""Sends what was written down for the ticketing system: claim, commit, call, and write down what came of it.

Opens its own transactions. It may die anywhere: what it claimed is claimed again when the claim has run out, and looked
up before it is sent again.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.ticket import ErrandKind, ErrandState
from shared.domain.ticketing import Pace, TicketProvider
from shared.models.ticketing import Errand, TicketingState
from shared.models.tickets import Ticket
from shared.services.audit import SYSTEM
from shared.services.carry_ticket import lock_ticket, note_made
from shared.services.claim_errands import Claim, claim_errand
from shared.services.incidents import begin_incident
from shared.services.remove_unmade import remove_unmade
from shared.services.run_errand import Again, Done, Failed, Gone, Outcome, run_errand

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]

LONGEST = timedelta(minutes=4)  # then the next one goes on


def send_errands(provider: TicketProvider, *, public_url: str, pace: Pace, clock: Clock) -> dict[str, int]:
    """Send what is due, one after the other; return counts. Several workers may do so at once."""
    counts: Counter[str] = Counter()
    until = clock() + LONGEST
    while clock() <= until:
        with transaction() as db:
            claim = claim_errand(db, urgent_only=pace is Pace.PAUSED, public_url=public_url, now=clock())
        if claim is None:
            break
        outcome = run_errand(provider, claim)
        with transaction() as db:
            settle_claim(db, claim, outcome, now=clock())
        counts[type(outcome).__name__.lower()] += 1
        if isinstance(outcome, Again) and outcome.all_wait:
            break
    return dict(counts)


def settle_claim(db: Session, claim: Claim, outcome: Outcome, *, now: datetime) -> None:
    """Write down what came of an errand. What was done counts whoever holds the claim by now."""
    ticket = lock_ticket(db, claim.ticket_id)
    errand = db.get(Errand, claim.errand_id, with_for_update=True, populate_existing=True)
    if ticket is None or errand is None:
        log.warning("an errand went with its ticket", extra={"ticket_id": claim.ticket_id, "key": claim.key})
        return
    is_ours = errand.state is ErrandState.SENDING and errand.attempts == claim.attempt
    match outcome:
        case Done() if errand.state is not ErrandState.DONE:
            _done(db, errand, ticket, claim, outcome, now)
        case Gone() if is_ours:
            remove_unmade(db, ticket, actor=SYSTEM, now=now)
        case Again() if is_ours:
            errand.state, errand.due_at, errand.last_error = ErrandState.WAITING, now + outcome.after, outcome.says
            errand.was_sent = outcome.was_sent
            errand.attempts -= 0 if outcome.counts else 1
        case Failed() if is_ours:
            errand.state, errand.last_error, errand.was_sent = ErrandState.FAILED, outcome.says, claim.may_exist
            if outcome.reference_is_stale:
                db.execute(update(TicketingState).values(choices_at=None))  # the next tick asks for them anew


def _done(db: Session, errand: Errand, ticket: Ticket, claim: Claim, outcome: Done, now: datetime) -> None:
    errand.state, errand.done_at, errand.last_error = ErrandState.DONE, now, ""
    if outcome.ticket is None:
        return
    if claim.kind is ErrandKind.CREATE:
        note_made(db, ticket, outcome.ticket, now=now)
        begin_incident(db, ticket, now=now)
        if claim.draft is not None:
            ticket.title, ticket.description = claim.draft.title, ticket.description or claim.draft.description
    ticket.remote_status_id, ticket.remote_seen_at, ticket.misses = outcome.ticket.status_id, now, 0
