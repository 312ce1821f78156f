"""The slots of a day by job: how many came to each state, and the order of the jobs. daily_jobs.py makes the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Integer, Select, String, case, cast, func, select, true
from sqlalchemy.orm import aliased

from shared.domain.day_state import OF_SLOTS, SEVERITY, DayState
from shared.domain.slot_state import WITH_RUN, SlotState
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import JobSlot
from shared.queries.rows import PAGE_SIZE, contains, watched_jobs

LATE = "late"
COUNTED = (*(state.value for state in OF_SLOTS), LATE)

run, head = aliased(JobRun), aliased(JobRun)
# A run that retention took away leaves a slot that nothing can be said of.
_verdict = case(
    (func.coalesce(head.override_id, run.override_id).is_not(None), DayState.OVERRIDE.value),
    else_=func.coalesce(cast(head.status, String), cast(run.status, String), DayState.NOT_JUDGED.value),
)
slot_state = case((JobSlot.state.in_(WITH_RUN), _verdict), else_=cast(JobSlot.state, String))
slot_is_late = JobSlot.state == SlotState.LATE
came_at = case((JobSlot.state.in_(WITH_RUN), run.run_at))


@dataclass(frozen=True, kw_only=True, slots=True)
class DayFilters:
    """What the day is narrowed to; empty parts don't narrow. `state` is a DayState's word, or LATE.

    A job that fits is shown with all its slots.
    """

    customer_id: int | None = None
    software: str = ""
    text: str = ""
    state: str = ""

    def jobs(self) -> list[ColumnElement[bool]]:
        """Return the conditions on jobs and their customers; archived ones and inactive customers' have no day."""
        found = [*watched_jobs()]
        if self.customer_id is not None:
            found.append(Customer.id == self.customer_id)
        if self.software:
            found.append(Job.backup_software == self.software)
        searched = (Customer.name, Job.job_name, Job.backup_software, Job.backup_type)
        return found + [contains(word, *searched) for word in self.text.split()]


def per_job(day: date, filters: DayFilters) -> Select[*tuple[Any, ...]]:
    """Return the query of one row a job: how many slots came to each state, and what it can be sorted by."""
    slots = _slots(day, filters).subquery()
    severity = case({state.value: number for state, number in SEVERITY.items()}, value=slots.c.state, else_=0)
    return select(
        slots.c.job_id,
        slots.c.customer_id,
        *(func.count().filter(slots.c.state == state.value).label(state.value) for state in OF_SLOTS),
        func.count().filter(slots.c.is_late).label(LATE),
        func.min(severity).label("severity"),
        func.min(slots.c.slot_at).label("due"),
        func.max(slots.c.came_at).label("came"),
    ).group_by(slots.c.job_id, slots.c.customer_id)


def totals(of: FromClause) -> Select[*tuple[Any, ...]]:
    """Return the query of the one row with the sums of `per_job`, and how many jobs have some of each."""
    return select(
        func.count().label("jobs"),
        *(cast(func.coalesce(func.sum(of.c[name]), 0), Integer).label(name) for name in COUNTED),
        *(func.count().filter(of.c[name] > 0).label(f"with_{name}") for name in COUNTED),
    ).select_from(of)


def one_page(
    of: FromClause, sums: FromClause, state: str, order: Sequence[ColumnElement[Any]], page: int
) -> FromClause:
    """Return the rows of one page of `per_job`, or of the last page there is; `place` is their order."""
    number_of = sums.c[f"with_{state}"] if state in COUNTED else sums.c.jobs
    begin = func.least((max(page, 1) - 1) * PAGE_SIZE, func.greatest(number_of - 1, 0) // PAGE_SIZE * PAGE_SIZE)
    return (
        select(
            of.c.job_id,
            of.c.customer_id,
            Customer.name.label("customer"),
            Job.job_name,
            Job.backup_software.label("software"),
            func.row_number().over(order_by=order).label("place"),
        )
        .join(Job, Job.id == of.c.job_id)
        .join(Customer, Customer.id == of.c.customer_id)
        .where(of.c[state] > 0 if state in COUNTED else true())
        .order_by(*order)
        .limit(PAGE_SIZE)
        .offset(select(begin).scalar_subquery())
        .subquery("on_page")
    )


def in_order(of: FromClause, sort: str, *, descending: bool) -> tuple[ColumnElement[Any], ...]:
    """Return by what the list is sorted; within equals by name."""
    names = (func.lower(Customer.name), func.lower(Job.job_name), of.c.job_id)
    bad = (-of.c[state.value] for state in OF_SLOTS if state is not DayState.SUCCESS)
    keys: dict[str, tuple[ColumnElement[Any], ...]] = {
        # The fewer of two jobs' slots are bad, the later it comes; late ones stand before those in time.
        "state": (of.c.severity, *bad, -of.c.late),
        "customer": (names[0],),
        "job": (names[1],),
        "software": (func.lower(Job.backup_software),),
        "due": (of.c.due,),
        "came": (of.c.came,),
    }
    chosen = keys.get(sort, keys["state"])
    return (*(key.desc().nulls_last() if descending else key.asc().nulls_first() for key in chosen), *names)


def _slots(day: date, filters: DayFilters) -> Select[*tuple[Any, ...]]:
    return (
        select(
            JobSlot.job_id,
            Job.customer_id,
            slot_state.label("state"),
            slot_is_late.label("is_late"),
            JobSlot.slot_at,
            came_at.label("came_at"),
        )
        .join(Job, Job.id == JobSlot.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(run, run.id == JobSlot.run_id)
        .outerjoin(head, head.id == run.attempt_of_id)
        .where(JobSlot.day == day, *filters.jobs())
        .offset(0)  # has each state worked out once, not once for each count
    )
