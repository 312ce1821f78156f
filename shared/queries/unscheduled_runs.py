"""The runs of a day that answer no slot: what ran although nothing was expected, and jobs that have no schedule."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from shared.domain.run import RunSource
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import JobSchedule, JobSlot
from shared.queries import overridden
from shared.queries.day_slots import DayFilters
from shared.queries.rows import PAGE_SIZE, Page, existing_page

# Between the first and the last zone of the world a local day begins and ends.
EARLIEST, LATEST = timedelta(hours=14), timedelta(hours=36)


@dataclass(frozen=True, kw_only=True, slots=True)
class UnscheduledRow:
    """One job with its runs of the day beside its slots; `says` is the message of the worst, `run_id` the last."""

    job_id: int
    customer_id: int
    customer: str
    job_name: str
    software: str
    counts: tuple[tuple[str, int], ...]  # by the words of badges, the worst first
    run_id: int
    run_at: datetime
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UnscheduledCounts:
    """How many jobs ran without a slot: those that have a schedule, and those that have none."""

    unexpected: int
    without_schedule: int


def unscheduled_counts(db: Session, day: date, zone: str, filters: DayFilters) -> UnscheduledCounts:
    """Count the jobs in one statement; `zone` is that of customers without their own."""
    of = _per_job(day, zone, filters).subquery()
    with_schedule = func.count().filter(of.c.has_schedule)
    unexpected, all_jobs = db.execute(select(with_schedule, func.count()).select_from(of)).one()
    return UnscheduledCounts(unexpected=unexpected, without_schedule=all_jobs - unexpected)


def unscheduled_runs(
    db: Session, day: date, zone: str, filters: DayFilters, page: int, *, has_schedule: bool, total: int
) -> Page[UnscheduledRow]:
    """Return one page of the jobs that ran without a slot, the worst first."""
    number = existing_page(page, total)
    worst = func.max(overridden.rank())
    query = (
        _per_job(day, zone, filters)
        .having(_has_schedule() if has_schedule else ~_has_schedule())
        .order_by(worst.desc(), func.lower(Customer.name), func.lower(Job.job_name), Job.id)
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    rows = (
        UnscheduledRow(
            job_id=row.job_id,
            customer_id=row.customer_id,
            customer=row.customer,
            job_name=row.job_name,
            software=row.backup_software,
            counts=_counts(row.badges),
            run_id=row.run_id,
            run_at=row.run_at,
            says=row.says,
        )
        for row in db.execute(query)
    )
    return Page(rows=tuple(rows), number=number, total=total)


def _per_job(day: date, zone: str, filters: DayFilters) -> Select[*tuple[Any, ...]]:
    newest = (JobRun.run_at.desc(), JobRun.id.desc())
    by_badness = (overridden.rank().desc(), *newest)
    return (
        select(
            Job.id.label("job_id"),
            Customer.id.label("customer_id"),
            Customer.name.label("customer"),
            Job.job_name,
            Job.backup_software,
            _has_schedule().label("has_schedule"),
            func.array_agg(overridden.badge()).label("badges"),
            func.array_agg(aggregate_order_by(JobRun.id, *newest))[1].label("run_id"),
            func.max(JobRun.run_at).label("run_at"),
            func.array_agg(aggregate_order_by(func.left(JobRun.message, 300), *by_badness))[1].label("says"),
        )
        .select_from(JobRun)
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(JobSchedule, JobSchedule.job_id == Job.id)
        .where(*_is_of_day(day, zone), *_answers_no_slot(), *filters.jobs())
        .group_by(Job.id, Customer.id, JobSchedule.job_id)
        .having(_fits(filters.state))
    )


def _is_of_day(day: date, zone: str) -> tuple[ColumnElement[bool], ...]:
    midnight = datetime.combine(day, time(), UTC)
    local = func.timezone(func.coalesce(Customer.time_zone, zone), JobRun.run_at)
    return (JobRun.run_at >= midnight - EARLIEST, JobRun.run_at < midnight + LATEST, func.date(local) == day)


def _answers_no_slot() -> tuple[ColumnElement[bool], ...]:
    return (
        JobRun.attempt_of_id.is_(None),
        JobRun.source != RunSource.MISSED,
        ~exists().where(JobSlot.run_id == JobRun.id),
    )


def _has_schedule() -> ColumnElement[bool]:
    return func.coalesce(func.jsonb_array_length(JobSchedule.lanes) > 0, false())


def _fits(state: str) -> ColumnElement[bool]:
    if not state:
        return and_(True)
    return func.bool_or(overridden.badge() == state)


def _counts(badges: list[str]) -> tuple[tuple[str, int], ...]:
    return tuple((badge, badges.count(badge)) for badge in sorted(set(badges), key=overridden.worst_first))
