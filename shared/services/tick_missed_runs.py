"""What the missed-runs timer does at a tick: learns, keeps the slots ahead, and judges those that are due.

It opens its own transactions, for each range of jobs a few, so that a tick that dies has done whole ranges.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from shared import clock as machine
from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.domain.queue_message import MAX_JOBS, JobRange, Queue
from shared.domain.slot_state import SlotState
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.schedules import JobSchedule, JobSlot
from shared.models.system import ImportCycle, SystemSettings
from shared.services.group_silence import group_silences
from shared.services.judge_slots import judge_slots
from shared.services.keep_overdue import due_overdue, keep_overdue
from shared.services.keep_slots import AHEAD, keep_slots
from shared.services.learn_schedules import learn_schedules
from shared.services.watched_jobs import is_watched

LEARN_EVERY = timedelta(hours=20)
YOUNG = 14  # runs; until then each is a reason to learn anew


def tick_missed_runs(queues: Queues, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Have all jobs looked after of which something is new or due, a message a range; return how many they are."""
    with transaction() as db:
        due = _due(db, clock())
        group_silences(db, now=clock())
    messages = [JobRange(job_ids=tuple(part)).to_json() for part in _ranges(due)]
    if messages:
        queues.send(Queue.JOB_WATCH, messages)
    return {"jobs": len(due), "ranges": len(messages)}


def handle_job_watch(text: str, queues: Queues, *, clock: Callable[[], datetime] = machine.now) -> dict[str, int]:  # noqa: ARG001 -- as every message is handled
    """Look after the jobs that the message names; return counts. Harmless to repeat. Raise BadMessage."""
    return watch_jobs(JobRange.from_json(text).job_ids, now=clock())


def watch_jobs(job_ids: Sequence[int], *, now: datetime) -> dict[str, int]:
    """Learn the schedules of a range of jobs, then keep their slots and judge them.

    Learning takes its time, so it holds no locks that an import of their mails would wait for.
    """
    with transaction() as db:
        to_learn = _unlearned(db, job_ids, now)
        changed = learn_schedules(db, to_learn, now=now)
    with transaction() as db:
        added = keep_slots(db, _without_slots(db, job_ids, now), now=now)
        done = judge_slots(db, job_ids, now=now)
        overdue = keep_overdue(db, job_ids, now=now)
    if done.judged or done.missed:
        with transaction() as db:
            group_silences(db, now=now)
    return {
        "learned": len(to_learn),
        "schedules_changed": changed,
        "slots_added": added,
        "judged": done.judged,
        "missed": done.missed,
        "not_judged": done.held,
        "overdue": overdue,
    }


def _due(db: Session, now: datetime) -> list[int]:
    """Return the watched jobs with runs that nobody looked at, slots to be judged, or days to come without slots."""
    query = (
        select(Job.id)
        .join(Customer, Customer.id == Job.customer_id)
        .outerjoin(JobSchedule, JobSchedule.job_id == Job.id)
        .where(*is_watched(), or_(_has_new_runs(now), _can_be_judged(db, now), _lacks_slots(now), due_overdue(now)))
        .order_by(Job.id)
    )
    return list(db.scalars(query))


def _has_new_runs(now: datetime) -> ColumnElement[bool]:
    return exists().where(JobRun.job_id == Job.id, ~JobRun.is_placed, JobRun.run_at <= now)


def _can_be_judged(db: Session, now: datetime) -> ColumnElement[bool]:
    """Whether the grace of a slot is over. One that was looked at in vain waits until more mails are in."""
    since = now - timedelta(days=db.get_one(SystemSettings, 1).missed_look_back_days)
    covered = select(func.max(ImportCycle.started_at)).where(ImportCycle.complete).scalar_subquery()
    within_look_back = or_(JobSlot.deadline >= since, JobSlot.is_silence)
    over = and_(JobSlot.state == SlotState.EXPECTED, JobSlot.deadline < now)
    waits = and_(JobSlot.state == SlotState.NOT_JUDGED, JobSlot.deadline < covered)
    return exists().where(JobSlot.job_id == Job.id, within_look_back, or_(over, waits))


def _lacks_slots(now: datetime) -> ColumnElement[bool]:
    """Whether the slots of the coming days are to be made."""
    ahead = now.date() + timedelta(days=AHEAD - 1)
    return and_(_has_lanes(), ~JobSchedule.sleeps, JobSchedule.slots_until < ahead)


def _has_lanes() -> ColumnElement[bool]:
    return func.jsonb_array_length(JobSchedule.lanes) > 0


def _unlearned(db: Session, job_ids: Sequence[int], now: datetime) -> list[int]:
    """Return the jobs with new runs that were not learned for a day, or are young, and those to be learned anew."""
    is_old = or_(
        JobSchedule.learned_at.is_(None),
        JobSchedule.learned_runs < YOUNG,
        JobSchedule.learned_at < now - LEARN_EVERY,
    )
    is_forgotten = and_(JobSchedule.learned_at.is_(None), _has_lanes())
    query = (
        select(Job.id)
        .outerjoin(JobSchedule, JobSchedule.job_id == Job.id)
        .where(
            Job.id.in_(job_ids),
            or_(and_(_has_new_runs(now), is_old), is_forgotten),
        )
        .order_by(Job.id)
    )
    return list(db.scalars(query))


def _without_slots(db: Session, job_ids: Sequence[int], now: datetime) -> list[int]:
    """Return the jobs whose coming days lack slots, or whose maximum silence begins anew."""
    query = (
        select(JobSchedule.job_id)
        .join(Job, Job.id == JobSchedule.job_id)
        .where(
            JobSchedule.job_id.in_(job_ids),
            or_(
                and_(_has_lanes(), JobSchedule.slots_until.is_(None)),
                _lacks_slots(now),
                and_(~_has_lanes(), _has_new_runs(now)),
            ),
        )
        .order_by(JobSchedule.job_id)
    )
    return list(db.scalars(query))


def _ranges(job_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(job_ids), MAX_JOBS):
        yield job_ids[first : first + MAX_JOBS]
