"""What stands beside a day's slots: runs that nobody expected, the month, and what nobody judges."""

from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from shared.domain.reading import Kind
from shared.domain.run import RunSource
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.queries.day_heat import Heat, month_heat
from shared.queries.day_slots import DayFilters
from shared.queries.skipped_slots import skipped_lately, skipped_on
from tests.builders import make_job, make_run
from tests.queries.day_world import ALL, DAY, ZONE, at, heat_of, slot_with_run, unscheduled
from tests.slot_builders import make_schedule, make_slot


def test_a_run_beside_the_slots_is_no_longer_overlooked(db: Session) -> None:
    job_id = make_job(db)
    make_schedule(db, job_id, 22)
    slot_with_run(db, job_id)
    by_hand = make_run(db, job_id, status=Status.FAILED, run_at=at(DAY, 15))

    [row] = unscheduled(db, has_schedule=True)

    assert (row.run_id, row.counts) == (by_hand.id, ((Status.FAILED, 1),))
    assert unscheduled(db, has_schedule=False) == ()
    assert heat_of(db).failed == 1


def test_a_run_that_answers_yesterdays_slot_is_not_unexpected_today(db: Session) -> None:
    job_id = make_job(db)
    make_schedule(db, job_id, 22)
    slot_with_run(db, job_id, DAY - timedelta(days=1), 22, late=5)

    assert unscheduled(db, has_schedule=True) == ()


def test_jobs_without_a_schedule_are_listed_apart(db: Session) -> None:
    irregular, informational, unlearned = (
        make_job(db, "a"),
        make_job(db, "b", kind=Kind.INFORMATIONAL),
        make_job(db, "c"),
    )
    make_schedule(db, irregular)
    for job_id in (irregular, informational, unlearned):
        make_run(db, job_id, run_at=at(DAY, 12))
    make_run(db, irregular, status=Status.WARNING, run_at=at(DAY, 9))
    make_run(db, irregular, status=Status.WARNING, run_at=at(DAY, 24.5))  # tomorrow's

    rows = unscheduled(db, has_schedule=False)

    assert [row.job_name for row in rows] == ["a", "b", "c"]
    assert rows[0].counts == ((Status.WARNING, 1), (Status.SUCCESS, 1))
    assert rows[0].run_at == at(DAY, 12)
    assert unscheduled(db, has_schedule=False, filters=DayFilters(state="warning")) == rows[:1]
    assert unscheduled(db, has_schedule=False, filters=DayFilters(state="not_judged")) == ()


def test_an_overdue_run_is_seen_and_a_missed_one_stands_at_its_slot(db: Session) -> None:
    sleeper = make_job(db)
    overdue = make_run(db, sleeper, status=Status.FAILED, run_at=at(DAY, 12))
    overdue.source, overdue.matched_by, overdue.status = RunSource.OVERDUE, None, Status.OVERDUE
    overdue.overdue_days = 4
    db.flush()

    [row] = unscheduled(db, has_schedule=False)

    assert row.counts == ((Status.OVERDUE, 1),)


@pytest.mark.parametrize(
    "bad, good, heat", [(0, 5, Heat.GOOD), (1, 99, Heat.FEW), (1, 9, Heat.SOME), (1, 2, Heat.MANY)]
)
def test_the_more_of_a_day_is_bad_the_hotter_it_is(db: Session, bad: int, good: int, heat: Heat) -> None:
    job_id = make_job(db)
    for number in range(bad + good):
        slot_with_run(db, job_id, hour=number / 5, status=Status.FAILED if number < bad else Status.SUCCESS)

    found = heat_of(db)

    assert (found.heat, found.bad, found.expected) == (heat, bad, bad + good)


def test_a_day_is_not_green_while_something_of_it_is_not_judged(db: Session) -> None:
    job_id = make_job(db)
    slot_with_run(db, job_id, hour=1)
    make_slot(db, job_id, DAY, 2, state=SlotState.NOT_JUDGED)
    make_slot(db, job_id, DAY + timedelta(days=1), state=SlotState.EXPECTED)
    make_slot(db, job_id, DAY + timedelta(days=2), state=SlotState.SKIPPED)

    assert heat_of(db).heat is Heat.UNKNOWN
    assert heat_of(db, DAY + timedelta(days=1)).heat is Heat.TO_COME
    assert heat_of(db, DAY + timedelta(days=2)).heat is Heat.NOTHING


def test_a_month_has_each_of_its_days_and_a_late_run_counts_on_that_of_its_slot(db: Session) -> None:
    last = date(2026, 2, 28)
    slot_with_run(db, make_job(db), last, 22, status=Status.FAILED, late=60)

    february, march = month_heat(db, last, ZONE, ALL), month_heat(db, DAY, ZONE, ALL)

    assert [each.day.day for each in february] == list(range(1, 29))
    assert february[-1].failed == 1
    assert sum(each.bad for each in march) == 0


def test_skipped_slots_are_counted_by_why(db: Session) -> None:
    job_id = make_job(db)
    now = at(DAY, 12)
    for hour, why in (
        (-13, "closed: Too long ago"),
        (-11, "closed: Outing"),
        (1, "closed: Outing"),
        (2, "paused: moves"),
        (13, "paused"),
    ):
        make_slot(db, job_id, DAY, hour, state=SlotState.SKIPPED, why=why)
    make_slot(db, make_job(db, "gone", archived=True), DAY, 3, state=SlotState.SKIPPED)

    assert skipped_lately(db, now=now) == {"closed": 2, "paused": 1}
    assert skipped_on(db, DAY) == {"closed": 3, "paused": 2}
