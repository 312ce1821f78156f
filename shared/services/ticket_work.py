"""What the queue messages about the ticketing system do: send errands, poll tickets, or fetch the choices."""

import logging
from collections.abc import Callable
from datetime import datetime

from shared import clock as machine
from shared.clients.errors import Throttled, Upstream
from shared.clients.queues import Queues
from shared.clients.sandbox_tickets import SandboxTickets
from shared.db.session import transaction
from shared.domain.queue_message import TicketTask, TicketWork
from shared.domain.ticketing import Ability, Pace, TicketProvider
from shared.services.keep_reference import keep_reference
from shared.services.poll_tickets import poll_tickets
from shared.services.provider import open_provider
from shared.services.send_errands import send_errands
from shared.services.ticketing_breaker import open_breaker
from shared.services.ticketing_state import keep_not_known, keep_told_to_wait, keep_usage, pace_of, usage_is_old
from shared.settings import BadSetting, settings

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def handle_ticket_work(text: str, queues: Queues, *, clock: Clock = machine.now) -> dict[str, int]:  # noqa: ARG001 -- as every message is handled
    """Do what the message asks for; return counts. Harmless to repeat. Raise BadMessage."""
    task = TicketWork.from_json(text).task
    opened = usable_provider(clock())
    if opened is None:
        return {}
    provider, pace = opened
    if task is TicketTask.SEND:
        if isinstance(provider, SandboxTickets):
            return {}
        return send_errands(provider, public_url=settings().public_url, pace=pace, clock=clock)
    if _pace_now(provider, clock) is Pace.PAUSED and task is not TicketTask.POLL_ANYWAY:
        return {"paused": 1}
    if task is TicketTask.REFERENCE:
        return keep_reference(provider, clock=clock)
    counts = poll_tickets(provider, clock=clock, anyway=task is TicketTask.POLL_ANYWAY)
    has_run = "polled" in counts  # else they are in trouble, or it rests: then nothing else is asked for either
    return {**counts, **keep_reference(provider, clock=clock)} if has_run else counts


def usable_provider(now: datetime) -> tuple[TicketProvider, Pace] | None:
    """Return the ticketing system and how much may be asked of it; None where there is none, or the breaker is open."""
    with transaction() as db:
        try:
            provider = open_provider(db, settings())
        except BadSetting:
            log.warning("the ticketing system is chosen, and nothing to sign in with is set")
            return None
        if Ability.POLL not in provider.abilities or open_breaker(db, settings()) is not None:
            return None
        return provider, pace_of(db, now=now)


def _pace_now(provider: TicketProvider, clock: Clock) -> Pace:
    """Return the pace; now and then by asking. Who is refused that learns so by the poll itself."""
    with transaction() as db:
        if not usage_is_old(db, now=clock()):
            return pace_of(db, now=clock())
    try:
        usage = provider.usage()
    except Upstream as problem:
        keep = keep_told_to_wait if isinstance(problem, Throttled) else keep_not_known
        with transaction() as db:
            keep(db, now=clock())
            return pace_of(db, now=clock())
    if usage is None:
        return Pace.NORMAL
    with transaction() as db:
        keep_usage(db, usage, now=clock())
    return usage.pace
