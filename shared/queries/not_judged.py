"""Slots of which nobody can tell yet whether their run came: they are neither good nor missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from shared.domain.slot_state import SlotState
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.schedules import JobSlot
from shared.models.system import SystemSettings
from shared.queries.rows import watched_jobs


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldSlots:
    """How many slots of a job are not judged, and why the newest isn't."""

    count: int
    why: str


NO_SLOTS = HeldSlots(count=0, why="")


@dataclass(frozen=True, kw_only=True, slots=True)
class NotJudged:
    """How many jobs have slots that are not judged.

    Of `for_mails` it isn't known whether the mails until `mails_until` are in; of the others a mail that waits in the
    inbox may be the run.
    """

    jobs: int
    for_mails: int
    mails_until: datetime | None


def held_slots(db: Session, job_ids: Sequence[int], *, now: datetime) -> dict[int, HeldSlots]:
    """Return the slots that are not judged of those of the jobs that have some."""
    newest_why = func.array_agg(aggregate_order_by(JobSlot.why, JobSlot.slot_at.desc()))[1]
    query = (
        select(JobSlot.job_id, func.count(), newest_why)
        .where(JobSlot.job_id == any_(cast(list(job_ids), ARRAY(BigInteger))), *_can_be_judged_yet(now))
        .group_by(JobSlot.job_id)
    )
    return {job_id: HeldSlots(count=count, why=why) for job_id, count, why in db.execute(query)}


def not_judged(db: Session, *, now: datetime) -> NotJudged:
    """Return how many jobs wait to be judged."""
    query = (
        select(
            func.count(JobSlot.job_id.distinct()),
            func.count(JobSlot.job_id.distinct()).filter(JobSlot.candidate_id.is_(None)),
            func.max(JobSlot.deadline).filter(JobSlot.candidate_id.is_(None)),
        )
        .join(Job, Job.id == JobSlot.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(*watched_jobs(), *_can_be_judged_yet(now))
    )
    jobs, for_mails, mails_until = db.execute(query).one()
    return NotJudged(jobs=jobs, for_mails=for_mails, mails_until=mails_until)


def _can_be_judged_yet(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for slots that are held.

    Beyond the look-back none is judged any more, but for a maximum silence: no other slot would follow it.
    """
    look_back = select(func.make_interval(0, 0, 0, SystemSettings.missed_look_back_days)).scalar_subquery()
    return JobSlot.state == SlotState.NOT_JUDGED, or_(JobSlot.is_silence, JobSlot.deadline >= now - look_back)
