"""What a ticket does not say about a run: that its cause is another one, or that the trouble outlived the ticket."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from shared.domain.incident import errors_of
from shared.domain.overrides import GOOD
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.models.tickets import Ticket, TicketRun, TicketScope, is_open_on_job, ticket_over_at
from shared.models.troubled_runs import as_troubled, select_troubled


@dataclass(frozen=True, kw_only=True, slots=True)
class OverTicket:
    """A ticket that was resolved for a job which still fails. `code` may be missing."""

    ticket_id: int
    code: str | None
    resolved_at: datetime


def other_causes(db: Session, run_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Return the open tickets, by run, that were made for another error than the run has now.

    What a ticket was made for is what the job's runs say that were linked to it first.
    """
    links = _open_links(db, run_ids)
    causes = _causes(db, {(ticket_id, job_id) for _, ticket_id, job_id in links})
    wanted = {run_id for run_id, _, _ in links} | {run_id for each in causes.values() for run_id in each}
    errors = _errors(db, wanted)
    found: dict[int, list[int]] = defaultdict(list)
    for run_id, ticket_id, job_id in links:
        known = frozenset[str]().union(*(errors.get(each, ()) for each in causes[ticket_id, job_id]))
        if known and run_id in errors and not errors[run_id] <= known:
            found[run_id].append(ticket_id)
    return {run_id: tuple(sorted(tickets)) for run_id, tickets in found.items()}


def still_failing(db: Session, job_ids: Collection[int]) -> dict[int, OverTicket]:
    """Return the last ticket, by job, of jobs whose last run is not good though the ticket was resolved before it.

    A job with an open ticket is none of them: then somebody is at it. Nor is one that succeeded since: then this is
    trouble anew.
    """
    last_run = (
        select(JobRun.job_id, JobRun.run_at, JobRun.status, JobRun.override_id)
        .where(JobRun.job_id.in_(job_ids), JobRun.attempt_of_id.is_(None), ~JobRun.is_history)
        .order_by(JobRun.job_id, JobRun.run_at.desc(), JobRun.id.desc())
        .ext(distinct_on(JobRun.job_id))
        .subquery()
    )
    is_open = (
        select(TicketScope.id)
        .join(Ticket, Ticket.id == TicketScope.ticket_id)
        .where(TicketScope.job_id == last_run.c.job_id, is_open_on_job())
        .correlate(last_run)
        .exists()
    )
    over_at = ticket_over_at()
    good = aliased(JobRun)
    succeeded_since = exists().where(
        good.job_id == last_run.c.job_id,
        good.status == Status.SUCCESS,
        good.run_at > over_at,
        good.attempt_of_id.is_(None),
    )
    found = db.execute(
        select(last_run.c.job_id, Ticket.id, Ticket.ticket_code, over_at.label("over_at"))
        .join(TicketScope, TicketScope.job_id == last_run.c.job_id)
        .join(Ticket, Ticket.id == TicketScope.ticket_id)
        .where(
            last_run.c.status.not_in(GOOD),
            last_run.c.override_id.is_(None),
            over_at < last_run.c.run_at,
            TicketScope.customer_id.is_not(None),
            Ticket.deleted_at.is_(None),
            ~is_open,
            ~succeeded_since,
        )
        .order_by(last_run.c.job_id, over_at.desc(), Ticket.id.desc())
        .ext(distinct_on(last_run.c.job_id))
    )
    return {row.job_id: OverTicket(ticket_id=row.id, code=row.ticket_code, resolved_at=row.over_at) for row in found}


def _open_links(db: Session, run_ids: Collection[int]) -> Sequence[tuple[int, int, int]]:
    found = db.execute(
        select(JobRun.id, Ticket.id, JobRun.job_id)
        .join(TicketRun, TicketRun.job_run_id == JobRun.id)
        .join(Ticket, Ticket.id == TicketRun.ticket_id)
        .join(TicketScope, (TicketScope.ticket_id == Ticket.id) & (TicketScope.job_id == JobRun.job_id))
        .where(JobRun.id.in_(run_ids), is_open_on_job())
    )
    return [(run_id, ticket_id, job_id) for run_id, ticket_id, job_id in found]


def _causes(db: Session, links: Collection[tuple[int, int]]) -> dict[tuple[int, int], set[int]]:
    """Return the runs for which a ticket covers a job: those of the job that were linked first, all at once."""
    first_at = func.min(TicketRun.linked_at).over(partition_by=(TicketRun.ticket_id, JobRun.job_id))
    linked = (
        select(TicketRun.ticket_id, JobRun.job_id, JobRun.id, TicketRun.linked_at, first_at.label("first_at"))
        .join(JobRun, JobRun.id == TicketRun.job_run_id)
        .where(TicketRun.ticket_id.in_({ticket_id for ticket_id, _ in links}))
        .subquery()
    )
    found: dict[tuple[int, int], set[int]] = {link: set() for link in links}
    rows = select(linked.c.ticket_id, linked.c.job_id, linked.c.id).where(linked.c.linked_at == linked.c.first_at)
    for ticket_id, job_id, run_id in db.execute(rows):
        if (ticket_id, job_id) in found:
            found[ticket_id, job_id].add(run_id)
    return found


def _errors(db: Session, run_ids: Collection[int]) -> dict[int, frozenset[str]]:
    rows = db.execute(select_troubled().where(JobRun.id.in_(run_ids))).all()
    return {run.run_id: errors_of(run) for run in as_troubled(db, rows)}
