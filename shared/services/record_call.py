"""The flight recorder: keeps the last calls to the ticketing system. Nothing of their content, and no secrets."""

from sqlalchemy import delete, insert

from shared.clients.autotask_wire import CallRecord
from shared.db.session import transaction
from shared.models.ticketing import TicketingCall

KEPT = 500


def record_call(record: CallRecord) -> None:
    """Keep one attempt, and the last KEPT in all. Opens its own transaction: the call has happened whatever follows."""
    call = insert(TicketingCall).values(
        at=record.at,
        method=record.method,
        path=record.path,
        status=record.status,
        took_ms=round(record.took.total_seconds() * 1000),
        attempt=record.attempt,
        error=record.error,
    )
    with transaction() as db:
        kept = db.scalars(call.returning(TicketingCall.id)).one()
        db.execute(delete(TicketingCall).where(TicketingCall.id <= kept - KEPT))
