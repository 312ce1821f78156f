"""What the last slots of a sender's, or a customer's, jobs say about whether it fell silent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, union
from sqlalchemy.orm import Session

from shared.domain.schedule import LONGEST_GRACE
from shared.domain.slot_state import OPEN, WITH_RUN, SlotState
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow
from shared.models.schedules import JobSchedule, JobSlot
from shared.services.watched_jobs import is_watched

WINDOW = timedelta(hours=24)
MIN_JOBS = 5


@dataclass(frozen=True, slots=True)
class Source:
    """A sender or a customer."""

    from_address: str | None = None
    customer_id: int | None = None

    @property
    def jobs(self) -> Select[int]:
        """The query of its jobs' ids."""
        if self.from_address is not None:
            return select(JobKeyRow.job_id).where(JobKeyRow.from_address == self.from_address)
        return select(Job.id).where(Job.customer_id == self.customer_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What became of the last slot that each of a source's `jobs` had in the last 24 hours.

    `missed` are the jobs whose slot was missed, silent from `began_at` to `last_at` as far as the 24 hours show.
    """

    jobs: int
    arrived: int
    missed: frozenset[int]
    began_at: datetime | None
    last_at: datetime | None

    @property
    def is_silent(self) -> bool:
        """At least five jobs, and four of five."""
        return len(self.missed) >= MIN_JOBS and 5 * len(self.missed) >= 4 * self.jobs

    @property
    def is_back(self) -> bool:
        """More than a fifth arrived, so that it can't be silent."""
        return 5 * self.arrived > self.jobs


def evidence(db: Session, open_sources: Iterable[Source], *, now: datetime) -> dict[Source, Evidence]:
    """Return what is known of the sources that are said to be silent, and of those of which enough jobs missed."""
    open_sources = list(open_sources)
    senders = select(JobKeyRow.job_id, JobKeyRow.from_address.label("key")).where(JobKeyRow.from_address != "")
    customers = select(Job.id.label("job_id"), Job.customer_id.label("key"))
    addresses = [source.from_address for source in open_sources if source.from_address is not None]
    customer_ids = [source.customer_id for source in open_sources if source.customer_id is not None]
    found = {Source(from_address=key): what for key, what in _of(db, senders.distinct(), addresses, now)}
    return found | {Source(customer_id=key): what for key, what in _of(db, customers, customer_ids, now)}


def _of(db: Session, members: Select[Any, Any], known: list[Any], now: datetime) -> Iterable[tuple[Any, Evidence]]:
    member = members.cte("member")
    fell_silent = select(JobSlot.job_id).where(JobSlot.state == SlotState.MISSED, JobSlot.deadline > now - WINDOW)
    many = (
        select(member.c.key)
        .where(member.c.job_id.in_(fell_silent))
        .group_by(member.c.key)
        .having(func.count() >= MIN_JOBS)
    )
    asked = union(many, select(member.c.key).where(member.c.key.in_(known))).cte("asked")
    of_asked = select(member).join(asked, asked.c.key == member.c.key).cte("of_asked")
    slot = _last_slots(select(of_asked.c.job_id), now).cte("slot")
    is_last, missed = slot.c.slot_at == slot.c.last_at, slot.c.state == SlotState.MISSED
    since_arrival = or_(slot.c.arrived_at.is_(None), slot.c.slot_at > slot.c.arrived_at)
    query = (
        select(
            of_asked.c.key,
            func.count().filter(is_last).label("jobs"),
            func.count().filter(is_last, slot.c.state.in_(WITH_RUN)).label("arrived"),
            func.array_agg(slot.c.job_id).filter(is_last, missed).label("missed"),
            func.min(slot.c.slot_at).filter(missed, since_arrival).label("began_at"),
            func.max(slot.c.slot_at).filter(missed).label("last_at"),
        )
        .join(slot, slot.c.job_id == of_asked.c.job_id)
        .group_by(of_asked.c.key)
    )
    for key, jobs, arrived, missed_jobs, began_at, last_at in db.execute(query):
        yield (
            key,
            Evidence(
                jobs=jobs,
                arrived=arrived,
                missed=frozenset(missed_jobs or ()),
                began_at=began_at,
                last_at=last_at,
            ),
        )


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
