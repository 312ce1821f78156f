"""Fetches the choices that the tenant of the ticketing system made for itself, and keeps them for pages and checks."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.clients.errors import BadAnswer
from shared.db.session import transaction
from shared.domain.ticket_choices import CHOICE_FIELDS
from shared.domain.ticketing import ReferenceKind, ReferenceValue, TicketProvider
from shared.models.ticketing import TicketingChoice, TicketingSettings, TicketingState


def refresh_choices(provider: TicketProvider, *, now: datetime) -> int:
    """Replace the choices by those that there are now, and return how many that is. Raise Upstream: nothing changed.

    Asks outside of any transaction, and opens its own.
    """
    values = provider.reference()
    if not any(each.kind is ReferenceKind.STATUS for each in values):
        raise BadAnswer("The ticketing system says that it has no statuses, which can't be")
    with transaction() as db:
        return keep_choices(db, values, now=now)


def keep_choices(db: Session, values: Iterable[ReferenceValue], *, now: datetime) -> int:
    """Keep these, and of the others those alone that are chosen, as not active."""
    state = db.get_one(TicketingState, 1, with_for_update=True)  # one at a time
    there = {(each.kind, each.id): each for each in values}
    chosen = chosen_ids(db.get_one(TicketingSettings, 1))
    for row in db.scalars(select(TicketingChoice)):
        key = (row.kind, row.choice_id)
        if key in there:
            continue
        if key in chosen:
            row.is_active = False
        else:
            db.delete(row)
    for each in there.values():
        db.merge(_row(each))
    state.choices_at = now
    return len(there)


def chosen_ids(settings: TicketingSettings) -> set[tuple[ReferenceKind, str]]:
    """Return what the settings hold on to."""
    single = {(about.kind, getattr(settings, field)) for field, about in CHOICE_FIELDS.items()}
    return single | {(ReferenceKind.STATUS, status_id) for status_id in settings.closed_status_ids}


def _row(value: ReferenceValue) -> TicketingChoice:
    return TicketingChoice(
        kind=value.kind,
        choice_id=value.id,
        label=value.label,
        is_active=value.is_active,
        is_default=value.is_default,
        parent_id=value.parent_id,
        position=value.position,
    )
