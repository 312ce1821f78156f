"""Devices that sleep: no slots and no missed runs, but one overdue run once a good backup is too long ago."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.clients.queue_memory import MemoryQueues
from shared.domain.mailflow import Source
from shared.domain.run import RunSource
from shared.domain.status import Status
from shared.models.jobs import Job, JobRun
from shared.models.schedules import ClosedDay, JobSchedule, JobSlot
from shared.models.system import ImportCycle, SystemSettings
from shared.services.audit import Actor
from shared.services.errors import BadInput
from shared.services.review_runs import review_runs, undo_review
from shared.services.tick_missed_runs import tick_missed_runs
from shared.services.work_off import work_off
from tests.builders import make_job, make_run, make_user, runs_of

GOOD = datetime(2026, 6, 1, 15, tzinfo=UTC)  # Monday, 17:00 in Amsterdam
LIMIT = 3  # days, as it is preset


def after(days: float, hours: float = 0) -> datetime:
    """Return the moment so long after the last good backup."""
    return GOOD + timedelta(days=days, hours=hours)


def covered(db: Session, until: datetime) -> None:
    """Let the mail folder be read to its end at this moment."""
    db.add(ImportCycle(source=Source.FOLDER, trigger="timer", started_at=until, finished_at=until, complete=True))
    db.commit()


def look_after_all(now: datetime) -> int:
    queues = MemoryQueues()
    due = tick_missed_runs(queues, clock=lambda: now)
    work_off(queues, clock=lambda: now)
    return due["jobs"]


def tick(db: Session, now: datetime) -> None:
    """Let everything be looked after at a moment up to which all mails are in."""
    covered(db, now)
    look_after_all(now)
    db.expire_all()


def overdue(db: Session, job_id: int) -> list[JobRun]:
    return [run for run in runs_of(db, job_id) if run.source is RunSource.OVERDUE]


def laptop(db: Session, *, status: Status = Status.SUCCESS, at: datetime = GOOD) -> int:
    """Return a job of a device that sleeps, which reported once."""
    job_id = make_job(db, origin="laptop.customer.example")
    db.add(JobSchedule(job_id=job_id, sleeps=True))
    report(db, job_id, at, status)
    return job_id


def report(db: Session, job_id: int, at: datetime, status: Status = Status.SUCCESS) -> None:
    make_run(db, job_id, run_at=at, status=status)
    db.commit()


def pause(db: Session, job_id: int, *, since: datetime, until: datetime) -> None:
    paused = {"paused_at": since, "paused_until": until, "paused_by": make_user(db).person_id}
    db.execute(update(JobSchedule).where(JobSchedule.job_id == job_id).values(paused))
    db.commit()


def review(db: Session, run: JobRun, *, now: datetime, reason: str = "On leave.") -> tuple[int | None, Actor]:
    actor = make_user(db)
    done = review_runs(db, [(run.id, run.verdict_version)], actor=actor, now=now, reason=reason)
    db.commit()
    return done.review_id, actor


@pytest.fixture
def job_id(committed_db: Session) -> int:
    return laptop(committed_db)


def test_nothing_is_said_until_the_limit_passed(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT, -0.1))

    assert overdue(committed_db, job_id) == []


def test_a_device_without_a_good_backup_beyond_the_limit_is_overdue(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT, 9))

    (run,) = overdue(committed_db, job_id)
    assert (run.status, run.raw_status) == (Status.OVERDUE, Status.OVERDUE)
    assert run.run_at == after(LIMIT)
    assert run.message == "no good backup for 3 days (limit 3)"


def test_a_device_that_sleeps_has_neither_slots_nor_missed_runs(committed_db: Session) -> None:
    job_id = laptop(committed_db)
    for day in range(1, 20):
        report(committed_db, job_id, after(day))

    tick(committed_db, after(20))
    tick(committed_db, after(40))

    assert committed_db.scalars(select(JobSlot).where(JobSlot.job_id == job_id)).all() == []
    assert {run.source for run in runs_of(committed_db, job_id)} == {RunSource.MAIL, RunSource.OVERDUE}


def test_a_job_that_does_not_sleep_is_never_overdue(committed_db: Session) -> None:
    job_id = make_job(committed_db)
    report(committed_db, job_id, GOOD)

    tick(committed_db, after(40))

    assert overdue(committed_db, job_id) == []


def test_the_same_run_escalates_once_a_day(committed_db: Session, job_id: int) -> None:
    seen = []
    for hours in range(0, 72, 6):
        tick(committed_db, after(LIMIT, hours))
        (run,) = overdue(committed_db, job_id)
        seen.append((run.overdue_days, run.verdict_version, run.run_at))

    assert seen == [(LIMIT + day, 1 + day, after(LIMIT)) for day in range(3) for _ in range(4)]
    assert run.message == "no good backup for 5 days (limit 3)"


def test_nobody_reviews_a_length_that_he_has_not_seen(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT, 1))
    (run,) = overdue(committed_db, job_id)
    on_screen = (run.id, run.verdict_version)
    tick(committed_db, after(LIMIT + 1, 1))

    done = review_runs(committed_db, [on_screen], actor=make_user(committed_db), now=after(5), reason="On leave.")

    assert (done.run_ids, done.changed) == ((), (run.id,))


def test_reviewing_an_overdue_run_needs_a_reason(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT, 1))
    (run,) = overdue(committed_db, job_id)

    with pytest.raises(BadInput):
        review(committed_db, run, now=after(LIMIT, 2), reason="")


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.WARNING])
def test_a_good_backup_takes_the_run_away(committed_db: Session, job_id: int, status: Status) -> None:
    tick(committed_db, after(LIMIT, 1))
    report(committed_db, job_id, after(LIMIT, 2), status)

    tick(committed_db, after(LIMIT, 3))

    assert overdue(committed_db, job_id) == []


@pytest.mark.parametrize("status", [Status.FAILED, Status.UNREADABLE, Status.INFORMATIONAL])
def test_what_is_no_good_backup_takes_nothing_away(committed_db: Session, job_id: int, status: Status) -> None:
    tick(committed_db, after(LIMIT, 1))
    report(committed_db, job_id, after(LIMIT, 2), status)

    tick(committed_db, after(LIMIT + 1, 1))

    (run,) = overdue(committed_db, job_id)
    assert run.overdue_days == LIMIT + 1


def test_a_failure_that_somebody_called_good_is_no_good_backup(committed_db: Session, job_id: int) -> None:
    report(committed_db, job_id, after(1), Status.FAILED)
    overridden = update(JobRun).where(JobRun.job_id == job_id, JobRun.raw_status == Status.FAILED)
    committed_db.execute(overridden.values(status=Status.SUCCESS))

    tick(committed_db, after(LIMIT, 1))

    (run,) = overdue(committed_db, job_id)
    assert run.run_at == after(LIMIT)


def test_a_device_of_which_nothing_was_ever_good_is_overdue_from_its_first_report_on(committed_db: Session) -> None:
    job_id = laptop(committed_db, status=Status.FAILED)
    report(committed_db, job_id, after(2), Status.FAILED)

    tick(committed_db, after(LIMIT, 1))

    (run,) = overdue(committed_db, job_id)
    assert run.message == "no good backup yet, 3 days after the first report (limit 3)"


def test_an_outage_of_our_own_makes_nothing_overdue(committed_db: Session, job_id: int) -> None:
    covered(committed_db, after(LIMIT, -1))

    look_after_all(after(LIMIT + 4))

    assert overdue(committed_db, job_id) == []


def test_after_an_outage_of_our_own_the_mails_that_came_in_count(committed_db: Session, job_id: int) -> None:
    look_after_all(after(LIMIT + 4))
    report(committed_db, job_id, after(LIMIT, -2))

    tick(committed_db, after(LIMIT + 4))

    (run,) = overdue(committed_db, job_id)
    assert run.run_at == after(2 * LIMIT, -2)


def test_what_an_outage_leaves_unproven_does_not_escalate_and_does_not_go(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT + 1, 1))
    committed_db.execute(update(ImportCycle).values(started_at=after(LIMIT, -1)))
    committed_db.commit()

    look_after_all(after(LIMIT + 6))

    (run,) = overdue(committed_db, job_id)
    committed_db.refresh(run)
    assert (run.overdue_days, run.verdict_version) == (LIMIT + 1, 1)


def test_a_mail_of_those_days_that_comes_late_dates_the_run_anew(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT + 2, 1))
    report(committed_db, job_id, after(1))

    tick(committed_db, after(LIMIT + 2, 2))

    (run,) = overdue(committed_db, job_id)
    assert (run.run_at, run.overdue_days, run.verdict_version) == (after(LIMIT + 1), LIMIT + 1, 2)


def test_a_reviewed_run_stays_after_recovery_and_the_next_lapse_has_its_own(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT, 1))
    review(committed_db, *overdue(committed_db, job_id), now=after(LIMIT, 2))
    report(committed_db, job_id, after(LIMIT + 1))
    tick(committed_db, after(2 * LIMIT, 23))
    between = len(overdue(committed_db, job_id))

    tick(committed_db, after(2 * LIMIT + 1, 1))

    first, second = overdue(committed_db, job_id)
    assert between == 1
    assert first.reviewed_at is not None
    assert (second.reviewed_at, second.run_at, second.overdue_days) == (None, after(2 * LIMIT + 1), LIMIT)


def test_a_review_buys_the_length_of_the_limit_and_no_more(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT, 1))
    review(committed_db, *overdue(committed_db, job_id), now=after(LIMIT, 20))
    tick(committed_db, after(2 * LIMIT, -0.1))
    before = len(overdue(committed_db, job_id))

    tick(committed_db, after(2 * LIMIT, 0.1))
    tick(committed_db, after(2 * LIMIT + 1, 0.1))

    _, second = overdue(committed_db, job_id)
    assert before == 1
    assert (second.run_at, second.overdue_days) == (after(2 * LIMIT), 2 * LIMIT + 1)


def test_undoing_a_review_takes_away_what_came_of_it(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT, 1))
    review_id, actor = review(committed_db, *overdue(committed_db, job_id), now=after(LIMIT, 2))
    tick(committed_db, after(2 * LIMIT, 1))
    assert review_id is not None

    undo_review(committed_db, review_id, actor=actor, may_undo_any=True, now=after(2 * LIMIT, 2))
    committed_db.commit()
    tick(committed_db, after(2 * LIMIT, 3))

    (run,) = overdue(committed_db, job_id)
    assert (run.run_at, run.overdue_days, run.reviewed_at) == (after(LIMIT), 2 * LIMIT, None)


def test_undoing_a_review_after_recovery_leaves_nothing_to_review(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT, 1))
    review_id, actor = review(committed_db, *overdue(committed_db, job_id), now=after(LIMIT, 2))
    report(committed_db, job_id, after(LIMIT, 3))
    tick(committed_db, after(LIMIT, 4))
    assert review_id is not None

    undo_review(committed_db, review_id, actor=actor, may_undo_any=True, now=after(LIMIT, 5))
    committed_db.commit()
    tick(committed_db, after(LIMIT, 6))

    assert overdue(committed_db, job_id) == []


def test_a_longer_limit_takes_away_what_it_no_longer_asks_for(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT, 1))
    committed_db.execute(update(SystemSettings).values(overdue_days=LIMIT + 2))

    tick(committed_db, after(LIMIT, 2))

    assert overdue(committed_db, job_id) == []


def test_days_of_a_pause_bring_the_limit_no_nearer_but_are_counted(committed_db: Session, job_id: int) -> None:
    pause(committed_db, job_id, since=after(1, 1), until=after(11, 1))
    tick(committed_db, after(12, 23))
    before = len(overdue(committed_db, job_id))

    tick(committed_db, after(13, 1))

    (run,) = overdue(committed_db, job_id)
    assert before == 0
    assert (run.run_at, run.overdue_days) == (after(13), 13)


def test_a_pause_stops_the_escalation_and_hides_nothing(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT, 1))
    pause(committed_db, job_id, since=after(LIMIT, 2), until=after(LIMIT + 10))

    tick(committed_db, after(LIMIT + 5))

    (run,) = overdue(committed_db, job_id)
    assert (run.overdue_days, run.verdict_version) == (LIMIT, 1)


def test_closed_days_bring_the_limit_no_nearer(committed_db: Session, job_id: int) -> None:
    customer_id = committed_db.get_one(Job, job_id).customer_id
    for day in (2, 3):
        committed_db.add(ClosedDay(customer_id=customer_id, day=after(day).date(), name="Holiday"))
    tick(committed_db, after(LIMIT, 23))
    before = len(overdue(committed_db, job_id))

    tick(committed_db, after(LIMIT + 2, 1))

    (run,) = overdue(committed_db, job_id)
    assert before == 0
    assert (run.run_at, run.overdue_days) == (after(LIMIT + 2), LIMIT + 2)


def test_what_went_before_going_live_brings_the_limit_no_nearer(committed_db: Session, job_id: int) -> None:
    committed_db.execute(update(SystemSettings).values(go_live_on=after(20).date()))

    tick(committed_db, after(20, 1))
    tick(committed_db, after(22, 1))

    (run,) = overdue(committed_db, job_id)
    assert (run.run_at, run.overdue_days) == (after(22), 22)


def test_a_day_is_a_local_day_also_when_the_clock_changes(committed_db: Session) -> None:
    friday = datetime(2026, 3, 27, 16, tzinfo=UTC)  # 17:00; summer time begins on Sunday
    job_id = laptop(committed_db, at=friday)

    tick(committed_db, friday + timedelta(days=4))

    (run,) = overdue(committed_db, job_id)
    assert run.run_at == datetime(2026, 3, 30, 15, tzinfo=UTC)


def test_once_nobody_says_that_it_sleeps_its_run_goes(committed_db: Session, job_id: int) -> None:
    tick(committed_db, after(LIMIT, 1))
    committed_db.execute(update(JobSchedule).values(sleeps=False))

    tick(committed_db, after(LIMIT, 2))

    assert overdue(committed_db, job_id) == []


def test_an_archived_job_is_left_alone(committed_db: Session, job_id: int) -> None:
    archived = {"archived_at": after(1), "archived_by": make_user(committed_db).person_id}
    committed_db.execute(update(Job).where(Job.id == job_id).values(archived))

    tick(committed_db, after(LIMIT, 1))

    assert overdue(committed_db, job_id) == []


def test_ticks_repeated_and_in_parallel_make_one_run(committed_db: Session, job_id: int) -> None:
    now = after(LIMIT + 2, 1)
    covered(committed_db, now)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: look_after_all(now), range(8)))

    (run,) = overdue(committed_db, job_id)
    assert (run.overdue_days, run.verdict_version) == (LIMIT + 2, 1)


@pytest.mark.parametrize("reviewed", [False, True])
def test_a_device_of_which_nothing_changes_is_not_due(committed_db: Session, job_id: int, *, reviewed: bool) -> None:
    now = after(LIMIT, 1)
    tick(committed_db, now)
    if reviewed:
        review(committed_db, *overdue(committed_db, job_id), now=now)

    again = look_after_all(now + timedelta(hours=1))
    next_day = look_after_all(now + timedelta(days=1))

    assert (again, next_day) == (0, 0 if reviewed else 1)
