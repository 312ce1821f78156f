"""Opens the ticketing system that the settings choose, with its breaker and its flight recorder."""

from sqlalchemy.orm import Session

from shared.clients.autotask import open_autotask
from shared.clients.autotask_tickets import Conventions
from shared.clients.manual_tickets import ManualTickets
from shared.clients.patience import Patience
from shared.clients.sandbox_tickets import SandboxTickets
from shared.domain.ticket import TicketSource
from shared.domain.ticketing import TicketProvider
from shared.models.system import SystemSettings
from shared.models.ticketing import TicketingSettings
from shared.services.record_call import record_call
from shared.services.ticketing_breaker import DatabaseBreaker
from shared.settings import Settings


def open_provider(db: Session, settings: Settings) -> TicketProvider:
    """Return the ticketing system in force: Autotask, or nothing but our own codes. Raise BadSetting.

    What is returned is used outside of any transaction: each call to it takes its time.
    """
    if db.get_one(TicketingSettings, 1).provider is TicketSource.MANUAL:
        return ManualTickets()
    return open_remote(db, settings)


def open_remote(db: Session, settings: Settings, *, patience: Patience | None = None) -> TicketProvider:
    """Return Autotask, whether it is chosen yet or not: for setting it up. Raise BadSetting without credentials."""
    psa = open_autotask(
        settings,
        breaker=DatabaseBreaker(settings),
        conventions=conventions_of(db.get_one(TicketingSettings, 1)),
        record=record_call,
        patience=patience,
    )
    return SandboxTickets(psa) if db.get_one(SystemSettings, 1).is_sandbox else psa


def conventions_of(chosen: TicketingSettings) -> Conventions:
    """Return how the tenant uses Autotask; where nothing is chosen, as every tenant can."""
    usual = Conventions()
    resolved = chosen.resolved_status_id or usual.resolved
    return Conventions(
        closed=usual.closed | {resolved, *chosen.closed_status_ids},
        resolved=resolved,
        note_type=chosen.note_type_id or usual.note_type,
        note_audience=chosen.note_audience_id or usual.note_audience,
    )
