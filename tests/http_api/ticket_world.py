"""Tickets and remarks, committed, as a person or the ticketing system made them."""

from collections.abc import Sequence
from datetime import datetime
from itertools import count

from sqlalchemy import update

from shared import clock
from shared.db.session import transaction
from shared.domain.ticket import TicketSource
from shared.models.jobs import JobRun
from shared.models.tickets import Ticket
from shared.services.audit import SYSTEM
from shared.services.remarks import add_remark
from shared.services.tickets import add_manual_ticket, add_remote_ticket, resolve_ticket

_numbers = count(1)


def a_ticket(*run_ids: int, code: str = "", description: str = "", anyway: bool = False) -> int:
    with transaction() as db:
        return add_manual_ticket(
            db,
            code=code or f"INC-{next(_numbers)}",
            description=description,
            run_ids=run_ids,
            actor=SYSTEM,
            now=clock.now(),
            anyway=anyway,
        )


def being_made(*run_ids: int, title: str = "Backup failed") -> int:
    """Commit a ticket that the ticketing system is yet to make."""
    with transaction() as db:
        return add_remote_ticket(
            db, title=title, description="disk full", run_ids=run_ids, actor=SYSTEM, now=clock.now()
        )


def of_autotask(ticket_id: int, run_ids: Sequence[int], number: str = "T20260601.0001", remote_id: str = "77") -> None:
    """Let Autotask have made the ticket."""
    with transaction() as db:
        values = {"source": TicketSource.AUTOTASK, "remote_id": remote_id, "ticket_code": number}
        db.execute(update(Ticket).where(Ticket.id == ticket_id).values(values))
        copied = {"autotask_ticket_id": remote_id, "autotask_ticket_number": number}
        copied_at = {"autotask_ticket_created_at": clock.now()}
        db.execute(update(JobRun).where(JobRun.id.in_(run_ids)).values(copied | copied_at))


def a_remark(*run_ids: int, body: str = "new disks are on their way") -> int:
    with transaction() as db:
        return add_remark(db, body=body, run_ids=run_ids, actor=SYSTEM, now=clock.now())


def resolve(ticket_id: int, *, at: datetime | None = None) -> None:
    with transaction() as db:
        resolve_ticket(db, ticket_id, actor=SYSTEM, now=at or clock.now())


def change_ticket(ticket_id: int, **values: object) -> None:
    with transaction() as db:
        db.execute(update(Ticket).where(Ticket.id == ticket_id).values(values))
