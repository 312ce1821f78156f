"""What a form for tickets or remarks is about: the chosen runs or jobs, one group a customer."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from shared.domain.status import NOTHING_WRONG
from shared.domain.ticket import TicketSource
from shared.domain.ticketing import ReferenceKind
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.ticketing import TicketingChoice, TicketingSettings
from shared.models.tickets import Ticket, TicketScope, is_open_on_job


@dataclass(frozen=True, kw_only=True, slots=True)
class JobOfGroup:
    """A job, and how many of its runs are meant."""

    job_id: int
    name: str
    runs: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenOnGroup:
    """A ticket that is open on a job of the group."""

    ticket_id: int
    code: str | None
    title: str
    job: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomerGroup:
    """What is chosen of one customer. `run_ids` are those that aren't good, or all where nothing is bad."""

    customer_id: int
    customer: str
    jobs: tuple[JobOfGroup, ...]
    run_ids: tuple[int, ...]
    open: tuple[OpenOnGroup, ...]


def groups_of_runs(db: Session, run_ids: Sequence[int]) -> tuple[CustomerGroup, ...]:
    """Return the runs by customer, in the order of their names. An attempt stands for the run that it is part of."""
    heads = select(func.coalesce(JobRun.attempt_of_id, JobRun.id)).where(JobRun.id.in_(run_ids))
    rows = db.execute(
        select(
            JobRun.id, JobRun.job_id, JobRun.status, JobRun.override_id, Job.job_name, Job.customer_id, Customer.name
        )
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(JobRun.id.in_(heads))
        .order_by(func.lower(Customer.name), Customer.id, func.lower(Job.job_name), Job.id, JobRun.id)
    ).all()
    by_customer: dict[int, list[Row[*tuple[Any, ...]]]] = {}
    for row in rows:
        by_customer.setdefault(row.customer_id, []).append(row)
    chosen = {customer_id: _chosen(of_one) for customer_id, of_one in by_customer.items()}
    is_open = _open_on(db, {row.job_id for of_one in chosen.values() for row in of_one})
    return tuple(_group(of_one, is_open) for of_one in chosen.values())


def group_of_jobs(db: Session, customer_id: int, job_ids: Sequence[int]) -> CustomerGroup | None:
    """Return some jobs of a customer, without runs; None without that customer."""
    name = db.scalar(select(Customer.name).where(Customer.id == customer_id))
    if name is None:
        return None
    jobs = tuple(job for job in jobs_of_customer(db, customer_id) if job.job_id in set(job_ids))
    is_open = _open_on(db, {job.job_id for job in jobs})
    return CustomerGroup(
        customer_id=customer_id,
        customer=name,
        jobs=jobs,
        run_ids=(),
        open=_distinct(is_open.get(job.job_id, []) for job in jobs),
    )


def jobs_of_customer(db: Session, customer_id: int) -> tuple[JobOfGroup, ...]:
    """Return the jobs of a customer that are not archived, by name."""
    rows = db.execute(
        select(Job.id, Job.job_name)
        .where(Job.customer_id == customer_id, Job.archived_at.is_(None))
        .order_by(func.lower(Job.job_name), Job.id)
    )
    return tuple(JobOfGroup(job_id=row.id, name=row.job_name, runs=0) for row in rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketChoices:
    """Who keeps new tickets, and what can be chosen for one."""

    source: TicketSource
    queues: tuple[tuple[str, str], ...]
    priorities: tuple[tuple[str, str], ...]


def ticket_choices(db: Session) -> TicketChoices:
    """Return what the form offers beside the words; ids and labels of what is active."""
    source = db.scalars(select(TicketingSettings.provider)).one()
    kinds = (ReferenceKind.QUEUE, ReferenceKind.PRIORITY)
    found = db.execute(
        select(TicketingChoice.kind, TicketingChoice.choice_id, TicketingChoice.label)
        .where(TicketingChoice.kind.in_(kinds), TicketingChoice.is_active)
        .order_by(TicketingChoice.position, func.lower(TicketingChoice.label))
    ).all()
    queues, priorities = (tuple((row[1], row[2]) for row in found if row[0] == kind) for kind in kinds)
    return TicketChoices(source=source, queues=queues, priorities=priorities)


def _chosen(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Row[*tuple[Any, ...]]]:
    bad = [row for row in rows if row.status not in NOTHING_WRONG and row.override_id is None]
    return bad or list(rows)


def _group(rows: Sequence[Row[*tuple[Any, ...]]], is_open: dict[int, list[OpenOnGroup]]) -> CustomerGroup:
    names = {row.job_id: row.job_name for row in rows}
    runs = Counter(row.job_id for row in rows)
    return CustomerGroup(
        customer_id=rows[0].customer_id,
        customer=rows[0].name,
        jobs=tuple(JobOfGroup(job_id=job_id, name=name, runs=runs[job_id]) for job_id, name in names.items()),
        run_ids=tuple(row.id for row in rows),
        open=_distinct(is_open.get(job_id, []) for job_id in names),
    )


def _open_on(db: Session, job_ids: Iterable[int]) -> dict[int, list[OpenOnGroup]]:
    found = db.execute(
        select(TicketScope.job_id, Ticket.id, Ticket.ticket_code, Ticket.title, Job.job_name)
        .join(Ticket, Ticket.id == TicketScope.ticket_id)
        .join(Job, Job.id == TicketScope.job_id)
        .where(TicketScope.job_id.in_(sorted(job_ids)), is_open_on_job())
        .order_by(Ticket.id.desc())
    )
    by_job: dict[int, list[OpenOnGroup]] = {}
    for job_id, ticket_id, code, title, job in found:
        by_job.setdefault(job_id, []).append(OpenOnGroup(ticket_id=ticket_id, code=code, title=title, job=job))
    return by_job


def _distinct(found: Iterable[Sequence[OpenOnGroup]]) -> tuple[OpenOnGroup, ...]:
    tickets = {ticket.ticket_id: ticket for of_job in found for ticket in of_job}
    return tuple(sorted(tickets.values(), key=lambda ticket: -ticket.ticket_id))
