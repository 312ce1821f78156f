"""Gives a new run the tickets and remarks that are open on its job. Part of making a run: see record_run.

Nothing here looks at dates: what is resolved stops at once, and what was linked before stays linked.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from shared.db.base import table_of
from shared.models.jobs import JobRun
from shared.models.tickets import (
    Remark,
    RemarkRun,
    RemarkScope,
    Ticket,
    TicketRun,
    TicketScope,
    is_open_on_job,
    remark_over_at,
)

COPIED = (
    "autotask_ticket_id",
    "autotask_ticket_number",
    "autotask_ticket_created_at",
    "autotask_ticket_created_by_user_id",
)


def link_open_tickets(db: Session, job_id: int, run_id: int) -> None:
    """Link what is open on the job to its run, and copy the Autotask ticket that it belongs to. Harmless to repeat."""
    run = {"of_job": job_id, "new_run": run_id}
    db.execute(_LINK_TICKETS, run)
    db.execute(_LINK_REMARKS, run)
    db.execute(_COPY_AUTOTASK, run)


def move_links(db: Session, run_id: int, head_id: int) -> None:
    """Let what is linked to a run be linked to the one that stands for it from now on."""
    for link, of in ((table_of(TicketRun), "ticket_id"), (table_of(RemarkRun), "remark_id")):
        moved = select(link.c[of], literal(head_id)).where(link.c.job_run_id == run_id)
        db.execute(insert(link).from_select([of, "job_run_id"], moved).on_conflict_do_nothing())
        db.execute(delete(link).where(link.c.job_run_id == run_id))
    theirs = _runs.alias("theirs")
    pair = (theirs.c.id == run_id, _runs.c.id == head_id, theirs.c.job_id == _runs.c.job_id)
    carries_none = (_runs.c.autotask_ticket_id.is_(None), theirs.c.autotask_ticket_deleted_at.is_(None))
    db.execute(update(_runs).where(*pair, *carries_none).values({name: theirs.c[name] for name in COPIED}))


def look_again_at(db: Session, run_id: int) -> None:
    """Have the tickets of a run that says something else now look at it as if it had just been linked."""
    links = update(TicketRun).where(TicketRun.job_run_id == run_id).values(linked_at=func.now())
    db.execute(links.execution_options(synchronize_session=False))


def has_tickets(job_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a new run of the job may have something to be linked to."""
    return or_(
        exists().where(TicketScope.job_id == job_id, TicketScope.resolved_at.is_(None)),
        exists().where(RemarkScope.job_id == job_id, RemarkScope.resolved_at.is_(None)),
        exists().where(
            _carrier.job_id == job_id,
            _carrier.autotask_ticket_id.is_not(None),
            _carrier.autotask_ticket_deleted_at.is_(None),
        ),
    )


def _open_on(job_id: ColumnElement[int]) -> Select[Any]:
    return (
        select(Ticket.id)
        .join(TicketScope, TicketScope.ticket_id == Ticket.id)
        .where(TicketScope.job_id == job_id, is_open_on_job())
    )


_carrier = aliased(JobRun)
_job_id: ColumnElement[int] = bindparam("of_job", type_=table_of(JobRun).c.job_id.type)
_run_id: ColumnElement[int] = bindparam("new_run", type_=table_of(JobRun).c.id.type)
_LINK_TICKETS = (
    insert(table_of(TicketRun))
    .from_select(["ticket_id", "job_run_id"], _open_on(_job_id).add_columns(_run_id))
    .on_conflict_do_nothing()
)
_LINK_REMARKS = (
    insert(table_of(RemarkRun))
    .from_select(
        ["remark_id", "job_run_id"],
        select(Remark.id, _run_id)
        .join(RemarkScope, RemarkScope.remark_id == Remark.id)
        .where(RemarkScope.job_id == _job_id, remark_over_at().is_(None)),
    )
    .on_conflict_do_nothing()
)
# First the ticket that is open on the job, from whichever run carries it; else the job's newest one of which nobody
# knows that it is over.
_remote_ids = (
    select(Ticket.remote_id)
    .join(TicketScope, TicketScope.ticket_id == Ticket.id)
    .where(TicketScope.job_id == _job_id, is_open_on_job())
)
_is_over = exists().where(
    Ticket.remote_id == _carrier.autotask_ticket_id,
    or_(
        Ticket.resolved_at.is_not(None),
        Ticket.deleted_at.is_not(None),
        exists().where(
            TicketScope.ticket_id == Ticket.id, TicketScope.job_id == _job_id, TicketScope.resolved_at.is_not(None)
        ),
    ),
)
_is_open_here = _carrier.autotask_ticket_id.in_(_remote_ids)
_BELONGS_TO = (
    select(_run_id.label("copies_to"), *(getattr(_carrier, name) for name in COPIED))
    .where(
        _carrier.autotask_ticket_id.is_not(None),
        _carrier.autotask_ticket_deleted_at.is_(None),
        _carrier.id != _run_id,
        or_(_is_open_here, and_(_carrier.job_id == _job_id, ~_is_over)),
    )
    .order_by(_is_open_here.desc(), _carrier.autotask_ticket_created_at.desc(), _carrier.id.desc())
    .limit(1)
    .subquery("belongs_to")
)
_runs = table_of(JobRun)
_COPY_AUTOTASK = (
    update(_runs)
    .where(_runs.c.id == _BELONGS_TO.c.copies_to, _runs.c.autotask_ticket_id.is_(None))
    .values({name: _BELONGS_TO.c[name] for name in COPIED})
)
