"""What a day was to bring and what came: each kind of slot, and days that are not as long as others."""

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from shared.domain.day_state import OF_SLOTS, DayState
from shared.domain.slot_state import WITH_RUN, SlotState
from shared.domain.status import Status
from shared.queries.daily_jobs import DailyRow, DaySummary, daily_jobs, day_summary
from shared.queries.day_heat import Heat
from shared.queries.day_slots import LATE, DayFilters
from shared.queries.rows import PAGE_SIZE
from shared.queries.unscheduled_runs import unscheduled_counts
from shared.services.keep_slots import keep_slots
from tests.builders import make_customer, make_job, make_run
from tests.queries.day_world import ALL, DAY, ZONE, at, heat_of, names, only, shown, slot_with_run, unscheduled
from tests.slot_builders import AMSTERDAM, make_schedule, make_slot

FORWARD, BACK = date(2026, 3, 29), date(2026, 10, 25)  # Amsterdam's clock changes


@pytest.mark.parametrize(
    "status", [Status.SUCCESS, Status.WARNING, Status.FAILED, Status.UNREADABLE, Status.INFORMATIONAL]
)
@pytest.mark.parametrize("late", [0, 3])
def test_a_slot_shows_the_verdict_of_its_run_and_whether_it_was_late(db: Session, status: Status, late: int) -> None:
    run = slot_with_run(db, make_job(db), status=status, late=late)

    [slot] = only(db).slots
    summary = day_summary(db, DAY, ALL)

    assert (slot.state.value, slot.is_late, slot.run_id) == (status.value, late > 0, run.id)
    assert slot.came_at == at(DAY, 22 + late)
    assert (summary.expected, summary.in_time, summary.late) == (1, int(not late), int(late > 0))


@pytest.mark.parametrize(
    "state, why",
    [
        (SlotState.MISSED, ""),
        (SlotState.EXPECTED, ""),
        (SlotState.NOT_JUDGED, "the mails of that time are not in yet"),
        (SlotState.SKIPPED, "closed: Outing"),
    ],
)
def test_a_slot_without_a_run_says_what_it_is(db: Session, state: SlotState, why: str) -> None:
    make_slot(db, make_job(db), DAY, state=state, why=why)

    [slot] = only(db).slots

    assert (slot.state.value, slot.came_at, slot.is_late, slot.says) == (state.value, None, False, why)
    assert day_summary(db, DAY, ALL).expected == int(state is not SlotState.SKIPPED)


def test_a_missed_run_came_at_no_time(db: Session) -> None:
    job_id = make_job(db)
    missed = make_run(db, job_id, status=Status.MISSED, run_at=at(DAY, 22))
    make_slot(db, job_id, DAY, state=SlotState.MISSED, run_id=missed.id)

    [slot] = only(db).slots

    assert (slot.state, slot.came_at, slot.run_id) == (DayState.MISSED, None, missed.id)


def test_a_slot_whose_run_was_deleted_is_not_called_good(db: Session) -> None:
    make_slot(db, make_job(db), DAY, state=SlotState.ARRIVED)

    assert only(db).slots[0].state is DayState.NOT_JUDGED


def test_a_session_counts_once_with_the_verdict_of_all_its_attempts(db: Session) -> None:
    job_id = make_job(db)
    make_schedule(db, job_id, 22)
    head = slot_with_run(db, job_id, status=Status.FAILED)
    retry = make_run(db, job_id, run_at=at(DAY, 22.5))
    retry.attempt_of_id, head.status = head.id, Status.WARNING
    db.flush()

    [slot] = only(db).slots

    assert (slot.state, slot.run_id) == (DayState.WARNING, head.id)
    assert unscheduled(db, has_schedule=True) == ()


def test_a_slot_that_was_given_an_attempt_shows_the_whole_session(db: Session) -> None:
    job_id = make_job(db)
    head = make_run(db, job_id, status=Status.FAILED, run_at=at(DAY, 21))
    attempt = slot_with_run(db, job_id)
    attempt.attempt_of_id = head.id
    db.flush()

    [slot] = only(db).slots

    assert (slot.state, slot.run_id) == (DayState.FAILED, head.id)


def test_a_job_that_runs_hourly_is_one_row_with_counts_per_state(db: Session) -> None:
    job_id = make_job(db)
    for hour in range(20):
        slot_with_run(db, job_id, hour=hour, late=0.5 if hour == 3 else 0)
    make_slot(db, job_id, DAY, 20, state=SlotState.MISSED)
    make_slot(db, job_id, DAY, 21, state=SlotState.EXPECTED)

    row = only(db)

    assert row.counts == [(DayState.MISSED, 1), (DayState.EXPECTED, 1), (DayState.SUCCESS, 20)]
    assert (row.late, row.worst.slot_at) == (1, at(DAY, 20))
    assert [slot.slot_at for slot in row.slots] == [at(DAY, hour) for hour in range(22)]


@pytest.mark.parametrize("day, hours", [(FORWARD, 23), (BACK, 25), (DAY, 24)])
def test_an_hourly_job_has_as_many_slots_as_the_day_has_hours(db: Session, day: date, hours: int) -> None:
    job_id = make_job(db)
    make_schedule(db, job_id, *range(24))
    keep_slots(db, [job_id], now=at(day, -30))

    row = only(db, day)

    # At the hour that comes twice one run is expected.
    assert len(row.slots) == min(hours, 24)
    assert all(slot.slot_at.astimezone(AMSTERDAM).date() == day for slot in row.slots)


@pytest.mark.parametrize("day", [FORWARD, BACK])
def test_a_nightly_job_has_its_slot_at_its_hour_when_the_clock_changes(db: Session, day: date) -> None:
    job_id = make_job(db)
    make_schedule(db, job_id, 22)
    keep_slots(db, [job_id], now=at(day, -30))

    [slot] = only(db, day).slots

    assert slot.slot_at.astimezone(AMSTERDAM).hour == 22


def test_a_job_around_midnight_stays_on_its_day(db: Session) -> None:
    job_id = make_job(db)
    slot_with_run(db, job_id, DAY, 24.2)  # at 00:12 of the next day
    slot_with_run(db, job_id, DAY + timedelta(days=1), 23.9)

    assert [slot.slot_at for slot in only(db, DAY).slots] == [at(DAY, 24.2)]
    assert [slot.slot_at for slot in only(db, DAY + timedelta(days=1)).slots] == [at(DAY, 47.9)]
    assert shown(db, DAY + timedelta(days=2)).rows == ()


def test_a_job_far_away_is_shown_on_its_own_local_day(db: Session) -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    job_id = make_job(db, customer_id=make_customer(db, time_zone="Asia/Tokyo"))
    make_slot(db, job_id, DAY, 1, zone=tokyo)  # in Amsterdam still the day before

    assert len(shown(db, DAY).rows) == 1
    assert shown(db, DAY - timedelta(days=1)).rows == ()


def test_what_is_worst_stands_first_and_late_before_in_time(db: Session) -> None:
    customer_id = make_customer(db)
    states = {
        "h skipped": SlotState.SKIPPED,
        "f to come": SlotState.EXPECTED,
        "d held": SlotState.NOT_JUDGED,
        "b missed": SlotState.MISSED,
    }
    for name, state in states.items():
        make_slot(db, make_job(db, name, customer_id=customer_id), DAY, state=state)
    runs = {
        "a failed": Status.FAILED,
        "c unreadable": Status.UNREADABLE,
        "e warning": Status.WARNING,
        "y good": Status.SUCCESS,
    }
    for name, status in runs.items():
        slot_with_run(db, make_job(db, name, customer_id=customer_id), status=status)
    slot_with_run(db, make_job(db, "z late", customer_id=customer_id), late=3)

    worst_first = names(db)

    assert worst_first == [
        "a failed",
        "b missed",
        "c unreadable",
        "d held",
        "e warning",
        "f to come",
        "z late",
        "y good",
        "h skipped",
    ]
    assert names(db, sort="state", descending=True)[0] == "h skipped"
    assert names(db, sort="job") == sorted(worst_first)


def test_of_two_bad_jobs_the_one_with_more_bad_runs_stands_first(db: Session) -> None:
    for name, bad in (("once", 1), ("thrice", 3)):
        job_id = make_job(db, name)
        for hour in range(4):
            slot_with_run(db, job_id, hour=hour, status=Status.FAILED if hour < bad else Status.SUCCESS)

    assert names(db) == ["thrice", "once"]


def test_it_can_be_sorted_by_when_runs_were_due_and_came(db: Session) -> None:
    slot_with_run(db, make_job(db, "first due"), hour=1, late=10)
    slot_with_run(db, make_job(db, "first come"), hour=5)

    assert names(db, sort="due") == ["first due", "first come"]
    assert names(db, sort="came") == ["first come", "first due"]
    assert names(db, sort="-nonsense") == ["first due", "first come"]


def test_filters_narrow_rows_and_figures_alike(db: Session) -> None:
    oak, ash = make_customer(db, "Oak"), make_customer(db, "Ash")
    slot_with_run(db, make_job(db, "Nightly", customer_id=oak, software="Hyper"), status=Status.FAILED)
    slot_with_run(db, make_job(db, "Weekly", customer_id=oak))
    slot_with_run(db, make_job(db, "Nightly", customer_id=ash), late=2)

    def found(**narrowed: object) -> list[tuple[str, str]]:
        filters = DayFilters(**narrowed)
        return [(row.customer, row.job_name) for row in shown(db, filters=filters).rows]

    assert found(customer_id=oak) == [("Oak", "Nightly"), ("Oak", "Weekly")]
    assert found(software="Hyper") == [("Oak", "Nightly")]
    assert found(text="ash night") == [("Ash", "Nightly")]
    assert found(state="failed") == [("Oak", "Nightly")]
    assert found(state=LATE) == [("Ash", "Nightly")]
    assert found(state="missed") == []
    assert day_summary(db, DAY, DayFilters(customer_id=oak)).expected == 2
    assert heat_of(db, filters=DayFilters(customer_id=ash)).bad == 0


def test_archived_jobs_and_those_of_inactive_customers_have_no_day(db: Session) -> None:
    for job_id in (make_job(db, "a", archived=True), make_job(db, "b", customer_id=make_customer(db, active=False))):
        slot_with_run(db, job_id, status=Status.FAILED)
        make_run(db, job_id, status=Status.FAILED, run_at=at(DAY, 3))

    assert shown(db).rows == ()
    assert day_summary(db, DAY, ALL).jobs == 0
    assert unscheduled_counts(db, DAY, ZONE, ALL).without_schedule == 0
    assert heat_of(db).heat is Heat.NOTHING


def test_a_page_that_is_gone_shows_the_last_one_there_is(db: Session) -> None:
    for number in range(PAGE_SIZE + 1):
        make_slot(db, make_job(db, f"Job {number:03}"), DAY)

    last = shown(db, page=9)

    assert (last.number, len(last.rows), last.total) == (2, 1, PAGE_SIZE + 1)


def test_a_silence_that_ran_out_is_a_slot_of_its_day(db: Session) -> None:
    make_slot(db, make_job(db), DAY, state=SlotState.MISSED, is_silence=True)

    [slot] = only(db).slots

    assert (slot.state, slot.is_silence) == (DayState.MISSED, True)


_RESULTS = st.sampled_from([*SlotState])
_STATUSES = st.sampled_from([Status.SUCCESS, Status.WARNING, Status.FAILED, Status.UNREADABLE, Status.INFORMATIONAL])
_JOBS = st.lists(st.lists(st.tuples(_RESULTS, _STATUSES), min_size=1, max_size=4), max_size=4)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jobs=_JOBS)
def test_the_figures_are_the_sum_of_the_rows(db: Session, jobs: list[list[tuple[SlotState, Status]]]) -> None:
    with db.begin_nested() as example:
        for number, slots in enumerate(jobs):
            job_id = make_job(db, f"Job {number}")
            for hour, (state, status) in enumerate(slots):
                _make(db, job_id, hour, state, status)

        found = daily_jobs(db, DAY, ALL, 1)
        summary, rows = found.summary, found.page.rows

        _agree(summary, rows)
        assert summary == day_summary(db, DAY, ALL)
        for state in (*OF_SLOTS, LATE):
            fits = shown(db, filters=DayFilters(state=str(state))).rows
            assert len(fits) == summary.jobs_with[str(state)]
        assert heat_of(db).bad == sum(
            summary.slots[state] for state in (DayState.FAILED, DayState.MISSED, DayState.UNREADABLE)
        )
        assert heat_of(db).expected == summary.expected
        example.rollback()


def _make(db: Session, job_id: int, hour: int, state: SlotState, status: Status) -> None:
    run = make_run(db, job_id, status=status, run_at=at(DAY, hour)) if state in WITH_RUN else None
    make_slot(db, job_id, DAY, hour, state=state, run_id=run.id if run else None)


def _agree(summary: DaySummary, rows: Sequence[DailyRow]) -> None:
    slots = [slot for row in rows for slot in row.slots]
    assert summary.jobs == len(rows)
    assert summary.slots == {state: sum(slot.state is state for slot in slots) for state in OF_SLOTS}
    assert summary.late == sum(row.late for row in rows)
    parts = (DayState.MISSED, DayState.NOT_JUDGED, DayState.EXPECTED)
    assert summary.expected == summary.in_time + summary.late + sum(summary.slots[state] for state in parts)
    ranks = [min(list(DayState).index(slot.state) for slot in row.slots) for row in rows]
    assert ranks == sorted(ranks)
