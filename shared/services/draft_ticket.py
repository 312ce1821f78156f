"""Puts together what a ticket of the ticketing system is made of: words, and choices by how bad the runs are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from shared.domain.company_mapping import why_blocked
from shared.domain.overrides import GOOD, Problem
from shared.domain.status import Status, badness, worst
from shared.domain.ticket_text import JobTrouble, TicketFacts, description_of, title_of
from shared.domain.ticketing import TicketDraft
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.system import SystemSettings
from shared.models.ticketing import Errand, TicketingSettings
from shared.models.tickets import Ticket, TicketRun, TicketScope
from shared.models.troubled_runs import as_troubled, select_troubled
from shared.services.errors import NotFound

NEW = "1"  # the status of a new ticket that every tenant has
NO_RUN = Status.MISSED


class CannotBeSent(Exception):
    """Something is missing that a person has to see to; the message says what he does about it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProposedTicket:
    """What the form for a new ticket begins with. `choices` are the defaults, by the names of `TicketDraft`."""

    title: str
    description: str
    choices: Mapping[str, str]


def propose_ticket(
    db: Session, *, run_ids: Sequence[int] = (), job_ids: Sequence[int] = (), public_url: str
) -> ProposedTicket:
    """Return the words and choices for a ticket about these runs or jobs of one customer. Raise NotFound."""
    chosen = db.get_one(TicketingSettings, 1)
    facts = ticket_facts(db, [*run_ids, *_last_runs(db, job_ids)], public_url=public_url)
    return ProposedTicket(
        title=title_of(facts, chosen.title_template),
        description=description_of(facts, chosen.description_template),
        choices=_defaults(chosen, worst(job.status for job in facts.jobs)),
    )


def draft_of(db: Session, errand: Errand, ticket: Ticket, *, public_url: str, now: datetime) -> TicketDraft:
    """Return the ticket to make. What a person typed or chose goes before what the settings say. Raise CannotBeSent."""
    proposed = _proposed(db, ticket, _jobs_of(db, ticket), public_url)
    choices = {**proposed.choices, **{name: str(value) for name, value in errand.content.items() if value}}
    for name, what in (("queue_id", "queue"), ("priority_id", "priority")):
        if not choices.get(name):
            raise CannotBeSent(f"No {what} is chosen for new tickets: choose one in Settings, Autotask, and retry.")
    return TicketDraft(
        key=errand.key,
        company_id=_company_of(db, ticket.customer_id),
        title=ticket.title or proposed.title,
        description=ticket.description or proposed.description,
        due_at=now + timedelta(hours=db.get_one(TicketingSettings, 1).due_hours),
        **{name: choices.get(name, "") for name in _CHOICES},
    )


def ticket_facts(db: Session, run_ids: Sequence[int], *, public_url: str) -> TicketFacts:
    """Return what these runs of one customer say: of each job its last one that is not good. Raise NotFound."""
    rows = db.execute(
        select(
            JobRun.id, JobRun.job_id, JobRun.run_at, JobRun.status, JobRun.message, Job.job_name, Job.backup_software,
            Job.backup_type, Customer.name.label("customer"),
        )
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(JobRun.id.in_(run_ids))
        .order_by(JobRun.status.in_(GOOD), JobRun.run_at.desc(), JobRun.id.desc())
    ).all()  # fmt: skip
    if not rows:
        raise NotFound("These runs don't exist (any more).")
    last = {row.job_id: row for row in reversed(rows)}.values()
    ranked = sorted(last, key=lambda row: (-badness(row.status), row.job_name.casefold(), row.job_id))
    problems = _problems(db, [row.id for row in ranked])
    zone = ZoneInfo(db.scalars(select(SystemSettings.ui_time_zone)).one())
    return TicketFacts(
        customer=ranked[0].customer,
        jobs=tuple(_trouble(row, problems.get(row.id, ()), zone) for row in ranked),
        link=f"{public_url}/jobs/{ranked[0].job_id}" if public_url else "",
    )


_CHOICES = ("status_id", "priority_id", "queue_id", "source_id", "issue_type_id", "sub_issue_type_id")


def _defaults(chosen: TicketingSettings, status: Status) -> dict[str, str]:
    by_badness = (chosen.priority_failed_id, chosen.priority_missed_id, chosen.priority_warning_id)
    own = {
        Status.MISSED: chosen.priority_missed_id,
        Status.OVERDUE: chosen.priority_missed_id,
        Status.FAILED: chosen.priority_failed_id,
        Status.UNREADABLE: chosen.priority_failed_id,
    }.get(status, chosen.priority_warning_id)
    return {
        "status_id": chosen.new_status_id or NEW,
        "priority_id": own or next(filter(None, by_badness), ""),
        "queue_id": chosen.queue_id,
        "source_id": chosen.ticket_source_id,
        "issue_type_id": chosen.issue_type_id,
        "sub_issue_type_id": chosen.sub_issue_type_id,
    }


def _company_of(db: Session, customer_id: int) -> str:
    customer = db.get_one(Customer, customer_id, populate_existing=True)
    why = why_blocked(customer.name, customer.autotask_company_name or "", customer.autotask_mapping)
    if why is not None or customer.autotask_company_id is None:
        raise CannotBeSent(f"{why} Then retry.")
    return customer.autotask_company_id


def _jobs_of(db: Session, ticket: Ticket) -> Sequence[int]:
    """Return the jobs that the ticket is about and that are still its customer's, resolved or not."""
    still_theirs = (TicketScope.ticket_id == ticket.id, TicketScope.customer_id.is_not(None))
    found = db.scalars(select(TicketScope.job_id).where(*still_theirs)).all()
    if not found:
        raise CannotBeSent(
            "None of its jobs is this customer's any more. Cancel it, and make a ticket where one is due."
        )
    return found


def _proposed(db: Session, ticket: Ticket, job_ids: Sequence[int], public_url: str) -> ProposedTicket:
    """Return what the ticket's runs propose; one that was made for jobs without runs says what its maker typed."""
    linked = (TicketRun.ticket_id == ticket.id, JobRun.job_id.in_(job_ids))
    runs = select(TicketRun.job_run_id).join(JobRun, JobRun.id == TicketRun.job_run_id).where(*linked)
    run_ids = db.scalars(runs).all()
    try:
        return propose_ticket(db, run_ids=run_ids, job_ids=() if run_ids else job_ids, public_url=public_url)
    except NotFound:
        return ProposedTicket(title="", description="", choices=_defaults(db.get_one(TicketingSettings, 1), NO_RUN))


def _last_runs(db: Session, job_ids: Sequence[int]) -> Sequence[int]:
    """Return the last run of each of these jobs that has one."""
    if not job_ids:
        return ()
    heads = select(JobRun.id).where(JobRun.job_id.in_(job_ids), JobRun.attempt_of_id.is_(None))
    newest = heads.order_by(JobRun.job_id, JobRun.run_at.desc(), JobRun.id.desc())
    return db.scalars(newest.ext(distinct_on(JobRun.job_id))).all()


def _problems(db: Session, run_ids: Sequence[int]) -> dict[int, tuple[Problem, ...]]:
    found = db.execute(select_troubled().where(JobRun.id.in_(run_ids))).all()
    return {run.run_id: run.problems for run in as_troubled(db, found)}


def _trouble(row: Row[*tuple[Any, ...]], problems: Iterable[Problem], zone: ZoneInfo) -> JobTrouble:
    at = row.run_at.astimezone(zone)
    objects = [each for each in problems if each.object_name]
    is_told = any(each.text and each.text in row.message for each in objects)
    return JobTrouble(
        job=row.job_name,
        software=row.backup_software,
        backup_type=row.backup_type,
        status=row.status,
        time=f"{at.day} {at:%B %Y, %H:%M} ({zone.key})",
        message="" if is_told else row.message,
        objects=tuple(_line(each) for each in objects),
    )


def _line(problem: Problem) -> str:
    return f"{problem.object_name}: {', '.join(part for part in (problem.status.value, problem.text) if part)}"
