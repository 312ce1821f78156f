"""Looks at the last slots of a sender's, or a customer's, jobs: the evidence of whether it fell silent."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.domain.schedule import LONGEST_GRACE
from shared.domain.silent_source import MIN_JOBS, Evidence, Source
from shared.domain.slot_state import OPEN, WITH_RUN, SlotState
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow
from shared.models.schedules import JobSchedule, JobSlot
from shared.services.watched_jobs import is_watched

WINDOW = timedelta(hours=24)


def evidence(db: Session, open_sources: Iterable[Source], *, now: datetime) -> dict[Source, Evidence]:
    """Return what is known of the sources that are said to be silent, and of those of which enough jobs missed."""
    known = list(open_sources)
    addresses = {*_suspects(db, _SENDER, now), *(each.from_address for each in known if each.from_address)}
    customer_ids = {*_suspects(db, _CUSTOMER, now), *(each.customer_id for each in known if each.customer_id)}
    found = {Source(from_address=key): what for key, what in _of(db, _SENDER, addresses, now)}
    return found | {Source(customer_id=key): what for key, what in _of(db, _CUSTOMER, customer_ids, now)}


@dataclass(frozen=True, slots=True)
class _Membership:
    """Where a job and its source stand."""

    job_id: InstrumentedAttribute[int]
    key: InstrumentedAttribute[Any]


_SENDER = _Membership(JobKeyRow.job_id, JobKeyRow.from_address)
_CUSTOMER = _Membership(Job.id, Job.customer_id)


def _suspects(db: Session, of: _Membership, now: datetime) -> Iterable[Any]:
    missed = select(JobSlot.job_id).where(JobSlot.state == SlotState.MISSED, JobSlot.deadline > now - WINDOW)
    keys = select(of.key).where(of.job_id.in_(missed)).group_by(of.key)
    return filter(None, db.scalars(keys.having(func.count(of.job_id.distinct()) >= MIN_JOBS)))


def _of(db: Session, of: _Membership, keys: Collection[Any], now: datetime) -> Iterable[tuple[Any, Evidence]]:
    if not keys:
        return
    member = select(of.job_id.label("job_id"), of.key.label("key")).where(of.key.in_(keys)).distinct().cte("member")
    slot = _last_slots(select(member.c.job_id), now).subquery("slot")
    is_last, missed = slot.c.slot_at == slot.c.last_at, slot.c.state == SlotState.MISSED
    since_arrival = or_(slot.c.arrived_at.is_(None), slot.c.slot_at > slot.c.arrived_at)
    query = (
        select(
            member.c.key,
            func.count().filter(is_last),
            func.count().filter(is_last, slot.c.state.in_(WITH_RUN)),
            func.array_agg(slot.c.job_id).filter(is_last, missed),
            func.min(slot.c.slot_at).filter(missed, since_arrival),
            func.max(slot.c.slot_at).filter(missed),
        )
        .join(slot, slot.c.job_id == member.c.job_id)
        .group_by(member.c.key)
    )
    for key, jobs, arrived, silent, began_at, last_at in db.execute(query):
        missed_jobs = frozenset(silent or ())
        yield key, Evidence(jobs=jobs, arrived=arrived, missed=missed_jobs, began_at=began_at, last_at=last_at)


def _last_slots(job_ids: Select[int], now: datetime) -> Select[*tuple[Any, ...]]:
    """Return the slots of the window whose run came, or whose grace is over, each with its job's last ones.

    A stopped job is an item of its own and says nothing more about its source; a maximum silence has slots only when
    it runs out, so it would always count as missed.
    """
    is_over = or_(
        JobSlot.state.in_((*WITH_RUN, SlotState.MISSED)), and_(JobSlot.state.in_(OPEN), JobSlot.deadline < now)
    )
    arrived_at = func.max(JobSlot.slot_at).filter(JobSlot.state.in_(WITH_RUN))
    return (
        select(
            JobSlot.job_id,
            JobSlot.slot_at,
            JobSlot.state,
            func.max(JobSlot.slot_at).over(partition_by=JobSlot.job_id).label("last_at"),
            arrived_at.over(partition_by=JobSlot.job_id).label("arrived_at"),
        )
        .join(Job, Job.id == JobSlot.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .join(JobSchedule, JobSchedule.job_id == JobSlot.job_id)
        .where(
            *is_watched(),
            JobSlot.job_id.in_(job_ids),
            JobSlot.slot_at > now - WINDOW - timedelta(minutes=LONGEST_GRACE),
            JobSlot.deadline > now - WINDOW,
            ~JobSlot.is_silence,
            JobSchedule.stopped_at.is_(None),
            is_over,
        )
    )
