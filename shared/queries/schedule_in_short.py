"""How a job is watched, in short: what stands beside a run. The whole of it, tried out, is on the job's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.schedule import describe
from shared.domain.schedule_json import schedule_of
from shared.domain.slot_state import OPEN, ScheduleMode, SlotState
from shared.models.schedules import JobSchedule, JobSlot

LOOK_BACK = timedelta(days=90)
NEXT = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ShortSchedule:
    """How a job is watched. Without `description` it has no regular times, and `silence_ends` says when it must come.

    `slots` counts the last 90 days' by what became of them; `held_because` says why one of them isn't judged.
    """

    mode: ScheduleMode
    description: str
    sleeps: bool
    next_slots: Sequence[datetime]
    silence_ends: datetime | None
    slots: Mapping[SlotState, int]
    held_because: str


def schedule_in_short(db: Session, job_id: int, *, now: datetime) -> ShortSchedule | None:
    """Return how the job is watched, None for one that isn't, or that nobody has looked at yet."""
    known = db.get(JobSchedule, job_id)
    if known is None:
        return None
    counted = (
        select(JobSlot.state, func.count(), func.max(JobSlot.why))
        .where(JobSlot.job_id == job_id, JobSlot.slot_at.between(now - LOOK_BACK, now))
        .group_by(JobSlot.state)
    )
    states = {state: (number, why) for state, number, why in db.execute(counted)}
    coming = _coming(db, job_id, now)
    return ShortSchedule(
        mode=known.mode,
        description=describe(schedule_of(known.lanes, known.confidence)) if known.lanes else "",
        sleeps=known.sleeps,
        next_slots=coming if known.lanes else (),
        silence_ends=coming[0] if coming and not known.lanes else None,
        slots={state: number for state, (number, _) in states.items()},
        held_because=states.get(SlotState.NOT_JUDGED, (0, ""))[1],
    )


def _coming(db: Session, job_id: int, now: datetime) -> Sequence[datetime]:
    ahead = (JobSlot.job_id == job_id, JobSlot.slot_at > now, JobSlot.state.in_(OPEN))
    return db.scalars(select(JobSlot.slot_at).where(*ahead).order_by(JobSlot.slot_at).limit(NEXT)).all()
