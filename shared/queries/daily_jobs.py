"""Daily Jobs: which runs a day was to bring, and what came. A row is a job with all of its slots of that day.

A slot belongs to the local day of its job, so one around midnight stays on its day. A session counts once: the slot
shows the run that carries the verdict of all its attempts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select, true
from sqlalchemy.orm import Session

from shared.domain.day_state import CAME, OF_SLOTS, SEVERITY, DayState
from shared.models.schedules import JobSlot
from shared.queries.day_slots import (
    COUNTED,
    LATE,
    DayFilters,
    came_at,
    head,
    in_order,
    one_page,
    per_job,
    run,
    slot_is_late,
    slot_state,
    totals,
)
from shared.queries.rows import Page, existing_page


@dataclass(frozen=True, kw_only=True, slots=True)
class DaySummary:
    """The slots of a day by what came of them, and how many jobs have such ones; `late` ones came after all."""

    slots: Mapping[DayState, int]
    jobs_with: Mapping[str, int]
    late: int
    jobs: int

    @property
    def expected(self) -> int:
        return sum(self.slots.values()) - self.slots[DayState.SKIPPED]

    @property
    def in_time(self) -> int:
        return sum(self.slots[state] for state in CAME) - self.late

    def jobs_that_fit(self, state: str) -> int:
        """Return how many jobs a state, or LATE, narrows the list to."""
        return self.jobs_with.get(state, self.jobs)


@dataclass(frozen=True, kw_only=True, slots=True)
class DaySlot:
    """One slot with what came. `says` is the run's message, or why the slot is skipped or not judged."""

    slot_at: datetime
    state: DayState
    is_late: bool
    is_silence: bool
    run_id: int | None
    came_at: datetime | None
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DailyRow:
    """One job with its slots of the day, in their order."""

    job_id: int
    customer_id: int
    customer: str
    job_name: str
    software: str
    slots: tuple[DaySlot, ...]

    @property
    def counts(self) -> list[tuple[DayState, int]]:
        """Return how many slots came to each state, the worst first."""
        states = [slot.state for slot in self.slots]
        return [(state, states.count(state)) for state in DayState if state in states]

    @property
    def late(self) -> int:
        return sum(slot.is_late for slot in self.slots)

    @property
    def worst(self) -> DaySlot:
        """The slot that says what to look at: the last one of the worst state."""
        return min(reversed(self.slots), key=lambda slot: SEVERITY[slot.state])


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """The figures of a day, and one page of its jobs."""

    summary: DaySummary
    page: Page[DailyRow]


def day_summary(db: Session, day: date, filters: DayFilters) -> DaySummary:
    """Return the figures of all jobs that fit, whatever their state."""
    return _summary(db.execute(totals(per_job(day, filters).subquery())).one())


def daily_jobs(
    db: Session, day: date, filters: DayFilters, page: int, *, sort: str = "state", descending: bool = False
) -> Day:
    """Return one page of the jobs that have slots on a day, with the figures of all: their slots are read once."""
    of = per_job(day, filters).cte("per_job")
    sums = totals(of).cte("totals")
    on_page = one_page(of, sums, filters.state, in_order(of, sort, descending=descending), page)
    found = db.execute(select(sums, on_page).outerjoin(on_page, true()).order_by(on_page.c.place)).all()
    summary = _summary(found[0])
    jobs = [row for row in found if row.job_id is not None]
    slots = _slots_of(db, day, [row.job_id for row in jobs])
    total = summary.jobs_that_fit(filters.state)
    rows = tuple(_daily_row(row, slots[row.job_id]) for row in jobs)
    return Day(summary=summary, page=Page(rows=rows, number=existing_page(page, total), total=total))


def _summary(row: Row[*tuple[Any, ...]]) -> DaySummary:
    return DaySummary(
        slots={state: getattr(row, state.value) for state in OF_SLOTS},
        jobs_with={name: getattr(row, f"with_{name}") for name in COUNTED},
        late=getattr(row, LATE),
        jobs=row.jobs,
    )


def _daily_row(row: Row[*tuple[Any, ...]], slots: tuple[DaySlot, ...]) -> DailyRow:
    return DailyRow(
        job_id=row.job_id,
        customer_id=row.customer_id,
        customer=row.customer,
        job_name=row.job_name,
        software=row.software,
        slots=slots,
    )


def _slots_of(db: Session, day: date, job_ids: Sequence[int]) -> dict[int, tuple[DaySlot, ...]]:
    """Return the slots of these jobs with the runs that they show."""
    says = func.coalesce(func.nullif(JobSlot.why, ""), func.left(func.coalesce(head.message, run.message), 300), "")
    query = (
        select(
            JobSlot.job_id,
            JobSlot.slot_at,
            slot_state.label("state"),
            slot_is_late.label("is_late"),
            JobSlot.is_silence,
            func.coalesce(head.id, run.id).label("run_id"),
            came_at.label("came_at"),
            says.label("says"),
        )
        .outerjoin(run, run.id == JobSlot.run_id)
        .outerjoin(head, head.id == run.attempt_of_id)
        .where(JobSlot.day == day, JobSlot.job_id.in_(job_ids))
        .order_by(JobSlot.slot_at)
    )
    found: dict[int, list[DaySlot]] = {job_id: [] for job_id in job_ids}
    for row in db.execute(query):
        found[row.job_id].append(
            DaySlot(
                slot_at=row.slot_at,
                state=DayState(row.state),
                is_late=row.is_late,
                is_silence=row.is_silence,
                run_id=row.run_id,
                came_at=row.came_at,
                says=row.says,
            )
        )
    return {job_id: tuple(slots) for job_id, slots in found.items()}
