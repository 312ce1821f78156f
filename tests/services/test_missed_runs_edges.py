"""Silence at the edges of what is judged: after long outages, beside archives and stops, before a tick came."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.slot_state import SlotState
from shared.models.schedules import JobSlot
from shared.queries.not_judged import not_judged
from shared.services.edit_job import archive_job
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
