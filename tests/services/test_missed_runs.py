"""Silence is noticed: slots of learned schedules are judged, and what never came becomes a missed run."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.clients.queue_memory import MemoryQueues
from shared.domain.reading import Kind
from shared.domain.run import RunSource
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import ClosedDay, JobSchedule, JobSlot
from shared.services.keep_slots import keep_slots
from shared.services.review_runs import review_runs
from shared.services.tick_missed_runs import tick_missed_runs
from tests.builders import make_job, make_run, make_user, runs_of
from tests.ledger import broken_promises
from tests.services.watched_jobs_world import FIRST, covered, look_after_all, missed, nights, ran, states, tick


def state_on(db: Session, job_id: int, day: int) -> SlotState:
    """Return what became of the slot so many days after the first night."""
    night = FIRST + timedelta(days=day)
    near = JobSlot.slot_at.between(night - timedelta(hours=2), night + timedelta(hours=2))
    return db.scalars(select(JobSlot.state).where(JobSlot.job_id == job_id, near)).one()


@pytest.fixture
def job_id(committed_db: Session) -> int:
    """A job that ran for ten nights at ten, learned in the night of the last one."""
    job_id = make_job(committed_db)
    ran(committed_db, job_id, nights(10))
    tick(committed_db, FIRST + timedelta(days=9, hours=1))
    return job_id


def test_a_schedule_is_learned_and_its_next_days_are_expected(committed_db: Session, job_id: int) -> None:
    known = committed_db.get_one(JobSchedule, job_id)

    assert (known.kind, known.learned_runs) == ("daily", 10)
    assert states(committed_db, job_id)[-3:] == [SlotState.EXPECTED] * 3


def test_a_history_that_is_learned_at_once_is_judged_as_if_we_had_been_here(committed_db: Session) -> None:
    job_id = make_job(committed_db)
    ran(committed_db, job_id, [night for night in nights(40) if night != FIRST + timedelta(days=35)])
    now = FIRST + timedelta(days=39, hours=3)
    covered(committed_db, now)

    tick(committed_db, now)

    assert missed(committed_db, job_id) == [FIRST + timedelta(days=35)]


def test_a_slot_without_a_run_is_missed_once_mails_are_in_beyond_its_grace(committed_db: Session, job_id: int) -> None:
    late = FIRST + timedelta(days=10, hours=3)

    tick(committed_db, late)
    before = (missed(committed_db, job_id), state_on(committed_db, job_id, 10))
    covered(committed_db, late)
    tick(committed_db, late)

    assert before == ([], SlotState.NOT_JUDGED)
    assert missed(committed_db, job_id) == [FIRST + timedelta(days=10)]
    assert state_on(committed_db, job_id, 10) is SlotState.MISSED
    assert broken_promises(committed_db) == {}


def test_a_run_in_time_is_no_miss(committed_db: Session, job_id: int) -> None:
    ran(committed_db, job_id, [FIRST + timedelta(days=10, minutes=7)])
    covered(committed_db, FIRST + timedelta(days=10, hours=4))

    tick(committed_db, FIRST + timedelta(days=10, hours=4))

    assert missed(committed_db, job_id) == []
    assert state_on(committed_db, job_id, 10) is SlotState.ARRIVED


def test_ticks_repeated_and_in_parallel_make_one_missed_run(committed_db: Session, job_id: int) -> None:
    now = FIRST + timedelta(days=12, hours=4)
    covered(committed_db, now)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: look_after_all(now), range(8)))
    tick(committed_db, now)

    assert missed(committed_db, job_id) == nights(3, first=FIRST + timedelta(days=10))


def test_days_of_downtime_are_caught_up(committed_db: Session, job_id: int) -> None:
    ran(committed_db, job_id, [FIRST + timedelta(days=12), FIRST + timedelta(days=14)])
    now = FIRST + timedelta(days=15, hours=12)
    covered(committed_db, now)

    tick(committed_db, now)

    assert [(each - FIRST).days for each in missed(committed_db, job_id)] == [10, 11, 13, 15]


def test_the_mail_that_comes_after_all_takes_its_missed_run_over(committed_db: Session, job_id: int) -> None:
    now = FIRST + timedelta(days=10, hours=3)
    covered(committed_db, now)
    tick(committed_db, now)
    (before,) = [run for run in runs_of(committed_db, job_id) if run.source is RunSource.MISSED]

    ran(committed_db, job_id, [now + timedelta(hours=2)], status=Status.FAILED)
    tick(committed_db, now + timedelta(hours=3))

    after = committed_db.get_one(JobRun, before.id)
    assert (after.source, after.status, after.is_late, after.reviewed_at) == (RunSource.MAIL, Status.FAILED, True, None)
    assert after.slot_at == FIRST + timedelta(days=10)
    assert after.verdict_version == 2
    assert len(runs_of(committed_db, job_id)) == 11
    assert state_on(committed_db, job_id, 10) is SlotState.LATE


def test_a_late_mail_of_a_reviewed_missed_run_waits_for_a_review_of_its_own(committed_db: Session, job_id: int) -> None:
    now = FIRST + timedelta(days=10, hours=3)
    covered(committed_db, now)
    tick(committed_db, now)
    (before,) = [run for run in runs_of(committed_db, job_id) if run.source is RunSource.MISSED]
    review_runs(committed_db, [(before.id, 1)], actor=make_user(committed_db), reason="power cut", now=now)
    committed_db.commit()

    ran(committed_db, job_id, [now + timedelta(hours=2)], status=Status.FAILED)

    (late,) = [run for run in runs_of(committed_db, job_id) if run.late_for_id is not None]
    assert (late.late_for_id, late.is_late, late.reviewed_at) == (before.id, True, None)
    assert committed_db.get_one(JobRun, before.id).status is Status.MISSED


def test_the_next_nights_run_does_not_answer_a_missed_one(committed_db: Session, job_id: int) -> None:
    now = FIRST + timedelta(days=10, hours=3)
    covered(committed_db, now)
    tick(committed_db, now)

    ran(committed_db, job_id, [FIRST + timedelta(days=11)])
    tick(committed_db, FIRST + timedelta(days=11, hours=2))

    assert missed(committed_db, job_id) == [FIRST + timedelta(days=10)]
    assert [state_on(committed_db, job_id, day) for day in (10, 11)] == [SlotState.MISSED, SlotState.ARRIVED]


def test_an_outage_of_our_own_is_nobodys_missed_backup(committed_db: Session, job_id: int) -> None:
    """Mails of the night come in only after a day; until then nothing is judged."""
    for hours in (2, 8, 20):
        tick(committed_db, FIRST + timedelta(days=10, hours=hours))
    during = missed(committed_db, job_id)

    ran(committed_db, job_id, [FIRST + timedelta(days=10, minutes=3)])
    covered(committed_db, FIRST + timedelta(days=11))
    tick(committed_db, FIRST + timedelta(days=11))

    assert during == missed(committed_db, job_id) == []
    assert state_on(committed_db, job_id, 10) is SlotState.ARRIVED


def test_a_job_without_a_schedule_that_falls_silent_is_reported(committed_db: Session) -> None:
    job_id = make_job(committed_db)
    ran(committed_db, job_id, [FIRST, FIRST + timedelta(hours=30)])
    tick(committed_db, FIRST + timedelta(days=2))
    later = FIRST + timedelta(days=9)
    covered(committed_db, later)

    tick(committed_db, later)
    tick(committed_db, later + timedelta(days=1))

    assert missed(committed_db, job_id) == [FIRST + timedelta(hours=30, days=7)]


@pytest.mark.parametrize("kind", [Kind.INFORMATIONAL, Kind.ALERT_ONLY])
def test_what_is_no_regular_job_never_learns_and_never_misses(committed_db: Session, kind: Kind) -> None:
    job_id = make_job(committed_db, kind=kind)
    ran(committed_db, job_id, nights(10))
    covered(committed_db, FIRST + timedelta(days=40))

    tick(committed_db, FIRST + timedelta(days=40))

    assert (missed(committed_db, job_id), states(committed_db, job_id)) == ([], [])


def test_an_archived_job_is_not_watched(committed_db: Session, job_id: int) -> None:
    job = committed_db.get_one(Job, job_id)
    job.archived_at, job.archived_by = FIRST, make_user(committed_db).user_id
    committed_db.commit()
    covered(committed_db, FIRST + timedelta(days=12))

    tick(committed_db, FIRST + timedelta(days=12))

    assert missed(committed_db, job_id) == []


def test_a_job_that_dies_every_friday_is_still_judged_on_fridays(committed_db: Session) -> None:
    job_id = make_job(committed_db)
    alive = [night for night in nights(84) if night < FIRST + timedelta(days=28) or night.weekday() != 4]
    for night in alive:
        make_run(committed_db, job_id, run_at=night)
    committed_db.commit()
    now = FIRST + timedelta(days=83, hours=12)
    covered(committed_db, now)
    tick(committed_db, FIRST + timedelta(days=81))

    tick(committed_db, now + timedelta(days=7))
    covered(committed_db, now + timedelta(days=7))
    tick(committed_db, now + timedelta(days=7))

    assert FIRST.weekday() == 0
    assert 4 in {each.weekday() for each in missed(committed_db, job_id)}


def schedule(db: Session, job_id: int) -> JobSchedule:
    db.expire_all()
    return db.get_one(JobSchedule, job_id)


def test_a_job_that_is_silent_for_two_weeks_stops_and_makes_no_more_runs(committed_db: Session, job_id: int) -> None:
    for day in range(10, 40):
        now = FIRST + timedelta(days=day, hours=5)
        covered(committed_db, now)
        tick(committed_db, now)

    made = missed(committed_db, job_id)
    assert [(each - FIRST).days for each in made] == list(range(10, 25))
    assert runs_of(committed_db, job_id)[-1].message == "stopped: no report for 14 days"
    assert state_on(committed_db, job_id, 30) is SlotState.MISSED
    assert schedule(committed_db, job_id).stopped_at == FIRST + timedelta(days=24)


def test_a_stopped_job_that_runs_again_is_news_when_it_falls_silent_again(committed_db: Session, job_id: int) -> None:
    for day in range(10, 30):
        covered(committed_db, FIRST + timedelta(days=day, hours=5))
        tick(committed_db, FIRST + timedelta(days=day, hours=5))
    ran(committed_db, job_id, [FIRST + timedelta(days=30)])
    now = FIRST + timedelta(days=31, hours=5)
    covered(committed_db, now)

    tick(committed_db, now)

    assert schedule(committed_db, job_id).stopped_at is None
    assert missed(committed_db, job_id)[-1] == FIRST + timedelta(days=31)


def test_closed_and_paused_days_are_skipped_with_their_reason(committed_db: Session, job_id: int) -> None:
    closed, paused = (FIRST + timedelta(days=10)).date(), FIRST + timedelta(days=11)
    committed_db.add(ClosedDay(job_id=job_id, day=closed, name="moving house"))
    user_id = make_user(committed_db).user_id
    known = schedule(committed_db, job_id)
    known.paused_by, known.pause_reason = user_id, "new disks"
    known.paused_at, known.paused_until = paused - timedelta(hours=3), paused + timedelta(hours=3)
    keep_slots(committed_db, [job_id], now=FIRST + timedelta(days=9, hours=2))
    committed_db.commit()
    now = FIRST + timedelta(days=12, hours=4)
    covered(committed_db, now)

    tick(committed_db, now)

    whys = committed_db.scalars(select(JobSlot.why).where(JobSlot.state == SlotState.SKIPPED).order_by(JobSlot.slot_at))
    assert whys.all() == ["closed: moving house", "paused: new disks"]
    assert missed(committed_db, job_id) == [FIRST + timedelta(days=12)]


def test_a_closed_day_that_is_taken_back_in_time_is_expected_again(committed_db: Session, job_id: int) -> None:
    now = FIRST + timedelta(days=9, hours=2)
    day = ClosedDay(job_id=job_id, day=(FIRST + timedelta(days=10)).date(), name="moving house")
    committed_db.add(day)
    keep_slots(committed_db, [job_id], now=now)
    before = state_on(committed_db, job_id, 10)
    committed_db.delete(day)
    keep_slots(committed_db, [job_id], now=now)

    assert (before, state_on(committed_db, job_id, 10)) == (SlotState.SKIPPED, SlotState.EXPECTED)


def test_nothing_is_missed_before_going_live(committed_db: Session, job_id: int) -> None:
    job = committed_db.get_one(Job, job_id)
    committed_db.get_one(Customer, job.customer_id).go_live_on = (FIRST + timedelta(days=12)).date()
    committed_db.commit()
    now = FIRST + timedelta(days=12, hours=4)
    covered(committed_db, now)

    tick(committed_db, now)

    assert missed(committed_db, job_id) == [FIRST + timedelta(days=12)]


def test_an_early_report_that_is_approved_late_answers_its_missed_run(committed_db: Session, job_id: int) -> None:
    now = FIRST + timedelta(days=10, hours=3)
    covered(committed_db, now)
    tick(committed_db, now)

    ran(committed_db, job_id, [FIRST + timedelta(days=10) - timedelta(minutes=4)])
    tick(committed_db, now)

    assert missed(committed_db, job_id) == []
    assert len(runs_of(committed_db, job_id)) == 11


def test_a_slot_that_waits_for_mails_is_not_looked_at_again_until_more_are_in(
    committed_db: Session, job_id: int
) -> None:
    now = FIRST + timedelta(days=10, hours=3)
    tick(committed_db, now)

    assert tick_missed_runs(MemoryQueues(), clock=lambda: now + timedelta(minutes=30)) == {"jobs": 0, "ranges": 0}


def test_a_job_that_is_learned_in_the_afternoon_is_expected_the_same_night(committed_db: Session) -> None:
    job_id = make_job(committed_db)
    ran(committed_db, job_id, nights(10))

    tick(committed_db, FIRST + timedelta(days=10, hours=-8))

    assert state_on(committed_db, job_id, 10) is SlotState.EXPECTED
