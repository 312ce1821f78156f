"""A day of slots and runs, and what the queries show of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.queries.daily_jobs import DailyRow, daily_jobs
from shared.queries.day_heat import HeatDay, month_heat
from shared.queries.day_slots import DayFilters
from shared.queries.rows import Page
from shared.queries.unscheduled_runs import UnscheduledRow, unscheduled_counts, unscheduled_runs
from tests.builders import make_run
from tests.slot_builders import AMSTERDAM, make_slot

DAY = date(2026, 3, 3)
ZONE = AMSTERDAM.key
ALL = DayFilters()


def at(day: date, hour: float) -> datetime:
    """Return the moment so many hours after Amsterdam's midnight."""
    return datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM).astimezone(UTC) + timedelta(hours=hour)


def slot_with_run(
    db: Session, job_id: int, day: date = DAY, hour: float = 22, *, status: Status = Status.SUCCESS, late: float = 0
) -> JobRun:
    run = make_run(db, job_id, status=status, run_at=at(day, hour + late))
    make_slot(db, job_id, day, hour, state=SlotState.LATE if late else SlotState.ARRIVED, run_id=run.id)
    return run


def shown(
    db: Session, day: date = DAY, filters: DayFilters = ALL, page: int = 1, **sorted_by: object
) -> Page[DailyRow]:
    return daily_jobs(db, day, filters, page, **sorted_by).page


def names(db: Session, day: date = DAY, filters: DayFilters = ALL, **sorted_by: object) -> list[str]:
    return [row.job_name for row in shown(db, day, filters, **sorted_by).rows]


def only(db: Session, day: date = DAY) -> DailyRow:
    [row] = shown(db, day).rows
    return row


def unscheduled(db: Session, *, has_schedule: bool, filters: DayFilters = ALL) -> Sequence[UnscheduledRow]:
    counts = unscheduled_counts(db, DAY, ZONE, filters)
    total = counts.unexpected if has_schedule else counts.without_schedule
    found = unscheduled_runs(db, DAY, ZONE, filters, 1, has_schedule=has_schedule, total=total)
    assert len(found.rows) == total
    return found.rows


def heat_of(db: Session, day: date = DAY, filters: DayFilters = ALL) -> HeatDay:
    return month_heat(db, day, ZONE, filters)[day.day - 1]
