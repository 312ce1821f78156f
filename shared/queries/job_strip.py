"""The last days of a job as a strip: what was expected on each, and what came.

`job_strip` is for every screen that shows a job's past; its macro is `strip` in `layout/strip.html`, its looks are in
`strip.css`. The schedule in a few words is `schedule_words` in `queries/job_schedule.py`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.day_state import DayState, state_of_run, state_of_slot, worst_state
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.models.schedules import JobSlot
from shared.queries.overridden import is_overridden

DAYS = 90
_BESIDE = timedelta(days=1)  # a run comes at most so much before the day of its slot


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A slot of a day, or a run outside any slot. `at` is the slot's or the run's moment, in the job's zone."""

    at: datetime
    state: DayState
    is_slot: bool
    is_late: bool = False
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class StripDay:
    """One day in the job's zone; `state` is the worst of its entries."""

    day: date
    state: DayState
    is_late: bool
    entries: Sequence[Entry]

    @property
    def has_slots(self) -> bool:
        return any(entry.is_slot for entry in self.entries)

    @property
    def counts(self) -> Mapping[DayState, int]:
        """How many entries there are of each state, the worst first."""
        counted = Counter(entry.state for entry in self.entries)
        return {state: counted[state] for state in DayState if state in counted}


@dataclass(frozen=True, slots=True)
class _Run:
    """A run, as far as a day shows it."""

    run_id: int
    run_at: datetime
    status: Status
    is_late: bool
    late_for_id: int | None
    attempt_of_id: int | None
    is_overridden: bool

    @property
    def state(self) -> DayState:
        return state_of_run(self.status, is_overridden=self.is_overridden)


def job_strip(db: Session, job_id: int, last: date, zone: ZoneInfo, *, days: int = DAYS) -> list[StripDay]:
    """Return the `days` days up to `last`, oldest first. `zone` is the job's: its customer's, or that of the pages."""
    first = last - timedelta(days=days - 1)
    runs = _runs(db, job_id, since=datetime.combine(first, time.min, zone) - _BESIDE)
    by_day: dict[date, list[Entry]] = {first + timedelta(days=number): [] for number in range(days)}
    used: set[int] = set()
    for day, entry, run_id in _of_slots(db, job_id, runs, first=first, last=last):
        by_day[day].append(entry)
        used.add(run_id)
    for run in _outside(runs.values(), used):
        entry = Entry(at=run.run_at, state=run.state, is_slot=False, is_late=run.is_late)
        if (day := run.run_at.astimezone(zone).date()) in by_day:
            by_day[day].append(entry)
    return [_strip_day(day, entries, zone) for day, entries in by_day.items()]


def _runs(db: Session, job_id: int, *, since: datetime) -> dict[int, _Run]:
    query = select(
        JobRun.id,
        JobRun.run_at,
        JobRun.status,
        JobRun.is_late,
        JobRun.late_for_id,
        JobRun.attempt_of_id,
        is_overridden(),
    ).where(JobRun.job_id == job_id, JobRun.run_at >= since)
    return {row[0]: _Run(*row) for row in db.execute(query)}


def _of_slots(
    db: Session, job_id: int, runs: Mapping[int, _Run], *, first: date, last: date
) -> Iterator[tuple[date, Entry, int]]:
    """Yield each slot's day, what became of it, and the run that answered it (0 for none)."""
    query = select(JobSlot.day, JobSlot.slot_at, JobSlot.state, JobSlot.why, JobSlot.run_id).where(
        JobSlot.job_id == job_id, JobSlot.day.between(first, last)
    )
    for day, slot_at, state, why, run_id in db.execute(query):
        run = _whole(run_id, runs)
        entry = Entry(
            at=slot_at,
            state=run.state if run else state_of_slot(state, None),
            is_slot=True,
            is_late=state is SlotState.LATE or (run is not None and run.is_late),
            why=why,
        )
        yield day, entry, run.run_id if run else 0


def _whole(run_id: int | None, runs: Mapping[int, _Run]) -> _Run | None:
    """Return the run that carries the verdict of all attempts."""
    run = runs.get(run_id or 0)
    return runs.get(run.attempt_of_id, run) if run and run.attempt_of_id else run


def _outside(runs: Iterable[_Run], used: set[int]) -> list[_Run]:
    """Return the runs that answer no slot and say something of their own.

    A missed run that was reviewed before its mail came stays beside that mail's run; the slot counts once.
    """
    runs = list(runs)
    answered = {run.late_for_id for run in runs}
    return [run for run in runs if run.attempt_of_id is None and run.run_id not in used | answered]


def _strip_day(day: date, entries: Sequence[Entry], zone: ZoneInfo) -> StripDay:
    local = [replace(entry, at=entry.at.astimezone(zone)) for entry in entries]
    return StripDay(
        day=day,
        state=worst_state(entry.state for entry in local),
        is_late=any(entry.is_late for entry in local),
        entries=tuple(sorted(local, key=lambda entry: entry.at)),
    )
