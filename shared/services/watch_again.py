"""Has jobs watched by what holds now: after a time in which nobody watched them, and under another calendar."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Date, cast, delete, func, select, true, update
from sqlalchemy.orm import Session

from shared.domain.queue_message import MAX_JOBS
from shared.domain.slot_state import OPEN
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.schedules import JobSchedule, JobSlot
from shared.models.system import SystemSettings
from shared.services.keep_slots import keep_slots
from shared.services.learn_schedules import learn_schedules
from shared.services.record_run import lock_jobs


def watch_again(db: Session, job_ids: Sequence[int], *, now: datetime) -> None:
    """Expect runs from now on of jobs that were archived, inactive or asleep; the jobs are locked.

    Slots of that time are nobody's missed backup. A job that was silent before is news when it stays silent.
    """
    lock_jobs(db, job_ids)
    again = update(JobSchedule).where(JobSchedule.job_id.in_(job_ids)).values(stopped_at=None, watched_from=now)
    db.execute(again.execution_options(synchronize_session=False))
    _make_slots(db, job_ids, now)
    past = (JobSlot.job_id.in_(job_ids), JobSlot.state.in_(OPEN), JobSlot.early_from <= now, ~JobSlot.is_silence)
    db.execute(delete(JobSlot).where(*past))


def watch_customers_again(db: Session, customer_ids: Collection[int], *, now: datetime) -> None:
    """Expect runs from now on of all jobs of customers that were inactive."""
    for job_ids in _jobs_of(db, customer_ids):
        watch_again(db, job_ids, now=now)


def make_slots_anew(db: Session, customer_ids: Collection[int], *, now: datetime) -> None:
    """Let the slots of customers follow their clock and their day of going live as they are now, from today on.

    What was learned on another clock is learned anew.
    """
    for job_ids in _jobs_of(db, customer_ids):
        learn_schedules(db, job_ids, now=now)
        _make_slots(db, job_ids, now)


def have_all_slots_made_anew(db: Session, *, now: datetime) -> None:
    """Let the next tick make the slots of all jobs by the settings as they are now, from today on."""
    db.execute(select(JobSchedule.job_id).order_by(JobSchedule.job_id).with_for_update())  # as learning locks them
    _step_back(db, true(), now)


def have_default_clock_learned_anew(db: Session) -> None:
    """Let the next tick learn anew what was learned on the installation's clock: of customers without one of theirs."""
    on_it = select(Job.id).join(Customer, Customer.id == Job.customer_id).where(Customer.time_zone.is_(None))
    forgotten = update(JobSchedule).where(JobSchedule.job_id.in_(on_it))
    forgotten = forgotten.values(learned_at=None, learned_from=None, learned_until=None, learned_runs=0)
    db.execute(forgotten.execution_options(synchronize_session=False))


def _make_slots(db: Session, job_ids: Sequence[int], now: datetime) -> None:
    lock_jobs(db, job_ids)
    _step_back(db, JobSchedule.job_id.in_(job_ids), now)
    keep_slots(db, job_ids, now=now)


def _step_back(db: Session, which: ColumnElement[bool], now: datetime) -> None:
    """Say that today lacks slots: on a day before going live none are made. Those that it has stay."""
    zone = func.coalesce(Customer.time_zone, SystemSettings.ui_time_zone)
    yesterday = cast(func.timezone(zone, now - timedelta(days=1)), Date)
    of_job = (Job.id == JobSchedule.job_id, Customer.id == Job.customer_id, SystemSettings.id == 1)
    back = update(JobSchedule).where(which, *of_job, JobSchedule.slots_until > yesterday)
    db.execute(back.values(slots_until=yesterday).execution_options(synchronize_session=False))


def _jobs_of(db: Session, customer_ids: Collection[int]) -> Iterator[Sequence[int]]:
    job_ids = db.scalars(select(Job.id).where(Job.customer_id.in_(customer_ids)).order_by(Job.id)).all()
    for begin in range(0, len(job_ids), MAX_JOBS):
        yield job_ids[begin : begin + MAX_JOBS]
