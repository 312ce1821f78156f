"""Jobs that nobody watched for a while, or whose day of going live moves: neither a flood nor a night unseen."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from shared.domain.correction import Sleep
from shared.domain.status import Status
from shared.domain.watch_version import watch_version
from shared.models.jobs import Job
from shared.models.schedules import JobSchedule
from shared.models.system import SystemSettings
from shared.services.audit import Actor
from shared.services.edit_customer import TypedCustomer, edit_customer
from shared.services.edit_job import archive_job, move_job, unarchive_job
from shared.services.edit_schedule import correct_schedule
from shared.services.edit_settings import TypedScheduleSettings, edit_schedule_settings, edit_time_zone
from shared.services.import_customers import import_customers
from tests.builders import make_customer, make_job, make_user, runs_of
from tests.services.watched_jobs_world import FIRST, covered, missed, nights, ran, tick

FAR_AHEAD, TODAY = "2026-06-30", "2026-06-13"  # the latter is that of the night `at(12)`


def at(night: int, hours: float = 0) -> datetime:
    return FIRST + timedelta(days=night, hours=hours)


@pytest.fixture
def actor(committed_db: Session) -> Actor:
    actor = make_user(committed_db)
    committed_db.commit()
    return actor


@pytest.fixture
def job_id(committed_db: Session) -> int:
    """A job that ran for ten nights at ten, learned in the night of the last one, and never again."""
    job_id = make_job(committed_db)
    ran(committed_db, job_id, nights(10))
    tick(committed_db, at(9, 1))
    return job_id


def pass_nights(db: Session, first: int, last: int) -> None:
    for night in range(first, last + 1):
        covered(db, at(night, 5))
        tick(db, at(night, 5))


def lanes_of(db: Session, job_id: int) -> list[dict[str, Any]]:
    return db.get_one(JobSchedule, job_id, populate_existing=True).lanes


def edit(db: Session, job_id: int, actor: Actor, now: datetime, *, active: bool = True, go_live_on: str = "") -> None:
    customer_id = db.get_one(Job, job_id).customer_id
    edit_customer(
        db, customer_id, TypedCustomer(name="Oak", active=active, go_live_on=go_live_on), actor=actor, now=now
    )
    db.commit()


def sleeps(db: Session, job_id: int, actor: Actor, now: datetime, *, so: bool) -> None:
    version = watch_version(db.get_one(JobSchedule, job_id, populate_existing=True))
    correct_schedule(db, job_id, Sleep(so), version=version, actor=actor, now=now)
    db.commit()


def test_a_job_out_of_the_archive_is_expected_from_now_on(committed_db: Session, job_id: int, actor: Actor) -> None:
    archive_job(committed_db, job_id, actor=actor, now=at(9, 14))
    committed_db.commit()
    pass_nights(committed_db, 10, 15)

    unarchive_job(committed_db, job_id, actor=actor, now=at(16, -8))
    committed_db.commit()
    pass_nights(committed_db, 16, 16)

    assert missed(committed_db, job_id) == [at(16)]


def test_jobs_of_a_customer_that_becomes_active_are_expected_from_now_on(
    committed_db: Session, job_id: int, actor: Actor
) -> None:
    edit(committed_db, job_id, actor, at(9, 14), active=False)
    pass_nights(committed_db, 10, 15)

    edit(committed_db, job_id, actor, at(16, -8))
    pass_nights(committed_db, 16, 16)

    assert missed(committed_db, job_id) == [at(16)]


def test_a_list_of_customers_makes_them_active_just_so(committed_db: Session, job_id: int, actor: Actor) -> None:
    edit(committed_db, job_id, actor, at(9, 14), active=False)
    pass_nights(committed_db, 10, 15)

    import_customers(committed_db, b"name,active\nOak,yes\n", actor=actor, now=at(16, -8))
    committed_db.commit()
    pass_nights(committed_db, 16, 16)

    assert missed(committed_db, job_id) == [at(16)]


def test_a_job_that_moves_away_from_an_inactive_customer_is_expected_from_now_on(
    committed_db: Session, job_id: int, actor: Actor
) -> None:
    edit(committed_db, job_id, actor, at(9, 14), active=False)
    pass_nights(committed_db, 10, 15)

    move_job(committed_db, job_id, make_customer(committed_db), actor=actor, now=at(16, -8))
    committed_db.commit()
    pass_nights(committed_db, 16, 16)

    assert missed(committed_db, job_id) == [at(16)]


def test_failures_of_a_job_that_moves_to_a_customer_that_is_live_wait_for_a_review(
    committed_db: Session, job_id: int, actor: Actor
) -> None:
    edit(committed_db, job_id, actor, at(9, 14), go_live_on=FAR_AHEAD)
    ran(committed_db, job_id, [at(10)], status=Status.FAILED)
    before = runs_of(committed_db, job_id)[-1].is_history

    move_job(committed_db, job_id, make_customer(committed_db), actor=actor, now=at(11, -8))

    assert (before, runs_of(committed_db, job_id)[-1].is_history) == (True, False)


def test_a_device_that_no_longer_sleeps_is_expected_from_now_on(
    committed_db: Session, job_id: int, actor: Actor
) -> None:
    ran(committed_db, job_id, [at(10)])
    pass_nights(committed_db, 10, 10)
    sleeps(committed_db, job_id, actor, at(10, 6), so=True)
    pass_nights(committed_db, 11, 15)

    sleeps(committed_db, job_id, actor, at(16, -8), so=False)
    pass_nights(committed_db, 16, 16)

    before_it_slept = [at(11)]  # that day had begun
    assert missed(committed_db, job_id) == [*before_it_slept, at(16)]


def test_a_job_that_stopped_before_it_was_archived_is_news_when_it_stays_silent(
    committed_db: Session, job_id: int, actor: Actor
) -> None:
    pass_nights(committed_db, 10, 26)
    archive_job(committed_db, job_id, actor=actor, now=at(26, 8))
    committed_db.commit()

    unarchive_job(committed_db, job_id, actor=actor, now=at(30, -8))
    committed_db.commit()
    pass_nights(committed_db, 30, 31)

    assert missed(committed_db, job_id)[-1] == at(30)


def test_a_job_without_a_schedule_that_was_silent_before_it_was_archived_is_news_when_it_comes_back(
    committed_db: Session, actor: Actor
) -> None:
    job_id = make_job(committed_db)
    ran(committed_db, job_id, [at(0), at(1, 5)])
    pass_nights(committed_db, 1, 12)
    told = missed(committed_db, job_id)
    archive_job(committed_db, job_id, actor=actor, now=at(12, 8))
    committed_db.commit()
    pass_nights(committed_db, 13, 19)

    unarchive_job(committed_db, job_id, actor=actor, now=at(20))
    committed_db.commit()
    pass_nights(committed_db, 20, 22)

    assert (len(told), missed(committed_db, job_id)) == (1, [*told, at(20)])


def test_the_night_of_the_day_on_which_a_customer_goes_live_at_once_is_expected(
    committed_db: Session, job_id: int, actor: Actor
) -> None:
    edit(committed_db, job_id, actor, at(9, 14), go_live_on=FAR_AHEAD)
    pass_nights(committed_db, 10, 11)
    tick(committed_db, at(12, -8))

    edit(committed_db, job_id, actor, at(12, -7), go_live_on=TODAY)
    pass_nights(committed_db, 12, 12)

    assert missed(committed_db, job_id) == [at(12)]


def test_a_night_that_turns_out_to_be_after_going_live_is_judged(
    committed_db: Session, job_id: int, actor: Actor
) -> None:
    edit(committed_db, job_id, actor, at(9, 14), go_live_on=TODAY)
    pass_nights(committed_db, 10, 10)

    edit(committed_db, job_id, actor, at(11, -7), go_live_on="2026-06-11")
    pass_nights(committed_db, 11, 11)

    assert missed(committed_db, job_id) == [at(10), at(11)]


def test_a_customer_that_goes_live_later_misses_nothing_tonight(
    committed_db: Session, job_id: int, actor: Actor
) -> None:
    tick(committed_db, at(10, -8))

    edit(committed_db, job_id, actor, at(10, -7), go_live_on=FAR_AHEAD)
    pass_nights(committed_db, 10, 10)

    assert missed(committed_db, job_id) == []


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_a_job_that_runs_on_misses_nothing_when_its_customers_zone_is_put_right(
    committed_db: Session, job_id: int, actor: Actor, zone: str
) -> None:
    """It was learned on another clock."""
    customer_id = committed_db.get_one(Job, job_id).customer_id
    ran(committed_db, job_id, [at(10)])
    pass_nights(committed_db, 10, 10)

    edit_customer(committed_db, customer_id, TypedCustomer(name="Oak", time_zone=zone), actor=actor, now=at(11, -9))
    committed_db.commit()
    for night in range(11, 15):
        covered(committed_db, at(night, -1))
        tick(committed_db, at(night, -1))
        ran(committed_db, job_id, [at(night)])
        pass_nights(committed_db, night, night)

    runs = runs_of(committed_db, job_id)
    assert [run.run_at for run in runs] == nights(15)
    assert not any(run.is_late for run in runs)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_jobs_that_run_on_miss_nothing_when_the_installations_zone_is_put_right(
    committed_db: Session, job_id: int, actor: Actor, zone: str
) -> None:
    ran(committed_db, job_id, [at(10)])
    pass_nights(committed_db, 10, 10)
    learned_in = lanes_of(committed_db, job_id)

    edit_time_zone(committed_db, zone, actor=actor, now=at(11, -9))
    committed_db.commit()
    tick(committed_db, at(11, -8))
    learned_anew = lanes_of(committed_db, job_id)
    ran(committed_db, job_id, [at(11)])
    pass_nights(committed_db, 11, 11)

    assert learned_anew != learned_in
    assert [run.run_at for run in runs_of(committed_db, job_id)] == nights(12)


def test_runs_are_history_by_the_installations_clock(committed_db: Session, job_id: int, actor: Actor) -> None:
    """It ran at 22:00 in Amsterdam, which is the next day in Tokyo."""
    committed_db.get_one(SystemSettings, 1).go_live_on = date(2026, 6, 12)
    ran(committed_db, job_id, [at(10)])
    was_history = runs_of(committed_db, job_id)[-1].is_history

    edit_time_zone(committed_db, "Asia/Tokyo", actor=actor, now=at(11, -9))
    committed_db.commit()

    assert (was_history, runs_of(committed_db, job_id)[-1].is_history) == (True, False)


def test_the_installations_day_of_going_live_moves_all_jobs(committed_db: Session, job_id: int, actor: Actor) -> None:
    def goes_live(day: str, now: datetime) -> None:
        settings = committed_db.get_one(SystemSettings, 1, populate_existing=True)
        as_it_is = {name: str(getattr(settings, name)) for name in TypedScheduleSettings.__dataclass_fields__}
        typed = TypedScheduleSettings(**{**as_it_is, "go_live_on": day})
        edit_schedule_settings(committed_db, typed, actor=actor, now=now)
        committed_db.commit()

    goes_live(FAR_AHEAD, at(9, 14))
    pass_nights(committed_db, 10, 11)
    tick(committed_db, at(12, -8))

    goes_live(TODAY, at(12, -7))
    pass_nights(committed_db, 12, 12)

    assert missed(committed_db, job_id) == [at(12)]
