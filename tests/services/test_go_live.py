"""Going live: what came before the date is history, and nobody needs to review it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.domain.status import Status
from shared.models.audit import AuditEntry
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, waits_for_review
from shared.models.system import SystemSettings
from shared.queries.jobs import JobFilters, jobs
from shared.services.approve_reading import NewJob, approve_reading
from shared.services.audit import Actor
from shared.services.edit_customer import TypedCustomer, edit_customer
from shared.services.errors import BadInput
from shared.services.mark_history import Marked, go_live_day, mark_history
from shared.services.review_runs import review_runs, undo_review
from tests.builders import NOW, arrive, make_customer, make_job, make_run, make_user, nights, readings_of, runs_of
from tests.mails import NIGHT, report_mail

F = Status.FAILED


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


def goes_live(db: Session, day: date | None, *, customer_id: int | None = None) -> None:
    if customer_id is None:
        db.execute(update(SystemSettings).values(go_live_on=day))
    else:
        db.execute(update(Customer).where(Customer.id == customer_id).values(go_live_on=day))


def customer_of(db: Session, job_id: int) -> int:
    return db.get_one(Job, job_id).customer_id


def history(db: Session, job_id: int) -> list[bool]:
    return [run.is_history for run in runs_of(db, job_id)]


def waiting(db: Session, job_id: int) -> list[datetime]:
    query = select(JobRun.run_at).where(JobRun.job_id == job_id, waits_for_review())
    return list(db.scalars(query.order_by(JobRun.run_at)))


def test_without_a_date_nothing_is_history(db: Session) -> None:
    job_id = make_job(db)
    make_run(db, job_id)

    assert history(db, job_id) == [False]


def test_what_comes_before_the_date_needs_no_review_and_counts_for_last_good(db: Session) -> None:
    goes_live(db, date(2026, 3, 4))
    job_id = make_job(db)
    for night in nights(3):
        make_run(db, job_id, run_at=night)

    assert history(db, job_id) == [True, True, False]
    assert waiting(db, job_id) == [nights(3)[2]]
    (row,) = jobs(db, JobFilters(), 1).rows
    assert (row.last_run_at, row.last_good_at) == (nights(3)[2], nights(3)[2])


def test_a_customers_own_date_wins(db: Session) -> None:
    goes_live(db, date(2026, 3, 9))
    early, late = make_job(db, "Early"), make_job(db, "Late")
    goes_live(db, date(2026, 3, 1), customer_id=customer_of(db, early))
    make_run(db, early)
    make_run(db, late)

    assert (history(db, early), history(db, late)) == ([False], [True])


def test_the_day_begins_where_the_customer_is(db: Session) -> None:
    job_id = make_job(db, customer_id=make_customer(db, time_zone="America/New_York"))
    goes_live(db, date(2026, 3, 3), customer_id=customer_of(db, job_id))
    midnight = datetime(2026, 3, 3, 5, 0, tzinfo=UTC)
    make_run(db, job_id, run_at=midnight - timedelta(seconds=1))
    make_run(db, job_id, run_at=midnight)

    assert history(db, job_id) == [True, False]


def test_approving_old_mails_makes_history(db: Session, actor: Actor) -> None:
    goes_live(db, date(2026, 3, 4))
    mails = [arrive(db, report_mail(sent_at=night)) for night in nights(3)]
    first = readings_of(db, mails[0].mail_id)[0]

    to = NewJob(customer_id=make_customer(db))
    done = approve_reading(db, first.id, to, actor=actor, now=NOW, and_all_waiting=True)

    assert history(db, done.job_id) == [True, True, False]


def test_a_night_that_lasts_into_the_first_day_is_not_history(db: Session) -> None:
    goes_live(db, date(2026, 3, 3))  # in Amsterdam it begins at 23:00 UTC
    job_id = make_job(db)
    make_run(db, job_id, run_at=NIGHT, objects=("A",), session_id="7")
    make_run(db, job_id, run_at=NIGHT + timedelta(hours=2), status=F, objects=("B",), session_id="7")

    assert waiting(db, job_id) == [NIGHT]


def test_moving_the_date_later_settles_what_came_before(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    for night in nights(3):
        make_run(db, job_id, status=F, run_at=night)
    goes_live(db, date(2026, 3, 4))

    done = mark_history(db, None, actor=actor, now=NOW)

    assert done == Marked(settled=2, waiting=0)
    assert waiting(db, job_id) == [nights(3)[2]]
    assert mark_history(db, None, actor=actor, now=NOW) == Marked(settled=0, waiting=0)
    acts = db.scalars(select(AuditEntry.after).where(AuditEntry.action == "history.marked")).all()
    assert acts == [{"customers": "all", "settled": 2, "waiting": 0}]


def test_moving_it_earlier_brings_back_only_what_nobody_has_reviewed(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    first, *_ = (make_run(db, job_id, status=F, run_at=night) for night in nights(3))
    review_runs(db, [(first.id, first.verdict_version)], actor=actor, now=NOW, reason="known")
    goes_live(db, date(2026, 3, 9))
    mark_history(db, None, actor=actor, now=NOW)

    goes_live(db, date(2026, 3, 1))
    done = mark_history(db, None, actor=actor, now=NOW)

    assert done == Marked(settled=0, waiting=2)
    assert waiting(db, job_id) == nights(3)[1:]


def test_an_undone_review_of_history_asks_nobody(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    run = make_run(db, job_id, status=F)
    done = review_runs(db, [(run.id, run.verdict_version)], actor=actor, now=NOW, reason="known")
    goes_live(db, date(2026, 3, 9))
    mark_history(db, None, actor=actor, now=NOW)

    assert done.review_id is not None
    undo_review(db, done.review_id, actor=actor, may_undo_any=True, now=NOW)

    assert waiting(db, job_id) == []


def test_marking_agrees_with_how_runs_are_made(db: Session, actor: Actor) -> None:
    made_before, made_after = make_job(db, "Before"), make_job(db, "After")
    for job_id in (made_before, made_after):
        for hour in range(0, 60, 3):
            retried = NIGHT + timedelta(hours=hour)
            make_run(db, job_id, status=F, run_at=retried, objects=("A",))
            make_run(db, job_id, run_at=retried + timedelta(minutes=10), objects=("A",), retry=1)
        if job_id == made_before:
            goes_live(db, date(2026, 3, 4))
            mark_history(db, None, actor=actor, now=NOW)

    assert history(db, made_before) == history(db, made_after)
    assert set(history(db, made_before)) == {True, False}


def test_one_customers_date_leaves_the_others_alone(db: Session, actor: Actor) -> None:
    one, other = make_job(db, "One"), make_job(db, "Other")
    make_run(db, one)
    make_run(db, other)
    customer = db.get_one(Customer, customer_of(db, one))
    typed = TypedCustomer(name=customer.name, go_live_on="2026-03-09")

    edit_customer(db, customer.id, typed, actor=actor, now=NOW)

    assert (history(db, one), history(db, other)) == ([True], [False])


@pytest.mark.parametrize("typed", ["soon", "2026-02-30", "1999-12-31", "2031-01-01"])
def test_a_day_that_cannot_be_is_refused(typed: str) -> None:
    with pytest.raises(BadInput):
        go_live_day(typed, today=NOW.date())
