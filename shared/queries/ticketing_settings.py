"""How tickets are made, as it is in force, the choices that there are, and how the ticketing system does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.status import Status
from shared.domain.ticket import MappingState, TicketSource
from shared.domain.ticketing import ReferenceKind
from shared.models.customers import Customer
from shared.models.jobs import JobRun
from shared.models.ticketing import TicketingChoice, TicketingSettings, TicketingState

_TROUBLE = (Status.FAILED, Status.MISSED, Status.WARNING)


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketingForm:
    """The settings by their columns; choices by their ids."""

    provider: TicketSource
    queue_id: str
    new_status_id: str
    priority_failed_id: str
    priority_missed_id: str
    priority_warning_id: str
    ticket_source_id: str
    issue_type_id: str
    sub_issue_type_id: str
    resolved_status_id: str
    closed_status_ids: list[str]
    note_type_id: str
    note_audience_id: str
    due_hours: int
    poll_minutes: int
    resolve_after_good: int | None
    title_template: str
    description_template: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One choice of the tenant's. `parent_id` of a sub issue type is its issue type."""

    id: str
    label: str
    is_active: bool
    parent_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemState:
    """When what was last asked, and how much of the hour's requests is used up."""

    choices_at: datetime | None
    companies_at: datetime | None
    tested_at: datetime | None
    polled_at: datetime | None
    poll_error: str
    used: int | None
    used_limit: int | None
    used_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MappingCounts:
    """How many active customers there are, how many have no company, and how many one in which state."""

    customers: int
    unmapped: int
    states: Mapping[MappingState, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class DoubtedCompanies:
    """How many companies of customers there are, and how many were not to be seen when all were last looked at.

    Those that are known to be missing are not among them: nobody believes it of the others yet.
    """

    unseen: int
    total: int


def ticketing_settings(db: Session) -> TicketingForm:
    columns = (getattr(TicketingSettings, field) for field in TicketingForm.__dataclass_fields__)
    return TicketingForm(**db.execute(select(*columns)).one()._asdict())


def ticketing_choices(db: Session) -> dict[ReferenceKind, list[Choice]]:
    """Return all choices of each kind, in the tenant's order."""
    order = (TicketingChoice.position, func.lower(TicketingChoice.label))
    found: dict[ReferenceKind, list[Choice]] = {kind: [] for kind in ReferenceKind}
    for row in db.scalars(select(TicketingChoice).order_by(*order)):
        found[row.kind].append(
            Choice(id=row.choice_id, label=row.label, is_active=row.is_active, parent_id=row.parent_id)
        )
    return found


def system_state(db: Session) -> SystemState:
    columns = (getattr(TicketingState, field) for field in SystemState.__dataclass_fields__)
    return SystemState(**db.execute(select(*columns)).one()._asdict())


def mapping_counts(db: Session) -> MappingCounts:
    query = select(Customer.autotask_mapping, func.count()).where(Customer.active.is_(True))
    found = {row[0]: row[1] for row in db.execute(query.group_by(Customer.autotask_mapping))}
    states = {state: count for state, count in found.items() if state is not None}
    return MappingCounts(customers=sum(found.values()), unmapped=found.get(None, 0), states=states)


def doubted_companies(db: Session) -> DoubtedCompanies:
    """Return the companies that a look at all of them passed over: what was seen then has the moment of the look."""
    is_unseen = Customer.autotask_checked_at < TicketingState.companies_at
    unseen = func.count().filter(is_unseen, Customer.autotask_mapping != MappingState.MISSING)
    query = select(unseen, func.count()).select_from(Customer).join(TicketingState, TicketingState.id == 1)
    row = db.execute(query.where(Customer.autotask_company_id.is_not(None))).one()
    return DoubtedCompanies(unseen=row[0], total=row[1])


def uses_autotask(db: Session) -> bool:
    """Return whether tickets are made at Autotask."""
    return db.scalar(select(TicketingSettings.provider)) is TicketSource.AUTOTASK


def last_trouble(db: Session) -> Sequence[int]:
    """Return the id of the last run that a ticket could be about, if there is one."""
    query = select(JobRun.id).where(JobRun.attempt_of_id.is_(None), JobRun.status.in_(_TROUBLE))
    return db.scalars(query.order_by(JobRun.run_at.desc()).limit(1)).all()
