"""The month of Daily Jobs: for each day how many runs were expected, and how many were bad."""

from calendar import monthrange
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, String, cast, func, select, union_all
from sqlalchemy.orm import Session

from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import JobSlot
from shared.queries.day_slots import DayFilters

FEW, SOME = 0.02, 0.1  # shares of bad runs
LATEST_RUN = timedelta(days=35)  # how long after its slot a late run can come


class Heat(StrEnum):
    """How bad a day was."""

    NOTHING = "nothing"  # nothing was expected
    TO_COME = "to_come"
    UNKNOWN = "unknown"  # nothing bad, but not all is judged
    GOOD = "good"
    FEW = "few"
    SOME = "some"
    MANY = "many"


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatDay:
    """One day. `expected` are the slots without skipped ones; a bad run counts also where nothing was expected."""

    day: date
    expected: int
    missed: int
    failed: int
    unreadable: int
    not_judged: int
    to_come: int
    skipped: int

    @property
    def bad(self) -> int:
        return self.missed + self.failed + self.unreadable

    @property
    def heat(self) -> Heat:
        if self.bad and not self.expected:
            return Heat.FEW  # nobody knows of how many
        if self.bad:
            share = self.bad / max(self.expected, self.bad)
            return Heat.FEW if share <= FEW else Heat.SOME if share <= SOME else Heat.MANY
        if not self.expected:
            return Heat.NOTHING
        if self.not_judged:
            return Heat.UNKNOWN
        return Heat.TO_COME if self.to_come == self.expected else Heat.GOOD


def month_heat(db: Session, month: date, zone: str, filters: DayFilters) -> list[HeatDay]:
    """Return each day of the month that `month` lies in; `zone` is that of customers without their own."""
    days = [month.replace(day=number + 1) for number in range(monthrange(month.year, month.month)[1])]
    counted: dict[date, Counter[str]] = defaultdict(Counter)
    parts = (_slots(days[0], days[-1], filters), _bad_runs(days[0], days[-1], zone, filters))
    for day, word, number in db.execute(union_all(*parts)):
        counted[day][word] += number
    return [_heat_day(day, counted[day]) for day in days]


def _heat_day(day: date, counted: Counter[str]) -> HeatDay:
    slots = {state: counted[state.value] for state in SlotState}
    return HeatDay(
        day=day,
        expected=sum(slots.values()) - slots[SlotState.SKIPPED],
        missed=slots[SlotState.MISSED],
        failed=counted[Status.FAILED.value],
        unreadable=counted[Status.UNREADABLE.value],
        not_judged=slots[SlotState.NOT_JUDGED],
        to_come=slots[SlotState.EXPECTED],
        skipped=slots[SlotState.SKIPPED],
    )


def _slots(first: date, last: date, filters: DayFilters) -> Select[*tuple[Any, ...]]:
    state = cast(JobSlot.state, String)
    return (
        select(JobSlot.day, state, func.count())
        .join(Job, Job.id == JobSlot.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(JobSlot.day.between(first, last), *filters.jobs())
        .group_by(JobSlot.day, state)
    )


def _bad_runs(first: date, last: date, zone: str, filters: DayFilters) -> Select[*tuple[Any, ...]]:
    """Return the query of failed and unreadable runs, on the day of their slot; without one, on their own."""
    local = func.date(func.timezone(func.coalesce(Customer.time_zone, zone), JobRun.run_at))
    day = func.coalesce(JobSlot.day, local)
    status = cast(JobRun.status, String)
    begin, end = (datetime.combine(each, time(), UTC) for each in (first, last))
    return (
        select(day, status, func.count())
        .select_from(JobRun)
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(JobSlot, JobSlot.run_id == JobRun.id)
        .where(
            JobRun.run_at.between(begin - timedelta(days=2), end + LATEST_RUN),
            JobRun.status.in_((Status.FAILED, Status.UNREADABLE)),
            JobRun.attempt_of_id.is_(None),
            JobRun.override_id.is_(None),
            day.between(first, last),
            *filters.jobs(),
        )
        .group_by(day, status)
    )
