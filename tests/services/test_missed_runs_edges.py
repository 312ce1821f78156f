"""Silence at the edges of what is judged: after long outages, beside archives and stops, before a tick came."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.slot_state import SlotState
from shared.domain.watch_version import watch_version
from shared.models.schedules import JobSchedule, JobSlot
from shared.queries.not_judged import not_judged
from shared.services.edit_job import archive_job
from shared.services.pause_job import pause_job
from shared.services.tick_missed_runs import watch_jobs
from tests.builders import make_job, make_user, runs_of
from tests.services.watched_jobs_world import FIRST, covered, missed, nights, ran, tick


def at(night: int, hours: float = 0) -> datetime:
    return FIRST + timedelta(days=night, hours=hours)


@pytest.fixture
def job_id(committed_db: Session) -> int:
    """A job that ran for ten nights at ten, learned in the night of the last one."""
    job_id = make_job(committed_db)
    ran(committed_db, job_id, nights(10))
    tick(committed_db, at(9, 1))
    return job_id


def pass_nights(db: Session, first: int, last: int) -> None:
    for night in range(first, last + 1):
        covered(db, at(night, 5))
        tick(db, at(night, 5))


def test_a_maximum_silence_is_judged_however_long_our_own_outage_was(committed_db: Session) -> None:
    job_id = make_job(committed_db)
    ran(committed_db, job_id, [FIRST, at(0, 30)])
    for night in range(2, 29):
        tick(committed_db, at(night, 5))

    during = not_judged(committed_db, now=at(28, 5)).jobs
    covered(committed_db, at(29))
    tick(committed_db, at(29))

    assert during == 1
    assert missed(committed_db, job_id) == [at(7, 30)]


def test_a_stopped_job_whose_last_slot_is_answered_from_the_inbox_is_watched_again(
    committed_db: Session, job_id: int
) -> None:
    pass_nights(committed_db, 10, 26)
    stopped_on = missed(committed_db, job_id)[-1]

    ran(committed_db, job_id, [stopped_on - timedelta(minutes=4)])
    pass_nights(committed_db, 27, 28)

    assert stopped_on == at(24)
    assert missed(committed_db, job_id)[-2:] == [at(27), at(28)]


def test_a_job_that_is_archived_while_its_message_waits_misses_nothing(committed_db: Session, job_id: int) -> None:
    covered(committed_db, at(10, 5))
    archive_job(committed_db, job_id, actor=make_user(committed_db), now=at(10, 4))
    committed_db.commit()

    watch_jobs([job_id], now=at(10, 5))

    assert missed(committed_db, job_id) == []


def test_a_run_that_comes_late_before_anybody_missed_it_is_flagged_too(committed_db: Session, job_id: int) -> None:
    ran(committed_db, job_id, [at(10, 4)])

    tick(committed_db, at(10, 5))

    (late,) = [run for run in runs_of(committed_db, job_id) if run.is_late]
    assert (late.run_at, late.verdict_version) == (at(10, 4), 2)


def test_a_late_run_that_gives_way_to_the_run_in_time_is_late_no_more(committed_db: Session, job_id: int) -> None:
    ran(committed_db, job_id, [at(10, 4)])
    tick(committed_db, at(10, 5))

    ran(committed_db, job_id, [at(10, 0.1)])
    tick(committed_db, at(10, 6))

    assert [run.is_late for run in runs_of(committed_db, job_id)[-2:]] == [False, False]
    state = select(JobSlot.state).where(JobSlot.job_id == job_id, JobSlot.day == at(10).date())
    assert committed_db.scalars(state).all() == [SlotState.ARRIVED]


def silent_job(db: Session) -> int:
    """Return a job without a schedule that fell silent after its second run, at its maximum silence a week later."""
    job_id = make_job(db)
    ran(db, job_id, [FIRST, at(0, 30)])
    tick(db, at(2))
    pass_nights(db, 8, 10)
    return job_id


def test_a_report_that_waited_for_days_in_the_inbox_answers_the_maximum_silence(committed_db: Session) -> None:
    job_id = silent_job(committed_db)
    before = missed(committed_db, job_id)

    ran(committed_db, job_id, [at(5)])

    assert before == [at(7, 30)]
    assert missed(committed_db, job_id) == []


def test_a_job_without_a_schedule_that_is_still_silent_after_its_pause_is_news(committed_db: Session) -> None:
    job_id = silent_job(committed_db)
    version = watch_version(committed_db.get_one(JobSchedule, job_id))
    resumes_on = at(20).date()
    actor = make_user(committed_db)

    pause_job(committed_db, job_id, resumes_on=resumes_on, reason="new disks", version=version, actor=actor, now=at(11))
    committed_db.commit()
    pass_nights(committed_db, 12, 22)

    assert missed(committed_db, job_id) == [at(7, 30), at(19, 2)]  # at midnight in Amsterdam


def test_next_weeks_run_does_not_answer_last_weeks_while_our_timer_stands_still(committed_db: Session) -> None:
    """The slot that the run belongs to isn't made yet when its mail comes in."""
    job_id = make_job(committed_db)
    weeks = [at(7 * number) for number in range(6)]
    ran(committed_db, job_id, weeks)
    tick(committed_db, weeks[-1] + timedelta(hours=1))
    for day in range(1, 9):
        now = weeks[-1] + timedelta(days=day, hours=5)
        covered(committed_db, now)
        tick(committed_db, now)

    ran(committed_db, job_id, [at(49)])
    covered(committed_db, at(49, 5))
    tick(committed_db, at(49, 5))

    assert missed(committed_db, job_id) == [at(42)]
