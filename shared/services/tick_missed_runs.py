"""What the missed-runs timer does at a tick: learns, keeps the slots ahead, and judges those that are due.

It opens its own transactions, one for each range of jobs, so that a tick that dies has done whole ranges.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from shared import clock as machine
from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.domain.queue_message import MAX_JOBS, JobRange, Queue
from shared.domain.reading import Kind
from shared.domain.slot_state import OPEN
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import JobSchedule, JobSlot
from shared.services.judge_slots import judge_slots
from shared.services.keep_slots import keep_slots
from shared.services.learn_schedules import learn_schedules

LEARN_EVERY = timedelta(hours=20)


def tick_missed_runs(queues: Queues, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Have all jobs looked after of which something is new or due, a message a range; return how many they are."""
    with transaction() as db:
        due = _due(db, clock())
    messages = [JobRange(job_ids=tuple(part)).to_json() for part in _ranges(due)]
    if messages:
        queues.send(Queue.JOB_WATCH, messages)
    return {"jobs": len(due), "ranges": len(messages)}


def handle_job_watch(text: str, queues: Queues, *, clock: Callable[[], datetime] = machine.now) -> dict[str, int]:  # noqa: ARG001 -- as every message is handled
    """Look after the jobs that the message names; return counts. Harmless to repeat. Raise BadMessage."""
    return watch_jobs(JobRange.from_json(text).job_ids, now=clock())


def watch_jobs(job_ids: Sequence[int], *, now: datetime) -> dict[str, int]:
    """Learn the schedules of a range of jobs, keep their slots and judge them, in one transaction."""
    with transaction() as db:
        to_learn = _unlearned(db, job_ids, now)
        changed = learn_schedules(db, to_learn, now=now)
        added = keep_slots(db, job_ids, now=now)
        done = judge_slots(db, job_ids, now=now)
    return {
        "learned": len(to_learn),
        "schedules_changed": changed,
        "slots_added": added,
        "judged": done.judged,
        "missed": done.missed,
        "not_judged": done.held,
    }


def _due(db: Session, now: datetime) -> list[int]:
    """Return the watched jobs with runs that nobody looked at, slots whose grace is over, or days without slots."""
    fresh = exists().where(JobRun.job_id == Job.id, ~JobRun.is_placed)
    late = exists().where(JobSlot.job_id == Job.id, JobSlot.state.in_(OPEN), JobSlot.deadline < now)
    query = (
        select(Job.id)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(JobSchedule, JobSchedule.job_id == Job.id)
        .where(
            Job.kind == Kind.REGULAR,
            Job.archived_at.is_(None),
            Customer.active,
            or_(fresh, late, JobSchedule.learned_at < now - LEARN_EVERY),
        )
        .order_by(Job.id)
    )
    return list(db.scalars(query))


def _unlearned(db: Session, job_ids: Sequence[int], now: datetime) -> list[int]:
    """Return the jobs that have new runs, or were not learned for a day."""
    fresh = exists().where(JobRun.job_id == Job.id, ~JobRun.is_placed)
    query = (
        select(Job.id)
        .outerjoin(JobSchedule, JobSchedule.job_id == Job.id)
        .where(
            Job.id.in_(job_ids),
            or_(fresh, JobSchedule.learned_at.is_(None), JobSchedule.learned_at < now - LEARN_EVERY),
        )
        .order_by(Job.id)
    )
    return list(db.scalars(query))


def _ranges(job_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(job_ids), MAX_JOBS):
        yield job_ids[first : first + MAX_JOBS]
