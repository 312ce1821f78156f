"""Closed days of a customer and its jobs, and the missed runs that were judged before somebody closed a day."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from shared.domain.reading import Kind
from shared.domain.slot_state import SlotState
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import ClosedDay, JobSlot

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Closable:
    """Whose days can be closed: a customer, or one of its jobs."""

    customer_id: int
    customer: str
    country: str | None
    time_zone: str | None
    job_id: int | None = None
    job_name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedRange:
    """Days in a row that are closed for the same reason, of the whole customer or of some jobs.

    `missed` runs of those days were judged before and still wait for a review, the first of them on `missed_on`.
    """

    first: date
    last: date
    name: str
    ids: tuple[int, ...]
    jobs: tuple[str, ...]  # empty: all
    missed: int
    missed_on: date | None

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def closable_customer(db: Session, customer_id: int) -> Closable | None:
    query = select(Customer.id, Customer.name, Customer.country, Customer.time_zone).where(Customer.id == customer_id)
    row = db.execute(query).one_or_none()
    return Closable(customer_id=row[0], customer=row[1], country=row[2], time_zone=row[3]) if row else None


def closable_job(db: Session, job_id: int) -> Closable | None:
    row = db.execute(select(Job.customer_id, Job.job_name).where(Job.id == job_id)).one_or_none()
    if row is None or (customer := closable_customer(db, row[0])) is None:
        return None
    return replace(customer, job_id=job_id, job_name=row[1])


def closable_jobs(db: Session, customer_id: int) -> list[tuple[int, str]]:
    """Return the ids and names of the customer's jobs that are expected to run."""
    mine = (Job.customer_id == customer_id, Job.archived_at.is_(None), Job.kind == Kind.REGULAR)
    query = select(Job.id, Job.job_name).where(*mine).order_by(func.lower(Job.job_name), Job.id)
    return [(row[0], row[1]) for row in db.execute(query)]


def coming_closed_days(db: Session, customer_id: int, today: date) -> int:
    """Return how many days from today on are closed for the customer or some of its jobs."""
    query = select(func.count(ClosedDay.day.distinct())).where(ClosedDay.day >= today, _of(customer_id, None))
    return db.scalar(query) or 0


def closed_ranges(db: Session, of: Closable, *, since: date) -> list[ClosedRange]:
    """Return the closed days from a day on, in their order; of a job those of its customer too."""
    query = (
        select(ClosedDay.id, ClosedDay.day, ClosedDay.name, ClosedDay.job_id, Job.job_name)
        .outerjoin(Job, Job.id == ClosedDay.job_id)
        .where(ClosedDay.day >= since, _of(of.customer_id, of.job_id))
        .order_by(ClosedDay.day, func.lower(Job.job_name), ClosedDay.id)
    )
    days: dict[tuple[date, str, bool], list[tuple[int, int | None, str]]] = defaultdict(list)
    for closed_id, day, name, job_id, job_name in db.execute(query):
        days[day, name, job_id is None].append((closed_id, job_id, job_name or ""))
    missed = _missed(db, of, {day for day, _, _ in days})
    singles = (_single(day, name, rows, missed.get(day, {})) for (day, name, _), rows in days.items())
    return sorted(_joined(singles), key=lambda each: (each.first, each.jobs))


def _of(customer_id: int, job_id: int | None) -> ColumnElement[bool]:
    jobs = select(Job.id).where(Job.customer_id == customer_id) if job_id is None else [job_id]
    return or_(ClosedDay.customer_id == customer_id, ClosedDay.job_id.in_(jobs))


def _single(
    day: date, name: str, rows: Sequence[tuple[int, int | None, str]], missed: Mapping[int, int]
) -> ClosedRange:
    job_ids = [job_id for _, job_id, _ in rows if job_id is not None]
    left = sum(missed.get(job_id, 0) for job_id in job_ids) if job_ids else sum(missed.values())
    return ClosedRange(
        first=day,
        last=day,
        name=name,
        ids=tuple(row[0] for row in rows),
        jobs=tuple(row[2] for row in rows if row[1] is not None),
        missed=left,
        missed_on=day if left else None,
    )


def _joined(singles: Iterable[ClosedRange]) -> Iterator[ClosedRange]:
    """Join days that follow each other under one name and for the same jobs."""
    growing: dict[tuple[str, tuple[str, ...]], ClosedRange] = {}
    for each in singles:
        key = (each.name, each.jobs)
        before = growing.pop(key, None)
        if before is not None and before.last + ONE_DAY == each.first:
            growing[key] = replace(
                before,
                last=each.last,
                ids=before.ids + each.ids,
                missed=before.missed + each.missed,
                missed_on=before.missed_on or each.missed_on,
            )
            continue
        if before is not None:
            yield before
        growing[key] = each
    yield from growing.values()


def _missed(db: Session, of: Closable, days: Iterable[date]) -> dict[date, dict[int, int]]:
    """Return how many missed runs wait for a review, by day and job."""
    query = (
        select(JobSlot.day, JobSlot.job_id, func.count())
        .join(Job, Job.id == JobSlot.job_id)
        .join(JobRun, JobRun.id == JobSlot.run_id)
        .where(
            JobSlot.day.in_(days),
            JobSlot.state == SlotState.MISSED,
            JobRun.reviewed_at.is_(None),
            Job.customer_id == of.customer_id,
            Job.id == of.job_id if of.job_id is not None else Job.archived_at.is_(None),
        )
        .group_by(JobSlot.day, JobSlot.job_id)
    )
    found: dict[date, dict[int, int]] = defaultdict(dict)
    for day, job_id, number in db.execute(query):
        found[day][job_id] = number
    return found
