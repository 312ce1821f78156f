"""Looks once a day whether what is known of the ticketing system still holds: its choices, and customers' companies."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.clients.errors import Throttled, Upstream
from shared.db.session import transaction
from shared.domain.ticketing import TicketProvider
from shared.models.ticketing import TicketingState
from shared.services.check_mappings import check_mappings
from shared.services.refresh_choices import refresh_choices
from shared.services.ticketing_state import keep_told_to_wait

log = logging.getLogger(__name__)

EVERY = timedelta(hours=24)


def keep_reference(provider: TicketProvider, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Ask for what is older than a day, or was found to be stale; return counts. Never raises Upstream."""
    with transaction() as db:
        state = db.get_one(TicketingState, 1)
        wants = {"choices": _is_old(state.choices_at, clock()), "companies": _is_old(state.companies_at, clock())}
    counts = {}
    try:
        if wants["choices"]:
            counts["choices"] = refresh_choices(provider, now=clock())
        if wants["companies"]:
            counts["companies"] = check_mappings(provider, now=clock()).total
    except Upstream as problem:
        if isinstance(problem, Throttled):
            with transaction() as db:
                keep_told_to_wait(db, now=clock())
        log.warning("what is known of the ticketing system stays old", extra={"why": type(problem).__name__})
    return counts


def _is_old(asked_at: datetime | None, now: datetime) -> bool:
    return asked_at is None or now - asked_at >= EVERY
