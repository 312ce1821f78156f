"""Slots at which nothing is to be expected: on closed days, during a pause, before going live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, bindparam, or_, select, update
from sqlalchemy.orm import Session

from shared.db.base import table_of
from shared.domain.slot_state import OPEN, SlotState
from shared.models.schedules import ClosedDay, JobSchedule, JobSlot
from shared.models.system import SystemSettings
from shared.services.watched_jobs import WatchedJob

BEFORE_GOING_LIVE = "before going live"


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Why single slots are skipped. `closed` has the names of closed days by customer and by job."""

    closed_customers: Mapping[tuple[int, date], str]
    closed_jobs: Mapping[tuple[int, date], str]

    def why(self, job: WatchedJob, day: date, at: datetime) -> str:
        """Return why a slot is to be skipped, empty when it is expected."""
        if job.live_from is not None and day < job.live_from:
            return BEFORE_GOING_LIVE
        closed = self.closed_jobs.get((job.job_id, day)) or self.closed_customers.get((job.customer_id, day))
        return f"closed: {closed}" if closed else _paused(job.known, at)


def exceptions(db: Session, jobs: Sequence[WatchedJob], *, since: date) -> Exceptions:
    """Return what is known of these jobs and their customers from a day on."""
    customers, ids = {job.customer_id for job in jobs}, {job.job_id for job in jobs}
    rows = db.execute(
        select(ClosedDay.customer_id, ClosedDay.job_id, ClosedDay.day, ClosedDay.name).where(
            ClosedDay.day >= since, or_(ClosedDay.customer_id.in_(customers), ClosedDay.job_id.in_(ids))
        )
    ).all()
    return Exceptions(
        closed_customers={(customer_id, day): name for customer_id, _, day, name in rows if customer_id},
        closed_jobs={(job_id, day): name for _, job_id, day, name in rows if job_id},
    )


def skip_slots(db: Session, jobs: Sequence[WatchedJob], known: Exceptions, *, now: datetime) -> None:
    """Skip slots that nobody judged yet, and expect those again that are skipped without a reason by now.

    What was skipped in the past stays so, because its pause may be forgotten; only the day of going live can have been
    another one all along.
    """
    by_id = {job.job_id: job for job in jobs}
    look_back = timedelta(days=db.get_one(SystemSettings, 1).missed_look_back_days)
    may_be_expected = or_(JobSlot.deadline >= now, JobSlot.why == BEFORE_GOING_LIVE)
    query = select(JobSlot.job_id, JobSlot.slot_at, JobSlot.day, JobSlot.state, JobSlot.why).where(
        JobSlot.job_id.in_(by_id),
        JobSlot.slot_at >= now - look_back - timedelta(days=2),
        ~JobSlot.is_silence,
        or_(JobSlot.state.in_(OPEN), and_(JobSlot.state == SlotState.SKIPPED, may_be_expected)),
    )
    changes = []
    for job_id, slot_at, day, state, before in db.execute(query):
        why = known.why(by_id[job_id], day, slot_at)
        if why if state is not SlotState.SKIPPED else why != before:
            changes.append({"of": job_id, "at": slot_at, "why": why, "state": _state(why)})
    if changes:
        db.execute(_SET, changes)


def _state(why: str) -> SlotState:
    return SlotState.SKIPPED if why else SlotState.EXPECTED


def _paused(known: JobSchedule, at: datetime) -> str:
    if not (known.paused_at and known.paused_until and known.paused_at <= at < known.paused_until):
        return ""
    return f"paused: {known.pause_reason}" if known.pause_reason else "paused"


_slots = table_of(JobSlot)
_SET = (
    update(_slots)
    .where(_slots.c.job_id == bindparam("of"), _slots.c.slot_at == bindparam("at"))
    .values(state=bindparam("state"), why=bindparam("why"))
)
