"""Daily Jobs: which runs a day was to bring, and what came. A row is a job with all of its slots of that day.

A slot belongs to the local day of its job, so one around midnight stays on its day. A session counts once: the slot
shows the run that carries the verdict of all its attempts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, String, case, cast, func, select
from sqlalchemy.orm import Session, aliased

from shared.domain.day_state import CAME, SEVERITY, DayState
from shared.domain.slot_state import WITH_RUN, SlotState
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import JobSlot
from shared.queries.rows import PAGE_SIZE, Page, contains, existing_page, watched_jobs

LATE = "late"
SORTS = ("state", "customer", "job", "software", "due", "came")


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


def day_summary(db: Session, day: date, filters: DayFilters) -> DaySummary:
    """Return the figures of all jobs that fit, whatever their state."""
    of = _per_job(day, filters).subquery()
    sums = [func.coalesce(func.sum(of.c[name]), 0) for name in _COUNTED]
    with_some = [func.count().filter(of.c[name] > 0) for name in _COUNTED]
    row = db.execute(select(func.count(), *sums, *with_some).select_from(of)).one()
    slots = dict(zip(_COUNTED, map(int, row[1 : len(_COUNTED) + 1]), strict=True))
    return DaySummary(
        slots={state: slots[state.value] for state in DayState},
        jobs_with=dict(zip(_COUNTED, row[len(_COUNTED) + 1 :], strict=True)),
        late=slots[LATE],
        jobs=row[0],
    )


def daily_jobs(
    db: Session, day: date, filters: DayFilters, page: int, *, total: int, sort: str = "state", descending: bool = False
) -> Page[DailyRow]:
    """Return one page of the jobs that have slots on a day; `total` is how many fit, as the summary says."""
    number = existing_page(page, total)
    of = _per_job(day, filters).subquery()
    query = (
        select(of.c.job_id, of.c.customer_id, Customer.name, Job.job_name, Job.backup_software)
        .join(Job, Job.id == of.c.job_id)
        .join(Customer, Customer.id == of.c.customer_id)
    )
    if filters.state in _COUNTED:
        query = query.where(of.c[filters.state] > 0)
    query = query.order_by(*_order(of, sort, descending=descending))
    found = db.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    slots = _slots_of(db, day, [row[0] for row in found])
    rows = (
        DailyRow(
            job_id=row[0], customer_id=row[1], customer=row[2], job_name=row[3], software=row[4], slots=slots[row[0]]
        )
        for row in found
    )
    return Page(rows=tuple(rows), number=number, total=total)


_run, _head = aliased(JobRun), aliased(JobRun)
# A run that retention took away leaves a slot that nothing can be said of.
_verdict = func.coalesce(cast(_head.status, String), cast(_run.status, String), DayState.NOT_JUDGED.value)
_state = case((JobSlot.state.in_(WITH_RUN), _verdict), else_=cast(JobSlot.state, String))
_came_at = case((JobSlot.state.in_(WITH_RUN), _run.run_at))
_is_late = JobSlot.state == SlotState.LATE
_severity = case({state.value: number for state, number in SEVERITY.items()}, value=_state, else_=0)
_COUNTED = (*(state.value for state in DayState), LATE)


def _per_job(day: date, filters: DayFilters) -> Select[*tuple[Any, ...]]:
    """Return the query of one row a job: how many slots came to each state, and what it can be sorted by."""
    return (
        select(
            JobSlot.job_id,
            Job.customer_id,
            *(func.count().filter(_state == state.value).label(state.value) for state in DayState),
            func.count().filter(_is_late).label(LATE),
            func.min(_severity).label("severity"),
            func.min(JobSlot.slot_at).label("due"),
            func.max(_came_at).label("came"),
        )
        .join(Job, Job.id == JobSlot.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(_run, _run.id == JobSlot.run_id)
        .outerjoin(_head, _head.id == _run.attempt_of_id)
        .where(JobSlot.day == day, *filters.jobs())
        .group_by(JobSlot.job_id, Job.customer_id)
    )


def _order(of: FromClause, sort: str, *, descending: bool) -> tuple[ColumnElement[Any], ...]:
    names = (func.lower(Customer.name), func.lower(Job.job_name), of.c.job_id)
    keys: dict[str, tuple[ColumnElement[Any], ...]] = {
        # The fewer of two jobs' slots are bad, the later it comes; late ones stand before those in time.
        "state": (
            of.c.severity,
            *(-of.c[state.value] for state in DayState if state is not DayState.SUCCESS),
            -of.c.late,
        ),
        "customer": (names[0],),
        "job": (names[1],),
        "software": (func.lower(Job.backup_software),),
        "due": (of.c.due,),
        "came": (of.c.came,),
    }
    chosen = keys.get(sort, keys["state"])
    return (*(key.desc().nulls_last() if descending else key.asc().nulls_first() for key in chosen), *names)


def _slots_of(db: Session, day: date, job_ids: Sequence[int]) -> dict[int, tuple[DaySlot, ...]]:
    """Return the slots of these jobs with the runs that they show."""
    says = func.coalesce(func.nullif(JobSlot.why, ""), func.left(func.coalesce(_head.message, _run.message), 300), "")
    query = (
        select(
            JobSlot.job_id,
            JobSlot.slot_at,
            _state,
            _is_late,
            JobSlot.is_silence,
            func.coalesce(_head.id, _run.id),
            _came_at,
            says,
        )
        .outerjoin(_run, _run.id == JobSlot.run_id)
        .outerjoin(_head, _head.id == _run.attempt_of_id)
        .where(JobSlot.day == day, JobSlot.job_id.in_(job_ids))
        .order_by(JobSlot.slot_at)
    )
    found: dict[int, list[DaySlot]] = {job_id: [] for job_id in job_ids}
    for job_id, slot_at, state, is_late, is_silence, run_id, came_at, said in db.execute(query):
        found[job_id].append(
            DaySlot(
                slot_at=slot_at,
                state=DayState(state),
                is_late=is_late,
                is_silence=is_silence,
                run_id=run_id,
                came_at=came_at,
                says=said,
            )
        )
    return {job_id: tuple(slots) for job_id, slots in found.items()}
